"""`wordvec odd`: the word that does not belong with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.analysis.display import (
    Cell,
    Column,
    header_lines,
    number,
    table_fields,
    table_lines,
    transforms_field,
)
from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import output_options, table_options, transform_options
from wordvec.cli.output import print_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.display import OutputStyle
    from wordvec.analysis.odd import OddOne
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
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    transforms: tuple[str, ...],
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
    odd_one = odd(table, tokens)
    print_notes(odd_one.notes)
    print_report(
        output_format,
        json=[odd_one.to_dict()],
        tsv=_tsv_rows(odd_one),
        text=lambda style: _text_lines(odd_one, style),
    )


def _tsv_rows(odd_one: OddOne) -> Iterator[list[object]]:
    yield ["token", "id", "similarity", "odd"]
    for one in odd_one.words:
        yield [one.word.token, one.word.id, one.similarity, one is odd_one.odd]


def _text_lines(odd_one: OddOne, style: OutputStyle) -> Iterator[str]:
    fields = ["cosine to the mean of the rest", transforms_field(odd_one.table.transforms)]
    yield from header_lines([*table_fields(odd_one.table), *fields], style)
    yield ""
    columns = [
        Column("token", shrinks=True),
        Column(""),
        Column("id", right=True),
        Column("similarity", right=True),
    ]
    rows: list[list[Cell | str]] = []
    for one in odd_one.words:
        is_odd = one is odd_one.odd
        cells = [one.word.token, "odd" if is_odd else "", str(one.word.id), number(one.similarity)]
        rows.append([Cell(cell, "bold") for cell in cells] if is_odd else [*cells])
    yield from table_lines(columns, rows, style)
