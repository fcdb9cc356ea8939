"""The ranks of the right answers of many analogies, computed in blocks of bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.search.analogy_keys import AnalogyRows, analogy_keys
from wordvec.search.block_ranks import first_rows, rank_block
from wordvec.search.settings import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wordvec.search.ranking import RowIds
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space

_PRODUCT_BYTES = 1 << 25  # of products at once: 256 queries over 32,000 rows
_MOST = 2048  # questions of a block


@dataclass(frozen=True, slots=True, eq=False)
class AnalogyRanks:
    """How Q analogies were answered.

    left_out, kept: (Q,) int64, the rank of the best right answer when the question's own words may
        not be answers, and when they may; 0 for a question that has no answer, because a vector is
        not finite or has no direction.
    own: (Q,) int64, the word that is the first answer when own words are kept: 0 a, 1 b, 2 c; −1
        for any other.
    """

    left_out: RowIds
    kept: RowIds
    own: RowIds

    @classmethod
    def empty(cls, count: int) -> AnalogyRanks:
        """Return the ranks of questions that have not been asked."""
        zeros, none = np.zeros((2, count), dtype=np.int64), np.full(count, -1)
        return cls(zeros[0], zeros[1], none)


def analogy_ranks(
    space: Space,
    settings: QuerySettings,
    questions: Sequence[AnalogyRows],
    right: Sequence[Sequence[int]],
    progress: Callable[[int], None],
) -> AnalogyRanks:
    """Rank the right answers of analogies among all rows of a space.

    Args:
        settings: method and metric.
        right: for each question, the rows of its right answers, none of them its own.
        progress: called with the number of questions done.
    """
    ranks = AnalogyRanks.empty(len(questions))
    done = 0
    while done < len(questions):
        progress(done)
        size, by_words = _next_block(questions[done : done + _MOST], space, settings.method)
        block = questions[done : done + size]
        askable, keys = analogy_keys(block, space, settings, by_words=by_words)
        places = np.flatnonzero(askable).tolist()
        if places:
            own = [block[place].own for place in places]
            found = rank_block(
                keys, [right[done + place] for place in places], list(map(list, own))
            )
            at = done + np.array(places)
            ranks.left_out[at], ranks.kept[at] = found.left_out, found.kept
            words = [list(rows.values()) for rows in own]
            ranks.own[at] = [
                words[i][first] if first >= 0 else -1 for i, first in enumerate(found.own.tolist())
            ]
        done += size
    return ranks


def first_answers(
    space: Space, settings: QuerySettings, questions: Sequence[AnalogyRows]
) -> list[int]:
    """Return the row that is the first answer of each question, its own words left out.

    Args:
        space: where they are asked.
        settings: method and metric.
        questions: those that have an answer (see `AnalogyRanks`).
    """
    found: list[int] = []
    while len(found) < len(questions):
        rest = questions[len(found) : len(found) + _MOST]
        size, by_words = _next_block(rest, space, settings.method)
        _, keys = analogy_keys(rest[:size], space, settings, by_words=by_words)
        found += first_rows(keys, [list(one.own) for one in rest[:size]]).tolist()
    return found


def _next_block(questions: Sequence[AnalogyRows], space: Space, method: Method) -> tuple[int, bool]:
    """Return how many questions are ranked next, and whether rows are multiplied with words.

    Products with words are fewer where a category combines its pairs. Under `mul` and `direction`
    there are no others.
    """
    most = max(_PRODUCT_BYTES // (4 * len(space.table)), 1)
    factors: set[object] = set()
    fitting = 0
    for one in questions:
        parts = {(one.a, one.b), one.c} if method is Method.DIRECTION else {one.a, one.b, one.c}
        if fitting and len(factors | parts) > most:
            break
        factors |= parts
        fitting += 1
    if method in (Method.MUL, Method.DIRECTION) or 2 * len(factors) <= fitting:
        return fitting, True
    return min(most, len(questions)), False
