"""Expressions → answers: the words' rows are combined, and the nearest tokens listed.

The default is the classic article's way: raw vectors, L2 distance, the words of the query
themselves among the answers, where they are marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wordvec.errors import ExpressionError
from wordvec.progress import Progress, no_progress
from wordvec.search.engine import Engine, Hits
from wordvec.search.filters import candidates, twins
from wordvec.search.resolve import Resolved, combine, resolve
from wordvec.search.settings import Method, Metric, Settings
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression
    from wordvec.search.engine import Mask
    from wordvec.search.methods import Ranking
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable

_LONGEST = 1e150  # a vector longer than this has a square that float64 cannot hold


class Neighbour(NamedTuple):  # made ten thousand times a block, three times as fast as others
    """One line of an answer. `token` is as people see it; `score` a distance or a similarity.

    twins: tokens of the same text (##王 beside 王) that this line stands for as well.
    """

    rank: int
    token: str
    id: int
    score: float
    in_query: bool
    twins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The nearest tokens of one expression, best first.

    notes: what its reader should know of how the words were taken.
    """

    query: str
    table: TableDescription
    settings: Settings
    neighbours: tuple[Neighbour, ...]
    notes: tuple[str, ...] = ()

    @property
    def metric(self) -> Metric:
        """What the neighbours are ranked by."""
        return self.settings.ranked_by

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            "table": self.table.to_json(),
            **settings_json(self.settings),
            "neighbours": [self.neighbour_json(neighbour) for neighbour in self.neighbours],
        }

    def neighbour_json(self, neighbour: Neighbour) -> dict[str, object]:
        """Give what `--json` prints of one of its neighbours."""
        return {
            "rank": neighbour.rank,
            "token": neighbour.token,
            "id": neighbour.id,
            self.metric.score_name: neighbour.score,
            "in_query": neighbour.in_query,
            **({"twins": list(neighbour.twins)} if self.settings.merge_twins else {}),
        }


def settings_json(settings: Settings) -> dict[str, object]:
    """Give what the JSON of any answer says of how it was asked for.

    Filters and twins stand there only where they are used.
    """
    return {
        "method": settings.method.value,
        "metric": settings.ranked_by.value,
        "unit": settings.unit,
        "transforms": list(settings.steps),
        "exclude": settings.exclude,
        **({"filters": settings.filters.to_json()} if settings.filters else {}),
        **({"merge_twins": True} if settings.merge_twins else {}),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """An expression whose words were found in one table.

    vector: (D,) float64, what they add up to; None for a method that adds nothing up.
    """

    resolved: Resolved
    vector: NDArray[np.float64] | None


class QueryEngine:
    """Answers expressions from one table in one way, a single one or many at once.

    derived: what is kept beside the table; progress: told when a graph of neighbours is made.
    notes: what the reader of any answer should know of the table.
    """

    def __init__(
        self,
        table: VectorTable,
        settings: Settings,
        *,
        derived: Derived | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.settings = settings
        unit = settings.steps == ("unit",)  # the engine does this one without a copy of the rows
        self._made = _made(table, () if unit else settings.steps)
        if self._made.table is None:
            from wordvec.search.transforms import (
                transform,  # as methods below: not in a plain query
            )

            self._made.table = transform(table, settings.steps, derived=derived)
        self.table = self._made.table
        self.engine = _engine(self.table, unit=unit)
        self.description = TableDescription.of(self.table)
        self.derived, self._progress = derived, progress
        passed = candidates(table.vocabulary, settings.filters)
        self._passed = None if passed is None else passed.mask
        self.notes = (
            *self._table_notes(),
            *self._filter_notes(),
            *(passed.notes if passed else ()),
        )

    def prepare(self, expression: Expression) -> Question:
        """Find the words of an expression and add up their vectors; errors mark the place."""
        resolved = resolve(expression, self.table.vocabulary, pieces=self.settings.pieces)
        return self.prepared(resolved)

    def prepared(self, resolved: Resolved) -> Question:
        """Add up the vectors of an expression whose words are found already."""
        self._check_terms(resolved)
        if self.settings.method in (Method.MUL, Method.DIRECTION):
            return Question(resolved, None)
        with np.errstate(over="ignore", invalid="ignore"):
            vector = self._vector(resolved)
            length = float(np.sqrt(vector @ vector))
        if not length < _LONGEST:
            raise _whole(resolved, "the query vector is too long for a number to hold")
        if length == 0 and self.settings.ranked_by in (Metric.COSINE, Metric.CSLS):
            raise _whole(
                resolved,
                "the query vector is zero: it has no direction, and so no cosine",
                hint="--metric l2 measures distances from it",
            )
        return Question(resolved, vector)

    def _vector(self, resolved: Resolved) -> NDArray[np.float64]:
        if self.settings.method is Method.SUM:
            rows: Any = self.engine.view  # rows as they are searched, taken by number
            return combine(resolved.terms, rows)
        from wordvec.search.methods import sum_of_directions

        return sum_of_directions(resolved, self.engine)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions in order; at once they cost less, and the answers are the same."""
        if self.settings.merge_twins:
            return [self._answer(question, *self._merged(question)) for question in questions]
        hits = self._search(questions, self.settings.k)
        return [
            self._answer(question, found) for question, found in zip(questions, hits, strict=True)
        ]

    def ranking(self, question: Question) -> Ranking:
        """How a question ranks the rows of the table."""
        from wordvec.search.methods import ranking

        return ranking(
            question.resolved,
            self.engine,
            self.settings,
            query=question.vector,
            crowded=self._crowding,
        )

    def _crowding(self) -> NDArray[np.float64]:
        if self._made.crowding is None:
            from wordvec.search.methods import crowding

            self._made.crowding = crowding(
                self.table, derived=self.derived, progress=self._progress
            )
        return self._made.crowding

    def allowed(self, question: Question) -> Mask | None:
        """Which rows may be answers: (V,) bool, or None for all."""
        out = self._left_out(question)
        if not out:
            return self._passed
        mask = np.ones(len(self.table), dtype=bool) if self._passed is None else self._passed.copy()
        mask[list(out)] = False
        return mask

    def _search(self, questions: Sequence[Question], k: int) -> list[Hits]:
        vectors = [question.vector for question in questions if question.vector is not None]
        if self.settings.ranked_by is Metric.CSLS or len(vectors) < len(questions):
            return [
                self.ranking(question).best(k, self.allowed(question)) for question in questions
            ]
        if not vectors:
            return []
        return self.engine.search(
            np.stack(vectors),
            k,
            metric=self.settings.ranked_by,
            exclude=[self._left_out(question) for question in questions],
            candidates=self._passed,
        )

    def _merged(self, question: Question) -> tuple[Hits, dict[int, list[int]]]:
        """The k best texts of one question: a row each, and the rows that each stands for."""
        k, first = self.settings.k, twins(self.table.vocabulary)
        asked = k
        while True:
            asked = min(2 * asked, len(self.table))
            [hits] = self._search([question], asked)
            _, places = np.unique(first[hits.ids], return_index=True)
            if len(places) >= k or len(hits.ids) < asked or asked == len(self.table):
                break
        places = np.sort(places)[:k]
        best = Hits(hits.ids[places], hits.scores[places])
        allowed = self.allowed(question)
        of: dict[int, list[int]] = {}
        for row in best.ids.tolist():
            same = np.flatnonzero(first == first[row])
            of[row] = [
                int(twin) for twin in same if twin != row and (allowed is None or allowed[twin])
            ]
        return best, of

    def merged_ranks(self, question: Question) -> dict[int, int]:
        """The rank of every row that may be an answer, twins having the better one of theirs."""
        first = twins(self.table.vocabulary)
        order = self.ranking(question).best(len(self.table), self.allowed(question)).ids
        _, places = np.unique(first[order], return_index=True)
        rank = {int(first[order[place]]): i for i, place in enumerate(np.sort(places), start=1)}
        return {int(row): rank[int(first[row])] for row in order}

    def _left_out(self, question: Question) -> frozenset[int]:
        """The rows that the question's own words are, where those are no answers."""
        if not self.settings.exclude:
            return frozenset()
        named = question.resolved.query_ids
        if self.settings.merge_twins:
            first = twins(self.table.vocabulary)
            named = frozenset(np.flatnonzero(np.isin(first, first[list(named)])).tolist())
        return named

    def _answer(
        self, question: Question, hits: Hits, twins_of: dict[int, list[int]] | None = None
    ) -> Answer:
        named = question.resolved.query_ids
        display = self.table.vocabulary.display
        neighbours = []
        for rank, (row, score) in enumerate(
            zip(hits.ids.tolist(), hits.scores.tolist(), strict=True), start=1
        ):
            same = twins_of[row] if twins_of else []
            in_query = row in named or not named.isdisjoint(same)
            twins = tuple(map(display, same))
            neighbours.append(Neighbour(rank, display(row), row, score, in_query, twins))
        return Answer(
            query=question.resolved.expression.source,
            table=self.description,
            settings=self.settings,
            neighbours=tuple(neighbours),
            notes=question.resolved.notes,
        )

    def _check_terms(self, resolved: Resolved) -> None:
        searchable = self.engine.searchable(Metric.L2)
        for term in resolved.terms:
            bad = [id_ for id_ in term.ids if not searchable[id_]]
            if bad:
                finite = np.isfinite(self.table.norms[bad[0]])
                problem = "has length zero, and so no direction" if finite else "is not finite"
                raise ExpressionError(
                    f"the vector of {self.table.vocabulary.display(bad[0])} (#{bad[0]}) {problem}",
                    source=resolved.expression.source,
                    start=term.start,
                    end=term.end,
                )

    def _table_notes(self) -> list[str]:
        notes = []
        by_direction = self.settings.ranked_by in (Metric.COSINE, Metric.CSLS)
        metric = Metric.COSINE if by_direction else Metric.L2
        left_out = np.flatnonzero(~self.engine.searchable(metric))
        if len(left_out):
            display = self.table.vocabulary.display
            some = [f"{display(id_)} (#{id_})" for id_ in left_out[:5].tolist()]
            named = " ".join([*some, "…"] if len(left_out) > 5 else some)
            verb = "row is" if len(left_out) == 1 else "rows are"
            lacking = "not finite or without direction" if by_direction else "not finite"
            notes.append(f"{len(left_out):,} {verb} {lacking}, left out: {named}")
        if self.settings.k > len(self.table):
            notes.append(
                f"-k {self.settings.k} is more than the {len(self.table)} tokens there are"
            )
        return notes

    def _filter_notes(self) -> list[str]:
        if self._passed is None:
            return []
        there = int(self._passed.sum())
        tokens = "token passes" if there == 1 else "tokens pass"
        return [f"{there:,} {tokens} the filters"] if there < self.settings.k else []


@dataclass(slots=True)
class _Made:
    """What was made of a table's rows: they themselves, transformed, and how crowded each is."""

    table: VectorTable | None = None
    crowding: NDArray[np.float64] | None = None


@lru_cache(maxsize=2)  # the shell asks the same rows again and again; two tables are compared
def _made(table: VectorTable, steps: tuple[str, ...]) -> _Made:
    return _Made() if steps else _Made(table)


@lru_cache(maxsize=2)  # what an engine works out of its rows serves the next question too
def _engine(table: VectorTable, *, unit: bool) -> Engine:
    return Engine(table, unit=unit)


def _whole(resolved: Resolved, message: str, *, hint: str | None = None) -> ExpressionError:
    source = resolved.expression.source
    return ExpressionError(message, source=source, start=0, end=len(source), hint=hint)


def query(
    table: VectorTable,
    expressions: Sequence[Expression],
    *,
    derived: Derived | None = None,
    **settings: Any,
) -> list[Answer]:
    """List the k tokens nearest to each expression; the first that cannot be answered raises.

    settings: those of `Settings`, such as k=5, metric=Metric.COSINE, exclude=True.
    """
    asker = QueryEngine(table, Settings(**settings), derived=derived)
    return asker.answer([asker.prepare(expression) for expression in expressions])
