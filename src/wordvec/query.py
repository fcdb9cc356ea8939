"""Expressions → answers: the words' rows are combined, and the nearest tokens listed.

The default is the classic article's way: raw vectors, L2 distance, the words of the query
themselves among the answers, where they are marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.engine import Engine
from wordvec.errors import ExpressionError
from wordvec.metric import Metric
from wordvec.resolution import Resolved, combine, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.engine import Hits
    from wordvec.expression import Expression
    from wordvec.table import VectorTable

_LONGEST = 1e150  # a vector longer than this has a square that float64 cannot hold


@dataclass(frozen=True, slots=True)
class TableDescription:
    """What an answer says of the table that it came from."""

    model: str
    mode: str
    layer: int | None
    tokens: int
    dimensions: int
    transforms: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: VectorTable) -> TableDescription:
        """Describe a table."""
        name = table.name
        return cls(
            name.model, name.mode.value, name.layer, len(table), table.dimensions, table.transforms
        )

    def to_json(self) -> dict[str, object]:
        """Give the `table` of an answer's JSON."""
        return {
            "model": self.model,
            "mode": self.mode,
            "layer": self.layer,
            "tokens": self.tokens,
            "dimensions": self.dimensions,
        }


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One line of an answer. `token` is as people see it; `score` a distance or a similarity."""

    rank: int
    token: str
    id: int
    score: float
    in_query: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The nearest tokens of one expression, best first.

    notes: what its reader should know of how the words were taken.
    """

    query: str
    table: TableDescription
    metric: Metric
    unit: bool
    exclude: bool
    neighbours: tuple[Neighbour, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            "table": self.table.to_json(),
            "metric": self.metric.value,
            "unit": self.unit,
            "exclude": self.exclude,
            "neighbours": [
                {
                    "rank": neighbour.rank,
                    "token": neighbour.token,
                    "id": neighbour.id,
                    self.metric.score_name: neighbour.score,
                    "in_query": neighbour.in_query,
                }
                for neighbour in self.neighbours
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """An expression whose words were found: vector, (D,) float64, is what they add up to."""

    resolved: Resolved
    vector: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How expressions are answered.

    metric: what is near. unit: every row is brought to length 1 first. exclude: the words of the
    query are left out of its answer. pieces: an unknown word is the mean of its pieces.
    """

    k: int = 10
    metric: Metric = Metric.L2
    unit: bool = False
    exclude: bool = False
    pieces: bool = False


class Asker:
    """Answers expressions from one table in one way, a single one or many at once.

    notes: what the reader of any answer should know of the table.
    """

    def __init__(self, table: VectorTable, settings: Settings) -> None:
        self.table = table
        self.settings = settings
        self.description = TableDescription.of(table)
        self.engine = Engine(table, unit=settings.unit)
        self.notes = tuple(self._table_notes())

    def prepare(self, expression: Expression) -> Question:
        """Find the words of an expression and add up their vectors; errors mark the place."""
        resolved = resolve(expression, self.table.vocabulary, pieces=self.settings.pieces)
        self._check_terms(resolved)
        rows: Any = self.engine.view  # rows as they are searched, taken by number
        with np.errstate(over="ignore", invalid="ignore"):
            vector = combine(resolved.terms, rows)
            length = float(np.sqrt(vector @ vector))
        if not length < _LONGEST:
            raise _whole(resolved, "the query vector is too long for a number to hold")
        if length == 0 and self.settings.metric is Metric.COSINE:
            raise _whole(
                resolved,
                "the query vector is zero: it has no direction, and so no cosine",
                hint="--metric l2 measures distances from it",
            )
        return Question(resolved, vector)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions in order; at once they cost less, and the answers are the same."""
        if not questions:
            return []
        named = [question.resolved.query_ids for question in questions]
        hits = self.engine.search(
            np.stack([question.vector for question in questions]),
            self.settings.k,
            metric=self.settings.metric,
            exclude=named if self.settings.exclude else (),
        )
        return [
            self._answer(question, found) for question, found in zip(questions, hits, strict=True)
        ]

    def _answer(self, question: Question, hits: Hits) -> Answer:
        named = question.resolved.query_ids
        display = self.table.vocabulary.display
        found = zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
        return Answer(
            query=question.resolved.expression.source,
            table=self.description,
            metric=self.settings.metric,
            unit=self.settings.unit,
            exclude=self.settings.exclude,
            neighbours=tuple(
                Neighbour(rank, display(id_), id_, score, id_ in named)
                for rank, (id_, score) in enumerate(found, start=1)
            ),
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
        left_out = np.flatnonzero(~self.engine.searchable(self.settings.metric))
        if len(left_out):
            some = " ".join(f"#{id_}" for id_ in left_out[:5]) + (" …" if len(left_out) > 5 else "")
            verb = "row is" if len(left_out) == 1 else "rows are"
            notes.append(
                f"{len(left_out)} {verb} not finite or without direction, left out: {some}"
            )
        if self.settings.k > len(self.table):
            notes.append(
                f"-k {self.settings.k} is more than the {len(self.table)} tokens there are"
            )
        return notes


def _whole(resolved: Resolved, message: str, *, hint: str | None = None) -> ExpressionError:
    source = resolved.expression.source
    return ExpressionError(message, source=source, start=0, end=len(source), hint=hint)


def query(  # noqa: PLR0913  (one keyword a setting)
    table: VectorTable,
    expressions: Sequence[Expression],
    *,
    k: int = 10,
    metric: Metric = Metric.L2,
    unit: bool = False,
    exclude: bool = False,
    pieces: bool = False,
) -> list[Answer]:
    """List the k tokens nearest to each expression; the first that cannot be answered raises."""
    settings = Settings(k=k, metric=metric, unit=unit, exclude=exclude, pieces=pieces)
    asker = Asker(table, settings)
    return asker.answer([asker.prepare(expression) for expression in expressions])
