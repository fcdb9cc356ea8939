"""All that a map shows of one or two tables: places, true neighbours, expressions as arrows.

Shapes: N tokens on the map, V of the tables, K neighbours of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError
from wordvec.map.arrows import NEAREST, ExpressionTracer, Path
from wordvec.map.colours import CLASSES
from wordvec.map.projection import Projection, Settings, finite_rows, project
from wordvec.progress import Progress, no_progress
from wordvec.search.resolve import resolve
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One table on the map.

    places: (N, 2) float32. neighbours: (N, K) int64 rows of the table, nearest first, -1 where
    there are fewer. scores: (N, K) float64, theirs. paths: the expressions, in order.
    """

    table: VectorTable
    places: NDArray[np.float32]
    neighbours: NDArray[np.int64]
    scores: NDArray[np.float64]
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """What is drawn: N rows of one or two tables of the same vocabulary.

    rows: (N,) int64, ascending. classes: (N,) uint8, places in `colours.CLASSES`.
    left_out: how many rows were asked for and have no place (not finite).
    """

    vocabulary: Vocabulary
    settings: Settings
    rows: NDArray[np.int64]
    classes: NDArray[np.uint8]
    layers: tuple[Layer, ...]
    left_out: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """The tables' names, for a window's or a picture's title."""
        names = " and ".join(str(layer.table.name) for layer in self.layers)
        return f"Map of {names}"


def build_map(  # noqa: PLR0913  (one keyword a setting)
    tables: Sequence[VectorTable],
    *,
    tokens: int | None = None,
    settings: Settings | None = None,
    expressions: Sequence[Expression] = (),
    derived: Sequence[Derived | None] = (),
    force: bool = False,
    progress: Callable[[str], Progress] = lambda _table: no_progress,
) -> Map:
    """Gather a map of one table, or of two that share a vocabulary.

    tokens: how many, from id 0 (None: all). derived: what the store keeps beside each table.
    progress: for each table's name, who is told how its places come along.
    """
    settings = settings or Settings()
    _check(tables)
    for one in expressions:  # a word that is no token is said now, not after minutes
        resolve(one, tables[0].vocabulary)
    kept = list(derived) or [None] * len(tables)
    asked = np.arange(min(tokens or len(tables[0]), len(tables[0])), dtype=np.int64)
    rows = asked
    for table in tables:
        rows = finite_rows(table, rows, settings.metric)
    placed: list[Projection] = []
    for table, beside in zip(tables, kept, strict=True):
        start = placed[0] if placed else None
        report = progress(str(table.name))
        placed.append(
            project(
                table, rows, settings, start=start, derived=beside, force=force, progress=report
            )
        )
    vocabulary = tables[0].vocabulary
    return Map(
        vocabulary,
        settings,
        rows,
        np.array([CLASSES.index(vocabulary.token_class(int(row))) for row in rows], dtype=np.uint8),
        tuple(
            _layer(table, projection, settings.metric, expressions, beside)
            for table, projection, beside in zip(tables, placed, kept, strict=True)
        ),
        left_out=len(asked) - len(rows),
    )


def _check(tables: Sequence[VectorTable]) -> None:
    if not 1 <= len(tables) <= 2:
        raise UsageError(f"a map is of one table or of two, got {len(tables)}")
    first, last = tables[0], tables[-1]
    if first.vocabulary.tokens != last.vocabulary.tokens:
        raise UsageError(
            f"{first.name} and {last.name} have different vocabularies: tokens cannot move from "
            "one to the other",
            hint="give two tables of one model",
        )


def _layer(
    table: VectorTable,
    projection: Projection,
    metric: Metric,
    expressions: Sequence[Expression],
    derived: Derived | None,
) -> Layer:
    from wordvec.search.neighbour_graph import neighbour_graph

    graph = neighbour_graph(table, NEAREST, metric=metric, derived=derived)
    ids = graph.ids[projection.rows].astype(np.int64)
    on_map = np.zeros(len(table), dtype=np.bool_)
    on_map[projection.rows] = True
    return Layer(
        table,
        projection.places,
        ids,
        exact_scores(table.vectors, projection.rows, ids, metric),
        tuple(map(ExpressionTracer(table, metric, on_map).path, expressions)),
    )


def exact_scores(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], ids: NDArray[np.int64], metric: Metric
) -> NDArray[np.float64]:
    """Score neighbours in float64, so that the page prints the digits that the terminal prints.

    The graph keeps float32. ids: (N, K), -1 for none, whose score is NaN.
    """
    scores = np.full(ids.shape, np.nan)
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        own = vectors[rows[begin : begin + _ROWS_AT_ONCE]].astype(np.float64)[:, None]
        near = ids[begin : begin + _ROWS_AT_ONCE]
        others = vectors[near].astype(np.float64)  # (B, K, D)
        if metric is Metric.COSINE:
            dots = np.einsum("bkd,bkd->bk", np.broadcast_to(own, others.shape), others)
            lengths = np.linalg.norm(own, axis=2) * np.linalg.norm(others, axis=2)
            found = dots / np.where(lengths > 0, lengths, 1)
        else:
            found = np.linalg.norm(own - others, axis=2)
        scores[begin : begin + len(near)] = np.where(near >= 0, found, np.nan)
    return scores
