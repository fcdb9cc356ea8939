"""`wordvec import`: vectors made elsewhere, as the article pickled them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.options import complete_model, store_option
from wordvec.cli.output import warn, write_lines
from wordvec.tables.name import Mode
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.tables.store import Store


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--model",
    required=True,
    shell_complete=complete_model,
    envvar="WORDVEC_MODEL",
    metavar="NAME",
    help="The model that the vectors are of; its vocabulary names the rows.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.DYNAMIC.value,
    show_default=True,
    help="What the vectors are.",
)
@click.option("--force", is_flag=True, help="Replace the table if it is there.")
@store_option
def command(*, path: Path, model: str, mode: str, force: bool, store: Store) -> None:
    """Keep the vectors of FILE, a pickled {id: vector}, as a table.

    The file is read by a machine that builds dicts, ints and numpy arrays and nothing else:
    nothing in it is run.
    """
    from wordvec.formats.import_table import import_pickle

    table = import_pickle(path, model, Mode(mode), store, force=force)
    if bad := len(table.provenance.non_finite_rows):
        warn(f"{bad:,} of {len(table):,} rows hold NaN or infinity: no search returns them")
    name, V, D = escape(str(table.name)), len(table), table.dimensions
    write_lines([f"{name}: {V:,} × {D} taken from {escape(str(path))}"])
