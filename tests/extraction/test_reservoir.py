"""The sample of occurrences, compared with sorting all of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wordvec.extraction import reservoir as module
from wordvec.extraction.reservoir import Reservoir, priorities

if TYPE_CHECKING:
    from numpy.typing import NDArray

V = 20


def fill(ids: NDArray[np.int32], size: int, seed: int, step: int) -> Reservoir:
    """See a corpus in parts; the place of each token is its index."""
    reservoir = Reservoir(V, size, seed)
    for start in range(0, len(ids), step):
        part = ids[start : start + step]
        chosen, ranks = reservoir.see(part)
        places = np.arange(start, start + len(part))
        reservoir.keep(part[chosen], ranks[chosen], places[chosen])
    return reservoir


def corpus(n: int) -> NDArray[np.int32]:
    weights = 1 / np.arange(1, V + 1)
    chosen = np.random.default_rng(0).choice(V - 1, n, p=weights[:-1] / weights[:-1].sum())
    return chosen.astype(np.int32)


@pytest.mark.parametrize("step", [7, 100, 5000])
def test_the_sample_has_the_lowest_priorities_of_each_token(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SPARE", 50)  # drops candidates often
    ids = corpus(5000)
    reservoir = fill(ids, 30, 3, step)
    tokens, places = reservoir.chosen()
    ranks = priorities(3, 0, len(ids))
    for token in range(V):
        every = np.flatnonzero(ids == token)
        expected = every[np.argsort(ranks[every])][:30]
        assert places[tokens == token].tolist() == expected.tolist()
    assert reservoir.counts.tolist() == [Counter(ids.tolist())[token] for token in range(V)]


def test_a_restored_sample_goes_on_as_the_whole_one() -> None:
    ids = corpus(3000)
    half = fill(ids[:1500], 10, 0, 500)
    again = Reservoir(V, 10, 0)
    again.restore(half.arrays())
    chosen, ranks = again.see(ids[1500:])
    again.keep(ids[1500:][chosen], ranks[chosen], np.arange(1500, 3000)[chosen])
    whole = fill(ids, 10, 0, 3000)
    assert again.chosen()[0].tolist() == whole.chosen()[0].tolist()
    assert again.chosen()[1].tolist() == whole.chosen()[1].tolist()


def test_every_occurrence_is_equally_likely_and_seeds_differ() -> None:
    ids = np.zeros(100, dtype=np.int32)
    times = np.zeros(100, dtype=int)
    for seed in range(2000):
        times[fill(ids, 10, seed, 100).chosen()[1]] += 1
    assert times.sum() == 20_000
    assert abs(times - 200).max() < 5 * np.sqrt(200 * 0.9)  # five standard deviations


def test_memory_does_not_grow_with_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPARE", 100)
    reservoir = Reservoir(V, 10, 0)
    most = 0
    for start in range(0, 200_000, 1000):
        ids = np.arange(1000, dtype=np.int32) % V
        chosen, ranks = reservoir.see(ids)
        reservoir.keep(ids[chosen], ranks[chosen], start + np.flatnonzero(chosen))
        most = max(most, sum(array.nbytes for array in reservoir.arrays().values()))
        assert reservoir._candidates <= 2 * V * 10 + 100 + 1000
    assert most <= V * 10 * 20 + V * 16 + 8


def test_priorities_are_those_of_splitmix64() -> None:
    """The first numbers of SplitMix64 from state 0 (Vigna's reference implementation)."""
    states = (np.arange(1, 4, dtype=np.uint64) - np.uint64(module._mixed(5))) & np.uint64(2**64 - 1)
    numbers = [int(priorities(5, int(state) - 1, 1)[0]) for state in states]
    assert numbers == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
