"""Extract a model's word vectors and save them as a table.

An extraction of dynamic vectors can be interrupted at any time and resumed: rows are saved batch by
batch, together with a record of the settings with which they were computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, StoreError, UsageError, WordvecError, as_choice
from wordvec.extraction.checkpoint import one_line
from wordvec.extraction.rows import fit_vocabulary
from wordvec.extraction.settings import BATCH_SIZE, Device, Dtype, ExtractionSettings
from wordvec.extraction.static import read_static_vectors
from wordvec.models.default import REFERENCE, find_default_model, named_model
from wordvec.models.find import find_model
from wordvec.models.local import canonical_name, is_on_disk
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import folder_size
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import extract_command
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.models.source import ModelSource
    from wordvec.tables.draft import Draft
    from wordvec.tables.store import Store

WAIT_SECONDS = 30.0
"""How long to wait for another process that is writing the same static table."""

Notify = Callable[[str], None]


def ignore_note(note: str) -> None:
    """Ignore a note."""


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """What an extraction saved, and where.

    shape: (V, D). bytes: size on disk. existed: the table existed, and nothing was done.
    non_finite: number of rows with a NaN or an infinity. also_saved: the static table, if it was
    saved along with the dynamic one. fallback_reason: why the bundled model was used in place of
    the reference model, when no model was named.
    """

    table: TableName
    folder: Path
    shape: tuple[int, int]
    bytes: int
    seconds: float = 0.0
    existed: bool = False
    non_finite: int = 0
    also_saved: TableName | None = None
    fallback_reason: str | None = None


def extract(  # noqa: PLR0913  # one parameter for each option of the command
    model: str | None,
    mode: Mode | str,
    store: Store,
    *,
    device: Device | str = Device.AUTO,
    dtype: Dtype | str = Dtype.FLOAT32,
    batch_size: int = BATCH_SIZE,
    force: bool = False,
    show_download: bool = False,
    notify: Notify = ignore_note,
    progress: Progress = no_progress,
) -> ExtractionResult:
    """Extract a model's word vectors and save them as a table.

    A table that exists already is left as it is. An interrupted extraction of dynamic vectors
    resumes when it is called again with the same arguments.

    Args:
        model: "mini", a folder, or a name on the hub, OWNER/NAME[@REVISION][:SUBFOLDER]. None means
            the model in WORDVEC_MODEL, else the reference model, or the bundled one if the
            reference model is not available.
        mode: "static" (the word-embedding matrix) or "dynamic" (each token passed through the model
            between [CLS] and [SEP]). "dynamic" saves the static table too, if there is none yet.
        store: where the table is saved.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "float32" or "bfloat16", what the linear layers compute in. Tables are float32.
        batch_size: tokens per forward pass.
        force: extract again and replace the table if it exists.
        show_download: show the progress bars of the hub's own client while it downloads.
        notify: called with each note for the user.
        progress: called after each batch of dynamic vectors with the numbers of tokens.

    Returns:
        What was saved and where, or the description of the table that exists.

    Raises:
        UsageError: an argument has an unknown value, or the device is not available.
        MissingExtraError: "dynamic" needs torch and transformers, which are not installed.
        ModelError: the model cannot be found or read, or has no vectors of this mode.
        StoreError: the table exists, but was extracted in another dtype or from another revision
            of the model; another process is extracting it; or it cannot be written.
    """
    began = time.monotonic()
    mode = as_choice(Mode, mode, "mode")
    settings = ExtractionSettings(device, dtype, batch_size)  # type: ignore[arg-type]  # converts
    model = named_model(model)
    _check_is_no_table(model)
    name = TableName(canonical_name(model or REFERENCE), mode)
    if name in store and not force and not is_on_disk(name.model):
        return _existing_table(store, name, settings)  # no need to ask the hub
    if mode is Mode.DYNAMIC:
        _require_torch()  # before downloading hundreds of megabytes
    static_only = mode is Mode.STATIC
    source = (
        find_model(model, show_progress=show_download, static_only=static_only)
        if model
        else find_default_model(show_progress=show_download, static_only=static_only)
    )
    if source.fallback_reason:
        notify(f'{source.fallback_reason}; using the bundled model "{source.name}"')
    name = TableName(source.name, mode)
    if name in store and not force:
        result = _existing_table(store, name, settings, source)
        return replace(result, fallback_reason=source.fallback_reason)
    try:
        if mode is Mode.STATIC:
            table = read_static_table(source, notify=notify)
            store.save(table, force=force, wait=WAIT_SECONDS)
            result = _result(store, table)
        else:
            result = _extract_dynamic(
                source, store, settings, force=force, notify=notify, progress=progress
            )
    except StoreError:
        if force or name not in store:
            raise
        result = _existing_table(store, name, settings, source)  # of a process that was faster
    return replace(result, seconds=time.monotonic() - began, fallback_reason=source.fallback_reason)


def _check_is_no_table(model: str | None) -> None:
    """Raise UsageError for the name of a table; a subfolder of the hub cannot be named so."""
    name, _, mode = (model or "").rpartition(":")
    if name and mode in set(Mode) and not is_on_disk(str(model)):
        raise UsageError(
            f"{model} is the name of a table, expected a model",
            hint=extract_command(TableName(name, Mode(mode))),
        )


def read_static_table(source: ModelSource, *, notify: Notify = ignore_note) -> VectorTable:
    """Read a model's static table into memory; torch is needed only for `.bin` weights."""
    static = read_static_vectors(source.folder, read_vocabulary(source.folder))
    for note in static.notes:
        notify(note)
    provenance = _provenance(source, Mode.STATIC)
    return VectorTable.from_vectors(static.vocabulary, static.vectors, provenance)


def ensure_static(source: ModelSource, store: Store) -> bool:
    """Save a model's static table if there is none; return whether this call saved it."""
    name = TableName(source.name, Mode.STATIC)
    if name in store:
        return False
    try:
        store.save(read_static_table(source), wait=WAIT_SECONDS)
    except StoreError:
        if name not in store:  # otherwise another process has saved it meanwhile
            raise
        return False
    return True


def _extract_dynamic(  # noqa: PLR0913  # as for extract
    source: ModelSource,
    store: Store,
    settings: ExtractionSettings,
    *,
    force: bool,
    notify: Notify,
    progress: Progress,
) -> ExtractionResult:
    _check_torch_loads()
    from wordvec.extraction.dynamic import compute_blocks, prepare
    from wordvec.extraction.encoder import (
        describe_device,
        find_device,
        hidden_size,
        load_encoder,
        matrix_rows,
    )

    name = TableName(source.name, Mode.DYNAMIC)
    device = find_device(settings.device)
    vocabulary = read_vocabulary(source.folder)
    encoder = load_encoder(source)
    fitted = fit_vocabulary(vocabulary, matrix_rows(encoder), source.folder)
    for note in fitted.notes:
        notify(note)
    batch_size = min(settings.batch_size, len(fitted.vocabulary))
    static_saved = ensure_static(source, store)
    recorded = _recorded_product(store.draft_record(name), settings)
    product = prepare(encoder, device, settings.dtype, batch_size, recorded=recorded)
    open_draft = store.draft(
        _provenance(source, Mode.DYNAMIC, settings.dtype, "torch", "transformers"),
        fitted.vocabulary,
        hidden_size(encoder),
        {"batch_size": batch_size, **describe_device(device), "linear": product.value},
        force=force,
    )
    with open_draft as draft:
        _notify_resumption(draft, notify)
        blocks = compute_blocks(encoder, fitted.vocabulary, batch_size=batch_size, start=draft.done)
        table = write_blocks(draft, blocks, progress)
    also_saved = replace(name, mode=Mode.STATIC) if static_saved else None
    return replace(_result(store, table), also_saved=also_saved)


def _require_torch() -> None:
    """Check that torch and transformers are installed, without loading them: that takes seconds."""
    from importlib.util import find_spec

    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtraError("extracting dynamic vectors", extra="extract", package=package)


def _check_torch_loads() -> None:
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:  # a shared library is missing
        raise WordvecError(
            f"torch is installed, but cannot be loaded: {one_line(error)}",
            hint="pip install --force-reinstall torch",
        ) from error


def _recorded_product(record: Mapping[str, Any], settings: ExtractionSettings) -> object:
    """Return how the linear layers multiplied in an interrupted extraction of the same dtype."""
    settings_before = record.get("settings")
    if record.get("dtype") != settings.dtype or not isinstance(settings_before, dict):
        return None
    return settings_before.get("linear")


def _notify_resumption(draft: Draft, notify: Notify) -> None:
    if draft.restarted:
        notify(f"cannot resume the interrupted extraction ({draft.restarted}); starting over")
    if draft.done:
        notify(f"resuming an interrupted extraction at {draft.done:,} of {draft.shape[0]:,} tokens")


def write_blocks(
    draft: Draft, blocks: Iterable[tuple[int, NDArray[np.float32]]], progress: Progress
) -> VectorTable:
    """Write blocks of rows to a draft until it is complete, and return the saved table.

    Each block is safe on disk before the next one is computed.

    blocks: the first row of each block, and the block, (B, D) float32
    """
    V = draft.shape[0]
    progress(draft.done, V)
    for first, block in blocks:
        draft.write(first, block)
        draft.commit_rows(first + len(block))
        progress(draft.done, V)
    return draft.finish()


def _existing_table(
    store: Store,
    name: TableName,
    settings: ExtractionSettings,
    source: ModelSource | None = None,
) -> ExtractionResult:
    """Describe the saved table; raise if it was extracted in another dtype or revision."""
    table = store.open(name)
    saved = table.provenance
    differences = []
    if saved.source == "extract":
        if name.mode is Mode.DYNAMIC and saved.dtype != settings.dtype:
            differences.append(f"in {saved.dtype}, not {settings.dtype}")
        if source is not None and saved.revision != _revision(source, name.mode):
            differences.append(
                f"from revision {saved.revision} of the model, "
                f"which is now {_revision(source, name.mode)}"
            )
    if differences:
        raise StoreError(
            f"{name} already exists, but was extracted {' and '.join(differences)}",
            hint="force=True replaces it",
        )
    return replace(_result(store, table), existed=True)


def _result(store: Store, table: VectorTable) -> ExtractionResult:
    folder = store.paths(table.name).table
    shape = (len(table), table.dimensions)
    non_finite = len(table.provenance.non_finite_rows)
    return ExtractionResult(table.name, folder, shape, folder_size(folder), non_finite=non_finite)


def _provenance(
    source: ModelSource, mode: Mode, dtype: str = "float32", *libraries: str
) -> Provenance:
    from importlib.metadata import version

    versions = {name: version(name) for name in ("wordvec", "numpy", *libraries)}
    revision = _revision(source, mode)
    return Provenance(source.name, mode, revision, dtype=dtype, versions=versions)


def _revision(source: ModelSource, mode: Mode) -> str | None:
    """Return the revision of the files that vectors of this mode depend on."""
    static = source.static_revision if mode is Mode.STATIC else None
    return static or source.revision
