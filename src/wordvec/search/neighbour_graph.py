"""The nearest neighbours of the tokens of a table; the graph of all is computed once and kept.

CSLS and the map share it. It is exact: faiss nominates rows in blocks, and those are scored again
in float64, where ties go to the lower row. faiss alone is not enough: in blocks it computes
‖x‖² + ‖y‖² − 2x·y in float32, by which a row is a little away from its own copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError, as_choice
from wordvec.progress import Progress, no_progress
from wordvec.search.engine import relative_error
from wordvec.search.nearest import nearest_rows
from wordvec.search.settings import Metric, check_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

ROWS_AT_ONCE = 1024  # queries per call of faiss
MARGIN = 16  # rows to ask faiss for beyond k, since float32 may get their order wrong
LONGEST = 1e17  # the norm of a row, under L2
BYTES_AT_ONCE = 1 << 24  # of rows gathered and scored at once


@dataclass(frozen=True, slots=True)
class NeighbourGraph:
    """The K nearest other rows of each row, best first.

    ids: (V, K) int32, the row itself never among them.
    scores: (V, K) float32: L2 distance, or cosine similarity.
    A row that cannot be compared (see `comparable_rows`) is no neighbour and has none: its ids are
    −1 and its scores NaN. K is less than the requested number if there are fewer rows.
    """

    ids: NDArray[np.int32]
    scores: NDArray[np.float32]

    def cut(self, k: int) -> NeighbourGraph:
        """Return the graph with only the nearest k of each row."""
        return NeighbourGraph(self.ids[:, :k], self.scores[:, :k])


def neighbour_graph(
    table: VectorTable,
    k: int,
    *,
    metric: Metric | str = Metric.COSINE,
    derived: Derived | None = None,
    progress: Progress = no_progress,
) -> NeighbourGraph:
    """Return the graph of the k nearest neighbours of every row.

    Args:
        metric: "l2" or "cosine".
        derived: what is kept beside the raw table; a graph of k or more is read from it, a new one
            saved to it. A transformed table's graph has its own key.

    Raises:
        UsageError: for another metric, or k below 1.
    """
    metric = _checked(metric, k)
    key = graph_key(table, metric)
    if derived is not None and (kept := _kept(derived, key, table, k, metric)) is not None:
        return kept.cut(k)
    graph = _build(table, np.arange(len(table)), k, metric, progress)
    if derived is not None:
        derived.save(key, {"ids": graph.ids, "scores": graph.scores})
    return graph


def nearest_to(
    table: VectorTable,
    rows: NDArray[np.int64],
    k: int,
    *,
    metric: Metric | str = Metric.COSINE,
    derived: Derived | None = None,
) -> NeighbourGraph:
    """Return the part of the neighbour graph that belongs to some rows: (N, K).

    It is read from the whole graph if that is in `derived`. Otherwise these rows alone are compared
    with the table, and nothing is saved.

    Args:
        rows: (N,) ids.

    Raises:
        UsageError: as `neighbour_graph`.
    """
    metric = _checked(metric, k)
    key = graph_key(table, metric)
    kept = _kept(derived, key, table, k, metric) if derived is not None else None
    if kept is not None:
        return NeighbourGraph(kept.ids[rows, :k], kept.scores[rows, :k])
    return _build(table, rows, k, metric, no_progress)


def _checked(metric: Metric | str, k: int) -> Metric:
    metric = as_choice(Metric, metric, "metric")
    if metric not in (Metric.L2, Metric.COSINE):
        raise UsageError(f"a neighbour graph needs l2 or cosine, not {metric}")
    check_k(k)
    return metric


def graph_key(table: VectorTable, metric: Metric) -> str:
    """Return the key of a table's graph in `derived`."""
    return " ".join(["neighbours", metric.value, *table.transforms])


def _kept(
    derived: Derived, key: str, table: VectorTable, k: int, metric: Metric
) -> NeighbourGraph | None:
    arrays = derived.load(key)
    if arrays is None or not {"ids", "scores"} <= arrays.keys():
        return None
    ids, scores = arrays["ids"], arrays["scores"]
    enough = min(k, max(int(comparable_rows(table.norms, metric).sum()) - 1, 0))
    fits = ids.ndim == 2 and ids.shape == scores.shape and len(ids) == len(table)
    return NeighbourGraph(ids, scores) if fits and ids.shape[1] >= enough else None


def comparable_rows(norms: NDArray[np.float64], metric: Metric) -> NDArray[np.bool_]:
    """Return which rows a graph or a map can have, from their norms: a bool for each.

    Not those that are not finite; under cosine not those that are zero, and under L2 not those
    longer than `LONGEST`: float32 squares overflow in faiss and in openTSNE.
    """
    usable: NDArray[np.bool_]
    usable = norms > 0 if metric is Metric.COSINE else norms <= LONGEST
    return usable & np.isfinite(norms)


def _build(
    table: VectorTable, wanted: NDArray[np.int64], k: int, metric: Metric, progress: Progress
) -> NeighbourGraph:
    """Compute the neighbours of the wanted rows, (N,), among all rows."""
    comparable = comparable_rows(table.norms, metric)
    placed = np.flatnonzero(comparable)  # (P,) row ids
    k = min(k, max(len(placed) - 1, 0))
    ids = np.full((len(wanted), k), -1, dtype=np.int32)
    scores = np.full((len(wanted), k), np.nan, dtype=np.float32)
    todo = np.flatnonzero(comparable[wanted])  # places in `wanted`
    if k:
        rows = _rows(table, placed, metric)
        own = np.searchsorted(placed, wanted[todo])  # their places in `rows`
        for start in range(0, len(todo), ROWS_AT_ONCE):
            progress(start, len(todo))
            block = slice(start, start + ROWS_AT_ONCE)
            near, score = _nearest(rows, own[block], k, metric)
            ids[todo[block]] = placed[near]
            scores[todo[block]] = score
    progress(len(todo), len(todo))
    return NeighbourGraph(ids, scores)


def _rows(table: VectorTable, placed: NDArray[np.int64], metric: Metric) -> NDArray[np.float32]:
    """Return the rows that faiss compares, of unit length under cosine: (P, D) float32."""
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
    rows: NDArray[np.float32], own: NDArray[np.int64], k: int, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the k best other rows of each of the `own` rows, (B,): ids and scores, (B, k)."""
    asked = min(k + 1 + MARGIN, len(rows))  # + 1: the row itself
    keys, named = nearest_rows(rows, metric, rows[own], asked)  # (B, asked)
    near, score = _decide(rows, own, named, k, metric)
    if asked < len(rows) or not np.isfinite(keys).all():
        for i in _doubtful(rows, own, keys[:, -1], score[:, -1], metric):
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
    """Score the named rows in float64, and return the k best that are not the row itself."""
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
    worse = score if metric.smaller_is_nearer else -score
    worse = np.where(named == own[:, None], np.inf, worse)
    order = np.lexsort((named, worse), axis=1)[:, :k]
    return np.take_along_axis(named, order, 1), np.take_along_axis(score, order, 1)


def _scores(
    queries: NDArray[np.float64], others: NDArray[np.float32], metric: Metric
) -> NDArray[np.float64]:
    """Score (b, n, D) rows for (b, 1, D) queries: (b, n) float64."""
    if metric is Metric.L2:
        apart = others - queries
        distance: NDArray[np.float64] = np.sqrt(np.einsum("bnd,bnd->bn", apart, apart))
        return distance
    cosine: NDArray[np.float64] = np.einsum("bnd,bd->bn", others.astype(np.float64), queries[:, 0])
    return cosine


def _doubtful(
    rows: NDArray[np.float32],
    own: NDArray[np.int64],
    last_key: NDArray[np.float64],
    last: NDArray[np.float64],
    metric: Metric,
) -> NDArray[np.int64]:
    """Return the rows of a block for which faiss may have left out one of the k, or a tie.

    The bound is that of the engine: a row y left out has a computed key of at least that of the
    last one named, and float32 is off by at most (D + 8)·2⁻²⁴ of ‖x‖·‖y‖, or of (‖x‖ + ‖y‖)² for
    squared distances. A row as near as the k-th has ‖y‖ ≤ ‖x‖ + its distance.

    Args:
        last_key: (B,) the keys of the last rows that faiss named; inf for an empty place.
        last: (B,) the scores of the k-th rows.
    """
    error = relative_error(rows.shape[1])
    unknown = ~np.isfinite(last_key)
    if metric is Metric.COSINE:
        return np.flatnonzero(unknown | (error - last_key >= last))
    norm = np.sqrt(np.einsum("bd,bd->b", rows[own], rows[own], dtype=np.float64))
    reach = error * (2 * norm + last) ** 2
    return np.flatnonzero(unknown | ~(last_key - reach > last**2))
