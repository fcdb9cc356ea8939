"""The data of a map, compared with `query` and with plain numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.maps import MAP_TOKENS, random_table
from support.tables import query, table_of
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.map.build import TokenMap, build_map, score_neighbours
from wordvec.map.page import left_out_text
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_scores_equal_those_of_plain_numpy(metric: Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    ids = np.array([[1, 2], [0, -1], [5, 6]])
    found = score_neighbours(rows, np.array([0, 1, 29]), ids, metric)
    wide = rows.astype(np.float64)

    def score(a: int, b: int) -> float:
        if metric is Metric.L2:
            return float(np.linalg.norm(wide[a] - wide[b]))
        return float(wide[a] @ wide[b] / np.linalg.norm(wide[a]) / np.linalg.norm(wide[b]))

    expected = [[score(0, 1), score(0, 2)], [score(1, 0), np.nan], [score(29, 5), score(29, 6)]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.fixture(scope="module")
def token_map() -> TokenMap:
    tables = [random_table(), random_table(seed=1, mode=Mode.DYNAMIC)]
    return build_map(tables, expressions=[parse("王-男+女")])


def test_neighbours_and_scores_equal_those_of_query(token_map: TokenMap) -> None:
    for mapped in token_map.tables:
        for point, row in enumerate(token_map.rows.tolist()):
            source = parse(f"#{row}")
            (answer,) = query(mapped.table, [source], exclude=True)
            assert mapped.neighbours[point].tolist() == [hit.id for hit in answer.neighbours]
            np.testing.assert_allclose(
                mapped.scores[point], [hit.score for hit in answer.neighbours], rtol=1e-12
            )


def test_the_neighbours_of_an_expression_equal_those_of_query(token_map: TokenMap) -> None:
    for mapped in token_map.tables:
        (traced,) = mapped.expressions
        (answer,) = query(mapped.table, [parse("王-男+女")])
        assert [row for row, _ in traced.neighbours] == [hit.id for hit in answer.neighbours]
        np.testing.assert_allclose(
            [score for _, score in traced.neighbours], [hit.score for hit in answer.neighbours]
        )
        assert traced.query_rows == (1, 2, 3)
        assert [each.label for each in traced.partial_sums] == ["王", "-男", "+女"]


def words_table() -> VectorTable:
    """Make a table of four tokens of MAP_TOKENS, in another order, and of six others."""
    words = ["海", "女", "apple", "王", "pear", "山", "fig", "kiwi", "男", "plum"]
    rows = np.random.default_rng(5).normal(size=(len(words), 4)).astype(np.float32)
    return table_of(dict(zip(words, rows.tolist(), strict=True)), model="words")


def test_tables_with_different_vocabularies_share_their_common_tokens() -> None:
    bert, words = random_table(), words_table()
    found = build_map([bert, words], expressions=[parse("王-男+女")])
    V = len(MAP_TOKENS)
    assert found.is_joint
    assert found.rows.tolist() == list(range(V + 6))
    assert found.vocabulary.tokens[V:] == ("海", "apple", "pear", "fig", "kiwi", "plum")
    first, second = found.tables
    assert first.rows.tolist() == [*range(V), *[-1] * 6]
    shared = [MAP_TOKENS.index(token) for token in ("王", "男", "女", "山")]
    assert np.flatnonzero(first.has & second.has).tolist() == sorted(shared)
    assert np.isnan(second.positions[~second.has]).all()
    assert np.isfinite(second.positions[second.has]).all()
    (answer,) = query(words, [parse("王")], exclude=True)
    neighbours = second.neighbours[MAP_TOKENS.index("王")]
    names = [found.vocabulary.tokens[row] for row in neighbours[neighbours >= 0].tolist()]
    assert names == [hit.token for hit in answer.neighbours]
    (traced,) = second.expressions
    assert traced.query_rows == (1, 2, 3)
    (answer,) = query(words, [parse("王-男+女")])
    names = [found.vocabulary.tokens[row] for row, _ in traced.neighbours]
    assert names == [hit.token for hit in answer.neighbours]
    patterns, pattern_of = found.table_patterns()
    assert patterns.tolist() == [[True, True], [True, False], [False, True]]
    assert np.bincount(pattern_of).tolist() == [4, V - 4, 6]


def test_a_number_of_tokens_counts_in_each_table_and_shared_tokens_are_in_both() -> None:
    found = build_map([random_table(), words_table()], tokens=6)
    # ids 0 to 5 of the first, and those of the second: 海 女 apple 王 pear 山
    names = [found.vocabulary.tokens[row] for row in found.rows.tolist()]
    assert names == [*MAP_TOKENS[:6], "山", "海", "apple", "pear"]
    first, second = found.tables
    in_first = [name for name, has in zip(names, first.has.tolist(), strict=True) if has]
    assert in_first == [*MAP_TOKENS[:6], "山"]
    in_second = [name for name, has in zip(names, second.has.tolist(), strict=True) if has]
    assert set(in_second) == {"海", "女", "apple", "王", "pear", "山", "男"}


def test_a_token_that_is_rare_in_a_corpus_is_only_missing_there() -> None:
    static = random_table()
    rows = static.vectors.copy()
    rows[4] = np.nan
    contextual = replace(
        table_of(dict(zip(MAP_TOKENS, rows.tolist(), strict=True)), mode=Mode.CONTEXTUAL),
        vocabulary=replace(static.vocabulary, rare={4: 2}),
    )
    found = build_map([static, contextual])
    assert found.rows.tolist() == list(range(len(MAP_TOKENS)))
    assert found.left_out == 0
    assert not found.is_joint
    assert np.flatnonzero(~found.tables[1].has).tolist() == [4]


def test_shared_tokens_of_different_vocabularies_are_placed_together() -> None:
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(6, 8)) * 4
    rows = groups[np.arange(240) % 6] + rng.normal(size=(240, 8)) * 0.3
    tokens = [f"t{i}" for i in range(240)]
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    first = table_of(dict(zip(tokens[:180], rows[:180].tolist(), strict=True)))
    second = table_of(dict(zip(tokens[60:], (rows[60:] @ rotation).tolist(), strict=True)))
    one, two = build_map([first, second]).tables
    shared = one.has & two.has
    assert shared.sum() == 120
    width = np.ptp(one.positions[one.has], axis=0).max()
    moved = np.linalg.norm(one.positions[shared] - two.positions[shared], axis=1)
    assert np.median(moved) < 0.08 * width


def test_each_of_three_tables_is_placed_beside_the_one_before() -> None:
    tables = [random_table(seed=seed, mode=mode) for seed, mode in enumerate(Mode)]
    found = build_map(tables)
    alone = build_map(tables[:2])
    np.testing.assert_array_equal(found.tables[0].positions, alone.tables[0].positions)
    np.testing.assert_array_equal(found.tables[1].positions, alone.tables[1].positions)
    assert len(found.tables) == 3


def test_a_map_needs_a_table() -> None:
    with pytest.raises(UsageError, match="a map needs at least one table"):
        build_map([])


@pytest.mark.parametrize("tokens", [0, 4])
def test_a_map_of_too_few_tokens_is_an_error(tokens: int) -> None:
    with pytest.raises(WordvecError, match=f"a map needs at least 5 tokens, got {tokens}"):
        build_map([random_table()], tokens=tokens)


def test_a_row_that_cannot_be_placed_in_both_tables_is_left_out() -> None:
    first = random_table()
    rows = first.vectors.copy()
    rows[11] = np.nan
    named = dict(zip(MAP_TOKENS, rows.tolist(), strict=True))
    second = table_of(named, mode=Mode.DYNAMIC, special=1)
    found = build_map([first, second])
    assert 11 not in found.rows
    assert found.left_out == 1
    assert left_out_text(found) == "1 token left out (vector not finite, or longer than 1e17)"
    assert left_out_text(replace(found, left_out=2)).startswith("2 tokens left out")
