"""The result of `axis`: where words are on an axis, or on two, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, ClassVar

from wordvec import text
from wordvec.analysis.axis_plot import bar, bar_title, marks, scatter
from wordvec.analysis.display import (
    METRIC_NAMES,
    Cell,
    Column,
    Drawing,
    Facts,
    TextTable,
    number,
    number_columns,
    one_line,
    table_fields,
    table_name,
    transforms_field,
)
from wordvec.analysis.result import Result
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.axis_settings import AxisSettings
    from wordvec.analysis.display import Block
    from wordvec.search.ranking import Floats
    from wordvec.tables.table import TableDescription


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word is on one axis in one table.

    projection: x·a/‖a‖. cosine: of the word and the axis. z: how many standard deviations the score
    is above the mean of all tokens; None if all have the same. rank: among all tokens, 1 for the
    largest score, ties by row. percentile: the percentage of tokens with a smaller score.
    """

    projection: float
    cosine: float
    z: float | None
    rank: int
    percentile: float

    def score(self, metric: Metric) -> float:
        """Return what words are ordered by."""
        return self.cosine if metric is Metric.COSINE else self.projection


@dataclass(frozen=True, slots=True)
class AxisWord:
    """A word on one axis or two, in each table.

    ids: its row in each table; None for the mean of pieces, and where the table does not have it.
    in_axis: whether it is a word of an axis. places: for each table its places, one for each axis;
    None where the table cannot place it.
    """

    token: str
    ids: tuple[int | None, ...]
    in_axis: bool
    places: tuple[tuple[Place, ...] | None, ...]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "token": self.token,
            "in_axis": self.in_axis,
            "places": [
                None if places is None else {"id": id_, "axes": [asdict(one) for one in places]}
                for id_, places in zip(self.ids, self.places, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class AxisSummary:
    """An axis in one table: its L2 norm, and the scores of all tokens."""

    norm: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class AxisColumn:
    """One table. tokens: how many have a direction. scores: of all rows on each axis, (A, V)."""

    table: TableDescription
    axes: tuple[AxisSummary, ...]
    tokens: int
    scores: Floats = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class AxisReport(Result[AxisWord]):
    """Words on one axis or two, the highest score first. Iterates over the words.

    axes: the expressions. poles: for each axis its words with negative and with positive weights.
    """

    _listed: ClassVar = "words"

    axes: tuple[str, ...]
    settings: AxisSettings
    columns: tuple[AxisColumn, ...]
    words: tuple[AxisWord, ...]
    poles: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def score_name(self) -> str:
        """What words are ordered by: cosine or projection."""
        return "cosine" if self.settings.metric is Metric.COSINE else "projection"

    @property
    def names(self) -> list[str]:
        """The tables as they are shown: without the model if it is the same."""
        one_model = len({column.table.model for column in self.columns}) == 1
        return [
            column.table.kind if one_model else text.escape(table_name(column.table))
            for column in self.columns
        ]

    def _header_fields(self) -> list[str]:
        first = self.columns[0].table
        tables = table_fields(first) if len(self.columns) == 1 else [
            text.escape(table_name(column.table)) for column in self.columns
        ]  # fmt: skip
        name = METRIC_NAMES[Metric.COSINE] if self.score_name == "cosine" else "projection"
        steps = [transforms_field(self.settings.transforms)]
        return [*tables, name, *steps, *self.settings.filters.facts()]

    @property
    def _title(self) -> str:
        return " · ".join(map(one_line, self.axes))

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = []
        if len(self.axes) > 1:
            for i in range(len(self.columns)):
                blocks += [self._scatter(i), self._both_axes(i)]
        elif len(self.columns) > 1:
            blocks.append(self._side_by_side())
        else:
            blocks.append(self._one_table())
        return [*blocks, Facts(self._summaries())]

    def _summaries(self) -> list[list[str]]:
        """Say what z is counted from, for each table and axis."""
        several = len(self.columns) > 1
        return [
            [
                *([name] if several else []),
                *([one_line(source)] if len(self.axes) > 1 else []),
                f"all {column.tokens:,} tokens: {one.mean:.4g} ± {one.deviation:.4g}",
            ]
            for name, column in zip(self.names, self.columns, strict=True)
            for source, one in zip(self.axes, column.axes, strict=True)
        ]

    def _one_table(self) -> TextTable:
        most = self._largest_z()
        token, mark = Column("token", shrinks=True), Column("")
        numbers = number_columns("projection", "cosine")
        place = number_columns("z", "rank")
        rows: list[list[Cell]] = []
        narrow: list[list[Cell]] = []
        others: list[list[Cell]] = []
        for word in self.words:
            [places] = word.places
            attribute = "dim" if word.in_axis else None
            one = (places or ())[0]
            id_ = "–" if word.ids[0] is None else str(word.ids[0])
            values = [id_, number(one.projection), number(one.cosine)]
            where = [_signed(one.z), str(one.rank)]
            for cells, shown in (
                (rows, [*values, *where, bar(one.z, most, 8)]),
                (narrow, [*where, bar(one.z, most, 6)]),
                (others, values),
            ):
                cells.append([Cell(cell, attribute) for cell in (*_name(word), *shown)])
        return TextTable(
            [token, mark, *number_columns("id"), *numbers, *place, self._bar_column(8)],
            rows,
            (
                TextTable([token, mark, *place, self._bar_column(6)], narrow),
                TextTable([token, mark, *number_columns("id"), *numbers], others),
            ),
        )

    def _bar_column(self, half: int) -> Column:
        return Column(bar_title(*self.poles[0], half))

    def _largest_z(self) -> float:
        """Return the largest |z| on the first axis, the end of the bars."""
        return max((abs(one) for word in self.words for one in _z_of(word)), default=0.0) or 1.0

    def _side_by_side(self) -> TextTable:
        """Show z and rank in each table, and a line with the number of each table at its z."""
        most = self._largest_z()
        token, mark = Column("token", shrinks=True), Column("")
        per_table = [
            number_columns(f"{i + 1} {name} z", "rank") for i, name in enumerate(self.names)
        ]
        numbers = [column for columns in per_table for column in columns]
        rows, narrow, others = [], [], []
        for word in self.words:
            attribute = "dim" if word.in_axis else None
            z = _z_of(word)
            places = [None if places is None else places[0] for places in word.places]
            values = [
                cell
                for one in places
                for cell in (("–", "–") if one is None else (_signed(one.z), str(one.rank)))
            ]
            moved = _signed(z[-1] - z[0]) if len(z) == len(places) else "–"
            name = _name(word)
            line = marks([None if one is None else one.z for one in places], most, 8)
            rows.append([Cell(cell, attribute) for cell in (*name, *values, moved, line)])
            narrow.append([Cell(cell, attribute) for cell in (*name, moved, line)])
            others.append([Cell(cell, attribute) for cell in (*name, *values)])
        shift = number_columns("moved")
        return TextTable(
            [token, mark, *numbers, *shift, self._bar_column(8)],
            rows,
            (
                TextTable([token, mark, *shift, self._bar_column(8)], narrow),
                TextTable([token, mark, *numbers], others),
            ),
        )

    def _scatter(self, i: int) -> Drawing:
        """Draw the words of one table in a plane of characters."""
        metric = self.settings.metric
        points = [
            (word.token, places[0].score(metric), places[1].score(metric))
            for word in self.words
            if (places := word.places[i]) is not None
        ]
        means = [one.mean for one in self.columns[i].axes]
        name = [self.names[i]] if len(self.columns) > 1 else []
        return Drawing(lambda cells: [*name, *scatter(points, means, self.poles, cells)])

    def _both_axes(self, i: int) -> TextTable:
        columns = [
            Column("token", shrinks=True),
            Column(""),
            *(
                column
                for source in self.axes
                for column in number_columns(one_line(source), "z", "rank")
            ),
        ]
        rows = []
        for word in self.words:
            places = word.places[i]
            cells = _name(word)
            for j in range(len(self.axes)):
                one = None if places is None else places[j]
                cells += ["–"] * 3 if one is None else [
                    number(one.score(self.settings.metric)), _signed(one.z), str(one.rank),
                ]  # fmt: skip
            rows.append([Cell(cell, "dim" if word.in_axis else None) for cell in cells])
        halves = [[0, 1, 2, 3, 4], [0, 1, 5, 6, 7]]
        narrow = tuple(
            TextTable([columns[k] for k in half], [[row[k] for k in half] for row in rows])
            for half in halves
        )
        return TextTable(columns, rows, narrow)

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        numbers = ["projection", "cosine", "z", "rank", "percentile"]
        yield ["token", "table", "id", "axis", *numbers, "in_axis"]
        for word in self.words:
            for column, id_, places in zip(self.columns, word.ids, word.places, strict=True):
                for source, one in zip(self.axes, places or (), strict=False):
                    values = [getattr(one, name) for name in numbers]
                    yield [word.token, table_name(column.table), id_, source, *values, word.in_axis]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "axes": list(self.axes),
            **self.settings.to_dict(),
            "tables": [
                {
                    "table": column.table.to_dict(),
                    "ranked": column.tokens,
                    "axes": [asdict(one) for one in column.axes],
                }
                for column in self.columns
            ],
            "words": [word.to_dict() for word in self.words],
        }


def _z_of(word: AxisWord) -> Sequence[float]:
    """Return z on the first axis in the tables that have one."""
    places = [places[0].z for places in word.places if places is not None]
    return [z for z in places if z is not None]


def _signed(z: float | None) -> str:
    return "–" if z is None else f"{z:+.2f}"


def _name(word: AxisWord) -> list[str]:
    """Return the cells of a word and its mark."""
    return [word.token, "*" if word.in_axis else ""]
