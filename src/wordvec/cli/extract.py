"""`wordvec extract`: extract the vectors of a model and save them as a table."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from wordvec.cli.errors import note, warn
from wordvec.cli.interrupts import kept_on_interrupt
from wordvec.cli.options import (
    corpus_option,
    field_option,
    mode_option,
    model_option,
    sentences_option,
    store_option,
    variant_option,
)
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.extraction.settings import Pool
from wordvec.models.default import REFERENCE
from wordvec.progress import ignore_note
from wordvec.tables.name import Mode, TableName
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.cli.options import Callback
    from wordvec.extraction.saved import CorpusSummary, ExtractionResult
    from wordvec.tables.store import Store


def corpus_options(callback: Callback) -> Callback:
    """Add the options of contextual vectors."""
    for option in reversed(
        (
            corpus_option("Corpus of contextual vectors"),
            click.argument("more", nargs=-1, metavar=""),
            field_option,
            click.option(
                "--per-token",
                type=click.IntRange(min=1),
                default=100,
                show_default=True,
                metavar="N",
                help="Occurrences of a token that are averaged, at most: a random sample.",
            ),
            click.option(
                "--min-count",
                type=click.IntRange(min=1),
                default=5,
                show_default=True,
                metavar="N",
                help="A token seen fewer times in the corpus gets no vector.",
            ),
            sentences_option,
            click.option(
                "--seed", type=int, default=0, show_default=True, help="Seed of the sample."
            ),
            click.option(
                "--workers",
                type=click.IntRange(min=0),
                metavar="N",
                help="Processes that cut the text (default: one for each core).",
            ),
        )
    ):
        callback = option(callback)
    return callback


@click.command("extract")
@mode_option(
    "static: input embeddings; dynamic: the model's output for [CLS] token [SEP]; contextual: its "
    "mean output for each token in the sentences of a corpus.",
    default=Mode.STATIC,
)
@model_option()
@variant_option("Keep these tables beside others of the same mode, as MODEL:dynamic.NAME.")
@click.option(
    "--layers",
    metavar="all|N,N",
    help="Layers of dynamic or contextual vectors, one table for each. 0 is the output of the "
    "embedding block (default: the last layer).",
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
@corpus_options
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Device that runs the model.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Precision of the linear layers. bfloat16 is faster on some CPUs, with about 1 % error; "
    "auto measures which is.",
)
@click.option("--force-dtype", is_flag=True, help="Use --dtype even if it is slower than float32.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    metavar="N",
    help="Tokens per forward pass.",
)
@click.option("--force", is_flag=True, help="Replace tables that already exist.")
@click.option("-v", "--verbose", is_flag=True, help="Say how the model is run, and why.")
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
    corpus: tuple[str, ...],
    more: tuple[str, ...],
    device: str,
    dtype: str,
    batch_size: int,
    force_dtype: bool,
    force: bool,
    verbose: bool,
    progress: bool | None,
    store: Store,
    **reading: Any,
) -> None:
    """Extract the vectors of a model's whole vocabulary and save them as a table.

    To resume an interrupted extraction, run the same command again.

    \b
    Examples:
      wordvec extract --mode dynamic --layers all
      wordvec extract --mode dynamic --template {}という言葉 --variant word
      wordvec extract --mode contextual --corpus texts/*.txt.gz
    """  # noqa: D301  # \b is a mark of click: do not wrap what follows
    if more and not corpus:
        raise click.UsageError(f"unexpected argument: {escape(more[0])}")
    bar = ProgressBar("tokens", shown=progress)
    with kept_on_interrupt(lambda: _what_is_saved(mode, bar)), bar, ExitStack() as stack:
        from wordvec.extraction.extract import extract
        from wordvec.extraction.ranks import join_ranks
        from wordvec.extraction.shared_work import help_rank_0

        ranks = stack.enter_context(join_ranks())
        if ranks.rank:
            help_rank_0(ranks)
            return
        result = extract(
            model,
            mode,
            store,
            variant=variant,
            layers=layers,
            pool=pool,
            templates=templates,
            corpus=(*corpus, *more),
            **reading,
            device=device,
            dtype=dtype,
            force_dtype=force_dtype,
            batch_size=batch_size,
            force=force,
            ranks=ranks,
            show_download=bar.shown,
            notify=note,
            progress=bar,
            status=bar.status,
            detail=note if verbose else ignore_note,
        )
    for table in result.tables:
        if table.non_finite:
            prefix = f"{escape(str(table.name))}: " if len(result.tables) > 1 else ""
            warn(
                f"{prefix}{table.non_finite:,} of {table.shape[0]:,} vectors contain NaN or "
                "infinity"
            )
    write_lines(_result_lines(result))


def _corpus_lines(corpus: CorpusSummary, tokens: int) -> Iterator[str]:
    """Yield what was read, and how many tokens have no vector."""
    yield (
        f"{corpus.occurrences:,} occurrences in {corpus.sentences:,} sentences "
        f"({corpus.tokens:,} tokens)"
    )
    if missing := corpus.rare + corpus.unseen:
        yield (
            f"{missing:,} of {tokens:,} tokens have no vector: {corpus.rare:,} were seen fewer "
            f"than {corpus.min_count} times, {corpus.unseen:,} never"
        )
    if corpus.long:
        yield f"{corpus.long:,} sentences were longer than the model reads, and cut into parts"
    if corpus.replaced:
        yield f"{corpus.replaced:,} broken characters (not UTF-8) were replaced"


def _what_is_saved(mode: str, bar: ProgressBar) -> str:
    if mode == Mode.CONTEXTUAL:
        return "stopped; run the same command again to resume from the last checkpoint"
    if 0 < bar.done < bar.total:
        return f"stopped at {bar.done:,} of {bar.total:,}; run the same command again to resume"
    return "stopped; nothing new is saved, and what was saved before is kept"


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
    if result.corpus is not None:
        yield from _corpus_lines(result.corpus, result.shape[0])
    if result.fallback_reason is not None:
        reference = extract_command(TableName(REFERENCE, result.table.mode))
        yield f"To extract the reference model: {reference}"
