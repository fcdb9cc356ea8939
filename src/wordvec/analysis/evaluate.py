"""Measure tables: analogies by every method and after every transform, and word similarity.

A question a:b=c:? comes from two pairs (a, b) and (c, d) of a category, and d, which may be one of
several words, is right. Every question is answered twice: with its own words left out of the
answers, as the field does, and with these kept, as a user sees it. A question whose right answer is
one of its own words is not asked (many cities are the capital of two names of a country).

LRCos has one question for each pair, what is to c as the category's second words are to its first.

Word similarity is Spearman's ρ of the scores of people and the cosines of two words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.display import table_name
from wordvec.analysis.evaluation import Evaluation
from wordvec.analysis.evaluation_failures import (
    Failure,
    questions_in_words,
    spread_failures,
    words_and_answers,
)
from wordvec.analysis.evaluation_files import AnalogySet, SimilaritySet
from wordvec.analysis.evaluation_scores import (
    Accuracy,
    CategoryScore,
    Combination,
    NotAsked,
    SimilarityScore,
)
from wordvec.analysis.evaluation_settings import LRCOS, EvaluationSettings
from wordvec.analysis.evaluation_statistics import compare_tables, rank_correlation
from wordvec.errors import NoQuestionsError
from wordvec.progress import Progress, no_progress
from wordvec.search.analogy_keys import AnalogyRows
from wordvec.search.analogy_ranks import AnalogyRanks, analogy_ranks, first_answers
from wordvec.search.engine import norms_of
from wordvec.search.lrcos import LRCosPair, lrcos_first_answers, lrcos_ranks
from wordvec.search.resolve import row_means
from wordvec.search.settings import Metric
from wordvec.search.space import Space
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wordvec.analysis.evaluation_files import Category, TestSet
    from wordvec.search.ranking import Floats, RowIds
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

    Rows = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Category:
    """The questions of a category for one vocabulary.

    reasons: for each question of the file why it is not asked, or None. asked, right: of the
    others, in order.
    """

    name: str
    pairs: int
    reasons: list[NotAsked | None]
    asked: list[AnalogyRows]
    right: list[Rows]


@dataclass(frozen=True, slots=True)
class _LRCosCategory:
    """The pairs of a category for one vocabulary; reasons as above, one for each pair."""

    name: str
    pairs: int
    reasons: list[NotAsked | None]
    asked: list[LRCosPair]


class _Words:
    """The rows of the words of all test sets in one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, *, pieces: bool) -> None:
        self.vocabulary = vocabulary
        self.pieces = pieces
        self.unknown: dict[str, None] = {}
        self._rows: dict[str, Rows] = {}

    def rows(self, word: str) -> Rows:
        """Return the row of a word, or the rows of its pieces; none if it is unknown."""
        if word not in self._rows:
            match = self.vocabulary.find(word)
            found: Rows = (match.id,) if match else ()
            if not found and self.pieces:
                found = tuple(self.vocabulary.pieces(word) or ())
            if not found or self.vocabulary.rare.keys() & set(found):
                found = ()
                self.unknown[word] = None
            self._rows[word] = found
        return self._rows[word]

    def tokens(self, words: Iterable[str]) -> Rows:
        """Return the rows of the words that are one token."""
        found = [self.rows(word) for word in words]
        return tuple(dict.fromkeys(rows[0] for rows in found if len(rows) == 1))

    def category(self, name: str, category: Category) -> _Category:
        """Look up a category, and say of each question whether it can be asked."""
        pairs = [(self.rows(a), self.rows(b[0]), self.tokens(b)) for a, b in category.pairs]
        places = category.questions
        two = permutations(range(len(pairs)), 2) if places is None else places
        found = _Category(name, sum(bool(a and b) for a, b, _ in pairs), [], [], [])
        for i, j in two:
            (a, b, _), (c, _, answers) = pairs[i], pairs[j]
            right = tuple(row for row in answers if row not in a and row not in b and row not in c)
            if not (a and b and c and answers):
                found.reasons.append(NotAsked.UNKNOWN)
            elif a == c or not right:
                found.reasons.append(NotAsked.REPEATED)
            else:
                found.reasons.append(None)
                found.asked.append(AnalogyRows(a, b, c))
                found.right.append(right)
        return found

    def lrcos_category(self, name: str, category: Category) -> _LRCosCategory:
        """Look up the pairs of a category, each of which is a question of LRCos."""
        found = _LRCosCategory(name, 0, [], [])
        for word, answers in category.pairs:
            rows, known = self.rows(word), self.tokens(answers)
            right = tuple(row for row in known if row not in rows)
            if rows and right:
                found.asked.append(LRCosPair(rows, right))
            unknown = not (rows and known)
            found.reasons.append(
                NotAsked.UNKNOWN if unknown else None if right else NotAsked.REPEATED
            )
        return _LRCosCategory(name, len(found.asked), found.reasons, found.asked)


def evaluate(
    tables: Sequence[tuple[VectorTable, Derived | None]],
    test_sets: Sequence[TestSet],
    settings: EvaluationSettings,
    *,
    progress: Progress = no_progress,
) -> Evaluation:
    """Ask every question of every table, by every method and after every transform.

    Args:
        tables: each with what is kept beside it.
        progress: called with the number of questions done.

    Raises:
        NoQuestionsError: if no question can be asked.
        UsageError: if a table cannot be transformed so.
    """
    runs = [_Run(table, derived, test_sets, settings) for table, derived in tables]
    if not any(run.questions for run in runs) and not any(run.pairs for run in runs):
        raise NoQuestionsError("no question can be asked: the vocabulary has too few of the words")
    counter = _Counter(progress, sum(run.questions for run in runs) * len(settings.transforms))
    found: list[Combination] = []
    similarities: list[SimilarityScore] = []
    for run in runs:
        for steps in settings.transforms:
            space = Space(run.table, steps, derived=run.derived)
            found += run.combinations(space, counter)
            similarities += run.similarities(space)
    counter(counter.total)
    return Evaluation(
        tuple(one.name for one in test_sets),
        settings.at,
        tuple(found),
        tuple(similarities),
        tuple(compare_tables(found)),
        {table_name(run.description): tuple(run.words.unknown) for run in runs},
        settings.by,
        shows_failures=bool(settings.failures),
    )


class _Counter:
    """Adds up the questions done; called with the number done since `begin`."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self.total = total
        self._before = 0

    def __call__(self, done: int) -> None:
        self.progress(min(self._before + done, self.total), self.total)

    def finish(self, done: int) -> None:
        """Count questions as done before those that come."""
        self._before += done


class _Run:
    """One table and the questions that it can be asked."""

    def __init__(
        self,
        table: VectorTable,
        derived: Derived | None,
        test_sets: Sequence[TestSet],
        settings: EvaluationSettings,
    ) -> None:
        self.table, self.derived, self.settings = table, derived, settings
        self.description = TableDescription.of(table)
        self.words = words = _Words(table.vocabulary, pieces=settings.pieces)
        named = [
            (name, category)
            for one in test_sets
            if isinstance(one, AnalogySet)
            for name, category in one.categories.items()
        ]
        self.categories = [category for _, category in named]
        self.analogies = [words.category(*one) for one in named]
        by_pair = named if LRCOS in settings.methods else []
        self.by_pair = [words.lrcos_category(*one) for one in by_pair]
        self.similar = [
            (one, [(words.rows(a), words.rows(b)) for a, b in one.pairs])
            for one in test_sets
            if isinstance(one, SimilaritySet)
        ]
        others = [method for method in settings.methods if method != LRCOS] if named else []
        asked = sum(len(one.asked) for one in self.analogies)
        self.questions = len(others) * asked + sum(len(one.asked) for one in self.by_pair)
        self.pairs = sum(bool(a and b) for _, pairs in self.similar for a, b in pairs)

    def combinations(self, space: Space, counter: _Counter) -> Iterator[Combination]:
        """Yield the answers of the table after some transforms, by each method."""
        for method in self.settings.methods if self.analogies else ():
            if method == LRCOS:
                yield self._by_lrcos(space, counter)
            else:
                yield self._by_method(space, method, counter)

    def _by_method(self, space: Space, method: str, counter: _Counter) -> Combination:
        settings = self.settings.query_settings(method, space.transforms)
        asked = [one for category in self.analogies for one in category.asked]
        right = [rows for category in self.analogies for rows in category.right]
        ranks = analogy_ranks(space, settings, asked, right, counter)
        counter.finish(len(asked))
        found = self._combination(space, method, settings.ranking_metric, self.analogies, ranks)
        if not self.settings.failures:
            return found
        places = spread_failures(ranks.left_out, self.settings.failures)
        given = first_answers(space, settings, [asked[place] for place in places.tolist()])
        return replace(found, failures=self._failures(found, questions_in_words, given))

    def _by_lrcos(self, space: Space, counter: _Counter) -> Combination:
        parts = [AnalogyRanks.empty(0)]
        for category in self.by_pair:
            parts.append(lrcos_ranks(space, category.asked, counter))
            counter.finish(len(category.asked))
        ranks = AnalogyRanks(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("left_out", "kept", "own")
            )
        )
        found = self._combination(space, LRCOS, Metric.COSINE, self.by_pair, ranks)
        if not self.settings.failures:
            return found
        chosen = spread_failures(ranks.left_out, self.settings.failures)
        given: list[int] = []
        start = 0
        for category in self.by_pair:
            stop = start + len(category.asked)
            here = chosen[(chosen >= start) & (chosen < stop)] - start
            given += lrcos_first_answers(space, category.asked, here.tolist())
            start = stop
        return replace(found, failures=self._failures(found, words_and_answers, given))

    def _failures(
        self,
        found: Combination,
        questions: Callable[[Category], Iterable[tuple[str, tuple[str, ...]]]],
        given: Sequence[int],
    ) -> tuple[Failure, ...]:
        """Describe some of the wrong answers, of which `given` has the first answers, by row."""
        ranks = found.ranks.left_out
        places = spread_failures(ranks, self.settings.failures).tolist()
        named = [
            (score.name, *question)
            for score, category in zip(found.categories, self.categories, strict=True)
            for question in questions(category)
        ]
        display = self.table.vocabulary.display
        return tuple(
            Failure(name, question, right, display(row), int(ranks[place]))
            for place, row in zip(places, given, strict=True)
            for name, question, right in [named[place]]
        )

    def _combination(
        self,
        space: Space,
        method: str,
        metric: Metric,
        categories: Sequence[_Category | _LRCosCategory],
        ranks: AnalogyRanks,
    ) -> Combination:
        reasons = [reason for category in categories for reason in category.reasons]
        places = np.flatnonzero([reason is None for reason in reasons])
        whole = AnalogyRanks.empty(len(reasons))
        whole.left_out[places], whole.kept[places] = ranks.left_out, ranks.kept
        whole.own[places] = ranks.own
        scores, start = [], 0
        for category in categories:
            part = slice(start, start + len(category.reasons))
            scores.append(_score(category, whole, part, self.settings.at))
            start = part.stop
        return Combination(
            self.description, method, metric.value, space.transforms, tuple(scores), whole
        )

    def similarities(self, space: Space) -> Iterator[SimilarityScore]:
        """Yield Spearman's ρ for each file of pairs."""
        for test_set, pairs in self.similar:
            cosines = np.array([np.nan] * len(pairs))
            known = [i for i, (a, b) in enumerate(pairs) if a and b]
            if known:
                cosines[known] = _cosines(space, [pairs[i] for i in known])
            usable = np.isfinite(cosines)
            rho, interval = rank_correlation(cosines[usable], np.array(test_set.scores)[usable])
            yield SimilarityScore(
                self.description,
                space.transforms,
                test_set.name,
                int(usable.sum()),
                int((~usable).sum()),
                rho,
                interval,
            )


def _score(
    category: _Category | _LRCosCategory, ranks: AnalogyRanks, part: slice, at: Sequence[int]
) -> CategoryScore:
    reasons = list(category.reasons)
    for place in np.flatnonzero(ranks.left_out[part] == 0).tolist():
        reasons[place] = reasons[place] or NotAsked.NO_DIRECTION
    counts = {reason: reasons.count(reason) for reason in NotAsked if reason in reasons}
    own = ranks.own[part]
    return CategoryScore(
        category.name,
        category.pairs,
        reasons.count(None),
        counts,
        _accuracy(ranks.left_out[part], at),
        _accuracy(ranks.kept[part], at),
        (int((own == 0).sum()), int((own == 1).sum()), int((own == 2).sum())),
    )


def _accuracy(ranks: RowIds, at: Sequence[int]) -> Accuracy:
    asked = ranks[ranks > 0]
    hits = tuple(int((asked <= k).sum()) for k in at)
    return Accuracy(len(asked), hits, float((1 / asked).sum()))


def _cosines(space: Space, pairs: Sequence[tuple[Rows, Rows]]) -> Floats:
    """Return the cosine of each pair in float64; NaN where a vector has no direction: (n,)."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        one, other = (row_means([pair[i] for pair in pairs], space.engine.rows) for i in (0, 1))
        dots = (one * other).sum(axis=1)
        cosines: Floats = dots / (norms_of(one) * norms_of(other))
    return cosines
