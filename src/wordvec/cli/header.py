"""The fields of the header line: which table, which metric, what was done to the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.search.settings import Method, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

METRIC_NAMES = {
    Metric.L2: "L2 distance",
    Metric.COSINE: "cosine similarity",
    Metric.DOT: "inner product",
    Metric.CSLS: "CSLS",
}
_METHOD_NAMES = {Method.ADD: "3CosAdd", Method.MUL: "3CosMul", Method.DIRECTION: "PairDirection"}


def table_name(table: TableDescription) -> str:
    """Return the name of a table: `mini:static`."""
    return f"{table.model}:{table.mode}" + ("" if table.layer is None else f"@{table.layer}")


def shape_text(table: TableDescription) -> str:
    """Return the shape of a table: `32,000 × 256`."""
    return f"{table.tokens:,} × {table.dimensions}"


def table_fields(table: TableDescription) -> list[str]:
    """Return the name and the shape of a table."""
    return [table_name(table), shape_text(table)]


def settings_fields(settings: QuerySettings) -> list[str]:
    """Return how expressions are answered: metric, transforms, filters."""
    method, metric = _METHOD_NAMES.get(settings.method), METRIC_NAMES[settings.ranking_metric]
    return [
        *([method] if method else []),
        *([metric] if not method or settings.metric is Metric.CSLS else []),
        transforms_field(settings.all_transforms),
        *(["query words left out"] if settings.exclude else []),
        *settings.filters.facts(),
        *(["twins merged"] if settings.merge_twins else []),
    ]


def transforms_field(transforms: Sequence[str]) -> str:
    """Return what was done to the vectors: `raw vectors`, `center, unit vectors`."""
    return f"{', '.join(transforms) or 'raw'} vectors"
