"""A question turned into one score for every row: guessed within bounds for all, exact for a few.

Each method makes one (see `methods`); how it is searched is the same for all, and the same that
the engine does: rows whose guess could be among the k best are scored in float64, and ties go to
the lower row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.engine import Hits

if TYPE_CHECKING:
    from collections.abc import Callable

    from wordvec.engine import Floats, Guess, Mask, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """How one question ranks the rows of a table.

    guess: a key for each row (smaller is better) and how far off it may be.
    score: rows (n,) → their scores in float64; descends: whether larger ones are better.
    scored: (V,) bool, the rows that have a score.
    """

    guess: Guess
    score: Callable[[Rows], Floats]
    scored: Mask
    descends: bool = True

    def best(self, k: int, allowed: Mask | None = None) -> Hits:
        """The k best of the allowed rows (all that have a score), ties by row."""
        among = self.scored if allowed is None else self.scored & allowed
        return self._decide(self.guess.nominate(k, among), k)

    def rank_of(self, row: int, allowed: Mask | None = None) -> int | None:
        """Exact rank (1 is best) of a row among those allowed; None for one that is not."""
        among = self.scored if allowed is None else self.scored & allowed
        if not among[row]:
            return None
        better, unsure = self.guess.around(row, among)
        order = self._decide(unsure, len(unsure)).ids
        return better + int(np.flatnonzero(order == row)[0]) + 1

    def _decide(self, rows: Rows, k: int) -> Hits:
        scores = self.score(rows)
        best = np.argsort(-scores if self.descends else scores, kind="stable")[:k]
        return Hits(rows[best], scores[best])
