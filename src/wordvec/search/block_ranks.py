"""The exact ranks of right answers among all rows, for a block of questions.

Each question of a block has a key for every row in float32, whose error is bounded; larger is
better. A row whose key is farther from that of the right answer than the error is surely above or
below it, and is only counted. The few others are scored in float64, as `Engine` does for a query:
ties go to the lower row, so that a rank here is the place in the answer of `query`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.search.ranking import Floats, Mask, RowIds

_WAITING = 1 << 16  # pairs of question and row that wait for their exact score


@dataclass(frozen=True, slots=True, eq=False)
class BlockKeys:
    """How B questions rank the rows of a table.

    keys: question → its keys, (V,) float32, which the caller may overwrite, and the rows whose key
        is unknown. These, and rows that may not be answers, have the key −inf.
    score: questions (n,), rows (n,) → exact scores (n,), larger is better; −inf for a row that may
        not be an answer.
    key_of: questions (n,), scores (n,) → the keys that exact arithmetic would give them.
    error: (B,), the largest error of a key.
    """

    keys: Callable[[int], tuple[NDArray[np.float32], RowIds]]
    score: Callable[[RowIds, RowIds], Floats]
    key_of: Callable[[RowIds, Floats], Floats]
    error: Floats


@dataclass(frozen=True, slots=True, eq=False)
class BlockRanks:
    """What a block of B questions was answered.

    left_out, kept: (B,) int64, the rank of the best right answer when the question's own words may
        not be answers, and when they may; 0 for a right answer that has no score.
    own: (B,) int64, with own words kept: the place of the first answer among the question's own
        rows, or −1 for any other row.
    """

    left_out: RowIds
    kept: RowIds
    own: RowIds


@dataclass(frozen=True, slots=True, eq=False)
class _Best:
    """The best of some rows of each question: its row, score, and the bounds of its key."""

    rows: RowIds
    scores: Floats
    places: RowIds  # among the rows of its question
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def beaten_by(self, questions: RowIds, rows: RowIds, scores: Floats) -> Mask:
        """Return which rows are above the best one of their question; ties go to the lower row."""
        best = self.scores[questions]
        above: Mask = (scores > best) | ((scores == best) & (rows < self.rows[questions]))
        return above


def rank_block(
    block: BlockKeys, right: Sequence[Sequence[int]], own: Sequence[Sequence[int]]
) -> BlockRanks:
    """Rank the best right answer of each question.

    Args:
        right: for each question, the rows of its right answers, at least one.
        own: for each question, its own rows, at least one; none of them is a right answer.
    """
    best, _ = _best(block, right)
    first, (questions, rows, scores) = _best(block, own)
    everything = np.arange(len(right))
    asked = best.scores > -np.inf
    leads = asked & (first.scores > -np.inf)
    leads &= ~first.beaten_by(everything, best.rows, best.scores)
    above, over_own = _Doubts(block, best), _Doubts(block, first)
    for question in np.flatnonzero(asked).tolist():
        keys, unknown = block.keys(question)
        known = [*right[question], *own[question]]
        keys[known] = -np.inf
        largest = keys.max()
        for doubts in (above, over_own) if leads[question] else (above,):
            doubts.count(question, keys, largest)
            if len(unknown):
                doubts.add(question, np.setdiff1d(unknown, known))
    for doubts in (above, over_own):
        doubts.decide()
    left_out = np.where(asked, 1 + above.counts, 0)
    own_above = questions[best.beaten_by(questions, rows, scores)]
    kept = left_out + np.where(asked, np.bincount(own_above, minlength=len(right)), 0)
    leads &= over_own.counts == 0
    return BlockRanks(left_out, kept, np.where(leads, first.places, -1))


def first_rows(block: BlockKeys, own: Sequence[Sequence[int]]) -> RowIds:
    """Return the first answer of each question, its own rows left out; −1 for none: (B,) int64."""
    first = np.full(len(own), -1)
    for question, left_out in enumerate(own):
        keys, unknown = block.keys(question)
        keys[list(left_out)] = -np.inf
        with np.errstate(invalid="ignore", over="ignore"):
            least = np.float32(keys.max() - 2 * block.error[question])
        least = max(np.nextafter(least, np.float32(-np.inf)), np.finfo(np.float32).min)
        rows = np.union1d(np.flatnonzero(keys >= least), np.setdiff1d(unknown, left_out))
        rows = rows.astype(np.int64)
        scores = block.score(np.full(len(rows), question), rows)
        if len(rows) and scores.max() > -np.inf:
            first[question] = rows[int(np.argmax(scores))]  # of equal scores the lower row
    return first


def _best(
    block: BlockKeys, rows_of: Sequence[Sequence[int]]
) -> tuple[_Best, tuple[RowIds, RowIds, Floats]]:
    """Return the best row of each question, and question, row and score of all of them."""
    sizes = np.array(list(map(len, rows_of)))
    questions = np.repeat(np.arange(len(rows_of)), sizes)
    rows = np.array([row for some in rows_of for row in some], dtype=np.int64)
    scores = block.score(questions, rows)
    order = np.lexsort((rows, -scores, questions))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chosen = order[starts]
    key = block.key_of(np.arange(len(rows_of)), scores[chosen])
    with np.errstate(invalid="ignore", over="ignore"):
        low = np.nextafter((key - block.error).astype(np.float32), np.float32(-np.inf))
        high = np.nextafter((key + block.error).astype(np.float32), np.float32(np.inf))
    low = np.maximum(low, np.finfo(np.float32).min)  # rows with the key −inf are never in doubt
    best = _Best(rows[chosen], scores[chosen], chosen - starts, low, high)
    return best, (questions, rows, scores)


class _Doubts:
    """Counts for each question the rows above one of its rows; exactly, once `decide` is called.

    counts: (B,) int64.
    """

    def __init__(self, block: BlockKeys, best: _Best) -> None:
        self.block = block
        self.best = best
        self.counts = np.zeros(len(best.rows), dtype=np.int64)
        self._waiting: list[tuple[int, RowIds]] = []
        self._size = 0

    def count(self, question: int, keys: NDArray[np.float32], largest: np.float32) -> None:
        """Count the rows that are surely above, and keep those in doubt."""
        low, high = self.best.low[question], self.best.high[question]
        if largest < low:
            return
        above = keys > high
        sure = np.count_nonzero(above)
        self.counts[question] += sure
        at_least = keys >= low
        if np.count_nonzero(at_least) > sure:
            self.add(question, np.flatnonzero(at_least > above))

    def add(self, question: int, rows: RowIds) -> None:
        """Keep rows to be scored."""
        self._waiting.append((question, rows))
        self._size += len(rows)
        if self._size > _WAITING:
            self.decide()

    def decide(self) -> None:
        """Score the rows in doubt, and count those that are above."""
        if not self._waiting:
            return
        sizes = [len(rows) for _, rows in self._waiting]
        questions = np.repeat([question for question, _ in self._waiting], sizes)
        rows = np.concatenate([rows for _, rows in self._waiting])
        self._waiting, self._size = [], 0
        above = self.best.beaten_by(questions, rows, self.block.score(questions, rows))
        self.counts += np.bincount(questions[above], minlength=len(self.counts))
