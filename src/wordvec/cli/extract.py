"""`wordvec extract`: extract the vectors of a model and save them as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import note, warn
from wordvec.cli.interrupts import kept_on_interrupt
from wordvec.cli.options import mode_option, model_option, store_option
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode, TableName
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.extraction.extract import ExtractionResult
    from wordvec.tables.store import Store


@click.command("extract")
@mode_option(
    "static: input embeddings; dynamic: the model's output for [CLS] token [SEP].",
    default=Mode.STATIC,
)
@model_option()
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
@click.option("--force", is_flag=True, help="Replace the table if it already exists.")
@progress_option
@store_option
def command(
    *,
    mode: str,
    model: str | None,
    device: str,
    dtype: str,
    batch_size: int,
    force: bool,
    progress: bool | None,
    store: Store,
) -> None:
    """Extract the vectors of a model's whole vocabulary and save them as a table.

    To resume an interrupted extraction, run the same command again.
    """
    bar = ProgressBar("tokens", shown=progress)
    with kept_on_interrupt(lambda: _what_is_saved(bar)), bar:
        from wordvec.extraction.extract import extract

        result = extract(
            model,
            mode,
            store,
            device=device,
            dtype=dtype,
            batch_size=batch_size,
            force=force,
            show_download=bar.shown,
            notify=note,
            progress=bar,
        )
    if result.non_finite:
        warn(f"{result.non_finite:,} of {result.shape[0]:,} vectors contain NaN or infinity")
    write_lines(_result_lines(result))


def _what_is_saved(bar: ProgressBar) -> str:
    if 0 < bar.done < bar.total:
        return f"stopped at {bar.done:,} of {bar.total:,}; run the same command again to resume"
    return "stopped; nothing new is saved, and what was saved before is kept"


def _result_lines(result: ExtractionResult) -> Iterator[str]:
    """Yield what was written where, and how to extract the reference model if it was not used."""
    from wordvec.tables.store import extract_command

    V, D = result.shape
    name, folder = escape(str(result.table)), escape(str(result.folder))
    if result.existed:
        yield f"{name} already exists: {V:,} × {D} in {folder}"
    else:
        also = (
            "" if result.also_saved is None else f"; also saved: {escape(str(result.also_saved))}"
        )
        yield (
            f"{name}: {V:,} × {D} written to {folder} "
            f"in {result.seconds:.1f} s ({size_text(result.bytes)}){also}"
        )
    if result.fallback_reason is not None:
        reference = extract_command(TableName(REFERENCE, result.table.mode))
        yield f"To extract the reference model: {reference}"
