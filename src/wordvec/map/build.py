"""The data of a map of some tables: positions, nearest neighbours, regions, traced expressions.

Shapes: N tokens on the map, V tokens of a table, K neighbours of each token. A row of the map is a
row of the joint vocabulary of the tables; see `joint_vocabulary`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.map.arrows import NEAREST, ExpressionTracer, PartialSum, TracedExpression
from wordvec.map.colours import TOKEN_CLASSES, ColourBy
from wordvec.map.joint_vocabulary import join_vocabularies
from wordvec.map.projection import (
    Projection,
    ProjectionSettings,
    neighbours_within,
    placeable_rows,
    project,
    rows_key,
)
from wordvec.map.regions import NEIGHBOURS, RegionLevel, find_regions, match_colours
from wordvec.progress import Progress, no_progress
from wordvec.search.neighbour_graph import nearest_to
from wordvec.search.resolve import resolve
from wordvec.search.settings import Metric
from wordvec.text import TokenClass, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.expression.tree import Expression
    from wordvec.map.joint_vocabulary import JointVocabulary
    from wordvec.map.labels import TokenLabels
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

T = TypeVar("T", bound="np.generic[Any]")
_ROWS_AT_ONCE = 512
_PIECES = (TokenClass.SUBWORD, TokenClass.SPECIAL)  # no whole words


@dataclass(frozen=True, slots=True, eq=False)
class MappedTable:
    """One table on a map.

    map_rows: (V,) int64, the row of the map of each row of the table.
    rows: (N,) int64, the row of the table of each token on the map; -1 for tokens that it lacks.
    positions: (N, 2) float32; NaN for tokens that it lacks.
    neighbours: (N, K) int64, rows of the map, nearest first; -1 where there are fewer.
    scores: (N, K) float64, of the neighbours; NaN where there is none.
    regions: for each level of detail, the coarsest first.
    region_colours: for each of the coarsest, the number of its colour; see `match_colours`.
    expressions: in the order in which they were given, with rows of the map.
    """

    table: VectorTable
    map_rows: NDArray[np.int64]
    rows: NDArray[np.int64]
    positions: NDArray[np.float32]
    neighbours: NDArray[np.int64]
    scores: NDArray[np.float64]
    regions: tuple[RegionLevel, ...]
    region_colours: NDArray[np.int64]
    expressions: tuple[TracedExpression, ...]

    @property
    def has(self) -> NDArray[np.bool_]:
        """Whether the table has each token on the map: (N,)."""
        return self.rows >= 0


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a map that a page shows first, and that a picture shows.

    around: a row of the map, in the centre; None for everything.
    zoom: relative to the whole map.
    only: the one class of tokens that is shown; None for all.
    colour: what the tokens are coloured by; None for labels if there are any, for the tables that
        have a token if their vocabularies differ, and else for classes.
    """

    around: int | None = None
    zoom: float = 1.0
    only: TokenClass | None = None
    colour: ColourBy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TokenMap:
    """N tokens of one or more tables on a plane.

    vocabulary: the joint vocabulary of the tables.
    rows: (N,) int64, ascending. classes: (N,) uint8, indices into `colours.TOKEN_CLASSES`.
    left_out: how many of the requested rows have no position.
    labels: of the tokens, from a file of the user.
    window: the part that is shown.
    is_joint: whether the vocabularies of the tables differ.
    """

    vocabulary: Vocabulary
    settings: ProjectionSettings
    rows: NDArray[np.int64]
    classes: NDArray[np.uint8]
    tables: tuple[MappedTable, ...]
    left_out: int = 0
    labels: TokenLabels | None = None
    window: Window = Window()
    is_joint: bool = False

    def table_patterns(self) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which tables have a token: (P, tables) patterns, and the pattern of each token."""
        has = np.stack([mapped.has for mapped in self.tables], axis=1)
        patterns, pattern_of = np.unique(~has, axis=0, return_inverse=True)  # in every table: first
        return ~patterns, pattern_of.reshape(-1).astype(np.int64)

    @property
    def title(self) -> str:
        """The title of the page: the names of the tables."""
        return f"Map of {' and '.join(str(mapped.table.name) for mapped in self.tables)}"


def build_map(  # noqa: PLR0913  (one keyword per setting)
    tables: Sequence[VectorTable],
    *,
    tokens: int | None = None,
    settings: ProjectionSettings | None = None,
    expressions: Sequence[Expression] = (),
    labels: TokenLabels | None = None,
    window: Window | None = None,
    derived: Sequence[Derived | None] = (),
    force: bool = False,
    progress: Callable[[str], Progress] = lambda _table: no_progress,
) -> TokenMap:
    """Build a map of tables, each projected from the positions of those before it.

    Args:
        tables: at least one. Tokens with the same text are one token of the map.
        tokens: how many of each table, from id 0; None for all. A token of one of the tables is
            placed in each table that has it.
        settings: None for the defaults.
        expressions: to be traced as arrows.
        labels: of the tokens of the joint vocabulary, to colour them by.
        window: the part to show; None for everything.
        derived: for each table, where positions and neighbours are saved; empty saves nothing.
        force: recompute saved positions.
        progress: takes the name of a table and returns the progress callback for its projection.

    Raises:
        UsageError: for no table.
        ExpressionError: if a term of an expression is not in the vocabulary of a table.
        WordvecError: for fewer than five tokens of a table that can be placed, or if the token or
            the class of the window is not on the map.
        MissingExtraError: if openTSNE, umap-learn or scikit-network is not installed.
    """
    if not tables:
        raise UsageError("a map needs at least one table")
    settings, window = settings or ProjectionSettings(), window or Window()
    derived = list(derived) or [None] * len(tables)
    joint = join_vocabularies([table.vocabulary for table in tables])
    for table in tables:  # an unknown word must not fail after minutes of t-SNE
        _check_words(expressions, table, is_alone=len(tables) == 1)
    chosen, left_out = _choose_rows(tables, joint, tokens, settings.metric)
    rows = np.unique(
        np.concatenate([all_[own] for all_, own in zip(joint.rows, chosen, strict=True)])
    )
    classes = [TOKEN_CLASSES.index(joint.vocabulary.token_class(row)) for row in rows.tolist()]
    token_map = TokenMap(
        joint.vocabulary,
        settings,
        rows,
        np.array(classes, dtype=np.uint8),
        (),
        left_out=left_out,
        labels=labels,
        window=window,
        is_joint=len({table.vocabulary.tokens for table in tables}) > 1,
    )
    _check_window(token_map, len(tables))
    mapped: list[MappedTable] = []
    latest = np.full((len(rows), 2), np.nan, dtype=np.float32)  # where each token was placed last
    for i, table in enumerate(tables):
        placing = _Placing(table, joint.rows[i], chosen[i], rows, settings, derived[i])
        shown_progress = progress(str(table.name))
        positions = placing.positions(latest, force=force, progress=shown_progress)
        mapped.append(placing.mapped(positions, expressions, mapped[-1] if mapped else None))
        latest[placing.points] = positions
    return replace(token_map, tables=tuple(mapped))


def _check_words(expressions: Sequence[Expression], table: VectorTable, *, is_alone: bool) -> None:
    for expression in expressions:
        try:
            resolve(expression, table.vocabulary)
        except UnknownWordError as error:
            raise error if is_alone else error.in_table(table.name) from error


def _choose_rows(
    tables: Sequence[VectorTable], joint: JointVocabulary, tokens: int | None, metric: Metric
) -> tuple[list[NDArray[np.int64]], int]:
    """Return which rows of each table are placed, ascending, and how many tokens are left out.

    A token is left out if a table has a vector for it that cannot be placed.
    """
    requested = np.zeros(len(joint.vocabulary), dtype=np.bool_)
    for map_rows in joint.rows:
        requested[map_rows[:tokens]] = True
    placeable = np.zeros_like(requested)
    unplaceable = np.zeros_like(requested)
    owned = []
    for table, map_rows in zip(tables, joint.rows, strict=True):
        has = requested[map_rows]
        has[list(table.vocabulary.rare)] = False
        own = np.flatnonzero(has)
        usable = placeable_rows(table, own, metric)
        placeable[map_rows[usable]] = True
        unplaceable[map_rows[np.setdiff1d(own, usable, assume_unique=True)]] = True
        owned.append(own)
    on_map = placeable & ~unplaceable
    chosen = [own[on_map[map_rows[own]]] for own, map_rows in zip(owned, joint.rows, strict=True)]
    return chosen, int(requested.sum() - on_map.sum())


def _check_window(token_map: TokenMap, table_count: int) -> None:
    """Fail before minutes of work if the map has nothing to show in its window."""
    around, only, colour = (
        token_map.window.around,
        token_map.window.only,
        token_map.window.colour,
    )
    if around is not None and around not in token_map.rows:
        token = quote(token_map.vocabulary.display(around))
        raise WordvecError(f"{token} is not on this map", hint="--tokens all")
    if only is not None and TOKEN_CLASSES.index(only) not in token_map.classes:
        raise WordvecError(f"no token on this map has the class {only}")
    if only is not None and colour not in (None, ColourBy.CLASS):
        raise UsageError(f"one class alone is shown with the colours of classes, not of {colour}")
    if colour is ColourBy.LABELS and token_map.labels is None:
        raise UsageError("colours by labels need a file of labels", hint="--labels FILE.tsv")
    if colour in (ColourBy.MOVED, ColourBy.TABLES) and table_count < 2:
        raise UsageError(f"colours by {colour} need two tables", hint="--tables static,dynamic")


@dataclass(frozen=True, slots=True, eq=False)
class _Placing:
    """Places one table on the map.

    map_rows: (V,), see `MappedTable`. own: the rows of the table to place, ascending.
    rows: (N,) all rows of the map.
    """

    table: VectorTable
    map_rows: NDArray[np.int64]
    own: NDArray[np.int64]
    rows: NDArray[np.int64]
    settings: ProjectionSettings
    derived: Derived | None

    @property
    def points(self) -> NDArray[np.int64]:
        """The indices, among the N tokens of the map, of the rows to place."""
        return np.searchsorted(self.rows, self.map_rows[self.own])

    def positions(
        self, latest: NDArray[np.float32], *, force: bool, progress: Progress
    ) -> NDArray[np.float32]:
        """Return the positions of the rows to place. latest: (N, 2), NaN for tokens without one."""
        before = latest[self.points]
        shared = np.isfinite(before).all(axis=1)
        return project(
            self.table,
            self.own,
            self.settings,
            reference=Projection(self.own[shared], before[shared]) if shared.any() else None,
            derived=self.derived,
            force=force,
            progress=progress,
        ).positions

    def mapped(
        self,
        positions: NDArray[np.float32],
        expressions: Sequence[Expression],
        before: MappedTable | None,
    ) -> MappedTable:
        """Return the table with these positions; `before` is the table before it on the map."""
        N, points, metric = len(self.rows), self.points, self.settings.metric
        graph = nearest_to(self.table, self.own, NEAREST, metric=metric, derived=self.derived)
        ids = graph.ids.astype(np.int64)
        scores = score_neighbours(self.table.vectors, self.own, ids, metric)
        on_map = np.zeros(len(self.table), dtype=np.bool_)
        on_map[self.own] = True
        tracer = ExpressionTracer(self.table, metric, on_map)
        regions = self._regions()
        colours = np.arange(len(regions[0].typical))
        if before is not None:
            colours = match_colours(regions[0], before.regions[0], before.region_colours)
        return MappedTable(
            self.table,
            self.map_rows,
            _spread(self.own, points, N, -1),
            _spread(positions, points, N, np.nan),
            _spread(np.where(ids < 0, -1, self.map_rows[ids]), points, N, -1),
            _spread(scores, points, N, np.nan),
            regions,
            colours,
            tuple(_on_map(tracer.trace(each), self.map_rows) for each in expressions),
        )

    def _regions(self) -> tuple[RegionLevel, ...]:
        vocabulary, settings = self.table.vocabulary, self.settings
        k = min(NEIGHBOURS, len(self.own) - 1)
        near = neighbours_within(self.table, self.own, k, settings.metric, self.derived).ids
        key = rows_key(self.table, self.own, settings.metric)
        is_piece = np.array([vocabulary.token_class(row) in _PIECES for row in self.own.tolist()])
        levels = find_regions(near, is_piece, seed=settings.seed, derived=self.derived, key=key)
        return tuple(
            RegionLevel(
                _spread(level.region_of, self.points, len(self.rows), -1),
                np.where(level.typical < 0, -1, self.points[level.typical]).astype(np.int32),
            )
            for level in levels
        )


def _spread(
    values: NDArray[T], points: NDArray[np.int64], count: int, missing: float
) -> NDArray[T]:
    """Return (count, …) with the values at these points and `missing` elsewhere."""
    spread = np.full((count, *values.shape[1:]), missing, dtype=values.dtype)
    spread[points] = values
    return spread


def _on_map(traced: TracedExpression, map_rows: NDArray[np.int64]) -> TracedExpression:
    """Return the same with rows of the map in place of rows of the table."""

    def moved(rows: Sequence[int]) -> tuple[int, ...]:
        return tuple(map_rows[list(rows)].tolist())

    return replace(
        traced,
        partial_sums=tuple(
            PartialSum(each.label, moved(each.rows), each.weights) for each in traced.partial_sums
        ),
        query_rows=tuple(sorted(moved(traced.query_rows))),
        neighbours=tuple((int(map_rows[row]), score) for row, score in traced.neighbours),
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
