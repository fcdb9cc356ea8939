"""Two tables side by side: ranks beyond the list, shared answers, rank-biased overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.tables import WORDS, table_of
from wordvec.analysis.compare import compare, rank_biased_overlap, same_tokens
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UnknownWordError, UsageError
from wordvec.expression.parser import parse
from wordvec.search.filters import Filters
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import Space
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

NEAR = table_of({"王": [0, 0], "女": [1, 0], "男": [2, 0], "神": [3, 0], "子": [4, 0]})
FAR = table_of(
    {"王": [0, 0], "女": [4, 0], "男": [3, 0], "神": [1, 0], "子": [2, 0]}, mode=Mode.DYNAMIC
)


def with_tokens(tokens: list[str], scheme: Scheme, special: tuple[int, ...] = ()) -> VectorTable:
    rows = np.arange(len(tokens), dtype=np.float32)[:, None] + 1
    vocabulary = Vocabulary(tuple(tokens), scheme, special_ids=special)
    return VectorTable.from_vectors(vocabulary, rows, Provenance(scheme.value, Mode.STATIC))


def engines(*tables: VectorTable, **settings: object) -> list[QueryEngine]:
    return [QueryEngine(Space(table), QuerySettings(**settings)) for table in tables]  # type: ignore[arg-type]


def test_each_answer_has_its_rank_in_the_other_table_beyond_k_too() -> None:
    found = compare(engines(NEAR, FAR, k=2), parse("王"))
    ranks = [
        [(one.neighbour.token, one.ranks) for one in column.neighbours] for column in found.columns
    ]
    assert ranks == [[("王", (1, 1)), ("女", (2, 5))], [("王", (1, 1)), ("神", (4, 2))]]
    [overlap] = found.overlaps
    assert (overlap.first, overlap.second, overlap.shared) == (0, 1, 1)
    assert overlap.rbo == pytest.approx(rank_biased_overlap(["王", "女"], ["王", "神"]))
    assert (overlap.only_first, overlap.only_second) == (0, 0)


@pytest.mark.parametrize("method", [Method.SUM, Method.ADD, Method.MUL])
@pytest.mark.parametrize("exclude", [False, True])
def test_the_ranks_equal_those_in_the_whole_list(method: Method, *, exclude: bool) -> None:
    rng = np.random.default_rng(0)
    rows = dict(zip(WORDS, rng.normal(size=(len(WORDS), 5)).tolist(), strict=True))
    other = dict(zip(WORDS, rng.normal(size=(len(WORDS), 5)).tolist(), strict=True))
    sides = engines(table_of(rows), table_of(other), k=6, method=method, exclude=exclude)
    found = compare(sides, parse("王-男+女"))
    whole = engines(table_of(other), k=len(WORDS), method=method, exclude=exclude)[0]
    [answer] = whole.answer([whole.prepare(parse("王-男+女"))])
    place = {neighbour.token: neighbour.rank for neighbour in answer.neighbours}
    for one in found.columns[0].neighbours:
        assert one.ranks == (one.neighbour.rank, place[one.neighbour.token])


def test_three_tables_make_three_pairs() -> None:
    found = compare(engines(NEAR, FAR, NEAR, k=3), parse("王"))
    assert [(o.first, o.second, o.shared) for o in found.overlaps] == [
        (0, 1, 1), (0, 2, 3), (1, 2, 1),
    ]  # fmt: skip
    assert found.overlaps[1].rbo == pytest.approx(1)


def test_different_vocabularies_are_compared_by_token_text() -> None:
    small = table_of({"王": [0, 0], "后": [1, 0], "女": [2, 0]}, model="small")
    found = compare(engines(NEAR, small, k=3), parse("王"))
    assert [one.ranks for one in found.columns[0].neighbours] == [(1, 1), (2, 3), (3, None)]
    assert [one.ranks for one in found.columns[1].neighbours] == [(1, 1), (None, 2), (2, 3)]
    [overlap] = found.overlaps
    assert (overlap.shared, overlap.only_first, overlap.only_second) == (2, 3, 1)


def test_between_schemes_tokens_are_compared_without_their_marks() -> None:
    words = with_tokens(["[CLS]", "王", "##王", "女"], Scheme.WORDPIECE, (0,)).vocabulary
    pieces = with_tokens(["<s>", "王", "▁王", "[CLS]"], Scheme.SENTENCEPIECE, (0, 3)).vocabulary
    assert [*map(same_tokens(words, pieces), range(4))] == [(3,), (1, 2), (), ()]
    assert [*map(same_tokens(pieces, words), range(4))] == [(), (1,), (1,), (0,)]


def test_of_repeated_tokens_the_better_one_counts_once() -> None:
    words = with_tokens(["王", "女", "男"], Scheme.WORDPIECE)
    pieces = with_tokens(["▁王", "男", "王", "女"], Scheme.SENTENCEPIECE)
    found = compare(engines(words, pieces, k=3), parse("王"))
    # 王 is row 2 of pieces, at distance 0; 男 and 女 are at 1, ▁王 at 2
    assert [(c.neighbour.token, c.ranks) for c in found.columns[0].neighbours] == [
        ("王", (1, 1)), ("女", (2, 3)), ("男", (3, 2)),
    ]  # fmt: skip
    both = compare(engines(words, pieces, k=4), parse("王"))
    [overlap] = both.overlaps
    assert overlap.shared == 3
    assert overlap.rbo == pytest.approx(rank_biased_overlap("王女男", "王男女"))


def test_the_error_for_an_unknown_word_names_the_table() -> None:
    small = table_of({"王": [0, 0], "后": [1, 0]}, model="small")
    with pytest.raises(UnknownWordError, match='"女" is not in this vocabulary'):
        compare(engines(NEAR, small), parse("王+女"))


def test_a_token_that_may_not_be_an_answer_has_no_rank() -> None:
    settings = {"k": 9, "exclude": True, "filters": Filters(match="[女神]")}
    found = compare(engines(NEAR, FAR, **settings), parse("王"))
    assert [one.ranks for one in found.columns[0].neighbours] == [(1, 2), (2, 1)]


def test_merged_twins_rank_as_one() -> None:
    one = table_of({"王": [1, 0], "##王": [0, 0], "女": [2, 0], "男": [3, 0]})
    two = table_of({"王": [3, 0], "##王": [2, 0], "女": [1, 0], "男": [4, 0]})
    found = compare(engines(one, two, merge_twins=True), parse("0*女"))
    assert [(c.neighbour.token, c.ranks) for c in found.columns[0].neighbours] == [
        ("##王", (1, 2)), ("女", (2, 1)), ("男", (3, 3)),
    ]  # fmt: skip


def test_one_table_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="a comparison needs at least two tables"):
        compare(engines(NEAR), parse("王"))


def test_the_json_of_a_comparison_has_the_documented_fields() -> None:
    data = compare(engines(NEAR, FAR, k=1, metric=Metric.L2), parse("男")).to_dict()
    assert list(data) == [
        "query", "method", "metric", "unit", "transforms", "exclude", "columns", "overlaps",
    ]  # fmt: skip
    assert data["overlaps"] == [
        {"columns": [0, 1], "k": 1, "shared": 1, "rbo": pytest.approx(1.0),
         "only_first": 0, "only_second": 0}
    ]  # fmt: skip
    columns = data["columns"]
    assert isinstance(columns, list)
    assert columns[1]["neighbours"] == [
        {"rank": 1, "token": "男", "id": 2, "distance": 0.0, "in_query": True, "ranks": [1, 1]}
    ]


def test_a_known_overlap_of_two_lists_of_five() -> None:
    # as other implementations of the paper give it
    assert rank_biased_overlap([1, 2, 3, 4, 5], [2, 3, 4, 1, 5]) == pytest.approx(0.828, abs=5e-4)


def plain_extrapolated(first: list[int], second: list[int], p: float) -> float:
    """Equation 30 of the paper, for lists of one length, agreement by agreement."""
    k = len(first)
    agreement = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, k + 1)]
    return agreement[-1] * p**k + sum(
        (1 - p) * p ** (d - 1) * agreement[d - 1] for d in range(1, k + 1)
    )


LISTS = st.permutations(range(8)).map(lambda order: list(order)[:5])


@given(LISTS, LISTS)
def test_for_lists_of_one_length_it_is_the_simpler_equation(a: list[int], b: list[int]) -> None:
    assert rank_biased_overlap(a, b) == pytest.approx(plain_extrapolated(a, b, 0.9))
    assert rank_biased_overlap(a, b) == pytest.approx(rank_biased_overlap(b, a))


def plain_uneven(first: list[int], second: list[int], p: float, depth: int = 2000) -> float:
    """The infinite sum itself, with the assumption of section 4.4 of the paper, depth by depth.

    Below the end of the shorter list it goes on to agree as it did at its end; below the end of
    the longer one the agreement stays what it was there.
    """
    short, long = sorted((first, second), key=len)
    s, n = len(short), len(long)
    total, agreement = 0.0, 0.0
    for d in range(1, depth):
        common = len(set(short[:d]) & set(long[:d]))
        if d <= s:
            agreement = common / d
        elif d <= n:
            agreement = (common + (d - s) * len(set(short) & set(long[:s])) / s) / d
        total += (1 - p) * p ** (d - 1) * agreement
    return total


@given(LISTS, st.permutations(range(8)), st.integers(1, 8))
def test_for_lists_of_any_length_it_is_the_infinite_sum(a: list[int], b: list[int], n: int) -> None:
    assert rank_biased_overlap(a, b[:n]) == pytest.approx(plain_uneven(a, b[:n], 0.9))


@given(st.permutations(range(8)), st.integers(1, 8))
def test_the_beginning_of_a_list_overlaps_with_it_wholly(order: list[int], n: int) -> None:
    assert rank_biased_overlap(order[:n], order) == pytest.approx(1)


def test_disjoint_lists_have_no_overlap_and_empty_lists_are_equal() -> None:
    assert rank_biased_overlap([1, 2], [3, 4]) == 0
    assert rank_biased_overlap([], [1]) == 0
    assert rank_biased_overlap([], []) == 1
