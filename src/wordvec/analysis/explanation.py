"""An explanation: the parts of a score, and how they are shown. `explain` computes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    Prose,
    TextTable,
    number,
    number_columns,
    one_line,
    settings_fields,
    table_fields,
)
from wordvec.analysis.explanation_parts import (
    Competitor,
    Contribution,
    Dimension,
    NormEffect,
    largest_places,
)
from wordvec.analysis.result import Result
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.calibration import Calibration, RandomPairs
    from wordvec.analysis.display import Block
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

_OWN_PART = "‖x‖²"  # under l2: the part of the answer's own norm
_EVEN_SHARE = 0.1  # dimensions that each have less say nothing one by one


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Result[Contribution]):
    """The score of an answer, split into parts. Iterates over the parts of the words.

    rank: None if the token may not be an answer. own_part: ‖x‖², the part under l2 that comes from
    no word; None for other metrics. norm_effect: None for a single word, and for `add`, which
    normalises all words. dimensions: the first few by share. dims_for_half: how many dimensions
    make up over half of the score. own_ahead: words of the query, and tokens with their text, that
    rank above this answer. ahead: the first other answer, if it ranks above this one; behind: the
    first other answer, if it ranks below. over: the token that the caller compared this one with.
    random_pairs: None if the table has too few tokens. sentence: why the answer has its rank, made
    from the other figures.
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
    own_ahead: tuple[str, ...] = ()
    ahead: Competitor | None = None
    behind: Competitor | None = None
    over: Competitor | None = None
    random_pairs: RandomPairs | None = None
    calibration: Calibration | None = None
    sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all parts: the score, or under l2 its square."""
        return (self.own_part or 0.0) + sum(part.part for part in self.parts)

    @property
    def gains(self) -> tuple[tuple[str | None, float], ...]:
        """By how much each part of `over`, else of `ahead`, exceeds this answer's.

        (word, difference) for each; under l2 the last entry is the own part (word None), and since
        smaller is nearer, a negative difference favours the other answer.
        """
        other = self.over or self.ahead
        return () if other is None else self.differences(other)

    def differences(self, other: Competitor) -> tuple[tuple[str | None, float], ...]:
        """By how much each part of another answer exceeds this answer's, as `gains`."""
        both = zip(other.parts, self.parts, strict=True)
        found: list[tuple[str | None, float]] = [(p.word, p.part - q.part) for p, q in both]
        if self.own_part is not None and other.own_part is not None:
            found.append((None, other.own_part - self.own_part))
        return tuple(found)

    @property
    def decisive(self) -> str | None:
        """The word that favours the nearer of the two answers of `gains` most.

        None for the own part under l2, and if nothing is compared.
        """
        other = self.over or self.ahead
        return None if other is None else self.decisive_against(other)

    def decisive_against(self, other: Competitor) -> str | None:
        """The word that favours the nearer of this answer and another most, as `decisive`."""
        sign = 1 if self.is_behind(other) else -1
        sign *= -1 if self.metric.smaller_is_nearer else 1
        gains = self.differences(other)
        return gains[largest_places(sign * gain for _, gain in gains)[0]][0]

    def is_behind(self, other: Competitor) -> bool:
        """Whether another answer is nearer than this one; of equally near ones the lower row is."""
        sign = 1 if self.metric.smaller_is_nearer else -1
        return (sign * other.score, other.id) < (sign * self.score, self.id)

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
        facts = [self._score_fields()]
        if self.random_pairs is not None:
            facts.append([f"random pairs: mean cosine {self.random_pairs}"])
        blocks: list[Block] = [
            Prose(self.sentence),
            Facts(facts),
            self._part_table(),
        ]
        if self.norm_effect is not None:
            blocks.append(Facts([self._norm_fields(self.norm_effect)]))
        if other := self.over or self.ahead:
            blocks.append(Facts([self._competitor_fields(other)]))
            blocks.append(self._difference_table(other))
        if self.dimensions:
            blocks.append(self._dimensions())
        if self.calibration is not None:
            blocks.append(Facts([_calibration_fields(self.calibration, self.metric)]))
        return blocks

    def _score_fields(self) -> list[str]:
        rank = "no rank: left out" if self.rank is None else f"rank {self.rank:,}"
        score = f"{self.metric.score_name} {number(self.score)}"
        squared = []
        if self.metric is Metric.L2:
            squared = [f"squared {number(self.score**2)}", "smaller is nearer"]
        return [rank, score, *squared, f"norm {number(self.norm)}"]

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
        norm, part = effect.largest_norm, effect.largest_part
        if norm is not None and norm == part:
            fields = [f"largest norm and part: {norm}"]
        else:
            fields = [
                "equal norms" if norm is None else f"largest norm: {norm}",
                "no largest part" if part is None else f"largest part: {part}",
            ]
        if self.rank is None:  # the token may not be an answer, whatever the norms
            return fields
        rank = "no rank" if effect.rank is None else f"rank {effect.rank:,}"
        return [*fields, f"{rank} with equal norms"]

    def _competitor_fields(self, other: Competitor) -> list[str]:
        difference = abs(sum(gain for _, gain in self.gains))
        squared = " (squared)" if self.metric is Metric.L2 else ""
        place = "no rank" if other.rank is None else f"rank {other.rank:,}"
        found = "ranked higher" if self.over is None else "compared with"
        behind = self.is_behind(other)
        largest = f"largest {'advantage' if behind else 'disadvantage'}"
        return [
            f"{found}: {other.token} at {place}",
            f"{self.metric.score_name} {number(other.score)}",
            f"{'better' if behind else 'worse'} by {number(difference)}{squared}",
            *(["smaller is nearer"] if self.metric is Metric.L2 else []),
            f"{largest}: {_word_or_own(self.decisive)}",
        ]

    def _difference_table(self, other: Competitor) -> TextTable:
        """Return the parts of both answers, word by word, and their differences."""
        columns = [
            Column("word", shrinks=True),
            Column(other.token, right=True, shrinks=True),
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

    def _dimensions(self) -> Block:
        """Return the largest dimensions, or one line if none of them stands out."""
        first = self.dimensions[0]
        if first.share >= _EVEN_SHARE:
            return _dimension_table(self.dimensions)
        return Facts([[
            "no dimension stands out",
            f"the largest, {first.index}, has {100 * first.share:.1f} %",
            f"{self.dims_for_half} of {self.table.dimensions} make up half",
        ]])  # fmt: skip

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
            "sentence": self.sentence,
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
            "own_ahead": list(self.own_ahead),
            "ahead": self._competitor_dict(self.ahead),
            "behind": self._competitor_dict(self.behind),
            **({"over": self._competitor_dict(self.over)} if self.over else {}),
            "random_pairs": None if self.random_pairs is None else self.random_pairs.to_dict(),
            "dimensions": [
                {"dimension": d.index, "part": d.part, "share": d.share} for d in self.dimensions
            ],
            "dims_for_half": self.dims_for_half,
            **({"calibration": self.calibration.to_dict()} if self.calibration else {}),
        }

    def _competitor_dict(self, other: Competitor | None) -> dict[str, object] | None:
        if other is None:
            return None
        return other.to_dict(self.metric, self.decisive_against(other))


def _word_or_own(word: str | None) -> str:
    return _OWN_PART if word is None else text.escape(word)


def _dimension_table(dimensions: Sequence[Dimension]) -> TextTable:
    rows = [[str(one.index), number(one.part), f"{100 * one.share:.1f} %"] for one in dimensions]
    return TextTable(number_columns("dimension", "part", "share"), rows)


def _calibration_fields(calibration: Calibration, metric: Metric) -> list[str]:
    better = "above" if metric is Metric.DOT else "nearer than"
    share = "all of" if calibration.percentile == 100 else f"{calibration.percentile:.2f} % of"
    return [
        f"{better} {share} {calibration.sample:,} random sums",
        f"their mean {number(calibration.mean)} ± {number(calibration.deviation)}",
        *([] if calibration.z is None else [f"z = {calibration.z:.2f}"]),
    ]
