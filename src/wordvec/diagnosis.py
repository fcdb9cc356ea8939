"""Why an answer came: its score split over the words of the query, exactly, in float64.

With q = Σ wᵢ vᵢ the query vector and x the answer's:

    cosine   cos(q, x) = Σ wᵢ ‖vᵢ‖ cos(vᵢ, x) / ‖q‖
    dot      q·x       = Σ wᵢ vᵢ·x
    l2       ‖q − x‖²  = ‖x‖² + Σ wᵢ vᵢ·(q − 2x)

and over dimensions: q_d x_d/(‖q‖‖x‖), q_d x_d and (q_d − x_d)². Parts can have either sign, so
the *share* of one is its size over the sum of the sizes of all.

Is it the longest word that decides? `lengths` says: which word is the longest, which has the
largest part, and the rank that the answer would have with every word at the same length.

Why is a hoped-for answer behind another? `ahead` takes the first answer apart beside it: what each
word gives to the one more than to the other adds up to what lies between them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.calibration import calibrate
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.explanation import Ahead, Dimension, Explanation, Lengths, Part
from wordvec.filters import twins
from wordvec.metric import Metric
from wordvec.resolution import resolve_token, term_vectors
from wordvec.settings import Method, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wordvec.engine import Floats
    from wordvec.expression import Expression
    from wordvec.query import Asker, Question
    from wordvec.resolution import Term

SHOWN = 5  # dimensions listed
FEW = 3  # so few dimensions with over half of the score are worth a warning


def explain(
    asker: Asker, expression: Expression, token: str | None = None, *, calibrated: bool = False
) -> Explanation:
    """Take an answer's score apart: that of `token`, or of the first that is no query word."""
    settings = asker.settings
    if settings.method not in (Method.SUM, Method.ADD) or settings.ranked_by is Metric.CSLS:
        what = "csls" if settings.ranked_by is Metric.CSLS else f"method {settings.method}"
        raise UsageError(
            f"explain takes a sum apart, which {what} is not",
            hint="--metric cosine, with --method sum or add",
        )
    question = asker.prepare(expression)
    first = _first(asker, question)
    row, notes = _answer(asker, first, token)
    view: Any = asker.engine.view
    x: Floats = view[[row]][0]
    words = question.resolved.terms
    vectors = term_vectors(words, view)
    q = question.vector
    if q is None:  # never so for a sum; says so to the type checker
        raise TypeError("a sum has a vector")
    over_dimensions = _over_dimensions(q, x, settings.ranked_by)
    dimensions = _largest(over_dimensions)
    [score] = asker.engine.scores(q, np.array([row]), metric=settings.ranked_by)
    parts = _parts(words, vectors, q, x, settings)
    rank = _rank(asker, question, row)
    return Explanation(
        query=expression.source,
        table=asker.description,
        settings=settings,
        token=asker.table.vocabulary.display(row),
        id=row,
        rank=rank,
        score=float(score),
        norm=float(np.linalg.norm(x)),
        own=_own(x, settings),
        parts=parts,
        lengths=_lengths(asker, question, vectors, parts, row),
        dimensions=dimensions[:SHOWN],
        carriers=_carriers(over_dimensions),
        ahead=_ahead(asker, question, first, rank),
        calibration=calibrate(asker, [term.weight for term in words], float(score))
        if calibrated
        else None,
        notes=(*question.resolved.notes, *notes),
    )


def explain_in_each(
    askers: Sequence[Asker],
    expression: Expression,
    token: str | None = None,
    *,
    calibrated: bool = False,
) -> list[Explanation]:
    """Take the score of one answer apart in several tables.

    It is `token`, or the answer that the first table gives; found in the others by its text.
    """
    found: list[Explanation] = []
    one_vocabulary = len({asker.table.vocabulary for asker in askers}) == 1
    for asker in askers:
        try:
            found.append(explain(asker, expression, token, calibrated=calibrated))
        except UnknownWordError as error:
            raise error.said_of(asker.table.name) from error
        if token is None:
            token = f"#{found[0].id}" if one_vocabulary else found[0].token
    return found


def _first(asker: Asker, question: Question) -> int | None:
    """The row of the first answer that is no word of the query, nor a twin of one if merged."""
    allowed = asker.allowed(question)
    mask = np.ones(len(asker.table), dtype=bool) if allowed is None else allowed.copy()
    named = list(question.resolved.query_ids)
    if asker.settings.merge_twins:
        alike = twins(asker.table.vocabulary)
        mask[np.isin(alike, alike[named])] = False
    mask[named] = False
    hits = asker.ranking(question).best(1, mask)
    return int(hits.ids[0]) if len(hits.ids) else None


def _rank(asker: Asker, question: Question, row: int) -> int | None:
    """The rank of a row, twins counted as one if they are merged."""
    if asker.settings.merge_twins:
        return asker.merged_ranks(question).get(row)
    return asker.ranking(question).rank_of(row, asker.allowed(question))


def _own(x: Floats, settings: Settings) -> float | None:
    return float(x @ x) if settings.ranked_by is Metric.L2 else None


def _ahead(asker: Asker, question: Question, first: int | None, rank: int | None) -> Ahead | None:
    """Take the first answer apart, if it is before the one of that rank."""
    q = question.vector
    if first is None or rank is None or q is None:
        return None
    its_rank = _rank(asker, question, first)
    if its_rank is None or its_rank >= rank:
        return None
    view: Any = asker.engine.view
    x: Floats = view[[first]][0]
    words = question.resolved.terms
    [score] = asker.engine.scores(q, np.array([first]), metric=asker.settings.ranked_by)
    return Ahead(
        token=asker.table.vocabulary.display(first),
        id=first,
        rank=its_rank,
        score=float(score),
        norm=float(np.linalg.norm(x)),
        own=_own(x, asker.settings),
        parts=_parts(words, term_vectors(words, view), q, x, asker.settings),
    )


def _answer(asker: Asker, first: int | None, token: str | None) -> tuple[int, tuple[str, ...]]:
    """The row to explain, and notes on how its token was taken."""
    if token is not None:
        row, note = resolve_token(token, asker.table.vocabulary)
        if not asker.engine.searchable(asker.settings.ranked_by)[row]:
            shown = asker.table.vocabulary.display(row)
            raise WordvecError(f"the vector of {shown} (#{row}) is not finite, or has no direction")
        return row, (note,) if note else ()
    if first is None:
        raise WordvecError("there is no answer but the words of the query to explain")
    return first, ()


def _parts(
    words: tuple[Term, ...], vectors: Floats, q: Floats, x: Floats, settings: Settings
) -> tuple[Part, ...]:
    """What each word gives: wᵢ vᵢ (at length 1 for `add`) against what the metric makes of x."""
    norms = np.linalg.norm(vectors, axis=1)
    weights = np.array([word.weight for word in words])
    scaled = weights / norms if settings.method is Method.ADD else weights
    match settings.ranked_by:
        case Metric.L2:
            against = q - 2 * x
        case Metric.DOT:
            against = x
        case _:
            against = x / (np.linalg.norm(q) * np.linalg.norm(x))
    given = scaled * (vectors @ against) + 0.0  # no -0.0
    sizes = norms * np.linalg.norm(x)
    cosines = np.clip(
        np.divide(vectors @ x, sizes, out=np.zeros_like(sizes), where=sizes > 0), -1, 1
    )
    return tuple(
        Part(
            word.text,
            word.weight,
            float(norm),
            float(cosine) if size > 0 else None,
            float(part) + 0.0,
        )
        for word, norm, cosine, size, part in zip(words, norms, cosines, sizes, given, strict=True)
    )


def _lengths(
    asker: Asker, question: Question, vectors: Floats, parts: tuple[Part, ...], row: int
) -> Lengths | None:
    """Rank the answer once more, with every word at the mean length of all."""
    norms = np.array([part.norm for part in parts])
    if len(parts) < 2 or asker.settings.method is Method.ADD or not norms.all():
        return None
    weights = np.array([part.weight for part in parts])
    query = (weights / norms * norms.mean()) @ vectors
    rank = None
    if query.any() or asker.settings.ranked_by is not Metric.COSINE:
        rank = _rank(asker, replace(question, vector=query), row)
    longest = parts[int(np.argmax(norms))].word
    largest = parts[int(np.argmax([abs(part.part) for part in parts]))].word
    return Lengths(longest, largest, rank)


def _over_dimensions(q: Floats, x: Floats, metric: Metric) -> Floats:
    """What each dimension gives to the score (to its square under l2): (D,)."""
    if metric is Metric.L2:
        apart: Floats = (q - x) ** 2
        return apart
    along: Floats = q * x
    return along if metric is Metric.DOT else along / (np.linalg.norm(q) * np.linalg.norm(x))


def _largest(parts: Floats) -> tuple[Dimension, ...]:
    """Dimensions by the size of what they give, largest first; those that give nothing left out."""
    sizes = np.abs(parts)
    whole = sizes.sum()
    order = np.argsort(-sizes, kind="stable")[:SHOWN]
    return tuple(
        Dimension(int(d), float(parts[d]), float(sizes[d] / whole)) for d in order if sizes[d] > 0
    )


def _carriers(parts: Floats) -> int:
    """How many dimensions it takes to carry over half of the score; 0 where none does anything."""
    sizes = np.sort(np.abs(parts))[::-1]
    if not sizes.sum():
        return 0
    return int(np.searchsorted(np.cumsum(sizes), sizes.sum() / 2, side="right")) + 1
