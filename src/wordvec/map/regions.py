"""Named regions of a map: groups of tokens that are neighbours in the vector space.

The groups are the communities of the graph of nearest neighbours, found by the Louvain method
(Blondel et al. 2008) for modularity with a resolution (Reichardt and Bornholdt 2006). A higher
resolution gives more and smaller regions. A region is named by its most typical tokens: those that
are neighbours of many tokens of the region, and of few others. Pieces of words name a region only
if most of its tokens are pieces.

Shapes: N tokens on the map, K neighbours of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived

RESOLUTIONS = (1.0, 5.0, 20.0)
"""Of the three levels of detail: about 25, 125 and 380 regions for the 32,000 tokens of mini."""
_TOKENS_PER_RESOLUTION = 80
"""A resolution is at most the root of N/80, so that a small map is not cut into tiny groups."""
NEIGHBOURS = 15  # of each token, in the graph
TYPICAL = 10  # tokens listed for each region
SMALLEST = 5  # tokens of a region


@dataclass(frozen=True, slots=True, eq=False)
class RegionLevel:
    """The regions of one level of detail, the largest first.

    region_of: (N,) int32, the region of each token; -1 for tokens in groups of fewer than five.
    typical: (regions, 10) int32, the most typical tokens of each region as indices into the N
        tokens, the most typical first; -1 where the region has fewer.
    """

    region_of: NDArray[np.int32]
    typical: NDArray[np.int32]


def find_regions(
    neighbours: NDArray[np.int64],
    is_piece: NDArray[np.bool_],
    *,
    seed: int = 0,
    derived: Derived | None = None,
    key: str = "",
) -> tuple[RegionLevel, ...]:
    """Find the regions of a neighbour graph at each level of detail.

    Args:
        neighbours: (N, K), the neighbours of each token as indices into the N tokens, nearest
            first; -1 for none. At most 15 of each are used.
        is_piece: (N,), whether each token is no whole word.
        seed: the same seed gives the same regions.
        derived: where regions are saved for the next time; None saves nothing.
        key: what determines the neighbours, for `derived`.

    Raises:
        MissingExtraError: if scikit-network is not installed.
    """
    key = f"regions-{key}-seed{seed}"
    saved = derived.load(key) if derived else None
    if saved is not None:
        return tuple(
            RegionLevel(saved[f"region_of_{i}"], saved[f"typical_{i}"])
            for i in range(len(RESOLUTIONS))
        )
    near = neighbours[:, :NEIGHBOURS]
    levels = tuple(_find_level(near, is_piece, each, seed) for each in RESOLUTIONS)
    if derived:
        arrays: dict[str, NDArray[np.int32]] = {}
        for i, level in enumerate(levels):
            arrays |= {f"region_of_{i}": level.region_of, f"typical_{i}": level.typical}
        derived.save(key, arrays)
    return levels


def _find_level(
    neighbours: NDArray[np.int64], is_piece: NDArray[np.bool_], resolution: float, seed: int
) -> RegionLevel:
    try:
        from sknetwork.clustering import Louvain
    except ImportError as error:
        raise MissingExtraError("a map", extra="map", package="scikit-network") from error
    import numpy as np
    from scipy.sparse import csr_matrix  # scikit-network takes no csr_array

    N = len(neighbours)
    tokens, columns = np.nonzero(neighbours >= 0)
    near = neighbours[tokens, columns]
    graph = csr_matrix((np.ones(len(near)), (tokens, near)), shape=(N, N))
    finest = max(math.sqrt(N / _TOKENS_PER_RESOLUTION), min(RESOLUTIONS))
    louvain = Louvain(resolution=min(resolution, finest), random_state=seed)
    communities = louvain.fit_predict(graph + graph.T)  # numbered by size, largest first
    sizes = np.bincount(communities)
    region_of = np.where(sizes[communities] >= SMALLEST, communities, -1).astype(np.int32)

    inside = communities[tokens] == communities[near]
    popularity = np.bincount(near, minlength=N)  # how many tokens have this one as a neighbour
    own = np.bincount(near[inside], minlength=N)  # how many of these are in its region
    typicality = own * (own / np.maximum(popularity, 1))
    typical = np.full((int(region_of.max(initial=-1)) + 1, TYPICAL), -1, dtype=np.int32)
    for region in range(len(typical)):
        members = np.flatnonzero(region_of == region)
        pieces = is_piece[members] if is_piece[members].mean() <= 1 / 2 else np.zeros(len(members))
        best = members[np.lexsort((-typicality[members], pieces))[:TYPICAL]]
        typical[region, : len(best)] = best
    return RegionLevel(region_of, typical)


def match_colours(
    after: RegionLevel, before: RegionLevel, colours: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number the colours of regions, so that a region keeps that of the one it shares most with.

    Args:
        after: the regions to number.
        before: those of another table, over the same tokens.
        colours: the numbers of the regions before.

    Returns:
        One number for each region of `after`, all different.
    """
    import numpy as np

    count = len(after.typical)
    if not len(colours):
        return np.arange(count)
    both = (after.region_of >= 0) & (before.region_of >= 0)
    shared = np.zeros((count, len(before.typical)), dtype=np.int64)
    np.add.at(shared, (after.region_of[both], before.region_of[both]), 1)
    numbers = np.full(count, -1, dtype=np.int64)
    for region in range(count):  # the largest first
        best = int(shared[region].argmax())
        if shared[region, best] and colours[best] not in numbers:
            numbers[region] = colours[best]
    free = (number for number in range(2 * (count + len(colours))) if number not in numbers)
    for other in np.flatnonzero(numbers < 0).tolist():
        numbers[other] = next(free)
    return numbers
