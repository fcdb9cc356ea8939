"""3CosAdd, 3CosMul and PairDirection beside plain numpy, and beside gensim where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from support.tables import assert_ranks, drawn_rows, query, table_of
from wordvec.analysis.query import QueryEngine
from wordvec.errors import ExpressionError, UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search import methods
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import Space

if TYPE_CHECKING:
    from wordvec.search.ranking import Ranking
    from wordvec.tables.table import VectorTable

Floats = NDArray[np.float64]

TABLE = table_of({
    "王": [4, 1, 0], "女": [0, 2, 1], "男": [2, 0, 1], "女王": [1, 3, 0], "神": [3, 3, 3],
    "子": [-1, 0, 2], "無": [0, 0, 0],
})  # fmt: skip


def cosines(rows: Floats, query: Floats) -> Floats:
    """Cosine of each row and a vector, NaN for a row of length zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine: Floats = (rows @ query) / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
    return cosine


def plain_add(rows: Floats, weights: dict[int, float]) -> Floats:
    query = sum(w * rows[i] / np.linalg.norm(rows[i]) for i, w in weights.items())
    return cosines(rows, np.asarray(query))


def plain_mul(rows: Floats, weights: dict[int, float], epsilon: float) -> Floats:
    above, below = np.ones(len(rows)), np.ones(len(rows))
    for i, weight in weights.items():
        share = (1 + cosines(rows, rows[i])) / 2
        above, below = (above * share, below) if weight > 0 else (above, below * share)
    return above / (below + epsilon)


def plain_direction(rows: Floats, a: int, b: int, c: int) -> Floats:
    return cosines(rows - rows[c], rows[b] - rows[a])


def asked(table: VectorTable, source: str, method: Method, *, unit: bool = False) -> Ranking:
    settings = QuerySettings(method=method, unit=unit)
    engine = QueryEngine(Space(table, settings.all_transforms), settings)
    return engine.ranking(engine.prepare(parse(source)))


def directed(rows: NDArray[np.float32]) -> list[int]:
    return np.flatnonzero(rows.any(axis=1)).tolist()


def written(weights: dict[int, float]) -> str:
    return "".join(
        f"{w:+g}*#{i}" if abs(w) != 1 else f"{'+-'[w < 0]}#{i}" for i, w in weights.items()
    )


@settings(deadline=None)
@given(drawn_rows(), st.data(), st.integers(1, 9))
def test_add_is_the_cosine_to_the_sum_of_unit_rows(
    rows: NDArray[np.float32], data: st.DataObject, k: int
) -> None:
    ids = directed(rows)
    assume(ids)
    weights = data.draw(
        st.dictionaries(
            st.sampled_from(ids), st.sampled_from([-2.0, -1, 1, 0.5]), min_size=1, max_size=4
        )
    )
    wide = rows.astype(np.float64)
    unit = {i: wide[i] / np.linalg.norm(wide[i]) for i in weights}
    assume(np.linalg.norm(sum(w * unit[i] for i, w in weights.items())) > 1e-6)
    found = asked(table_of(rows), written(weights), Method.ADD)
    expected = plain_add(wide, weights)
    assert_ranks(found.best(k), expected, k)


@settings(deadline=None)
@given(drawn_rows(), st.data(), st.integers(1, 9))
def test_mul_is_the_quotient_of_shifted_cosines(
    rows: NDArray[np.float32], data: st.DataObject, k: int
) -> None:
    ids = directed(rows)
    assume(ids)
    some = st.sampled_from([-1.0, 1.0])
    weights = data.draw(st.dictionaries(st.sampled_from(ids), some, min_size=1, max_size=4))
    found = asked(table_of(rows), written(weights), Method.MUL)
    # near ε a share of 0 ± 1e-16 moves the quotient by 1e-12 of itself
    assert_ranks(found.best(k), plain_mul(rows.astype(np.float64), weights, 0.001), k)


@settings(deadline=None)
@given(drawn_rows(), st.data(), st.integers(1, 9))
def test_direction_is_the_cosine_between_two_differences(
    rows: NDArray[np.float32], data: st.DataObject, k: int
) -> None:
    a, b, c = (data.draw(st.integers(0, len(rows) - 1)) for _ in range(3))
    assume((rows[a] != rows[b]).any())
    found = asked(table_of(rows), f"#{a}:#{b}=#{c}:?", Method.DIRECTION)
    assert_ranks(found.best(k), plain_direction(rows.astype(np.float64), a, b, c), k)


@settings(deadline=None, max_examples=50)
@given(drawn_rows(), st.sampled_from(Method), st.data())
def test_the_rank_of_a_row_is_its_place_in_the_whole_list(
    rows: NDArray[np.float32], method: Method, data: st.DataObject
) -> None:
    ids = directed(rows)
    assume(len(ids) >= 3)
    a, b, c = (data.draw(st.sampled_from(ids)) for _ in range(3))
    assume(len({a, b, c}) == 3 and (rows[a] != rows[b]).any())
    wide = rows.astype(np.float64)
    assume(np.linalg.norm(wide[c] - wide[a] + wide[b]) > 1e-6)
    unit = wide[[a, b, c]] / np.linalg.norm(wide[[a, b, c]], axis=1, keepdims=True)
    assume(np.linalg.norm(unit[2] - unit[0] + unit[1]) > 1e-6)
    found = asked(table_of(rows), f"#{a}:#{b}=#{c}:?", method)
    order = found.best(len(rows)).ids.tolist()
    assert [found.rank_of(row) for row in order] == list(range(1, len(order) + 1))


@pytest.fixture(scope="module")
def gensims() -> tuple[VectorTable, KeyedVectors]:
    """Give one set of a thousand random vectors in our table and in gensim's."""
    rows = np.random.default_rng(3).normal(size=(1000, 24)).astype(np.float32) + np.float32(0.3)
    table = table_of(rows)
    theirs = KeyedVectors(24)
    theirs.add_vectors(list(table.vocabulary.tokens), rows)
    return table, theirs


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # gensim's own
@pytest.mark.parametrize(
    ("added", "taken"), [(["t1", "t2"], ["t3"]), (["t5"], ["t6", "t7"]), (["t8", "t9"], [])]
)
def test_add_and_mul_equal_gensim(
    gensims: tuple[VectorTable, KeyedVectors],
    added: list[str],
    taken: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, theirs = gensims
    source = "+".join(added) + "".join(f"-{word}" for word in taken)
    # gensim leaves the query's words out; its ε of 3CosMul is 0.000001
    ours = query(table, [parse(source)], method=Method.ADD, exclude=True)[0].neighbours
    expected = theirs.most_similar(positive=added, negative=taken)
    assert [n.token for n in ours] == [word for word, _ in expected]
    assert [n.score for n in ours] == pytest.approx([score for _, score in expected], rel=1e-5)

    monkeypatch.setattr(methods, "EPSILON", 0.000001)
    ours = query(table, [parse(source)], method=Method.MUL, exclude=True)[0].neighbours
    expected = theirs.most_similar_cosmul(positive=added, negative=taken)
    assert [n.token for n in ours] == [word for word, _ in expected]
    assert [n.score for n in ours] == pytest.approx([score for _, score in expected], rel=1e-5)


def test_direction_with_unit_uses_differences_of_unit_rows() -> None:
    found = asked(TABLE, "男:女=王:?", Method.DIRECTION, unit=True).best(9)
    wide = TABLE.vectors.astype(np.float64)[:6]
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    assert_ranks(found, plain_direction(unit, 2, 1, 0), 9)


def test_c_itself_has_no_direction_and_is_not_an_answer() -> None:
    [answer] = query(TABLE, [parse("男:女=王:?")], k=9, exclude=False, method=Method.DIRECTION)
    assert "王" not in [neighbour.token for neighbour in answer.neighbours]
    assert len(answer.neighbours) == 6
    assert answer.neighbours[0].id == 3  # 女王


def test_the_error_of_direction_shows_the_form_it_needs() -> None:
    with pytest.raises(ExpressionError, match=r"direction needs the form a:b=c:\?") as caught:
        query(TABLE, [parse("王-男+女")], method=Method.DIRECTION)
    assert caught.value.hint == "for 王-男+女 that is 男:女=王:?"


def test_direction_needs_two_different_vectors() -> None:
    with pytest.raises(WordvecError, match="a and b have the same vector: there is no direction"):
        query(TABLE, [parse("男:男=王:?")], method=Method.DIRECTION)


@pytest.mark.parametrize(
    ("source", "word", "weight"),
    [("2*王-男", "王", "2"), ("王+王-男", "王", "2"), ("王-男+男", "男", "0")],
)
def test_mul_takes_each_word_once(source: str, word: str, weight: str) -> None:
    with pytest.raises(
        ExpressionError, match=f"mul takes each word once, .*; {word} has weight {weight}"
    ) as caught:
        query(TABLE, [parse(source)], method=Method.MUL)
    assert source[caught.value.start : caught.value.end] == word


@pytest.mark.parametrize("method", [Method.ADD, Method.MUL])
def test_a_word_without_direction_is_marked(method: Method) -> None:
    with pytest.raises(ExpressionError, match="the vector of 無 is zero: it has no direction"):
        query(TABLE, [parse("王-無")], method=method)


@pytest.mark.parametrize(
    ("method", "metric", "able"),
    [
        (Method.ADD, Metric.L2, "cosine or csls"),
        (Method.ADD, Metric.DOT, "cosine or csls"),
        (Method.MUL, Metric.CSLS, "cosine"),
        (Method.DIRECTION, Metric.L2, "cosine"),
    ],
)
def test_a_method_refuses_a_metric_it_cannot_rank_by(
    method: Method, metric: Metric, able: str
) -> None:
    with pytest.raises(UsageError, match=f"method {method} ranks by {able}, not by {metric}"):
        QuerySettings(method=method, metric=metric)


def test_unit_beside_other_transforms_needs_a_place_in_their_order() -> None:
    with pytest.raises(UsageError, match="unit=True is a transform: beside other transforms"):
        QuerySettings(unit=True, transforms=("center",))
