"""How each method ranks the rows: sum, add (3CosAdd), mul (3CosMul), direction (PairDirection).

For 男:女=王:?, that is 王 − 男 + 女, with x the vector of a token:

    sum         the metric between x and Σ wᵢ vᵢ, the vectors as they are (as in the article)
    add         cos(x, Σ wᵢ vᵢ/‖vᵢ‖)                           Mikolov et al. 2013; Levy and
                                                               Goldberg 2014, equation 3
    mul         Π s(x, 王) s(x, 女) / (s(x, 男) + ε)           Levy and Goldberg 2014, equation 4,
                                                               s = (1 + cos)/2, ε = 0.001
    direction   cos(x − 王, 女 − 男)                           Mikolov et al. 2013; Levy and
                                                               Goldberg 2014, equation 2

`sum` and `add` can also rank by CSLS, the cosine corrected for hubs (Conneau et al. 2018, section
2.3): CSLS(q, x) = 2 cos(q, x) − r(q) − r(x), where r is the mean cosine to the 10 nearest rows, the
row itself not counted. The two sides are two languages in the paper, and one table here.

Every question becomes a `Ranking`: bounds from float32 products of the table with the vectors of
the question, in blocks, and scores in float64. Query, compare, explain, evaluate and the arrows of
the map all rank through `rankings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import ExpressionError
from wordvec.progress import Progress, no_progress
from wordvec.search.engine import MAX_QUERY_NORM, norms_of
from wordvec.search.ranking import Ranking, ScoreBounds
from wordvec.search.resolve import combine, term_vectors
from wordvec.search.settings import Method, Metric
from wordvec.search.space import CSLS_NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.expression.tree import Term
    from wordvec.search.engine import Engine
    from wordvec.search.ranking import Floats, Mask, RowIds
    from wordvec.search.resolve import ResolvedExpression
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space

EPSILON = 0.001  # of 3CosMul, as in the paper; gensim uses 0.000001
_GROUP_BYTES = 1 << 26  # of bounds at once under 3CosMul: 128 words over 32,000 rows


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A resolved expression and the vectors that its method ranks by.

    vectors: (1, D) float64 for `sum` and `add`, the vector to be near to; (T, D) for `mul`, the
    unit vectors of the terms; (2, D) for `direction`, the unit vector from a to b, and c.
    """

    resolved: ResolvedExpression
    vectors: Floats


def prepare(resolved: ResolvedExpression, engine: Engine, settings: QuerySettings) -> Question:
    """Compute the vectors that a question ranks by.

    Raises:
        ExpressionError: if the method cannot take the expression, or a vector has no direction.
    """
    match settings.method:
        case Method.MUL:
            return Question(resolved, _mul_vectors(resolved, engine))
        case Method.DIRECTION:
            return Question(resolved, _direction_vectors(resolved, engine))
        case Method.ADD:
            units = _unit_vectors(resolved, resolved.terms, engine)
            vector = np.zeros(units.shape[1])
            for term, unit in zip(resolved.terms, units, strict=True):  # in order: see `combine`
                vector += term.weight * unit
        case Method.SUM:
            with np.errstate(over="ignore", invalid="ignore"):
                vector = combine(resolved.terms, engine.rows)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = float(norms_of(vector[None])[0])
    if not norm < MAX_QUERY_NORM:
        raise _error(resolved, "the query vector overflows float64")
    if norm == 0 and settings.ranking_metric in (Metric.COSINE, Metric.CSLS):
        raise _error(
            resolved,
            "the query vector is zero: it has no direction, and so no cosine",
            hint='metric="l2" measures distances from it',
        )
    return Question(resolved, vector[None])


def rankings(
    questions: Sequence[Question],
    space: Space,
    settings: QuerySettings,
    *,
    progress: Progress = no_progress,
) -> Iterator[Ranking]:
    """Yield how each question ranks the rows of a space, computed in blocks.

    progress: called while the neighbour graph of CSLS is computed.
    """
    if not questions:
        return
    engine, metric = space.engine, settings.ranking_metric
    match settings.method, metric:
        case Method.MUL, _:
            yield from _by_mul(questions, engine)
        case Method.DIRECTION, _:
            yield from _by_direction(questions, engine)
        case _, Metric.CSLS:
            similarity = space.mean_neighbour_similarity(progress)
            cosines = engine.rankings(_vectors(questions), Metric.COSINE)
            for question, ranking in zip(questions, cosines, strict=True):
                yield by_csls(ranking, similarity, own=_own_row(question.resolved))
        case _:
            yield from engine.rankings(_vectors(questions), metric)


def _vectors(questions: Sequence[Question]) -> Floats:
    return np.concatenate([question.vectors for question in questions])


def by_csls(cosine: Ranking, similarity: Floats, *, own: int | None = None) -> Ranking:
    """Turn a ranking by cosine into one by CSLS.

    similarity: r(x), (V,). own: the row of the query itself, which is not its own neighbour.
    """
    others = cosine.rankable.copy()
    if own is not None:
        others[own] = False
    nearest = cosine.best(CSLS_NEIGHBOURS, others).scores
    around_query = float(nearest.mean()) if len(nearest) else 0.0

    def score(rows: RowIds) -> Floats:
        scores: Floats = 2 * cosine.score(rows) - around_query - similarity[rows]
        return scores

    keys = 2 * cosine.bounds.keys + np.where(cosine.rankable, similarity, 0)
    return Ranking(ScoreBounds(keys, 2 * cosine.bounds.error + 1e-14), score, cosine.rankable)


def _own_row(resolved: ResolvedExpression) -> int | None:
    """The row that the query vector is, if the expression is one word."""
    match resolved.terms:
        case [term] if len(term.ids) == 1 and term.weight > 0 and term.vector is None:
            return term.ids[0]
    return None


def _mul_vectors(resolved: ResolvedExpression, engine: Engine) -> Floats:
    for term in resolved.terms:
        if abs(term.weight) != 1:
            raise _error(
                resolved,
                f"mul takes each word once, added or subtracted; {term.text} has weight "
                f"{term.weight:g}",
                term=term,
                hint='method="add" takes any weights',
            )
    return _unit_vectors(resolved, resolved.terms, engine)


def _by_mul(questions: Sequence[Question], engine: Engine) -> Iterator[Ranking]:
    """Rank by 3CosMul; the bounds of a word are computed once for a group of questions."""
    most = max(_GROUP_BYTES // (16 * len(engine.table)), 1)  # words of a group
    for group in _groups(questions, most):
        vectors = {
            _key(term): vector
            for question in group
            for term, vector in zip(question.resolved.terms, question.vectors, strict=True)
        }
        bounds = engine.bounds(np.stack(list(vectors.values())), Metric.COSINE)
        shifted = dict(zip(vectors, map(_shift, bounds), strict=True))
        for question in group:
            terms = question.resolved.terms
            added = [term.weight > 0 for term in terms]
            yield by_mul(question.vectors, added, [shifted[_key(term)] for term in terms], engine)


def _key(term: Term) -> object:
    """Return what decides the vector of a term."""
    return term.ids if term.vector is None else term.operand


def _groups(questions: Sequence[Question], most: int) -> Iterator[list[Question]]:
    """Split questions into groups of at most `most` different words (or of one question)."""
    group: list[Question] = []
    words: set[object] = set()
    for question in questions:
        own = set(map(_key, question.resolved.terms))
        if group and len(words | own) > most:
            yield group
            group, words = [], set()
        group.append(question)
        words |= own
    yield group


def by_mul(
    vectors: Floats,
    added: Sequence[bool],
    shifted: Sequence[tuple[Floats, Floats]],
    engine: Engine,
) -> Ranking:
    """Rank by 3CosMul: shifted cosines to what is added, over those to what is subtracted.

    Args:
        vectors: (T, D), unit vectors.
        added: for each of them, whether it is added.
        shifted: for each of them, the lowest and highest (1 + cos)/2 of every row, (V,) each.
    """

    def score(rows: RowIds) -> Floats:
        exact = [(1 + engine.scores(v, rows, metric=Metric.COSINE)) / 2 for v in vectors]
        return _quotient(exact, added)

    least = [low if add else high for (low, high), add in zip(shifted, added, strict=True)]
    most = [high if add else low for (low, high), add in zip(shifted, added, strict=True)]
    bounds = _between(_quotient(least, added), _quotient(most, added))
    return Ranking(bounds, score, engine.searchable(Metric.COSINE))


def _shift(cosine: ScoreBounds) -> tuple[Floats, Floats]:
    """Return the lowest and highest (1 + cos)/2 of every row."""
    low = np.maximum((1 - cosine.keys - cosine.error) / 2, 0)
    high = np.minimum((1 - cosine.keys + cosine.error) / 2, 1)
    return low, high


def _quotient(shifted: Sequence[Floats], added: Sequence[bool]) -> Floats:
    """Multiply what is added, and divide by what is subtracted: T arrays (n,) → (n,)."""
    above: Floats = np.ones_like(shifted[0])
    below: Floats = np.ones_like(shifted[0])
    for share, add in zip(shifted, added, strict=True):
        if add:
            above *= share
        else:
            below *= share
    below += EPSILON
    return above / below


def _direction_vectors(resolved: ResolvedExpression, engine: Engine) -> Floats:
    sides = resolved.analogy
    if sides is None:
        raise _error(
            resolved,
            "direction needs the form a:b=c:?",
            hint="for 王-男+女 that is 男:女=王:?",
        )
    a, b, c = (combine(side, engine.rows) for side in (sides.a, sides.b, sides.c))
    direction = b - a
    norm = float(norms_of(direction[None])[0])
    if not norm:
        raise _error(resolved, "a and b have the same vector: there is no direction between them")
    return np.stack([direction / norm, c])


def _by_direction(questions: Sequence[Question], engine: Engine) -> Iterator[Ranking]:
    dots = engine.bounds(_vectors(questions), Metric.DOT)
    for question in questions:
        direction, c = question.vectors
        yield by_direction(direction, c, next(dots), next(dots), engine)


def by_direction(
    direction: Floats, c: Floats, along: ScoreBounds, toward: ScoreBounds, engine: Engine
) -> Ranking:
    """Rank by PairDirection: the cosine of x − c and a direction.

    Args:
        direction: (D,), a unit vector. c: (D,).
        along: the bounds of −x·direction. toward: those of −x·c/‖c‖.
    """

    def score(rows: RowIds) -> Floats:
        differences = engine.rows(rows) - c
        norms = np.sqrt((differences * differences).sum(axis=1))
        cosines: Floats = np.clip((differences * direction).sum(axis=1) / norms, -1, 1)
        return cosines

    norms = np.ones(len(engine.table)) if engine.unit else engine.table.norms
    bounds, may_be_c = _direction_bounds(direction, c, along, toward, norms)
    rankable = engine.searchable(Metric.DOT)
    at_c = np.flatnonzero(may_be_c & rankable)
    rankable = rankable.copy()
    rankable[at_c[(engine.rows(at_c) == c).all(axis=1)]] = False  # c itself has no direction
    return Ranking(bounds, score, rankable)


def _direction_bounds(
    direction: Floats, c: Floats, along: ScoreBounds, toward: ScoreBounds, norms: Floats
) -> tuple[ScoreBounds, Mask]:
    """Bound cos(x − c, direction) for every row, and mark rows that may equal c."""
    size = float(np.linalg.norm(c))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        slack = along.error + 1e-13 * (norms + size)
        far = -along.keys - float(direction @ c)  # (x − c)·direction
        square = norms**2 + size**2 + 2 * size * toward.keys  # ‖x − c‖²
        square_slack = 2 * size * toward.error + 1e-13 * (norms + size) ** 2
        shortest = np.sqrt(np.maximum(square - square_slack, 0))
        longest = np.sqrt(np.maximum(square + square_slack, 0))
        lowest, highest = far - slack, far + slack
        least = lowest / np.where(lowest >= 0, longest, shortest)
        most = highest / np.where(highest >= 0, shortest, longest)
    may_be_c = ~(shortest > 0)
    least = np.where(may_be_c | np.isnan(least), -1, np.clip(least, -1, 1))
    most = np.where(may_be_c | np.isnan(most), 1, np.clip(most, -1, 1))
    return _between(least, most), may_be_c


def _between(least: Floats, most: Floats) -> ScoreBounds:
    """Turn bounds on a score into a key and its error, with room for rounding in float64."""
    middle = (least + most) / 2
    return ScoreBounds(-middle, (most - least) / 2 + 1e-12 * (1 + np.abs(middle)))


def _unit_vectors(resolved: ResolvedExpression, terms: Sequence[Term], engine: Engine) -> Floats:
    """Return the vectors of terms, normalised to unit length: (T, D) float64."""
    vectors = term_vectors(terms, engine.rows)
    norms = norms_of(vectors)
    for term, norm in zip(terms, norms.tolist(), strict=True):
        if not (norm > 0 and np.isfinite(norm)):
            problem = "is zero" if norm == 0 else "is not finite"
            message = f"the vector of {term.text} {problem}: it has no direction"
            raise _error(resolved, message, term=term)
    units: Floats = vectors / norms[:, None]
    return units


def _error(
    resolved: ResolvedExpression, message: str, *, term: Term | None = None, hint: str | None = None
) -> ExpressionError:
    """Make an error that marks a term, or the whole expression."""
    start, end = (term.operand.start, term.operand.end) if term else (0, len(resolved.source))
    return ExpressionError(message, source=resolved.source, start=start, end=end, hint=hint)
