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
the differences of the parts add up to the difference of the scores. If there is none ahead,
`behind` is the next answer; `over` is one that the caller chose. Words of the query, and tokens
with the text of one (`▁王`, `##王`), are neither ahead nor behind: `own_ahead` names those that
rank higher.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.calibration import calibrate, random_pairs
from wordvec.analysis.explanation import Explanation
from wordvec.analysis.explanation_parts import (
    Competitor,
    Contribution,
    Dimension,
    NormEffect,
    largest_places,
)
from wordvec.analysis.explanation_sentence import sentence
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.search.filters import same_surface
from wordvec.search.methods import Question
from wordvec.search.resolve import resolve_token, term_vectors
from wordvec.search.settings import Method, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.analysis.query import QueryEngine
    from wordvec.expression.tree import Expression, Term
    from wordvec.search.ranking import Floats, Mask
    from wordvec.search.settings import QuerySettings

SHOWN = 5  # dimensions listed
FEW = 3  # if no more dimensions make up over half of the score, the command warns


def explain(
    engine: QueryEngine,
    expression: Expression,
    token: str | int | None = None,
    *,
    over: str | int | None = None,
    calibrated: bool = False,
) -> Explanation:
    """Split the score of an answer into parts.

    Args:
        token: the answer, as typed, as `#id` or as an id; None for the first answer that is not a
            word of the query.
        over: another token, to compare the answer with: also a word of the query.
        calibrated: compare the score with those of random expressions too.

    Raises:
        UsageError: for CSLS and for the methods mul and direction, which are not sums; if `over` is
            the answer itself.
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
    row, notes = _row_to_explain(engine, question, token)
    split = _Split(engine, question, row)
    rank = engine.rank_of(question, row)
    rival = _rival(engine, question, row, rank)
    is_ahead = rival is not None and rank is not None and (rival.rank or rank) < rank
    by_dimension = _by_dimension(question.vectors[0], split.x, settings.ranking_metric)
    weights = [term.weight for term in question.resolved.terms]
    found = Explanation(
        query=expression.source,
        table=engine.description,
        settings=engine.settings_for(question),
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
        own_ahead=_own_ahead(engine, question, row),
        ahead=rival if is_ahead else None,
        behind=None if is_ahead else rival,
        over=None if over is None else _over(engine, question, row, over),
        random_pairs=random_pairs(engine.space),
        calibration=calibrate(engine, weights, split.score) if calibrated else None,
        notes=(*engine.notes_on(question), *notes),
    )
    return replace(found, sentence=sentence(found))


def explain_in_each(
    engines: Sequence[QueryEngine],
    expression: Expression,
    token: str | int | None = None,
    *,
    over: str | int | None = None,
    calibrated: bool = False,
) -> list[Explanation]:
    """Explain one answer in several tables: `token`, or the answer that the first table gives.

    Other tables find it by its row if they have the same vocabulary, else by its text.
    """
    explanations: list[Explanation] = []
    one_vocabulary = len({engine.table.vocabulary for engine in engines}) == 1
    for engine in engines:
        try:
            found = explain(engine, expression, token, over=over, calibrated=calibrated)
        except UnknownWordError as error:
            raise error.in_table(engine.table.name) from error
        explanations.append(found)
        if token is None:
            token = found.id if one_vocabulary else found.token
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

    def competitor(self, rank: int | None) -> Competitor:
        """Return the split of an answer that another one is compared with."""
        return Competitor(
            self.token, self.row, rank, self.score, self.norm, self.own_part, self.parts
        )


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
    engine: QueryEngine, question: Question, token: str | int | None
) -> tuple[int, tuple[str, ...]]:
    """Return the row to explain, and notes on how its token was read."""
    if token is not None:
        row, note = _scored_row(engine, token)
        return row, (note,) if note else ()
    first = first_answer(engine, question)
    if engine.filters_to_drop:
        raise WordvecError(
            "nothing to explain: 0 tokens pass the filters", hint=f"drop {engine.filters_to_drop}"
        )
    if first is None:
        raise WordvecError("nothing to explain: all answers are words of the query")
    return first, ()


def _scored_row(engine: QueryEngine, token: str | int) -> tuple[int, str | None]:
    """Return the row of a token that has a score, and how it was read."""
    row, note = resolve_token(token, engine.table.vocabulary)
    if not engine.engine.searchable(engine.settings.ranking_metric)[row]:
        shown = engine.table.vocabulary.display(row)
        raise WordvecError(f"the vector of {shown} (#{row}) is not finite or has no direction")
    return row, note


def _own(engine: QueryEngine, question: Question) -> Mask:
    """Return which rows are words of the query or have the text of one: (V,) bool."""
    first_row = same_surface(engine.table.vocabulary)
    own: Mask = np.isin(first_row, first_row[list(question.resolved.query_ids)])
    return own


def _rival(
    engine: QueryEngine, question: Question, row: int, rank: int | None
) -> Competitor | None:
    """Split the score of the first other answer that is not a word of the query, if any."""
    if rank is None:
        return None
    allowed = engine.allowed(question)
    mask = ~_own(engine, question) if allowed is None else allowed & ~_own(engine, question)
    if engine.settings.merge_twins:
        first_row = same_surface(engine.table.vocabulary)
        mask &= first_row != first_row[row]
    mask[row] = False
    found = engine.ranking(question).best(1, mask).ids.tolist()
    if not found:
        return None
    return _Split(engine, question, found[0]).competitor(engine.rank_of(question, found[0]))


def _own_ahead(engine: QueryEngine, question: Question, row: int) -> tuple[str, ...]:
    """Return the tokens of the query's own words that rank above a row, the best first."""
    allowed = engine.allowed(question)
    mask = _own(engine, question)
    mask[row] = True
    if allowed is not None:
        mask &= allowed
    if not mask[row]:
        return ()
    order = engine.ranking(question).best(int(mask.sum()), mask).ids.tolist()
    return tuple(map(engine.table.vocabulary.display, order[: order.index(row)]))


def _over(engine: QueryEngine, question: Question, row: int, token: str | int) -> Competitor:
    """Split the score of the token that the caller compares the answer with."""
    other, _ = _scored_row(engine, token)
    if other == row:
        shown = engine.table.vocabulary.display(row)
        raise UsageError(f"{shown} cannot be compared with itself: expected another token in over")
    return _Split(engine, question, other).competitor(engine.rank_of(question, other))


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
    longest, largest = largest_places(norms), largest_places(abs(part.part) for part in parts)
    return NormEffect(
        parts[longest[0]].word if len(longest) == 1 else None,
        parts[largest[0]].word if len(largest) == 1 else None,
        rank,
    )


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
