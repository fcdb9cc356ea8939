"""Extract the contextual vectors of a model from a corpus, one table for each layer.

The corpus is scanned, then the model computes the chosen occurrences; both passes write checkpoints
to the folder of the last table's draft. The tables are written when all sums are complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import StoreError
from wordvec.extraction.corpus import Corpus
from wordvec.extraction.layer_tables import (
    LayerTables,
    load_model,
    notify_restart,
    open_drafts,
    prepare_model,
)
from wordvec.extraction.saved import CorpusSummary, ExtractionResult, describe
from wordvec.extraction.scan import Scan
from wordvec.extraction.settings import POSITIONS
from wordvec.extraction.shared_work import Plan
from wordvec.extraction.workers import default_workers
from wordvec.tables.occurrences import Occurrences

if TYPE_CHECKING:
    import torch

    from wordvec.extraction.contextual import Sums
    from wordvec.extraction.layer_tables import Callbacks, Request
    from wordvec.extraction.ranks import Ranks
    from wordvec.extraction.scan import Sample
    from wordvec.extraction.settings import ContextualSettings
    from wordvec.tables.draft import Draft
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable
    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True)
class _Run:
    """One extraction: what is computed, with what, and where the drafts are."""

    request: Request
    settings: ContextualSettings
    encoder: torch.nn.Module
    vocabulary: Vocabulary
    tables: LayerTables
    drafts: list[Draft]
    calls: Callbacks

    @property
    def folder(self) -> Draft:
        """The draft that has the checkpoints: the one that is finished last."""
        return self.drafts[-1]


def extract_contextual(
    request: Request,
    settings: ContextualSettings,
    store: Store,
    calls: Callbacks,
    ranks: Ranks,
) -> ExtractionResult:
    """Extract the layers that are not saved yet; see `extract` for the arguments and errors."""
    corpus = Corpus.of(settings.corpus, settings.field)  # before seconds are spent on the model
    encoder, vocabulary = load_model(request, calls)
    from wordvec.extraction.carriers import make_carriers
    from wordvec.extraction.dynamic import layer_widths

    carriers = make_carriers((), vocabulary)
    tables = LayerTables.find(request, store, layer_widths(encoder, carriers))
    if not tables.missing:
        return ExtractionResult(tuple(tables.saved.values()))
    records = [store.draft_record(name) for name in tables.missing.values()]
    positions = POSITIONS * settings.batch_size
    request, run = prepare_model(encoder, request, positions, records, calls)
    run |= {"batch_size": settings.batch_size, "corpus": corpus.fingerprint}
    with open_drafts(request, store, tables, vocabulary, run) as drafts:
        extraction = _Run(request, settings, encoder, vocabulary, tables, drafts, calls)
        sample = _scan(extraction, corpus)
        sent = replace(sample, pieces=np.asarray(sample.pieces))  # not the file
        plan = Plan(request, run["linear"], tables.numbers, settings.batch_size, 0, sent)
        ranks.share_plan(plan)
        written = _write(extraction, sample, _compute(extraction, sample, positions, ranks))
    saved = tables.saved | {table.name: describe(store, table) for table in written}
    return ExtractionResult(
        tuple(saved[name] for name in tables.names.values()),
        corpus=_summary(sample, settings.sampling.min_count),
    )


def _scan(run: _Run, corpus: Corpus) -> Sample:
    calls, settings = run.calls, run.settings
    notify_restart((draft.restarted for draft in run.drafts), calls.notify)
    folder = run.folder.checkpoint
    folder.mkdir(exist_ok=True)
    scan = Scan(corpus, settings.sampling, folder, run.vocabulary)
    if before := scan.state.sentences:
        calls.notify(f"resuming an interrupted extraction after {before:,} sentences were read")
    calls.status("reading the corpus")
    workers = default_workers() if settings.workers is None else settings.workers
    sample = scan.run(
        run.request.source.folder, workers=workers, progress=calls.progress, status=calls.status
    )
    notify_restart([scan.restarted], calls.notify)
    if not len(sample.tokens):
        raise _no_tokens(sample, settings.sampling.min_count)
    return sample


def _no_tokens(sample: Sample, min_count: int) -> StoreError:
    if not sample.counts.any():
        return StoreError("the corpus has no token of this vocabulary")
    most = int(sample.counts.max())
    return StoreError(
        f"no token is in the corpus {min_count} times: the most frequent one is there {most} times",
        hint=f"min_count={most}, or a larger corpus",
    )


def _compute(run: _Run, sample: Sample, positions: int, ranks: Ranks) -> Sums:
    from wordvec.extraction.contextual import Batches, add_occurrences

    tables = run.tables
    run.calls.status(f"computing: {len(sample.tokens):,} occurrences")
    return add_occurrences(
        run.encoder,
        run.vocabulary,
        Batches.of(sample, positions),
        {number: tables.widths[number] for number in tables.missing},
        run.folder.checkpoint,
        last=len(tables.widths) - 1,
        ranks=ranks,
        progress=run.calls.progress,
        status=run.calls.status,
    )


def _write(run: _Run, sample: Sample, sums: Sums) -> list[VectorTable]:
    """Write the tables, that with the checkpoints last."""
    numbers = np.bincount(sample.tokens, minlength=len(sample.counts))
    state = sample.state
    found: dict[str, object] = {
        "text": f"sha256:{state.digest}",
        "sentences_read": state.sentences,
        "tokens_read": state.tokens,
        "occurrences": len(sample.tokens),
    }
    written = []
    for number, draft in zip(run.tables.missing, run.drafts, strict=True):
        means = sums.means(number, numbers)
        draft.write(0, means)
        draft.commit_rows(len(means))
        occurrences = Occurrences(
            sample.counts, sums.resultants(number, numbers), run.settings.sampling.min_count
        )
        written.append(draft.finish(occurrences, found))
    return written


def _summary(sample: Sample, min_count: int) -> CorpusSummary:
    state, counts = sample.state, sample.counts
    return CorpusSummary(
        sentences=state.sentences,
        tokens=state.tokens,
        long=state.long,
        replaced=state.replaced,
        occurrences=len(sample.tokens),
        min_count=min_count,
        rare=int(((counts > 0) & (counts < min_count)).sum()),
        unseen=int((counts == 0).sum()),
    )
