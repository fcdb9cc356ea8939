"""Questions of an evaluation that were answered wrongly, with the right and the given answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.evaluation_files import Category
    from wordvec.search.ranking import RowIds


@dataclass(frozen=True, slots=True)
class Failure:
    """A question whose first answer is wrong, its own words left out.

    question: as `wordvec query` takes it; under `lrcos` its only word. right: the right answers.
    given: the first answer, as displayed. rank: of the best right answer.
    """

    category: str
    question: str
    right: tuple[str, ...]
    given: str
    rank: int

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {**asdict(self), "right": list(self.right)}


def spread_failures(ranks: RowIds, count: int) -> RowIds:
    """Return the places of failed questions, `count` at most, evenly spread over all of them.

    ranks: (Q,) of the right answers; 0 for a question that was not asked.
    """
    failed: RowIds = np.flatnonzero(ranks > 1)
    if len(failed) <= count:
        return failed
    chosen: RowIds = failed[np.arange(count) * len(failed) // count]
    return chosen


def questions_in_words(category: Category) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each question a:b=c:? of a category and its right answers, in order."""
    pairs = category.pairs
    places = category.questions
    for i, j in permutations(range(len(pairs)), 2) if places is None else places:
        (a, b), (c, right) = pairs[i], pairs[j]
        yield f"{a}:{b[0]}={c}:?", tuple(right)


def words_and_answers(category: Category) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each question of LRCos, the word of a pair, and its right answers."""
    for word, right in category.pairs:
        yield word, tuple(right)
