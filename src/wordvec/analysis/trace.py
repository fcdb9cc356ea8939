"""The rank of one answer in many tables: static, and every layer of dynamic vectors.

Layers of one mode (and variant) are a series: a sparkline shows how rank and similarity change from
the first to the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    TextTable,
    number,
    number_columns,
    one_line,
    settings_fields,
    table_name,
)
from wordvec.analysis.explain import first_answer
from wordvec.analysis.result import Result
from wordvec.errors import ExpressionError, UsageError
from wordvec.search.resolve import resolve_token
from wordvec.search.settings import Method, Metric
from wordvec.tables.name import Mode
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.display import Block
    from wordvec.analysis.query import QueryEngine
    from wordvec.expression.tree import Expression
    from wordvec.search.methods import Question
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An answer at the top of a table. token: as displayed. score: a distance or a similarity."""

    token: str
    id: int
    score: float
    in_query: bool


@dataclass(frozen=True, slots=True)
class TracePoint:
    """One table.

    layer: its number; None for a static table, or if the number of the last layer is unknown.
    rank: of the answer; None if the table has no vector for it or may not return it.
    score: its distance or similarity, by the metric of the settings; None as above.
    cosine: its cosine similarity to the query vector; None as above, and for the methods mul
    and direction, which have no query vector.
    first: the first answer. first_other: the first that is not a word of the query.
    """

    table: TableDescription
    layer: int | None
    rank: int | None
    score: float | None
    cosine: float | None
    first: FirstAnswer | None
    first_other: FirstAnswer | None


Series: TypeAlias = "tuple[str, list[TracePoint]]"


@dataclass(frozen=True, slots=True, repr=False)
class Trace(Result[TracePoint]):
    """The rank and the similarity of an answer in each of several tables. Iterates over them."""

    _listed: ClassVar = "points"

    query: str
    token: str
    settings: QuerySettings
    points: tuple[TracePoint, ...]
    notes: tuple[str, ...] = ()

    @property
    def _title(self) -> str:
        return f"{one_line(self.query)} → {self.token}"

    @property
    def series(self) -> list[Series]:
        """The points by mode and variant: the name of each series, and its points by layer."""
        groups: dict[str, list[TracePoint]] = {}
        one_model = self._one_model
        for point in self.points:
            variant = "" if point.table.variant is None else f".{point.table.variant}"
            model = "" if one_model else f"{text.escape(point.table.model)}:"
            steps = "".join(f"+{step}" for step in point.table.named_transforms)
            groups.setdefault(f"{model}{point.table.mode}{variant}{steps}", []).append(point)
        for points in groups.values():
            points.sort(key=_layer_order)
        return list(groups.items())

    @property
    def _one_model(self) -> bool:
        return len({point.table.model for point in self.points}) == 1

    def _header_fields(self) -> list[str]:
        model = [text.escape(self.points[0].table.model)] if self._one_model else []
        named = any(point.table.named_transforms for point in self.points)
        return [*model, *settings_fields(self.settings, transforms=not named)]

    def _blocks(self) -> list[Block]:
        columns = [
            Column("table", shrinks=True),
            *number_columns("layer", "rank", *self._score_names),
            Column("first", shrinks=True),
            *number_columns(self._score_names[0]),
        ]
        if not self.settings.exclude:
            columns.append(Column("first other", shrinks=True))
        rows = [self._cells(name, point) for name, points in self.series for point in points]
        lines = [line for name, points in self.series if (line := _sparklines(name, points))]
        table = TextTable(columns, rows)
        return [table, Facts([*lines, ["a taller bar is a better rank"]])] if lines else [table]

    @property
    def _score_names(self) -> list[str]:
        name = self.settings.ranking_metric.score_name
        return [name] if self._score_is_cosine else [name, "cosine"]

    @property
    def _score_is_cosine(self) -> bool:
        by_vector = self.settings.method in (Method.SUM, Method.ADD)
        return not by_vector or self.settings.ranking_metric is Metric.COSINE

    def _cells(self, series: str, point: TracePoint) -> list[Cell | str]:
        scores = [point.score] if self._score_is_cosine else [point.score, point.cosine]
        first, other = point.first, point.first_other
        return [
            series,
            "" if point.layer is None else str(point.layer),
            "–" if point.rank is None else f"{point.rank:,}",
            *("–" if score is None else number(score) for score in scores),
            "–" if first is None else f"{first.token} *" if first.in_query else first.token,
            "–" if first is None else number(first.score),
            *([] if self.settings.exclude else ["–" if other is None else other.token]),
        ]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        score = self.settings.ranking_metric.score_name
        numbers = ["layer", "rank", score, "cosine"]
        yield ["query", "token", "table", *numbers, "first", "first_other"]
        for point in self.points:
            tokens = [
                None if one is None else one.token for one in (point.first, point.first_other)
            ]
            values = [point.layer, point.rank, point.score, point.cosine]
            yield [self.query, self.token, table_name(point.table), *values, *tokens]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "query": self.query,
            "token": self.token,
            **self.settings.to_dict(),
            "points": [self._point_dict(point) for point in self.points],
        }

    def _point_dict(self, point: TracePoint) -> dict[str, object]:
        score = self.settings.ranking_metric.score_name
        return {
            "table": point.table.to_dict(),
            "layer": point.layer,
            "rank": point.rank,
            score: point.score,
            "cosine": point.cosine,
            "first": self._first_dict(point.first),
            "first_other": self._first_dict(point.first_other),
        }

    def _first_dict(self, first: FirstAnswer | None) -> dict[str, object] | None:
        if first is None:
            return None
        name = self.settings.ranking_metric.score_name
        return {"token": first.token, "id": first.id, name: first.score, "in_query": first.in_query}


def trace(engines: Sequence[QueryEngine], expression: Expression, token: str | int) -> Trace:
    """Find the rank and the similarity of an answer in each table.

    A table without a vector for a word of the question is kept, without numbers and with a note.

    Args:
        engines: one for each table, with the same settings.
        expression: the question.
        token: the answer, as typed, as `#id` or as an id.

    Raises:
        UsageError: if there is no table.
        ExpressionError: if no table can answer.
    """
    if not engines:
        raise UsageError("a trace needs at least one table")
    points, notes, errors = [], [], []
    settings = engines[0].settings
    shown = str(token)
    for engine in engines:
        try:
            question = engine.prepare(expression)
            row, note = resolve_token(token, engine.table.vocabulary)
        except ExpressionError as error:
            errors.append(error)
            notes.append(f"{engine.table.name}: {error.message}")
            points.append(_empty_point(engine))
            continue
        notes += [*engine.notes_on(question), *([note] if note else [])]
        settings = engine.settings_for(question)
        if len(points) == len(errors):  # the first table that answers
            shown = engine.table.vocabulary.display(row)
        points.append(_point(engine, question, row))
    if len(errors) == len(engines):
        raise errors[0]
    if any(point.table.named_transforms for point in points):
        settings = replace(settings, transforms=())
    traced = Trace(expression.source, shown, settings, tuple(points))
    if all(len(series) < 2 for _, series in traced.series):
        last = replace(engines[0].table.name, mode=Mode.DYNAMIC, variant=None, layer=None)
        notes.append(f"for every layer: {extract_command(last, layers='all')}")
    return replace(traced, notes=tuple(dict.fromkeys(notes)))


def layer_number(engine: QueryEngine) -> int | None:
    """Return the number of a table's layer; that of the last is in its manifest."""
    provenance = engine.table.provenance
    return provenance.layers if provenance.layer is None else provenance.layer


def _empty_point(engine: QueryEngine) -> TracePoint:
    return TracePoint(engine.description, layer_number(engine), None, None, None, None, None)


def _point(engine: QueryEngine, question: Question, row: int) -> TracePoint:
    ranking, allowed = engine.ranking(question), engine.allowed(question)
    only = np.zeros(len(engine.table), dtype=bool)
    only[row] = True
    found = ranking.best(1, only)
    score = float(found.scores[0]) if len(found.ids) else None
    first = ranking.best(1, allowed)
    return TracePoint(
        table=engine.description,
        layer=layer_number(engine),
        rank=engine.rank_of(question, row),
        score=score,
        cosine=None if score is None else _cosine(engine, question, row),
        first=_first(engine, question, int(first.ids[0])) if len(first.ids) else None,
        first_other=_first(engine, question, first_answer(engine, question)),
    )


def _cosine(engine: QueryEngine, question: Question, row: int) -> float | None:
    if engine.settings.method not in (Method.SUM, Method.ADD):
        return None
    query, x = question.vectors[0], engine.engine.rows([row])[0]
    size = float(np.linalg.norm(query) * np.linalg.norm(x))
    return float(np.clip(query @ x / size, -1, 1)) if size > 0 else None


def _first(engine: QueryEngine, question: Question, row: int | None) -> FirstAnswer | None:
    if row is None:
        return None
    only = np.zeros(len(engine.table), dtype=bool)
    only[row] = True
    [score] = engine.ranking(question).best(1, only).scores.tolist()
    named = question.resolved.query_ids
    return FirstAnswer(engine.table.vocabulary.display(row), row, score, row in named)


def _layer_order(point: TracePoint) -> float:
    return float("inf") if point.layer is None else point.layer


def _sparklines(name: str, points: Sequence[TracePoint]) -> list[str]:
    """Return the fields of a series' line; none for a table alone."""
    if len(points) < 2:
        return []
    ranks = [None if point.rank is None else -log(point.rank) for point in points]
    similarities = [point.score if point.cosine is None else point.cosine for point in points]
    return [
        f"{name} {_layer_text(points[0])} to {_layer_text(points[-1])}",
        f"rank {sparkline(ranks)}",
        f"similarity {sparkline(similarities)}",
    ]


def _layer_text(point: TracePoint) -> str:
    return "last" if point.layer is None else str(point.layer)


def sparkline(values: Sequence[float | None]) -> str:
    """Return a bar for each value, from the smallest to the largest; a space for None.

    >>> sparkline([0.1, 0.2, None, 0.8])
    '▁▂ █'
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    top = len(BARS) - 1
    return "".join(
        " "
        if value is None
        else BARS[round(top * (value - low) / (high - low)) if high > low else top // 2]
        for value in values
    )
