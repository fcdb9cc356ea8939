"""Extract dynamic vectors: one pass over the vocabulary of a model, one table for each layer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from wordvec.extraction.layer_tables import (
    LayerTables,
    load_model,
    notify_restart,
    open_drafts,
    prepare_model,
)
from wordvec.extraction.saved import ExtractionResult, describe
from wordvec.extraction.shared_work import Plan, gather_blocks
from wordvec.extraction.static_table import ensure_static
from wordvec.tables.draft import Draft
from wordvec.tables.name import Mode, TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.extraction.layer_tables import Callbacks, Request
    from wordvec.extraction.ranks import Ranks
    from wordvec.progress import Notify, Progress
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable


def extract_dynamic(
    request: Request, store: Store, calls: Callbacks, ranks: Ranks
) -> ExtractionResult:
    """Extract the layers that are not saved yet; see `extract` for the arguments and errors."""
    encoder, vocabulary = load_model(request, calls)
    from wordvec.extraction.carriers import make_carriers
    from wordvec.extraction.dynamic import compute_blocks, layer_widths

    source, settings = request.source, request.settings
    carriers = make_carriers(settings.templates, vocabulary)
    tables = LayerTables.find(request, store, layer_widths(encoder, carriers))
    if not tables.missing:
        return ExtractionResult(tuple(tables.saved.values()))
    static_saved = ensure_static(source, store)
    batch_size = min(settings.batch_size, len(vocabulary))
    rows = batch_size * max(map(len, carriers))
    records = [store.draft_record(name) for name in tables.missing.values()]
    request, run = prepare_model(encoder, request, rows, records, calls)
    run = {"batch_size": batch_size, **run}
    with open_drafts(request, store, tables, vocabulary, run) as drafts:
        _notify_resumption(drafts, calls.notify)
        start = min(draft.done for draft in drafts)
        plan = Plan(request, run["linear"], tables.numbers, batch_size, start)
        ranks.share_plan(plan)
        blocks = compute_blocks(
            encoder,
            carriers,
            len(vocabulary),
            batch_size=batch_size,
            layers=tables.numbers,
            pool=settings.pool,
            start=start,
            share=(ranks.rank, ranks.size),
        )
        calls.status("")
        gathered = gather_blocks(ranks, blocks, len(vocabulary), plan)
        written = write_blocks(drafts, gathered, calls.progress)
    saved = tables.saved | {table.name: describe(store, table) for table in written}
    also_saved = TableName(source.name, Mode.STATIC) if static_saved else None
    return ExtractionResult(
        tuple(saved[name] for name in tables.names.values()), also_saved=also_saved
    )


def _notify_resumption(drafts: Sequence[Draft], notify: Notify) -> None:
    notify_restart((draft.restarted for draft in drafts), notify)
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
