"""The result of `evaluate`: every table, method and transform, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    TextTable,
    number_columns,
    table_fields,
    table_name,
    transforms_field,
)
from wordvec.analysis.evaluation_scores import (
    OWN,
    CategoryScore,
    Combination,
    PairedComparison,
    SimilarityScore,
    goodness,
    percent,
)
from wordvec.analysis.result import Result
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wordvec.analysis.display import Block
    from wordvec.tables.table import TableDescription


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Result[Combination]):
    """All combinations of tables, methods and transforms. Iterates over them.

    files: the names of the files. at: the numbers k of accuracy at k. by: "category" if shown by
    category. unknown: for each table, the words that are not in its vocabulary. shows_failures:
    whether the combinations list questions that were answered wrongly.
    """

    _listed: ClassVar = "combinations"

    files: tuple[str, ...]
    at: tuple[int, ...]
    combinations: tuple[Combination, ...]
    similarities: tuple[SimilarityScore, ...]
    comparisons: tuple[PairedComparison, ...]
    unknown: Mapping[str, tuple[str, ...]]
    by: str | None = None
    shows_failures: bool = False

    @property
    def best(self) -> Combination | None:
        """The combination with the most right first answers; of equal ones that with the best MRR.

        Accuracy is at the first k of `at`, with query words left out.
        """
        asked = [one for one in self.combinations if one.overall.questions]
        return max(asked, key=goodness, default=None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which words are unknown, and which questions were not asked, with the reason."""
        several = len(self.unknown) > 1
        notes: list[str] = []
        for table, words in self.unknown.items():
            found = [
                *_unknown_note(words),
                *(
                    note
                    for one in self.combinations
                    if table_name(one.table) == table
                    for note in _question_notes(one)
                ),
                *(
                    f"{one.not_asked:,} of {one.pairs + one.not_asked:,} pairs of "
                    f"{escape(one.name)} are left out: a word is not in this vocabulary"
                    for one in self.similarities
                    if table_name(one.table) == table and one.not_asked
                ),
            ]
            notes += [f"{table}: {note}" if several else note for note in found]
        return tuple(dict.fromkeys(notes))

    def _varying(self) -> list[str]:
        """Return which of table, method and transforms differ between rows."""
        spaces = self._spaces()
        return [
            *(["table"] if len({table_name(table) for table, _ in spaces}) > 1 else []),
            *(["method"] if len({one.method_name for one in self.combinations}) > 1 else []),
            *(["transforms"] if len({steps for _, steps in spaces}) > 1 else []),
        ]

    def _spaces(self) -> list[tuple[TableDescription, tuple[str, ...]]]:
        """Return table and transforms of each row."""
        return [
            *((one.table, one.transforms) for one in self.combinations),
            *((one.table, one.transforms) for one in self.similarities),
        ]

    def _header_fields(self) -> list[str]:
        varying = self._varying()
        table, steps = self._spaces()[0]
        method = [self.combinations[0].method_name] if self.combinations else []
        return [
            *(table_fields(table) if "table" not in varying else []),
            *(method if "method" not in varying else []),
            *([transforms_field(steps)] if "transforms" not in varying else []),
            *map(escape, self.files),
        ]

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = []
        if self.combinations:
            blocks.append(self._analogies())
        if self.similarities:
            blocks.append(self._similarities())
        if with_best := [one for one in self.comparisons if self._has_best(one)]:
            blocks.append(Facts([[self.sentence(one)] for one in with_best]))
        if self.shows_failures:
            blocks.append(self._failures())
        return blocks

    def _has_best(self, comparison: PairedComparison) -> bool:
        places = (comparison.first, comparison.second)
        return any(self.combinations[place] is self.best for place in places)

    def _failures(self) -> TextTable:
        columns = [
            *(Column(name, shrinks=True) for name in self._varying()),
            *(Column(name, shrinks=True) for name in ("category", "question", "right", "given")),
            *number_columns("rank"),
        ]
        rows = []
        for one in self.combinations:
            label = [self._named(one)[name] for name in self._varying()]
            for failure in one.failures:
                texts = (failure.category, failure.question, "/".join(failure.right))
                rows.append([*label, *map(escape, texts), failure.given, f"{failure.rank:,}"])
        return TextTable(columns, rows)

    @staticmethod
    def _named(one: Combination) -> dict[str, str]:
        return {
            "table": table_name(one.table),
            "method": one.method_name,
            "transforms": one.transforms_name,
        }

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
        label = [*marked, *(self._named(one)[name] for name in self._varying())]
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
        others = [self._named(one)[name] for name in self._varying() if name != "table"]
        return table_name(one.table) + (f" ({', '.join(others)})" if others else "")

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints: with failures, these alone."""
        if self.shows_failures:
            yield from self._failure_rows()
            return
        tops = [*(f"top{k}" for k in self.at), "mrr"]
        yield [
            "table", "method", "metric", "transforms", "category", "pairs", "questions",
            "not_asked", *tops, *(f"kept_{top}" for top in tops), "own_a", "own_b", "own_c",
            "rho", "low", "high",
        ]  # fmt: skip
        for one in self.combinations:
            for score in one.categories if self.by else [one.overall]:
                yield [
                    table_name(one.table), one.method, one.metric, one.transforms_name,
                    score.name if self.by else "", score.pairs, score.questions,
                    sum(score.not_asked.values()), *score.left_out.shares, score.left_out.mrr,
                    *score.kept.shares, score.kept.mrr, *score.own, None, None, None,
                ]  # fmt: skip
        nothing = [None] * (2 * len(tops) + len(OWN))
        for rated in self.similarities:
            steps = ",".join(rated.transforms) or "none"
            yield [
                table_name(rated.table), "", "cosine", steps, rated.name, rated.pairs, None,
                rated.not_asked, *nothing, rated.rho, *(rated.interval or (None, None)),
            ]  # fmt: skip

    def _failure_rows(self) -> Iterator[list[object]]:
        yield [
            "table", "method", "metric", "transforms", "category", "question", "right", "given",
            "rank",
        ]  # fmt: skip
        for one in self.combinations:
            how = [table_name(one.table), one.method, one.metric, one.transforms_name]
            for failure in one.failures:
                right = "/".join(failure.right)
                yield [
                    *how, failure.category, failure.question, right, failure.given, failure.rank,
                ]  # fmt: skip

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
            "unknown": [
                {"table": table, "words": list(words)} for table, words in self.unknown.items()
            ],
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
            **(
                {"failures": [failure.to_dict() for failure in one.failures]}
                if self.shows_failures
                else {}
            ),
        }


def _unknown_note(words: Sequence[str]) -> Iterator[str]:
    if words:
        some = " ".join(clip(escape(word), 20) for word in words[:5])
        verb = "word is" if len(words) == 1 else "words are"
        more = " …" if len(words) > 5 else ""
        yield f"{len(words):,} {verb} not in this vocabulary: {some}{more}"


def _question_notes(one: Combination) -> Iterator[str]:
    whole = one.overall
    asked = whole.questions + sum(whole.not_asked.values())
    for reason, count in whole.not_asked.items():
        verb = "is" if count == 1 else "are"
        yield f"{count:,} of {asked:,} questions {verb} not asked: {reason.sentence}"
    if empty := [escape(part.name) for part in one.categories if not part.questions]:
        yield f"no questions left in {', '.join(empty)}"


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


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
