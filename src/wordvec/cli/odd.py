"""`wordvec odd`: the word that does not belong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wordvec.cli.options import DashCommand, changing_options, output_options, table_options
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
from wordvec.cli.query import rows_fact, table_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.similar import OddOne
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec odd 王 女王 皇帝 自動車
  wordvec odd 東京 大阪 京都 パリ --transform center
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN TOKEN TOKEN...")
@changing_options
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    transforms: tuple[str, ...],
    ref: TableRef,
    store: Store,
    form: Format,
) -> None:
    """Find the word that does not belong to the others.

    It is the one with the least cosine similarity to the mean of the rest, every word counted at
    length 1. Tokens as they stand, or # and an id.
    """
    from wordvec.analysis.similar import odd
    from wordvec.api import open_table
    from wordvec.search.transforms import transform

    opened = open_table(ref, store)
    table = transform(opened.table, transforms, derived=store.derived(opened.table))
    found = odd(table, tokens)
    for remark in (*opened.notes, *found.notes):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([found.to_json()], form)
    else:
        write_lines(_tsv(found) if form is Format.TSV else _text(found, OutputStyle.of(sys.stdout)))


def _tsv(found: OddOne) -> Iterator[str]:
    yield tsv_line(["token", "id", "similarity", "odd"])
    for one in found.words:
        yield tsv_line([one.word.token, one.word.id, one.similarity, one is found.odd])


def _text(found: OddOne, look: OutputStyle) -> Iterator[str]:
    facts = ["cosine to the mean of the rest", rows_fact(found.table.transforms)]
    yield from header_lines([*table_facts(found.table), *facts], look)
    yield ""
    columns = [
        Column("token", shrinks=True),
        Column(""),
        Column("id", right=True),
        Column("similarity", right=True),
    ]
    rows = [
        [
            Cell(cell, "bold" if one is found.odd else None)
            for cell in (
                one.word.token,
                "odd" if one is found.odd else "",
                str(one.word.id),
                number(one.similarity),
            )
        ]
        for one in found.words
    ]
    yield from table_lines(columns, rows, look)
