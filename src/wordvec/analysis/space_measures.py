"""The shape of a vector space: anisotropy, rogue dimensions, norms, hubs and kinds of neighbours.

All sums are over the measured tokens in float64. Means over pairs are those of all pairs, not of a
sample: with unit vectors u, the sum over pairs is |Σu|² − n, and that of the squares ‖UᵀU‖² − n.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import WordvecError
from wordvec.progress import Progress, no_progress
from wordvec.search.engine import norms_of
from wordvec.search.filters import Filters, candidates, same_surface
from wordvec.search.neighbour_graph import neighbour_graph
from wordvec.search.settings import Metric
from wordvec.tables.table import VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wordvec.search.ranking import RowIds
    from wordvec.tables.derived import Derived

LIMIT = 40_000  # tokens; of a larger table a sample of this size is measured
NEIGHBOURS = 10
COMPONENTS = 10
LISTED = 10  # dimensions and hubs
_SEED = 0
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension, counted from 0.

    cosine_share: of the mean cosine of two tokens (Timkey and van Schijndel 2021, section 3), None
    if that mean is near 0. length_share: of the squared lengths of the unit vectors.
    """

    dimension: int
    cosine_share: float | None
    length_share: float


@dataclass(frozen=True, slots=True)
class Norms:
    """L2 norms. variation: deviation/mean. rank_correlation: Spearman's ρ with the row."""

    minimum: float
    median: float
    maximum: float
    variation: float
    rank_correlation: float | None


@dataclass(frozen=True, slots=True)
class Hub:
    """A token and its k-occurrence: how many tokens have it among their k nearest."""

    token: str
    id: int
    occurrences: int


@dataclass(frozen=True, slots=True)
class Hubness:
    """The k-occurrence of all tokens (Radovanović, Nanopoulos and Ivanović 2010), k at most 10.

    skewness: its third standardised moment. orphans: the share of tokens that are no neighbour.
    hubs: the tokens with the largest.
    """

    k: int
    skewness: float
    orphans: float
    hubs: tuple[Hub, ...]


@dataclass(frozen=True, slots=True)
class NeighbourKinds:
    """What the 10 nearest neighbours are; None where there is nothing to count.

    subwords: the share of subwords among the neighbours of whole words. subword_tokens: their share
    of all tokens. twins: the share of tokens with a twin (王 and ##王) that have one among their
    neighbours. with_twin: how many tokens have a twin.
    """

    subwords: float | None
    subword_tokens: float
    twins: float | None
    with_twin: int


@dataclass(frozen=True, slots=True)
class SpaceMeasures:
    """The shape of a space.

    tokens: how many have a direction and are not special. measured: how many of them were measured.
    mean_cosine, cosine_deviation: over all pairs of two tokens. components: the share of variance
    in the first 1 … 10 principal components. dimensions: those with the largest shares.
    """

    tokens: int
    measured: int
    mean_cosine: float
    cosine_deviation: float
    components: tuple[float, ...]
    dimensions: tuple[Dimension, ...]
    norms: Norms
    hubness: Hubness
    neighbours: NeighbourKinds

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        listed: dict[str, object] = {
            "components": list(self.components),
            "dimensions": [asdict(one) for one in self.dimensions],
            "hubness": {**asdict(self.hubness), "hubs": [asdict(one) for one in self.hubness.hubs]},
        }
        return {**asdict(self), **listed}


def measure(
    table: VectorTable, derived: Derived | None = None, *, progress: Progress = no_progress
) -> SpaceMeasures:
    """Measure the raw vectors of a table; of more than 40,000 tokens a sample, with a fixed seed.

    The neighbour graph of a whole table is read from `derived`, or saved there.

    Args:
        progress: called with the number of tokens whose neighbours are known.

    Raises:
        WordvecError: if fewer than three tokens have a direction.
    """
    rows = _ordinary(table)
    tokens = len(rows)
    if tokens < 3:
        raise WordvecError(f"{table.name}: too few tokens with a direction to measure: {tokens}")
    sampled = tokens > LIMIT
    if sampled:
        rows = np.sort(np.random.default_rng(_SEED).choice(rows, LIMIT, replace=False))
    sums = _Sums(table, rows)
    near = _neighbours(table, rows, None if sampled else derived, progress, sampled=sampled)
    return SpaceMeasures(
        tokens,
        len(rows),
        sums.mean_cosine,
        sums.cosine_deviation,
        sums.components(),
        sums.dimensions(),
        _norms(table, rows),
        _hubness(table.vocabulary, rows, near),
        _kinds(table.vocabulary, rows, near),
    )


def _ordinary(table: VectorTable) -> RowIds:
    """Return the rows with a direction that are not special: (n,)."""
    usable = np.isfinite(table.norms) & (table.norms > 0)
    passed = candidates(table.vocabulary, Filters(no_special=True))
    return np.flatnonzero(usable if passed is None else usable & passed.mask)


class _Sums:
    """Sums over n rows x and their unit vectors u, from which the measures are computed."""

    def __init__(self, table: VectorTable, rows: RowIds) -> None:
        D, self.n = table.dimensions, len(rows)
        self.unit, self.unit_squares = np.zeros(D), np.zeros(D)
        mean, products = np.zeros(D), np.zeros((D, D))
        self.gram = np.zeros((D, D))  # Σ u uᵀ
        scale = float(np.median(table.norms[rows]))  # so that no square overflows
        for start in range(0, self.n, _ROWS_AT_ONCE):
            x = table.vectors[rows[start : start + _ROWS_AT_ONCE]].astype(np.float64)
            u = x / norms_of(x)[:, None]
            self.unit += u.sum(axis=0)
            self.unit_squares += (u * u).sum(axis=0)
            self.gram += u.T @ u
            x /= scale
            mean += x.sum(axis=0)
            products += x.T @ x
        mean /= self.n
        self.covariance = products / self.n - np.outer(mean, mean)

    @property
    def _pairs(self) -> float:
        return self.n * (self.n - 1)

    @property
    def mean_cosine(self) -> float:
        return float((self.unit @ self.unit - self.unit_squares.sum()) / self._pairs)

    @property
    def cosine_deviation(self) -> float:
        squares = float((self.gram * self.gram).sum() - self.n) / self._pairs
        return float(np.sqrt(max(squares - self.mean_cosine**2, 0.0)))

    def components(self) -> tuple[float, ...]:
        """Return the share of variance in the first 1 … 10 components; zeros without variance."""
        strength = np.maximum(np.linalg.eigvalsh(self.covariance)[::-1], 0)
        total = strength.sum()
        shares = np.cumsum(strength[:COMPONENTS]) / (total or 1)
        return tuple(np.minimum(shares, 1).tolist())

    def dimensions(self) -> tuple[Dimension, ...]:
        """Return the dimensions with the largest share of the mean cosine or of the lengths."""
        contributions = (self.unit**2 - self.unit_squares) / self._pairs
        lengths = self.unit_squares / self.n
        mean = float(contributions.sum())
        shares = contributions / mean if mean >= NEAR_ZERO else None
        largest = lengths if shares is None else np.maximum(lengths, shares)
        order = np.argsort(-largest, kind="stable")[:LISTED].tolist()
        return tuple(
            Dimension(d, None if shares is None else float(shares[d]), float(lengths[d]))
            for d in order
        )


NEAR_ZERO = 0.05  # a mean cosine below this is too small to be divided among dimensions


def _norms(table: VectorTable, rows: RowIds) -> Norms:
    norms = np.asarray(table.norms)[rows]
    correlation = None
    if np.ptp(norms) > 0:
        from scipy.stats import spearmanr

        correlation = float(spearmanr(rows, norms).statistic)
    variation = float(norms.std() / norms.mean())
    summary = (float(norms.min()), float(np.median(norms)), float(norms.max()))
    return Norms(*summary, variation, correlation)


def _neighbours(
    table: VectorTable,
    rows: RowIds,
    derived: Derived | None,
    progress: Progress,
    *,
    sampled: bool,
) -> NDArray[np.int64]:
    """Return the rows of the nearest neighbours by cosine: (n, K); −1 where there is none.

    A sample is compared with itself only.
    """
    if not sampled:
        graph = neighbour_graph(
            table, NEIGHBOURS, metric=Metric.COSINE, derived=derived, progress=progress
        )
        return graph.ids[rows].astype(np.int64)
    names = Vocabulary(tuple(table.vocabulary.tokens[row] for row in rows.tolist()))
    part = VectorTable.from_vectors(names, table.vectors[rows], table.provenance)
    graph = neighbour_graph(part, NEIGHBOURS, metric=Metric.COSINE, progress=progress)
    return np.where(graph.ids < 0, -1, rows[graph.ids])


def _hubness(vocabulary: Vocabulary, rows: RowIds, near: NDArray[np.int64]) -> Hubness:
    counts = np.bincount(near[near >= 0], minlength=len(vocabulary))[rows]
    apart = counts - counts.mean()
    deviation = float(counts.std())
    skewness = float((apart**3).mean()) / deviation**3 if deviation > 0 else 0.0
    hubs = [
        Hub(vocabulary.display(int(rows[i])), int(rows[i]), int(counts[i]))
        for i in np.argsort(-counts, kind="stable")[:LISTED].tolist()
    ]
    return Hubness(near.shape[1], skewness, float((counts == 0).mean()), tuple(hubs))


def _kinds(vocabulary: Vocabulary, rows: RowIds, near: NDArray[np.int64]) -> NeighbourKinds:
    subword = np.array([vocabulary.is_subword(row) for row in range(len(vocabulary))], dtype=bool)
    surface = same_surface(vocabulary)
    known = near >= 0
    of_words = known[~subword[rows]]
    subwords = (subword[near] & known)[~subword[rows]]
    twin = (surface[near] == surface[rows][:, None]) & known
    measured = np.bincount(surface[rows], minlength=len(vocabulary))
    has_twin = measured[surface[rows]] > 1
    return NeighbourKinds(
        float(subwords.sum() / of_words.sum()) if of_words.any() else None,
        float(subword[rows].mean()),
        float(twin.any(axis=1)[has_twin].mean()) if has_twin.any() else None,
        int(has_twin.sum()),
    )
