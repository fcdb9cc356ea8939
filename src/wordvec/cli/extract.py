"""`wordvec extract`: extract the vectors of a model and save them as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import note, warn
from wordvec.cli.options import mode_option, model_option, store_option, variant_option
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.extraction.settings import Pool
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode, TableName
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.extraction.saved import ExtractionResult
    from wordvec.tables.store import Store


@click.command("extract")
@mode_option(
    "static: input embeddings; dynamic: the model's output for [CLS] token [SEP].",
    default=Mode.STATIC,
)
@model_option()
@variant_option("Keep these tables beside others of the same mode, as MODEL:dynamic.NAME.")
@click.option(
    "--layers",
    metavar="all|N,N",
    help="Layers of dynamic vectors, one table for each. 0 is the output of the embedding block "
    "(default: the last layer).",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="TEXT",
    help="Sentence with {} in the place of the token, such as {}という言葉. Can be repeated: the "
    "vector is the mean.",
)
@click.option(
    "--pool",
    type=click.Choice([pool.value for pool in Pool]),
    default=Pool.TOKEN.value,
    show_default=True,
    help="Hidden states that become the vector: that of the token, the mean without or with [CLS] "
    "and [SEP], or that of [CLS].",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Device that runs the model.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Precision of the linear layers. bfloat16 is faster on some CPUs, with about 1 % error.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    metavar="N",
    help="Tokens per forward pass.",
)
@click.option("--force", is_flag=True, help="Replace tables that already exist.")
@progress_option
@store_option
def command(
    *,
    mode: str,
    model: str | None,
    variant: str | None,
    layers: str | None,
    templates: tuple[str, ...],
    pool: str,
    device: str,
    dtype: str,
    batch_size: int,
    force: bool,
    progress: bool | None,
    store: Store,
) -> None:
    """Extract the vectors of a model's whole vocabulary and save them as a table.

    To resume an interrupted extraction, run the same command again.

    \b
    Examples:
      wordvec extract --mode dynamic --layers all
      wordvec extract --mode dynamic --template {}という言葉 --variant word
    """  # noqa: D301  # \b is a mark of click: do not wrap what follows
    from wordvec.extraction.extract import extract

    bar = ProgressBar("tokens", shown=progress)
    try:
        with bar:
            result = extract(
                model,
                mode,
                store,
                variant=variant,
                layers=layers,
                pool=pool,
                templates=templates,
                device=device,
                dtype=dtype,
                batch_size=batch_size,
                force=force,
                show_download=bar.shown,
                notify=note,
                progress=bar,
            )
    except KeyboardInterrupt:
        _note_what_is_saved(bar)
        raise
    for table in result.tables:
        if table.non_finite:
            prefix = f"{escape(str(table.name))}: " if len(result.tables) > 1 else ""
            warn(
                f"{prefix}{table.non_finite:,} of {table.shape[0]:,} vectors contain NaN or "
                "infinity"
            )
    write_lines(_result_lines(result))


def _note_what_is_saved(bar: ProgressBar) -> None:
    if 0 < bar.done < bar.total:
        if not bar.shown:
            click.echo(err=True)  # ends the line of ^C; a bar has done so when it was erased
        note(f"stopped at {bar.done:,} of {bar.total:,}; run the same command again to resume")


def _result_lines(result: ExtractionResult) -> Iterator[str]:
    """Yield what was written where, and how to extract the reference model if it was not used."""
    from wordvec.tables.store import extract_command

    also = "" if result.also_saved is None else f"; also saved: {escape(str(result.also_saved))}"
    written = [table for table in result.tables if not table.existed]
    for table in result.tables:
        V, D = table.shape
        name, folder = escape(str(table.name)), escape(str(table.folder))
        if table.existed:
            yield f"{name} already exists: {V:,} × {D} in {folder}"
        elif len(written) == 1:
            seconds, size = f"{result.seconds:.1f} s", size_text(table.bytes)
            yield f"{name}: {V:,} × {D} written to {folder} in {seconds} ({size}){also}"
        else:
            yield f"{name}: {V:,} × {D} written to {folder} ({size_text(table.bytes)})"
    if len(written) > 1:
        yield f"{len(written)} tables in {result.seconds:.1f} s{also}"
    if result.fallback_reason is not None:
        reference = extract_command(TableName(REFERENCE, result.table.mode))
        yield f"To extract the reference model: {reference}"
