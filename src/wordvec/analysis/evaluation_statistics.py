"""Rank correlation with an interval, and McNemar's test between tables."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.display import table_name
from wordvec.analysis.evaluation_scores import Combination, PairedComparison, goodness
from wordvec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.search.ranking import Floats

RESAMPLES = 1000  # of the bootstrap


def rank_correlation(
    scores: Floats, others: Floats
) -> tuple[float | None, tuple[float, float] | None]:
    """Return Spearman's ρ and its 95 % interval under the bootstrap of pairs (percentiles).

    None for fewer than three pairs, or where one side is all equal.
    """
    if len(scores) < 3 or np.ptp(scores) == 0 or np.ptp(others) == 0:
        return None, None
    from scipy import stats

    rho = float(stats.spearmanr(scores, others).statistic)
    found = stats.bootstrap(
        (scores, others), _spearman, paired=True, vectorized=True, n_resamples=RESAMPLES,
        batch=100, method="percentile", rng=np.random.default_rng(0),
    )  # fmt: skip
    low, high = found.confidence_interval
    return rho, (float(low), float(high))


def _spearman(scores: Floats, others: Floats, axis: int = -1) -> Floats:
    """Return Spearman's ρ along an axis; 0 where a resample is all equal."""
    from scipy import stats

    ranks = [stats.rankdata(some, axis=axis) for some in (scores, others)]
    one, other = (some - some.mean(axis=axis, keepdims=True) for some in ranks)
    size = np.sqrt((one**2).sum(axis=axis) * (other**2).sum(axis=axis))
    rho: Floats = (one * other).sum(axis=axis) / np.where(size == 0, 1, size)
    return rho


def compare_tables(found: Sequence[Combination]) -> Iterator[PairedComparison]:
    """Yield how every two tables compare after their best transforms, by the best method."""
    asked = [one for one in found if one.overall.questions]
    if not asked:
        return
    method = max(asked, key=goodness).method
    best: dict[str, Combination] = {}
    for one in asked:
        name = table_name(one.table)
        if one.method == method and (name not in best or goodness(one) > goodness(best[name])):
            best[name] = one
    for one, other in combinations(best.values(), 2):
        yield compare_pair(found, found.index(one), found.index(other))


def compare_pair(found: Sequence[Combination], first: int, second: int) -> PairedComparison:
    """Compare two combinations on the questions that both can be asked.

    McNemar's exact test: of the questions that only one of them solves, each is as likely to be
    that of the one as of the other (McNemar 1947).

    Raises:
        UsageError: for LRCos and another method, whose questions are not the same.
    """
    from scipy.stats import binomtest

    ranks = [found[place].ranks.left_out for place in (first, second)]
    if len(ranks[0]) != len(ranks[1]):
        raise UsageError("LRCos has one question for each pair: compare it with LRCos")
    both = (ranks[0] > 0) & (ranks[1] > 0)
    one, other = (some == 1 for some in ranks)
    only_first, only_second = int((both & one & ~other).sum()), int((both & other & ~one).sum())
    apart = only_first + only_second
    p = float(binomtest(only_first, apart).pvalue) if apart else 1.0
    return PairedComparison(first, second, int(both.sum()), only_first, only_second, p)
