"""A vector space: the rows of a table after some transforms, ready to be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wordvec.progress import Progress, no_progress
from wordvec.search.engine import Engine, norms_of
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.search.ranking import Floats
    from wordvec.search.transforms import FittedStep
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

CSLS_NEIGHBOURS = 10
_TINY = 1e-300  # a zero vector stays zero


class Space:
    """The rows of a table after transforms, their engine, and what all questions share.

    derived: what is kept on disk beside the raw table; None keeps nothing.
    """

    def __init__(
        self, table: VectorTable, transforms: Sequence[str] = (), *, derived: Derived | None = None
    ) -> None:
        self.transforms = tuple(transforms)
        unit = self.transforms == ("unit",)  # the engine does this without a copy of the rows
        self.table = table
        self.derived = derived
        self._steps: Sequence[FittedStep] = ()
        if transforms and not unit:
            from wordvec.search.transforms import apply_steps, fit_steps

            self._steps = fit_steps(table, transforms, derived=derived)
            self.table = apply_steps(table, self._steps)
        self.engine = Engine(self.table, unit=unit)
        self._similarity: Floats | None = None

    def place(self, vectors: Floats) -> Floats:
        """Return vectors of the raw table's space, transformed as its rows are: (n, D) float64."""
        from wordvec.search.transforms import transform_rows

        placed = transform_rows(vectors, self._steps)
        return placed / np.maximum(norms_of(placed), _TINY)[:, None] if self.engine.unit else placed

    def mean_neighbour_similarity(self, progress: Progress = no_progress) -> Floats:
        """Return the mean cosine of each row to its 10 nearest others: (V,) float64.

        NaN for a row without a direction; 0 for the only row that has one. It is r(x) of CSLS, and
        it is computed once (from the neighbour graph, which is kept in `derived`).
        """
        if self._similarity is None:
            from wordvec.search.neighbour_graph import neighbour_graph  # only CSLS needs it

            graph = neighbour_graph(
                self.table,
                CSLS_NEIGHBOURS,
                metric=Metric.COSINE,
                derived=self.derived,
                progress=progress,
            )
            scores = graph.scores.astype(np.float64)
            self._similarity = scores.mean(axis=1) if scores.shape[1] else np.zeros(len(scores))
        return self._similarity
