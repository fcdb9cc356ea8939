"""`wordvec export`: a table as one file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.bar import Bar, progress_option
from wordvec.cli.options import complete_table, store_option
from wordvec.cli.output import note, write_lines
from wordvec.cli.tables import size_text
from wordvec.tables.name import TableRef
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.tables.store import Store


@click.command("export")
@click.argument("table", metavar="TABLE", shell_complete=complete_table)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["pickle", "npy", "word2vec"]),
    default="pickle",
    show_default=True,
    help="{id: vector} as in the article; the bare array; one line a token, for gensim.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@progress_option
@store_option
def command(
    *, table: str, path: Path, form: str, force: bool, progress: bool | None, store: Store
) -> None:
    """Write TABLE, named [MODEL:]MODE, to a file.

    \b
    Examples:
      wordvec export dynamic -o dynamic.pickle
      wordvec export mini:static -o mini.txt --format word2vec
    """  # noqa: D301  # \b is click's mark: no wrapping below
    from wordvec.cli.opening import open_table
    from wordvec.formats.export import FileFormat, export_table

    opened = open_table(TableRef.parse(table), store)
    with Bar("tokens", shown=progress) as bar:
        written = export_table(opened.data, path, FileFormat(form), force=force, progress=bar)
    if written.respelled:
        note(f'{written.respelled:,} tokens are respelled: \\u… for spaces, "" for nothing')
    V, D = opened.vectors.shape
    name, where = escape(str(opened.name)), escape(str(written.path))
    write_lines([f"{name}: {V:,} × {D} written to {where} ({size_text(written.bytes)})"])
