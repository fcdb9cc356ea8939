"""Extract a model's word vectors and save them as a table.

An extraction of dynamic vectors can be interrupted at any time and resumed: rows are saved batch by
batch, together with a record of the settings with which they were computed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, UsageError, as_choice
from wordvec.extraction.layer_tables import Callbacks, Request, require_torch
from wordvec.extraction.ranks import Ranks
from wordvec.extraction.saved import DEFAULT, ExtractionResult, describe, existing_tables
from wordvec.extraction.settings import (
    BATCH_SIZE,
    ContextualSettings,
    Device,
    Dtype,
    ExtractionSettings,
    Layers,
    Pool,
    Sampling,
)
from wordvec.extraction.static_table import WAIT_SECONDS, read_static_table
from wordvec.models.default import REFERENCE, find_default_model, named_model
from wordvec.models.find import find_model
from wordvec.models.local import canonical_name, is_on_disk
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.tables.name import Mode, TableName, TableRef, check_variant
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wordvec.tables.store import Store


def extract(  # noqa: PLR0913  # one parameter for each option of the command
    model: str | None,
    mode: Mode | str,
    store: Store,
    *,
    variant: str | None = None,
    layers: str | int | Iterable[int] | None = None,
    pool: Pool | str = Pool.TOKEN,
    templates: str | Iterable[str] = (),
    corpus: str | Path | Iterable[str | Path] = (),
    field: str | None = None,
    per_token: int = 100,
    min_count: int = 5,
    sentences: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: Device | str = Device.AUTO,
    dtype: Dtype | str = Dtype.FLOAT32,
    force_dtype: bool = False,
    batch_size: int = BATCH_SIZE,
    force: bool = False,
    ranks: Ranks | None = None,
    show_download: bool = False,
    notify: Notify = ignore_note,
    progress: Progress = no_progress,
    status: Notify = ignore_note,
    detail: Notify = ignore_note,
) -> ExtractionResult:
    """Extract a model's word vectors and save them as tables, one for each layer.

    A table that exists already is left as it is. An interrupted extraction of dynamic or contextual
    vectors resumes when it is called again with the same arguments.

    Args:
        model: "mini", a folder, or a name on the hub, OWNER/NAME[@REVISION][:SUBFOLDER]. None means
            the model in WORDVEC_MODEL, else the reference model, or the bundled one if the
            reference model is not available.
        mode: "static" (the word-embedding matrix), "dynamic" (each token passed through the model
            between [CLS] and [SEP]) or "contextual" (the mean over the token's occurrences in a
            corpus). "dynamic" saves the static table too, if there is none yet.
        store: where the tables are saved.
        variant: keeps these tables beside others of the same mode, as `MODEL:MODE.VARIANT`.
        layers: "all", "0,4" or numbers; 0 is the output of the embedding block. None for the last.
        pool: "token", "mean", "mean-all" or "cls": how the hidden states of a sentence become one
            vector.
        templates: sentences with {} in the place of the token; the vector is the mean over them.
        corpus: for "contextual": files, folders, "-" (standard input) or "hf:OWNER/NAME[:CONFIG]".
        field: the field with the text, if the corpus is JSON lines or a data set.
        per_token: occurrences of a token whose mean is taken, at most; a sample of all.
        min_count: a token that is seen fewer times has no vector.
        sentences: read only the first sentences.
        seed: of the sample.
        workers: processes that cut text; None for one for each core.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "float32", "bfloat16" or "auto" (the faster one), what the linear layers compute in.
            Tables are float32.
        force_dtype: compute in `dtype` even where it is slower than float32.
        batch_size: tokens per forward pass.
        force: extract again and replace the tables if they exist.
        ranks: the processes that compute, if torchrun started several; this is rank 0.
        show_download: show the progress bars of the hub's own client while it downloads.
        notify: called with each note for the user.
        progress: called after each batch with the numbers of tokens, and while a corpus is read
            with the numbers of its bytes; a total of 0 is not known.
        status: called with a few words on what is being done now.
        detail: called with what was decided, such as how the linear layers multiply, and why.

    Returns:
        What was saved and where, or the description of the tables that exist.

    Raises:
        UsageError: an argument has an unknown value, the device is not available, or the dtype is
            slower than float32 on this machine.
        MissingExtraError: torch, transformers, MeCab or a reader is needed and not installed.
        ModelError: the model cannot be found or read, or has no vectors of this mode.
        StoreError: a table exists, but was extracted with other settings or from another revision
            of the model; another process is extracting it; or it cannot be written.
    """
    began = time.monotonic()
    mode = as_choice(Mode, mode, "mode")
    settings = ExtractionSettings(device, dtype, batch_size, pool, templates, force_dtype)  # type: ignore[arg-type]  # converts
    chosen = Layers.of(layers)
    names = [corpus] if isinstance(corpus, str | Path) else corpus
    sampling = Sampling(per_token, min_count, sentences, seed)
    reading = ContextualSettings(
        device,  # type: ignore[arg-type]  # converts
        dtype,  # type: ignore[arg-type]
        batch_size,
        force_dtype=force_dtype,
        corpus=tuple(map(str, names)),
        field=field,
        sampling=sampling,
        workers=workers,
    )
    _check_options(mode, chosen, settings, reading)
    if mode is Mode.CONTEXTUAL:
        settings = reading
    model = named_model(model)
    _check_is_no_table(model)
    name = TableName(
        canonical_name(model or REFERENCE),
        mode,
        None if variant is None else check_variant(variant),
    )
    ask_hub = force or is_on_disk(name.model)
    if not ask_hub and (saved := existing_tables(store, name, chosen, settings)):
        return ExtractionResult(saved)
    if mode is not Mode.STATIC:
        require_torch(f"extracting {mode} vectors")  # before downloading hundreds of megabytes
    static_only = mode is Mode.STATIC
    source = (
        find_model(model, show_progress=show_download, static_only=static_only)
        if model
        else find_default_model(show_progress=show_download, static_only=static_only)
    )
    if source.fallback_reason:
        notify(f'{source.fallback_reason}; using the bundled model "{source.name}"')
    name = replace(name, model=source.name)
    if not force and (saved := existing_tables(store, name, chosen, settings, source)):
        return ExtractionResult(saved, fallback_reason=source.fallback_reason)
    try:
        if mode is Mode.STATIC:
            table = read_static_table(source, variant=name.variant, notify=notify)
            store.save(table, force=force, wait=WAIT_SECONDS)
            result = ExtractionResult((describe(store, table),))
        else:
            request = Request(source, name, chosen, settings, force=force)
            calls = Callbacks(notify, progress, status, detail)
            result = _extract_layers(request, store, calls, ranks or Ranks())
    except StoreError:
        if force:
            raise
        saved = existing_tables(store, name, chosen, settings, source)
        if not saved:  # of a process that was faster
            raise
        result = ExtractionResult(saved)
    return replace(result, seconds=time.monotonic() - began, fallback_reason=source.fallback_reason)


def _extract_layers(
    request: Request, store: Store, calls: Callbacks, ranks: Ranks
) -> ExtractionResult:
    for number in request.layers.numbers or (None,):  # now, since loading torch takes seconds
        store.check_free(replace(request.name, layer=number))
    if isinstance(request.settings, ContextualSettings):
        from wordvec.extraction.contextual_tables import extract_contextual

        return extract_contextual(request, request.settings, store, calls, ranks)
    from wordvec.extraction.dynamic_tables import extract_dynamic

    return extract_dynamic(request, store, calls, ranks)


def _check_options(
    mode: Mode, layers: Layers, settings: ExtractionSettings, reading: ContextualSettings
) -> None:
    """Raise UsageError for options that decide nothing in this mode."""
    if mode is not Mode.CONTEXTUAL and reading.parameters != ContextualSettings().parameters:
        raise UsageError(
            f"corpus, field, per_token, min_count, sentences and seed are not for {mode} vectors",
            hint='mode="contextual"',
        )
    if mode is Mode.CONTEXTUAL and not reading.corpus:
        raise UsageError(
            "contextual vectors need a corpus: text files, a folder, or - for standard input",
            hint='corpus="FILE"',
        )
    if settings.parameters != DEFAULT.parameters and mode is not Mode.DYNAMIC:
        raise UsageError(f"pool and templates are not for {mode} vectors", hint='mode="dynamic"')
    if layers != Layers() and not mode.has_layers:
        raise UsageError(f"layers are not for {mode} vectors", hint='mode="dynamic"')


def _check_is_no_table(model: str | None) -> None:
    """Raise UsageError for the name of a table.

    A subfolder of the hub that is called like a mode is named with a slash at the end.
    """
    if model is None or is_on_disk(model):
        return
    try:
        ref = TableRef.parse(model)
    except UsageError:
        return
    if ref.model is not None:
        raise UsageError(
            f"{model} is the name of a table, expected a model", hint=extract_command(ref)
        )
