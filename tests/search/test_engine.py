"""The engine against plain numpy: every metric, ties, sizes and rows that would break float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np
import pytest

import wordvec.search.engine as engine_module
from wordvec.errors import UsageError, WordvecError
from wordvec.search.engine import Engine
from wordvec.search.nearest import nearest_rows
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Vectors = NDArray[np.float32]

PLAIN = (Metric.L2, Metric.COSINE, Metric.DOT)  # csls is made of cosines: see test_csls
ALL = [(metric, unit) for metric in PLAIN for unit in (False, True)]


def table_of(vectors: Vectors) -> VectorTable:
    vocabulary = Vocabulary(
        tokens=tuple(f"t{row}" for row in range(len(vectors))), scheme=Scheme.WORDPIECE
    )
    provenance = Provenance("toy", Mode.STATIC)
    return VectorTable.from_vectors(vocabulary, vectors, provenance)


def plain_scores(vectors: Vectors, query: Floats, metric: Metric, *, unit: bool) -> Floats:
    """Score every row as algebra says it: (V,) float64, NaN where undefined."""
    rows = vectors.astype(np.float64)
    norms = np.sqrt((rows**2).sum(axis=1))
    with np.errstate(all="ignore"):
        if unit:
            rows = rows / norms[:, None]
            norms = np.sqrt((rows**2).sum(axis=1))
        distances: Floats = np.sqrt(((rows - query) ** 2).sum(axis=1))
        dots: Floats = (rows * query).sum(axis=1)
        cosines: Floats = np.clip(dots / (norms * np.sqrt((query**2).sum())), -1, 1)
    return {Metric.L2: distances, Metric.DOT: dots, Metric.COSINE: cosines}[metric]


def plain_search(
    vectors: Vectors, query: Floats, k: int, metric: Metric, *, unit: bool
) -> list[int]:
    scores = plain_scores(vectors, query, metric, unit=unit)
    finite = np.isfinite(vectors).all(axis=1)
    if unit or metric is Metric.COSINE:
        finite &= (vectors != 0).any(axis=1)
    worse = scores if metric is Metric.L2 else -scores
    rows = [int(row) for row in np.flatnonzero(finite)]
    return sorted(rows, key=lambda row: (worse[row], row))[:k]


def random_vectors(rows: int, width: int, *, seed: int = 0, scale: float = 1.0) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((rows, width)) * scale
    return drawn.astype(np.float32)


@pytest.fixture(params=[1, 4], ids=["1 thread", "4 threads"])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(request.param)
    yield
    faiss.omp_set_num_threads(before)


@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_the_answers_equal_plain_numpy(metric: Metric, *, unit: bool) -> None:
    vectors = random_vectors(500, 24)
    queries = random_vectors(40, 24, seed=1).astype(np.float64)
    hits = Engine(table_of(vectors), unit=unit).search(queries, 10, metric=metric)
    for query, found in zip(queries, hits, strict=True):
        assert found.ids.tolist() == plain_search(vectors, query, 10, metric, unit=unit)
        expected = plain_scores(vectors, query, metric, unit=unit)[found.ids]
        np.testing.assert_allclose(found.scores, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_a_block_gives_the_answers_of_single_queries(metric: Metric, *, unit: bool) -> None:
    vectors = random_vectors(2000, 48)
    vectors[1500:] = vectors[:500]  # ties everywhere
    queries = random_vectors(1000, 48, seed=2).astype(np.float64)
    queries[:300] = vectors[:300]
    engine = Engine(table_of(vectors), unit=unit)
    block = engine.search(queries, 7, metric=metric)
    for query, found in zip(queries[::9], block[::9], strict=True):
        [alone] = engine.search(query[None], 7, metric=metric)
        assert found.ids.tolist() == alone.ids.tolist()
        assert found.scores.tolist() == alone.scores.tolist()  # to the last bit


def test_l2_agrees_with_faiss_own_flat_index() -> None:
    vectors = random_vectors(3000, 64)
    queries = random_vectors(50, 64, seed=3)
    index = faiss.IndexFlatL2(64)
    index.add(vectors)
    squared, ids = index.search(queries, 10)
    hits = Engine(table_of(vectors)).search(queries.astype(np.float64), 10)
    assert [found.ids.tolist() for found in hits] == ids.tolist()
    np.testing.assert_allclose([found.scores**2 for found in hits], squared, rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_equal_rows_come_in_order_of_their_row(metric: Metric, count: int, *, unit: bool) -> None:
    vectors = np.tile(random_vectors(1, 33), (300, 1))
    queries = np.tile(vectors[:1].astype(np.float64), (count, 1))
    for found in Engine(table_of(vectors), unit=unit).search(queries, 50, metric=metric):
        assert found.ids.tolist() == list(range(50))
        assert len(set(found.scores.tolist())) == 1


def test_a_token_has_distance_zero_to_itself_in_a_block_too() -> None:
    vectors = random_vectors(800, 64, scale=30)
    hits = Engine(table_of(vectors)).search(vectors[:100].astype(np.float64), 3)
    assert [int(found.ids[0]) for found in hits] == list(range(100))
    assert [float(found.scores[0]) for found in hits] == [0.0] * 100


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_differences_that_float32_cannot_see_are_decided(
    metric: Metric, count: int, *, unit: bool
) -> None:
    # 200 rows within one unit of float32 of one another, asked from far away
    vectors = np.tile(random_vectors(1, 40), (200, 1))
    nudges = np.random.default_rng(4).integers(0, 40, size=200)
    vectors[np.arange(200), nudges] = np.nextafter(
        vectors[np.arange(200), nudges], np.float32(9), dtype=np.float32
    )
    queries = random_vectors(count, 40, seed=5).astype(np.float64) * 1000
    for query, found in zip(
        queries,
        Engine(table_of(vectors), unit=unit).search(queries, 20, metric=metric),
        strict=True,
    ):
        assert found.ids.tolist() == plain_search(vectors, query, 20, metric, unit=unit)


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize(("metric", "unit"), ALL)
@pytest.mark.parametrize("length", [1e-25, 1e-3, 1e6, 1e18, 3e37])
def test_rows_of_extreme_norm_are_ranked_correctly(
    metric: Metric, count: int, length: float, *, unit: bool
) -> None:
    vectors = random_vectors(300, 16)
    vectors[::7] *= np.float32(length)
    queries = random_vectors(count, 16, seed=6).astype(np.float64)
    queries[::2] *= length
    for query, found in zip(
        queries,
        Engine(table_of(vectors), unit=unit).search(queries, 12, metric=metric),
        strict=True,
    ):
        assert found.ids.tolist() == plain_search(vectors, query, 12, metric, unit=unit)


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_rows_that_are_not_finite_are_never_returned(
    metric: Metric, count: int, *, unit: bool
) -> None:
    vectors = random_vectors(60, 8)
    vectors[3, 2], vectors[10, 0], vectors[11, 5] = np.nan, np.inf, -np.inf
    queries = random_vectors(count, 8, seed=7).astype(np.float64)
    for query, found in zip(
        queries,
        Engine(table_of(vectors), unit=unit).search(queries, 60, metric=metric),
        strict=True,
    ):
        assert found.ids.tolist() == plain_search(vectors, query, 60, metric, unit=unit)
        assert not {3, 10, 11} & set(found.ids.tolist())
        assert len(found.ids) == 57


@pytest.mark.parametrize(("metric", "unit"), [(Metric.COSINE, False), (Metric.L2, True)])
def test_a_zero_row_is_not_found_by_direction(metric: Metric, *, unit: bool) -> None:
    vectors = random_vectors(10, 4)
    vectors[6] = 0
    [found] = Engine(table_of(vectors), unit=unit).search(np.ones((1, 4)), 10, metric=metric)
    assert sorted(found.ids.tolist()) == [0, 1, 2, 3, 4, 5, 7, 8, 9]


def test_unit_rows_rank_as_cosine_does_whatever_the_metric() -> None:
    table = table_of(random_vectors(400, 12))
    queries = random_vectors(5, 12, seed=8).astype(np.float64)
    cosine = [
        found.ids.tolist() for found in Engine(table).search(queries, 9, metric=Metric.COSINE)
    ]
    for metric in PLAIN:
        unit = Engine(table, unit=True).search(queries, 9, metric=metric)
        assert [found.ids.tolist() for found in unit] == cosine


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize("metric", PLAIN)
def test_excluded_rows_are_replaced_by_the_next_ones(metric: Metric, count: int) -> None:
    vectors = random_vectors(100, 8)
    queries = random_vectors(count, 8, seed=9).astype(np.float64)
    exclude = [set(plain_search(vectors, query, 3, metric, unit=False)) for query in queries]
    hits = Engine(table_of(vectors)).search(queries, 5, metric=metric, exclude=exclude)
    for query, found in zip(queries, hits, strict=True):
        assert found.ids.tolist() == plain_search(vectors, query, 8, metric, unit=False)[3:]


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_a_filter_still_gives_k_rows_if_k_pass(metric: Metric, count: int, *, unit: bool) -> None:
    vectors = random_vectors(300, 8)
    candidates = np.arange(300) % 10 == 4
    queries = random_vectors(count, 8, seed=10).astype(np.float64)
    hits = Engine(table_of(vectors), unit=unit).search(
        queries, 20, metric=metric, candidates=candidates
    )
    for query, found in zip(queries, hits, strict=True):
        everything = plain_search(vectors, query, 300, metric, unit=unit)
        assert found.ids.tolist() == [row for row in everything if row % 10 == 4][:20]


@pytest.mark.parametrize("count", [1, 2, engine_module.FAISS_FROM])
@pytest.mark.parametrize("k", [7, 8, 500])
def test_k_of_the_table_size_and_above_gives_every_row(count: int, k: int) -> None:
    vectors = random_vectors(8, 4)
    queries = random_vectors(count, 4, seed=11).astype(np.float64)
    for query, found in zip(queries, Engine(table_of(vectors)).search(queries, k), strict=True):
        assert found.ids.tolist() == plain_search(vectors, query, k, Metric.L2, unit=False)
        assert len(found.ids) == min(k, 8)


def test_no_queries_give_no_hits() -> None:
    assert Engine(table_of(random_vectors(5, 4))).search(np.empty((0, 4)), 3) == []


def test_a_zero_query_has_no_cosine() -> None:
    engine = Engine(table_of(random_vectors(5, 4)))
    with pytest.raises(WordvecError, match="the query vector is zero: it has no direction"):
        engine.search(np.zeros((1, 4)), 3, metric=Metric.COSINE)


def test_a_zero_query_has_distances_and_products() -> None:
    vectors = random_vectors(20, 4)
    for metric in (Metric.L2, Metric.DOT):
        [found] = Engine(table_of(vectors)).search(np.zeros((1, 4)), 20, metric=metric)
        assert found.ids.tolist() == plain_search(vectors, np.zeros(4), 20, metric, unit=False)


@pytest.mark.parametrize(
    ("queries", "k", "exclude", "message"),
    [
        (np.zeros((1, 3)), 3, [], r"expected \(Q, 4\) queries, got \(1, 3\)"),
        (np.zeros(4), 3, [], r"expected \(Q, 4\) queries, got \(4,\)"),
        (np.zeros((1, 4)), 0, [], "expected k of at least 1, got 0"),
        (np.zeros((1, 4)), 3, [{1}, {2}], "expected 1 sets to exclude, got 2"),
        (
            np.full((1, 4), np.nan),
            3,
            [],
            "the query vector is not finite, or its square overflows",
        ),
    ],
)
def test_invalid_queries_are_refused(
    queries: Floats, k: int, exclude: list[set[int]], message: str
) -> None:
    with pytest.raises(WordvecError, match=message):
        Engine(table_of(random_vectors(5, 4))).search(queries, k, exclude=exclude)


@pytest.mark.parametrize(("metric", "unit"), ALL)
def test_the_rank_of_a_row_is_its_place_in_the_whole_list(metric: Metric, *, unit: bool) -> None:
    vectors = random_vectors(150, 8)
    vectors[100:] = vectors[:50]
    vectors[7, 0] = np.nan
    query = random_vectors(1, 8, seed=12).astype(np.float64)[0]
    [ranking] = Engine(table_of(vectors), unit=unit).rankings(query[None], metric)
    everything = plain_search(vectors, query, 150, metric, unit=unit)
    assert [ranking.rank_of(row) for row in everything] == list(range(1, 150))


def test_a_rank_counts_only_the_rows_allowed() -> None:
    vectors = random_vectors(50, 4)
    query = vectors[0].astype(np.float64)
    even = np.arange(50) % 2 == 0
    first, second = plain_search(vectors, query, 50, Metric.L2, unit=False)[:2]
    [ranking] = Engine(table_of(vectors)).rankings(query[None], Metric.L2)
    assert ranking.rank_of(second, np.arange(50) != first) == 1
    assert ranking.rank_of(0, even) == 1
    assert ranking.rank_of(1, even) is None


def test_csls_is_refused_by_the_engine() -> None:
    engine = Engine(table_of(random_vectors(5, 4)))
    with pytest.raises(UsageError, match="an engine ranks by l2, cosine or dot, not by csls"):
        engine.search(np.ones((1, 4)), 3, metric="csls")
    with pytest.raises(UsageError, match="unknown metric 'nearest': expected l2, cosine, dot or"):
        engine.search(np.ones((1, 4)), 3, metric="nearest")


@pytest.mark.parametrize("count", [1, engine_module.FAISS_FROM])  # faiss computes blocks otherwise
@pytest.mark.parametrize("metric", [Metric.L2, Metric.DOT])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1.0, 50.0])
def test_the_keys_of_faiss_are_within_their_bound(
    scale: float, seed: int, metric: Metric, count: int
) -> None:
    vectors = random_vectors(400, 32, seed=seed, scale=scale)
    vectors[::3, 5] *= 3  # a few large numbers beside many small ones
    queries = random_vectors(count, 32, seed=100 + seed, scale=scale).astype(np.float64)
    all_keys, all_ids = nearest_rows(vectors, metric, queries.astype(np.float32), 400)
    for query, keys, ids in zip(queries, all_keys, all_ids, strict=True):
        true = plain_scores(vectors, query, metric, unit=False)[ids]
        exact = -true if metric is Metric.DOT else true**2
        assert sorted(ids.tolist()) == list(range(400))
        length = float(np.sqrt((query**2).sum()))
        error = Engine(table_of(vectors))._faiss_error(length, metric)
        assert np.abs(keys - exact).max() <= error


@pytest.mark.parametrize("metric", PLAIN)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 50.0])
def test_the_keys_of_the_product_are_within_their_bound(scale: float, metric: Metric) -> None:
    vectors = random_vectors(400, 32, scale=scale)
    query = random_vectors(1, 32, seed=19, scale=scale).astype(np.float64)
    length = float(np.sqrt((query**2).sum()))
    [bounds] = Engine(table_of(vectors)).bounds(query, metric)
    exact = {
        Metric.L2: (plain_scores(vectors, query, Metric.L2, unit=False) ** 2 - length**2) / 2,
        Metric.COSINE: -plain_scores(vectors, query, Metric.COSINE, unit=False),
        Metric.DOT: -plain_scores(vectors, query, Metric.DOT, unit=False) / length,
    }[metric]
    assert np.abs(bounds.keys - exact).max() <= bounds.error
