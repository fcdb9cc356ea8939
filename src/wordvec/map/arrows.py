"""Expressions as arrows: where each term leads, on a map that knows no sums.

t-SNE keeps neighbours, not directions, so a sum of vectors has no place of its own on the map.
Each partial sum (王, 王-男, 王-男+女) is put at the mean place of its nearest neighbours there, the
nearer the weightier; a single token that weighs 1 stands where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression
    from wordvec.search.engine import Hits
    from wordvec.search.resolve import Term
    from wordvec.tables.table import VectorTable

NEAREST = 10
_LEAST = 1e-6  # a distance below this counts as this: the weight of a token itself


@dataclass(frozen=True, slots=True)
class Step:
    """One partial sum: the term that led there (`-男`), and rows whose weighted mean it is."""

    label: str
    rows: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """An expression on the map of one table.

    words: rows that it names. answers: (row, score), best first, as `wordvec query` lists them.
    """

    source: str
    steps: tuple[Step, ...]
    words: tuple[int, ...]
    answers: tuple[tuple[int, float], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionTracer:
    """Follows expressions over the map of one table.

    on_map: (V,) bool, which rows have a place.
    """

    table: VectorTable
    metric: Metric
    on_map: NDArray[np.bool_]

    def path(self, expression: Expression) -> Path:
        """Follow an expression term by term, and answer it as `wordvec query` does."""
        from wordvec.search.resolve import resolve

        resolved = resolve(expression, self.table.vocabulary)
        hits = self._nearest(resolved.terms)
        return Path(
            source=expression.source,
            steps=tuple(
                self._step(resolved.terms[:count]) for count in range(1, len(resolved.terms) + 1)
            ),
            words=tuple(sorted(resolved.query_ids)),
            answers=tuple(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)),
            notes=resolved.notes,
        )

    def _step(self, terms: Sequence[Term]) -> Step:
        """The last of `terms`, and where it leads to from those before."""
        last = terms[-1]
        label = _label(last, first=len(terms) == 1)
        if len(terms) == 1 and last.weight == 1 and len(last.ids) == 1 and self.on_map[last.ids[0]]:
            return Step(label, last.ids, (1.0,))
        hits = self._nearest(terms, among=self.on_map)
        weights = tuple(round(weight, 6) for weight in nearness(hits.scores, self.metric).tolist())
        return Step(label, tuple(hits.ids.tolist()), weights)

    def _nearest(self, terms: Sequence[Term], among: NDArray[np.bool_] | None = None) -> Hits:
        from wordvec.search.engine import Engine
        from wordvec.search.resolve import combine

        engine = Engine(self.table)
        rows: Any = engine.view  # taken by row number alone
        total = combine(terms, rows)
        return engine.search(total[None], NEAREST, metric=self.metric, candidates=among)[0]


def nearness(scores: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """How much each neighbour says about a place: cosine similarity, or one over the distance."""
    import numpy as np

    if metric is Metric.COSINE:
        return np.maximum(scores, 0)
    return 1 / np.maximum(scores, _LEAST)


def _label(term: Term, *, first: bool) -> str:
    sign = "-" if term.weight < 0 else "" if first else "+"
    size = abs(term.weight)
    return f"{sign}{'' if size == 1 else f'{size:.3g}*'}{term.text}"
