"""Ranks of analogies in blocks, beside the answers of the query engine, one question at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.analysis.query import QueryEngine
from wordvec.errors import WordvecError
from wordvec.expression.tree import Analogy, Term, TokenId
from wordvec.search import analogy_ranks as module
from wordvec.search.analogy_keys import AnalogyRows
from wordvec.search.analogy_ranks import analogy_ranks, first_answers
from wordvec.search.resolve import ResolvedExpression
from wordvec.search.settings import METRICS, Method, Metric, QuerySettings
from wordvec.search.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

WAYS = [(method, metric) for method, metrics in METRICS.items() for metric in metrics]


def one_by_one(
    space: Space, how: QuerySettings, question: AnalogyRows, right: Sequence[int]
) -> tuple[int, int, int, int]:
    """Return both ranks, which own word is first if one is, and the first without them."""
    a, b, c = (Term(TokenId(rows[0]), 1.0, rows) for rows in (question.a, question.b, question.c))
    resolved = ResolvedExpression(
        "made", (c, replace(a, weight=-1.0), b), Analogy((a,), (b,), (c,))
    )
    order = {}
    for exclude in (True, False):
        engine = QueryEngine(space, replace(how, exclude=exclude, k=len(space.table)))
        try:
            [answer] = engine.answer([engine.prepare_resolved(resolved)])
        except WordvecError:
            return 0, 0, -1, -1
        order[exclude] = [neighbour.id for neighbour in answer]
    ranks = [
        min((order[exclude].index(row) + 1 for row in right if row in order[exclude]), default=0)
        for exclude in (True, False)
    ]
    if ranks == [0, 0]:
        return 0, 0, -1, -1
    first = next(
        (word for word, rows in enumerate((question.a, question.b, question.c))
         if order[False][0] in rows), -1,
    )  # fmt: skip
    return ranks[0], ranks[1], first, order[True][0]


@st.composite
def drawn_questions(draw: st.DrawFn, count: int) -> list[tuple[AnalogyRows, list[int]]]:
    """Draw questions on `count` rows: words of one token or two, one right answer or two."""
    word = st.lists(st.integers(0, count - 1), min_size=1, max_size=2, unique=True).map(tuple)
    questions = []
    for _ in range(draw(st.integers(1, 8))):
        one = AnalogyRows(draw(word), draw(word), draw(word))
        others = [row for row in range(count) if row not in one.own]
        if others:
            right = draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))
            questions.append((one, right))
    return questions


@settings(deadline=None, max_examples=300)
@given(
    drawn_rows(least=8),
    st.sampled_from(WAYS),
    st.sampled_from([(), ("unit",), ("center",)]),
    st.sampled_from([1, 30, 1000]),
    st.data(),
)
def test_a_block_gives_the_ranks_of_the_query_engine(
    rows: NDArray[np.float32],
    way: tuple[Method, Metric],
    transforms: tuple[str, ...],
    most: int,
    data: st.DataObject,
) -> None:
    how = QuerySettings(method=way[0], metric=way[1], transforms=transforms)
    space = Space(table_of(rows), transforms)
    drawn = data.draw(drawn_questions(len(rows)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PRODUCT_BYTES", 4 * len(rows) * most)
        found = analogy_ranks(
            space, how, [one for one, _ in drawn], [right for _, right in drawn], lambda _: None
        )
        asked = [one for (one, _), rank in zip(drawn, found.left_out, strict=True) if rank]
        first = iter(first_answers(space, how, asked))
    ranks = zip(found.left_out.tolist(), found.kept.tolist(), found.own.tolist(), strict=True)
    answers = [(*some, next(first) if some[0] else -1) for some in ranks]
    assert answers == [one_by_one(space, how, one, right) for one, right in drawn]
