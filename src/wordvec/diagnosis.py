"""Why an answer came: its score split over the words of the query, exactly, in float64.

With q = Σ wᵢ vᵢ the query vector and x the answer's:

    cosine   cos(q, x) = Σ wᵢ ‖vᵢ‖ cos(vᵢ, x) / ‖q‖
    dot      q·x       = Σ wᵢ vᵢ·x
    l2       ‖q − x‖²  = ‖x‖² + Σ wᵢ vᵢ·(q − 2x)

and over dimensions: q_d x_d/(‖q‖‖x‖), q_d x_d and (q_d − x_d)². Parts can have either sign, so
the *share* of one is its size over the sum of the sizes of all.

Is it the longest word that decides? `lengths` says: which word is the longest, which has the
largest part, and the rank that the answer would have with every word at the same length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.calibration import Calibration, calibrate
from wordvec.errors import UsageError, WordvecError
from wordvec.methods import by_metric
from wordvec.metric import Metric
from wordvec.query import Asker, Question, TableDescription, settings_json
from wordvec.resolution import resolve_token, term_vectors
from wordvec.settings import Method, Settings

if TYPE_CHECKING:
    from typing import Any

    from wordvec.engine import Floats
    from wordvec.expression import Expression
    from wordvec.resolution import Term

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
class Explanation:
    """An answer's score, taken apart.

    own: ‖x‖², the part that no word gives; None but under l2. total: own and the parts added up:
    the score, or under l2 its square. lengths: None for a word alone, and for `add`, which has
    all words at one length. dimensions: the first few by share; carriers: how many of them carry
    over half of the score.
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
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """What the parts add up to: the score, or under l2 its square."""
        return (self.own or 0.0) + sum(part.part for part in self.parts)

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
            "dimensions": [
                {"dimension": d.index, "part": d.part, "share": d.share} for d in self.dimensions
            ],
            "carriers": self.carriers,
            **({"calibration": self.calibration.to_json()} if self.calibration else {}),
        }


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
    row, notes = _answer(asker, question, token)
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
    return Explanation(
        query=expression.source,
        table=asker.description,
        settings=settings,
        token=asker.table.vocabulary.display(row),
        id=row,
        rank=asker.ranking(question).rank_of(row, asker.allowed(question)),
        score=float(score),
        norm=float(np.linalg.norm(x)),
        own=float(x @ x) if settings.ranked_by is Metric.L2 else None,
        parts=parts,
        lengths=_lengths(asker, question, vectors, parts, row),
        dimensions=dimensions[:SHOWN],
        carriers=_carriers(over_dimensions),
        calibration=calibrate(asker, [term.weight for term in words], float(score))
        if calibrated
        else None,
        notes=(*question.resolved.notes, *notes),
    )


def _answer(asker: Asker, question: Question, token: str | None) -> tuple[int, tuple[str, ...]]:
    """The row to explain, and notes on how its token was taken."""
    if token is not None:
        row, note = resolve_token(token, asker.table.vocabulary)
        if not asker.engine.searchable(asker.settings.ranked_by)[row]:
            shown = asker.table.vocabulary.display(row)
            raise WordvecError(f"the vector of {shown} (#{row}) is not finite, or has no direction")
        return row, (note,) if note else ()
    allowed = asker.allowed(question)
    mask = np.ones(len(asker.table), dtype=bool) if allowed is None else allowed.copy()
    mask[list(question.resolved.query_ids)] = False
    hits = asker.ranking(question).best(1, mask)
    if not len(hits.ids):
        raise WordvecError("there is no answer but the words of the query to explain")
    return int(hits.ids[0]), ()


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
        ranking = by_metric(asker.engine, query, asker.settings.ranked_by)
        rank = ranking.rank_of(row, asker.allowed(question))
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
