"""Explain an answer: split its score over the words of the query, exactly, in float64.

With q = Σ wᵢ vᵢ the query vector and x the vector of the answer:

    cosine   cos(q, x) = Σ wᵢ ‖vᵢ‖ cos(vᵢ, x) / ‖q‖
    dot      q·x       = Σ wᵢ vᵢ·x
    l2       ‖q − x‖²  = ‖x‖² + Σ wᵢ vᵢ·(q − 2x)

and over dimensions: q_d x_d/(‖q‖‖x‖), q_d x_d and (q_d − x_d)². Parts can have either sign; the
*share* of a part is its absolute value over the sum of the absolute values of all.

Do norms decide? `norm_effect` says which word has the largest norm, which has the largest part, and
which rank the answer would have if all words had equal norms.

Why does another answer rank higher? `ahead` splits the score of the first answer in the same way:
the differences of the parts add up to the difference of the scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.calibration import calibrate
from wordvec.analysis.explanation import (
    Competitor,
    Contribution,
    Dimension,
    Explanation,
    NormEffect,
)
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.search.filters import same_surface
from wordvec.search.methods import Question
from wordvec.search.resolve import resolve_token, term_vectors
from wordvec.search.settings import Method, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.analysis.query import QueryEngine
    from wordvec.expression.tree import Expression, Term
    from wordvec.search.ranking import Floats
    from wordvec.search.settings import QuerySettings

SHOWN = 5  # dimensions listed
FEW = 3  # if no more dimensions make up over half of the score, the command warns


def explain(
    engine: QueryEngine,
    expression: Expression,
    token: str | int | None = None,
    *,
    calibrated: bool = False,
) -> Explanation:
    """Split the score of an answer into parts.

    Args:
        token: the answer, as typed, as `#id` or as an id; None for the first answer that is not a
            word of the query.
        calibrated: compare the score with those of random expressions too.

    Raises:
        UsageError: for CSLS and for the methods mul and direction, which are not sums.
        WordvecError: for an unknown token, or if there is nothing to explain.
    """
    settings = engine.settings
    if settings.method not in (Method.SUM, Method.ADD) or settings.ranking_metric is Metric.CSLS:
        what = "csls" if settings.ranking_metric is Metric.CSLS else f"method {settings.method}"
        raise UsageError(
            f"explain splits a sum into its parts, and {what} is not a sum",
            hint='metric="cosine", with method="sum" or method="add"',
        )
    question = engine.prepare(expression)
    first = first_answer(engine, question)
    row, notes = _row_to_explain(engine, first, token)
    split = _Split(engine, question, row)
    rank = engine.rank_of(question, row)
    by_dimension = _by_dimension(question.vectors[0], split.x, settings.ranking_metric)
    weights = [term.weight for term in question.resolved.terms]
    return Explanation(
        query=expression.source,
        table=engine.description,
        settings=settings,
        token=split.token,
        id=row,
        rank=rank,
        score=split.score,
        norm=split.norm,
        own_part=split.own_part,
        parts=split.parts,
        norm_effect=_norm_effect(engine, question, split),
        dimensions=_largest(by_dimension),
        dims_for_half=_dims_for_half(by_dimension),
        ahead=_ahead(engine, question, first, rank),
        calibration=calibrate(engine, weights, split.score) if calibrated else None,
        notes=(*question.resolved.notes, *notes),
    )


def explain_in_each(
    engines: Sequence[QueryEngine],
    expression: Expression,
    token: str | int | None = None,
    *,
    calibrated: bool = False,
) -> list[Explanation]:
    """Explain one answer in several tables: `token`, or the answer that the first table gives.

    Other tables find it by its row if they have the same vocabulary, else by its text.
    """
    explanations: list[Explanation] = []
    one_vocabulary = len({engine.table.vocabulary for engine in engines}) == 1
    for engine in engines:
        try:
            explanations.append(explain(engine, expression, token, calibrated=calibrated))
        except UnknownWordError as error:
            raise error.in_table(engine.table.name) from error
        if token is None:
            first = explanations[0]
            token = first.id if one_vocabulary else first.token
    return explanations


class _Split:
    """The score of one row, split over the words of a question."""

    def __init__(self, engine: QueryEngine, question: Question, row: int) -> None:
        search, metric = engine.engine, engine.settings.ranking_metric
        self.row = row
        self.token = engine.table.vocabulary.display(row)
        self.x: Floats = search.rows([row])[0]
        self.norm = float(np.linalg.norm(self.x))
        query = question.vectors[0]
        self.score = float(search.scores(query, np.array([row]), metric=metric)[0])
        self.own_part = float(self.x @ self.x) if metric is Metric.L2 else None
        terms = question.resolved.terms
        self.vectors = term_vectors(terms, search.rows)
        self.parts = _parts(terms, self.vectors, query, self.x, engine.settings)


def first_answer(engine: QueryEngine, question: Question) -> int | None:
    """Return the row of the first answer that is not a word of the query, nor its merged twin."""
    allowed = engine.allowed(question)
    mask = np.ones(len(engine.table), dtype=bool) if allowed is None else allowed.copy()
    named = list(question.resolved.query_ids)
    if engine.settings.merge_twins:
        first_row = same_surface(engine.table.vocabulary)
        mask[np.isin(first_row, first_row[named])] = False
    mask[named] = False
    hits = engine.ranking(question).best(1, mask)
    return int(hits.ids[0]) if len(hits.ids) else None


def _row_to_explain(
    engine: QueryEngine, first: int | None, token: str | int | None
) -> tuple[int, tuple[str, ...]]:
    """Return the row to explain, and notes on how its token was read."""
    if token is not None:
        row, note = resolve_token(token, engine.table.vocabulary)
        if not engine.engine.searchable(engine.settings.ranking_metric)[row]:
            shown = engine.table.vocabulary.display(row)
            raise WordvecError(f"the vector of {shown} (#{row}) is not finite or has no direction")
        return row, (note,) if note else ()
    if engine.filters_to_drop:
        raise WordvecError(
            "nothing to explain: 0 tokens pass the filters", hint=f"drop {engine.filters_to_drop}"
        )
    if first is None:
        raise WordvecError("nothing to explain: all answers are words of the query")
    return first, ()


def _ahead(
    engine: QueryEngine, question: Question, first: int | None, rank: int | None
) -> Competitor | None:
    """Split the score of the first answer, if it ranks above the one of that rank."""
    if first is None or rank is None:
        return None
    first_rank = engine.rank_of(question, first)
    if first_rank is None or first_rank >= rank:
        return None
    split = _Split(engine, question, first)
    return Competitor(
        token=split.token,
        id=first,
        rank=first_rank,
        score=split.score,
        norm=split.norm,
        own_part=split.own_part,
        parts=split.parts,
    )


def _parts(
    terms: tuple[Term, ...], vectors: Floats, q: Floats, x: Floats, settings: QuerySettings
) -> tuple[Contribution, ...]:
    """Return the part of each word: the product of wᵢ vᵢ (wᵢ vᵢ/‖vᵢ‖ for `add`) with q and x."""
    norms = np.linalg.norm(vectors, axis=1)
    weights = np.array([term.weight for term in terms])
    scaled = weights / norms if settings.method is Method.ADD else weights
    match settings.ranking_metric:
        case Metric.L2:
            other = q - 2 * x
        case Metric.DOT:
            other = x
        case _:
            other = x / (np.linalg.norm(q) * np.linalg.norm(x))
    parts = scaled * (vectors @ other) + 0.0  # no -0.0
    sizes = norms * np.linalg.norm(x)
    cosines = np.clip(
        np.divide(vectors @ x, sizes, out=np.zeros_like(sizes), where=sizes > 0), -1, 1
    )
    return tuple(
        Contribution(
            term.text,
            term.weight,
            float(norm),
            float(cosine) if size > 0 else None,
            float(part) + 0.0,
        )
        for term, norm, cosine, size, part in zip(terms, norms, cosines, sizes, parts, strict=True)
    )


def _norm_effect(engine: QueryEngine, question: Question, split: _Split) -> NormEffect | None:
    """Rank the answer again, with the vector of every word scaled to the mean norm."""
    parts, metric = split.parts, engine.settings.ranking_metric
    norms = np.array([part.norm for part in parts])
    if len(parts) < 2 or engine.settings.method is Method.ADD or not norms.all():
        return None
    weights = np.array([part.weight for part in parts])
    query = (weights / norms * norms.mean()) @ split.vectors
    rank = None
    if query.any() or metric is not Metric.COSINE:
        rank = engine.rank_of(Question(question.resolved, query[None]), split.row)
    largest_norm = parts[int(np.argmax(norms))].word
    largest_part = parts[int(np.argmax([abs(part.part) for part in parts]))].word
    return NormEffect(largest_norm, largest_part, rank)


def _by_dimension(q: Floats, x: Floats, metric: Metric) -> Floats:
    """Return the part of the score (under l2, of its square) from each dimension: (D,)."""
    if metric is Metric.L2:
        squares: Floats = (q - x) ** 2
        return squares
    products: Floats = q * x
    return products if metric is Metric.DOT else products / (np.linalg.norm(q) * np.linalg.norm(x))


def _largest(parts: Floats) -> tuple[Dimension, ...]:
    """Return the dimensions with the largest parts, largest first, without those of 0."""
    sizes = np.abs(parts)
    total = sizes.sum()
    order = np.argsort(-sizes, kind="stable")[:SHOWN]
    return tuple(
        Dimension(int(d), float(parts[d]), float(sizes[d] / total)) for d in order if sizes[d] > 0
    )


def _dims_for_half(parts: Floats) -> int:
    """Return how many dimensions make up over half of the score; 0 if all parts are 0."""
    sizes = np.sort(np.abs(parts))[::-1]
    if not sizes.sum():
        return 0
    return int(np.searchsorted(np.cumsum(sizes), sizes.sum() / 2, side="right")) + 1
