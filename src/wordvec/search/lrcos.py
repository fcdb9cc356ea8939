"""LRCos: the answer to a word c is near to c, and of the class of the right answers.

Drozd, Gladkova and Matsuoka 2016, "Word embeddings, analogies, and machine learning: beyond king −
man + woman = queen", section 3.3: the score of a row x is p(x)·cos(x, c), where p is the
probability that x is of the class, by logistic regression. The positive examples are the right
answers of the other pairs of the category; the negative ones are their first words and as many
random tokens. Here, the vectors have unit length, the classes are balanced, C is 1, and an example
that is a right answer of the pair itself is left out too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import MissingExtraError
from wordvec.search.analogy_keys import RowProducts
from wordvec.search.analogy_ranks import AnalogyRanks
from wordvec.search.block_ranks import BlockKeys, first_rows, rank_block
from wordvec.search.engine import norms_of, relative_error, score_rows
from wordvec.search.resolve import row_means
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.search.engine import Engine
    from wordvec.search.ranking import Floats, RowIds
    from wordvec.search.space import Space

    Rows = tuple[int, ...]

_AT_ONCE = 64  # pairs; each has two products with all rows
_U = 2.0**-24


@dataclass(frozen=True, slots=True)
class LRCosPair:
    """A word and its right answers, as rows; the first answer is an example for the other pairs.

    word: the rows of a token, or of the pieces of a word.
    """

    word: Rows
    right: Rows


def lrcos_ranks(
    space: Space, pairs: Sequence[LRCosPair], progress: Callable[[int], None]
) -> AnalogyRanks:
    """Rank the right answers of the pairs of one category, each by a classifier of the others.

    Returns:
        the ranks, 0 for a pair without an answer: its vector has no direction, or no other pair is
        left. The word itself is c, and nothing else is left out of the answers.

    Raises:
        MissingExtraError: if scikit-learn is not installed.
    """
    ranks = AnalogyRanks.empty(len(pairs))
    for block, keys in _blocks(space.engine, pairs, range(len(pairs)), progress):
        found = rank_block(keys, [pairs[i].right for i in block], [pairs[i].word for i in block])
        ranks.left_out[block], ranks.kept[block] = found.left_out, found.kept
        ranks.own[block] = np.where(found.own >= 0, 2, -1)
    return ranks


def lrcos_first_answers(
    space: Space, pairs: Sequence[LRCosPair], places: Sequence[int]
) -> list[int]:
    """Return the row that is the first answer to some pairs of a category, its word left out.

    Args:
        space: where they are asked.
        pairs: the category.
        places: of the pairs that have an answer.
    """
    found: list[int] = []
    for block, keys in _blocks(space.engine, pairs, places, lambda _: None):
        found += first_rows(keys, [pairs[place].word for place in block]).tolist()
    return found


def _blocks(
    engine: Engine,
    pairs: Sequence[LRCosPair],
    places: Sequence[int],
    progress: Callable[[int], None],
) -> Iterator[tuple[list[int], BlockKeys]]:
    """Yield the places of pairs that have an answer, and their keys, in blocks."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ModuleNotFoundError:
        raise MissingExtraError("lrcos", extra="evaluate", package="scikit-learn") from None
    examples = _Examples.of(engine, pairs)
    for start in range(0, len(places), _AT_ONCE):
        block: list[int] = []
        models = []
        for place in places[start : start + _AT_ONCE]:
            progress(place)
            training = examples.training(place, pairs)
            if training is not None:
                model = LogisticRegression(class_weight="balanced", max_iter=1000)
                block.append(place)
                models.append(model.fit(*training))
        if block:
            yield block, _keys(engine, examples.words[block], models)


@dataclass(frozen=True, slots=True, eq=False)
class _Examples:
    """Unit vectors of n pairs: words and answers (n, D), and of random tokens (n, D).

    usable: (n,), whether word and answer have a direction.
    """

    words: Floats
    answers: Floats
    noise: Floats
    usable: NDArray[np.bool_]

    @classmethod
    def of(cls, engine: Engine, pairs: Sequence[LRCosPair]) -> _Examples:
        words, some = _units(engine, [pair.word for pair in pairs])
        answers, others = _units(engine, [pair.right[:1] for pair in pairs])
        rows = np.flatnonzero(engine.searchable(Metric.COSINE))
        chosen = np.random.default_rng(0).choice(rows, min(len(pairs), len(rows)), replace=False)
        noise, _ = _units(engine, [(row,) for row in chosen.tolist()])
        return cls(words, answers, noise, some & others)

    def training(self, place: int, pairs: Sequence[LRCosPair]) -> tuple[Floats, RowIds] | None:
        """Return the examples for a pair, (m, D), and their classes, (m,); None if too few."""
        if not self.usable[place]:
            return None
        right = set(pairs[place].right)
        others = self.usable.copy()
        others[place] = False
        for i, pair in enumerate(pairs):
            if pair.right[0] in right:
                others[i] = False
        count = int(others.sum())
        if not count:
            return None
        examples = np.concatenate([self.answers[others], self.words[others], self.noise])
        return examples, (np.arange(len(examples)) < count).astype(np.int64)


def _units(engine: Engine, ids: Sequence[Rows]) -> tuple[Floats, NDArray[np.bool_]]:
    searchable = engine.searchable(Metric.L2)
    with np.errstate(invalid="ignore", over="ignore"):
        vectors = row_means(ids, engine.rows)
        norms = norms_of(vectors)
    usable = np.array([bool(searchable[list(rows)].all()) for rows in ids])
    usable &= (norms > 0) & np.isfinite(norms)
    vectors[~usable] = 0
    return vectors / np.where(usable, norms, 1)[:, None], usable


def _keys(engine: Engine, words: Floats, models: Sequence[Any]) -> BlockKeys:
    weights = np.concatenate([model.coef_ for model in models])  # (B, D)
    biases = np.array([model.intercept_[0] for model in models])
    rows = RowProducts.of(engine, Metric.COSINE)
    cosines, logits = (rows.divide(rows.products(vectors)) for vectors in (words, weights))

    def keys(question: int) -> tuple[NDArray[np.float32], RowIds]:
        logit = logits[question] + np.float32(biases[question])
        share = 1 / (1 + np.exp(-logit.astype(np.float64)))
        return rows.finish((cosines[question] * share).astype(np.float32))

    def score(found: Floats, _: RowIds, questions: RowIds) -> Floats:
        logits = (found * weights[questions]).sum(axis=1) / norms_of(found) + biases[questions]
        cosines = score_rows(found, words[questions], Metric.COSINE)
        scores: Floats = cosines / (1 + np.exp(-logits))
        return scores

    sizes = norms_of(weights)
    steep = relative_error(engine.table.dimensions) * sizes + 4 * _U * (sizes + np.abs(biases))
    error = rows.product_error(np.ones(len(words))) + steep / 4 + 8 * _U  # p has slope 1/4 at most
    return BlockKeys(keys, rows.exact(score), lambda _, scores: scores, error)
