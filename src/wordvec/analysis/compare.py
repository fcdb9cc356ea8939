"""One expression in several tables, side by side.

Each answer has its exact rank in every other table, beyond k too; each pair of tables has how many
answers they share and the rank-biased overlap of the lists. Tables of different vocabularies are
compared by token text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from wordvec.analysis.query import Answer, Neighbour, settings_json
from wordvec.errors import UnknownWordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from wordvec.analysis.query import QueryEngine, Question
    from wordvec.expression.tree import Expression
    from wordvec.search.methods import Ranking
    from wordvec.search.settings import Settings
    from wordvec.vocabulary.lookup import Vocabulary

P = 0.9  # the weight that rank-biased overlap gives to each next depth

Key: TypeAlias = "str | tuple[str, bool]"
Rows: TypeAlias = "dict[Key, list[int]]"  # text → the rows that have it, lowest first


@dataclass(frozen=True, slots=True)
class ComparedNeighbour:
    """An answer in one table, and its exact rank in each of the tables, its own among them.

    A rank is None where the other table has no such token, or where it may not be an answer. Where
    it has several of the same text (`王` and `▁王`), it is that of the best.
    """

    neighbour: Neighbour
    ranks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """What one table answers."""

    answer: Answer
    neighbours: tuple[ComparedNeighbour, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How alike the answers of two tables are (their places among the columns).

    shared: tokens in both lists. rbo: rank-biased overlap, extrapolated.
    only_first, only_second: tokens that one vocabulary has and the other has not.
    """

    first: int
    second: int
    shared: int
    rbo: float
    only_first: int
    only_second: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One expression in several tables."""

    query: str
    settings: Settings
    columns: tuple[Column, ...]
    overlaps: tuple[Overlap, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            **settings_json(self.settings),
            "columns": [
                {
                    "table": column.answer.table.to_json(),
                    "neighbours": [
                        {
                            **column.answer.neighbour_json(compared.neighbour),
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
    """Ask every table the same; all engines have the same settings."""
    if len(engines) < 2:
        raise UsageError("a comparison needs two tables or more")
    sides = [_Side(asker, expression) for asker in engines]
    columns = tuple(side.column(sides) for side in sides)
    overlaps = tuple(_overlap(sides, i, j) for i, j in combinations(range(len(sides)), 2))
    notes = dict.fromkeys(note for column in columns for note in column.answer.notes)
    return Comparison(expression.source, engines[0].settings, columns, overlaps, tuple(notes))


class _Side:
    """One table with the question asked of it."""

    def __init__(self, asker: QueryEngine, expression: Expression) -> None:
        self.asker = asker
        self.vocabulary = asker.table.vocabulary
        try:
            self.question: Question = asker.prepare(expression)
        except UnknownWordError as error:
            raise error.said_of(asker.table.name) from error
        [self.answer] = asker.answer([self.question])
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
        """The rank that a row has in the whole list of this table."""
        if self.asker.settings.merge_twins:
            if self._merged is None:
                self._merged = self.asker.merged_ranks(self.question)
            return self._merged.get(row)
        if self._ranking is None:
            self._ranking = self.asker.ranking(self.question)
        return self._ranking.rank_of(row, self.asker.allowed(self.question))

    def keys(self, other: _Side) -> list[Hashable]:
        """The answers, by what they have in common with another table's; the first of doubles."""
        by_id = self.vocabulary == other.vocabulary
        same_scheme = self.vocabulary.scheme == other.vocabulary.scheme
        return list(
            dict.fromkeys(
                neighbour.id if by_id else _key(self.vocabulary, neighbour.id, plain=same_scheme)
                for neighbour in self.answer.neighbours
            )
        )


def same_tokens(vocabulary: Vocabulary, row: int, other: Vocabulary) -> tuple[int, ...]:
    """The rows of another vocabulary that have the same text, lowest first.

    Spelled in the same scheme, tokens are compared as they stand. In another scheme 王 may be 王,
    `▁王` or both; `##王`, which only goes on with a word, has its like in no other.
    """
    if vocabulary == other:
        return (row,)
    plain = vocabulary.scheme == other.scheme
    return tuple(_rows(other, plain=plain).get(_key(vocabulary, row, plain=plain), ()))


def _overlap(sides: Sequence[_Side], i: int, j: int) -> Overlap:
    one, two = sides[i], sides[j]
    first, second = one.keys(two), two.keys(one)
    only_first = only_second = 0
    if one.vocabulary != two.vocabulary:
        plain = one.vocabulary.scheme == two.vocabulary.scheme
        all_first = _rows(one.vocabulary, plain=plain).keys()
        all_second = _rows(two.vocabulary, plain=plain).keys()
        only_first, only_second = len(all_first - all_second), len(all_second - all_first)
    shared = len(set(first) & set(second))
    return Overlap(i, j, shared, rank_biased_overlap(first, second), only_first, only_second)


def _key(vocabulary: Vocabulary, row: int, *, plain: bool) -> Key:
    if plain or vocabulary.is_special(row):
        return vocabulary.tokens[row]
    return vocabulary.surface(row), vocabulary.is_subword(row)


@lru_cache(maxsize=8)  # asked for each answer, and 32,000 tokens take 10 ms
def _rows(vocabulary: Vocabulary, *, plain: bool) -> Rows:
    rows: Rows = {}
    for row in range(len(vocabulary)):
        rows.setdefault(_key(vocabulary, row, plain=plain), []).append(row)
    return rows


def rank_biased_overlap(
    first: Sequence[Hashable], second: Sequence[Hashable], *, p: float = P
) -> float:
    """How alike two ranked lists are: 0 for nothing in common, 1 for the same list.

    The extrapolated form RBO_EXT of Webber, Moffat and Zobel (2010), equation 32, which takes
    lists of different lengths: the agreement at the end of the lists is taken to go on below it.

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
