"""An explanation: the parts of a score, and how they are shown. `explain` computes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    TextTable,
    number,
    number_columns,
    one_line,
    settings_fields,
    table_fields,
)
from wordvec.analysis.result import Result
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.calibration import Calibration
    from wordvec.analysis.display import Block
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

_OWN_PART = "‖x‖²"  # under l2: the part of the answer's own norm


@dataclass(frozen=True, slots=True)
class Contribution:
    """The part of the score that comes from one word of the query.

    norm: of the word's vector. cosine: of its vector and the answer's; None if either is zero.
    """

    word: str
    weight: float
    norm: float
    cosine: float | None
    part: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """The part of the score that comes from one dimension; share: its share of the total."""

    index: int
    part: float
    share: float


@dataclass(frozen=True, slots=True)
class NormEffect:
    """Whether norms decide: the words with the largest norm and with the largest part.

    rank: the rank of the answer if all words had equal norms; None if it has none.
    """

    largest_norm: str
    largest_part: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Competitor:
    """An answer that ranks above the explained one, with its score split in the same way.

    own_part: as in `Explanation`. parts: one for each word, in the same order.
    """

    token: str
    id: int
    rank: int
    score: float
    norm: float
    own_part: float | None
    parts: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Result[Contribution]):
    """The score of an answer, split into parts. Iterates over the parts of the words.

    rank: None if the token may not be an answer. own_part: ‖x‖², the part under l2 that comes from
    no word; None for other metrics. norm_effect: None for a single word, and for `add`, which
    normalises all words. dimensions: the first few by share. dims_for_half: how many dimensions
    make up over half of the score. ahead: the first answer that is not a word of the query, if it
    ranks above this one.
    """

    _listed: ClassVar = "parts"

    query: str
    table: TableDescription
    settings: QuerySettings
    token: str
    id: int
    rank: int | None
    score: float
    norm: float
    own_part: float | None
    parts: tuple[Contribution, ...]
    norm_effect: NormEffect | None
    dimensions: tuple[Dimension, ...]
    dims_for_half: int
    ahead: Competitor | None = None
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all parts: the score, or under l2 its square."""
        return (self.own_part or 0.0) + sum(part.part for part in self.parts)

    @property
    def gains(self) -> tuple[tuple[str | None, float], ...]:
        """By how much each part of the first answer exceeds this answer's: (word, difference).

        Under l2 the last entry is the own part (word None), and since smaller is nearer, the first
        answer gains where a difference is negative.
        """
        if self.ahead is None:
            return ()
        both = zip(self.ahead.parts, self.parts, strict=True)
        gains: list[tuple[str | None, float]] = [(p.word, p.part - q.part) for p, q in both]
        if self.own_part is not None and self.ahead.own_part is not None:
            gains.append((None, self.ahead.own_part - self.own_part))
        return tuple(gains)

    @property
    def decisive(self) -> str | None:
        """The word that favours the first answer most; None for the own part under l2."""
        if not self.gains:
            return None
        sign = -1 if self.metric.smaller_is_nearer else 1
        return max(self.gains, key=lambda gain: sign * gain[1])[0]

    @property
    def metric(self) -> Metric:
        """The metric of the score."""
        return self.settings.ranking_metric

    @property
    def _title(self) -> str:
        return f"{one_line(self.query)} → {self.token}"

    def _header_fields(self) -> list[str]:
        return [*table_fields(self.table), *settings_fields(self.settings)]

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = [Facts([self._score_fields()]), self._part_table()]
        if self.norm_effect is not None:
            blocks.append(Facts([self._norm_fields(self.norm_effect)]))
        if self.ahead is not None:
            blocks.append(Facts([self._competitor_fields(self.ahead)]))
            blocks.append(self._difference_table(self.ahead))
        if self.dimensions:
            blocks.append(_dimension_table(self.dimensions))
        if self.calibration is not None:
            blocks.append(Facts([_calibration_fields(self.calibration, self.metric)]))
        return blocks

    def _score_fields(self) -> list[str]:
        rank = "no rank: left out" if self.rank is None else f"rank {self.rank:,}"
        score = f"{self.metric.score_name} {number(self.score)}"
        if self.metric is Metric.L2:
            score += f", squared {number(self.score**2)}"
        return [rank, score, f"norm {number(self.norm)}"]

    def _part_table(self) -> TextTable:
        columns = [
            Column("word", shrinks=True),
            *number_columns("weight", "norm", "cosine", "part"),
        ]
        rows: list[list[Cell | str]] = [
            [
                text.escape(part.word),
                f"{part.weight:g}",
                number(part.norm),
                "–" if part.cosine is None else number(part.cosine),
                number(part.part),
            ]
            for part in self.parts
        ]
        total = [Cell(cell, "bold") for cell in ("sum", "", "", "", number(self.total))]
        if self.own_part is None:
            return TextTable(columns, [*rows, total])
        own = ["", "", "", number(self.own_part)]
        # a long token would be cut before the ‖²
        narrow = TextTable(columns, [*rows, [_OWN_PART, *own], total])
        return TextTable(columns, [*rows, [f"‖{self.token}‖²", *own], total], narrow=(narrow,))

    def _norm_fields(self, effect: NormEffect) -> list[str]:
        """Return whether the word with the largest norm decides."""
        if effect.largest_norm == effect.largest_part:
            fields = [f"largest norm and part: {effect.largest_norm}"]
        else:
            fields = [
                f"largest norm: {effect.largest_norm}",
                f"largest part: {effect.largest_part}",
            ]
        if self.rank is None:  # the token may not be an answer, whatever the norms
            return fields
        rank = "no rank" if effect.rank is None else f"rank {effect.rank:,}"
        return [*fields, f"{rank} with equal norms"]

    def _competitor_fields(self, ahead: Competitor) -> list[str]:
        difference = abs(sum(gain for _, gain in self.gains))
        squared = " (squared)" if self.metric is Metric.L2 else ""
        return [
            f"ranked higher: {ahead.token} at rank {ahead.rank:,}",
            f"{self.metric.score_name} {number(ahead.score)}",
            f"better by {number(difference)}{squared}",
            f"largest advantage: {_word_or_own(self.decisive)}",
        ]

    def _difference_table(self, ahead: Competitor) -> TextTable:
        """Return the parts of both answers, word by word, and their differences."""
        columns = [
            Column("word", shrinks=True),
            Column(ahead.token, right=True, shrinks=True),
            Column(self.token, right=True, shrinks=True),
            Column("difference", right=True),
        ]
        parts = [part.part for part in self.parts]
        if self.own_part is not None:
            parts.append(self.own_part)
        rows: list[list[Cell | str]] = [
            [_word_or_own(word), *map(number, (part + gain, part, gain))]
            for (word, gain), part in zip(self.gains, parts, strict=True)
        ]
        gain = sum(gain for _, gain in self.gains)
        sums = ["sum", *map(number, (self.total + gain, self.total, gain))]
        return TextTable(columns, [*rows, [Cell(cell, "bold") for cell in sums]])

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints; the own part of an answer has no weight."""
        yield ["query", "token", "word", "weight", "norm", "cosine", "part"]
        start = [self.query, self.token]
        for part in self.parts:
            yield [*start, part.word, part.weight, part.norm, part.cosine, part.part]
        if self.own_part is not None:
            yield [*start, self.token, "", self.norm, "", self.own_part]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "query": self.query,
            "table": self.table.to_dict(),
            **self.settings.to_dict(),
            "token": self.token,
            "id": self.id,
            "rank": self.rank,
            self.metric.score_name: self.score,
            "norm": self.norm,
            "parts_add_up_to": "distance squared" if self.metric is Metric.L2 else "similarity",
            "own_part": self.own_part,
            "parts": [asdict(part) for part in self.parts],
            "lengths": None
            if self.norm_effect is None
            else {
                "longest": self.norm_effect.largest_norm,
                "largest_part": self.norm_effect.largest_part,
                "rank_with_equal_norms": self.norm_effect.rank,
            },
            "ahead": self._ahead_dict(),
            "dimensions": [
                {"dimension": d.index, "part": d.part, "share": d.share} for d in self.dimensions
            ],
            "dims_for_half": self.dims_for_half,
            **({"calibration": self.calibration.to_dict()} if self.calibration else {}),
        }

    def _ahead_dict(self) -> dict[str, object] | None:
        if self.ahead is None:
            return None
        return {
            "token": self.ahead.token,
            "id": self.ahead.id,
            "rank": self.ahead.rank,
            self.metric.score_name: self.ahead.score,
            "norm": self.ahead.norm,
            "own_part": self.ahead.own_part,
            "parts": [
                {"word": part.word, "cosine": part.cosine, "part": part.part}
                for part in self.ahead.parts
            ],
            "most_by": self.decisive,
        }


def _word_or_own(word: str | None) -> str:
    return _OWN_PART if word is None else text.escape(word)


def _dimension_table(dimensions: Sequence[Dimension]) -> TextTable:
    rows = [[str(one.index), number(one.part), f"{100 * one.share:.1f} %"] for one in dimensions]
    return TextTable(number_columns("dimension", "part", "share"), rows)


def _calibration_fields(calibration: Calibration, metric: Metric) -> list[str]:
    better = "nearer than" if metric.smaller_is_nearer else "above"
    share = "all" if calibration.percentile == 100 else f"{calibration.percentile:.2f} %"
    return [
        f"compared with {calibration.sample:,} random expressions",
        f"{better} {share}",
        f"mean {number(calibration.mean)} ± {number(calibration.deviation)}",
        *([] if calibration.z is None else [f"z = {calibration.z:.2f}"]),
    ]
