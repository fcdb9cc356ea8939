"""Dynamic vectors: each token of the vocabulary passed through the model in a sentence.

    [CLS] token [SEP]  →  the hidden state at the token's position, in one layer or several

The model gets ids, not text: no tokenizer, no padding, no mask; `##王` stays `##王`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from wordvec.errors import ModelError, UsageError
from wordvec.extraction.checkpoint import one_line
from wordvec.extraction.encoder import find_device, quiet_transformers
from wordvec.extraction.linear import Choice, choose_way, replace_linears
from wordvec.extraction.settings import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.extraction.carriers import Carrier
    from wordvec.extraction.settings import ExtractionSettings


ALONE = 3  # positions of [CLS] token [SEP]


def prepare(
    model: torch.nn.Module,
    settings: ExtractionSettings,
    rows: int,
    *,
    recorded: tuple[object, object] = (None, None),
) -> Choice:
    """Move a model to its device and replace its linear layers by the fastest, in place.

    rows: how many positions a batch has.
    recorded: dtype and product of an interrupted extraction, see `choose_way`.
    Returns how the linear layers multiply, and why.
    """
    model.to(find_device(settings.device))
    dtype, force = settings.dtype, settings.force_dtype
    choice = choose_way(model, dtype, rows=rows, recorded=recorded, force=force)
    replace_linears(model, choice.way, rows=rows)
    return choice


def layer_widths(model: torch.nn.Module, carriers: Sequence[Carrier]) -> list[int]:
    """Return D of each layer, from 0, the output of the embedding block, to the last.

    Raises:
        UsageError: a carrier has more positions than the model can read.
    """
    for carrier in sorted(carriers, key=len):
        try:
            states = hidden_states(model, _batch(carrier, range(1)), every=True)
        except ModelError as error:
            if len(carrier) <= ALONE:
                raise
            raise UsageError(
                f"a template has {len(carrier)} positions, more than the model can read",
                hint="use a shorter one",
            ) from error
    return [int(state.shape[-1]) for state in states]


def compute_blocks(  # noqa: PLR0913  # what decides the vectors
    model: torch.nn.Module,
    carriers: Sequence[Carrier],
    tokens: int,
    *,
    batch_size: int,
    layers: Sequence[int] | None = None,
    pool: Pool = Pool.TOKEN,
    start: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Iterator[tuple[int, list[NDArray[np.float32]]]]:
    """Yield the vectors of the first `tokens` ids batch by batch.

    Args:
        model: the encoder.
        carriers: the sentences; the vectors are averaged over them.
        tokens: V, their number.
        batch_size: B, tokens per forward pass.
        layers: their numbers; None for the last layer.
        pool: how the hidden states of a sentence become one vector.
        start: the row at which to resume. Batches begin at multiples of `batch_size`, so a row is
            always computed in the same batch, and its vector is the same to the last bit.
        share: (rank, size): compute one batch of `size` batches, the one at `rank`.

    Yields:
        The first row of a block, and for each layer the block, (B, D) float32.
    """
    rank, size = share
    begin = start - start % batch_size + rank * batch_size
    for first in range(begin, tokens, batch_size * size):
        ids = range(first, min(first + batch_size, tokens))
        total: list[torch.Tensor] = []
        with torch.inference_mode():  # inside the loop: otherwise it stays on in the caller's code
            for carrier in carriers:
                states = hidden_states(model, _batch(carrier, ids), every=layers is not None)
                pooled = [
                    _pool(states[layer], carrier, pool)
                    for layer in ([-1] if layers is None else layers)
                ]
                total = list(map(torch.add, total, pooled)) if total else pooled
            mean = [rows / len(carriers) for rows in total] if len(carriers) > 1 else total
            blocks = [rows.to("cpu", torch.float32).numpy() for rows in mean]
        yield first, blocks


def _batch(carrier: Carrier, ids: range) -> torch.Tensor:
    """Return the ids of each token in a carrier, (B, positions)."""
    batch = torch.empty((len(ids), len(carrier)), dtype=torch.long)
    place = len(carrier.before)
    batch[:, :place] = torch.tensor(carrier.before)
    batch[:, place] = torch.arange(ids.start, ids.stop)
    batch[:, place + 1 :] = torch.tensor(carrier.after)
    return batch


def hidden_states(
    model: torch.nn.Module, batch: torch.Tensor, mask: torch.Tensor | None = None, *, every: bool
) -> Sequence[torch.Tensor]:
    """Return the hidden states of each layer, or of the last: each (B, positions, D).

    batch: the ids, (B, positions). mask: 0 for padding; None if there is none.
    """
    try:
        with torch.inference_mode(), quiet_transformers():
            device = next(model.parameters()).device
            padding = {} if mask is None else {"attention_mask": mask.to(device)}
            output: Any = model(input_ids=batch.to(device), output_hidden_states=every, **padding)
            # The last is what the model returns: some normalise it once more.
            return [*(output.hidden_states[:-1] if every else ()), output.last_hidden_state]
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"the device has too little memory for {len(batch)} tokens at once",
            hint=f"batch_size={max(1, len(batch) // 4)}",
        ) from error
    except Exception as error:  # of any kind, for fields of config.json that make no sense
        raise ModelError(
            f"the model of this config.json cannot compute vectors: {one_line(error)}"
        ) from error


def _pool(hidden: torch.Tensor, carrier: Carrier, pool: Pool) -> torch.Tensor:
    """Return one vector for each sentence: (B, positions, D) → (B, D)."""
    match pool:
        case Pool.TOKEN:
            return hidden[:, len(carrier.before)]
        case Pool.MEAN:
            return hidden[:, 1:-1].mean(dim=1)
        case Pool.MEAN_ALL:
            return hidden.mean(dim=1)
        case Pool.CLS:
            return hidden[:, 0]
