"""Calibrate a score: compare it with the scores of random expressions.

A cosine of 0.8 means little if random pairs have 0.7. Each random expression has the coefficients
of the query and random tokens in place of its words (no special ones), and is scored against one
more random token. The seed is fixed and the sample is kept beside the table: results repeat.

The cosines of random pairs, which decide how any cosine of a table is read, are such a sample: that
of one word.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import WordvecError
from wordvec.search.settings import Method, Metric, QuerySettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.analysis.query import QueryEngine
    from wordvec.search.ranking import Floats
    from wordvec.search.space import Space

SAMPLE = 10_000
_SEED = (
    20_130_116  # the date of "Efficient Estimation of Word Representations" (Mikolov et al. 2013)
)
_AT_ONCE = 256  # expressions at once, a few MB of rows


@dataclass(frozen=True, slots=True)
class Calibration:
    """A score among `sample` scores of random expressions.

    percentile: the percentage of them that are worse. z: how many standard deviations the score is
    above their mean (under l2, nearer answers are below it).
    """

    sample: int
    mean: float
    deviation: float
    percentile: float
    z: float | None

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RandomPairs:
    """The cosines of `sample` random pairs of tokens: their mean and standard deviation."""

    sample: int
    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{round(self.mean, 3) + 0.0:.3f} ± {self.deviation:.3f}"  # no -0.000

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return asdict(self)


def random_pairs(space: Space) -> RandomPairs | None:
    """Measure the cosines of random pairs of tokens, or return None if there are too few tokens."""
    settings = QuerySettings(metric=Metric.COSINE, transforms=space.transforms)
    try:
        cosines = _kept_sample(space, settings, [1.0])
    except TooFewTokensError:
        return None
    return RandomPairs(len(cosines), float(cosines.mean()), float(cosines.std()))


class TooFewTokensError(WordvecError):
    """A table has too few tokens to draw random expressions from."""


def calibrate(engine: QueryEngine, weights: Sequence[float], score: float) -> Calibration:
    """Compare a score with those of random expressions with the same coefficients.

    Raises:
        WordvecError: if the table has too few tokens to draw from.
    """
    drawn = _kept_sample(engine.space, engine.settings, sorted(weights))
    metric = engine.settings.ranking_metric
    worse = drawn > score if metric.smaller_is_nearer else drawn < score
    mean, deviation = float(drawn.mean()), float(drawn.std())
    return Calibration(
        sample=len(drawn),
        mean=mean,
        deviation=deviation,
        percentile=100 * float(worse.mean()),
        z=(score - mean) / deviation if deviation > 0 else None,
    )


def _kept_sample(space: Space, settings: QuerySettings, weights: Sequence[float]) -> Floats:
    derived = space.derived
    key = " ".join([
        "calibration", settings.method, settings.ranking_metric,
        ",".join(f"{w:g}" for w in weights),
        *settings.all_transforms,
    ])  # fmt: skip
    kept = derived.load(key) if derived is not None else None
    if kept is not None and "scores" in kept and "weights" in kept:
        known: Floats = kept["scores"]
        if kept["weights"].tolist() == list(weights):  # {w:g} may write two weights the same way
            return known
    drawn = _sample(space, settings, np.array(weights))
    if derived is not None:
        derived.save(key, {"scores": drawn, "weights": np.array(weights)})
    return drawn


def _sample(space: Space, settings: QuerySettings, weights: Floats) -> Floats:
    """Score random expressions, each against a random token: up to (SAMPLE,) float64."""
    search = space.engine
    rng = np.random.default_rng(_SEED)
    ordinary = search.searchable(Metric.COSINE).copy()
    ordinary[list(space.table.vocabulary.special_ids)] = False
    rows = np.flatnonzero(ordinary)
    if len(rows) <= len(weights):
        raise TooFewTokensError(
            f"too few tokens for random expressions of {len(weights)} words: {len(rows)}"
        )
    drawn = rows[_distinct(rng, len(rows), len(weights) + 1)]  # (SAMPLE, T + 1)
    blocks = [drawn[start : start + _AT_ONCE] for start in range(0, SAMPLE, _AT_ONCE)]
    scores = np.concatenate(
        [
            _scores(search.rows(block.ravel()).reshape(*block.shape, -1), weights, settings)
            for block in blocks
        ]
    )
    finite: Floats = scores[np.isfinite(scores)]  # words that cancel out have no cosine
    if not len(finite):
        raise WordvecError("no random expression with these coefficients has a score")
    return finite


def _distinct(rng: np.random.Generator, count: int, width: int) -> NDArray[np.int64]:
    """Draw SAMPLE rows of `width` different numbers below `count`: (SAMPLE, width)."""
    if count < 8 * width:  # so few that random numbers would seldom be different
        return rng.permuted(np.tile(np.arange(count), (SAMPLE, 1)), axis=1)[:, :width]
    drawn = rng.integers(count, size=(SAMPLE, width))
    while True:
        ordered = np.sort(drawn, axis=1)
        twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if not twice.any():
            return drawn
        drawn[twice] = rng.integers(count, size=(int(twice.sum()), width))


def _scores(vectors: Floats, weights: Floats, settings: QuerySettings) -> Floats:
    """Score n expressions: vectors (n, T + 1, D), the last of each the token: (n,)."""
    words, x = vectors[:, :-1], vectors[:, -1]
    if settings.method is Method.ADD:
        words = words / np.linalg.norm(words, axis=2, keepdims=True)
    q = np.einsum("t,ntd->nd", weights, words)
    if settings.ranking_metric is Metric.L2:
        distances: Floats = np.linalg.norm(q - x, axis=1)
        return distances
    dots: Floats = np.einsum("nd,nd->n", q, x)
    if settings.ranking_metric is Metric.DOT:
        return dots
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines: Floats = dots / (np.linalg.norm(q, axis=1) * np.linalg.norm(x, axis=1))
    return cosines
