"""Contextual vectors: the mean of a token's hidden states over its occurrences in sentences.

    [CLS] piece [SEP]  →  hidden states at the chosen layers  →  added to the sum of each token

The pieces with chosen occurrences are known before the model runs (`scan`). They are sorted by
length, so that a batch has hardly any padding, and the batches are the same however often the pass
is interrupted. Memory is that of the model, one batch and two sums of (V, D) for each layer.

Reference: Bommasani, Davis and Cardie 2020, Interpreting pretrained contextualized representations
via reductions to static embeddings; Vulić et al. 2020, Probing pretrained language models for
lexical semantics. The mean resultant length: Mardia and Jupp 2000, Directional Statistics, 2.3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
import torch

from wordvec.extraction.carriers import special_ids
from wordvec.extraction.dynamic import hidden_states
from wordvec.extraction.ranks import Ranks
from wordvec.extraction.scan import STATUS_SECONDS
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.tables.files import read_npz, wrap_os_errors, write_npz
from wordvec.tables.name import Mode
from wordvec.tables.table import row_norms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.extraction.scan import Sample
    from wordvec.vocabulary.lookup import Vocabulary

CHECKPOINT_SECONDS = 120.0
_SUMS = "sums.npz"
_AROUND = 2  # [CLS] and [SEP]
_SCANNED_AT_ONCE = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """The pieces to compute, the longest first, in batches.

    starts, lengths: (m,) int64, the place of each piece in `sample.pieces`, and its tokens.
    bounds: the first piece of each batch, and m.
    first: (m,) int64, the first occurrence of each piece in `order`. order: (n,) int64, the
    occurrences of the sample, those of one piece together; there are `chosen` of each piece.
    """

    sample: Sample
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    bounds: list[int]
    first: NDArray[np.int64]
    chosen: NDArray[np.int64]

    @classmethod
    def of(cls, sample: Sample, positions: int) -> Batches:
        """Sort pieces by length, and form batches of at most so many positions.

        positions: with [CLS], [SEP] and padding. A longer piece is a batch of its own.
        """
        ends = piece_ends(sample.pieces)
        piece_of = np.searchsorted(ends, sample.places)
        used, first, chosen = np.unique(piece_of, return_index=True, return_counts=True)
        starts = np.where(used > 0, ends[used - 1] + 1, 0)
        lengths = ends[used] - starts
        order = np.argsort(-lengths, kind="stable")
        lengths = lengths[order]
        bounds = batch_bounds(lengths + _AROUND, positions)
        return cls(sample, starts[order], lengths, bounds, first[order], chosen[order])

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def tokens_before(self, batch: int) -> int:
        """Return the tokens of the pieces before a batch."""
        return int(self.lengths[: self.bounds[batch]].sum())

    def inputs(self, batch: int, cls_id: int, sep_id: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and attention mask of a batch: (B, L) int64 each.

        Padding is [SEP], which the mask hides.
        """
        pieces = range(self.bounds[batch], self.bounds[batch + 1])
        L = int(self.lengths[pieces[0]]) + _AROUND
        ids = np.full((len(pieces), L), sep_id, dtype=np.int64)
        ids[:, 0] = cls_id
        for row, piece in enumerate(pieces):
            start, length = self.starts[piece], self.lengths[piece]
            ids[row, 1 : length + 1] = self.sample.pieces[start : start + length]
            ids[row, 1 : length + 1] -= 1
        used = self.lengths[pieces.start : pieces.stop, None] + _AROUND
        return torch.from_numpy(ids), torch.from_numpy((np.arange(L) < used).astype(np.int64))

    def occurrences(self, batch: int, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the chosen occurrences of a batch. positions: L.

        Returns:
            Their rows among all B × L positions, and their tokens: (n,) int64 each.
        """
        pieces = slice(self.bounds[batch], self.bounds[batch + 1])
        chosen = self.chosen[pieces]
        row = np.repeat(np.arange(len(chosen)), chosen)
        inside = np.arange(len(row)) - np.repeat(np.cumsum(chosen) - chosen, chosen)
        which = self.first[pieces][row] + inside  # occurrences of the sample
        position = self.sample.places[which] - self.starts[pieces][row] + 1
        tokens = self.sample.tokens[which].astype(np.int64)
        return torch.from_numpy(row * positions + position), torch.from_numpy(tokens)


def piece_ends(pieces: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the place of the 0 after each piece, without reading all pieces at once."""
    blocks = [
        start + np.flatnonzero(pieces[start : start + _SCANNED_AT_ONCE] == 0)
        for start in range(0, len(pieces), _SCANNED_AT_ONCE)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *blocks])


def batch_bounds(lengths: NDArray[np.int64], positions: int) -> list[int]:
    """Divide rows, the longest first, into batches of at most so many positions with padding.

    >>> batch_bounds(np.array([9, 5, 4, 2, 2]), 10)
    [0, 1, 3, 5]
    """
    bounds = [0]
    while bounds[-1] < len(lengths):
        longest = int(lengths[bounds[-1]])
        bounds.append(min(bounds[-1] + max(1, positions // longest), len(lengths)))
    return bounds


class Sums:
    """The sums of each token's hidden states and of their directions, at each layer.

    hidden, directions: layer → (V, D) float32, on the device of the model. done: batches.
    """

    def __init__(self, tokens: int, widths: Mapping[int, int], device: torch.device) -> None:
        self.hidden = {
            layer: torch.zeros((tokens, width), device=device) for layer, width in widths.items()
        }
        self.directions = {layer: torch.zeros_like(one) for layer, one in self.hidden.items()}
        self.done = 0

    def add(self, layer: int, tokens: torch.Tensor, hidden: torch.Tensor) -> None:
        """Add the hidden states of some occurrences, (n, D) float32, to those of their tokens."""
        lengths = torch.linalg.vector_norm(hidden, dim=1, keepdim=True)
        directions = hidden / lengths.clamp_min(torch.finfo(torch.float32).tiny)
        for sums, rows in ((self.hidden[layer], hidden), (self.directions[layer], directions)):
            if sums.device.type == "cpu":
                sums.index_add_(0, tokens, rows)
            else:  # the order of additions of index_add_ is not fixed on a GPU
                sums.index_put_((tokens,), rows, accumulate=True)

    def save(self, folder: Path) -> None:
        """Write a checkpoint."""
        arrays = {name: tensor.cpu().numpy() for name, tensor in self._named()}
        with wrap_os_errors(folder):
            write_npz(folder / _SUMS, {"done": np.array(self.done), **arrays})

    def load(self, folder: Path) -> None:
        """Continue from a checkpoint, if there is one that can be read."""
        try:
            saved = read_npz(folder / _SUMS)
            done = int(saved["done"])
            tensors = {name: torch.from_numpy(saved[name]) for name, _ in self._named()}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return
        for name, tensor in self._named():
            tensor.copy_(tensors[name])
        self.done = done

    def add_up(self, ranks: Ranks) -> None:
        """Add the sums of all ranks to those of rank 0; the others start again from 0."""
        for _, tensor in self._named():
            ranks.add_up(tensor)

    def _named(self) -> Iterator[tuple[str, torch.Tensor]]:
        for kind, tensors in (("hidden", self.hidden), ("directions", self.directions)):
            for layer, tensor in tensors.items():
                yield f"{kind}{layer}", tensor

    def means(self, layer: int, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the mean hidden state of each token at a layer: (V, D); 0 without occurrences.

        numbers: (V,) how many occurrences were added.
        """
        divisors = np.maximum(numbers, 1)[:, None].astype(np.float32)
        return np.asarray(self.hidden[layer].cpu().numpy() / divisors, dtype=np.float32)

    def resultants(self, layer: int, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean resultant length of each token: (V,) float64; NaN without occurrences.

        1: all its hidden states have the same direction; 0: their directions cancel out.
        """
        lengths = row_norms(self.directions[layer].cpu().numpy())
        divisors = np.where(numbers > 0, numbers, np.nan)
        return lengths / divisors


def add_occurrences(  # noqa: PLR0913  # everything that the sums depend on
    model: torch.nn.Module,
    vocabulary: Vocabulary,
    batches: Batches,
    widths: Mapping[int, int],
    folder: Path | None,
    *,
    last: int,
    ranks: Ranks | None = None,
    progress: Progress = no_progress,
    status: Notify = ignore_note,
) -> Sums:
    """Run the model over all batches and return the sums, from the last checkpoint on.

    Args:
        model: the encoder, on its device.
        vocabulary: of the model, with V tokens.
        batches: the pieces, and their occurrences.
        widths: D of each layer to compute, by its number.
        folder: for the checkpoints; None except on rank 0.
        last: the number of the model's last layer.
        ranks: that compute batches in turn; the sums are those of rank 0.
        progress: called with the numbers of tokens.
        status: called with the numbers of sentences and of tokens per second.
    """
    ranks = ranks or Ranks()
    device = next(model.parameters()).device
    sums = Sums(len(vocabulary), widths, device)
    if folder is not None:
        sums.load(folder)
    sums.done = ranks.broadcast(sums.done)
    report = _Report(batches, sums.done, progress, status)
    due = time.monotonic() + CHECKPOINT_SECONDS
    layers = None if [*widths] == [last] else [*widths]
    share = range(sums.done + ranks.rank, len(batches), ranks.size)
    own = _run(model, vocabulary, batches, layers, share)
    for first in range(sums.done, len(batches), ranks.size):
        for tokens, states in islice(own, 1):
            for layer, hidden in zip(widths, states, strict=True):
                sums.add(layer, tokens, hidden)
        sums.done = min(first + ranks.size, len(batches))
        report(sums.done)
        if ranks.broadcast(time.monotonic() > due or sums.done == len(batches)):
            sums.add_up(ranks)
            if folder is not None:
                sums.save(folder)
            due = time.monotonic() + CHECKPOINT_SECONDS
    return sums


class _Report:
    """Reports how far the sums are. batches: all of them. done: those of an earlier call."""

    def __init__(self, batches: Batches, done: int, progress: Progress, status: Notify) -> None:
        self.batches, self.progress, self.status = batches, progress, status
        self.total = int(batches.lengths.sum())
        self.before = batches.tokens_before(done)
        self.began = self.next = time.monotonic()
        progress(self.before, self.total)

    def __call__(self, done: int) -> None:
        tokens, now = self.batches.tokens_before(done), time.monotonic()
        if now >= self.next:
            rate = (tokens - self.before) / max(now - self.began, 1e-3)
            pieces = f"{self.batches.bounds[done]:,} of {len(self.batches.lengths):,} sentences"
            self.status(f"computing: {pieces}, {rate:,.0f} tokens/s")
            self.next = now + STATUS_SECONDS
        self.progress(tokens, self.total)


def _run(
    model: torch.nn.Module,
    vocabulary: Vocabulary,
    batches: Batches,
    layers: Sequence[int] | None,
    share: Iterable[int],
) -> Iterator[tuple[torch.Tensor, list[torch.Tensor]]]:
    """Yield the tokens of the occurrences of some batches, and their hidden states at each layer.

    layers: None for the last.
    """
    cls_id, sep_id = special_ids(vocabulary, Mode.CONTEXTUAL)
    device = next(model.parameters()).device
    for batch in share:
        ids, mask = batches.inputs(batch, cls_id, sep_id)
        rows, tokens = (one.to(device) for one in batches.occurrences(batch, ids.shape[1]))
        padded = None if bool(mask.all()) else mask
        with torch.inference_mode():
            states = hidden_states(model, ids, padded, every=layers is not None)
            chosen = [states[layer] for layer in ([-1] if layers is None else layers)]
            occurrences = [one.flatten(0, 1).index_select(0, rows).float() for one in chosen]
        yield tokens, occurrences
