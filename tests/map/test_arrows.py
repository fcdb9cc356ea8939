"""Traced expressions, compared with plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from support.maps import MAP_TOKENS, full_tracer, random_table
from wordvec.errors import UnknownWordError
from wordvec.expression.parser import parse
from wordvec.map.arrows import ExpressionTracer, nearest_to_sum, proximity_weights
from wordvec.search.resolve import resolve
from wordvec.search.settings import Metric


def test_a_partial_sum_is_weighted_by_the_nearest_tokens_on_the_map() -> None:
    table = random_table()
    on_map = np.zeros(len(MAP_TOKENS), dtype=np.bool_)
    on_map[2:8] = True
    traced = ExpressionTracer(table, Metric.L2, on_map).trace(parse("王-2*男"))
    wide = table.vectors.astype(np.float64)
    for partial_sum, total in zip(
        traced.partial_sums, [wide[1], wide[1] - 2 * wide[2]], strict=True
    ):
        distances = np.linalg.norm(wide[2:8] - total, axis=1)
        order = np.argsort(distances)
        assert list(partial_sum.rows) == (order + 2).tolist()
        np.testing.assert_allclose(partial_sum.weights, 1 / distances[order], rtol=1e-5)
    assert traced.partial_sums[1].label == "-2*男"


def test_a_single_word_on_the_map_is_at_its_own_position() -> None:
    [partial_sum] = full_tracer(random_table()).trace(parse("王")).partial_sums
    assert (partial_sum.rows, partial_sum.weights) == ((1,), (1.0,))


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_only_candidates_are_ranked(metric: Metric) -> None:
    table = random_table()
    terms = resolve(parse("王-男+女"), table.vocabulary).terms
    candidates = np.arange(len(MAP_TOKENS)) % 2 == 0
    hits = nearest_to_sum(table, terms, metric, candidates=candidates)
    wide = table.vectors.astype(np.float64)
    total = wide[1] - wide[2] + wide[3]
    if metric is Metric.COSINE:
        scores = wide @ total / np.linalg.norm(wide, axis=1) / np.linalg.norm(total)
        order = [row for row in np.argsort(-scores).tolist() if candidates[row]]
    else:
        scores = np.linalg.norm(wide - total, axis=1)
        order = [row for row in np.argsort(scores).tolist() if candidates[row]]
    assert hits.ids.tolist() == order
    np.testing.assert_allclose(hits.scores, scores[order])


def test_cosine_weights_are_similarities_and_never_negative() -> None:
    assert proximity_weights(np.array([0.9, 0.0, -0.4]), Metric.COSINE).tolist() == [0.9, 0, 0]
    assert proximity_weights(np.array([0.5, 0.0]), Metric.L2).tolist() == [2, 1e6]


def test_an_unknown_word_in_an_expression_is_an_error() -> None:
    with pytest.raises(UnknownWordError, match="女帝"):
        full_tracer(random_table()).trace(parse("女帝-男"))
