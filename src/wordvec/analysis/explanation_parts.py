"""What a score is split into: words, dimensions, the role of norms, and other answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wordvec.search.settings import Metric

_ROUNDING = 1e-6  # relative: values nearer to each other are equal, as float32 rounds them


@dataclass(frozen=True, slots=True)
class Contribution:
    """The part of the score that comes from one word of the query.

    norm: of the word's vector. cosine: of its vector and the answer's; None if either is zero.
    """

    word: str
    weight: float
    norm: float
    cosine: float | None
    part: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """The part of the score that comes from one dimension; share: its share of the total."""

    index: int
    part: float
    share: float


@dataclass(frozen=True, slots=True)
class NormEffect:
    """Whether norms decide: the words with the largest norm and with the largest part.

    largest_norm, largest_part: None if several words have it. rank: the rank of the answer if all
    words had equal norms; None if it has none.
    """

    largest_norm: str | None
    largest_part: str | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Competitor:
    """An answer that the explained one is compared with, its score split in the same way.

    rank: None if it may not be an answer. own_part: as in `Explanation`. parts: one for each word,
    in the same order.
    """

    token: str
    id: int
    rank: int | None
    score: float
    norm: float
    own_part: float | None
    parts: tuple[Contribution, ...]

    def to_dict(self, metric: Metric, most_by: str | None) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "token": self.token,
            "id": self.id,
            "rank": self.rank,
            metric.score_name: self.score,
            "norm": self.norm,
            "own_part": self.own_part,
            "parts": [
                {"word": part.word, "cosine": part.cosine, "part": part.part} for part in self.parts
            ],
            "most_by": most_by,
        }


def largest_places(values: Iterable[float]) -> list[int]:
    """Return the places of the largest value, several if others differ from it by rounding alone.

    >>> largest_places([1.0, 3.0, 3.0000001]), largest_places([0.5, 2.0])
    ([1, 2], [1])
    """
    listed = list(values)
    least = max(listed) - _ROUNDING * max(map(abs, listed))
    return [place for place, value in enumerate(listed) if value >= least]
