"""Exact search: float32 nominates rows, float64 decides, ties go to the lower row.

A question runs in two steps. The first scores every row in float32, which is fast and slightly
wrong; the second recomputes the rows that could be among the k nearest in float64 and sorts them by
score and row. Because the first step's error is bounded, no row that belongs in the answer is left
out, and the same question gives the same answer alone, among a thousand, with any number of
threads.

Three ways of nominating, chosen by measurement (32,000 rows of 768, two AVX-512 cores):

- one matrix-vector product over the mapped rows: 4 to 5 ms a question, where `faiss.knn` takes 10
  to 20 and its import another 40; it serves every metric and filter, and copies nothing;
- `faiss.knn` straight on the mapped rows for blocks of questions under plain L2 or dot: 0.3 s a
  thousand, and no copy either;
- where many questions come one by one, a copy of the rows in half precision: 1.5 ms a question. It
  is made after ALONE_BEFORE_COPY of them.

Where what faiss gives, k and a margin, does not prove the answer complete (ties past the margin, a
row of enormous length), the product answers.

The bound: a dot product of D terms in float32 is off by at most (D + 1)·2⁻²⁴·‖x‖·‖q‖, whatever the
order of summation (Higham 2002, section 3.1, and Cauchy-Schwarz).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import WordvecError
from wordvec.search.engine.guess import Guess
from wordvec.search.engine.half_precision import LARGEST, HalfPrecisionRows
from wordvec.search.engine.nomination import FlatRows, proved
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.search.engine.nomination import Nominator
    from wordvec.tables.table import VectorTable

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]
    Mask = NDArray[np.bool_]

FAISS_FROM = 64  # questions; faiss starts slower, and wins nothing over the product below
ALONE_BEFORE_COPY = 32  # questions; a copy costs as much time as this many save
SMALLEST_COPIED = 2**22  # numbers in the table; below, the product takes no millisecond
_ALONE = 4  # questions; below, each has its own matrix-vector product
_BLOCK = 256  # questions at once; their scores of 32,000 rows take 32 MB
_ROWS_AT_ONCE = 1024  # rows recomputed at once, 6 MB of float64 at D = 768

_EPS32 = 2.0**-24  # unit roundoff of float32
_EPS64 = 2.0**-53
_TINY32 = 2.0**-126  # what a product in float32 may lose by underflow
_LONGEST = 1e150  # of a query; float64 cannot hold the square of a vector much longer
_HUGE = 1e37  # a row this long may overflow float32; such a row is always recomputed


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The k best rows of one question, best first.

    ids: (k,) int64, rows. scores: (k,) float64, distance (not squared) or similarity.
    """

    ids: Rows
    scores: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RowView:
    """Rows taken by number, in float64, and brought to length 1 if `unit`."""

    vectors: NDArray[np.float32]
    unit: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """(V, D)."""
        return self.vectors.shape

    def __getitem__(self, ids: Rows | list[int]) -> Floats:
        """Take n rows: (n, D) float64."""
        rows = self.vectors[ids].astype(np.float64)
        return rows / _lengths(rows)[:, None] if self.unit else rows


class Engine:
    """Exact nearest rows of one table.

    Under `unit` every row is taken at length 1. Rows with a NaN or an infinity are never returned,
    nor, where a row's direction counts (cosine, unit), rows of length zero.
    """

    def __init__(self, table: VectorTable, *, unit: bool = False) -> None:
        self.table = table
        self.unit = unit
        self._rows = np.asarray(table.vectors)  # (V, D) float32: a plain view of the mapped file
        self._norms = np.asarray(table.norms)
        self._finite = np.isfinite(self._norms)
        self._directed = self._finite & (self._norms > 0)
        self._risky = np.flatnonzero(~(self._norms < _HUGE))  # float32 may overflow on them
        self._steps = table.dimensions + 8  # roundings of a product, and room for a few more
        self._asked_alone = 0
        self._copies: dict[bool, HalfPrecisionRows] = {}  # by whether their rows are of length 1

    @property
    def view(self) -> RowView:
        """The rows as they are searched, taken by number: `engine.view[[3, 5]]`."""
        return RowView(self._rows, self.unit)

    def searchable(self, metric: Metric) -> Mask:
        """Which rows a search may return: (V,) bool."""
        return self._directed if self.unit or metric is Metric.COSINE else self._finite

    def search(
        self,
        queries: Floats,
        k: int,
        *,
        metric: Metric = Metric.L2,
        exclude: Sequence[Collection[int]] = (),
        candidates: Mask | None = None,
    ) -> list[Hits]:
        """Find the k best rows of each query, ties by row.

        queries: (Q, D) float64. exclude: for each query the rows that it must not return (or
        nothing at all). candidates: (V,) bool, the rows that may be returned. Fewer than k come
        back only where there are fewer. Raises WordvecError for a query that is not finite, or is
        zero under cosine.
        """
        queries = self._checked(queries, k, metric, exclude)
        excluded = list(exclude) or [()] * len(queries)
        allowed = self.searchable(metric)
        if candidates is not None:
            allowed = allowed & candidates
        hits: list[Hits | None] = [None] * len(queries)
        nominator = None if candidates is not None else self._nominator(metric, len(queries))
        if nominator is not None:
            hits = self._search_nominated(nominator, queries, k, metric, excluded)
        left = [i for i, found in enumerate(hits) if found is None]
        for i, guess in self.guesses(queries, left, metric):
            rows = guess.nominate(k, _without(allowed, excluded[i]))
            hits[i] = self._decide(queries[i], rows, k, metric)
        return [found for found in hits if found is not None]

    def rank_of(
        self,
        query: Floats,
        row: int,
        *,
        metric: Metric = Metric.L2,
        exclude: Collection[int] = (),
        candidates: Mask | None = None,
    ) -> int:
        """Exact rank (1 is best) that `row` has among all rows allowed, itself included.

        query: (D,) float64.
        """
        queries = self._checked(query[None], 1, metric, ())
        allowed = self.searchable(metric)
        if candidates is not None:
            allowed = allowed & candidates
        allowed = _without(allowed, exclude)
        if not allowed[row]:
            raise WordvecError(f"row {row} is not among the rows searched")
        [(_, guess)] = self.guesses(queries, [0], metric)
        better, unsure = guess.around(row, allowed)
        order = self._decide(queries[0], unsure, len(unsure), metric).ids
        return better + int(np.flatnonzero(order == row)[0]) + 1

    def scores(self, query: Floats, rows: Rows, *, metric: Metric = Metric.L2) -> Floats:
        """Score some rows against one query in float64: (n,), in the order of `rows`."""
        if len(rows) <= _ROWS_AT_ONCE:
            return self._scores(query, rows, metric)
        return np.concatenate(
            [
                self._scores(query, rows[start : start + _ROWS_AT_ONCE], metric)
                for start in range(0, len(rows), _ROWS_AT_ONCE)
            ]
        )

    def _checked(
        self, queries: Floats, k: int, metric: Metric, exclude: Sequence[Collection[int]]
    ) -> Floats:
        queries = np.asarray(queries, dtype=np.float64)
        D = self.table.dimensions
        if queries.ndim != 2 or queries.shape[1] != D:
            raise WordvecError(f"expected (Q, {D}) queries, got {queries.shape}")
        if k < 1:
            raise WordvecError(f"expected k of at least 1, got {k}")
        if exclude and len(exclude) != len(queries):
            raise WordvecError(f"expected {len(queries)} sets to exclude, got {len(exclude)}")
        with np.errstate(over="ignore", invalid="ignore"):
            if not (_lengths(queries) < _LONGEST).all():
                raise WordvecError("the query vector is not finite, or too long to be squared")
        if metric is Metric.COSINE and not queries.any(axis=1).all():
            raise WordvecError("the query vector is zero: it has no direction for a cosine")
        return queries

    def _scores(self, query: Floats, ids: Rows, metric: Metric) -> Floats:
        # Products summed row by row, never a BLAS product: that would score equal rows unequally
        # by where they stand in the block.
        rows = self.view[ids]
        if metric is Metric.L2:
            return _lengths(rows - query)
        dots: Floats = (rows * query).sum(axis=1)
        if metric is Metric.DOT:
            return dots
        cosines: Floats = np.clip(dots / (_lengths(rows) * _lengths(query[None])), -1, 1)
        return cosines

    def _decide(self, query: Floats, ids: Rows, k: int, metric: Metric) -> Hits:
        """Sort nominated rows (ascending) by their score in float64, then by row; cut to k."""
        scores = self.scores(query, ids, metric=metric)
        worst_last = scores if metric is Metric.L2 else -scores
        best = np.argsort(worst_last, kind="stable")[:k]
        return Hits(ids[best], scores[best])

    def guesses(
        self, queries: Floats, which: Sequence[int], metric: Metric
    ) -> Iterator[tuple[int, Guess]]:
        """Score every row for each of the questions `which`, block by block, in float32."""
        for start in range(0, len(which), _BLOCK):
            block = list(which[start : start + _BLOCK])
            lengths = _lengths(queries[block])
            lengths[lengths == 0] = 1
            directions = (queries[block] / lengths[:, None]).astype(np.float32)
            with np.errstate(over="ignore", invalid="ignore"):  # rows that are not finite, or huge
                dots = (  # (B, V) float32; a matrix product of so few is slower than each alone
                    [self._rows @ direction for direction in directions]
                    if len(block) < _ALONE
                    else directions @ self._rows.T
                )
            for i, dot, length in zip(block, dots, lengths, strict=True):
                yield i, self._guess(dot, length, metric)

    def _guess(self, dots: NDArray[np.float32], length: float, metric: Metric) -> Guess:
        """Turn dot products with a query's direction into a key of each row, and its error.

        Smaller keys are better: −cos under cosine (and whatever ranks unit rows), −(x·q)/‖q‖ under
        dot, ‖x‖²/2 − x·q under L2.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # rows that are not finite, or huge
            if self.unit or metric is Metric.COSINE:
                keys, error = dots * self._minus_inverse, self._cosine_error
                if metric is Metric.L2:
                    error = error + 4 * self._steps * _EPS64 * (1 + length) ** 2 / length
            elif metric is Metric.DOT:
                keys, error = -dots.astype(np.float64), self._dot_error
            else:
                keys = self._half_squares - length * dots.astype(np.float64)
                error = self._dot_error * length + self._square_error
                error += 8 * self._steps * _EPS64 * length**2
        keys[self._risky] = 0
        return Guess(keys, error)

    @cached_property
    def _dot_error(self) -> Floats:
        """How far off float32 may be in x·q/‖q‖: (V,)."""
        return self._without_risky(
            self._steps * _EPS32 * self._norms + 4 * self._steps * _TINY32, np.inf
        )

    @cached_property
    def _minus_inverse(self) -> Floats:
        """−1/‖x‖, 0 for rows without direction: (V,)."""
        inverse = np.divide(-1, self._norms, out=np.zeros(len(self._norms)), where=self._directed)
        return self._without_risky(inverse, 0)

    @cached_property
    def _cosine_error(self) -> Floats:
        """How far off float32 may be in a cosine: (V,)."""
        with np.errstate(invalid="ignore"):
            return self._without_risky(-self._dot_error * self._minus_inverse, np.inf)

    @cached_property
    def _half_squares(self) -> Floats:
        """‖x‖²/2: (V,)."""
        return self._without_risky(self._norms, 0) ** 2 / 2

    @cached_property
    def _square_error(self) -> Floats:
        """What float64 itself may lose in the distances that decide, ‖x‖'s part of it: (V,)."""
        return 16 * self._steps * _EPS64 * self._half_squares

    def _without_risky(self, values: Floats, instead: float) -> Floats:
        values = values.copy()
        values[self._risky] = instead
        return values

    def _nominator(self, metric: Metric, count: int) -> Nominator | None:
        """What faiss shall search for `count` questions; None where the product is as good."""
        unit = self.unit or metric is Metric.COSINE
        if count >= FAISS_FROM:
            return None if unit else FlatRows(self._rows, metric, self._longest)
        self._asked_alone += count
        if self._asked_alone <= ALONE_BEFORE_COPY or self._rows.size < SMALLEST_COPIED:
            return None
        if not self.searchable(metric).all() or not (unit or self._longest < LARGEST):
            return None
        if metric is Metric.DOT and not unit:  # no distance is near where a product is large
            return None
        if unit not in self._copies:
            self._copies[unit] = HalfPrecisionRows(self._unit_rows() if unit else self._rows)
        return self._copies[unit]

    def _unit_rows(self) -> NDArray[np.float32]:
        return np.divide(self._rows, self._norms[:, None], dtype=np.float32, casting="same_kind")

    def _search_nominated(
        self,
        nominator: Nominator,
        queries: Floats,
        k: int,
        metric: Metric,
        exclude: Sequence[Collection[int]],
    ) -> list[Hits | None]:
        """Answer by what faiss nominates; None where that does not prove the answer.

        Among rows of length 1 the nearest to a direction are those of the largest cosine.
        """
        V = len(self.table)
        asked = min(k + nominator.margin + max(map(len, exclude), default=0), V)
        if metric is not Metric.L2 and (self.unit or metric is Metric.COSINE):
            lengths = _lengths(queries)
            there = queries / np.where(lengths > 0, lengths, 1)[:, None]
        else:
            there = queries
        lengths = _lengths(there)
        found: list[Hits | None] = [None] * len(queries)
        with np.errstate(over="ignore"):
            block = there.astype(np.float32)
        if not np.isfinite(block).all():
            return found
        keys, ids = nominator.nearest(block, asked)
        # a place that faiss could not fill has the id −1
        filled = (ids >= 0).all(axis=1) & np.isfinite(keys).all(axis=1)
        for i in np.flatnonzero(filled).tolist():
            worst = partial(nominator.worst, length=float(lengths[i]))
            rows = proved(keys[i], ids[i], k, exclude[i], worst=worst, every=asked == V)
            if rows is not None:
                found[i] = self._decide(queries[i], rows, k, metric)
        return found

    @cached_property
    def _longest(self) -> float:
        return float(np.max(self._norms, where=self._finite, initial=0))


def _without(allowed: Mask, exclude: Collection[int]) -> Mask:
    if not exclude:
        return allowed
    allowed = allowed.copy()
    allowed[list(exclude)] = False
    return allowed


def _lengths(vectors: Floats) -> Floats:
    """L2 norm of each vector, summed in the same order whatever the block: (n,)."""
    lengths: Floats = np.sqrt((vectors * vectors).sum(axis=1))
    return lengths
