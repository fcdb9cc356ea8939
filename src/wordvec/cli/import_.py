"""`wordvec import`: save pickled vectors, such as those of the article, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import warn
from wordvec.cli.options import mode_option, model_option, store_option
from wordvec.cli.output import write_lines
from wordvec.tables.name import Mode
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.tables.store import Store


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@model_option(
    "The model of the vectors. Row i is token i of its vocabulary.",
    required=True,
    envvar="WORDVEC_MODEL",
)
@mode_option("What the vectors are.", default=Mode.DYNAMIC)
@click.option("--force", is_flag=True, help="Replace the table if it already exists.")
@store_option
def command(*, path: Path, model: str, mode: str, force: bool, store: Store) -> None:
    """Save the vectors of FILE, a pickled {id: vector}, as a table.

    No code in the file is run: only dicts, ints and numpy arrays are read.
    """
    from wordvec.formats.import_table import import_pickle

    table = import_pickle(path, model, mode, store, force=force)
    if bad := len(table.provenance.non_finite_rows):
        warn(f"{bad:,} of {len(table):,} rows contain NaN or infinity: no search returns them")
    name, V, D = escape(str(table.name)), len(table), table.dimensions
    write_lines([f"{name}: {V:,} × {D} imported from {escape(str(path))}"])
