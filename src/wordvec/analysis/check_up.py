"""The result of `doctor`: findings, accuracy by transform, and what to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    Drawing,
    Facts,
    Prose,
    TextTable,
    number_columns,
    shape_text,
    table_fields,
    table_name,
)
from wordvec.analysis.evaluation_scores import goodness, percent
from wordvec.analysis.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.display import Block
    from wordvec.analysis.evaluation_scores import Combination, PairedComparison
    from wordvec.analysis.findings import Finding
    from wordvec.analysis.space_measures import SpaceMeasures
    from wordvec.tables.table import TableDescription

SIGNIFICANT = 0.05  # p of McNemar's test


@dataclass(frozen=True, slots=True)
class AnalogyCheck:
    """How one table answers analogies, by default and after each transform.

    combinations: the first is the default of a query: the sum by L2 distance, raw vectors.
    comparison: of that one and the best. reason: why there is none; empty otherwise.
    """

    combinations: tuple[Combination, ...] = ()
    comparison: PairedComparison | None = None
    reason: str = ""

    @property
    def best(self) -> Combination:
        """The combination with the most right first answers; of equal ones the best MRR."""
        return max(self.combinations, key=goodness)

    @property
    def advice(self) -> str:
        """What to use for analogies, with the figures."""
        if self.comparison is None:
            return f"No advice for analogies: {self.reason}."
        default, best, compared = self.combinations[0], self.best, self.comparison
        before, after = (percent(one.overall.left_out.shares[0]) for one in (default, best))
        of = f"of {best.overall.questions:,} questions"
        p = f"(p = {compared.p:.2g})"
        if compared.only_second > compared.only_first and compared.p < SIGNIFICANT:
            before = before.removesuffix(" %")
            return f"For analogies use {option_text(best)}: {before} → {after} {of} {p}."
        if best is default:
            return f"For analogies use the defaults: nothing tried beats their {before} {of}."
        return (
            f"For analogies use the defaults: {before} {of}; {option_text(best)} has {after}, "
            f"which may be chance {p}."
        )

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "combinations": [
                {
                    "method": one.method,
                    "metric": one.metric,
                    "transforms": list(one.transforms),
                    "questions": one.overall.questions,
                    **one.overall.left_out.to_dict((1,)),
                    "best": one is self.best,
                }
                for one in self.combinations
            ],
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "reason": self.reason or None,
        }


def option_text(one: Combination) -> str:
    """Return the options of `wordvec query` that answer as a combination did."""
    steps = f" --transform {','.join(one.transforms)}" if one.transforms else ""
    return f"--method {one.method}{steps}"


@dataclass(frozen=True, slots=True)
class CheckUp:
    """The check-up of one table."""

    table: TableDescription
    measures: SpaceMeasures
    findings: tuple[Finding, ...]
    analogies: AnalogyCheck

    @property
    def found(self) -> int:
        """How many checks found something to mend."""
        return sum(one.option is not None for one in self.findings)

    @property
    def summary(self) -> str:
        """How many tokens were measured, and how many checks found something."""
        m = self.measures
        of = f"{m.measured:,} of {m.tokens:,}" if m.measured < m.tokens else f"{m.tokens:,}"
        found = f"{self.found} of {len(self.findings)} checks found something to mend"
        return f"{of} tokens measured · {found}"

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "table": self.table.to_dict(),
            "findings": [one.to_dict() for one in self.findings],
            "measures": self.measures.to_dict(),
            "analogies": self.analogies.to_dict(),
            "advice": self.analogies.advice,
        }


@dataclass(frozen=True, slots=True, repr=False)
class CheckUps(Result[CheckUp]):
    """The check-ups of some tables. Iterates over them.

    files: the analogies asked. between: the tables with the most right answers and the next,
    compared; empty for one table.
    """

    _listed: ClassVar = "tables"

    tables: tuple[CheckUp, ...]
    files: tuple[str, ...]
    between: str = ""
    notes: tuple[str, ...] = ()

    def _header_fields(self) -> list[str]:
        first = self.tables[0].table
        names = [table_name(one.table) for one in self.tables]
        fields = table_fields(first) if len(names) == 1 else names
        return [*fields, *map(text.escape, self.files)]

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = []
        for one in self.tables:
            name = [table_name(one.table), shape_text(one.table)] if len(self.tables) > 1 else []
            blocks.append(Facts([[*name, *one.summary.split(" · ")]]))
            blocks += [_paragraph(finding) for finding in one.findings]
            if one.analogies.combinations:
                blocks.append(_accuracy(one.analogies))
            blocks.append(Prose(one.analogies.advice))
        if self.between:
            blocks.append(Prose(self.between))
        return blocks

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        yield ["table", "check", "figure", "meaning", "option"]
        for one in self.tables:
            name = table_name(one.table)
            for finding in one.findings:
                yield [name, finding.check, finding.figure, finding.meaning, finding.option]
            yield [name, "analogies", None, one.analogies.advice, None]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "files": list(self.files),
            "tables": [one.to_dict() for one in self.tables],
            "between": self.between or None,
        }


def _paragraph(finding: Finding) -> Drawing:
    """Show a finding: its figure, what it means, and what to use."""
    mark = " " if finding.option is None else "!"
    use = "" if finding.option is None else f" Use {finding.option}."
    lines = [f"{mark} {finding.check}: {finding.figure}", f"  {finding.meaning}{use}"]
    return Drawing(lambda cells: _wrapped(lines, cells))


def _wrapped(lines: Sequence[str], cells: int | None) -> list[str]:
    """Wrap lines between words, all but the first two cells of the first."""
    room = None if cells is None else cells - 2
    return [
        f"{'  ' if i else line[:2]}{part}"
        for line in lines
        for i, part in enumerate(text.wrap(line[2:], room))
    ]


def _accuracy(check: AnalogyCheck) -> TextTable:
    columns = [
        Column(""),
        Column("analogies", shrinks=True),
        Column("transforms", shrinks=True),
        *number_columns("questions", "top-1", "MRR"),
    ]
    rows = []
    for one in check.combinations:
        left_out = one.overall.left_out
        best = one is check.best
        cells = [
            "best" if best else "",
            one.method_name,
            one.transforms_name,
            f"{left_out.questions:,}",
            percent(left_out.shares[0]),
            "–" if left_out.mrr is None else f"{left_out.mrr:.3f}",
        ]
        rows.append([Cell(cell, "bold" if best else None) for cell in cells])
    kept = (0, 1, 2, 4)  # on a narrow terminal
    narrow = TextTable([columns[i] for i in kept], [[row[i] for i in kept] for row in rows])
    return TextTable(columns, rows, (narrow,))
