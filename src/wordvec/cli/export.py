"""`wordvec export`: write a table to a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import note
from wordvec.cli.names import complete_table
from wordvec.cli.options import store_option
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
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
    "file_format",
    type=click.Choice(["pickle", "npy", "word2vec"]),
    default="pickle",
    show_default=True,
    help="A pickled {id: vector}; a numpy array; or text with one token per line, for gensim.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it already exists.")
@progress_option
@store_option
def command(
    *, table: str, path: Path, file_format: str, force: bool, progress: bool | None, store: Store
) -> None:
    """Write TABLE, named [MODEL:]MODE, to a file.

    \b
    Examples:
      wordvec export dynamic -o dynamic.pickle
      wordvec export mini:static -o mini.txt --format word2vec
    """  # noqa: D301  # \b is a mark of click: do not wrap what follows
    from wordvec.cli.opening import open_table
    from wordvec.formats.export import export_table

    opened = open_table(TableRef.parse(table), store)
    with ProgressBar("tokens", shown=progress) as bar:
        written = export_table(opened.data, path, file_format, force=force, progress=bar)
    if written.respelled:
        note(f'{written.respelled:,} tokens are respelled: \\u… for a space, "" for an empty token')
    V, D = opened.vectors.shape
    name, file = escape(str(opened.name)), escape(str(written.path))
    write_lines([f"{name}: {V:,} × {D} written to {file} ({size_text(written.bytes)})"])
