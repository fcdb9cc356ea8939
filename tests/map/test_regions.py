"""Named regions: communities of the neighbour graph, named by their most typical tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.maps import PLANTED, planted_table
from wordvec.map.projection import nearest_within
from wordvec.map.regions import RESOLUTIONS, RegionLevel, find_regions, match_colours
from wordvec.search.settings import Metric
from wordvec.tables.derived import Derived

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TABLE = planted_table()
TOKENS = TABLE.vocabulary.tokens
NEAR = nearest_within(TABLE.vectors, 15, Metric.L2).ids
WHOLE: NDArray[np.bool_] = np.zeros(len(TOKENS), dtype=np.bool_)


def names(level: RegionLevel) -> set[frozenset[str]]:
    return {frozenset(TOKENS[i] for i in row[:3]) for row in level.typical.tolist()}


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
@pytest.mark.parametrize("seed", [0, 1])
def test_six_planted_groups_are_found_and_named_by_their_centres(metric: Metric, seed: int) -> None:
    near = nearest_within(TABLE.vectors, 15, metric).ids
    level = find_regions(near, WHOLE, seed=seed)[0]
    assert names(level) == {frozenset(centres) for centres in PLANTED.values()}
    for group, centres in PLANTED.items():
        own = {
            token for token in TOKENS if token.startswith(group) and token[len(group) :].isdigit()
        }
        found = {level.region_of[TOKENS.index(token)] for token in [*own, *centres]}
        assert len(found) == 1, group


def test_each_level_has_more_regions_and_the_largest_is_first() -> None:
    levels = find_regions(NEAR, WHOLE)
    assert len(levels) == len(RESOLUTIONS)
    counts = [len(level.typical) for level in levels]
    assert counts[0] == 6 <= counts[1] == counts[2]  # resolutions 1, 1.9 and 1.9
    for level in levels:
        sizes = np.bincount(level.region_of[level.region_of >= 0])
        assert sizes.min() >= 5
        assert sizes.tolist() == sorted(sizes, reverse=True)


def test_the_same_seed_gives_the_same_regions_also_from_the_cache(tmp_path: Path) -> None:
    derived = Derived(tmp_path / "derived", "sum")
    runs = [find_regions(NEAR, WHOLE, seed=3, derived=derived, key="k") for _ in range(2)]
    runs.append(find_regions(NEAR, WHOLE, seed=3))
    assert list((tmp_path / "derived").iterdir())
    for run in runs[1:]:
        for level, other in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(level.region_of, other.region_of)
            np.testing.assert_array_equal(level.typical, other.typical)


def test_pieces_of_words_name_a_region_only_where_they_are_most_of_it() -> None:
    is_piece = np.array([token in {"犬", "猫", "馬"} for token in TOKENS])
    (named,) = (
        row
        for row in find_regions(NEAR, is_piece)[0].typical.tolist()
        if TOKENS[row[-1]].startswith("動物") or TOKENS[row[0]].startswith("動物")
    )
    assert not {"犬", "猫", "馬"} & {TOKENS[i] for i in named}
    everything: NDArray[np.bool_] = np.ones(len(TOKENS), dtype=np.bool_)
    assert names(find_regions(NEAR, everything)[0]) == names(find_regions(NEAR, WHOLE)[0])


def test_missing_neighbours_and_tiny_groups_are_in_no_region() -> None:
    near = np.full((12, 3), -1)
    near[:8] = [[(i + step) % 8 for step in (1, 2, 3)] for i in range(8)]
    near[8:11] = [[9, 10, -1], [8, 10, -1], [8, 9, -1]]
    level = find_regions(near, np.zeros(12, dtype=np.bool_))[0]
    assert level.region_of.tolist() == [0] * 8 + [-1] * 4
    assert sorted(level.typical[0][:8].tolist()) == list(range(8))
    assert level.typical[0][8:].tolist() == [-1, -1]


def test_a_region_keeps_the_colour_of_the_one_it_shares_most_with() -> None:
    def level(region_of: list[int]) -> RegionLevel:
        typical = np.zeros((max(region_of) + 1, 1), dtype=np.int32)
        return RegionLevel(np.array(region_of, dtype=np.int32), typical)

    before = level([0, 0, 0, 1, 1, 1, 2, 2])
    after = level([1, 1, 1, 0, 0, 0, 0, -1])  # 0 was 1 in most of its tokens, 1 was 0
    assert match_colours(after, before, np.array([5, 6, 7])).tolist() == [6, 5]
    split = level([0, 0, 2, 1, 1, 1, 3, 3])  # a part of a region gets a colour of its own
    assert match_colours(split, before, np.array([0, 1, 2])).tolist() == [0, 1, 3, 2]
