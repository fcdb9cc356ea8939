"""Expressions as arrows on a map.

t-SNE preserves neighbourhoods, not directions, so a sum of vectors has no position of its own on
the map. Each partial sum (王, 王-男, 王-男+女) is drawn at the mean position of its nearest tokens
on the map, weighted by proximity. A first term that is one token with weight 1 is drawn at the
position of that token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression, Term
    from wordvec.search.ranking import Hits
    from wordvec.tables.table import VectorTable

NEAREST = 10
_MIN_DISTANCE = 1e-6  # limits the weight of a token at distance 0


@dataclass(frozen=True, slots=True)
class PartialSum:
    """The sum of the first terms of an expression, as a weighted mean of tokens on the map.

    label: the last of these terms with its sign, such as `-男`.
    rows: tokens on the map. weights: one for each of them.
    """

    label: str
    rows: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TracedExpression:
    """An expression on the map of one table.

    query_rows: the rows that the expression names.
    neighbours: (row, score), best first, as `wordvec query` lists them.
    """

    source: str
    partial_sums: tuple[PartialSum, ...]
    query_rows: tuple[int, ...]
    neighbours: tuple[tuple[int, float], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionTracer:
    """Traces expressions over the map of one table.

    on_map: (V,) bool, whether each row has a position on the map.
    """

    table: VectorTable
    metric: Metric
    on_map: NDArray[np.bool_]

    def trace(self, expression: Expression) -> TracedExpression:
        """Return the partial sums of an expression and its nearest neighbours in the table.

        Raises:
            ExpressionError: if a term is not in the vocabulary.
        """
        from wordvec.search.resolve import resolve

        resolved = resolve(expression, self.table.vocabulary)
        terms = resolved.terms
        hits = nearest_to_sum(self.table, terms, self.metric)
        return TracedExpression(
            source=expression.source,
            partial_sums=tuple(self._partial_sum(terms[: i + 1]) for i in range(len(terms))),
            query_rows=tuple(sorted(resolved.query_ids)),
            neighbours=tuple(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)),
            notes=resolved.notes,
        )

    def _partial_sum(self, terms: Sequence[Term]) -> PartialSum:
        last = terms[-1]
        label = _label(last, first=len(terms) == 1)
        if len(terms) == 1 and last.weight == 1 and len(last.ids) == 1 and self.on_map[last.ids[0]]:
            return PartialSum(label, last.ids, (1.0,))
        hits = nearest_to_sum(self.table, terms, self.metric, candidates=self.on_map)
        weights = proximity_weights(hits.scores, self.metric)
        rounded = tuple(round(weight, 6) for weight in weights.tolist())
        return PartialSum(label, tuple(hits.ids.tolist()), rounded)


def nearest_to_sum(
    table: VectorTable,
    terms: Sequence[Term],
    metric: Metric,
    *,
    candidates: NDArray[np.bool_] | None = None,
) -> Hits:
    """Find the rows nearest to a weighted sum. All ranking for the arrows is done here.

    Args:
        table: the table to search.
        terms: at least one.
        metric: L2 or cosine.
        candidates: (V,) bool, the rows that may be returned; None for all.

    Returns:
        The nearest rows, at most `NEAREST` of them, best first.

    Raises:
        WordvecError: if the sum is not finite, or is zero under cosine.
    """
    from wordvec.search.methods import prepare, rankings
    from wordvec.search.resolve import ResolvedExpression
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space

    space, settings = Space(table), QuerySettings(metric=metric)
    source = "".join(_label(term, first=i == 0) for i, term in enumerate(terms))
    question = prepare(ResolvedExpression(source, tuple(terms)), space.engine, settings)
    [ranking] = rankings([question], space, settings)
    return ranking.best(NEAREST, candidates)


def proximity_weights(scores: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Return the weight of each neighbour: its cosine similarity (at least 0), or 1/distance."""
    import numpy as np

    if metric is Metric.COSINE:
        return np.maximum(scores, 0)
    return 1 / np.maximum(scores, _MIN_DISTANCE)


def _label(term: Term, *, first: bool) -> str:
    sign = "-" if term.weight < 0 else "" if first else "+"
    coefficient = abs(term.weight)
    return f"{sign}{'' if coefficient == 1 else f'{coefficient:.3g}*'}{term.text}"
