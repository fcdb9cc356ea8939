"""Places on a plane for the tokens of a table: t-SNE on exact neighbours, from a PCA start.

openTSNE (Poličar, Stražar and Zupan 2024) does the descent, with the repulsion interpolated by FFT
(FIt-SNE, Linderman et al. 2019) on all cores; the neighbours are handed to it, exact, from faiss.
The first two principal components are the start, which keeps the large shape of the space
(Kobak and Berens 2019) and makes the picture the same for the same seed.

Shapes: N tokens on the map, V tokens of the table, D dimensions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import MissingExtraError, UsageError, WordvecError
from wordvec.progress import Progress, no_progress
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

FEWEST = 5
"""Tokens that a map needs at least: with fewer, no perplexity above 1 is left."""


@dataclass(frozen=True, slots=True)
class _Descent:
    """How places are found: ways of t-SNE that end in the same picture, sooner or later."""

    repulsion: str  # openTSNE's negative_gradient_method
    iterations: int  # after the exaggerated ones
    rate: float  # the step, as a share of the tokens


_EXAGGERATED = 250  # iterations, as openTSNE and scikit-learn have them
_EXAGGERATION = 6.0
"""Attraction in those iterations. openTSNE and scikit-learn have 12, and openTSNE a rate of 1/12
and then of 1: less trustworthy by 0.003 (3,000 tokens of the bundled model) to 0.005 (32,000)."""
_MANY = 10_000  # tokens
_OF_FEW = _Descent("bh", iterations=500, rate=1 / 4)
_OF_MANY = _Descent("fft", iterations=300, rate=1 / 2)
"""FFT interpolates the repulsion. Its cost is the plane's area, which grows with each iteration:
400 take 1.4 times as long, and keep 3.84 of ten true neighbours near in place of 3.81."""
_SMALLEST_STEP = 50.0  # as in scikit-learn
_REPORT_EVERY = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a picture, beside the table and the rows: the same settings, the same picture.

    metric: L2 or cosine, the distance of which the plane keeps the neighbours.
    perplexity: about how many neighbours a token is drawn to.
    seed: of openTSNE's random numbers.
    """

    metric: Metric = Metric.L2
    perplexity: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.metric not in (Metric.L2, Metric.COSINE):
            raise UsageError(
                f"a map needs distances, which {self.metric} is not",
                hint="--metric l2 or --metric cosine",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Where tokens stand on the plane.

    rows: (N,) int64, rows of the table, ascending.
    places: (N, 2) float32, centred, in t-SNE's own unit.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Exact neighbours of N points among themselves, near first, a point never its own.

    ids: (N, K) int64, places among the N. distances: (N, K) float64.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float64]


def project(  # noqa: PLR0913  (one keyword a setting)
    table: VectorTable,
    rows: NDArray[np.int64],
    settings: Settings | None = None,
    *,
    start: Projection | None = None,
    derived: Derived | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Projection:
    """Place rows of a table on a plane, or give the places that the store keeps.

    rows: (N,) rows to place, ascending; those that no search returns are left out.
    start: another map's places, from which this one starts and to which it is turned back.
    force: compute anew what is kept.
    """
    settings = settings or Settings()
    rows = finite_rows(table, rows, settings.metric)
    if len(rows) < FEWEST:
        raise WordvecError(f"a map needs at least {FEWEST} tokens, got {len(rows)}")
    key = _key(table, rows, settings, start)
    kept = derived.load(key) if derived and not force else None
    if kept is not None:
        return Projection(kept["rows"], kept["places"])
    perplexity = min(settings.perplexity, (len(rows) - 1) / 3)
    nearest = _nearest(table, rows, int(3 * perplexity), settings.metric, derived)
    begin = _principal_plane(table.vectors[rows], settings.metric)
    if start is not None:
        begin = _started_from(start, rows, begin)
    places = descend(nearest, begin, perplexity, seed=settings.seed, progress=progress)
    if start is not None:
        places = _turned(places, rows, start)
    projection = Projection(rows, _centred(places))
    if derived:
        derived.save(key, {"rows": projection.rows, "places": projection.places})
    return projection


def finite_rows(table: VectorTable, rows: NDArray[np.int64], metric: Metric) -> NDArray[np.int64]:
    """Leave out rows that no search returns: not finite, or under cosine of length zero."""
    import numpy as np

    norms = table.norms[rows]
    return rows[np.isfinite(norms) & ((norms > 0) | (metric is not Metric.COSINE))]


def _key(
    table: VectorTable, rows: NDArray[np.int64], settings: Settings, start: Projection | None
) -> str:
    """Name what decides the picture; the table itself is the store's part."""
    digest = hashlib.sha256(rows.tobytes())
    if start is not None:
        digest.update(start.rows.tobytes() + start.places.tobytes())
    parts = (
        *table.transforms,
        settings.metric.value,
        f"p{settings.perplexity:g}",
        f"seed{settings.seed}",
        f"{len(rows)}",
        digest.hexdigest()[:12],
    )
    return "map-" + "-".join(parts)


def _nearest(
    table: VectorTable, rows: NDArray[np.int64], k: int, metric: Metric, derived: Derived | None
) -> Nearest:
    """Neighbours within `rows`. Cosine becomes the distance of unit vectors, sqrt(2 - 2 cos)."""
    import numpy as np

    if len(rows) < len(table):
        return nearest_within(table.vectors[rows], k, metric)
    from wordvec.search.neighbour_graph import neighbour_graph  # kept: it serves other commands too

    graph = neighbour_graph(table, k, metric=metric, derived=derived)
    scores = graph.scores.astype(np.float64)
    distances = np.sqrt(np.maximum(2 - 2 * scores, 0)) if metric is Metric.COSINE else scores
    return Nearest(graph.ids.astype(np.int64), distances)


def nearest_within(vectors: NDArray[np.float32], k: int, metric: Metric) -> Nearest:
    """Find the k nearest others of each row by faiss, in float32: enough to place them."""
    import faiss  # with numpy's, 80 ms of imports that --help does without
    import numpy as np

    points = _unit(vectors) if metric is Metric.COSINE else np.ascontiguousarray(vectors)
    squares, ids = faiss.knn(points, points, min(k + 1, len(points)))
    others = ids != np.arange(len(ids))[:, None]
    others[others.all(axis=1), -1] = False  # among many doubles a row may not find itself
    shape = (len(ids), ids.shape[1] - 1)
    distances = np.sqrt(np.maximum(squares[others], 0)).reshape(shape)
    return Nearest(ids[others].reshape(shape), distances.astype(np.float64))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, np.where(norms > 0, norms, 1), dtype=np.float32)


def _principal_plane(vectors: NDArray[np.float32], metric: Metric) -> NDArray[np.float64]:
    """The rows on the first two principal components, each turned so that its largest is above 0.

    Through the (D, D) covariance, which is exact and has no random part.
    """
    import numpy as np

    points = (_unit(vectors) if metric is Metric.COSINE else vectors).astype(np.float64)
    points -= points.mean(axis=0)
    _, components = np.linalg.eigh(points.T @ points)  # ascending eigenvalues
    plane: NDArray[np.float64] = points @ components[:, :-3:-1]
    if plane.shape[1] < 2:  # one dimension: a line
        plane = np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])
    largest = plane[np.abs(plane).argmax(axis=0), [0, 1]]
    return plane * np.where(largest < 0, -1, 1)


def _started_from(
    start: Projection, rows: NDArray[np.int64], otherwise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The places of `start`; a row that has none there begins at the middle of the plane.

    `otherwise` gives the shape, and a place where no row is shared.
    """
    import numpy as np

    shared = np.isin(rows, start.rows)
    if not shared.any():
        return otherwise
    places = np.zeros_like(otherwise)
    places[shared] = start.places[np.searchsorted(start.rows, rows[shared])]
    return places


def _turned(
    places: NDArray[np.float64], rows: NDArray[np.int64], start: Projection
) -> NDArray[np.float64]:
    """Turn, mirror and scale a map to lie on `start` as well as it can (Procrustes)."""
    import numpy as np

    shared = np.isin(rows, start.rows)
    if not shared.any():
        return places
    aim = start.places[np.searchsorted(start.rows, rows[shared])].astype(np.float64)
    aim -= aim.mean(axis=0)
    own = places - places[shared].mean(axis=0)
    u, strengths, vt = np.linalg.svd(own[shared].T @ aim)
    scale = strengths.sum() / max(float((own[shared] ** 2).sum()), np.finfo(float).tiny)
    turned: NDArray[np.float64] = own @ (u @ vt) * scale
    # the best scale shrinks maps that differ; theirs is the size of the first
    turned *= np.sqrt((aim**2).sum() / max(float((turned[shared] ** 2).sum()), 1e-300))
    return turned


def descend(
    nearest: Nearest,
    begin: NDArray[np.float64],
    perplexity: float,
    *,
    seed: int,
    progress: Progress = no_progress,
) -> NDArray[np.float64]:
    """Run t-SNE from a start on given neighbours: (N, 2) places.

    begin: (N, 2), of any size: it is scaled to a standard deviation of 1e-4.
    """
    try:
        import openTSNE  # an extra, with scipy and scikit-learn behind it
    except ImportError as error:
        raise MissingExtraError("a map", extra="map", package="openTSNE") from error
    import numpy as np
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    # below, threads wait for one another more than they work
    cores = -1 if len(begin) > 1000 else 1
    affinities = openTSNE.affinity.PerplexityBasedNN(
        perplexity=perplexity,
        knn_index=PrecomputedNeighbors(nearest.ids, nearest.distances),
        n_jobs=cores,
        random_state=seed,
    )
    descent = _OF_MANY if len(begin) >= _MANY else _OF_FEW
    total = _EXAGGERATED + descent.iterations
    done = 0

    def report(_iteration: int, _error: float, _embedding: object) -> None:
        nonlocal done
        done = min(done + _REPORT_EVERY, total)
        progress(done, total)

    spread = max(float(begin[:, 0].std()), np.finfo(float).tiny)
    tsne = openTSNE.TSNE(
        perplexity=perplexity,
        early_exaggeration=_EXAGGERATION,
        early_exaggeration_iter=_EXAGGERATED,
        learning_rate=max(len(begin) * descent.rate, _SMALLEST_STEP),
        n_iter=descent.iterations,
        negative_gradient_method=descent.repulsion,
        n_jobs=cores,
        random_state=seed,
        callbacks=report,
        callbacks_every_iters=_REPORT_EVERY,
    )
    places: NDArray[np.float64] = np.asarray(
        tsne.fit(affinities=affinities, initialization=begin / spread * 1e-4), dtype=np.float64
    )
    return places


def _centred(places: NDArray[np.float64]) -> NDArray[np.float32]:
    import numpy as np

    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    centred: NDArray[np.float32] = (places - middle).astype(np.float32)
    return centred
