"""The loss of a large vocabulary, exactly or from a sample.

The sample has every frequent token and some of the others, drawn uniformly. Each drawn one is
weighted by the inverse of its probability, so that the sum in the softmax is unbiased.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

FREQUENT = 4096  # the first rows of the vocabulary: always in the sum
DRAWN = 2048  # of the other rows


def exact(hidden: Tensor, table: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross entropy. hidden: (M, D); table: (V, D); bias: (V,); target: (M,)."""
    return functional.cross_entropy((hidden @ table.T).float() + bias, target)


def sampled(hidden: Tensor, table: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    """Return the same over FREQUENT and DRAWN rows and the row of the target."""
    rest = table.shape[0] - FREQUENT
    drawn = torch.randperm(rest, device=table.device)[:DRAWN] + FREQUENT
    rows = torch.cat([torch.arange(FREQUENT, device=table.device), drawn])
    logits = (hidden @ table[rows].T).float() + bias[rows]
    logits[:, FREQUENT:] += math.log(rest / DRAWN)
    logits = logits.masked_fill(rows == target[:, None], -math.inf)  # the target is added below
    own = (hidden.float() * table[target]).sum(dim=1) + bias[target]
    return (torch.logaddexp(logits.logsumexp(dim=1), own) - own).mean()
