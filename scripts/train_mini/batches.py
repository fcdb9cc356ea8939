"""Windows of token ids with whole words masked: the input of step 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from files import parts_of
from weights import Weights, source_of
from wordpiece import CLS, CONTINUES, MASK, SEP, SPECIALS

if TYPE_CHECKING:
    from pathlib import Path

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# window lengths, with [CLS] and [SEP], and their probabilities: mostly 64; some long ones for
# sentences; some short ones, down to a single token, since `[CLS] token [SEP]` is the main use of
# the model
ALONE = 3
LENGTHS = ((64, 0.74), (128, 0.08), (16, 0.08), (ALONE, 0.1))
KEPT, RANDOM = 0.1, 0.1  # shares of the chosen words, as in BERT; the rest becomes [MASK]


@dataclass(frozen=True, slots=True)
class Text:
    """All parts as one sequence of ids, and the probability that a window begins in each part."""

    ids: npt.NDArray[np.uint16]  # (N,)
    starts: Ids  # (parts + 1,)
    share: npt.NDArray[np.float64]  # (parts,), sums to 1

    @classmethod
    def read(cls, folder: Path, weights: Weights) -> Text:
        parts = parts_of(folder, ".npy")
        arrays = [np.load(part) for part in parts]
        sizes = np.array([len(ids) for ids in arrays])
        share = sizes * [weights.of(source_of(part)) for part in parts]
        starts = np.concatenate([[0], sizes.cumsum()])
        return cls(np.concatenate(arrays), starts, share / share.sum())

    def windows(self, count: int, length: int, random: np.random.Generator) -> Ids:
        """Return windows: [CLS], text with [SEP] between its lines, [SEP]: (count, length)."""
        part = random.choice(len(self.share), size=count, p=self.share)
        room = np.maximum(self.starts[part + 1] - self.starts[part] - length, 1)
        begin = self.starts[part] + (random.random(count) * room).astype(np.int64)
        batch = np.full((count, length), SEP, dtype=np.int64)
        batch[:, 0] = CLS
        inside = begin[:, None] + np.arange(length - 2)  # (count, length - 2)
        batch[:, 1:-1] = self.ids[np.minimum(inside, len(self.ids) - 1)]
        return batch


def continues(tokens: list[str]) -> Mask:
    """Return which tokens continue a word: (V,)."""
    return np.array([token.startswith(CONTINUES) and len(token) > 2 for token in tokens])


def words_of(batch: Ids, continuing: Mask) -> Ids:
    """Return the number of the word that each position belongs to, per window: (B, L)."""
    return np.cumsum(~continuing[batch], axis=1) - 1


def choose(batch: Ids, continuing: Mask, rate: float, random: np.random.Generator) -> Mask:
    """Return the positions of words chosen with probability `rate`, no specials: (B, L)."""
    drawn = random.random(batch.shape) < rate  # each word uses one draw, at its number
    chosen = np.take_along_axis(drawn, words_of(batch, continuing), axis=1)
    return chosen & (batch >= len(SPECIALS))


def hide(batch: Ids, chosen: Mask, size: int, random: np.random.Generator) -> Ids:
    """Return the batch as the model reads it: chosen positions are [MASK], kept, or random."""
    fate = random.random(batch.shape)
    seen = np.where(chosen & (fate >= KEPT + RANDOM), MASK, batch)
    anything = random.integers(len(SPECIALS), size, size=batch.shape)
    return np.where(chosen & (fate < RANDOM), anything, seen)


def alone(count: int, size: int, random: np.random.Generator) -> Ids:
    """Return [CLS] token [SEP] with tokens drawn uniformly from the vocabulary: (count, 3)."""
    batch = np.full((count, ALONE), SEP, dtype=np.int64)
    batch[:, 0] = CLS
    batch[:, 1] = random.integers(len(SPECIALS), size, size=count)
    return batch


def length(random: np.random.Generator) -> int:
    lengths, chances = zip(*LENGTHS, strict=True)
    return int(random.choice(lengths, p=chances))
