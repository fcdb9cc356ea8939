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
from wordvec.map.regions import find_regions
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


PLANTED = {
    "年号": ["延喜", "寛永", "元禄"],
    "国": ["フランス", "イギリス", "ドイツ"],
    "動物": ["犬", "猫", "馬"],
    "色": ["赤", "青", "黒"],
    "家族": ["父", "母", "兄"],
    "料理": ["味噌", "砂糖", "醤油"],
}
"""Six groups, each with the three tokens at its centre."""


def planted_table() -> VectorTable:
    """Make a table of PLANTED: in each group, 47 other tokens lie around the three, farther out."""
    rng = np.random.default_rng(0)
    named = {}
    for group, centres in PLANTED.items():
        middle = rng.normal(size=24) * 4
        for i, token in enumerate([*centres, *(f"{group}{i}" for i in range(47))]):
            named[token] = (middle + rng.normal(size=24) * (0.1 if i < 3 else 1)).tolist()
    shuffled = rng.permutation(list(named)).tolist()
    return table_of({token: named[token] for token in shuffled})


def full_tracer(table: VectorTable, metric: Metric = Metric.L2) -> ExpressionTracer:
    """Make a tracer for a map of all tokens."""
    return ExpressionTracer(table, metric, np.ones(len(table), dtype=np.bool_))


def random_map(*tables: VectorTable, sources: tuple[str, ...] = ()) -> TokenMap:
    """Make a map with random positions, and with the first three other tokens as neighbours."""
    V = len(MAP_TOKENS)
    rows = np.arange(V)
    ids = np.array([[other for other in range(V) if other != row][:3] for row in rows])
    regions = find_regions(ids, np.zeros(V, dtype=np.bool_))
    mapped = [
        MappedTable(
            table,
            rows,
            rows,
            np.random.default_rng(seed).normal(size=(V, 2)).astype(np.float32),
            ids,
            score_neighbours(table.vectors, rows, ids, Metric.L2),
            regions,
            np.arange(len(regions[0].typical)),
            tuple(full_tracer(table).trace(parse(source)) for source in sources),
        )
        for seed, table in enumerate(tables)
    ]
    vocabulary = tables[0].vocabulary
    classes = [TOKEN_CLASSES.index(vocabulary.token_class(row)) for row in range(V)]
    return TokenMap(
        vocabulary,
        ProjectionSettings(),
        rows,
        np.array(classes, dtype=np.uint8),
        tuple(mapped),
    )
