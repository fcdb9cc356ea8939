"""`wordvec norms`: how long the vectors of tokens are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wordvec.cli.options import DashCommand, output_options, table_options
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
    header_lines,
    note,
    number,
    table_lines,
    tsv_line,
    write_json,
    write_lines,
)
from wordvec.cli.query import table_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.norms import Norm, NormsReport
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec norms 王 后 女 男
  wordvec norms - ++ C++ "#296"     tokens as they stand; # and digits is an id
  wordvec norms --largest 5 --smallest 5
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("tokens", nargs=-1, metavar="[TOKEN]...")
@click.option(
    "--largest", type=click.IntRange(min=1), metavar="N", help="Then the N longest vectors."
)
@click.option(
    "--smallest", type=click.IntRange(min=1), metavar="N", help="Then the N shortest vectors."
)
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    largest: int | None,
    smallest: int | None,
    ref: TableRef,
    store: Store,
    form: Format,
) -> None:
    """Show the norm (L2 length) of tokens, its rank and its percentile.

    Rank 1 is the longest vector; the percentile says how many in a hundred are shorter. Below
    stand the smallest, the median and the largest norm of the table.
    """
    from wordvec.analysis.norms import norms
    from wordvec.cli.opening import open_table

    opened = open_table(ref, store)
    report = norms(opened.data, tokens, largest=largest or 0, smallest=smallest or 0)
    for remark in report.notes:
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([report.to_dict()], form)
    else:
        look = OutputStyle.of(sys.stdout)
        write_lines(_tsv(report) if form is Format.TSV else _text(report, look))


def _tsv(report: NormsReport) -> Iterator[str]:
    yield tsv_line(["token", "id", "norm", "rank", "percentile"])
    for norm in report.norms:
        yield tsv_line([norm.token, norm.id, norm.norm, norm.rank, norm.percentile])


def _text(report: NormsReport, look: OutputStyle) -> Iterator[str]:
    yield from header_lines([*table_facts(report.table), "L2 norm"], look)
    yield ""
    columns = [
        Column("token", shrinks=True),
        Column("id", right=True),
        Column("norm", right=True),
        Column("rank", right=True),
        Column("percentile", right=True),
    ]
    if report.norms:
        yield from table_lines(columns, [_row(norm) for norm in report.norms], look)
        yield ""
    summary = report.summary
    yield "  ".join(
        f"{name} {_or_dash(value)}"
        for name, value in (
            ("min", summary.minimum),
            ("median", summary.median),
            ("max", summary.maximum),
        )
    )


def _row(norm: Norm) -> list[Cell]:
    percentile = "–" if norm.percentile is None else f"{norm.percentile:.1f}"
    rank = "–" if norm.rank is None else str(norm.rank)
    return [
        Cell(text) for text in (norm.token, str(norm.id), _or_dash(norm.norm), rank, percentile)
    ]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)
