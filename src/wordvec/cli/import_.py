"""`wordvec import`: save vectors of other programs as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes, warn
from wordvec.cli.interrupts import exit_on_termination, kept_on_interrupt
from wordvec.cli.options import mode_option, model_option, store_option, variant_option
from wordvec.cli.output import write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.formats.registry import readable_formats
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec import cc.ja.300.vec.gz --name fasttext
  wordvec import chive-1.3-mc90.txt --name chive --limit 200000
  zcat glove.txt.gz | wordvec import - --name glove
  wordvec import article.pickle --model cl-tohoku/bert-base-japanese
"""


@click.command("import", epilog=EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the table (default: that of the file).")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([one.value for one in readable_formats()]),
    metavar="FORMAT",
    help=f"Format of FILE (default: found from its content): {', '.join(readable_formats())}.",
)
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Text file with one token per line, for vectors without tokens.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Read only the first N vectors."
)
@click.option("--skip-bad", is_flag=True, help="Leave broken lines out and count them.")
@model_option("Model of a pickled {id: vector}: vector i is of token i of its vocabulary.")
@mode_option("Second part of the table's name (default: static; dynamic with --model).")
@variant_option("Keep this table beside others of the same name, as NAME:static.VARIANT.")
@click.option("--force", is_flag=True, help="Replace the table if it already exists.")
@progress_option
@store_option
def command(
    *,
    path: Path,
    name: str | None,
    file_format: str | None,
    tokens: Path | None,
    limit: int | None,
    skip_bad: bool,
    model: str | None,
    mode: str | None,
    variant: str | None,
    force: bool,
    progress: bool | None,
    store: Store,
) -> None:
    """Save the vectors of FILE as the table NAME:static. `-` is standard input.

    Formats: text and binary of word2vec, GloVe, fastText (.vec), CSV, TSV, the TensorBoard
    projector, pickle, numpy, safetensors, Parquet, Arrow, finalfusion, and folders of gensim,
    spaCy and model2vec. The content says which. No code in a file is run.
    """
    with (
        exit_on_termination(),
        kept_on_interrupt(lambda: "stopped; nothing was imported"),
        ProgressBar("vectors", shown=progress) as bar,
    ):
        from wordvec.formats.import_table import import_vectors

        result = import_vectors(
            path,
            store,
            name=name,
            mode=mode,
            variant=variant,
            model=model,
            file_format=file_format,
            tokens=tokens,
            limit=limit,
            skip_bad=skip_bad,
            force=force,
            progress=bar,
        )
    print_notes(result.notes)
    table = result.table
    if bad := len(table.provenance.non_finite_rows):
        warn(f"{bad:,} of {len(table):,} rows contain NaN or infinity: no search returns them")
    full_name, V, D = escape(str(table.name)), len(table), table.dimensions
    write_lines([f"{full_name}: {V:,} × {D} imported from {escape(str(path))}"])
