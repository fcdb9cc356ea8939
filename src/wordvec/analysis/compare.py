"""Compare the answers of several tables to one expression.

Each answer has its exact rank in every other table, also beyond k. Each pair of tables has the
number of shared answers and the rank-biased overlap of the lists. Tables with different
vocabularies are compared by the text of the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, zip_longest
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from wordvec import text
from wordvec.analysis.calibration import random_pairs
from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    TextTable,
    block_lines,
    header_lines,
    number,
    one_line,
    settings_fields,
    shape_text,
    table_name,
)
from wordvec.analysis.result import Result
from wordvec.errors import UnknownWordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from wordvec.analysis.calibration import RandomPairs
    from wordvec.analysis.display import Block, OutputStyle
    from wordvec.analysis.query import Answer, Neighbour, QueryEngine
    from wordvec.expression.tree import Expression
    from wordvec.search.methods import Question
    from wordvec.search.ranking import Ranking
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription
    from wordvec.vocabulary.lookup import Vocabulary

_FEW = 100  # ranks that are found one at a time; for more, all rows are ranked once
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
class ComparedAnswer:
    """The answer of one table. random_pairs: None if it has too few tokens."""

    answer: Answer
    neighbours: tuple[ComparedNeighbour, ...]
    random_pairs: RandomPairs | None


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


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Result[ComparedAnswer]):
    """The answers of several tables to one expression. Iterates over its columns."""

    _listed: ClassVar = "columns"

    query: str
    settings: QuerySettings
    columns: tuple[ComparedAnswer, ...]
    overlaps: tuple[Overlap, ...]
    notes: tuple[str, ...] = ()

    @property
    def _title(self) -> str:
        return one_line(self.query)

    def _header_fields(self) -> list[str]:
        return [*self._names(None)[1], *self._settings_fields()]

    def _blocks(self) -> list[Block]:
        return self._blocks_of(self._names(None)[0])

    def header_lines(self, style: OutputStyle) -> list[str]:
        """Return the header, with numbers for the tables if their names do not fit."""
        fields = self._names(style.cells)[1]
        return header_lines([*fields, *self._settings_fields()], style)

    def body_lines(self, style: OutputStyle) -> list[str]:
        """Return the lines below the header, with numbers if the names do not fit."""
        return block_lines(self._title, self._blocks_of(self._names(style.cells)[0]), style)

    def _settings_fields(self) -> list[str]:
        """Return how the tables answer; transforms named with one of them are in its name."""
        named = any(column.answer.table.named_transforms for column in self.columns)
        return settings_fields(self.settings, transforms=not named)

    def _names(self, cells: int | None) -> tuple[list[str], list[str]]:
        """Return a short name or number of each table, and the tables as fields of the header."""
        tables = [column.answer.table for column in self.columns]
        names = short_names(tables)
        if cells is None or self._headings_fit(names, cells):
            model = [tables[0].model] if len({table.model for table in tables}) == 1 else []
            sizes = map(shape_text, tables)
            return names, [*model, *map(" ".join, zip(names, sizes, strict=True))]
        # cut names such as mini:sta… and mini:dyn… would be hard to tell apart
        numbers = [str(i) for i in range(1, len(tables) + 1)]
        named = (f"{table_name(table)} {shape_text(table)}" for table in tables)
        return numbers, list(map(" ".join, zip(numbers, named, strict=True)))

    def _headings_fit(self, names: Sequence[str], cells: int) -> bool:
        """Whether the heading of each table fits, if the tables are below one another."""
        headings = (self._columns_of(i, names) for i in range(len(names)))
        return all(
            len("rank") + sum(2 + text.width(column.title) for column in columns) <= cells
            for columns in headings
        )

    def _blocks_of(self, names: Sequence[str]) -> list[Block]:
        facts = [self._overlap_fields(overlap, names) for overlap in self.overlaps]
        measured = [
            f"{name} {column.random_pairs}"
            for name, column in zip(names, self.columns, strict=True)
            if column.random_pairs is not None
        ]
        if measured:
            facts.append(["random pairs: mean cosine", *measured])
        return [self._neighbour_table(names), Facts(facts)]

    def _neighbour_table(self, names: Sequence[str]) -> TextTable:
        """Return the answers side by side; on a narrow terminal, one below the other."""
        rank = Column("rank", right=True)
        groups = [
            (self._columns_of(i, names), [_cells(compared, i) for compared in column.neighbours])
            for i, column in enumerate(self)
        ]
        narrow = tuple(TextTable([rank, *columns], _numbered(rows)) for columns, rows in groups)
        depth = max(len(rows) for _, rows in groups)
        # a shorter list is filled with empty cells
        filled = [
            [*rows, *[[Cell("")] * len(columns)] * (depth - len(rows))] for columns, rows in groups
        ]
        joined = [[cell for row in line for cell in row] for line in zip(*filled, strict=True)]
        all_columns = [column for columns, _ in groups for column in columns]
        return TextTable([rank, *all_columns], _numbered(joined), narrow=narrow)

    def _columns_of(self, i: int, names: Sequence[str]) -> list[Column]:
        """Return the columns of one table: token, score, and the rank in each other table."""
        others = (name for j, name in enumerate(names) if j != i)
        return [
            Column(names[i], shrinks=True),
            Column(self.settings.ranking_metric.score_name, right=True),
            *(Column(f"in {name}", right=True, shrinks=True) for name in others),
        ]

    def _overlap_fields(self, overlap: Overlap, names: Sequence[str]) -> list[str]:
        first, second = names[overlap.first], names[overlap.second]
        longer = max(len(self[i].neighbours) for i in (overlap.first, overlap.second))
        fields = [
            f"{first} and {second} share {overlap.shared} of {longer}",
            f"rank-biased overlap {overlap.rbo:.2f}",
        ]
        for name, count in ((first, overlap.only_first), (second, overlap.only_second)):
            if count:
                fields.append(f"{count:,} {'token' if count == 1 else 'tokens'} in {name} alone")
        return fields

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        names = [table_name(column.answer.table) for column in self.columns]
        for i, (name, column) in enumerate(zip(names, self.columns, strict=True)):
            heading, *rows = column.answer.tsv_rows()  # query, then the columns of the neighbours
            if i == 0:
                yield [heading[0], "table", *heading[1:], *(f"rank {name}" for name in names)]
            for row, compared in zip(rows, column.neighbours, strict=True):
                yield [row[0], name, *row[1:], *compared.ranks]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "query": self.query,
            **self.settings.to_dict(),
            "columns": [
                {
                    "table": column.answer.table.to_dict(),
                    "random_pairs": column.random_pairs and column.random_pairs.to_dict(),
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


def _numbered(rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    return [[Cell(str(i)), *row] for i, row in enumerate(rows, start=1)]


def _cells(compared: ComparedNeighbour, own: int) -> list[Cell]:
    """Return the cells of an answer of the table in column `own`."""
    neighbour = compared.neighbour
    marks = [*(["*"] if neighbour.in_query else []), *(f"= {twin}" for twin in neighbour.twins)]
    ranks = [rank for j, rank in enumerate(compared.ranks) if j != own]
    cells = [
        " ".join([neighbour.token, *marks]),
        number(neighbour.score),
        *("–" if rank is None else f"{rank:,}" for rank in ranks),
    ]
    return [Cell(cell, "dim" if neighbour.in_query else None) for cell in cells]


def short_names(tables: Sequence[TableDescription]) -> list[str]:
    """Return names that differ: modes, models or both, without the owners on the hub."""
    models = [text.escape(table.model.rstrip("/").rsplit("/", 1)[-1]) for table in tables]
    modes = [table.kind for table in tables]
    both = [f"{text.clip(m, 24)}:{mode}" for m, mode in zip(models, modes, strict=True)]
    for names in (modes, [text.clip(model, 24) for model in models], both):
        if len(set(names)) == len(names) and (names is not modes or len(set(models)) == 1):
            return names
    return [table_name(table) for table in tables]


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
    settings = sides[0].answer.settings
    if any(column.answer.table.named_transforms for column in columns):
        settings = replace(settings, transforms=())
    return Comparison(expression.source, settings, columns, overlaps, tuple(notes))


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
        self._ranks_of_all: dict[int, int] | None = None

    def column(self, sides: Sequence[_Side]) -> ComparedAnswer:
        ranks = [self._ranks_in(side) for side in sides]
        return ComparedAnswer(
            self.answer,
            tuple(map(ComparedNeighbour, self.answer.neighbours, zip(*ranks, strict=True))),
            random_pairs(self.engine.space),
        )

    def _ranks_in(self, side: _Side) -> list[int | None]:
        """Return the rank of each neighbour in the whole list of a table."""
        if side is self:
            return [neighbour.rank for neighbour in self.answer.neighbours]
        rows_of = same_tokens(self.vocabulary, side.vocabulary)
        found = (map(side.rank_of, rows_of(one.id)) for one in self.answer.neighbours)
        return [min((rank for rank in ranks if rank is not None), default=None) for ranks in found]

    def rank_of(self, row: int) -> int | None:
        """Return the rank of a row in the whole list of this table."""
        if self.engine.settings.merge_twins or self.engine.settings.k > _FEW:
            if self._ranks_of_all is None:
                self._ranks_of_all = self.engine.ranks(self.question)
            return self._ranks_of_all.get(row)
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


def same_tokens(vocabulary: Vocabulary, other: Vocabulary) -> Callable[[int], tuple[int, ...]]:
    """Return a function: a row → the rows of another vocabulary with the same text, lowest first.

    With the same spelling scheme, tokens are compared as they are. In another scheme 王 may be 王,
    `▁王` or both; `##王`, which only continues a word, has no equivalent.
    """
    if vocabulary == other:
        return lambda row: (row,)
    plain = vocabulary.scheme == other.scheme
    rows = _rows_by_text(other, plain=plain)
    return lambda row: tuple(rows.get(_key(vocabulary, row, plain=plain), ()))


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
    common = _common_counts(short, long)  # X_d
    total = sum(common[d - 1] / d * p**d for d in range(1, n + 1))
    total += sum(common[s - 1] * (d - s) / (s * d) * p**d for d in range(s + 1, n + 1))
    end = ((common[n - 1] - common[s - 1]) / n + common[s - 1] / s) * p**n
    return (1 - p) / p * total + end


def _common_counts(short: Sequence[Hashable], long: Sequence[Hashable]) -> list[int]:
    """Return how many items the first d of both lists have in common, for each d from 1."""
    in_short: set[Hashable] = set()
    in_long: set[Hashable] = set()
    counts: list[int] = []
    common = 0
    for one, other in zip_longest(short, long, fillvalue=_END):
        for item, own, others in ((one, in_short, in_long), (other, in_long, in_short)):
            if item is not _END and item not in own:
                own.add(item)
                common += item in others
        counts.append(common)
    return counts


_END = object()  # past the end of the shorter list
