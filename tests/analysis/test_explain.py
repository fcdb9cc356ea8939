"""Scores taken apart, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.analysis.calibration import SAMPLE, calibrate
from wordvec.analysis.explain import explain, explain_in_each
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import Space
from wordvec.tables.derived import Derived

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.analysis.explanation import Explanation
    from wordvec.tables.table import VectorTable

TABLE = table_of({
    "王": [3, 0, 4], "女": [0, 2, 0], "男": [1, 0, 0], "女王": [2, 2, 4], "神": [9, 0, 0],
    "無": [0, 0, 0],
})  # fmt: skip


def explained(
    source: str, token: str | None = None, table: VectorTable = TABLE, **how: object
) -> Explanation:
    return explain(QueryEngine(Space(table), QuerySettings(**how)), parse(source), token)  # type: ignore[arg-type]


def test_under_l2_the_parts_add_up_to_the_square_of_the_distance() -> None:
    found = explained("王-男+女")
    assert (found.token, found.rank, found.score) == ("女王", 1, 0.0)
    assert found.own_part == 24.0  # ‖x‖²; q = x, so every part is −w v·x
    assert [(p.word, p.weight, p.norm, p.part) for p in found.parts] == [
        ("王", 1.0, 5.0, -22.0), ("男", -1.0, 1.0, 2.0), ("女", 1.0, 2.0, -4.0),
    ]  # fmt: skip
    assert found.total == 0.0
    assert (found.dimensions, found.dims_for_half) == ((), 0)


def test_under_cosine_they_add_up_to_the_cosine() -> None:
    found = explained("王+神", "男", metric=Metric.COSINE)
    # q = (12, 0, 4): 3/√160 from 王, 9/√160 from 神
    assert [p.part for p in found.parts] == pytest.approx([3 / 160**0.5, 9 / 160**0.5])
    assert [p.cosine for p in found.parts] == pytest.approx([0.6, 1.0])
    assert found.total == pytest.approx(found.score) == 12 / 160**0.5
    assert found.own_part is None
    assert [(d.index, d.share) for d in found.dimensions] == [(0, 1.0)]
    assert found.dims_for_half == 1


def test_under_dot_they_add_up_to_the_product() -> None:
    found = explained("2*王-神", "女王", metric=Metric.DOT)
    assert [p.part for p in found.parts] == [44.0, -18.0]
    assert found.total == found.score == 26.0
    assert [(d.index, d.part) for d in found.dimensions] == [(2, 32.0), (0, -6.0)]
    assert [d.share for d in found.dimensions] == pytest.approx([32 / 38, 6 / 38])


HOW = [
    (Method.SUM, Metric.L2), (Method.SUM, Metric.COSINE), (Method.SUM, Metric.DOT),
    (Method.ADD, Metric.COSINE),
]  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(
    drawn_rows(zero=False), st.sampled_from(HOW), st.booleans(), st.data(),
    st.lists(st.sampled_from([-3.0, -1, -0.5, 1, 1, 2, 1 / 3]), min_size=1, max_size=5),
)  # fmt: skip
def test_the_parts_add_up_on_any_expression(
    rows: NDArray[np.float32],
    how: tuple[Method, Metric],
    unit: bool,  # noqa: FBT001  (hypothesis gives it by place)
    data: st.DataObject,
    weights: list[float],
) -> None:
    ids = [data.draw(st.integers(0, len(rows) - 1)) for _ in weights]
    source = "".join(
        f"{'-' if w < 0 else '+'}{abs(w)!r}*#{i}" for w, i in zip(weights, ids, strict=True)
    )
    method, metric = how
    how_asked = QuerySettings(method=method, metric=metric, unit=unit)
    engine = QueryEngine(Space(table_of(rows), how_asked.all_transforms), how_asked)
    try:
        question = engine.prepare(parse(source))
    except WordvecError:
        assume(False)  # noqa: FBT003  (a sum of zero has no cosine)
    assume(np.linalg.norm(question.vectors[0]) > 1e-6 * np.abs(rows).max())
    target = data.draw(st.integers(0, len(rows) - 1))
    found = explain(engine, parse(source), f"#{target}")
    expected = found.score**2 if metric is Metric.L2 else found.score
    assert abs(found.total - expected) <= 1e-5 * max(1, abs(expected))
    # and each part is what the formula in the docstring says
    wide = rows.astype(np.float64)
    if unit:
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    x, q = wide[target], question.vectors[0]
    for part in found.parts:
        v = wide[int(part.word.removeprefix("#"))]
        w = part.weight / np.linalg.norm(v) if method is Method.ADD else part.weight
        formula = {
            Metric.L2: w * float(v @ (q - 2 * x)),
            Metric.DOT: w * float(v @ x),
            Metric.COSINE: w * float(v @ x) / float(np.linalg.norm(q) * np.linalg.norm(x)),
        }[metric]
        assert part.part == pytest.approx(formula, rel=1e-9, abs=1e-9)
        assert part.norm == pytest.approx(np.linalg.norm(v))
    over = {
        Metric.L2: (q - x) ** 2,
        Metric.DOT: q * x,
        Metric.COSINE: q * x / (np.linalg.norm(q) * np.linalg.norm(x)),
    }[metric]
    sizes = np.sort(np.abs(over))[::-1]
    for place, dimension in enumerate(found.dimensions):
        assert dimension.part == pytest.approx(over[dimension.index])
        assert dimension.share == pytest.approx(sizes[place] / sizes.sum())
    if sizes.sum():
        halves = [n for n in range(1, len(sizes) + 1) if sizes[:n].sum() > sizes.sum() / 2]
        assert abs(found.dims_for_half - halves[0]) <= 1  # rounding at exactly a half


def test_the_explained_answer_is_the_first_that_is_not_a_query_word() -> None:
    assert explained("王").token == "女王"  # noqa: S105
    assert explained("王", "神").rank == 6


def test_the_word_with_the_largest_norm_may_decide_or_not() -> None:
    found = explained("王+女", metric=Metric.COSINE)
    assert found.norm_effect is not None
    assert (found.norm_effect.largest_norm, found.norm_effect.largest_part) == ("王", "王")
    assert (found.token, found.rank, found.norm_effect.rank) == ("女王", 1, 1)
    # 男 is the shortest, and all that 神 has in common with the query
    found = explained("女-男", "神", metric=Metric.COSINE)
    assert found.norm_effect is not None
    assert (found.norm_effect.largest_norm, found.norm_effect.largest_part) == ("女", "男")


def test_with_equal_norms_an_answer_can_have_another_rank() -> None:
    table = table_of({"長": [10, 0], "短": [0, 1], "東": [9, 1], "間": [5, 5]})
    found = explained("長+短", "間", table, metric=Metric.COSINE)
    assert found.norm_effect is not None
    assert (found.rank, found.norm_effect.rank) == (3, 1)


@pytest.mark.parametrize(("source", "how"), [("王", Method.SUM), ("王+女", Method.ADD)])
def test_a_single_word_or_unit_words_have_no_norm_effect(source: str, how: Method) -> None:
    assert explained(source, method=how).norm_effect is None


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ({"metric": Metric.CSLS}, "csls"),
        ({"method": Method.MUL}, "method mul"),
        ({"method": Method.DIRECTION}, "method direction"),
    ],
)
def test_only_sums_can_be_explained(how: dict[str, object], what: str) -> None:
    with pytest.raises(
        UsageError, match=f"explain splits a sum into its parts, and {what} is not a sum"
    ):
        explain(QueryEngine(Space(TABLE), QuerySettings(**how)), parse("王+女"))  # type: ignore[arg-type]


def test_an_unknown_token_or_one_without_direction_is_named() -> None:
    with pytest.raises(UnknownWordError, match='"犬" is not in this vocabulary'):
        explained("王", "犬")
    with pytest.raises(WordvecError, match=r"無 \(#5\) is not finite or has no direction"):
        explained("王", "無", metric=Metric.COSINE)


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE, Metric.DOT])
def test_the_gains_add_up_to_the_difference_of_the_scores(metric: Metric) -> None:
    found = explained("王-男+女", "王", metric=metric)
    assert found.ahead is not None
    first = explained("王-男+女", metric=metric)
    assert (found.ahead.token, found.ahead.rank) == (first.token, first.rank)
    assert (found.ahead.score, found.ahead.own_part) == (first.score, first.own_part)
    assert found.ahead.parts == first.parts
    gained = sum(gain for _, gain in found.gains)
    assert found.total + gained == pytest.approx(first.total)
    assert (gained < 0) == (metric is Metric.L2)


def test_the_decisive_word_favours_the_first_answer_most() -> None:
    # 王-男+女 = 女王 = (2, 2, 4); by l2 squared, −2 v·q more or less and ‖x‖²: 24 against 25
    found = explained("王-男+女", "王")
    assert found.gains == (("王", 6.0), ("男", -2.0), ("女", -8.0), (None, -1.0))
    assert found.decisive == "女"
    table = table_of({"王": [1, 0], "女": [0, 1], "長": [9, 9], "短": [3, 3]})
    long = explained("王+女", "長", table)
    assert long.gains == (("王", 12.0), ("女", 12.0), (None, -144.0))
    assert long.decisive is None  # by being shorter


def test_the_first_answer_and_a_token_that_is_no_answer_have_none_ahead() -> None:
    assert explained("王-男+女").ahead is None
    assert explained("王-男+女", "女", exclude=True).ahead is None
    assert explained("王", "王").ahead is None  # a query word may be before the first answer


def test_merged_twins_share_a_rank_and_are_excluded_with_their_word() -> None:
    table = table_of({"王": [0, 0], "##王": [1, 0], "女": [2, 0], "##女": [3, 0], "男": [4, 0]})
    assert explained("王", table=table).token == "##王"  # noqa: S105
    merged = explained("王", table=table, merge_twins=True)
    assert (merged.token, merged.rank) == ("女", 2)
    found = explained("王", "男", table, merge_twins=True)
    assert found.rank == 3
    assert found.ahead is not None
    assert (found.ahead.token, found.ahead.rank) == ("女", 2)


def test_several_tables_explain_the_answer_of_the_first() -> None:
    other = table_of({"男": [1, 0], "女王": [5, 5], "王": [0, 1], "女": [1, 1]}, model="other")
    one, two = explain_in_each(
        [QueryEngine(Space(t), QuerySettings()) for t in (TABLE, other)], parse("王-男+女")
    )
    assert (one.token, one.id, one.rank) == ("女王", 3, 1)
    assert (two.token, two.id, two.rank) == ("女王", 1, 4)
    same = explain_in_each(
        [QueryEngine(Space(t), QuerySettings()) for t in (TABLE, TABLE)], parse("王-男+女")
    )
    assert [found.id for found in same] == [3, 3]


def test_a_table_that_lacks_the_answer_is_named() -> None:
    other = table_of({"男": [1, 0], "王": [0, 1], "女": [1, 1]}, model="other")
    with pytest.raises(UnknownWordError, match=r"other:static: .女王. is not in this"):
        explain_in_each(
            [QueryEngine(Space(t), QuerySettings()) for t in (TABLE, other)], parse("王-男+女")
        )


def test_if_all_tokens_are_query_words_nothing_can_be_explained() -> None:
    with pytest.raises(WordvecError, match="nothing to explain: all answers are words"):
        explained("王+女", table=table_of({"王": [1.0], "女": [2.0]}))


def plain_sample_score(vectors: NDArray[np.float64], weights: list[float], metric: Metric) -> float:
    *words, x = vectors
    q = np.asarray(sum(w * v for w, v in zip(weights, words, strict=True)))
    if metric is Metric.L2:
        return float(np.linalg.norm(q - x))
    return float(q @ x / (np.linalg.norm(q) * np.linalg.norm(x)))


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_calibration_agrees_with_another_sample(metric: Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 8)) + 1
    engine = QueryEngine(Space(table_of(rows)), QuerySettings(metric=metric))
    found = calibrate(engine, [1.0, -1.0, 1.0], 2.0 if metric is Metric.L2 else 0.6)
    rng = np.random.default_rng(99)
    wide = engine.table.vectors.astype(np.float64)
    other = np.array([
        plain_sample_score(wide[rng.choice(300, 4, replace=False)], [1, -1, 1], metric)
        for _ in range(4000)
    ])  # fmt: skip
    assert found.sample == SAMPLE
    assert found.mean == pytest.approx(other.mean(), abs=4 * other.std() / 4000**0.5)
    assert found.deviation == pytest.approx(other.std(), rel=0.05)
    worse = (other > 2.0) if metric is Metric.L2 else (other < 0.6)
    assert found.percentile == pytest.approx(100 * worse.mean(), abs=3)
    score = 2.0 if metric is Metric.L2 else 0.6
    assert found.z == pytest.approx((score - found.mean) / found.deviation)


def test_a_saved_sample_equals_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(np.random.default_rng(0).normal(size=(40, 4)))
    derived = Derived(tmp_path / "derived", "sha256:1")
    engine = QueryEngine(Space(table, derived=derived), QuerySettings(metric=Metric.COSINE))
    first = explain(engine, parse("t1-t2"), calibrated=True).calibration
    alone = explain(
        QueryEngine(Space(table), engine.settings), parse("t1-t2"), calibrated=True
    ).calibration
    assert first == alone
    monkeypatch.setattr("wordvec.analysis.calibration._sample", None)  # not called again
    assert explain(engine, parse("t1-t2"), calibrated=True).calibration == first
    with pytest.raises(TypeError, match="not callable"):
        explain(engine, parse("t1-2*t2"), calibrated=True)


def test_too_few_tokens_for_a_sample_are_an_error() -> None:
    with pytest.raises(WordvecError, match="too few tokens for random expressions of 5 words"):
        calibrate(QueryEngine(Space(TABLE), QuerySettings()), [1, 1, 1, 1, 1], 0.5)


def test_a_sample_from_very_few_tokens_repeats_none() -> None:
    found = calibrate(
        QueryEngine(Space(table_of({"王": [1.0], "女": [2.0]})), QuerySettings()), [1.0], 1.0
    )
    assert (found.mean, found.deviation, found.percentile, found.z) == (1.0, 0.0, 0.0, None)


def test_the_json_of_an_explanation_has_the_documented_fields() -> None:
    data = explained("王-男", "女", metric=Metric.COSINE).to_dict()
    assert list(data) == [
        "query", "table", "method", "metric", "unit", "transforms", "exclude", "sentence", "token",
        "id", "rank", "similarity", "norm", "parts_add_up_to", "own_part", "parts", "lengths",
        "own_ahead", "ahead", "behind", "random_pairs", "dimensions", "dims_for_half",
    ]  # fmt: skip
    assert data["parts_add_up_to"] == "similarity"
    assert explained("王-男", metric=Metric.COSINE).to_dict()["ahead"] is None
    behind = data["ahead"]
    assert isinstance(behind, dict)
    assert list(behind) == [
        "token", "id", "rank", "similarity", "norm", "own_part", "parts", "most_by",
    ]  # fmt: skip
    assert [list(part) for part in behind["parts"]] == [["word", "cosine", "part"]] * 2
