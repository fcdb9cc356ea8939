"""CSLS beside plain numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, query, table_of
from wordvec.analysis.query import QueryEngine
from wordvec.expression.parser import parse
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import CSLS_NEIGHBOURS as K
from wordvec.search.space import Space
from wordvec.tables.derived import Derived

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def plain_similarity(rows: Floats) -> Floats:
    """Average the K best cosines of each row to the others, or as many as there are."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    best = np.sort(cosine, axis=1)[:, ::-1][:, : min(K, len(rows) - 1)]
    mean: Floats = best.mean(axis=1)
    return mean


@settings(deadline=None)
@given(drawn_rows(least=2, zero=False), st.sampled_from([Method.SUM, Method.ADD]), st.data())
def test_the_result_equals_plain_numpy(
    rows: NDArray[np.float32], method: Method, data: st.DataObject
) -> None:
    a, b = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows) - 1))
    assume(a != b)
    wide = rows.astype(np.float64)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    over = wide if method is Method.SUM else unit
    vector = 2 * over[a] - over[b]
    assume(np.linalg.norm(vector) > 1e-6)
    engine = QueryEngine(Space(table_of(rows)), QuerySettings(method=method, metric=Metric.CSLS))
    found = engine.ranking(engine.prepare(parse(f"2*#{a}-#{b}"))).best(9)
    to_query = unit @ (vector / np.linalg.norm(vector))
    expected = 2 * to_query - np.sort(to_query)[::-1][:K].mean() - plain_similarity(wide)
    # the graph keeps its cosines in float32
    np.testing.assert_allclose(found.scores, np.sort(expected)[::-1][:9], atol=1e-6)
    np.testing.assert_allclose(expected[found.ids], found.scores, atol=1e-6)


def test_a_single_word_is_not_its_own_neighbour() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 5))
    table = table_of(rows)
    engine = QueryEngine(Space(table), QuerySettings(metric=Metric.CSLS))
    found = engine.ranking(engine.prepare(parse("#7"))).best(40)
    similarity = plain_similarity(table.vectors.astype(np.float64))
    own = found.scores[found.ids.tolist().index(7)]
    assert own == pytest.approx(2 - 2 * similarity[7], abs=1e-6)


def test_a_hub_ranks_lower() -> None:
    around = np.random.default_rng(0).normal(size=(30, 3)) * 0.4 + [1, 0, 0]
    table = table_of(np.vstack([[1, 0, 0], around, [[-1, 1, 0], [-1, 2, 0.3]]]))  # t0: the hub
    [plain] = query(table, [parse("t31-t1+t0")], k=40, metric=Metric.COSINE)
    [corrected] = query(table, [parse("t31-t1+t0")], k=40, metric=Metric.CSLS)

    def rank_of_hub(tokens: list[str]) -> int:
        return tokens.index("t0")

    assert rank_of_hub([n.token for n in corrected.neighbours]) > rank_of_hub(
        [n.token for n in plain.neighbours]
    )


def test_rows_left_out_by_a_filter_still_count_as_neighbours() -> None:
    table = table_of(np.random.default_rng(0).normal(size=(30, 4)))
    engine = QueryEngine(Space(table), QuerySettings(metric=Metric.CSLS))
    ranking = engine.ranking(engine.prepare(parse("t1+t2")))
    everything = ranking.best(30)
    some = np.arange(30) % 3 == 0
    kept = ranking.best(5, some)
    of_all = [(i, s) for i, s in zip(everything.ids, everything.scores, strict=True) if some[i]]
    assert list(zip(kept.ids, kept.scores, strict=True)) == of_all[:5]


def test_neighbour_similarity_is_read_from_the_kept_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    table = table_of(np.random.default_rng(0).normal(size=(30, 4)))
    first = Space(table, derived=derived).mean_neighbour_similarity()
    np.testing.assert_allclose(first, plain_similarity(table.vectors.astype(np.float64)), atol=1e-6)
    monkeypatch.setattr("wordvec.search.neighbour_graph._build", None)  # not called again
    np.testing.assert_array_equal(Space(table, derived=derived).mean_neighbour_similarity(), first)


def test_a_single_row_has_a_neighbour_similarity_of_zero() -> None:
    assert Space(table_of([[1.0, 2.0]])).mean_neighbour_similarity().tolist() == [0.0]


def test_rows_without_direction_are_not_answers() -> None:
    table = table_of({"王": [1, 0], "無": [0, 0], "女": [1, 1], "非": [np.nan, 1]})
    engine = QueryEngine(Space(table), QuerySettings(metric=Metric.CSLS))
    found = engine.ranking(engine.prepare(parse("王"))).best(9)
    assert found.ids.tolist() == [0, 2]
    assert found.scores.tolist() == pytest.approx([2 - 2**0.5, 0], abs=1e-6)
