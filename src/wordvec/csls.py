"""CSLS: cosine corrected for how crowded both sides are (Conneau et al. 2018, section 2.3).

    CSLS(q, x) = 2 cos(q, x) − r(q) − r(x)

r(x) is the mean cosine of x to its K = 10 nearest rows, itself not counted: what is near to
everything (a hub) is pushed back. The paper's two sides are two languages; here both are one table,
and r(x) comes from its graph of neighbours, which is kept. r(q) is the same for every answer: it
places the score and ranks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wordvec.engine import Engine, Guess
from wordvec.metric import Metric
from wordvec.neighbour_graph import neighbour_graph
from wordvec.progress import Progress, no_progress
from wordvec.ranking import Ranking

if TYPE_CHECKING:
    from wordvec.engine import Floats, Rows
    from wordvec.store import Derived
    from wordvec.table import VectorTable

K = 10


def crowding(
    table: VectorTable, *, derived: Derived | None = None, progress: Progress = no_progress
) -> Floats:
    """r(x), the mean cosine of each row to its 10 nearest others: (V,) float64.

    NaN for a row without a direction; 0 for the only one that has one.
    """
    graph = neighbour_graph(table, K, metric=Metric.COSINE, derived=derived, progress=progress)
    if not graph.scores.shape[1]:
        return np.zeros(len(table))
    mean: Floats = graph.scores.astype(np.float64).mean(axis=1)
    return mean


def by_csls(engine: Engine, query: Floats, crowded: Floats, *, own: int | None = None) -> Ranking:
    """Rank rows by CSLS to a query vector (D,).

    crowded: what `crowding` gives. own: the row that the query itself is, where it is one; it is
    not counted among the query's neighbours.
    """
    [(_, cosine)] = engine.guesses(query[None], [0], Metric.COSINE)
    placed = engine.searchable(Metric.COSINE)
    others = placed.copy()
    if own is not None:
        others[own] = False

    def cosines(rows: Rows) -> Floats:
        return engine.scores(query, rows, metric=Metric.COSINE)

    near = Ranking(cosine, cosines, others).best(K).scores
    around_query = float(near.mean()) if len(near) else 0.0

    def score(rows: Rows) -> Floats:
        doubled: Floats = 2 * cosines(rows) - around_query - crowded[rows]
        return doubled

    keys = 2 * cosine.keys + np.where(placed, crowded, 0)
    return Ranking(Guess(keys, 2 * cosine.error + 1e-14), score, placed)
