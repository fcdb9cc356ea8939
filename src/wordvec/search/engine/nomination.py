"""Who nominates rows for float64 to decide on, and when what was nominated proves the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

_EPS32 = 2.0**-24  # unit roundoff of float32
_TINY32 = 2.0**-126  # what a product in float32 may lose by underflow
_HUGE = 1e37  # a square this large may have overflown float32


class Nominator(Protocol):
    """A table's rows in some form that is searched fast, and roughly."""

    @property
    def margin(self) -> int:
        """How many rows to ask for beyond k: enough to prove most answers, and cheap."""

    def nearest(self, queries: NDArray[np.float32], count: int) -> tuple[Floats, Rows]:
        """Keys (smaller is better) and ids of the `count` rows that seem best: (Q, count) each."""

    def worst(self, key: float, length: float) -> float:
        """The largest key that a row as good as the k-th may have; NaN where nothing is known.

        key: that of the k-th. length: of the query.
        """


@dataclass(frozen=True, slots=True, eq=False)
class FlatRows:
    """The rows themselves, searched by `faiss.knn` where they are mapped.

    longest: the largest norm of a row.
    """

    rows: NDArray[np.float32]
    metric: Metric
    longest: float

    @property
    def margin(self) -> int:
        """See Nominator; up to 32 rows more cost faiss nothing."""
        return 24

    def nearest(self, queries: NDArray[np.float32], count: int) -> tuple[Floats, Rows]:
        """See Nominator; the keys are squared distances, or products turned round."""
        import faiss  # 40 ms that a single question does without

        by_distance = self.metric is Metric.L2
        kind = faiss.METRIC_L2 if by_distance else faiss.METRIC_INNER_PRODUCT
        values, ids = faiss.knn(queries, self.rows, count, metric=kind)
        return values.astype(np.float64) * (1 if by_distance else -1), ids

    def worst(self, key: float, length: float) -> float:
        """See Nominator; NaN where float32 may have overflown.

        A row as near as the k-th is no longer than ‖q‖ + its distance, and faiss counts
        ‖x‖² + ‖q‖² − 2x·q, off by (D + 8)·2⁻²⁴·(‖x‖ + ‖q‖)² at most.
        """
        steps = self.rows.shape[1] + 8
        off = steps * _EPS32
        if self.metric is Metric.L2:
            square = (key + 8 * off * length**2) / (1 - 2 * off)  # of the true k-th distance
            size = (2 * length + np.sqrt(square)) ** 2
        else:
            size = self.longest * length
        return float(key + 2 * (off * size + 4 * steps * _TINY32)) if size < _HUGE else np.nan


def proved(  # noqa: PLR0913  # what a nominator gives, and what is asked of it
    keys: Floats,
    ids: Rows,
    k: int,
    exclude: Collection[int],
    *,
    worst: Callable[[float], float],
    every: bool,
) -> Rows | None:
    """The nominated rows that may be among the k best, ascending, if no other can be.

    keys, ids: (n,) the rows nominated, best (smallest) first. worst: from the key of the k-th, the
    largest that a row as good may have. every: whether all rows of the table were nominated.
    """
    last = keys[-1]
    if exclude:
        kept = ~np.isin(ids, list(exclude))
        keys, ids = keys[kept], ids[kept]
    limit = worst(float(keys[k - 1])) if len(ids) >= k else np.nan
    if limit < last or (every and limit < np.inf):
        return np.sort(ids[keys <= limit])
    return None
