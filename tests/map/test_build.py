"""The data of a map, compared with `query` and with plain numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.maps import MAP_TOKENS, random_table
from support.tables import query, table_of
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.map.build import TokenMap, build_map, score_neighbours
from wordvec.map.page import summarise
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_scores_equal_those_of_plain_numpy(metric: Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    ids = np.array([[1, 2], [0, -1], [5, 6]])
    found = score_neighbours(rows, np.array([0, 1, 29]), ids, metric)
    wide = rows.astype(np.float64)

    def score(a: int, b: int) -> float:
        if metric is Metric.L2:
            return float(np.linalg.norm(wide[a] - wide[b]))
        return float(wide[a] @ wide[b] / np.linalg.norm(wide[a]) / np.linalg.norm(wide[b]))

    expected = [[score(0, 1), score(0, 2)], [score(1, 0), np.nan], [score(29, 5), score(29, 6)]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.fixture(scope="module")
def token_map() -> TokenMap:
    tables = [random_table(), random_table(seed=1, mode=Mode.DYNAMIC)]
    return build_map(tables, expressions=[parse("王-男+女")])


def test_neighbours_and_scores_equal_those_of_query(token_map: TokenMap) -> None:
    for mapped in token_map.tables:
        for point, row in enumerate(token_map.rows.tolist()):
            source = parse(f"#{row}")
            (answer,) = query(mapped.table, [source], exclude=True)
            assert mapped.neighbours[point].tolist() == [hit.id for hit in answer.neighbours]
            np.testing.assert_allclose(
                mapped.scores[point], [hit.score for hit in answer.neighbours], rtol=1e-12
            )


def test_the_neighbours_of_an_expression_equal_those_of_query(token_map: TokenMap) -> None:
    for mapped in token_map.tables:
        (traced,) = mapped.expressions
        (answer,) = query(mapped.table, [parse("王-男+女")])
        assert [row for row, _ in traced.neighbours] == [hit.id for hit in answer.neighbours]
        np.testing.assert_allclose(
            [score for _, score in traced.neighbours], [hit.score for hit in answer.neighbours]
        )
        assert traced.query_rows == (1, 2, 3)
        assert [each.label for each in traced.partial_sums] == ["王", "-男", "+女"]


def test_tables_with_different_vocabularies_cannot_share_a_map() -> None:
    other = table_of(np.eye(6), model="other")
    with pytest.raises(UsageError, match="different vocabularies") as caught:
        build_map([random_table(), other])
    assert caught.value.hint == "use two tables of the same model"


@pytest.mark.parametrize("count", [0, 3])
def test_a_map_shows_one_or_two_tables(count: int) -> None:
    with pytest.raises(UsageError, match=f"a map shows one or two tables, got {count}"):
        build_map([random_table()] * count)


@pytest.mark.parametrize("tokens", [0, 4])
def test_a_map_of_too_few_tokens_is_an_error(tokens: int) -> None:
    with pytest.raises(WordvecError, match=f"a map needs at least 5 tokens, got {tokens}"):
        build_map([random_table()], tokens=tokens)


def test_a_row_that_cannot_be_placed_in_both_tables_is_left_out() -> None:
    first = random_table()
    rows = first.vectors.copy()
    rows[11] = np.nan
    named = dict(zip(MAP_TOKENS, rows.tolist(), strict=True))
    second = table_of(named, mode=Mode.DYNAMIC, special=1)
    found = build_map([first, second])
    assert 11 not in found.rows
    assert found.left_out == 1
    assert "1 token left out (vector not finite, or longer than 1e17)" in summarise(found)
    assert "2 tokens left out" in summarise(replace(found, left_out=2))
