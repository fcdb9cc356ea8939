"""A score of every row in float32, how far off it may be, and the rows that it cannot rule out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """For each row a key (smaller is better) and how far off it may be: (V,) float64 each."""

    keys: Floats
    error: Floats

    def nominate(self, k: int, allowed: Mask) -> Rows:
        """Every allowed row that could be among the k best, ascending."""
        at_worst, at_best = self.keys + self.error, self.keys - self.error
        if not allowed.all():
            at_worst[~allowed] = np.inf
            return np.flatnonzero((at_best <= _kth_at_most(at_worst, k)) & allowed)
        return np.flatnonzero(at_best <= _kth_at_most(at_worst, k))

    def around(self, row: int, allowed: Mask) -> tuple[int, Rows]:
        """How many rows are surely better than `row`, and which (itself too) may be either."""
        low, high = self.keys - self.error, self.keys + self.error
        better = allowed & (high < low[row])
        unsure = allowed & ~better & (low <= high[row])
        return int(better.sum()), np.flatnonzero(unsure)


def _kth_at_most(values: Floats, k: int) -> float:
    """A value that at least k of `values` do not exceed, near the k-th smallest.

    The k-th smallest of the minima of groups is one, and far cheaper than a partition of all.
    """
    n = len(values)
    if k >= n:
        return np.inf
    group = max(1, min(32, n // (8 * k)))
    if group > 1:
        values = values[: n - n % group].reshape(group, -1).min(axis=0)
    return float(np.partition(values, k - 1)[k - 1])
