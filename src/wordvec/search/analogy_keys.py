"""The keys of a block of analogies a:b=c:? under each method, from products in float32.

The products are of all rows with the words of the block, or with the vectors that the questions
ask for if these are fewer. `methods` has the formulas of the scores, and `engine` the bound of a
product. With u = 2⁻²⁴, M the largest norm of the rows, q = c − a + b and r = (D + 8)·u:

    key                         its error
    x·q                         r·M·S           S = ‖q‖, or ‖a‖ + ‖b‖ + ‖c‖ from products of words
    x·q/‖x‖                     r·S
    x·q − ‖x‖²/2                r·M·S + 4u·M²
    2·x·q/(‖x‖‖q‖) − r(x)       2r + 8u         CSLS

`mul` and `direction` combine such products; their errors are beside their formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wordvec.search.block_ranks import BlockKeys
from wordvec.search.engine import MAX_QUERY_NORM, in_chunks, norms_of, relative_error, score_rows
from wordvec.search.methods import EPSILON
from wordvec.search.resolve import row_means
from wordvec.search.settings import Method, Metric
from wordvec.search.space import CSLS_NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.search.engine import Engine
    from wordvec.search.ranking import Floats, Mask, RowIds
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space

    Single = NDArray[np.float32]
    Rows = tuple[int, ...]  # of a token, or of the pieces of a word
    Prepared = tuple[Mask, "BlockKeys"]  # which questions have an answer, and the keys of these

_U = 2.0**-24
_EPS64 = 2.0**-53
_TINY = 2.0**-126
_SMALLEST, _LARGEST = 1e-12, 1e12  # norms whose products in float32 are trusted
_SHORTEST = 1e-25  # norm of a row whose products are trusted: see `Engine`


@dataclass(frozen=True, slots=True)
class AnalogyRows:
    """An analogy whose words have been looked up: rows of a token, or of the pieces of a word."""

    a: Rows
    b: Rows
    c: Rows

    @property
    def own(self) -> dict[int, int]:
        """Return each row of the question, with the first word that has it: 0 a, 1 b, 2 c."""
        return {row: word for word in (2, 1, 0) for row in (self.a, self.b, self.c)[word]}


def analogy_keys(
    questions: Sequence[AnalogyRows], space: Space, settings: QuerySettings, *, by_words: bool
) -> Prepared:
    """Prepare the keys of a block of questions.

    by_words: multiply the rows with each word of the block once, under `sum` and `add`.

    Returns:
        which questions have an answer, (B,) bool: their vectors are finite and have a direction
        where the method needs one. Then the keys of these questions.
    """
    words = _Words.of(questions, space.engine)
    match settings.method:
        case Method.MUL:
            return _by_mul(words, space.engine)
        case Method.DIRECTION:
            return _by_direction(words, space.engine)
        case _:
            return _by_sum(words, space, settings, by_words=by_words)


@dataclass(frozen=True, slots=True, eq=False)
class _Words:
    """The words of a block: vectors (W, D) float64, and the places of a, b, c, (B, 3)."""

    vectors: Floats
    places: RowIds
    askable: Mask  # (B,)

    @classmethod
    def of(cls, questions: Sequence[AnalogyRows], engine: Engine) -> _Words:
        place_of: dict[Rows, int] = {}
        places = np.array(
            [
                [place_of.setdefault(rows, len(place_of)) for rows in (one.a, one.b, one.c)]
                for one in questions
            ]
        )
        searchable = engine.searchable(Metric.L2)
        usable = np.array([bool(searchable[list(rows)].all()) for rows in place_of])
        with np.errstate(invalid="ignore", over="ignore"):
            vectors = row_means(list(place_of), engine.rows)
        vectors[~usable] = 0
        return cls(vectors, places, usable[places].all(axis=1))

    def units(self) -> _Words:
        """Return the words with unit vectors; those without a direction cannot be asked."""
        norms = norms_of(self.vectors)
        usable = (norms > 0) & np.isfinite(norms)
        units = self.vectors / np.where(usable, norms, 1)[:, None]
        return _Words(units, self.places, self.askable & usable[self.places].all(axis=1))

    def terms(self) -> tuple[Floats, Floats, Floats]:
        """Return the vectors of a, b and c of each question that can be asked: (B, D) each."""
        a, b, c = self.vectors[self.places[self.askable].T]
        return a, b, c


@dataclass(frozen=True, slots=True, eq=False)
class RowProducts:
    """Products of all rows of an engine in float32, their bounds, and exact scores.

    bad: rows whose products are not used: those without a score, and the exceptional ones, which
    are `unknown` if they have a score.
    """

    engine: Engine
    rankable: Mask
    inverse: Single | None  # 1/‖x‖, if the keys are divided by it
    bad: RowIds = field(init=False)
    unknown: RowIds = field(init=False)

    @classmethod
    def of(cls, engine: Engine, metric: Metric) -> RowProducts:
        """Prepare the rows of an engine for a metric."""
        divided = engine.unit or metric in (Metric.COSINE, Metric.CSLS)
        rankable = engine.searchable(Metric.COSINE if metric is Metric.CSLS else metric)
        inverse = None
        if divided:
            norms = np.where(rankable, np.asarray(engine.table.norms), 1)
            with np.errstate(over="ignore"):
                inverse = np.reciprocal(norms).astype(np.float32)
        return cls(engine, rankable, inverse)

    def __post_init__(self) -> None:
        exceptional = np.zeros(len(self.rankable), dtype=bool)
        exceptional[self.engine.exceptional] = True
        set_field = object.__setattr__  # the dataclass is frozen
        set_field(self, "bad", np.flatnonzero(exceptional | ~self.rankable))
        set_field(self, "unknown", np.flatnonzero(exceptional & self.rankable))

    @property
    def largest(self) -> float:
        """M."""
        return 1.0 if self.inverse is not None else self.engine.usual_norm

    def products(self, vectors: Floats) -> Single:
        """Return x·v for all rows: (n, V); 0 for bad rows, and for vectors that overflow."""
        with np.errstate(over="ignore"):
            fitting = norms_of(vectors) < _LARGEST
        single = np.where(fitting[:, None], vectors, 0).astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # bad rows
            products: Single = single @ np.asarray(self.engine.table.vectors).T
        if len(self.bad):
            products[:, self.bad] = 0
        return products

    def divide(self, products: Single) -> Single:
        """Divide products by ‖x‖, in place, if that is what the keys are."""
        if self.inverse is not None:
            products *= self.inverse
        return products

    def product_error(self, norms: Floats) -> Floats:
        """Bound the error of x·v, or of x·v/‖x‖, for vectors of some norms."""
        D = self.engine.table.dimensions
        underflow = 4 * (D + 8) * _TINY / (_SHORTEST if self.inverse is not None else 1)
        error: Floats = (relative_error(D) + 16 * D * _EPS64) * self.largest * norms + underflow
        return np.where((norms > _SMALLEST) & (norms < _LARGEST), error, np.inf)

    def exact(self, score: Callable[[Floats, RowIds, RowIds], Floats]) -> Callable[..., Floats]:
        """Return a function of questions and rows that scores them in float64.

        score: rows (n, D), their ids (n,), questions (n,) → scores (n,), larger is better.
        """

        def some(questions: RowIds, rows: RowIds) -> Floats:
            with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
                scores = score(self.engine.rows(rows), rows, questions)
            return np.where(self.rankable[rows] & ~np.isnan(scores), scores, -np.inf)

        return lambda questions, rows: in_chunks(some, questions, rows)

    def finish(self, keys: Single) -> tuple[Single, RowIds]:
        """Return keys, with −inf for bad rows, and the rows to be scored exactly."""
        keys[self.bad] = -np.inf
        return keys, self.unknown


def _by_sum(words: _Words, space: Space, settings: QuerySettings, *, by_words: bool) -> Prepared:
    metric = settings.ranking_metric
    if settings.method is Method.ADD:
        words = words.units()
    a, b, c = words.terms()
    with np.errstate(over="ignore", invalid="ignore"):
        queries = c - a + b
        lengths = norms_of(queries)
    usable = lengths < MAX_QUERY_NORM
    if metric in (Metric.COSINE, Metric.CSLS):
        usable &= lengths > 0
    askable = words.askable.copy()
    askable[askable] = usable
    queries, lengths = queries[usable], lengths[usable]
    rows = RowProducts.of(space.engine, metric)
    if metric is Metric.CSLS:
        return askable, _csls(queries, lengths, rows, space)
    places = words.places[askable]
    sizes = norms_of(words.vectors)[places].sum(axis=1) if by_words else lengths
    products = rows.products(words.vectors if by_words else queries)
    sums = _Sums(
        rows, metric, queries, lengths, sizes, products, places.tolist() if by_words else None
    )
    return askable, sums.block_keys()


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """`sum` and `add`: the rows nearest to a query, by L2 distance, cosine or inner product.

    queries: (B, D). lengths: ‖q‖. sizes: S. products: of rows with queries, or with words; then
    `places` has those of a, b and c in each question.
    """

    rows: RowProducts
    metric: Metric
    queries: Floats
    lengths: Floats
    sizes: Floats
    products: Single
    places: list[list[int]] | None

    def block_keys(self) -> BlockKeys:
        rows, engine = self.rows, self.rows.engine
        error = rows.product_error(self.sizes)
        half = None
        if self.metric is Metric.L2:
            error += 16 * engine.table.dimensions * _EPS64 * (rows.largest + self.sizes) ** 2
            if rows.inverse is None:
                error += 4 * _U * rows.largest**2
                half = self._half_squares()
        buffer = np.empty(len(engine.table), dtype=np.float32)

        def keys(question: int) -> tuple[Single, RowIds]:
            if self.places is None:
                found = self.products[question]
            else:
                a, b, c = self.places[question]
                found = np.subtract(self.products[c], self.products[a], out=buffer)
                found += self.products[b]
            found = rows.divide(found)
            if half is not None:
                found -= half
            return rows.finish(found)

        return BlockKeys(keys, rows.exact(self._score), self._key_of, error)

    def _score(self, found: Floats, _: RowIds, questions: RowIds) -> Floats:
        scores = score_rows(found, self.queries[questions], self.metric)
        return -scores if self.metric is Metric.L2 else scores

    def _key_of(self, questions: RowIds, scores: Floats) -> Floats:
        if self.metric is Metric.L2:
            keys: Floats = (self.lengths[questions] ** 2 - scores**2) / 2
            return keys if self.rows.inverse is None else keys + 0.5  # ‖x‖²/2 of a unit row
        return scores * self.lengths[questions] if self.metric is Metric.COSINE else scores

    def _half_squares(self) -> Single:
        norms = np.array(self.rows.engine.table.norms)
        norms[self.rows.bad] = 0
        half: Single = (norms**2 / 2).astype(np.float32)
        return half


def _csls(queries: Floats, lengths: Floats, rows: RowProducts, space: Space) -> BlockKeys:
    similarity = space.mean_neighbour_similarity()
    hits = space.engine.search(queries, CSLS_NEIGHBOURS, metric=Metric.COSINE)
    around = np.array([one.scores.mean() if len(one.scores) else 0.0 for one in hits])
    products = rows.products(queries / lengths[:, None])
    single = np.nan_to_num(similarity).astype(np.float32)

    def score(found: Floats, ids: RowIds, questions: RowIds) -> Floats:
        cosines = score_rows(found, queries[questions], Metric.COSINE)
        scores: Floats = 2 * cosines - around[questions] - similarity[ids]
        return scores

    def keys(question: int) -> tuple[Single, RowIds]:
        found = rows.divide(products[question])
        found *= 2
        found -= single
        return rows.finish(found)

    return BlockKeys(
        keys,
        rows.exact(score),
        lambda questions, scores: scores + around[questions],
        2 * rows.product_error(np.ones(len(queries))) + 8 * _U,
    )


def _by_mul(words: _Words, engine: Engine) -> Prepared:
    words = words.units()
    rows = RowProducts.of(engine, Metric.COSINE)
    places = words.places[words.askable]
    terms = words.terms()
    shifted = rows.divide(rows.products(words.vectors))  # to be (1 + cos)/2
    shifted += 1
    shifted /= 2
    np.clip(shifted, 0, 1, out=shifted)
    least, most = shifted.min(axis=1), shifted.max(axis=1)
    listed = places.tolist()
    buffer, below = (np.empty(len(engine.table), dtype=np.float32) for _ in range(2))

    def keys(question: int) -> tuple[Single, RowIds]:
        a, b, c = listed[question]
        found = np.multiply(shifted[c], shifted[b], out=buffer)
        np.add(shifted[a], np.float32(EPSILON), out=below)
        found /= below
        return rows.finish(found)

    def score(found: Floats, _: RowIds, questions: RowIds) -> Floats:
        a, b, c = (
            (1 + score_rows(found, vectors[questions], Metric.COSINE)) / 2 for vectors in terms
        )
        quotient: Floats = (c * b) / (a + EPSILON)
        return quotient

    share = float(rows.product_error(np.ones(1))[0]) / 2 + 2 * _U  # of one shifted cosine
    a, b, c = places.T
    above = most[b].astype(np.float64) * most[c]
    above_error = share * (most[b] + most[c]) + share**2 + 2 * _U * above
    lowest = least[a].astype(np.float64) + EPSILON
    safe = np.maximum(lowest - share - 2 * _U, 1e-9)
    error = above_error / safe + above * (share + 2 * _U) / (safe * lowest) + 4 * _U * above / safe
    return words.askable, BlockKeys(keys, rows.exact(score), lambda _, scores: scores, error)


def _by_direction(words: _Words, engine: Engine) -> Prepared:
    rows = RowProducts.of(engine, Metric.DOT)
    a, b, c = words.terms()
    directions = b - a
    norms = norms_of(directions)
    usable = norms > 0
    askable = words.askable.copy()
    askable[askable] = usable
    directions, c = directions[usable] / norms[usable, None], c[usable]
    places = words.places[askable]
    _, first, pair_of = np.unique(places[:, :2], axis=0, return_index=True, return_inverse=True)
    starts, start_of = np.unique(places[:, 2], return_inverse=True)
    along, toward = (
        rows.divide(rows.products(vectors))
        for vectors in (directions[first], words.vectors[starts])
    )
    return askable, _Directions(
        rows, directions, c, along, toward, pair_of.ravel(), start_of
    ).block_keys()


@dataclass(frozen=True, slots=True, eq=False)
class _Directions:
    """PairDirection: cos(x − c, d) from x·d and ‖x − c‖² = ‖x‖² + ‖c‖² − 2 x·c.

    With e₁ the error of x·d − c·d and e₂ that of the square, a key is off by at most
    e₁/√t + e₂/(2t) + 8u where the square is at least t. Rows nearer to c are scored exactly.
    """

    rows: RowProducts
    directions: Floats  # (B, D), unit vectors
    c: Floats  # (B, D)
    along: Single  # x·d of each pair a, b
    toward: Single  # x·c of each c
    pair_of: RowIds
    start_of: RowIds

    def block_keys(self) -> BlockKeys:
        rows, engine = self.rows, self.rows.engine
        squares = np.ones(len(engine.table))
        if rows.inverse is None:
            squares = np.array(engine.table.norms) ** 2
            squares[rows.bad] = 0
        lengths = norms_of(self.c)
        offsets = (self.c * self.directions).sum(axis=1).astype(np.float32)
        along_error = rows.product_error(np.ones(len(lengths)))
        along_error += 4 * _U * (rows.largest + lengths)
        square_error = 2 * rows.product_error(np.maximum(lengths, 2 * _SMALLEST))
        square_error += 8 * _U * (rows.largest + lengths) ** 2
        means = squares.mean() + lengths**2 - 2 * self.toward.mean(axis=1)[self.start_of]
        least = np.maximum(0.4 * means, 4 * square_error)
        with np.errstate(divide="ignore", invalid="ignore"):
            sure = least - square_error
            error = along_error / np.sqrt(sure) + square_error / (2 * sure) + 8 * _U
        error = np.where(np.isfinite(error), error, np.inf)
        single = squares.astype(np.float32)
        buffer, distances = (np.empty(len(single), dtype=np.float32) for _ in range(2))

        def keys(question: int) -> tuple[Single, RowIds]:
            square = np.multiply(
                self.toward[self.start_of[question]], np.float32(-2), out=distances
            )
            square += single
            square += np.float32(lengths[question] ** 2)
            near = square < np.float32(least[question])
            near[rows.bad] = False
            close = np.flatnonzero(near)
            square[close] = 1
            square[rows.bad] = 1
            found = np.subtract(self.along[self.pair_of[question]], offsets[question], out=buffer)
            found /= np.sqrt(square, out=square)
            found[close] = -np.inf
            found, unknown = rows.finish(found)
            return found, np.concatenate([unknown, close]) if len(close) else unknown

        return BlockKeys(keys, rows.exact(self.score), lambda _, scores: scores, error)

    def score(self, found: Floats, _: RowIds, questions: RowIds) -> Floats:
        differences = found - self.c[questions]
        norms = norms_of(differences)
        cosines: Floats = np.clip(
            (differences * self.directions[questions]).sum(axis=1) / norms, -1, 1
        )
        return np.where(norms > 0, cosines, np.nan)
