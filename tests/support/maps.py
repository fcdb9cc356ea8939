"""Maps for the tests, with given positions: t-SNE is not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from support.tables import table_of
from wordvec.expression.parser import parse
from wordvec.map.arrows import ExpressionTracer
from wordvec.map.build import MappedTable, TokenMap, score_neighbours
from wordvec.map.colours import TOKEN_CLASSES
from wordvec.map.projection import ProjectionSettings
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable

MAP_TOKENS = [
    "[PAD]", "王", "男", "女", "女王", "##王", "の", "カナ", "king", "1999", "<b>&", "山", "川",
]  # fmt: skip


def random_table(*, seed: int = 0, mode: Mode = Mode.STATIC) -> VectorTable:
    """Make a table of MAP_TOKENS with 6 dimensions."""
    rows = np.random.default_rng(seed).normal(size=(len(MAP_TOKENS), 6)).astype(np.float32)
    return table_of(dict(zip(MAP_TOKENS, rows.tolist(), strict=True)), mode=mode, special=1)


def full_tracer(table: VectorTable, metric: Metric = Metric.L2) -> ExpressionTracer:
    """Make a tracer for a map of all tokens."""
    return ExpressionTracer(table, metric, np.ones(len(table), dtype=np.bool_))


def random_map(*tables: VectorTable, sources: tuple[str, ...] = ()) -> TokenMap:
    """Make a map with random positions, and with the first three other tokens as neighbours."""
    V = len(MAP_TOKENS)
    rows = np.arange(V)
    ids = np.array([[other for other in range(V) if other != row][:3] for row in rows])
    mapped = [
        MappedTable(
            table,
            np.random.default_rng(seed).normal(size=(V, 2)).astype(np.float32),
            ids,
            score_neighbours(table.vectors, rows, ids, Metric.L2),
            tuple(full_tracer(table).trace(parse(source)) for source in sources),
        )
        for seed, table in enumerate(tables)
    ]
    vocabulary = tables[0].vocabulary
    classes = [TOKEN_CLASSES.index(vocabulary.token_class(row)) for row in range(V)]
    return TokenMap(
        vocabulary, ProjectionSettings(), rows, np.array(classes, dtype=np.uint8), tuple(mapped)
    )
