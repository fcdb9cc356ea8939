"""The scores of an evaluation: of categories, combinations, similarities and comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from wordvec.analysis.display import METHOD_NAMES, METRIC_NAMES
from wordvec.search.settings import Method, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wordvec.analysis.evaluation_failures import Failure
    from wordvec.search.analogy_ranks import AnalogyRanks
    from wordvec.tables.table import TableDescription


class NotAsked(StrEnum):
    """Why a question cannot be asked."""

    UNKNOWN = "unknown"
    REPEATED = "repeated"
    NO_DIRECTION = "no_direction"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _REASONS[self]


_REASONS = {
    NotAsked.UNKNOWN: "a word is not in this vocabulary",
    NotAsked.REPEATED: "the right answer is a word of the question, or both pairs start with "
    "the same word",
    NotAsked.NO_DIRECTION: "a vector is zero or not finite, or no other pair is left to learn from",
}
OWN = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of some questions are right.

    hits: for each k of `Evaluation.at`, how many have a right answer among the first k.
    reciprocals: the sum of 1/rank of the first right answer.
    """

    questions: int
    hits: tuple[int, ...]
    reciprocals: float

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The share of right questions at each k; None without questions."""
        return tuple(self._share(hits) for hits in self.hits)

    @property
    def mrr(self) -> float | None:
        """The mean reciprocal rank."""
        return self._share(self.reciprocals)

    def _share(self, count: float) -> float | None:
        return count / self.questions if self.questions else None

    def to_dict(self, at: Sequence[int]) -> dict[str, float | None]:
        """Return what `--json` prints."""
        shares = {f"top{k}": share for k, share in zip(at, self.shares, strict=True)}
        return {**shares, "mrr": self.mrr}


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """How the questions of one category, or all questions, were answered.

    pairs: how many pairs have both words in the vocabulary. questions: how many were asked.
    not_asked: the others, by reason. left_out, kept: with the words of a question left out of its
    answers, and with these among them. own: how often the first answer was a, b or c, when kept.
    """

    name: str
    pairs: int
    questions: int
    not_asked: Mapping[NotAsked, int]
    left_out: Accuracy
    kept: Accuracy
    own: tuple[int, int, int]

    def to_dict(self, at: Sequence[int]) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "pairs": self.pairs,
            "questions": self.questions,
            "not_asked": {reason.value: count for reason, count in self.not_asked.items()},
            "left_out": self.left_out.to_dict(at),
            "kept": self.kept.to_dict(at),
            "own_first": dict(zip(OWN, self.own, strict=True)),
        }


def total(scores: Iterable[CategoryScore], name: str = "") -> CategoryScore:
    """Add up categories."""
    scores = list(scores)
    not_asked = {
        reason: count
        for reason in NotAsked
        if (count := sum(one.not_asked.get(reason, 0) for one in scores))
    }

    def added(parts: Sequence[Accuracy]) -> Accuracy:
        hits = tuple(map(sum, zip(*(one.hits for one in parts), strict=True)))
        questions = sum(one.questions for one in parts)
        return Accuracy(questions, hits, sum(one.reciprocals for one in parts))

    own = tuple(map(sum, zip(*(one.own for one in scores), strict=True)))
    return CategoryScore(
        name,
        sum(one.pairs for one in scores),
        sum(one.questions for one in scores),
        not_asked,
        added([one.left_out for one in scores]),
        added([one.kept for one in scores]),
        (own[0], own[1], own[2]),
    )


@dataclass(frozen=True)  # not slotted: the total is a cached property
class Combination:
    """How one table answered all analogies, by one method and after some transforms.

    ranks: of each question of the files, in their order; 0 for a question that was not asked.
    failures: some of the questions that were answered wrongly, if these were asked for.
    """

    table: TableDescription
    method: str
    metric: str
    transforms: tuple[str, ...]
    categories: tuple[CategoryScore, ...]
    ranks: AnalogyRanks = field(compare=False, repr=False)
    failures: tuple[Failure, ...] = ()

    @cached_property
    def overall(self) -> CategoryScore:
        """All questions together."""
        return total(self.categories, "all questions")

    @property
    def mean(self) -> tuple[float | None, ...]:
        """Accuracy at each k with query words left out, and the MRR: means over categories."""
        asked = [one.left_out for one in self.categories if one.questions]
        columns = zip(*((*one.shares, one.mrr) for one in asked), strict=True)
        means = tuple(sum(filter(None, column)) / len(asked) for column in columns)
        return means or (None,) * (len(self.overall.left_out.hits) + 1)

    @property
    def method_name(self) -> str:
        """The method, as it is shown: 3CosAdd."""
        return method_name(self.method, self.metric)

    @property
    def transforms_name(self) -> str:
        """The transforms as `--transforms` takes them."""
        return ",".join(self.transforms) or "none"


def method_name(method: str, metric: str) -> str:
    """Return a method, with the metric where it could be another."""
    if method == "lrcos":
        return "LRCos"
    name, shown = METHOD_NAMES.get(Method(method)), METRIC_NAMES[Metric(metric)]
    if name is None:
        return f"sum, {shown}"
    return f"{name}, {shown}" if metric == Metric.CSLS else name


@dataclass(frozen=True, slots=True)
class SimilarityScore:
    """How the cosines of one table agree with the scores of a file of pairs.

    pairs: how many were scored; not_asked: how many have a word that is not in the vocabulary, or
    no direction. rho: Spearman's ρ; None for fewer than three pairs, or where all are equal.
    interval: 95 % of ρ under the bootstrap.
    """

    table: TableDescription
    transforms: tuple[str, ...]
    name: str
    pairs: int
    not_asked: int
    rho: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "table": self.table.to_dict(),
            "transforms": list(self.transforms),
            "set": self.name,
            "pairs": self.pairs,
            "not_asked": self.not_asked,
            "rho": self.rho,
            "interval": None if self.interval is None else list(self.interval),
        }


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two combinations on the questions that both can be asked, with McNemar's exact test.

    first, second: their places in `Evaluation.combinations`. only_first, only_second: how many
    questions one solves and the other does not. p: two-sided.
    """

    first: int
    second: int
    questions: int
    only_first: int
    only_second: int
    p: float

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {name: getattr(self, name) for name in self.__slots__}


def goodness(one: Combination) -> tuple[float, float]:
    """Return accuracy at the first k and MRR over all questions, query words left out."""
    left_out = one.overall.left_out
    return left_out.shares[0] or 0.0, left_out.mrr or 0.0


def percent(share: float | None) -> str:
    """Return a share as it is shown."""
    return "–" if share is None else f"{100 * share:.1f} %"
