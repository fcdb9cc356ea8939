"""The nearest neighbours of every token of a table: one graph, worked out once and kept.

CSLS, the map and whatever asks for neighbours of neighbours share it. It is exact: faiss nominates
in blocks, and the scores of those it names are worked out again in float64, where ties go to the
lower row. faiss alone would not do: in blocks it counts ‖x‖² + ‖y‖² − 2x·y in float32, by which a
row lies a little away from its own copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError
from wordvec.progress import Progress, no_progress
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

ROWS_AT_ONCE = 1024  # queries in one call of faiss
MARGIN = 16  # how many more than K faiss is asked for: what float32 may have put in a wrong order
BYTES_AT_ONCE = 1 << 24  # of rows gathered to be scored again


@dataclass(frozen=True, slots=True)
class NeighbourGraph:
    """The K nearest other rows of each row, best first.

    ids: (V, K) int32, the row itself never among them.
    scores: (V, K) float32: L2 distance, or cosine similarity.
    A row without a place among the others (not finite; zero under cosine) is nobody's neighbour
    and has none: −1 and NaN. K is less than was asked for where there are fewer rows.
    """

    ids: NDArray[np.int32]
    scores: NDArray[np.float32]

    def cut(self, k: int) -> NeighbourGraph:
        """Keep the nearest k of each row."""
        return NeighbourGraph(self.ids[:, :k], self.scores[:, :k])


def neighbour_graph(
    table: VectorTable,
    k: int,
    *,
    metric: Metric = Metric.COSINE,
    derived: Derived | None = None,
    progress: Progress = no_progress,
) -> NeighbourGraph:
    """The graph of the k nearest neighbours of every row, from `derived` if it has k or more.

    derived: what is kept beside the raw table; a transformed table's graph has its own key there.
    """
    if metric not in (Metric.L2, Metric.COSINE):
        raise UsageError(f"a graph of neighbours is of l2 or cosine, not {metric}")
    if k < 1:
        raise UsageError(f"a graph of neighbours needs k of 1 or more, got {k}")
    key = graph_key(table, metric)
    if derived is not None and (kept := _kept(derived, key, table, k, metric)) is not None:
        return kept.cut(k)
    graph = _build(table, k, metric, progress)
    if derived is not None:
        derived.save(key, {"ids": graph.ids, "scores": graph.scores})
    return graph


def graph_key(table: VectorTable, metric: Metric) -> str:
    """The name under which a table's graph is kept."""
    return " ".join(["neighbours", metric.value, *table.transforms])


def _kept(
    derived: Derived, key: str, table: VectorTable, k: int, metric: Metric
) -> NeighbourGraph | None:
    arrays = derived.load(key)
    if arrays is None or not {"ids", "scores"} <= arrays.keys():
        return None
    ids, scores = arrays["ids"], arrays["scores"]
    enough = min(k, max(int(_placed(table, metric).sum()) - 1, 0))
    fits = ids.ndim == 2 and ids.shape == scores.shape and len(ids) == len(table)
    return NeighbourGraph(ids, scores) if fits and ids.shape[1] >= enough else None


def _placed(table: VectorTable, metric: Metric) -> NDArray[np.bool_]:
    """Which rows have a place among the others: (V,) bool."""
    finite: NDArray[np.bool_] = np.isfinite(table.norms)
    return finite & (table.norms > 0) if metric is Metric.COSINE else finite


def _build(table: VectorTable, k: int, metric: Metric, progress: Progress) -> NeighbourGraph:
    V = len(table)
    placed = np.flatnonzero(_placed(table, metric))  # (P,) row numbers
    k = min(k, max(len(placed) - 1, 0))
    ids = np.full((V, k), -1, dtype=np.int32)
    scores = np.full((V, k), np.nan, dtype=np.float32)
    if k:
        rows = _rows(table, placed, metric)
        for start in range(0, len(placed), ROWS_AT_ONCE):
            progress(start, len(placed))
            block = slice(start, min(start + ROWS_AT_ONCE, len(placed)))
            near, score = _nearest(rows, block, k, metric)
            ids[placed[block]] = placed[near]
            scores[placed[block]] = score
    progress(len(placed), len(placed))
    return NeighbourGraph(ids, scores)


def _rows(table: VectorTable, placed: NDArray[np.int64], metric: Metric) -> NDArray[np.float32]:
    """What faiss compares: the rows that have a place, of length 1 under cosine: (P, D) float32."""
    whole = len(placed) == len(table)
    rows = table.vectors if whole else table.vectors[placed]
    if metric is Metric.L2:
        return np.ascontiguousarray(rows)
    unit = np.empty(rows.shape, dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        unit[block] = rows[block] / table.norms[placed[block], None]  # divided in float64
    return unit


def _nearest(
    rows: NDArray[np.float32], block: slice, k: int, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k best others of each row of a block: ids and scores, (B, k)."""
    import faiss  # here, so that a kept graph is read without it

    asked = min(k + 1 + MARGIN, len(rows))  # + 1: the row itself
    kind = faiss.METRIC_L2 if metric is Metric.L2 else faiss.METRIC_INNER_PRODUCT
    rough, named = faiss.knn(rows[block], rows, asked, metric=kind)  # (B, asked)
    own = np.arange(block.start, block.stop)
    near, score = _decide(rows, own, named, k, metric)
    if asked < len(rows):
        for i in _doubtful(rows, own, rough, score[:, -1], metric):
            everyone = np.arange(len(rows))[None]
            near[i], score[i] = (
                best[0] for best in _decide(rows, own[i : i + 1], everyone, k, metric)
            )
    return near, score


def _decide(
    rows: NDArray[np.float32],
    own: NDArray[np.int64],
    named: NDArray[np.int64],
    k: int,
    metric: Metric,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Score the named rows in float64, and keep the k best that are not the row itself."""
    B, N = named.shape
    score = np.empty((B, N))
    per_row = max(rows.shape[1] * rows.itemsize, 1)
    columns = max(BYTES_AT_ONCE // per_row, 1)
    step = max(columns // N, 1)
    for start in range(0, B, step):
        queries = rows[own[start : start + step], None].astype(np.float64)  # (b, 1, D)
        for left in range(0, N, columns):
            others = rows[named[start : start + step, left : left + columns]]  # (b, n, D) float32
            score[start : start + step, left : left + columns] = _scores(queries, others, metric)
    worse = score if metric is Metric.L2 else -score
    worse = np.where(named == own[:, None], np.inf, worse)
    order = np.lexsort((named, worse), axis=1)[:, :k]
    return np.take_along_axis(named, order, 1), np.take_along_axis(score, order, 1)


def _scores(
    queries: NDArray[np.float64], others: NDArray[np.float32], metric: Metric
) -> NDArray[np.float64]:
    """Scores of (b, n, D) rows for (b, 1, D) queries: (b, n) float64."""
    if metric is Metric.L2:
        apart = others - queries
        distance: NDArray[np.float64] = np.sqrt(np.einsum("bnd,bnd->bn", apart, apart))
        return distance
    cosine: NDArray[np.float64] = np.einsum("bnd,bd->bn", others.astype(np.float64), queries[:, 0])
    return cosine


def _doubtful(
    rows: NDArray[np.float32],
    own: NDArray[np.int64],
    rough: NDArray[np.float32],
    last: NDArray[np.float64],
    metric: Metric,
) -> NDArray[np.int64]:
    """Rows for which one that faiss left out may belong among the k, or ties with the last.

    float32 sums of D products are off by far less than 32 units in the last place of the sum of
    their sizes (5 seen), so whatever lies that far behind the k-th was rightly left out.
    """
    ulp = float(np.finfo(np.float32).eps)
    if metric is Metric.COSINE:
        return np.flatnonzero(rough[:, -1] + 32 * ulp >= last)
    square = np.einsum("bd,bd->b", rows[own], rows[own]).astype(np.float64)
    reach = (np.sqrt(square) + last) ** 2 + square  # ‖x‖² + ‖y‖² at the last place
    return np.flatnonzero(rough[:, -1] - 32 * ulp * reach <= last**2)
