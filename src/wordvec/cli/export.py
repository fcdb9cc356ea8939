"""`wordvec export`: write a table to a file for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes
from wordvec.cli.interrupts import kept_on_interrupt
from wordvec.cli.names import complete_table
from wordvec.cli.options import store_option
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.errors import UsageError
from wordvec.formats.registry import writable_formats
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
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    metavar="FILE",
    help="The file to write; - is standard output.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice([one.value for one in writable_formats()]),
    metavar="FORMAT",
    help=f"Format of FILE (default: that of its suffix): {', '.join(writable_formats())}.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it already exists.")
@progress_option
@store_option
def command(
    *,
    table: str,
    path: Path,
    file_format: str | None,
    force: bool,
    progress: bool | None,
    store: Store,
) -> None:
    """Write TABLE, named [MODEL:]MODE[.VARIANT][@LAYER], to a file.

    The suffix says the format: .txt and .vec (text of word2vec), .bin (its binary format), .csv,
    .tsv, .npy, .npz, .safetensors, .parquet, .pickle and .pkl ({id: vector}). A text format can
    end in .gz.

    \b
    Examples:
      wordvec export dynamic -o dynamic.pickle
      wordvec export mini:static -o mini.txt
      wordvec export mini:static -o - --format glove | head -1
    """  # noqa: D301  # \b is a mark of click: do not wrap what follows
    from wordvec.cli.opening import open_table
    from wordvec.formats.export import export_table

    if str(path) == "-" and sys.stdout.isatty():
        raise UsageError("the vectors would be printed on the terminal", hint="-o FILE, or a pipe")
    opened = open_table(TableRef.parse(table), store)
    with (
        kept_on_interrupt(lambda: f"stopped; {escape(str(path))} is as it was"),
        ProgressBar("tokens", shown=progress) as bar,
    ):
        written = export_table(opened.data, path, file_format, force=force, progress=bar)
    print_notes(written.notes)
    if written.path is not None:
        V, D = opened.vectors.shape
        name, file = escape(str(opened.name)), escape(str(written.path))
        write_lines([f"{name}: {V:,} × {D} written to {file} ({size_text(written.bytes)})"])
