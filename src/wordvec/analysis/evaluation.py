"""The result of `evaluate`: every table, method and transform, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from wordvec.analysis.display import (
    METHOD_NAMES,
    METRIC_NAMES,
    Cell,
    Column,
    Facts,
    TextTable,
    number_columns,
    table_fields,
    table_name,
    transforms_field,
)
from wordvec.analysis.result import Result
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wordvec.analysis.display import Block
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
    """

    table: TableDescription
    method: str
    metric: str
    transforms: tuple[str, ...]
    categories: tuple[CategoryScore, ...]
    ranks: AnalogyRanks = field(compare=False, repr=False)

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
    name = METHOD_NAMES.get(method, "LRCos" if method == "lrcos" else "sum")
    shown = METRIC_NAMES[metric]
    return f"{name}, {shown}" if name == "sum" or metric == "csls" else name


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


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Result[Combination]):
    """All combinations of tables, methods and transforms. Iterates over them.

    files: the names of the files. at: the numbers k of accuracy at k. by: "category" if shown by
    category. unknown: for each table, the words that are not in its vocabulary.
    """

    _listed: ClassVar = "combinations"

    files: tuple[str, ...]
    at: tuple[int, ...]
    combinations: tuple[Combination, ...]
    similarities: tuple[SimilarityScore, ...]
    comparisons: tuple[PairedComparison, ...]
    unknown: Mapping[str, tuple[str, ...]]
    by: str | None = None

    @property
    def best(self) -> Combination | None:
        """The combination with the most right first answers; of equal ones that with the best MRR.

        Accuracy is at the first k of `at`, with query words left out.
        """
        asked = [one for one in self.combinations if one.overall.questions]
        return max(asked, key=goodness, default=None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which questions were not asked, and why."""
        notes = []
        tables = {table_name(one.table) for one in (*self.combinations, *self.similarities)}
        for one in self.combinations:
            shown = f"{table_name(one.table)}: " if len(tables) > 1 else ""
            notes += [f"{shown}{note}" for note in self._notes_of(one)]
        for score in self.similarities:
            if score.not_asked:
                shown = f"{table_name(score.table)}: " if len(tables) > 1 else ""
                notes.append(
                    f"{shown}{score.not_asked:,} of {score.pairs + score.not_asked:,} pairs of "
                    f"{escape(score.name)} are left out: a word is not in this vocabulary"
                )
        return tuple(dict.fromkeys(notes))

    def _notes_of(self, one: Combination) -> Iterator[str]:
        whole = one.overall
        asked = whole.questions + sum(whole.not_asked.values())
        unknown = self.unknown[table_name(one.table)]
        for reason, count in whole.not_asked.items():
            words = ""
            if reason is NotAsked.UNKNOWN:
                some = " ".join(clip(escape(word), 20) for word in unknown[:5])
                words = f": {some}{' …' if len(unknown) > 5 else ''}"
            verb = "is" if count == 1 else "are"
            yield f"{count:,} of {asked:,} questions {verb} not asked: {reason.sentence}{words}"
        if empty := [escape(part.name) for part in one.categories if not part.questions]:
            yield f"no questions left in {', '.join(empty)}"

    def _varying(self) -> list[str]:
        """Return which of table, method and transforms differ between rows."""
        both = (*self.combinations, *self.similarities)
        return [
            *(["table"] if len({table_name(one.table) for one in both}) > 1 else []),
            *(["method"] if len({one.method_name for one in self.combinations}) > 1 else []),
            *(["transforms"] if len({one.transforms for one in both}) > 1 else []),
        ]

    def _header_fields(self) -> list[str]:
        varying = self._varying()
        first = (*self.combinations, *self.similarities)[0]
        method = [self.combinations[0].method_name] if self.combinations else []
        return [
            *(table_fields(first.table) if "table" not in varying else []),
            *(method if "method" not in varying else []),
            *([transforms_field(first.transforms)] if "transforms" not in varying else []),
            *map(escape, self.files),
        ]

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = []
        if self.combinations:
            blocks.append(self._analogies())
        if self.similarities:
            blocks.append(self._similarities())
        if self.comparisons:
            blocks.append(Facts([[self.sentence(one)] for one in self.comparisons]))
        return blocks

    def _analogies(self) -> TextTable:
        labels = [Column(title, shrinks=True) for title in self._labels()]
        left_out = number_columns("questions", *(f"top-{k}" for k in self.at), "MRR")
        kept = number_columns(f"kept top-{self.at[0]}", "own first", *OWN)
        rows, narrow = [], []
        for one in self.combinations:
            best = "bold" if one is self.best and len(self.combinations) > 1 else None
            for label, (numbers, others) in self._rows_of(one):
                rows.append([Cell(cell, best) for cell in (*label, *numbers, *others)])
                narrow.append([Cell(cell, best) for cell in (*label, *others)])
        count = len(labels) + len(left_out)
        return TextTable(
            [*labels, *left_out, *kept],
            rows,
            (
                TextTable([*labels, *left_out], [row[:count] for row in rows]),
                TextTable([*labels, *kept], narrow),
            ),
        )

    def _labels(self) -> list[str]:
        return [
            *([""] if len(self.combinations) > 1 else []),
            *self._varying(),
            *(["category"] if self.by else []),
        ]

    def _rows_of(self, one: Combination) -> Iterator[tuple[list[str], tuple[list[str], list[str]]]]:
        """Yield the labels and the numbers of the rows of one combination."""
        marked = ["best" if one is self.best else ""] if len(self.combinations) > 1 else []
        named = {
            "table": table_name(one.table),
            "method": one.method_name,
            "transforms": one.transforms_name,
        }
        label = [*marked, *(named[name] for name in self._varying())]
        if not self.by:
            yield label, _numbers(one.overall)
            return
        for category in one.categories:
            if category.questions:
                yield [*label, escape(category.name)], _numbers(category)
        *shares, mrr = one.mean
        count = sum(1 for category in one.categories if category.questions)
        means = [str(count), *map(percent, shares), _decimal(mrr)]
        yield [*label, "mean of categories"], (means, [""] * 5)
        yield [*label, "all questions"], _numbers(one.overall)

    def _similarities(self) -> TextTable:
        varying = [name for name in self._varying() if name != "method"]
        columns = [
            *(Column(name, shrinks=True) for name in varying),
            Column("similarity", shrinks=True),
            *number_columns("pairs", "ρ", "95 % interval"),
        ]
        rows = []
        for one in self.similarities:
            named = {
                "table": table_name(one.table),
                "transforms": ",".join(one.transforms) or "none",
            }
            low_high = "–" if one.interval is None else "{:.3f} to {:.3f}".format(*one.interval)
            numbers = [f"{one.pairs:,}", _decimal(one.rho), low_high]
            rows.append([*(named[name] for name in varying), escape(one.name), *numbers])
        return TextTable(columns, rows)

    def sentence(self, comparison: PairedComparison) -> str:
        """Say a comparison in words: "A solves 63 more of 1,228 than B (p = 0.002)"."""
        more = comparison.only_first - comparison.only_second
        one, other = (
            self.label(self.combinations[i]) for i in (comparison.first, comparison.second)
        )
        of = f"of {comparison.questions:,}"
        p = f"(p = {comparison.p:.2g})"
        if more == 0:
            return f"{one} and {other} solve equally many {of} {p}"
        if more < 0:
            one, other = other, one
        return f"{one} solves {abs(more):,} more {of} than {other} {p}"

    def label(self, one: Combination) -> str:
        """Name a combination by what differs: "mini:static (center)"."""
        named = {"method": one.method_name, "transforms": one.transforms_name}
        others = [named[name] for name in self._varying() if name != "table"]
        return table_name(one.table) + (f" ({', '.join(others)})" if others else "")

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        tops = [f"top{k}" for k in self.at]
        yield [
            "table", "method", "metric", "transforms", "category", "pairs", "questions",
            "not_asked", *tops, "mrr", *(f"kept_{top}" for top in tops), "kept_mrr",
            "own_a", "own_b", "own_c",
        ]  # fmt: skip
        for one in self.combinations:
            for score in one.categories if self.by else [one.overall]:
                yield [
                    table_name(one.table), one.method, one.metric, one.transforms_name,
                    score.name if self.by else "", score.pairs, score.questions,
                    sum(score.not_asked.values()), *score.left_out.shares, score.left_out.mrr,
                    *score.kept.shares, score.kept.mrr, *score.own,
                ]  # fmt: skip
        yield from self._similarity_rows()

    def _similarity_rows(self) -> Iterator[list[object]]:
        if self.similarities:
            yield ["table", "transforms", "similarity", "pairs", "not_asked", "rho", "low", "high"]
        for one in self.similarities:
            low, high = one.interval or (None, None)
            named = [table_name(one.table), ",".join(one.transforms) or "none", one.name]
            yield [*named, one.pairs, one.not_asked, one.rho, low, high]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "files": list(self.files),
            "at": list(self.at),
            "combinations": [self._combination_dict(one) for one in self.combinations],
            "similarities": [one.to_dict() for one in self.similarities],
            "comparisons": [
                {**one.to_dict(), "sentence": self.sentence(one)} for one in self.comparisons
            ],
            "unknown": {table: list(words) for table, words in self.unknown.items()},
        }

    def _combination_dict(self, one: Combination) -> dict[str, object]:
        names = [*(f"top{k}" for k in self.at), "mrr"]
        return {
            "table": one.table.to_dict(),
            "method": one.method,
            "metric": one.metric,
            "transforms": list(one.transforms),
            "best": one is self.best,
            **one.overall.to_dict(self.at),
            "mean": dict(zip(names, one.mean, strict=True)),
            "categories": [
                {"category": part.name, **part.to_dict(self.at)} for part in one.categories
            ],
        }

    def page(self) -> str:
        """Return a report as one HTML page: heat maps, a curve over layers, bars by category."""
        from wordvec.analysis.evaluation_page import build_evaluation_page

        return build_evaluation_page(self)


def goodness(one: Combination) -> tuple[float, float]:
    """Return accuracy at the first k and MRR over all questions, query words left out."""
    left_out = one.overall.left_out
    return left_out.shares[0] or 0.0, left_out.mrr or 0.0


def _numbers(score: CategoryScore) -> tuple[list[str], list[str]]:
    """Return the cells with query words left out, and those with them kept."""
    own = [count / score.questions if score.questions else None for count in score.own]
    first = None if own[0] is None else sum(filter(None, own))
    return (
        [
            f"{score.questions:,}",
            *map(percent, score.left_out.shares),
            _decimal(score.left_out.mrr),
        ],
        [percent(score.kept.shares[0]), percent(first), *map(percent, own)],
    )


def percent(share: float | None) -> str:
    """Return a share as it is shown."""
    return "–" if share is None else f"{100 * share:.1f} %"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
