"""Choosing occurrences of tokens: a uniform sample of each token's occurrences, in one pass.

Each occurrence gets a pseudorandom priority, computed from the seed and its place in the corpus.
The `size` occurrences of each token with the lowest priorities are chosen (bottom-k sampling).
That is a sample without replacement in which all occurrences are equally likely. It depends on
nothing else: parts of a corpus can be scanned in any order, and their samples merged.

Reference: Cohen and Kaplan 2007, Summarizing data using bottom-k sketches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_NONE = np.iinfo(np.uint64).max
_SPARE = 1 << 18  # candidates that may be kept beyond the chosen ones before the worst are dropped


def priorities(seed: int, start: int, count: int) -> NDArray[np.uint64]:
    """Return pseudorandom numbers for the places `start` to `start + count`: (count,) uint64.

    Reference: Steele, Lea and Flood 2014, SplitMix64 (the finaliser of MurmurHash3).
    """
    with np.errstate(over="ignore"):
        x = np.arange(start + 1, start + count + 1, dtype=np.uint64)
        x = (x + np.uint64(_mixed(seed))) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
        return mixed


def _mixed(seed: int) -> int:
    """Spread seeds over 64 bits, so that the places of two seeds do not overlap."""
    from hashlib import sha256

    return int.from_bytes(sha256(str(seed).encode()).digest()[:8], "little")


class Reservoir:
    """A sample of the occurrences of each token, in memory that does not grow with the corpus.

    size: how many occurrences of a token are chosen at most. ignored: tokens that are not counted.
    counts: (V,) int64, all occurrences of each token.
    """

    def __init__(self, tokens: int, size: int, seed: int, ignored: Sequence[int] = ()) -> None:
        self.size = size
        self.seed = seed
        self.counts = np.zeros(tokens, dtype=np.int64)
        self.seen = 0  # places
        self._limits = np.full(tokens, _NONE, dtype=np.uint64)  # above it, none is chosen any more
        self._limits[list(ignored)] = 0
        self._ignored = list(ignored)
        self._tokens = np.empty(0, dtype=np.int32)
        self._priorities = np.empty(0, dtype=np.uint64)
        self._places = np.empty(0, dtype=np.int64)
        self._waiting: list[tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]] = []
        self._candidates = 0

    def see(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """Count the tokens of the next part of the corpus.

        Returns:
            Which of them may be chosen: (n,) bool; and their priorities, for `keep`: (n,) uint64.
        """
        self.counts += np.bincount(ids, minlength=len(self.counts))
        self.counts[self._ignored] = 0
        ranks = priorities(self.seed, self.seen, len(ids))
        self.seen += len(ids)
        return ranks < self._limits[ids], ranks

    def keep(
        self, ids: NDArray[np.int32], ranks: NDArray[np.uint64], places: NDArray[np.int64]
    ) -> None:
        """Keep tokens that may be chosen, with their priorities and the places to remember."""
        self._waiting.append((ids, ranks, places))
        self._candidates += len(ids)
        if self._candidates > len(self._tokens) + _SPARE + len(self.counts) * self.size // 4:
            self._drop_worst()

    def chosen(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the tokens and the places of the sample, by token and priority: (n,) each."""
        self._drop_worst()
        return self._tokens, self._places

    def _drop_worst(self) -> None:
        """Keep the best candidates of each token, and lower the limits."""
        columns = zip((self._tokens, self._priorities, self._places), *self._waiting, strict=True)
        tokens, ranks, places = map(np.concatenate, columns)
        order = np.lexsort((ranks, tokens))
        tokens, ranks, places = tokens[order], ranks[order], places[order]
        starts = np.searchsorted(tokens, np.arange(len(self.counts)))
        rank = np.arange(len(tokens)) - starts[tokens]
        last = rank == self.size - 1
        self._limits[tokens[last]] = ranks[last]
        best = rank < self.size
        self._tokens, self._priorities, self._places = tokens[best], ranks[best], places[best]
        self._waiting = []
        self._candidates = len(self._tokens)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that `restore` needs."""
        self._drop_worst()
        return {
            "counts": self.counts,
            "limits": self._limits,
            "tokens": self._tokens,
            "priorities": self._priorities,
            "places": self._places,
            "seen": np.array(self.seen),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue as the reservoir whose `arrays` were saved."""
        self.counts, self.seen = arrays["counts"], int(arrays["seen"])
        self._limits, self._places = arrays["limits"], arrays["places"]
        self._tokens, self._priorities = arrays["tokens"], arrays["priorities"]
        self._candidates = len(self._tokens)
