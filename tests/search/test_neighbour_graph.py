"""The graph of nearest neighbours, beside plain numpy on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.errors import UsageError
from wordvec.search.neighbour_graph import NeighbourGraph, nearest_to, neighbour_graph
from wordvec.search.settings import Metric
from wordvec.search.transforms import transform
from wordvec.tables.derived import Derived
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SQUARE = table_of({"王": [0, 0], "女": [1, 0], "男": [0, 2], "神": [1, 1]})


def plain_graph(
    rows: NDArray[np.float32], k: int, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Score every pair in float64 and sort: ties to the lower row."""
    wide = rows.astype(np.float64)
    if metric is Metric.L2:
        score = np.sqrt(((wide[:, None] - wide[None]) ** 2).sum(axis=2))
        worse = score.copy()
    else:
        unit = (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)
        score = (unit[:, None].astype(np.float64) * unit[None].astype(np.float64)).sum(axis=2)
        worse = -score
    np.fill_diagonal(worse, np.inf)
    order = np.argsort(worse, axis=1, kind="stable")[:, : min(k, len(rows) - 1)]
    return order, np.take_along_axis(score, order, axis=1)


def test_the_neighbours_of_four_points_are_correct() -> None:
    graph = neighbour_graph(SQUARE, 2, metric=Metric.L2)
    assert graph.ids.tolist() == [[1, 3], [0, 3], [3, 0], [1, 0]]
    assert graph.scores[0].tolist() == pytest.approx([1, 2**0.5])


@settings(deadline=None)
@given(drawn_rows(least=2, zero=False), st.integers(1, 8), st.sampled_from(["l2", "cosine"]))
def test_the_result_equals_plain_numpy(rows: NDArray[np.float32], k: int, metric: str) -> None:
    graph = neighbour_graph(table_of(rows), k, metric=Metric(metric))
    ids, scores = plain_graph(rows, k, Metric(metric))
    np.testing.assert_allclose(graph.scores, scores, rtol=1e-6, atol=1e-6)
    # rows that a sum in another order could swap are compared by their score alone
    gaps = np.diff(scores, axis=1, prepend=-np.inf, append=np.inf)
    clear = (np.abs(gaps[:, 1:]) > 1e-9) & (np.abs(gaps[:, :-1]) > 1e-9)
    clear[:, -1] = False  # what follows the last is not seen here
    np.testing.assert_array_equal(graph.ids[clear], ids[clear])


@pytest.mark.parametrize(("metric", "score"), [(Metric.L2, 0), (Metric.COSINE, 1)])
def test_among_many_equal_rows_the_lower_ones_are_neighbours(metric: Metric, score: float) -> None:
    rows = np.ones((300, 5), dtype=np.float32)  # far more ties than the margin asks for
    rows[150] = [7, 0, 0, 0, 0]
    graph = neighbour_graph(table_of(rows), 3, metric=metric)
    assert graph.ids[0].tolist() == [1, 2, 3]
    assert graph.ids[2].tolist() == [0, 1, 3]
    assert graph.ids[299].tolist() == [0, 1, 2]
    assert graph.scores[299].tolist() == pytest.approx([score] * 3)


def test_the_graph_computed_in_many_blocks_equals_plain_numpy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wordvec.search.neighbour_graph.ROWS_AT_ONCE", 16)
    monkeypatch.setattr("wordvec.search.neighbour_graph.BYTES_AT_ONCE", 1 << 10)
    rows = np.random.default_rng(1).normal(size=(100, 12)).astype(np.float32)
    seen: list[tuple[int, int]] = []
    graph = neighbour_graph(
        table_of(rows), 5, progress=lambda done, all_: seen.append((done, all_))
    )
    np.testing.assert_array_equal(graph.ids, plain_graph(rows, 5, Metric.COSINE)[0])
    assert seen[:2] == [(0, 100), (16, 100)]
    assert seen[-1] == (100, 100)


def test_a_row_that_is_not_finite_or_has_no_direction_has_no_neighbours() -> None:
    table = table_of({"王": [1, 0], "女": [np.nan, 1], "男": [2, 1], "零": [0, 0]})
    graph = neighbour_graph(table, 3, metric=Metric.COSINE)
    assert graph.ids.tolist() == [[2], [-1], [0], [-1]]
    assert np.isnan(graph.scores[:, 0]).tolist() == [False, True, False, True]
    assert neighbour_graph(table, 3, metric=Metric.L2).ids.tolist() == [
        [3, 2], [-1, -1], [0, 3], [0, 2],
    ]  # fmt: skip


def test_a_row_whose_square_overflows_is_no_neighbour_under_l2() -> None:
    table = table_of([[1.0, 0.0], [3e38, 3e38], [0.0, 1.0], [3.0, 0.0]])
    graph = neighbour_graph(table, 3, metric=Metric.L2)
    assert graph.ids.tolist() == [[2, 3], [-1, -1], [0, 3], [0, 2]]
    assert neighbour_graph(table, 3, metric=Metric.COSINE).ids[1].tolist() == [0, 2, 3]


def test_a_saved_graph_is_read_and_shortened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.save(SQUARE)
    derived = store.derived(store.open(SQUARE.name))
    whole = neighbour_graph(SQUARE, 3, metric=Metric.L2, derived=derived)

    def never(*_: object) -> NeighbourGraph:
        raise AssertionError("built again")

    monkeypatch.setattr("wordvec.search.neighbour_graph._build", never)
    again = neighbour_graph(SQUARE, 2, metric=Metric.L2, derived=derived)
    np.testing.assert_array_equal(again.ids, whole.ids[:, :2])
    all_there_are = neighbour_graph(SQUARE, 9, metric=Metric.L2, derived=derived)
    np.testing.assert_array_equal(all_there_are.ids, whole.ids)
    with pytest.raises(AssertionError, match="built again"):
        neighbour_graph(SQUARE, 2, derived=derived)


def test_a_smaller_saved_graph_is_replaced_by_a_larger(tmp_path: Path) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    neighbour_graph(SQUARE, 1, metric=Metric.L2, derived=derived)
    assert neighbour_graph(SQUARE, 3, metric=Metric.L2, derived=derived).ids.shape == (4, 3)
    kept = derived.load("neighbours l2")
    assert kept is not None
    assert kept["ids"].shape == (4, 3)


def test_a_transformed_table_has_its_own_graph(tmp_path: Path) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    raw = neighbour_graph(SQUARE, 2, derived=derived)
    assert raw.ids[0].tolist() == [-1, -1]  # 王 is zero
    centred = transform(SQUARE, ["center"])
    assert neighbour_graph(centred, 2, derived=derived).ids[0].tolist() == [1, 2]
    np.testing.assert_array_equal(neighbour_graph(SQUARE, 2, derived=derived).ids, raw.ids)


def test_a_graph_needs_a_distance_and_k_of_at_least_one() -> None:
    with pytest.raises(UsageError, match="needs l2 or cosine, not dot"):
        neighbour_graph(SQUARE, 3, metric=Metric.DOT)
    with pytest.raises(UsageError, match="expected k of at least 1, got 0"):
        neighbour_graph(SQUARE, 0)


def test_a_table_of_one_row_has_a_graph_without_neighbours() -> None:
    assert neighbour_graph(table_of([[1.0, 2.0]]), 5).ids.shape == (1, 0)


@settings(deadline=None)
@given(drawn_rows(least=2), st.data(), st.sampled_from(list(Metric)[:2]))
def test_the_neighbours_of_some_rows_are_those_of_the_whole_graph(
    rows: NDArray[np.float32], data: st.DataObject, metric: Metric
) -> None:
    table = table_of(rows)
    some = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1)))
    whole, part = (
        neighbour_graph(table, 3, metric=metric),
        nearest_to(table, some, 3, metric=metric),
    )
    np.testing.assert_array_equal(part.ids, whole.ids[some])
    np.testing.assert_array_equal(part.scores, whole.scores[some])


def test_the_neighbours_of_some_rows_are_read_from_a_saved_graph(tmp_path: Path) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    rows = np.array([2, 0])
    assert nearest_to(SQUARE, rows, 2, metric="l2", derived=derived).ids.tolist() == [
        [3, 0],
        [1, 3],
    ]
    assert not list(tmp_path.iterdir())  # a part is not saved as if it were the whole
    key = "neighbours l2"
    derived.save(key, {"ids": np.zeros((4, 3), np.int32), "scores": np.ones((4, 3), np.float32)})
    assert nearest_to(SQUARE, rows, 2, metric="l2", derived=derived).ids.tolist() == [[0, 0]] * 2
