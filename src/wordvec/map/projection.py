"""Positions of tokens on a plane: t-SNE or UMAP on exact nearest neighbours, or PCA.

openTSNE (Poličar, Stražar and Zupan 2024) runs t-SNE on the neighbours that it is given. For large
maps the repulsive forces are interpolated by FFT (FIt-SNE, Linderman et al. 2019). The initial
positions are the first two principal components: this preserves the global structure (Kobak and
Berens 2019), and the same seed gives the same map. UMAP (McInnes, Healy and Melville 2018) starts
from them too. PCA shows them as they are.

Shapes: N tokens on the map, V tokens of the table, D dimensions.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, UsageError, WordvecError, as_choice
from wordvec.progress import Progress, no_progress
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

MIN_TOKENS = 5  # with fewer, no perplexity above 1 is possible
UNPLACEABLE = {Metric.L2: "not finite, or longer than 1e17", Metric.COSINE: "not finite, or zero"}
"""Which vectors have no place on a map under each metric; see `comparable_rows`."""


@dataclass(frozen=True, slots=True)
class _TsneSchedule:
    """Options of openTSNE that depend on the number of tokens."""

    gradient_method: str  # openTSNE's negative_gradient_method
    iterations: int  # after the early exaggeration
    learning_rate: float  # as a fraction of the number of tokens


_EXAGGERATION_ITERATIONS = 250  # as in openTSNE and scikit-learn
_EXAGGERATION = 6.0
"""Early exaggeration. openTSNE and scikit-learn use 12. openTSNE uses a learning rate of 1/12 and
then of 1; its trustworthiness is lower by 0.003 (3,000 tokens of mini) to 0.005 (32,000)."""
_LARGE = 10_000  # tokens
_SMALL_MAP = _TsneSchedule("bh", iterations=500, learning_rate=1 / 4)
_LARGE_MAP = _TsneSchedule("fft", iterations=300, learning_rate=1 / 2)
"""The cost of FFT grows with the area of the map, and so with each iteration: 400 iterations take
1.4 times as long, and keep 3.84 of ten true neighbours among the nearest instead of 3.81."""
_MIN_LEARNING_RATE = 50.0  # as in scikit-learn
_REPORT_EVERY = 10  # iterations
UMAP_NEIGHBOURS = 15  # of each token, which is one of them: UMAP's default


class ProjectionMethod(StrEnum):
    """How positions are computed."""

    TSNE = "tsne"
    UMAP = "umap"
    PCA = "pca"


@dataclass(frozen=True, slots=True)
class ProjectionSettings:
    """What determines a map, apart from the table and its rows.

    metric: L2 or cosine, for the neighbours that the map preserves; a string is converted.
    perplexity: of t-SNE: about how many neighbours attract each token; at least 2. A map of few
        tokens uses less, see `project`.
    seed: of the random numbers of t-SNE and UMAP, 0 to 2³² - 1.
    method: t-SNE, UMAP or PCA; a string is converted.

    Raises:
        UsageError: if a value is outside its range.
    """

    metric: Metric = Metric.L2
    perplexity: float = 30.0
    seed: int = 0
    method: ProjectionMethod = ProjectionMethod.TSNE

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the dataclass is frozen
        if self.metric not in UNPLACEABLE:
            raise UsageError(f'a map needs metric="l2" or metric="cosine", got "{self.metric}"')
        set_field(self, "metric", Metric(self.metric))
        if not isinstance(self.perplexity, Real) or not 2 <= self.perplexity < math.inf:
            raise UsageError(
                f"perplexity must be a finite number of at least 2, got {self.perplexity!r}"
            )
        set_field(self, "perplexity", float(self.perplexity))
        if not isinstance(self.seed, Integral) or not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must be an integer from 0 to {2**32 - 1}, got {self.seed!r}")
        set_field(self, "seed", int(self.seed))
        set_field(self, "method", as_choice(ProjectionMethod, self.method, "method"))


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Positions of tokens on the plane.

    rows: (N,) int64, rows of the table, ascending.
    positions: (N, 2) float32, centred; in the unit of t-SNE or UMAP, of the vectors under PCA.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class NearestNeighbours:
    """The K nearest neighbours of N points among these points, nearest first.

    ids: (N, K) int64, indices of points, never the point itself. distances: (N, K) float64.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float64]


def project(  # noqa: PLR0913  (one keyword per setting)
    table: VectorTable,
    rows: NDArray[np.int64],
    settings: ProjectionSettings | None = None,
    *,
    reference: Projection | None = None,
    derived: Derived | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Projection:
    """Place rows of a table on a plane, or return the saved positions.

    Args:
        table: the table.
        rows: (N,) the rows to place, ascending. Rows that cannot be placed are left out, see
            `placeable_rows`.
        settings: None for the defaults. The perplexity is reduced to (N - 1)/3 where it is larger.
        reference: another projection, whose positions are the initial ones; the result is aligned
            with it.
        derived: where positions and neighbours are saved for the next time; None saves nothing.
        force: recompute saved positions.
        progress: called after every few iterations.

    Raises:
        WordvecError: for fewer than `MIN_TOKENS` rows.
        MissingExtraError: if openTSNE or umap-learn is not installed.
    """
    import numpy as np

    settings = settings or ProjectionSettings()
    rows = placeable_rows(table, rows, settings.metric)
    key = _derived_key(table, rows, settings, reference)
    saved = derived.load(key) if derived and not force else None
    if saved is not None:
        return Projection(saved["rows"], saved["places"])
    initial = _principal_components(table.vectors[rows], settings.metric)
    if settings.method is ProjectionMethod.PCA:
        positions = initial
    else:
        start = initial if reference is None else _initial_from(reference, rows, initial)
        positions = _embed(table, rows, settings, start, derived, progress)
    positions = _centre(positions) if reference is None else _align(positions, rows, reference)
    projection = Projection(rows, positions.astype(np.float32))
    if derived:
        derived.save(key, {"rows": projection.rows, "places": projection.positions})
    return projection


def _embed(  # noqa: PLR0913, PLR0917  (what `project` has)
    table: VectorTable,
    rows: NDArray[np.int64],
    settings: ProjectionSettings,
    initial: NDArray[np.float64],
    derived: Derived | None,
    progress: Progress,
) -> NDArray[np.float64]:
    """Run t-SNE or UMAP on the nearest neighbours of the rows among themselves: (N, 2)."""
    if settings.method is ProjectionMethod.UMAP:
        k = min(UMAP_NEIGHBOURS, len(rows)) - 1
        neighbours = neighbours_within(table, rows, k, settings.metric, derived)
        return run_umap(neighbours, initial, seed=settings.seed)
    perplexity = min(settings.perplexity, (len(rows) - 1) / 3)
    neighbours = neighbours_within(table, rows, int(3 * perplexity), settings.metric, derived)
    return run_tsne(neighbours, initial, perplexity, seed=settings.seed, progress=progress)


def placeable_rows(
    table: VectorTable, rows: NDArray[np.int64], metric: Metric
) -> NDArray[np.int64]:
    """Return the rows whose vectors can be compared, see `comparable_rows`.

    Raises:
        WordvecError: for fewer than `MIN_TOKENS` of them.
    """
    from wordvec.search.neighbour_graph import comparable_rows

    placeable = rows[comparable_rows(table.norms[rows], metric)]
    if len(placeable) < MIN_TOKENS:
        count = len(rows) - len(placeable)
        why = f" ({count:,} vectors are {UNPLACEABLE[metric]})" if count else ""
        raise WordvecError(f"a map needs at least {MIN_TOKENS} tokens, got {len(placeable)}{why}")
    return placeable


def rows_key(table: VectorTable, rows: NDArray[np.int64], metric: Metric) -> str:
    """Return a name for what is computed from the neighbours of some rows of a table."""
    digest = hashlib.sha256(rows.tobytes()).hexdigest()[:12]
    return "-".join((*table.transforms, metric.value, f"{len(rows)}", digest))


def _derived_key(
    table: VectorTable,
    rows: NDArray[np.int64],
    settings: ProjectionSettings,
    reference: Projection | None,
) -> str:
    """Return a name for saved positions. `Derived` itself checks that the table is the same."""
    digest = hashlib.sha256(rows.tobytes())
    if reference is not None:
        digest.update(reference.rows.tobytes() + reference.positions.tobytes())
    method = {
        ProjectionMethod.TSNE: (f"p{settings.perplexity:g}", f"seed{settings.seed}"),
        ProjectionMethod.UMAP: ("umap", f"seed{settings.seed}"),
        ProjectionMethod.PCA: ("pca",),
    }[settings.method]
    parts = (
        *table.transforms,
        settings.metric.value,
        *method,
        f"{len(rows)}",
        digest.hexdigest()[:12],
    )
    return "map-" + "-".join(parts)


def neighbours_within(
    table: VectorTable, rows: NDArray[np.int64], k: int, metric: Metric, derived: Derived | None
) -> NearestNeighbours:
    """Find the k nearest neighbours of each of the rows among these rows.

    Under cosine, distances are those of unit vectors. The graph of a whole table is saved in
    `derived`.
    """
    import numpy as np

    if len(rows) < len(table):
        return nearest_within(table.vectors[rows], k, metric)
    from wordvec.search.neighbour_graph import neighbour_graph  # saved, and used by others too

    graph = neighbour_graph(table, k, metric=metric, derived=derived)
    scores = graph.scores.astype(np.float64)
    # ‖a - b‖ = sqrt(2 - 2 cos) for unit vectors
    distances = np.sqrt(np.maximum(2 - 2 * scores, 0)) if metric is Metric.COSINE else scores
    return NearestNeighbours(graph.ids.astype(np.int64), distances)


def nearest_within(vectors: NDArray[np.float32], k: int, metric: Metric) -> NearestNeighbours:
    """Find the nearest neighbours of each vector among the others, with faiss.

    faiss computes in float32 from ‖x‖² + ‖y‖² - 2x·y: distances have a small error, and neighbours
    at nearly equal distances may be swapped. That is exact enough for t-SNE; it is not the
    float64 ranking of `search`.

    Args:
        vectors: (N, D), which can be compared, see `comparable_rows`; N of at least 2.
        k: how many neighbours; fewer than k are returned only if N ≤ k.
        metric: L2, or cosine: then the distance is that of the unit vectors.

    Returns:
        min(k, N - 1) neighbours of each vector: never the vector itself, and never -1.
    """
    import numpy as np

    from wordvec.search.nearest import nearest_rows

    points = _unit(vectors) if metric is Metric.COSINE else np.ascontiguousarray(vectors)
    exponent = int(np.frexp(np.abs(points).max())[1])
    points = np.ldexp(
        points, -exponent
    )  # exact: no square of the largest numbers under- or overflows
    squares, ids = nearest_rows(points, Metric.L2, points, min(k + 1, len(points)))
    if not np.isfinite(squares).all():
        raise WordvecError("a vector is not finite")
    is_other = ids != np.arange(len(ids))[:, None]
    # a vector with more than k copies may not find itself: then drop the last one that it found
    is_other[is_other.all(axis=1), -1] = False
    shape = (len(ids), ids.shape[1] - 1)
    distances = np.sqrt(np.maximum(squares[is_other], 0)).reshape(shape)
    return NearestNeighbours(ids[is_other].reshape(shape), np.ldexp(distances, exponent))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    from wordvec.tables.table import row_norms

    return (vectors / row_norms(vectors)[:, None]).astype(np.float32)  # float32 norms overflow


def _principal_components(vectors: NDArray[np.float32], metric: Metric) -> NDArray[np.float64]:
    """Project vectors on their first two principal components: (N, 2).

    The sign of each component makes its largest absolute value positive. The components come from
    the (D, D) covariance matrix, which is exact and uses no random numbers.
    """
    import numpy as np

    points = (_unit(vectors) if metric is Metric.COSINE else vectors).astype(np.float64)
    points -= points.mean(axis=0)
    _, components = np.linalg.eigh(points.T @ points)  # eigenvalues ascend
    plane: NDArray[np.float64] = points @ components[:, :-3:-1]
    if plane.shape[1] < 2:  # D = 1: a line
        plane = np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])
    largest = plane[np.abs(plane).argmax(axis=0), [0, 1]]
    return plane * np.where(largest < 0, -1, 1)


def _initial_from(
    reference: Projection, rows: NDArray[np.int64], default: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the positions of `rows` in `reference`; a row that it lacks starts at the origin.

    default: (N, 2), returned if no row is in `reference`.
    """
    import numpy as np

    shared = np.isin(rows, reference.rows)
    if not shared.any():
        return default
    positions = np.zeros_like(default)
    positions[shared] = reference.positions[np.searchsorted(reference.rows, rows[shared])]
    return positions


def _align(
    positions: NDArray[np.float64], rows: NDArray[np.int64], reference: Projection
) -> NDArray[np.float64]:
    """Move, rotate, reflect and scale positions to fit `reference` best (orthogonal Procrustes)."""
    import numpy as np

    shared = np.isin(rows, reference.rows)
    if not shared.any():
        return positions
    target = reference.positions[np.searchsorted(reference.rows, rows[shared])].astype(np.float64)
    centre = target.mean(axis=0)
    target -= centre
    own = positions - positions[shared].mean(axis=0)
    u, singular_values, vt = np.linalg.svd(own[shared].T @ target)
    scale = singular_values.sum() / max(float((own[shared] ** 2).sum()), np.finfo(float).tiny)
    aligned: NDArray[np.float64] = own @ (u @ vt) * scale
    # the least-squares scale shrinks a map that differs: give it the size of the reference
    aligned *= np.sqrt((target**2).sum() / max(float((aligned[shared] ** 2).sum()), 1e-300))
    moved: NDArray[np.float64] = aligned + centre
    return moved


def run_tsne(
    neighbours: NearestNeighbours,
    initial: NDArray[np.float64],
    perplexity: float,
    *,
    seed: int,
    progress: Progress = no_progress,
) -> NDArray[np.float64]:
    """Run t-SNE on given neighbours: (N, 2) positions.

    initial: (N, 2) initial positions, in any unit; they are scaled to a standard deviation of 1e-4.

    Raises:
        MissingExtraError: if openTSNE is not installed.
    """
    try:
        import openTSNE  # an extra, which imports scipy and scikit-learn
    except ImportError as error:
        raise MissingExtraError("a map", extra="map", package="openTSNE") from error
    import numpy as np
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    N = len(initial)
    common = {
        "perplexity": perplexity,
        "n_jobs": -1 if N > 1000 else 1,  # small maps are faster on one core
        "random_state": seed,
    }
    affinities = openTSNE.affinity.PerplexityBasedNN(
        knn_index=PrecomputedNeighbors(neighbours.ids, neighbours.distances), **common
    )
    tsne = openTSNE.TSNE(**common, **_tsne_options(N, progress))
    spread = max(float(initial[:, 0].std()), np.finfo(float).tiny)
    embedding = tsne.fit(affinities=affinities, initialization=initial / spread * 1e-4)
    return np.asarray(embedding, dtype=np.float64)


def run_umap(
    neighbours: NearestNeighbours, initial: NDArray[np.float64], *, seed: int
) -> NDArray[np.float64]:
    """Run UMAP on given neighbours: (N, 2) positions, the same for the same seed.

    neighbours: `UMAP_NEIGHBOURS` - 1 of each point, as UMAP counts the point itself.
    initial: (N, 2) initial positions, in any unit; they are scaled to a largest coordinate of 10.

    Raises:
        MissingExtraError: if umap-learn is not installed.
    """
    try:
        from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding
    except ImportError as error:
        raise MissingExtraError("UMAP", extra="umap", package="umap-learn") from error
    import numpy as np

    N, k = neighbours.ids.shape
    random = np.random.RandomState(seed)
    itself = np.arange(N)[:, None]
    graph, _, _ = fuzzy_simplicial_set(
        initial,
        k + 1,
        random,
        "euclidean",
        knn_indices=np.hstack([itself, neighbours.ids]),
        knn_dists=np.hstack([np.zeros((N, 1)), neighbours.distances]).astype(np.float32),
    )
    a, b = find_ab_params(spread=1.0, min_dist=0.1)  # UMAP's defaults, as all other numbers here
    start = (initial * (10 / max(float(np.abs(initial).max()), 1e-300))).astype(np.float32)
    positions, _ = simplicial_set_embedding(
        initial, graph, 2, 1.0, a, b, 1.0, 5, None, start, random, "euclidean", {},
        densmap=False, densmap_kwds={}, output_dens=False, output_metric_kwds={},
    )  # fmt: skip
    return np.asarray(positions, dtype=np.float64)


def _tsne_options(tokens: int, progress: Progress) -> dict[str, Any]:
    schedule = _LARGE_MAP if tokens >= _LARGE else _SMALL_MAP
    total = _EXAGGERATION_ITERATIONS + schedule.iterations
    done = 0

    def report(_iteration: int, _error: float, _embedding: object) -> None:
        nonlocal done
        done = min(done + _REPORT_EVERY, total)
        progress(done, total)

    return {
        "early_exaggeration": _EXAGGERATION,
        "early_exaggeration_iter": _EXAGGERATION_ITERATIONS,
        "learning_rate": max(tokens * schedule.learning_rate, _MIN_LEARNING_RATE),
        "n_iter": schedule.iterations,
        "negative_gradient_method": schedule.gradient_method,
        "callbacks": report,
        "callbacks_every_iters": _REPORT_EVERY,
    }


def _centre(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = (positions.min(axis=0) + positions.max(axis=0)) / 2
    return positions - middle
