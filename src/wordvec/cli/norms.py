"""`wordvec norms`: the norms of tokens' vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import output_options, pieces_option, table_options
from wordvec.cli.output import print_report

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec norms 王 后 女 男
  wordvec norms - ++ C++ "#296"     any tokens; # and digits is an id
  wordvec norms --largest 5 --smallest 5
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("tokens", nargs=-1, metavar="[TOKEN]...")
@click.option(
    "--largest", type=click.IntRange(min=1), metavar="N", help="Also list the N largest norms."
)
@click.option(
    "--smallest", type=click.IntRange(min=1), metavar="N", help="Also list the N smallest norms."
)
@pieces_option
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    largest: int | None,
    smallest: int | None,
    pieces: bool,
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> None:
    """Show the norms (L2) of tokens' vectors, their ranks and percentiles.

    Rank 1 is the largest norm of the table; the percentile is the percentage of norms that are
    smaller. The last line shows the smallest, the median and the largest norm of the table.
    """
    from wordvec.analysis.norms import norms
    from wordvec.cli.opening import open_table

    opened = open_table(ref, store)
    report = norms(opened.data, tokens, largest=largest or 0, smallest=smallest or 0, pieces=pieces)
    print_notes(report.notes)
    print_report(output_format, [report])
