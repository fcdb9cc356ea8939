"""The one place that calls faiss: an empty place never has the id −1."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from wordvec.search.nearest import nearest_rows
from wordvec.search.settings import Metric

ROWS = np.array([[1, 0], [0, 1], [3e38, 0], [np.nan, 0]], dtype=np.float32)


def test_keys_are_squared_distances_and_negative_products() -> None:
    queries = np.array([[2, 1], [0, 2]], dtype=np.float32)
    keys, ids = nearest_rows(ROWS[:2], Metric.L2, queries, 2)
    assert (keys.tolist(), ids.tolist()) == ([[2, 4], [1, 5]], [[0, 1], [1, 0]])
    keys, ids = nearest_rows(ROWS[:2], Metric.DOT, queries, 2)
    assert (keys.tolist(), ids.tolist()) == ([[-2, -1], [-2, 0]], [[0, 1], [1, 0]])


@pytest.mark.parametrize("count", [1, 30])  # faiss computes blocks of 20 in another way
def test_an_empty_place_has_the_key_inf_and_the_id_0(count: int) -> None:
    queries = np.repeat(ROWS[:1], count, axis=0)
    keys, ids = nearest_rows(ROWS, Metric.L2, queries, 4)
    assert keys.tolist() == [[0, 2, np.inf, np.inf]] * count
    assert ids[:, :2].tolist() == [[0, 1]] * count
    assert ids.min() >= 0
    keys, ids = nearest_rows(ROWS, Metric.L2, queries * np.float32(-3e38), 4)
    assert keys.tolist() == [[np.inf] * 4] * count
    assert ids.min() >= 0


@pytest.mark.parametrize("metric", [Metric.L2, Metric.DOT])
def test_on_macos_beside_torch_the_rows_are_found_without_faiss(
    metric: Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    rows, queries = (generator.standard_normal((n, 8)).astype(np.float32) for n in (50, 70))
    rows[3] = np.nan
    with_faiss = nearest_rows(rows, metric, queries, 50)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.setitem(sys.modules, "faiss", None)  # importing it fails
    keys, ids = nearest_rows(rows, metric, queries, 50)
    assert keys == pytest.approx(with_faiss[0], abs=1e-5)
    assert (ids == with_faiss[1]).all()
