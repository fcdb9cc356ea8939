"""Dynamic vectors: each token of the vocabulary passed through the model as a sentence.

    [CLS] token [SEP]  →  the last hidden state at position 1

The model gets ids, not text: no tokenizer, no padding, no mask; `##王` stays `##王`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from wordvec.errors import ModelError
from wordvec.extraction.linear import Product, choose_product, replace_linears

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

POSITIONS = 3  # [CLS] token [SEP]


def prepare(
    model: torch.nn.Module,
    device: torch.device,
    dtype: str,
    batch_size: int,
    *,
    recorded: object = None,
) -> Product:
    """Move a model to its device and replace its linear layers by the fastest, in place.

    recorded: the product that an interrupted extraction used, see `choose_product`.
    Returns the product that the linear layers use.
    """
    model.to(device)
    rows = POSITIONS * batch_size
    torch_dtype = getattr(torch, dtype)
    product = choose_product(model, torch_dtype, rows=rows, recorded=recorded)
    replace_linears(model, torch_dtype, product, rows=rows)
    return product


def compute_blocks(
    model: torch.nn.Module, vocabulary: Vocabulary, *, batch_size: int, start: int = 0
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the vectors batch by batch: the first row of a block, and the block, (B, D) float32.

    start: the row at which to resume. Batches begin at multiples of `batch_size`, so a row is
    always computed in the same batch, and its vector is the same to the last bit.
    """
    cls_id, sep_id = special_ids(vocabulary)
    V = len(vocabulary)
    device = next(model.parameters()).device
    for first in range(start - start % batch_size, V, batch_size):
        ids = torch.arange(first, min(first + batch_size, V))
        batch = torch.empty((len(ids), POSITIONS), dtype=torch.long)  # (B, 3)
        batch[:, 0] = cls_id
        batch[:, 1] = ids
        batch[:, 2] = sep_id
        with torch.inference_mode():  # inside the loop: otherwise it stays on in the caller's code
            hidden = model(input_ids=batch.to(device)).last_hidden_state  # (B, 3, D)
            rows = hidden[:, 1].to("cpu", torch.float32)
        yield first, rows.numpy()


def special_ids(vocabulary: Vocabulary, mode: str = "dynamic") -> tuple[int, int]:
    """Return the ids of [CLS] and [SEP], or raise ModelError."""
    if vocabulary.cls_id is None or vocabulary.sep_id is None:
        raise ModelError(
            f"{mode} vectors need the tokens [CLS] and [SEP] (or <s> and </s>), "
            "and this vocabulary does not have them"
        )
    return vocabulary.cls_id, vocabulary.sep_id
