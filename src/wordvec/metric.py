"""How near two vectors are: the names of the metrics, apart from the code that computes them.

Kept by itself so that the command line can list them without loading numpy.
"""

from __future__ import annotations

from enum import StrEnum


class Metric(StrEnum):
    """What a search ranks by."""

    L2 = "l2"  # Euclidean distance, not squared: smaller is nearer
    COSINE = "cosine"  # cosine similarity: larger is nearer
    DOT = "dot"  # inner product: larger is nearer
    CSLS = "csls"  # cosine corrected for crowding: larger is nearer

    @property
    def score_name(self) -> str:
        """What its score is: a `distance` (smaller is nearer) or a `similarity`."""
        return "distance" if self is Metric.L2 else "similarity"
