"""Extraction from end to end: a model's name in, tables in the store out.

What is slow can be stopped at any moment and taken up again: rows go to the store batch by batch,
and the store's record says with what they were made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, StoreError, WordvecError
from wordvec.extraction.checkpoint import first_line
from wordvec.extraction.static import static_vectors
from wordvec.models.default import REFERENCE, find_default_model, named_model
from wordvec.models.find import find_model
from wordvec.models.local import canonical_name, is_on_disk
from wordvec.progress import Progress, no_progress
from wordvec.tables.name import Mode, TableName
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.models.source import ModelSource
    from wordvec.tables.draft import Draft
    from wordvec.tables.store import Store

BATCH_SIZE = 512
"""Tokens a forward pass; see docs/extraction.md for what other sizes gave."""

WAIT_SECONDS = 30.0
"""How long to wait for another process that makes the same static table."""

Tell = Callable[[str], None]


def tell_nobody(note: str) -> None:
    """Drop a note."""


class Dtype(StrEnum):
    """What the linear layers compute in; tables are float32 either way."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True)
class Settings:
    """How dynamic vectors are computed. device: auto, cpu, cuda or mps."""

    device: str = "auto"
    dtype: Dtype = Dtype.FLOAT32
    batch_size: int = BATCH_SIZE


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """What an extraction left in the store.

    existed: the table was there before, and nothing was done. resumed_from: rows that an earlier
    call had done. non_finite: rows with a NaN or an infinity. also: the static table, where it was
    made along the way. instead_of: why another model than the reference was taken, if nobody named
    one.
    """

    table: TableName
    folder: Path
    shape: tuple[int, int]
    bytes: int
    seconds: float = 0.0
    existed: bool = False
    resumed_from: int = 0
    non_finite: int = 0
    also: TableName | None = None
    instead_of: str | None = None


def extract(  # noqa: PLR0913  # as many as the command has options
    model: str | None,
    mode: Mode,
    store: Store,
    *,
    settings: Settings = Settings(),
    force: bool = False,
    bars: bool = False,
    tell: Tell = tell_nobody,
    progress: Progress = no_progress,
) -> ExtractionResult:
    """Make the table of a model, or say that it is there already.

    model: None where nobody named one: the reference model, or the bundled one if that cannot be
    had. bars: let the hub's client draw its own. tell: called with notes as they come up.
    """
    began = time.monotonic()
    model = named_model(model)
    name = TableName(canonical_name(model or REFERENCE), mode)
    if name in store and not force and not is_on_disk(name.model):
        return _already(store, name, settings)  # no one need be asked for the model
    if mode is Mode.DYNAMIC:
        _require_torch()  # before hundreds of megabytes are fetched in vain
    source = (
        find_model(model, show_progress=bars) if model else find_default_model(show_progress=bars)
    )
    if source.fallback_reason:
        tell(f"{source.fallback_reason}; {source.name} is taken in its place")
    name = TableName(source.name, mode)
    if name in store and not force:
        return replace(_already(store, name, settings, source), instead_of=source.fallback_reason)
    if mode is Mode.STATIC:
        table = static_table(source)
        store.save(table, force=force)
        outcome = _outcome(store, table)
    else:
        outcome = _dynamic(source, store, settings, force=force, tell=tell, progress=progress)
    return replace(outcome, seconds=time.monotonic() - began, instead_of=source.fallback_reason)


def static_table(source: ModelSource) -> VectorTable:
    """The static table of a model, in memory; no torch if its weights are safetensors."""
    vocabulary = read_vocabulary(source.folder)
    vectors = static_vectors(source.folder, vocabulary)
    return VectorTable.from_vectors(vocabulary, vectors, _provenance(source, Mode.STATIC))


def _dynamic(  # noqa: PLR0913  # likewise
    source: ModelSource,
    store: Store,
    settings: Settings,
    *,
    force: bool,
    tell: Tell,
    progress: Progress,
) -> ExtractionResult:
    dynamic = _dynamic_module()
    device = dynamic.choose_device(settings.device)
    vocabulary = read_vocabulary(source.folder)
    encoder = dynamic.load_encoder(source)
    also = _static_too(source, store)
    model = dynamic.prepare(encoder, device, settings.dtype, settings.batch_size)
    draft_of_it = store.draft(
        _provenance(source, Mode.DYNAMIC, settings.dtype, "torch", "transformers"),
        vocabulary,
        dynamic.width(model),
        {"batch_size": settings.batch_size, **dynamic.circumstances(device)},
        force=force,
    )
    with draft_of_it as draft:
        begun = _say_where_it_begins(draft, tell)
        blocks = dynamic.extract_from(
            model, vocabulary, batch_size=settings.batch_size, start=begun
        )
        table = _fill(draft, blocks, progress)
    return replace(_outcome(store, table), resumed_from=begun, also=also)


def _require_torch() -> None:
    """See that torch and transformers are installed, without the seconds that they take to load."""
    from importlib.util import find_spec

    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtraError("extracting dynamic vectors", extra="extract", package=package)


def _dynamic_module() -> Any:
    """The module `dynamic`, which loads torch: static vectors do without."""
    try:
        from wordvec.extraction import dynamic
    except (ImportError, OSError) as error:  # a library that it links to is not there
        raise WordvecError(
            f"torch is installed, but cannot be loaded: {first_line(error)}",
            hint="pip install --force-reinstall torch",
        ) from error
    return dynamic


def _say_where_it_begins(draft: Draft, tell: Tell) -> int:
    """Tell what became of an earlier call's rows; how many of them count."""
    if draft.restarted:
        tell(f"an unfinished extraction cannot be taken up ({draft.restarted}): beginning anew")
    if draft.done:
        tell(f"taken up where an earlier call stopped: {draft.done:,} of {draft.shape[0]:,} tokens")
    return draft.done


def _fill(
    draft: Draft, blocks: Iterable[tuple[int, NDArray[np.float32]]], progress: Progress
) -> VectorTable:
    """Write blocks of rows as they come, each safe on disk before the next is computed."""
    V = draft.shape[0]
    progress(draft.done, V)
    for first, block in blocks:
        draft.write(first, block)
        draft.commit_rows(first + len(block))
        progress(draft.done, V)
    return draft.finish()


def _static_too(source: ModelSource, store: Store) -> TableName | None:
    """Make the static table where it is missing: a comparison is then at hand."""
    name = TableName(source.name, Mode.STATIC)
    if name in store or not ensure_static(source, store):
        return None
    return name


def ensure_static(source: ModelSource, store: Store) -> bool:
    """Have the static table in the store; whether it was this call that put it there."""
    name = TableName(source.name, Mode.STATIC)
    if name in store:
        return False
    try:
        store.save(static_table(source), wait=WAIT_SECONDS)
    except StoreError:
        if name not in store:  # else another process was quicker
            raise
        return False
    return True


def _already(
    store: Store, name: TableName, settings: Settings, source: ModelSource | None = None
) -> ExtractionResult:
    """What is there; an error if it was made with other settings than those asked for now."""
    table = store.open(name)
    made = table.provenance
    differences = []
    if made.source != "extract":
        return _outcome(store, table, existed=True)
    if name.mode is Mode.DYNAMIC and made.dtype != settings.dtype:
        differences.append(f"in {made.dtype}, not {settings.dtype}")
    if source is not None and made.revision != source.revision:
        differences.append(
            f"from version {made.revision} of the model, which is {source.revision} now"
        )
    if differences:
        raise StoreError(
            f"{name} is there already, but was made {' and '.join(differences)}",
            hint="--force makes it anew in its place",
        )
    return _outcome(store, table, existed=True)


def _outcome(store: Store, table: VectorTable, *, existed: bool = False) -> ExtractionResult:
    folder = store.paths(table.name).table
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    shape = (len(table), table.dimensions)
    non_finite = len(table.provenance.non_finite_rows)
    return ExtractionResult(table.name, folder, shape, size, existed=existed, non_finite=non_finite)


def _provenance(
    source: ModelSource, mode: Mode, dtype: str = "float32", *libraries: str
) -> Provenance:
    from importlib.metadata import version

    versions = {name: version(name) for name in ("wordvec", "numpy", *libraries)}
    return Provenance(source.name, mode, source.revision, dtype=dtype, versions=versions)
