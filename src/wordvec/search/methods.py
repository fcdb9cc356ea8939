"""How an expression ranks tokens: sum, add (3CosAdd), mul (3CosMul), direction (PairDirection).

For 男:女=王:?, that is 王 − 男 + 女, with x a token's vector:

    sum         the metric between x and Σ wᵢ vᵢ, the vectors as they are (the article's)
    add         cos(x, Σ wᵢ vᵢ/‖vᵢ‖)                           Mikolov et al. 2013; Levy and
                                                               Goldberg 2014, equation 3
    mul         Π s(x, 王) s(x, 女) / (s(x, 男) + ε)           Levy and Goldberg 2014, equation 4,
                                                               s = (1 + cos)/2, ε = 0.001
    direction   cos(x − 王, 女 − 男)                           Mikolov et al. 2013; Levy and
                                                               Goldberg 2014, equation 2

    csls        2 cos(q, x) − r(q) − r(x)                          Conneau et al. 2018, section 2.3

r(x) is the mean cosine of x to its K = 10 nearest rows, itself not counted: what is near to
everything (a hub) is pushed back. The paper's two sides are two languages; here both are one
table, and r(x) comes from its graph of neighbours, which is kept. r(q) is the same for every
answer: it places the score and ranks nothing.

Every one is a `Ranking`: guessed from one product of the table with each vector in question, and
decided in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import ExpressionError, WordvecError
from wordvec.progress import Progress, no_progress
from wordvec.search.engine import Engine, Guess, Hits
from wordvec.search.neighbour_graph import neighbour_graph
from wordvec.search.resolve import combine, term_vectors
from wordvec.search.settings import Method, Metric, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wordvec.search.engine import Floats, Mask, Rows
    from wordvec.search.resolve import Resolved, Term
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

EPSILON = 0.001  # of 3CosMul, as in the paper; gensim takes 0.000001
K = 10  # neighbours that CSLS counts


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """How one question ranks the rows of a table.

    guess: a key for each row (smaller is better) and how far off it may be.
    score: rows (n,) → their scores in float64; descends: whether larger ones are better.
    scored: (V,) bool, the rows that have a score.
    """

    guess: Guess
    score: Callable[[Rows], Floats]
    scored: Mask
    descends: bool = True

    def best(self, k: int, allowed: Mask | None = None) -> Hits:
        """The k best of the allowed rows (all that have a score), ties by row."""
        among = self.scored if allowed is None else self.scored & allowed
        return self._decide(self.guess.nominate(k, among), k)

    def rank_of(self, row: int, allowed: Mask | None = None) -> int | None:
        """Exact rank (1 is best) of a row among those allowed; None for one that is not."""
        among = self.scored if allowed is None else self.scored & allowed
        if not among[row]:
            return None
        better, unsure = self.guess.around(row, among)
        order = self._decide(unsure, len(unsure)).ids
        return better + int(np.flatnonzero(order == row)[0]) + 1

    def _decide(self, rows: Rows, k: int) -> Hits:
        scores = self.score(rows)
        best = np.argsort(-scores if self.descends else scores, kind="stable")[:k]
        return Hits(rows[best], scores[best])


def ranking(
    resolved: Resolved,
    engine: Engine,
    settings: Settings,
    *,
    query: Floats | None,
    crowded: Callable[[], Floats],
) -> Ranking:
    """Turn an expression in rows into a ranking of all rows.

    query: (D,), the vector that `sum` and `add` look around. crowded: gives what `csls.crowding`
    does; called for csls alone.
    """
    if settings.method is Method.MUL:
        return by_product(resolved, engine)
    if settings.method is Method.DIRECTION or query is None:
        return by_direction(resolved, engine)
    if settings.ranked_by is Metric.CSLS:
        return by_csls(engine, query, crowded(), own=_own_row(resolved))
    return by_metric(engine, query, settings.ranked_by)


def sum_of_directions(resolved: Resolved, engine: Engine) -> Floats:
    """The vector that `add` looks around, Σ wᵢ vᵢ/‖vᵢ‖: (D,) float64."""
    weights = np.array([term.weight for term in resolved.terms])
    total: Floats = weights @ _directions(resolved, resolved.terms, engine)
    return total


def by_metric(engine: Engine, query: Floats, metric: Metric) -> Ranking:
    """Rank by l2, cosine or dot to a vector (D,)."""
    [(_, guess)] = engine.guesses(query[None], [0], metric)
    return Ranking(
        guess,
        partial(engine.scores, query, metric=metric),
        engine.searchable(metric),
        descends=metric is not Metric.L2,
    )


def by_product(resolved: Resolved, engine: Engine, *, epsilon: float = EPSILON) -> Ranking:
    """3CosMul: the shifted cosines to what is added, over those to what is taken away."""
    terms = resolved.terms
    for term in terms:
        if abs(term.weight) != 1:
            raise ExpressionError(
                f"mul takes every word once, added or taken away; {term.text} has weight "
                f"{term.weight:g}",
                source=resolved.expression.source,
                start=term.start,
                end=term.end,
                hint="--method add takes any weights",
            )
    added = np.array([term.weight > 0 for term in terms])
    vectors = _directions(resolved, terms, engine)

    def score(rows: Rows) -> Floats:
        shares = [(1 + engine.scores(v, rows, metric=Metric.COSINE)) / 2 for v in vectors]
        return _quotient(shares, added, epsilon)

    low, high = [], []  # bounds of each shifted cosine
    for _, guess in engine.guesses(vectors, range(len(terms)), Metric.COSINE):
        low.append(np.maximum((1 - guess.keys - guess.error) / 2, 0))
        high.append(np.minimum((1 - guess.keys + guess.error) / 2, 1))
    least = _quotient(np.where(added[:, None], low, high), added, epsilon)
    most = _quotient(np.where(added[:, None], high, low), added, epsilon)
    return Ranking(_between(least, most), score, engine.searchable(Metric.COSINE))


def _quotient(shares: Sequence[Floats] | Floats, added: Mask, epsilon: float) -> Floats:
    """Multiply what is added, and divide by what is taken away: (T, n) → (n,)."""
    by_term = np.asarray(shares)
    value: Floats = by_term[added].prod(axis=0) / (by_term[~added].prod(axis=0) + epsilon)
    return value


def by_direction(resolved: Resolved, engine: Engine) -> Ranking:
    """PairDirection: how well the way from c to x is the way from a to b."""
    sides = resolved.analogy
    if sides is None:
        source = resolved.expression.source
        raise ExpressionError(
            "direction takes only the form a:b=c:?",
            source=source,
            start=0,
            end=len(source),
            hint="for 王-男+女 that is 男:女=王:?",
        )
    a, b, c = (_combined(side, engine) for side in (sides.a, sides.b, sides.c))
    way = b - a
    length = float(np.linalg.norm(way))
    if not length:
        raise WordvecError("a and b are the same vector: there is no direction between them")
    way = way / length

    def score(rows: Rows) -> Floats:
        apart = engine.view[rows] - c
        cosines: Floats = np.clip(
            (apart * way).sum(axis=1) / np.sqrt((apart * apart).sum(axis=1)), -1, 1
        )
        return cosines

    guess, unclear = _guess_direction(engine, way, c)
    scored = engine.searchable(Metric.DOT)
    at_c = np.flatnonzero(unclear & scored)
    scored = scored.copy()
    scored[at_c[(engine.view[at_c] == c).all(axis=1)]] = False  # c itself lies in no direction
    return Ranking(guess, score, scored)


def _guess_direction(engine: Engine, way: Floats, c: Floats) -> tuple[Guess, Mask]:
    """Bound cos(x − c, way) for every row, and mark rows that may be c itself."""
    both = np.stack([way, c])
    (_, along), (_, toward) = engine.guesses(both, [0, 1], Metric.DOT)
    size = float(np.linalg.norm(c))
    norms = np.ones(len(engine.table)) if engine.unit else engine.table.norms
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        slack = along.error + 1e-13 * (norms + size)
        far = -along.keys - float(way @ c)  # (x − c)·way
        square = norms**2 + size**2 + 2 * size * toward.keys  # ‖x − c‖²
        square_slack = 2 * size * toward.error + 1e-13 * (norms + size) ** 2
        shortest = np.sqrt(np.maximum(square - square_slack, 0))
        longest = np.sqrt(np.maximum(square + square_slack, 0))
        lowest, highest = far - slack, far + slack
        least = lowest / np.where(lowest >= 0, longest, shortest)
        most = highest / np.where(highest >= 0, shortest, longest)
    unclear = ~(shortest > 0)
    least = np.where(unclear | np.isnan(least), -1, np.clip(least, -1, 1))
    most = np.where(unclear | np.isnan(most), 1, np.clip(most, -1, 1))
    return _between(least, most), unclear


def _between(least: Floats, most: Floats) -> Guess:
    """A guess from bounds on the score, with room for the rounding of float64."""
    middle = (least + most) / 2
    return Guess(-middle, (most - least) / 2 + 1e-12 * (1 + np.abs(middle)))


def _directions(resolved: Resolved, terms: Sequence[Term], engine: Engine) -> Floats:
    """The vectors of terms at length 1: (T, D) float64."""
    vectors = term_vectors(terms, _rows(engine))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    for term, length in zip(terms, lengths[:, 0], strict=True):
        if not (length > 0 and np.isfinite(length)):
            what = "is zero" if length == 0 else "is not finite"
            raise ExpressionError(
                f"the vector of {term.text} {what}: it has no direction",
                source=resolved.expression.source,
                start=term.start,
                end=term.end,
            )
    directions: Floats = vectors / lengths
    return directions


def _combined(terms: Sequence[Term], engine: Engine) -> Floats:
    return combine(terms, _rows(engine))


def _rows(engine: Engine) -> Any:
    return engine.view  # gives rows by a list of their numbers, as an array does


def _own_row(resolved: Resolved) -> int | None:
    """The row that the query vector is, where one word is asked alone."""
    match resolved.terms:
        case [term] if len(term.ids) == 1 and term.weight > 0:
            return term.ids[0]
    return None


def crowding(
    table: VectorTable, *, derived: Derived | None = None, progress: Progress = no_progress
) -> Floats:
    """r(x), the mean cosine of each row to its 10 nearest others: (V,) float64.

    NaN for a row without a direction; 0 for the only one that has one.
    """
    graph = neighbour_graph(table, K, metric=Metric.COSINE, derived=derived, progress=progress)
    if not graph.scores.shape[1]:
        return np.zeros(len(table))
    mean: Floats = graph.scores.astype(np.float64).mean(axis=1)
    return mean


def by_csls(engine: Engine, query: Floats, crowded: Floats, *, own: int | None = None) -> Ranking:
    """Rank rows by CSLS to a query vector (D,).

    crowded: what `crowding` gives. own: the row that the query itself is, where it is one; it is
    not counted among the query's neighbours.
    """
    [(_, cosine)] = engine.guesses(query[None], [0], Metric.COSINE)
    placed = engine.searchable(Metric.COSINE)
    others = placed.copy()
    if own is not None:
        others[own] = False

    def cosines(rows: Rows) -> Floats:
        return engine.scores(query, rows, metric=Metric.COSINE)

    near = Ranking(cosine, cosines, others).best(K).scores
    around_query = float(near.mean()) if len(near) else 0.0

    def score(rows: Rows) -> Floats:
        doubled: Floats = 2 * cosines(rows) - around_query - crowded[rows]
        return doubled

    keys = 2 * cosine.keys + np.where(placed, crowded, 0)
    return Ranking(Guess(keys, 2 * cosine.error + 1e-14), score, placed)
