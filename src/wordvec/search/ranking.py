"""One question as a ranking of all rows: bounds for every row, exact scores for a few.

Every method makes a `Ranking` (see `engine` and `methods`), and every answer is read from one: the
rows whose bounds allow them among the k best are scored in float64; ties go to the lower row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    RowIds: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The best rows of one query, best first.

    ids: (k,) int64, rows. scores: (k,) float64, distances (not squared) or similarities.
    """

    ids: RowIds
    scores: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBounds:
    """A key for each row (smaller is better) and the largest error of the keys.

    keys: (V,) float64. error: one for all rows, or (V,) float64; infinite for a row whose key is
    unknown.
    """

    keys: Floats
    error: Floats | float

    def nominate(self, k: int, allowed: Mask) -> RowIds:
        """Return every allowed row that could be among the k best, ascending."""
        if isinstance(self.error, np.ndarray):
            worst = np.where(allowed, self.keys + self.error, np.inf)
            return np.flatnonzero((self.keys - self.error <= _kth_smallest(worst, k)) & allowed)
        keys = self.keys if allowed.all() else np.where(allowed, self.keys, np.inf)
        rows = np.flatnonzero(keys <= _kth_smallest(keys, k) + 2 * self.error)
        return rows[allowed[rows]]

    def around(self, row: int, allowed: Mask) -> tuple[int, RowIds]:
        """Return how many rows are surely better than `row`, and those that could be either."""
        low, high = self.keys - self.error, self.keys + self.error
        better = allowed & (high < low[row])
        unsure = allowed & ~better & (low <= high[row])
        return int(better.sum()), np.flatnonzero(unsure)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """How one question ranks the rows of a table: by bounds for all, exactly for a few.

    score: rows (n,) → their scores (n,) in float64; descending: whether larger is better.
    rankable: (V,) bool, the rows that have a score.
    """

    bounds: ScoreBounds
    score: Callable[[RowIds], Floats]
    rankable: Mask
    descending: bool = True

    def best(self, k: int, allowed: Mask | None = None) -> Hits:
        """Return the k best of the allowed rows (None: all), ties to the lower row."""
        among = self.rankable if allowed is None else self.rankable & allowed
        return self._decide(self.bounds.nominate(k, among), k)

    def rank_of(self, row: int, allowed: Mask | None = None) -> int | None:
        """Return the exact rank of a row (1 is best) among the allowed ones, or None."""
        among = self.rankable if allowed is None else self.rankable & allowed
        if not among[row]:
            return None
        better, unsure = self.bounds.around(row, among)
        order = self._decide(unsure, len(unsure)).ids
        return better + int(np.flatnonzero(order == row)[0]) + 1

    def _decide(self, rows: RowIds, k: int) -> Hits:
        return best_of(rows, self.score(rows), k, descending=self.descending)


def best_of(rows: RowIds, scores: Floats, k: int, *, descending: bool) -> Hits:
    """Sort rows (ascending) by their exact score, then by row, and return the first k."""
    best = np.argsort(-scores if descending else scores, kind="stable")[:k]
    return Hits(rows[best], scores[best])


def without(allowed: Mask, exclude: Collection[int]) -> Mask:
    """Return a mask of rows without some of them; the same object if there are none."""
    if not exclude:
        return allowed
    allowed = allowed.copy()
    allowed[list(exclude)] = False
    return allowed


def _kth_smallest(values: Floats, k: int) -> float:
    """Return a value that at least k of `values` do not exceed, near the k-th smallest.

    The k-th smallest of the minima of groups is one, and far cheaper than a partition of all.
    """
    n = len(values)
    if k >= n:
        return np.inf
    group = max(1, min(32, n // (8 * k)))
    if group > 1:
        values = values[: n - n % group].reshape(group, -1).min(axis=0)
    return float(np.partition(values, k - 1)[k - 1])
