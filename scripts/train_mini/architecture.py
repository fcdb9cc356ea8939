"""The model of step 6: a small BertForMaskedLM whose attention starts at neighbouring words.

A randomly initialised transformer needs millions of tokens to learn that neighbouring words matter.
This initialisation builds it in: the position vectors are sinusoids in a subspace that the word
vectors hardly use (their SUBSPACE weakest principal directions), and some heads start by attending
`offset` places away. Their query and key are both read from that subspace, the query rotated by the
offset, so that query · key = c Σ cos(ω (i + offset - j)) has its maximum at j = i + offset. All
parameters but the position vectors are then trained.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM
from wordpiece import PAD

if TYPE_CHECKING:
    from transformers.models.bert.modeling_bert import BertSelfAttention

Floats = npt.NDArray[np.float32]

LAYERS = 4
HEADS = 4
POSITIONS = 128
INITIAL_STD = 0.04
POSITION_SHARE = 0.7  # norm of a position vector; word vectors have norm 1 on average
SUBSPACE = 32  # directions
SHARPNESS = 1.0  # of the heads that attend to a neighbour
FASTEST, SLOWEST = 2.0, 0.05  # radians per position

# initial offsets of the first heads of each layer; the other heads are random
OFFSETS = ((-1, 1, -2, 2), (-1, 1, -3), (-1, 1), ())


def configuration(vocabulary_size: int, width: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=width,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=4 * width,
        max_position_embeddings=POSITIONS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=INITIAL_STD,
        pad_token_id=PAD,
        tie_word_embeddings=True,
        # plain products: on a CPU the fused attention takes 4 times as long for 64 tokens
        attn_implementation="eager",
    )


def build(table: Floats, log_frequency: Floats) -> BertForMaskedLM:
    """The model at the start of its training.

    table: (V, D) word vectors of mean norm 1; log_frequency: (V,) the output bias.
    """
    model = BertForMaskedLM(configuration(*table.shape))
    subspace = least_directions(table, SUBSPACE)
    embeddings = model.bert.embeddings
    with torch.no_grad():
        embeddings.word_embeddings.weight.copy_(torch.from_numpy(table))
        embeddings.position_embeddings.weight.copy_(positions(subspace))
        embeddings.token_type_embeddings.weight.zero_()
        model.cls.predictions.bias.copy_(torch.from_numpy(log_frequency))
        for layer, offsets in zip(model.bert.encoder.layer, OFFSETS, strict=True):
            for head, offset in enumerate(offsets):
                look_at_neighbour(layer.attention.self, head, offset, subspace)
    return model


def least_directions(table: Floats, count: int) -> Tensor:
    """Return the orthonormal directions in which the vectors vary least: (D, count)."""
    centred = table - table.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # in ascending order
    return torch.from_numpy(np.ascontiguousarray(directions[:, :count], dtype=np.float32))


def frequencies(count: int) -> Tensor:
    """Return frequencies in radians per position, in geometric steps: (count,)."""
    return torch.exp(torch.linspace(math.log(FASTEST), math.log(SLOWEST), count))


def positions(subspace: Tensor) -> Tensor:
    """Return sinusoids: cosines in one half of the subspace, sines in the other: (POSITIONS, D)."""
    half = subspace.shape[1] // 2
    angles = torch.arange(POSITIONS)[:, None] * frequencies(half)
    waves = torch.cat([angles.cos(), angles.sin()], dim=1)  # (POSITIONS, 2 half), of norm √half
    return POSITION_SHARE / math.sqrt(half) * waves @ subspace.T


def look_at_neighbour(
    attention: BertSelfAttention, head: int, offset: int, subspace: Tensor
) -> None:
    """Set one head's query and key so that it attends `offset` places away."""
    first = head * attention.attention_head_size
    rows = slice(first, first + subspace.shape[1])  # the head's other rows stay random
    attention.query.weight[rows] = SHARPNESS * turned(subspace, offset)
    attention.key.weight[rows] = SHARPNESS * subspace.T


def turned(subspace: Tensor, offset: int) -> Tensor:
    """Return the matrix that reads the subspace as it is `offset` positions later: (size, D)."""
    half = subspace.shape[1] // 2
    angle = offset * frequencies(half)
    cosines, sines = subspace.T[:half], subspace.T[half:]
    return torch.cat(
        [
            angle.cos()[:, None] * cosines - angle.sin()[:, None] * sines,
            angle.sin()[:, None] * cosines + angle.cos()[:, None] * sines,
        ]
    )
