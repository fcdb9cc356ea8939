"""Expressions → answers, on a table that is checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.tables import TOKENS, query, toy_table
from wordvec.analysis.query import QueryEngine
from wordvec.errors import ExpressionError, UnknownWordError
from wordvec.expression.parser import parse
from wordvec.search.settings import Metric, QuerySettings
from wordvec.search.space import Space
from wordvec.tables.table import VectorTable


def found(source: str, **settings: object) -> list[tuple[str, float]]:
    [answer] = query(toy_table(), [parse(source)], **settings)  # type: ignore[arg-type]
    return [(near.token, round(near.score, 4)) for near in answer.neighbours]


def test_the_nearest_to_the_sum_come_first_with_their_distance() -> None:
    assert found("王-男+女", k=5) == [
        ("女王", 0.0),
        ("女", 1.0),
        ("子", 1.2247),  # √1.5
        ("王", 1.4142),
        ("男", 1.7321),
    ]


def test_an_analogy_asks_the_same_question_and_leaves_its_words_out() -> None:
    assert found("男:女=王:?", k=3) == found("王-男+女", k=3, exclude=True)
    assert found("男:女=王:?", k=3, exclude=False) == found("王-男+女", k=3)


def test_cosine_ignores_norms() -> None:
    assert found("王", k=3, metric=Metric.COSINE) == [
        ("王", 1.0),
        ("##王", 1.0),
        ("男", 0.7071),
    ]


def test_dot_depends_on_norms() -> None:
    assert found("王", k=3, metric=Metric.DOT) == [("1999", 5.0), ("##王", 4.0), ("-", 3.0)]


def test_unit_normalises_the_terms_and_the_rows() -> None:
    # 王/|王| + 女 = (.7071, 1, .7071); 女王/|女王| = (0, .7071, .7071)
    apart = np.linalg.norm(np.array([0.5**0.5, 1, 0.5**0.5]) - np.array([0, 0.5**0.5, 0.5**0.5]))
    assert ("女王", round(float(apart), 4)) in found("王+女", k=12, unit=True)


def test_coefficients_and_ids_are_weights_and_rows() -> None:
    assert found("2*#0 - 王", k=1) == [("王", 0.0)]
    assert found("(王+女王)/2", k=1) == [("王", 0.7071)]


def test_the_words_of_the_query_are_marked() -> None:
    [answer] = query(toy_table(), [parse("王-男+女")], k=5)
    assert [near.token for near in answer.neighbours if near.in_query] == ["女", "王", "男"]


def test_exclude_leaves_out_query_words_and_the_next_tokens_follow() -> None:
    assert found("王-男+女", k=3, exclude=True) == [("女王", 0.0), ("子", 1.2247), ("k", 1.7321)]


def test_pieces_use_the_mean_with_a_note() -> None:
    [answer] = query(toy_table(), [parse("子王")], k=1, pieces=True)
    assert answer.notes == ("子王 is read as the mean of 子 + ##王",)
    # (1.25, 0.25, 1) is nearest to (1, 0, 1)
    assert [near.token for near in answer.neighbours] == ["王"]


def test_without_pieces_an_unknown_word_is_an_error_at_its_place() -> None:
    with pytest.raises(UnknownWordError, match='"皇帝" is not in this vocabulary') as caught:
        query(toy_table(), [parse("王+皇帝")])
    assert (caught.value.start, caught.value.end) == (2, 4)


def test_several_expressions_are_answered_in_order() -> None:
    answers = query(toy_table(), [parse("女"), parse("男"), parse("女")], k=1)
    assert [(answer.query, answer.neighbours[0].token) for answer in answers] == [
        ("女", "女"),
        ("男", "男"),
        ("女", "女"),
    ]
    assert query(toy_table(), []) == []


def test_the_json_of_an_answer_has_the_documented_fields() -> None:
    [answer] = query(toy_table(), [parse("王-男+女")], k=2, exclude=True)
    expected = {
        "query": "王-男+女",
        "table": {
            "model": "toy",
            "mode": "static",
            "layer": None,
            "tokens": len(TOKENS),
            "dimensions": 3,
        },
        "metric": "l2",
        "unit": False,
        "exclude": True,
        "neighbours": [
            {"rank": 1, "token": "女王", "id": 3, "distance": 0.0, "in_query": False},
            {"rank": 2, "token": "子", "id": 4, "distance": 1.5**0.5, "in_query": False},
        ],
    }
    given = answer.to_dict()  # methods and transforms add fields of their own
    assert {name: given[name] for name in expected} == expected


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT])
def test_the_score_of_a_similarity_metric_is_named_similarity(metric: Metric) -> None:
    [answer] = query(toy_table(), [parse("王")], k=1, metric=metric)
    neighbours = answer.to_dict()["neighbours"]
    assert isinstance(neighbours, list)
    assert set(neighbours[0]) == {"rank", "token", "id", "similarity", "in_query"}


def test_a_query_of_zero_has_distances_and_no_cosine() -> None:
    with pytest.raises(ExpressionError, match="the query vector is zero: it has no direction"):
        query(toy_table(), [parse("王-王")], metric=Metric.COSINE)
    assert found("王-王", k=1) == [("子", 0.7071)]


def test_a_query_that_overflows_float64_is_refused() -> None:
    with pytest.raises(ExpressionError, match="the query vector overflows float64"):
        query(toy_table(), [parse(f"{'9' * 200}*王")])


def with_row(row: int, values: list[float]) -> VectorTable:
    table = toy_table()
    vectors = table.vectors.copy()
    vectors[row] = values
    return VectorTable.from_vectors(table.vocabulary, vectors, table.provenance)


def test_a_row_that_is_not_finite_is_named_and_never_an_answer() -> None:
    table = with_row(3, [np.nan, 0, 0])
    engine = QueryEngine(Space(table), QuerySettings(k=20))
    assert engine.notes == (
        "1 row is not finite, left out: 女王 (#3)",
        "k=20 is more than the 12 tokens there are",
    )
    [answer] = engine.answer([engine.prepare(parse("王"))])
    assert len(answer.neighbours) == 11
    with pytest.raises(ExpressionError, match=r"the vector of 女王 \(#3\) is not finite") as caught:
        engine.prepare(parse("王+女王"))
    assert (caught.value.start, caught.value.end) == (2, 4)


def test_a_zero_row_cannot_be_normalised() -> None:
    engine = QueryEngine(Space(with_row(1, [0, 0, 0]), ["unit"]), QuerySettings(unit=True))
    with pytest.raises(ExpressionError, match=r"the vector of 男 \(#1\) has length zero"):
        engine.prepare(parse("王-男"))


def test_the_table_names_its_transforms() -> None:
    table = replace(toy_table(), transforms=("center", "abtt:2"))
    [answer] = query(table, [parse("王")])
    assert answer.table.transforms == ("center", "abtt:2")
