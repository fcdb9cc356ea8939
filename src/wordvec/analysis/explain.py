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

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.calibration import calibrate
from wordvec.analysis.query import settings_json
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.search.filters import twins
from wordvec.search.resolve import resolve_token, term_vectors
from wordvec.search.settings import Method, Metric, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wordvec.analysis.calibration import Calibration
    from wordvec.analysis.query import QueryEngine, Question
    from wordvec.expression.tree import Expression
    from wordvec.search.engine import Floats
    from wordvec.search.resolve import Term
    from wordvec.tables.table import TableDescription

SHOWN = 5  # dimensions listed
FEW = 3  # so few dimensions with over half of the score are worth a warning


@dataclass(frozen=True, slots=True)
class Part:
    """What one word of the query gives to the score.

    norm: length of its vector. cosine: of its vector and the answer's; None if either is zero.
    """

    word: str
    weight: float
    norm: float
    cosine: float | None
    part: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one dimension gives to the score; share: of the sum of the sizes of all."""

    index: int
    part: float
    share: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Whether the longest word decides. rank: the answer's, with all words at one length."""

    longest: str
    largest_part: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Competitor:
    """The first answer, where another one is explained: its score taken apart alike.

    own: as in `Explanation`. parts: one for each word, in the same order.
    """

    token: str
    id: int
    rank: int
    score: float
    norm: float
    own: float | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer's score, taken apart.

    own: ‖x‖², the part that no word gives; None but under l2. total: own and the parts added up:
    the score, or under l2 its square. lengths: None for a word alone, and for `add`, which has
    all words at one length. dimensions: the first few by share; carriers: how many of them carry
    over half of the score. ahead: the first answer that is no query word, if that is before this.
    """

    query: str
    table: TableDescription
    settings: Settings
    token: str
    id: int
    rank: int | None
    score: float
    norm: float
    own: float | None
    parts: tuple[Part, ...]
    lengths: Lengths | None
    dimensions: tuple[Dimension, ...]
    carriers: int
    ahead: Competitor | None = None
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """What the parts add up to: the score, or under l2 its square."""
        return (self.own or 0.0) + sum(part.part for part in self.parts)

    @property
    def gains(self) -> tuple[tuple[str | None, float], ...]:
        """What the first answer gets more than this one, by word; under l2 last by itself (None).

        Under l2 what is less is nearer: they are below zero where the first answer gains.
        """
        if self.ahead is None:
            return ()
        both = zip(self.ahead.parts, self.parts, strict=True)
        gains: list[tuple[str | None, float]] = [(p.word, p.part - q.part) for p, q in both]
        if self.own is not None and self.ahead.own is not None:
            gains.append((None, self.ahead.own - self.own))
        return tuple(gains)

    @property
    def decisive(self) -> str | None:
        """The word that sets the first answer most ahead; None for its own length under l2."""
        if not self.gains:
            return None
        sign = -1 if self.metric is Metric.L2 else 1
        return max(self.gains, key=lambda gain: sign * gain[1])[0]

    @property
    def metric(self) -> Metric:
        """What the score is."""
        return self.settings.ranked_by

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            "table": self.table.to_json(),
            **settings_json(self.settings),
            "token": self.token,
            "id": self.id,
            "rank": self.rank,
            self.metric.score_name: self.score,
            "norm": self.norm,
            "parts_add_up_to": "distance squared" if self.metric is Metric.L2 else "similarity",
            "own_part": self.own,
            "parts": [
                {
                    "word": part.word,
                    "weight": part.weight,
                    "norm": part.norm,
                    "cosine": part.cosine,
                    "part": part.part,
                }
                for part in self.parts
            ],
            "lengths": None
            if self.lengths is None
            else {
                "longest": self.lengths.longest,
                "largest_part": self.lengths.largest_part,
                "rank_at_equal_lengths": self.lengths.rank,
            },
            "ahead": self._ahead_json(),
            "dimensions": [
                {"dimension": d.index, "part": d.part, "share": d.share} for d in self.dimensions
            ],
            "carriers": self.carriers,
            **({"calibration": self.calibration.to_json()} if self.calibration else {}),
        }

    def _ahead_json(self) -> dict[str, object] | None:
        if self.ahead is None:
            return None
        return {
            "token": self.ahead.token,
            "id": self.ahead.id,
            "rank": self.ahead.rank,
            self.metric.score_name: self.ahead.score,
            "norm": self.ahead.norm,
            "own_part": self.ahead.own,
            "parts": [
                {"word": part.word, "cosine": part.cosine, "part": part.part}
                for part in self.ahead.parts
            ],
            "most_by": self.decisive,
        }


def explain(
    asker: QueryEngine,
    expression: Expression,
    token: str | None = None,
    *,
    calibrated: bool = False,
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
    engines: Sequence[QueryEngine],
    expression: Expression,
    token: str | None = None,
    *,
    calibrated: bool = False,
) -> list[Explanation]:
    """Take the score of one answer apart in several tables.

    It is `token`, or the answer that the first table gives; found in the others by its text.
    """
    found: list[Explanation] = []
    one_vocabulary = len({asker.table.vocabulary for asker in engines}) == 1
    for asker in engines:
        try:
            found.append(explain(asker, expression, token, calibrated=calibrated))
        except UnknownWordError as error:
            raise error.said_of(asker.table.name) from error
        if token is None:
            token = f"#{found[0].id}" if one_vocabulary else found[0].token
    return found


def _first(asker: QueryEngine, question: Question) -> int | None:
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


def _rank(asker: QueryEngine, question: Question, row: int) -> int | None:
    """The rank of a row, twins counted as one if they are merged."""
    if asker.settings.merge_twins:
        return asker.merged_ranks(question).get(row)
    return asker.ranking(question).rank_of(row, asker.allowed(question))


def _own(x: Floats, settings: Settings) -> float | None:
    return float(x @ x) if settings.ranked_by is Metric.L2 else None


def _ahead(
    asker: QueryEngine, question: Question, first: int | None, rank: int | None
) -> Competitor | None:
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
    return Competitor(
        token=asker.table.vocabulary.display(first),
        id=first,
        rank=its_rank,
        score=float(score),
        norm=float(np.linalg.norm(x)),
        own=_own(x, asker.settings),
        parts=_parts(words, term_vectors(words, view), q, x, asker.settings),
    )


def _answer(
    asker: QueryEngine, first: int | None, token: str | None
) -> tuple[int, tuple[str, ...]]:
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
    asker: QueryEngine, question: Question, vectors: Floats, parts: tuple[Part, ...], row: int
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
