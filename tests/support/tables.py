"""Tables for the tests: any named rows, three toys to check by hand, and hypothesis's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from wordvec.api import Table
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from typing import Unpack

    from numpy.typing import ArrayLike, NDArray

    from wordvec.analysis.query import Answer
    from wordvec.expression.tree import Expression
    from wordvec.search.ranking import Hits
    from wordvec.search.settings import QueryOptions
    from wordvec.tables.store import Store

WORDS = tuple("王女男子神国人山川海空火水木金土日月花鳥風雪雨星石")


def table_of(
    rows: Mapping[str, Sequence[float]] | ArrayLike,
    *,
    model: str = "made",
    mode: Mode = Mode.STATIC,
    special: int = 0,
) -> VectorTable:
    """Make a table of named rows, or of plain rows called t0, t1 and so on.

    special: how many of the first tokens are special ones.
    """
    if isinstance(rows, Mapping):
        tokens, values = tuple(rows), np.array(list(rows.values()), dtype=np.float32)
    else:
        values = np.asarray(rows, dtype=np.float32)
        tokens = tuple(f"t{i}" for i in range(len(values)))
    vocabulary = Vocabulary(tokens, special_ids=tuple(range(special)))
    return VectorTable.from_vectors(vocabulary, values, Provenance(model, mode))


@st.composite
def drawn_rows(
    draw: st.DrawFn, *, least: int = 4, most: int = 25, zero: bool = True
) -> NDArray[np.float32]:
    """Draw (V, D) rows: small whole numbers, so that ties abound, or smooth ones; some equal.

    zero: whether rows of length zero may be among them.
    """
    V = draw(st.integers(least, most))
    D = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        rows = rng.integers(-2, 3, size=(V, D)).astype(np.float32)
    else:
        smooth = rng.normal(size=(V, D), scale=draw(st.sampled_from([0.01, 1, 100])))
        rows = (smooth + draw(st.sampled_from([0, 1]))).astype(np.float32)
    copies = draw(st.lists(st.integers(0, V - 1), max_size=V // 2))
    rows[: len(copies)] = rows[copies]
    if not zero:
        rows[~rows.any(axis=1)] = 1
    return rows


def assert_ranks(
    found: Hits, expected: NDArray[np.float64], k: int, *, descends: bool = True
) -> None:
    """Compare hits with a score for every row, (V,), NaN where a row has none.

    Scores are the same up to rounding, best first; rows of equal score stand in the table's order.
    """
    there = np.flatnonzero(~np.isnan(expected))
    best = np.sort(expected[there])
    best = (best[::-1] if descends else best)[:k]
    np.testing.assert_allclose(found.scores, best, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(expected[found.ids], found.scores, rtol=1e-9, atol=1e-9)
    for (one, score), (next_, next_score) in pairwise(
        zip(found.ids.tolist(), found.scores.tolist(), strict=True)
    ):
        assert score != next_score or one < next_


# Five words whose sum 王-男+女 is exactly 女王, and some that are hard to type.
TOKENS = {
    "王": (1, 0, 1),
    "男": (1, 0, 0),
    "女": (0, 1, 0),
    "女王": (0, 1, 1),
    "子": (0.5, 0.5, 0),
    "##王": (2, 0, 2),
    "-": (0, 0, 3),
    "k": (-1, 0, 0),
    "km": (0, 0, -1),
    "m": (0, -1, 0),
    "king": (0, 0, -2),
    "1999": (5, 0, 0),
}

# The same words, but 子 lies where 女王 did.
MOVED = {**TOKENS, "女王": (4, 4, 4), "子": (0, 1, 1)}


def toy_table(*, model: str = "toy", mode: Mode = Mode.STATIC) -> VectorTable:
    """Make the table of `TOKENS`."""
    vocabulary = Vocabulary(tokens=tuple(TOKENS), scheme=Scheme.WORDPIECE)
    vectors = np.array(list(TOKENS.values()), dtype=np.float32)
    created = "2026-01-01T00:00:00+00:00"
    return VectorTable.from_vectors(vocabulary, vectors, Provenance(model, mode, created=created))


def dynamic_table() -> VectorTable:
    """Make the table of `MOVED`."""
    rows = np.array(list(MOVED.values()), dtype=np.float32)
    return VectorTable.from_vectors(Vocabulary(tuple(MOVED)), rows, Provenance("toy", Mode.DYNAMIC))


def other_table() -> VectorTable:
    """Make a table of another model, with fewer words and one of its own."""
    rows = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
    vocabulary = Vocabulary(("王", "女", "后"))
    return VectorTable.from_vectors(vocabulary, rows, Provenance("other", Mode.STATIC))


def fill(store: Store) -> None:
    """Save all three."""
    for table in (toy_table(), dynamic_table(), other_table()):
        store.save(table)


def query(
    table: VectorTable, expressions: Sequence[Expression], **options: Unpack[QueryOptions]
) -> list[Answer]:
    """Answer expressions from a table in memory."""
    return Table(table).query(list(expressions), **options)
