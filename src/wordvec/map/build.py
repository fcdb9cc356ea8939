"""The data of a map of one or two tables: positions, nearest neighbours, traced expressions.

Shapes: N tokens on the map, V tokens of a table, K neighbours of each token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError, WordvecError
from wordvec.map.arrows import NEAREST, ExpressionTracer, TracedExpression
from wordvec.map.colours import TOKEN_CLASSES
from wordvec.map.projection import (
    Projection,
    ProjectionSettings,
    neighbours_within,
    placeable_rows,
    project,
    rows_key,
)
from wordvec.map.regions import NEIGHBOURS, RegionLevel, find_regions
from wordvec.progress import Progress, no_progress
from wordvec.search.neighbour_graph import nearest_to
from wordvec.search.resolve import resolve
from wordvec.search.settings import Metric
from wordvec.text import TokenClass, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression
    from wordvec.map.labels import TokenLabels
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

_ROWS_AT_ONCE = 512
_PIECES = (TokenClass.SUBWORD, TokenClass.SPECIAL)  # no whole words


@dataclass(frozen=True, slots=True, eq=False)
class MappedTable:
    """One table on a map.

    positions: (N, 2) float32.
    neighbours: (N, K) int64, rows of the table, nearest first; -1 where the table has fewer.
    scores: (N, K) float64, of the neighbours; NaN where there is none.
    expressions: in the order in which they were given.
    """

    table: VectorTable
    positions: NDArray[np.float32]
    neighbours: NDArray[np.int64]
    scores: NDArray[np.float64]
    expressions: tuple[TracedExpression, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a map that a page shows first, and that a picture shows.

    around: a row, in the centre; None for everything.
    zoom: relative to the whole map.
    only: the one class of tokens that is shown; None for all.
    """

    around: int | None = None
    zoom: float = 1.0
    only: TokenClass | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TokenMap:
    """N tokens of one table, or of two tables with the same vocabulary, on a plane.

    rows: (N,) int64, ascending. classes: (N,) uint8, indices into `colours.TOKEN_CLASSES`.
    regions: of the first table, for each level of detail, the coarsest first.
    left_out: how many of the requested rows have no position.
    labels: of the tokens, from a file of the user.
    window: the part that is shown.
    """

    vocabulary: Vocabulary
    settings: ProjectionSettings
    rows: NDArray[np.int64]
    classes: NDArray[np.uint8]
    tables: tuple[MappedTable, ...]
    regions: tuple[RegionLevel, ...]
    left_out: int = 0
    labels: TokenLabels | None = None
    window: Window = Window()

    @property
    def title(self) -> str:
        """The title of the page: the names of the tables."""
        return f"Map of {' and '.join(str(mapped.table.name) for mapped in self.tables)}"

    def show(self, window: Window) -> TokenMap:
        """Return the same map, with a part of it to show.

        Raises:
            WordvecError: if the token or the class is not on this map.
        """
        if window.around is not None and window.around not in self.rows:
            token = quote(self.vocabulary.display(window.around))
            raise WordvecError(f"{token} is not on this map", hint="use all tokens: tokens=None")
        if window.only is not None and TOKEN_CLASSES.index(window.only) not in self.classes:
            raise WordvecError(f"no token on this map has the class {window.only}")
        return replace(self, window=window)


def build_map(  # noqa: PLR0913  (one keyword per setting)
    tables: Sequence[VectorTable],
    *,
    tokens: int | None = None,
    settings: ProjectionSettings | None = None,
    expressions: Sequence[Expression] = (),
    labels: TokenLabels | None = None,
    derived: Sequence[Derived | None] = (),
    force: bool = False,
    progress: Callable[[str], Progress] = lambda _table: no_progress,
) -> TokenMap:
    """Build a map of one table, or of two tables with the same vocabulary.

    Args:
        tables: one or two. The second is projected from the positions of the first and aligned
            with them.
        tokens: how many, from id 0; None for all.
        settings: None for the defaults.
        expressions: to be traced as arrows.
        labels: of the tokens, to colour them by.
        derived: for each table, where positions and neighbours are saved; empty saves nothing.
        force: recompute saved positions.
        progress: takes the name of a table and returns the progress callback for its t-SNE.

    Raises:
        UsageError: for other than one or two tables, or for two with different vocabularies.
        ExpressionError: if a term of an expression is not in the vocabulary.
        WordvecError: for fewer than five tokens that can be placed.
        MissingExtraError: if openTSNE or scikit-network is not installed.
    """
    settings = settings or ProjectionSettings()
    derived = list(derived) or [None] * len(tables)
    _check_tables(tables)
    vocabulary = tables[0].vocabulary
    for expression in expressions:  # an unknown word must not fail after minutes of t-SNE
        resolve(expression, vocabulary)
    requested = min(len(tables[0]) if tokens is None else tokens, len(tables[0]))
    rows = np.arange(requested, dtype=np.int64)
    for table in tables:
        rows = placeable_rows(table, rows, settings.metric)
    mapped: list[MappedTable] = []
    reference: Projection | None = None
    for table, saved in zip(tables, derived, strict=True):
        projection = project(
            table,
            rows,
            settings,
            reference=reference,
            derived=saved,
            force=force,
            progress=progress(str(table.name)),
        )
        reference = reference or projection
        mapped.append(_map_table(table, projection, settings.metric, expressions, saved))
    token_classes = [vocabulary.token_class(row) for row in rows.tolist()]
    is_piece = np.array([each in _PIECES for each in token_classes])
    return TokenMap(
        vocabulary,
        settings,
        rows,
        np.array([TOKEN_CLASSES.index(each) for each in token_classes], dtype=np.uint8),
        tuple(mapped),
        _regions(tables[0], rows, is_piece, settings, derived[0]),
        left_out=requested - len(rows),
        labels=labels,
    )


def _regions(
    table: VectorTable,
    rows: NDArray[np.int64],
    is_piece: NDArray[np.bool_],
    settings: ProjectionSettings,
    derived: Derived | None,
) -> tuple[RegionLevel, ...]:
    k = min(NEIGHBOURS, len(rows) - 1)
    neighbours = neighbours_within(table, rows, k, settings.metric, derived).ids
    key = rows_key(table, rows, settings.metric)
    return find_regions(neighbours, is_piece, seed=settings.seed, derived=derived, key=key)


def _check_tables(tables: Sequence[VectorTable]) -> None:
    if not 1 <= len(tables) <= 2:
        raise UsageError(f"a map shows one or two tables, got {len(tables)}")
    first, last = tables[0], tables[-1]
    if first.vocabulary.tokens != last.vocabulary.tokens:
        raise UsageError(
            f"{first.name} and {last.name} have different vocabularies, so they cannot share a map",
            hint="use two tables of the same model",
        )


def _map_table(
    table: VectorTable,
    projection: Projection,
    metric: Metric,
    expressions: Sequence[Expression],
    derived: Derived | None,
) -> MappedTable:
    graph = nearest_to(table, projection.rows, NEAREST, metric=metric, derived=derived)
    ids = graph.ids.astype(np.int64)
    on_map = np.zeros(len(table), dtype=np.bool_)
    on_map[projection.rows] = True
    tracer = ExpressionTracer(table, metric, on_map)
    return MappedTable(
        table,
        projection.positions,
        ids,
        score_neighbours(table.vectors, projection.rows, ids, metric),
        tuple(map(tracer.trace, expressions)),
    )


def score_neighbours(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], ids: NDArray[np.int64], metric: Metric
) -> NDArray[np.float64]:
    """Return the scores of neighbours in float64.

    The neighbour graph has float32 scores, whose last digits differ from those of `wordvec query`.

    Args:
        vectors: (V, D).
        rows: (N,).
        ids: (N, K), the neighbours of each of these rows, -1 for none.
        metric: L2 or cosine.

    Returns:
        (N, K), NaN where there is no neighbour.
    """
    scores = np.full(ids.shape, np.nan)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        own = vectors[rows[start : start + _ROWS_AT_ONCE]].astype(np.float64)[:, None]  # (B, 1, D)
        block = ids[start : start + _ROWS_AT_ONCE]
        others = vectors[block].astype(np.float64)  # (B, K, D)
        if metric is Metric.COSINE:
            products = np.einsum("bkd,bkd->bk", np.broadcast_to(own, others.shape), others)
            norms = np.linalg.norm(own, axis=2) * np.linalg.norm(others, axis=2)
            found = products / np.where(norms > 0, norms, 1)
        else:
            found = np.linalg.norm(own - others, axis=2)
        scores[start : start + len(block)] = np.where(block >= 0, found, np.nan)
    return scores
