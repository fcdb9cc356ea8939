"""Compare the answers of several tables to one expression.

Each answer has its exact rank in every other table, also beyond k. Each pair of tables has the
number of shared answers and the rank-biased overlap of the lists. Tables with different
vocabularies are compared by the text of the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from wordvec.errors import UnknownWordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from wordvec.analysis.query import Answer, Neighbour, QueryEngine
    from wordvec.expression.tree import Expression
    from wordvec.search.methods import Question
    from wordvec.search.ranking import Ranking
    from wordvec.search.settings import QuerySettings
    from wordvec.vocabulary.lookup import Vocabulary

P = 0.9  # the weight of each next depth in rank-biased overlap

Key: TypeAlias = "str | tuple[str, bool]"
RowsByText: TypeAlias = "dict[Key, list[int]]"  # text → the rows that have it, lowest first


@dataclass(frozen=True, slots=True)
class ComparedNeighbour:
    """An answer of one table, and its exact rank in each table, its own included.

    A rank is None if the table has no such token, or if it may not be an answer there. If the table
    has several tokens with this text (`王` and `▁王`), it is the rank of the best.
    """

    neighbour: Neighbour
    ranks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The answer of one table."""

    answer: Answer
    neighbours: tuple[ComparedNeighbour, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How similar the answers of two tables are.

    first, second: the tables, as places among the columns. shared: how many tokens are in both
    lists. rbo: rank-biased overlap, extrapolated. only_first, only_second: how many tokens only one
    of the vocabularies has.
    """

    first: int
    second: int
    shared: int
    rbo: float
    only_first: int
    only_second: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of several tables to one expression."""

    query: str
    settings: QuerySettings
    columns: tuple[Column, ...]
    overlaps: tuple[Overlap, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "query": self.query,
            **self.settings.to_dict(),
            "columns": [
                {
                    "table": column.answer.table.to_dict(),
                    "neighbours": [
                        {
                            **column.answer.neighbour_dict(compared.neighbour),
                            "ranks": list(compared.ranks),
                        }
                        for compared in column.neighbours
                    ],
                }
                for column in self.columns
            ],
            "overlaps": [
                {
                    "columns": [overlap.first, overlap.second],
                    "k": self.settings.k,
                    "shared": overlap.shared,
                    "rbo": overlap.rbo,
                    "only_first": overlap.only_first,
                    "only_second": overlap.only_second,
                }
                for overlap in self.overlaps
            ],
        }


def compare(engines: Sequence[QueryEngine], expression: Expression) -> Comparison:
    """Compare the answers of several tables, all of them with the same settings.

    Raises:
        UsageError: for fewer than two tables.
        UnknownWordError: if a table lacks a word of the expression; it names the table.
    """
    if len(engines) < 2:
        raise UsageError("a comparison needs at least two tables")
    sides = [_Side(engine, expression) for engine in engines]
    columns = tuple(side.column(sides) for side in sides)
    overlaps = tuple(_overlap(sides, i, j) for i, j in combinations(range(len(sides)), 2))
    notes = dict.fromkeys(note for column in columns for note in column.answer.notes)
    return Comparison(expression.source, engines[0].settings, columns, overlaps, tuple(notes))


class _Side:
    """One table and its answer."""

    def __init__(self, engine: QueryEngine, expression: Expression) -> None:
        self.engine = engine
        self.vocabulary = engine.table.vocabulary
        try:
            self.question: Question = engine.prepare(expression)
        except UnknownWordError as error:
            raise error.in_table(engine.table.name) from error
        [self.answer] = engine.answer([self.question])
        self._ranking: Ranking | None = None
        self._merged: dict[int, int] | None = None

    def column(self, sides: Sequence[_Side]) -> Column:
        return Column(
            self.answer,
            tuple(
                ComparedNeighbour(neighbour, tuple(self._ranks(neighbour, sides)))
                for neighbour in self.answer.neighbours
            ),
        )

    def _ranks(self, neighbour: Neighbour, sides: Sequence[_Side]) -> Iterator[int | None]:
        for side in sides:
            if side is self:
                yield neighbour.rank
                continue
            rows = same_tokens(self.vocabulary, neighbour.id, side.vocabulary)
            ranks = [side.rank_of(row) for row in rows]
            yield min((rank for rank in ranks if rank is not None), default=None)

    def rank_of(self, row: int) -> int | None:
        """Return the rank of a row in the whole list of this table."""
        if self.engine.settings.merge_twins:
            if self._merged is None:
                self._merged = self.engine.merged_ranks(self.question)
            return self._merged.get(row)
        if self._ranking is None:
            self._ranking = self.engine.ranking(self.question)
        return self._ranking.rank_of(row, self.engine.allowed(self.question))

    def keys(self, other: _Side) -> list[Hashable]:
        """Return the answers in a form to match with another table's, without repeats."""
        by_id = self.vocabulary == other.vocabulary
        same_scheme = self.vocabulary.scheme == other.vocabulary.scheme
        return list(
            dict.fromkeys(
                neighbour.id if by_id else _key(self.vocabulary, neighbour.id, plain=same_scheme)
                for neighbour in self.answer.neighbours
            )
        )


def same_tokens(vocabulary: Vocabulary, row: int, other: Vocabulary) -> tuple[int, ...]:
    """Return the rows of another vocabulary that have the same text, lowest first.

    With the same spelling scheme, tokens are compared as they are. In another scheme 王 may be 王,
    `▁王` or both; `##王`, which only continues a word, has no equivalent.
    """
    if vocabulary == other:
        return (row,)
    plain = vocabulary.scheme == other.scheme
    return tuple(_rows_by_text(other, plain=plain).get(_key(vocabulary, row, plain=plain), ()))


def _overlap(sides: Sequence[_Side], i: int, j: int) -> Overlap:
    one, two = sides[i], sides[j]
    first, second = one.keys(two), two.keys(one)
    only_first = only_second = 0
    if one.vocabulary != two.vocabulary:
        plain = one.vocabulary.scheme == two.vocabulary.scheme
        all_first = _rows_by_text(one.vocabulary, plain=plain).keys()
        all_second = _rows_by_text(two.vocabulary, plain=plain).keys()
        only_first, only_second = len(all_first - all_second), len(all_second - all_first)
    shared = len(set(first) & set(second))
    return Overlap(i, j, shared, rank_biased_overlap(first, second), only_first, only_second)


def _key(vocabulary: Vocabulary, row: int, *, plain: bool) -> Key:
    if plain or vocabulary.is_special(row):
        return vocabulary.tokens[row]
    return vocabulary.surface(row), vocabulary.is_subword(row)


@lru_cache(maxsize=8)  # needed for each answer, and 32,000 tokens take 10 ms
def _rows_by_text(vocabulary: Vocabulary, *, plain: bool) -> RowsByText:
    rows: RowsByText = {}
    for row in range(len(vocabulary)):
        rows.setdefault(_key(vocabulary, row, plain=plain), []).append(row)
    return rows


def rank_biased_overlap(
    first: Sequence[Hashable], second: Sequence[Hashable], *, p: float = P
) -> float:
    """Return how similar two ranked lists are: 0 for nothing in common, 1 for the same list.

    The extrapolated form RBO_EXT, which takes lists of different lengths: it assumes that the
    agreement at the end of the lists continues below it.

    Reference: Webber, Moffat and Zobel (2010), equation 32.

    >>> round(rank_biased_overlap("abc", "abc"), 4), round(rank_biased_overlap("abc", "bad"), 4)
    (1.0, 0.5985)
    """
    short, long = sorted((first, second), key=len)
    s, n = len(short), len(long)
    if not s:
        return float(not n)
    common = [len(set(short[:d]) & set(long[:d])) for d in range(1, n + 1)]  # X_d
    total = sum(common[d - 1] / d * p**d for d in range(1, n + 1))
    total += sum(common[s - 1] * (d - s) / (s * d) * p**d for d in range(s + 1, n + 1))
    end = ((common[n - 1] - common[s - 1]) / n + common[s - 1] / s) * p**n
    return (1 - p) / p * total + end
