"""What the ranks of torchrun beside rank 0 do: compute their share of the batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.extraction.layer_tables import Callbacks, Request, load_model, prepare_model
from wordvec.extraction.settings import POSITIONS, ContextualSettings
from wordvec.models.find import find_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.extraction.ranks import Ranks
    from wordvec.extraction.scan import Sample

    Block = tuple[int, list[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What rank 0 sends to the others.

    product: how the linear layers multiply; see `linear.Product`. layers: their numbers; None for
    the last. start: the row, or the batch, at which to resume. sample: of a corpus; None for
    dynamic vectors.
    """

    request: Request
    product: object
    layers: list[int] | None
    batch_size: int
    start: int
    sample: Sample | None = None


def help_rank_0(ranks: Ranks) -> None:
    """Compute this rank's share of the batches, and send the results to rank 0."""
    plan: Plan | None = ranks.share_plan(None)
    if plan is None:
        return
    request = plan.request
    source = find_model(request.source.name)
    if source.revision != request.source.revision:
        raise ModelError(
            f"rank {ranks.rank} has revision {source.revision} of {source.name}, and rank 0 has "
            f"{request.source.revision}"
        )
    calls = Callbacks()
    encoder, vocabulary = load_model(request, calls)
    from wordvec.extraction.carriers import make_carriers
    from wordvec.extraction.dynamic import compute_blocks, layer_widths

    settings = request.settings
    carriers = make_carriers(settings.templates, vocabulary)
    widths = layer_widths(encoder, carriers)
    contextual = isinstance(settings, ContextualSettings)
    rows = plan.batch_size * (POSITIONS if contextual else max(map(len, carriers)))
    record = {"dtype": settings.dtype, "settings": {"linear": plan.product}}
    prepare_model(encoder, request, rows, [record], calls)
    if plan.sample is not None:
        from wordvec.extraction.contextual import Batches, add_occurrences

        numbers = [len(widths) - 1] if plan.layers is None else plan.layers
        add_occurrences(
            encoder,
            vocabulary,
            Batches.of(plan.sample, rows),
            {number: widths[number] for number in numbers},
            None,
            last=len(widths) - 1,
            ranks=ranks,
        )
        return
    blocks = compute_blocks(
        encoder,
        carriers,
        len(vocabulary),
        batch_size=plan.batch_size,
        layers=plan.layers,
        pool=settings.pool,
        start=plan.start,
        share=(ranks.rank, ranks.size),
    )
    for _ in gather_blocks(ranks, blocks, len(vocabulary), plan):
        pass


def gather_blocks(
    ranks: Ranks, blocks: Iterator[Block], tokens: int, plan: Plan
) -> Iterator[Block]:
    """Yield the blocks of all ranks on rank 0, in the order of the rows; nothing elsewhere."""
    first = plan.start - plan.start % plan.batch_size
    for _ in range(first, tokens, plan.batch_size * ranks.size):
        gathered: Sequence[Block | None] = ranks.gather(next(blocks, None))
        yield from filter(None, gathered)
