"""`wordvec extract`: a model's vectors into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.bar import Bar, progress_option
from wordvec.cli.options import complete_model, store_option
from wordvec.cli.output import note, warn, write_lines
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode, TableName
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.extraction.extract import ExtractionResult
    from wordvec.tables.store import Store


@click.command("extract")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.STATIC.value,
    show_default=True,
    help="The input embeddings, or each token run through the model between [CLS] and [SEP].",
)
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=complete_model,
    help="Hub id, folder, or mini (else WORDVEC_MODEL, else the reference model).",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the model runs.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="What the linear layers compute in; bfloat16 is faster, and off by about one per cent.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    metavar="N",
    help="Tokens a forward pass.",
)
@click.option("--force", is_flag=True, help="Make the table anew where there is one.")
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
    """Take the vectors of a model's whole vocabulary, and keep them for later questions.

    An extraction that was stopped goes on where it stopped when the same command is run again.
    """
    from wordvec.extraction.extract import extract

    bar = Bar("tokens", shown=progress)
    try:
        with bar:
            outcome = extract(
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
    except KeyboardInterrupt:
        _say_what_is_kept(bar)
        raise
    if outcome.non_finite:
        warn(f"{outcome.non_finite:,} of {outcome.shape[0]:,} vectors hold a NaN or an infinity")
    write_lines(_told(outcome))


def _say_what_is_kept(bar: Bar) -> None:
    if 0 < bar.done < bar.total:
        if not bar.shown:
            click.echo(err=True)  # the line of ^C ends here; with a bar it is gone already
        note(f"stopped at {bar.done:,} of {bar.total:,}; the same command goes on from there")


def _told(outcome: ExtractionResult) -> Iterator[str]:
    """What was written where, in one line; where the bundled model stood in, what to type."""
    from wordvec.tables.store import extract_command

    V, D = outcome.shape
    name, where = escape(str(outcome.table)), escape(str(outcome.folder))
    if outcome.existed:
        yield f"{name} is there already: {V:,} × {D} in {where}"
    else:
        also = (
            "" if outcome.also_saved is None else f"; {escape(str(outcome.also_saved))} beside it"
        )
        yield (
            f"{name}: {V:,} × {D} written to {where} "
            f"in {outcome.seconds:.1f} s ({_size(outcome.bytes)}){also}"
        )
    if outcome.fallback_reason is not None:
        again = extract_command(TableName(REFERENCE, outcome.table.mode))
        yield f"This is {outcome.table.model}; for the reference model: {again}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"
