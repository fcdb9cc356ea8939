"""Places on the plane, beside plain numpy on the same rows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.errors import MissingExtraError, UsageError, WordvecError
from wordvec.map import projection
from wordvec.map.projection import Projection, Settings, nearest_within, project
from wordvec.search.settings import Metric
from wordvec.search.transforms import transform
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable


def groups(*, of: int = 30, count: int = 4, seed: int = 0) -> NDArray[np.float32]:
    """Rows in groups that lie far apart, in turn: row i is of group i % count."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 8)) * 20
    return (np.tile(centres, (of, 1)) + rng.normal(size=(of * count, 8))).astype(np.float32)


def everything(table: VectorTable) -> NDArray[np.int64]:
    return np.arange(len(table))


@pytest.fixture(scope="module")
def mapped() -> tuple[VectorTable, Projection]:
    table = table_of(groups())
    return table, project(table, everything(table))


def test_groups_that_lie_apart_in_the_space_lie_apart_on_the_map(
    mapped: tuple[VectorTable, Projection],
) -> None:
    _, projection = mapped
    places = projection.places.astype(np.float64)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :10]
    assert (nearest % 4 == (np.arange(120) % 4)[:, None]).all()


def test_the_map_is_centred_and_has_one_place_a_row(
    mapped: tuple[VectorTable, Projection],
) -> None:
    _, projection = mapped
    assert projection.places.shape == (120, 2)
    assert projection.places.dtype == np.float32
    np.testing.assert_allclose(
        projection.places.max(axis=0), -projection.places.min(axis=0), atol=1e-4
    )


def test_the_same_seed_gives_the_same_picture(mapped: tuple[VectorTable, Projection]) -> None:
    table, projection = mapped
    again = project(table, everything(table))
    np.testing.assert_array_equal(again.places, projection.places)


@hypothesis_settings(deadline=None, max_examples=40)
@given(drawn_rows(least=3, zero=False), st.integers(1, 6), st.sampled_from(["l2", "cosine"]))
def test_neighbours_are_as_far_as_plain_numpy_says(
    rows: NDArray[np.float32], k: int, metric: str
) -> None:
    found = nearest_within(rows, k, Metric(metric))
    wide = rows.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    distances = np.linalg.norm(wide[:, None] - wide[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    expected = np.sort(distances, axis=1)[:, : min(k, len(rows) - 1)]
    size = np.abs(wide).max() + 1  # float32 loses a small distance between long rows
    np.testing.assert_allclose(found.distances, expected, atol=2e-3 * size)
    assert (found.ids != np.arange(len(rows))[:, None]).all()


def test_a_row_is_never_its_own_neighbour_among_doubles() -> None:
    found = nearest_within(np.ones((50, 3), dtype=np.float32), 4, Metric.L2)
    assert found.ids.shape == (50, 4)
    assert (found.ids != np.arange(50)[:, None]).all()


def test_the_start_is_the_principal_plane() -> None:
    rows = groups()
    plane = projection._principal_plane(rows, Metric.L2)
    centred = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
    u, strengths, _ = np.linalg.svd(centred, full_matrices=False)
    expected = u[:, :2] * strengths[:2]
    np.testing.assert_allclose(np.abs(plane), np.abs(expected), atol=1e-8)
    assert (plane[np.abs(plane).argmax(axis=0), [0, 1]] > 0).all()


def test_a_table_of_one_dimension_has_a_map_too() -> None:
    table = table_of([[float(i)] for i in range(30)])
    assert np.isfinite(project(table, everything(table)).places).all()


def test_rows_that_no_search_returns_have_no_place() -> None:
    rows = groups()
    rows[7] = np.nan
    rows[9] = 0
    table = table_of(rows)
    assert 7 not in project(table, everything(table)).rows
    by_cosine = project(table, everything(table), Settings(metric=Metric.COSINE))
    assert sorted(set(range(120)) - set(by_cosine.rows.tolist())) == [7, 9]


def test_some_rows_are_placed_by_their_neighbours_among_themselves() -> None:
    table = table_of(groups())
    rows = np.arange(0, 120, 2)
    some = projection._nearest(table, rows, 5, Metric.L2, None)
    alone = table_of(table.vectors[rows])
    whole = projection._nearest(alone, everything(alone), 5, Metric.L2, None)
    np.testing.assert_array_equal(some.ids, whole.ids)
    np.testing.assert_allclose(some.distances, whole.distances, rtol=1e-4)


def test_a_second_map_starts_from_the_first_and_lies_on_it(
    mapped: tuple[VectorTable, Projection],
) -> None:
    table, first = mapped
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0]
    moved = table_of((table.vectors @ turn).astype(np.float32))  # the same space, turned
    second = project(moved, everything(moved), start=first)
    apart = np.linalg.norm(second.places - first.places, axis=1)
    width = np.ptp(first.places, axis=0).max()
    assert np.median(apart) < 0.05 * width


def test_a_map_is_turned_and_mirrored_back_onto_the_other() -> None:
    rng = np.random.default_rng(0)
    aim = rng.normal(size=(20, 2)).astype(np.float32)
    aim -= aim.mean(axis=0)
    mirrored = aim[:, ::-1].astype(np.float64) * 3 + 5
    rows = np.arange(20)
    turned = projection._turned(mirrored, rows, Projection(rows, aim))
    np.testing.assert_allclose(turned, aim, atol=1e-5)


def test_rows_that_the_first_map_lacks_start_in_its_middle() -> None:
    start = Projection(np.array([0, 2]), np.array([[1, 1], [2, 2]], dtype=np.float32))
    begin = projection._started_from(start, np.array([0, 1, 2]), np.full((3, 2), 9.0))
    assert begin.tolist() == [[1, 1], [0, 0], [2, 2]]


def test_places_are_kept_and_reused_until_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.save(table_of(groups()))
    table = store.open(table_of(groups()).name)
    derived = store.derived(table)
    first = project(table, everything(table), derived=derived)
    steps: list[int] = []
    kept = project(
        table, everything(table), derived=derived, progress=lambda done, _: steps.append(done)
    )
    np.testing.assert_array_equal(kept.places, first.places)
    assert steps == []
    project(
        table,
        everything(table),
        derived=derived,
        force=True,
        progress=lambda done, _: steps.append(done),
    )
    assert steps == list(range(10, 751, 10))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed anew")

    monkeypatch.setattr(projection, "descend", refuse)
    with pytest.raises(AssertionError, match="computed anew"):
        project(table, everything(table), Settings(seed=1), derived=derived)
    with pytest.raises(AssertionError, match="computed anew"):
        project(table, everything(table)[:-1], derived=derived)
    with pytest.raises(AssertionError, match="computed anew"):
        project(transform(table, ["center"]), everything(table), derived=derived)


def test_too_few_tokens_have_no_map() -> None:
    table = table_of(np.eye(4))
    with pytest.raises(WordvecError, match="a map needs at least 5 tokens, got 4"):
        project(table, everything(table))


def test_the_smallest_map_has_five_tokens() -> None:
    table = table_of(np.eye(5))
    assert np.isfinite(project(table, everything(table)).places).all()


def test_an_inner_product_is_no_distance() -> None:
    with pytest.raises(UsageError, match="a map needs distances, which dot is not"):
        Settings(metric=Metric.DOT)


def test_without_opentsne_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    table = table_of(groups())
    with pytest.raises(MissingExtraError, match="a map needs openTSNE") as caught:
        project(table, everything(table))
    assert caught.value.hint == "pip install 'wordvec[map]'"
