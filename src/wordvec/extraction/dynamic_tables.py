"""Extract the dynamic vectors of a model: one pass over the vocabulary, one table for each layer.

The tables are written side by side, batch by batch, each with a record of the settings that its
rows depend on, so that an extraction can be interrupted at any time and resumed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from wordvec.errors import WordvecError
from wordvec.extraction.checkpoint import one_line
from wordvec.extraction.rows import fit_vocabulary
from wordvec.extraction.saved import (
    ExtractionResult,
    check_saved,
    describe,
    layer_names,
    make_provenance,
)
from wordvec.extraction.static_table import ensure_static
from wordvec.tables.draft import Draft
from wordvec.tables.name import Mode, TableName
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from wordvec.extraction.carriers import Carrier
    from wordvec.extraction.settings import ExtractionSettings, Layers
    from wordvec.models.source import ModelSource
    from wordvec.progress import Notify, Progress
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Request:
    """What to extract. name: of the table of the last layer."""

    source: ModelSource
    name: TableName
    layers: Layers
    settings: ExtractionSettings
    force: bool


def extract_dynamic(
    request: Request, store: Store, notify: Notify, progress: Progress
) -> ExtractionResult:
    """Extract the layers that are not saved yet; see `extract` for the arguments and errors."""
    _check_torch_loads()
    from wordvec.extraction.carriers import make_carriers
    from wordvec.extraction.dynamic import compute_blocks, layer_widths
    from wordvec.extraction.encoder import load_encoder, matrix_rows

    source, settings = request.source, request.settings
    vocabulary = read_vocabulary(source.folder)
    encoder = load_encoder(source)
    fitted = fit_vocabulary(vocabulary, matrix_rows(encoder), source.folder)
    for note in fitted.notes:
        notify(note)
    carriers = make_carriers(settings.templates, fitted.vocabulary)
    widths = layer_widths(encoder, carriers)
    last = len(widths) - 1
    names = layer_names(request.name, request.layers, last)
    saved = {} if request.force else check_saved(store, names.values(), settings, source)
    missing = {number: name for number, name in names.items() if name not in saved}
    static_saved = ensure_static(source, store)
    batch_size = min(settings.batch_size, len(fitted.vocabulary))
    records = [store.draft_record(name) for name in missing.values()]
    run = _prepare(encoder, settings, carriers, batch_size, records)
    provenance = replace(
        make_provenance(source, Mode.DYNAMIC, settings.dtype, "torch", "transformers"),
        variant=request.name.variant,
        layers=last,
        parameters=settings.parameters,
    )
    with ExitStack() as stack:
        drafts = [
            stack.enter_context(
                store.draft(
                    replace(provenance, layer=name.layer),
                    fitted.vocabulary,
                    widths[number],
                    run,
                    force=request.force,
                )
            )
            for number, name in missing.items()
        ]
        _notify_resumption(drafts, notify)
        blocks = compute_blocks(
            encoder,
            carriers,
            len(fitted.vocabulary),
            batch_size=batch_size,
            layers=None if [*missing] == [last] else [*missing],
            pool=settings.pool,
            start=min(draft.done for draft in drafts),
        )
        tables = write_blocks(drafts, blocks, progress)
    saved |= {table.name: describe(store, table) for table in tables}
    also_saved = TableName(source.name, Mode.STATIC) if static_saved else None
    return ExtractionResult(tuple(saved[name] for name in names.values()), also_saved=also_saved)


def _prepare(
    encoder: torch.nn.Module,
    settings: ExtractionSettings,
    carriers: Sequence[Carrier],
    batch_size: int,
    records: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    """Prepare the model for its device, and return how it is run, on which its results depend.

    records: of interrupted extractions of the same tables.
    """
    from wordvec.extraction import dynamic
    from wordvec.extraction.encoder import describe_device, find_device

    device = find_device(settings.device)
    rows = batch_size * max(map(len, carriers))
    recorded = _recorded_product(records, settings)
    product = dynamic.prepare(encoder, device, settings.dtype, rows, recorded=recorded)
    return {
        "batch_size": batch_size,
        **describe_device(device),
        "linear": product.value,
    }


def _recorded_product(records: Iterable[Mapping[str, Any]], settings: ExtractionSettings) -> object:
    """Return how the linear layers multiplied in an interrupted extraction of the same dtype."""
    for record in records:
        before = record.get("settings")
        if record.get("dtype") == settings.dtype and isinstance(before, dict):
            return before.get("linear")
    return None


def _notify_resumption(drafts: Sequence[Draft], notify: Notify) -> None:
    for reason in dict.fromkeys(draft.restarted for draft in drafts if draft.restarted):
        notify(f"cannot resume the interrupted extraction ({reason}); starting over")
    done, V = min(draft.done for draft in drafts), drafts[0].shape[0]
    if done:
        notify(f"resuming an interrupted extraction at {done:,} of {V:,} tokens")


def write_blocks(
    drafts: Sequence[Draft],
    blocks: Iterable[tuple[int, Sequence[NDArray[np.float32]]]],
    progress: Progress,
) -> list[VectorTable]:
    """Write blocks of rows to drafts until they are complete, and return the saved tables.

    Each block is safe on disk before the next one is computed. A draft that has a block from an
    earlier call is not written again.

    blocks: the first row of each block, and for each draft the block, (B, D) float32
    """
    V = drafts[0].shape[0]
    progress(min(draft.done for draft in drafts), V)
    with ThreadPoolExecutor(len(drafts)) as pool:  # they wait for the disk at the same time
        for first, layers in blocks:
            list(pool.map(partial(_write_block, first), drafts, layers))
            progress(min(draft.done for draft in drafts), V)
        return list(pool.map(Draft.finish, drafts))


def _write_block(first: int, draft: Draft, block: NDArray[np.float32]) -> None:
    if first + len(block) > draft.done:
        draft.write(first, block)
        draft.commit_rows(first + len(block))


def _check_torch_loads() -> None:
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:  # a shared library is missing
        raise WordvecError(
            f"torch is installed, but cannot be loaded: {one_line(error)}",
            hint="pip install --force-reinstall torch",
        ) from error
