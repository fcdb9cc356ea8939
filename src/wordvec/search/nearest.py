"""The one place that calls faiss: the first rows of each query, by keys in float32.

faiss leaves a place empty, with the id −1, where it has no row to name: float32 squares overflow
from norms of about 1e19 on, and a NaN is not compared. No id of −1 leaves this module.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wordvec.search.ranking import Floats, RowIds


_QUERIES_AT_ONCE = 64  # of products without faiss


def faiss_is_usable() -> bool:
    """Return whether faiss can be loaded: on macOS, not beside torch.

    Each brings its own OpenMP, and the second one to load would abort the process. torch is loaded
    by an expression with a word in a sentence.
    """
    return not (sys.platform == "darwin" and "torch" in sys.modules)


def nearest_rows(
    rows: NDArray[np.float32], metric: Metric, queries: NDArray[np.float32], n: int
) -> tuple[Floats, RowIds]:
    """Return the first n rows of each query; `rows` may be memory-mapped.

    Args:
        rows: (V, D).
        metric: L2, or another for the inner product.
        queries: (Q, D).
        n: 1 to V.

    Returns:
        Keys and ids, (Q, n) each, smallest key first: squared distances, or negative products. An
        empty place has the key inf and the id 0; the places after it are empty too.
    """
    if not faiss_is_usable():
        return _nearest_rows_by_product(rows, metric, queries, n)
    import faiss  # 40 ms that a single query does without

    kind = faiss.METRIC_L2 if metric is Metric.L2 else faiss.METRIC_INNER_PRODUCT
    values, ids = faiss.knn(queries, rows, n, metric=kind)
    return _without_empty_places(values if metric is Metric.L2 else -values, ids)


def _nearest_rows_by_product(
    rows: NDArray[np.float32], metric: Metric, queries: NDArray[np.float32], n: int
) -> tuple[Floats, RowIds]:
    """Return the same, with keys from a float32 product of all rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("vd,vd->v", rows, rows) if metric is Metric.L2 else None
        parts = []
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            some = queries[start : start + _QUERIES_AT_ONCE]
            keys = -(some @ rows.T)
            if squares is not None:
                keys = np.maximum(2 * keys + squares + (some * some).sum(axis=1)[:, None], 0)
            keys[~np.isfinite(keys)] = np.inf
            ids = np.argsort(keys, axis=1, kind="stable")[:, :n]
            parts.append((np.take_along_axis(keys, ids, axis=1), ids))
    keys, ids = map(np.concatenate, zip(*parts, strict=True))
    return _without_empty_places(keys, np.where(np.isinf(keys), -1, ids))


def _without_empty_places(keys: NDArray[np.float32], ids: RowIds) -> tuple[Floats, RowIds]:
    empty = ids < 0
    return np.where(empty, np.inf, keys.astype(np.float64)), np.where(empty, 0, ids)
