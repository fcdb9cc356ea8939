"""Exact nearest rows: float32 nominates, float64 decides, ties go to the lower row.

Two steps answer a query. First, every row gets a key in float32, which is fast and slightly wrong.
Then the rows that could be among the k nearest are scored again in float64 and sorted by score and
row. The error of the keys is bounded, so no row of the answer is missed, and the same query gets
the same answer alone, among a thousand, and with any number of threads.

The bound. A float32 dot product of D terms, in any order of summation, is off by at most
(D + 1)·2⁻²⁴·‖x‖·‖q‖ (Higham 2002, section 3.1, with Cauchy-Schwarz); D + 8 leaves room for a few
more roundings. With M the largest norm of the rows, this gives one error e per query:

    keys                       e
    cosine        −cos(x, q)   (D + 8)·2⁻²⁴
    inner product −x·q         (D + 8)·2⁻²⁴·M·‖q‖
    L2            ‖x − q‖²     (D + 8)·2⁻²⁴·(M + ‖q‖)²

A row that belongs in the answer has a key of at most κ + 2e, where κ is the k-th smallest key.
Rows far longer or shorter than the others would spoil M, or under- or overflow; these exceptional
rows are always scored in float64.

Keys come from `faiss.knn` for blocks of queries under plain L2 or inner product (32,000 rows of
768, two AVX-512 cores: 0.3 ms per query), and from one product over the rows for everything else
(1.5 to 1.9 ms for a single query). faiss returns only the best few rows; if these do not prove the
answer, the product does.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, assert_never

import numpy as np

from wordvec.errors import UsageError, WordvecError, as_choice
from wordvec.search.nearest import nearest_rows
from wordvec.search.ranking import Hits, Ranking, ScoreBounds, best_of, without
from wordvec.search.settings import Metric, check_k
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.search.ranking import Floats, Mask, RowIds
    from wordvec.tables.table import VectorTable

FAISS_FROM = 64  # queries; for fewer, faiss is not faster than the product
_SINGLE = 4  # queries; fewer are multiplied one by one
_BLOCK_BYTES = 1 << 25  # of float32 products at once: 256 queries over 32,000 rows
_ROWS_AT_ONCE = 1024  # rows scored in float64 at once: 6 MB at D = 768

_EPS32 = 2.0**-24  # unit roundoff of float32
_EPS64 = 2.0**-53
_TINY32 = 2.0**-126  # what a float32 product may lose by underflow
_NO_CSLS = "an engine ranks by l2, cosine or dot, not by csls"
_SHORT, _LONG = 1e-25, 1e18  # norms outside these are exceptional: float32 squares fail
_SPREAD = 16.0  # norms above the median times this are exceptional too
_EXTRA = 24  # rows to ask faiss for beyond k: enough to prove most answers
_MAX_EXCEPTIONAL = 64  # with more exceptional rows than this, only the product is used
MAX_QUERY_NORM = 1e150  # float64 cannot hold the square of a much longer vector


def relative_error(dimensions: int) -> float:
    """The bound on the error of a float32 dot product, relative to ‖x‖·‖q‖."""
    return (dimensions + 8) * _EPS32


class Engine:
    """Finds the exact nearest rows of one table, by L2 distance, cosine or inner product.

    unit: whether each row is normalised to unit length first. Rows with a NaN or an infinity are
    never returned; nor are zero rows under cosine or `unit`, where only directions count.
    """

    def __init__(self, table: VectorTable, *, unit: bool = False) -> None:
        self.table = table
        self.unit = unit
        self._rows = np.asarray(table.vectors)  # (V, D) float32: a view of the mapped file
        self._norms = np.asarray(table.norms)
        self._finite = np.isfinite(self._norms)
        self._nonzero = self._finite & (self._norms > 0)
        self._error = relative_error(table.dimensions)

    def rows(self, ids: RowIds | Sequence[int]) -> Floats:
        """Return rows as they are searched: (n, D) float64, of unit length if `unit`."""
        rows = self._rows[ids].astype(np.float64)
        return rows / norms_of(rows)[:, None] if self.unit else rows

    def searchable(self, metric: Metric) -> Mask:
        """Return which rows a search may return: (V,) bool."""
        return self._nonzero if self.unit or metric is Metric.COSINE else self._finite

    def search(
        self,
        queries: Floats,
        k: int,
        *,
        metric: Metric | str = Metric.L2,
        exclude: Sequence[Collection[int]] = (),
        candidates: Mask | None = None,
    ) -> list[Hits]:
        """Find the k best rows of each query, ties to the lower row.

        Args:
            queries: (Q, D) float64.
            k: at least 1; fewer rows come back only if fewer may be returned.
            metric: l2, cosine or dot. CSLS needs a neighbour graph: see `methods`.
            exclude: for each query, rows that it must not return; empty for none.
            candidates: (V,) bool, the rows that may be returned; None for all.

        Raises:
            WordvecError: for a query that is not finite, or is zero under cosine.
        """
        metric = as_choice(Metric, metric, "metric")
        check_k(k)
        queries = self._check(queries, metric, exclude)
        excluded = list(exclude) or [()] * len(queries)
        hits: list[Hits | None] = [None] * len(queries)
        if candidates is None and self._suits_faiss(metric, len(queries)):
            hits = self._search_block(queries, k, metric, excluded)
        left = [i for i, found in enumerate(hits) if found is None]
        allowed = self.searchable(metric) if candidates is None else candidates
        for i, ranking in zip(left, self.rankings(queries[left], metric), strict=True):
            hits[i] = ranking.best(k, without(allowed, excluded[i]))
        return [found for found in hits if found is not None]

    def rankings(self, queries: Floats, metric: Metric) -> Iterator[Ranking]:
        """Yield how each query ranks all rows. queries: (Q, D) float64, finite."""
        for query, bounds in zip(queries, self.bounds(queries, metric), strict=True):
            score = partial(self.scores, query, metric=metric)
            descending = not metric.smaller_is_nearer
            yield Ranking(bounds, score, self.searchable(metric), descending=descending)

    def scores(self, query: Floats, rows: RowIds, *, metric: Metric = Metric.L2) -> Floats:
        """Score some rows against one query in float64: (n,), in the order of `rows`."""
        return in_chunks(lambda some: score_rows(self.rows(some), query, metric), rows)

    def bounds(self, queries: Floats, metric: Metric) -> Iterator[ScoreBounds]:
        """Yield the key of every row for each query, from float32 products in blocks.

        Keys are −cos under cosine (and for unit rows), −x·q/‖q‖ under dot, ‖x‖²/2 − x·q under L2.
        """
        block = max(_BLOCK_BYTES // (4 * max(len(self._rows), 1)), 1)
        for start in range(0, len(queries), block):
            some = queries[start : start + block]
            lengths = norms_of(some)
            lengths[lengths == 0] = 1
            directions = (some / lengths[:, None]).astype(np.float32)
            with np.errstate(over="ignore", invalid="ignore"):  # exceptional rows
                products = (  # (B, V) float32
                    [self._rows @ direction for direction in directions]
                    if len(some) < _SINGLE
                    else directions @ self._rows.T
                )
            for product, length in zip(products, lengths.tolist(), strict=True):
                yield self._bounds(product, length, metric)

    def _bounds(self, products: NDArray[np.float32], length: float, metric: Metric) -> ScoreBounds:
        M, e = self.usual_norm, self._error
        underflow = 4 * (self.table.dimensions + 8) * _TINY32
        with np.errstate(over="ignore", invalid="ignore"):  # exceptional rows
            if self.unit or metric is Metric.COSINE:
                keys = products * self._minus_inverse
                error = e + underflow / _SHORT
                if metric is Metric.L2:  # float64 itself cannot tell nearer distances apart
                    error += 16 * self.table.dimensions * _EPS64 * (1 + length) ** 2 / length
            elif metric is Metric.DOT:
                keys = -products.astype(np.float64)
                error = e * M + underflow
            else:
                keys = np.multiply(products, -length, dtype=np.float64)
                keys += self._half_squares
                error = (e * M + underflow) * length
                error += 16 * self.table.dimensions * _EPS64 * (M + length) ** 2
        if not len(self.exceptional):
            return ScoreBounds(keys, error)
        keys[self.exceptional] = 0
        errors = np.full(len(keys), error)
        errors[self.exceptional] = np.inf
        return ScoreBounds(keys, errors)

    @cached_property
    def exceptional(self) -> RowIds:
        """Rows whose norm would spoil the bound, and rows that are not finite."""
        usual = self._norms[self._nonzero]
        sample = usual[:: 1 + len(usual) // 32768]  # enough for a median, and fast
        half = len(sample) // 2
        # np.partition because np.median imports numpy.ma, which slows every command
        median = float(np.partition(sample, half)[half]) if len(sample) else 0.0
        most = min(_SPREAD * median, _LONG)
        usual_norm = (self._norms >= _SHORT) & (self._norms <= most)
        return np.flatnonzero(~(usual_norm | (self._norms == 0)))

    @cached_property
    def usual_norm(self) -> float:
        """M, the largest norm of the rows that are not exceptional."""
        usual = self._finite.copy()
        usual[self.exceptional] = False
        return float(np.max(self._norms, where=usual, initial=0))

    @cached_property
    def _minus_inverse(self) -> Floats:
        """−1/‖x‖, and 0 for rows without a direction: (V,)."""
        zeros = np.zeros(len(self._norms))
        return np.divide(-1, self._norms, out=zeros, where=self._nonzero)

    @cached_property
    def _half_squares(self) -> Floats:
        """‖x‖²/2: (V,)."""
        squares: Floats = self._norms**2 / 2
        return squares

    def _check(self, queries: Floats, metric: Metric, exclude: Sequence[Collection[int]]) -> Floats:
        queries = np.asarray(queries, dtype=np.float64)
        D = self.table.dimensions
        if metric is Metric.CSLS:
            raise UsageError(_NO_CSLS)
        if queries.ndim != 2 or queries.shape[1] != D:
            raise WordvecError(f"expected (Q, {D}) queries, got {queries.shape}")
        if exclude and len(exclude) != len(queries):
            raise WordvecError(f"expected {len(queries)} sets to exclude, got {len(exclude)}")
        for row in set().union(*exclude):
            if not isinstance(row, int | np.integer) or not 0 <= row < len(self._rows):
                raise UsageError(f"there is no row {quote(row)} to exclude")
        with np.errstate(over="ignore", invalid="ignore"):
            if not (norms_of(queries) < MAX_QUERY_NORM).all():
                raise WordvecError("the query vector is not finite, or its square overflows")
        if metric is Metric.COSINE and not queries.any(axis=1).all():
            raise WordvecError("the query vector is zero: it has no direction for a cosine")
        return queries

    def _search_block(
        self, queries: Floats, k: int, metric: Metric, exclude: Sequence[Collection[int]]
    ) -> list[Hits | None]:
        """Answer a block of queries by faiss; None where its best few rows prove nothing."""
        hits: list[Hits | None] = [None] * len(queries)
        if not (np.abs(queries) < _LONG).all():
            return hits
        asked = k + _EXTRA + max(map(len, exclude), default=0) + len(self.exceptional)
        some = queries.astype(np.float32)
        keys, ids = nearest_rows(self._rows, metric, some, min(asked, len(self._rows)))
        for i, length in enumerate(norms_of(queries).tolist()):
            error = self._faiss_error(length, metric)
            rows = self._prove(keys[i], ids[i], k, exclude[i], error)
            if rows is not None:
                scores = self.scores(queries[i], rows, metric=metric)
                hits[i] = best_of(rows, scores, k, descending=not metric.smaller_is_nearer)
        return hits

    def _prove(
        self, keys: Floats, ids: RowIds, k: int, exclude: Collection[int], error: float
    ) -> RowIds | None:
        """Return the rows that may be among the k best, ascending, if no other row can be.

        keys, ids: (n,) the nominated rows, best first; an empty place has the key inf.
        """
        if not np.isfinite(keys[-1]):
            return None
        complete = len(ids) == len(self._rows)
        last = keys[-1]
        if exclude or len(self.exceptional):
            usual = ~np.isin(ids, [*exclude, *self.exceptional.tolist()])
            keys, ids = keys[usual], ids[usual]
        limit = keys[k - 1] + 2 * error if len(keys) >= k else np.inf
        if not (limit < last or complete):
            return None
        rows = ids[keys <= limit]
        if len(self.exceptional):
            always = np.setdiff1d(self.exceptional[self._finite[self.exceptional]], [*exclude])
            rows = np.concatenate([rows, always.astype(np.int64)])
        return np.sort(rows)

    def _suits_faiss(self, metric: Metric, count: int) -> bool:
        """Whether faiss is faster than the product for `count` queries."""
        plain = not self.unit and metric is not Metric.COSINE
        return plain and count >= FAISS_FROM and len(self.exceptional) <= _MAX_EXCEPTIONAL

    def _faiss_error(self, length: float, metric: Metric) -> float:
        """The largest error of a key of faiss, for a query of that norm."""
        M, e = self.usual_norm, self._error
        underflow = 4 * (self.table.dimensions + 8) * _TINY32
        return (e * M * length if metric is Metric.DOT else e * (M + length) ** 2) + underflow


def in_chunks(score: Callable[..., Floats], *arrays: RowIds) -> Floats:
    """Call `score` on 1,024 entries of some arrays at a time, which bounds the memory: (n,)."""
    starts = range(0, len(arrays[0]), _ROWS_AT_ONCE)
    parts = [score(*(array[i : i + _ROWS_AT_ONCE] for array in arrays)) for i in starts]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])


def score_rows(rows: Floats, query: Floats, metric: Metric) -> Floats:
    """Score rows, (n, D) float64, against one query (D,), or each against its own (n, D): (n,).

    Summed row by row, not by BLAS, which would score equal rows unequally by their place.
    """
    if metric is Metric.L2:
        return norms_of(rows - query)
    dots: Floats = (rows * query).sum(axis=1)
    match metric:
        case Metric.DOT:
            return dots
        case Metric.COSINE:
            cosines: Floats = np.clip(
                dots / (norms_of(rows) * norms_of(np.atleast_2d(query))), -1, 1
            )
            return cosines
        case Metric.CSLS:
            raise UsageError(_NO_CSLS)
        case _:
            assert_never(metric)


def norms_of(vectors: Floats) -> Floats:
    """L2 norm of each vector, summed in the same order whatever the block: (n,)."""
    norms: Floats = np.sqrt((vectors * vectors).sum(axis=1))
    return norms
