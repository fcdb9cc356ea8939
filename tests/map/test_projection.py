"""Positions on the plane, and the neighbours that they are computed from, compared with numpy."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.errors import MissingExtraError, UsageError, WordvecError
from wordvec.map import projection
from wordvec.map.projection import (
    Projection,
    ProjectionMethod,
    ProjectionSettings,
    nearest_within,
    project,
)
from wordvec.search.settings import Metric
from wordvec.search.transforms import transform
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable


def clustered_rows() -> NDArray[np.float32]:
    """Make 120 rows in four distant clusters: row i is in cluster i % 4."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 8)) * 20
    return (np.tile(centres, (30, 1)) + rng.normal(size=(120, 8))).astype(np.float32)


def all_rows(table: VectorTable) -> NDArray[np.int64]:
    return np.arange(len(table))


@pytest.fixture(scope="module")
def projected() -> tuple[VectorTable, Projection]:
    table = table_of(clustered_rows())
    return table, project(table, all_rows(table))


def test_distant_clusters_are_separate_on_the_map(
    projected: tuple[VectorTable, Projection],
) -> None:
    _, projection = projected
    positions = projection.positions.astype(np.float64)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :10]
    assert (nearest % 4 == (np.arange(120) % 4)[:, None]).all()


def test_the_map_is_centred_and_has_one_position_per_row(
    projected: tuple[VectorTable, Projection],
) -> None:
    _, projection = projected
    assert projection.positions.shape == (120, 2)
    assert projection.positions.dtype == np.float32
    np.testing.assert_allclose(
        projection.positions.max(axis=0), -projection.positions.min(axis=0), atol=1e-4
    )


def test_the_same_seed_gives_the_same_map(projected: tuple[VectorTable, Projection]) -> None:
    table, projection = projected
    again = project(table, all_rows(table))
    np.testing.assert_array_equal(again.positions, projection.positions)


@hypothesis_settings(deadline=None, max_examples=40)
@given(drawn_rows(least=3, zero=False), st.integers(1, 6), st.sampled_from(["l2", "cosine"]))
def test_distances_of_neighbours_equal_those_of_plain_numpy(
    rows: NDArray[np.float32], k: int, metric: str
) -> None:
    found = nearest_within(rows, k, Metric(metric))
    wide = rows.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    distances = np.linalg.norm(wide[:, None] - wide[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    expected = np.sort(distances, axis=1)[:, : min(k, len(rows) - 1)]
    size = np.abs(wide).max() + 1  # float32 cannot hold a small distance between long rows
    np.testing.assert_allclose(found.distances, expected, atol=2e-3 * size)
    assert (found.ids != np.arange(len(rows))[:, None]).all()


def test_a_row_is_never_its_own_neighbour_among_copies() -> None:
    found = nearest_within(np.ones((50, 3), dtype=np.float32), 4, Metric.L2)
    assert found.ids.shape == (50, 4)
    assert (found.ids != np.arange(50)[:, None]).all()


def test_the_initial_positions_are_the_first_two_principal_components() -> None:
    rows = clustered_rows()
    plane = projection._principal_components(rows, Metric.L2)
    centred = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
    u, singular_values, _ = np.linalg.svd(centred, full_matrices=False)
    expected = u[:, :2] * singular_values[:2]
    np.testing.assert_allclose(np.abs(plane), np.abs(expected), atol=1e-8)
    assert (plane[np.abs(plane).argmax(axis=0), [0, 1]] > 0).all()


def test_a_table_of_one_dimension_can_be_mapped() -> None:
    table = table_of([[float(i)] for i in range(30)])
    assert np.isfinite(project(table, all_rows(table)).positions).all()


def test_rows_without_a_usable_vector_are_left_out() -> None:
    rows = clustered_rows()
    rows[7] = np.nan
    rows[9] = 0
    table = table_of(rows)
    assert 7 not in project(table, all_rows(table)).rows
    by_cosine = project(table, all_rows(table), ProjectionSettings(metric=Metric.COSINE))
    assert sorted(set(range(120)) - set(by_cosine.rows.tolist())) == [7, 9]


@pytest.mark.parametrize("size", [1e18, 3e38])
@pytest.mark.parametrize("count", [119, 120])  # some rows, or all of them
def test_rows_whose_squares_overflow_are_left_out_under_l2(size: float, count: int) -> None:
    rows = clustered_rows()
    rows[7], rows[9] = size, -size
    table = table_of(rows)
    found = project(table, np.arange(count))
    assert found.rows.tolist() == sorted(set(range(count)) - {7, 9})
    assert np.isfinite(found.positions).all()
    by_cosine = project(table, np.arange(count), ProjectionSettings(metric=Metric.COSINE))
    assert len(by_cosine.rows) == count
    assert np.isfinite(by_cosine.positions).all()
    with pytest.raises(WordvecError, match=r"got 0 \(120 vectors are not finite, or longer than"):
        project(table_of(np.full((120, 2), size)), np.arange(120))


def test_the_scale_of_the_vectors_does_not_change_their_neighbours() -> None:
    rows = clustered_rows()
    plain = nearest_within(rows, 5, Metric.L2)
    for exponent in (-80, 50):  # squares would under- or overflow float32
        scaled = nearest_within(np.ldexp(rows, exponent), 5, Metric.L2)
        np.testing.assert_array_equal(scaled.ids, plain.ids)
        np.testing.assert_array_equal(scaled.distances, np.ldexp(plain.distances, exponent))


def test_a_vector_that_is_not_finite_has_no_neighbours_to_place() -> None:
    rows = clustered_rows()
    rows[3] = np.nan
    with pytest.raises(WordvecError, match="a vector is not finite"):
        nearest_within(rows, 5, Metric.L2)


def test_neighbours_of_some_rows_are_among_these_rows() -> None:
    table = table_of(clustered_rows())
    rows = np.arange(0, 120, 2)
    some = projection.neighbours_within(table, rows, 5, Metric.L2, None)
    alone = table_of(table.vectors[rows])
    whole = projection.neighbours_within(alone, all_rows(alone), 5, Metric.L2, None)
    np.testing.assert_array_equal(some.ids, whole.ids)
    np.testing.assert_allclose(some.distances, whole.distances, rtol=1e-4)


def test_a_second_map_is_aligned_with_the_first(
    projected: tuple[VectorTable, Projection],
) -> None:
    table, first = projected
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0]
    moved = table_of((table.vectors @ rotation).astype(np.float32))  # the same table, rotated
    second = project(moved, all_rows(moved), reference=first)
    distances = np.linalg.norm(second.positions - first.positions, axis=1)
    width = np.ptp(first.positions, axis=0).max()
    assert np.median(distances) < 0.05 * width


def test_a_reflected_map_is_aligned_with_the_reference() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(20, 2)).astype(np.float32)
    target -= target.mean(axis=0)
    reflected = target[:, ::-1].astype(np.float64) * 3 + 5
    rows = np.arange(20)
    aligned = projection._align(reflected, rows, Projection(rows, target))
    np.testing.assert_allclose(aligned, target, atol=1e-5)


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_pca_shows_the_first_two_principal_components(metric: Metric) -> None:
    table = table_of(np.random.default_rng(0).normal(size=(40, 5)) * [5, 3, 1, 1, 1])
    found = project(table, all_rows(table), ProjectionSettings(metric, method=ProjectionMethod.PCA))
    points = table.vectors.astype(np.float64)
    if metric is Metric.COSINE:
        points /= np.linalg.norm(points, axis=1)[:, None]
    u, s, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    expected = u[:, :2] * s[:2]
    differences = np.linalg.norm(found.positions[:, None] - found.positions, axis=2)
    np.testing.assert_allclose(
        differences, np.linalg.norm(expected[:, None] - expected, axis=2), atol=1e-5
    )
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    assert (differences <= distances + 1e-5).all()


def test_umap_keeps_neighbours_and_is_the_same_for_the_same_seed() -> None:
    pytest.importorskip("umap")
    table = table_of(clustered_rows())
    settings = ProjectionSettings(method=ProjectionMethod.UMAP, seed=3)
    found, again = (project(table, all_rows(table), settings).positions for _ in range(2))
    np.testing.assert_array_equal(found, again)
    near = nearest_within(found, 1, Metric.L2).ids[:, 0]
    true = nearest_within(table.vectors, 20, Metric.L2).ids
    assert (near[:, None] == true).any(axis=1).mean() > 0.9


def test_without_umap_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setitem(sys.modules, "umap.umap_", None)
    table = table_of(np.eye(6))
    with pytest.raises(MissingExtraError, match="UMAP needs umap-learn") as caught:
        project(table, all_rows(table), ProjectionSettings(method=ProjectionMethod.UMAP))
    assert caught.value.hint == "pip install 'wordvec[umap]'"


def test_another_method_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown method 'mds': expected tsne, umap or pca"):
        ProjectionSettings(method="mds")  # type: ignore[arg-type]


def test_positions_of_each_method_are_saved_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(table_of(clustered_rows()))
    table = store.open(table_of(clustered_rows()).name)
    derived = store.derived(table)
    pca = project(
        table, all_rows(table), ProjectionSettings(method=ProjectionMethod.PCA), derived=derived
    )
    tsne = project(table, all_rows(table), derived=derived)
    again = project(
        table, all_rows(table), ProjectionSettings(method=ProjectionMethod.PCA), derived=derived
    )
    np.testing.assert_array_equal(pca.positions, again.positions)
    assert not np.allclose(pca.positions, tsne.positions)


def test_an_aligned_map_lies_over_its_reference() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(20, 2)).astype(np.float32) + 50
    more = np.vstack([target[:, ::-1] * 3, rng.normal(size=(5, 2)) * 40]).astype(np.float64)
    aligned = projection._align(more, np.arange(25), Projection(np.arange(20), target))
    np.testing.assert_allclose(aligned[:20], target, atol=1e-4)


def test_rows_that_the_reference_lacks_start_at_the_origin() -> None:
    reference = Projection(np.array([0, 2]), np.array([[1, 1], [2, 2]], dtype=np.float32))
    initial = projection._initial_from(reference, np.array([0, 1, 2]), np.full((3, 2), 9.0))
    assert initial.tolist() == [[1, 1], [0, 0], [2, 2]]


def test_saved_positions_are_reused_until_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.save(table_of(clustered_rows()))
    table = store.open(table_of(clustered_rows()).name)
    derived = store.derived(table)
    first = project(table, all_rows(table), derived=derived)
    steps: list[int] = []
    saved = project(
        table, all_rows(table), derived=derived, progress=lambda done, _: steps.append(done)
    )
    np.testing.assert_array_equal(saved.positions, first.positions)
    assert steps == []
    project(
        table,
        all_rows(table),
        derived=derived,
        force=True,
        progress=lambda done, _: steps.append(done),
    )
    assert steps == list(range(10, 751, 10))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("recomputed")

    monkeypatch.setattr(projection, "run_tsne", refuse)
    with pytest.raises(AssertionError, match="recomputed"):
        project(table, all_rows(table), ProjectionSettings(seed=1), derived=derived)
    with pytest.raises(AssertionError, match="recomputed"):
        project(table, all_rows(table)[:-1], derived=derived)
    with pytest.raises(AssertionError, match="recomputed"):
        project(transform(table, ["center"]), all_rows(table), derived=derived)


def test_fewer_than_five_tokens_are_an_error() -> None:
    table = table_of(np.eye(4))
    with pytest.raises(WordvecError, match="a map needs at least 5 tokens, got 4"):
        project(table, all_rows(table))


def test_the_smallest_map_has_five_tokens() -> None:
    table = table_of(np.eye(5))
    assert np.isfinite(project(table, all_rows(table)).positions).all()


def test_positions_saved_by_an_earlier_version_are_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(table_of(clustered_rows()))
    table = store.open(table_of(clustered_rows()).name)
    derived = store.derived(table)
    rows = all_rows(table)
    saved: dict[str, NDArray[Any]] = {"rows": rows, "places": np.ones((120, 2), dtype=np.float32)}
    derived.save("map-l2-p30-seed0-120-fc256ff91ecf", saved)
    assert (project(table, rows, derived=derived).positions == 1).all()


def test_a_metric_can_be_a_string() -> None:
    assert ProjectionSettings(metric="l2").metric is Metric.L2  # type: ignore[arg-type]
    settings = ProjectionSettings(metric="cosine")  # type: ignore[arg-type]
    assert settings == ProjectionSettings(metric=Metric.COSINE)
    table = table_of(clustered_rows())
    by_name = project(table, all_rows(table), settings).positions
    expected = project(table, all_rows(table), ProjectionSettings(Metric.COSINE)).positions
    np.testing.assert_array_equal(by_name, expected)


@pytest.mark.parametrize("metric", [Metric.DOT, "csls", "nonsense", None])
def test_other_metrics_are_refused(metric: Any) -> None:
    message = f'a map needs metric="l2" or metric="cosine", got "{metric}"'
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        ProjectionSettings(metric=metric)


@pytest.mark.parametrize("perplexity", [1.9, -30, math.nan, math.inf, "30"])
def test_a_perplexity_outside_its_range_is_refused(perplexity: Any) -> None:
    message = f"perplexity must be a finite number of at least 2, got {perplexity!r}"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        ProjectionSettings(perplexity=perplexity)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0"])
def test_a_seed_outside_its_range_is_refused(seed: Any) -> None:
    message = f"seed must be an integer from 0 to 4294967295, got {seed!r}"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        ProjectionSettings(seed=seed)


def test_numbers_of_numpy_are_settings_too() -> None:
    settings = ProjectionSettings(perplexity=np.float32(20), seed=np.int64(3))  # type: ignore[arg-type]
    assert settings == ProjectionSettings(perplexity=20.0, seed=3)


def test_without_opentsne_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    table = table_of(clustered_rows())
    with pytest.raises(MissingExtraError, match="a map needs openTSNE") as caught:
        project(table, all_rows(table))
    assert caught.value.hint == "pip install 'wordvec[map]'"
