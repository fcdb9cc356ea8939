"""`wordvec odd`: the word that does not belong with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import output_options, pieces_option, table_options, transform_options
from wordvec.cli.output import print_report

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec odd 王 女王 皇帝 自動車
  wordvec odd 東京 大阪 京都 パリ --transform center
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN TOKEN TOKEN...")
@transform_options
@pieces_option
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    transforms: tuple[str, ...],
    pieces: bool,
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> None:
    """Find the word that does not belong with the others.

    It has the lowest cosine similarity to the mean of the others, with all vectors normalised to
    unit length. TOKEN is a token of the vocabulary, or # and its id.
    """
    from wordvec.analysis.odd import odd
    from wordvec.cli.opening import open_table

    opened = open_table(ref, store)
    table = opened.transformed(transforms)
    odd_one = odd(table, tokens, pieces=pieces)
    print_notes(odd_one.notes)
    print_report(output_format, [odd_one])
