"""What a score is worth: where it lies among the scores of random expressions.

A cosine of 0.8 says little where random pairs lie at 0.7. The sample is of random tokens put in
place of the words (special ones apart), with the same coefficients, against one more random token;
its seed is fixed and it is kept beside the table, so that the same score is always worth the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import WordvecError
from wordvec.search.settings import Method, Metric, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.analysis.query import QueryEngine
    from wordvec.search.engine import Floats

SAMPLE = 10_000
_SEED = 20_130_116  # of the day that "Efficient Estimation of Word Representations" appeared
_AT_ONCE = 256  # expressions at once, a few MB of rows


@dataclass(frozen=True, slots=True)
class Calibration:
    """A score among `sample` scores of random expressions.

    percentile: how many in a hundred of them are worse. z: how many standard deviations the score
    lies above their mean (under l2 the nearer answers lie below it).
    """

    sample: int
    mean: float
    deviation: float
    percentile: float
    z: float | None

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "sample": self.sample,
            "mean": self.mean,
            "deviation": self.deviation,
            "percentile": self.percentile,
            "z": self.z,
        }


def calibrate(asker: QueryEngine, weights: Sequence[float], score: float) -> Calibration:
    """Place a score among those of random expressions with the same coefficients."""
    drawn = _kept_sample(asker, sorted(weights))
    metric = asker.settings.ranked_by
    worse = drawn > score if metric is Metric.L2 else drawn < score
    mean, deviation = float(drawn.mean()), float(drawn.std())
    return Calibration(
        sample=len(drawn),
        mean=mean,
        deviation=deviation,
        percentile=100 * float(worse.mean()),
        z=(score - mean) / deviation if deviation > 0 else None,
    )


def _kept_sample(asker: QueryEngine, weights: Sequence[float]) -> Floats:
    settings, derived = asker.settings, asker.derived
    key = " ".join([
        "calibration", settings.method, settings.ranked_by, ",".join(f"{w:g}" for w in weights),
        *settings.steps,
    ])  # fmt: skip
    kept = derived.load(key) if derived is not None else None
    if kept is not None and "scores" in kept and "weights" in kept:
        known: Floats = kept["scores"]
        if kept["weights"].tolist() == list(weights):  # {w:g} may write two weights alike
            return known
    drawn = _sample(asker, np.array(weights))
    if derived is not None:
        derived.save(key, {"scores": drawn, "weights": np.array(weights)})
    return drawn


def _sample(asker: QueryEngine, weights: Floats) -> Floats:
    """Score random expressions, each against a random token: at most (SAMPLE,) float64."""
    engine, settings = asker.engine, asker.settings
    rng = np.random.default_rng(_SEED)
    ordinary = engine.searchable(Metric.COSINE).copy()
    ordinary[list(asker.table.vocabulary.special_ids)] = False
    rows = np.flatnonzero(ordinary)
    if len(rows) <= len(weights):
        raise WordvecError(
            f"too few tokens to draw random expressions of {len(weights)} words from: {len(rows)}"
        )
    drawn = rows[_distinct(rng, len(rows), len(weights) + 1)]  # (SAMPLE, T + 1)
    blocks = [drawn[start : start + _AT_ONCE] for start in range(0, SAMPLE, _AT_ONCE)]
    scores = np.concatenate(
        [
            _scores(engine.view[block.ravel()].reshape(*block.shape, -1), weights, settings)
            for block in blocks
        ]
    )
    finite: Floats = scores[np.isfinite(scores)]  # words that cancel have no cosine
    if not len(finite):
        raise WordvecError("no random expression of these coefficients has a score")
    return finite


def _distinct(rng: np.random.Generator, count: int, width: int) -> NDArray[np.int64]:
    """Draw SAMPLE lines of `width` different numbers below `count`: (SAMPLE, width)."""
    if count < 8 * width:  # so few that a line seldom has them different by chance
        return rng.permuted(np.tile(np.arange(count), (SAMPLE, 1)), axis=1)[:, :width]
    drawn = rng.integers(count, size=(SAMPLE, width))
    while True:
        ordered = np.sort(drawn, axis=1)
        twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if not twice.any():
            return drawn
        drawn[twice] = rng.integers(count, size=(int(twice.sum()), width))


def _scores(vectors: Floats, weights: Floats, settings: Settings) -> Floats:
    """Scores of n expressions: vectors (n, T + 1, D), the last of each the token: (n,)."""
    words, x = vectors[:, :-1], vectors[:, -1]
    if settings.method is Method.ADD:
        words = words / np.linalg.norm(words, axis=2, keepdims=True)
    q = np.einsum("t,ntd->nd", weights, words)
    if settings.ranked_by is Metric.L2:
        distances: Floats = np.linalg.norm(q - x, axis=1)
        return distances
    dots: Floats = np.einsum("nd,nd->n", q, x)
    if settings.ranked_by is Metric.DOT:
        return dots
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines: Floats = dots / (np.linalg.norm(q, axis=1) * np.linalg.norm(x, axis=1))
    return cosines
