"""How often each token of a contextual table was seen, and how much it moves with its context."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wordvec.errors import WordvecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """What a contextual table says about each token beside its vector.

    counts: (V,) int64, how often the token is in the corpus.
    resultants: (V,) float64, the mean resultant length of its hidden states: 1 if all have the same
    direction, near 0 if their directions cancel out; NaN for a token without a vector.
    min_count: a token seen fewer times has no vector.
    """

    counts: NDArray[np.int64]
    resultants: NDArray[np.float64]
    min_count: int

    def __post_init__(self) -> None:
        if self.counts.shape != self.resultants.shape or self.counts.ndim != 1:
            raise WordvecError(
                f"expected (V,) counts and resultants, got {self.counts.shape} and "
                f"{self.resultants.shape}"
            )

    def mark_rare(self, vocabulary: Vocabulary) -> Vocabulary:
        """Return the vocabulary with the tokens that are too rare to have a vector."""
        import numpy as np

        rare = np.flatnonzero(self.counts < self.min_count)
        counts = self.counts[rare].tolist()
        return replace(vocabulary, rare=dict(zip(rare.tolist(), counts, strict=True)))
