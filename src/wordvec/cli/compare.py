"""`wordvec compare`: the answers of several tables to one expression, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    OutputStyle,
    header_lines,
    number,
    one_line,
    settings_fields,
    shape_text,
    table_lines,
    table_name,
)
from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    k_option,
    model_option,
    output_options,
    query_options,
    store_option,
    tables_option,
)
from wordvec.cli.output import Format, print_report
from wordvec.cli.progress_bar import ProgressBar
from wordvec.errors import UsageError
from wordvec.tables.name import TableRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.compare import ComparedNeighbour, Comparison, Overlap
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.store import Store
    from wordvec.tables.table import TableDescription

EPILOG = """\b
Examples:
  wordvec compare 王-男+女
  wordvec compare 男:女=王:? --metric cosine --exclude -k 20
  wordvec compare 王 --tables mini:static,mini:dynamic
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR")
@tables_option("Tables to compare", default="static,dynamic")
@model_option(
    "Model of the tables that name none (default: WORDVEC_MODEL, else the reference model)."
)
@store_option
@k_option
@query_options
@output_options
def command(
    *,
    expressions: tuple[str, ...],
    tables: tuple[str, ...],
    model: str | None,
    settings: QuerySettings,
    store: Store,
    output_format: Format,
) -> None:
    """Compare the answers of several tables to one expression.

    Each answer is shown with its rank in the other tables, even if it is beyond -k. The last line
    shows how many answers two tables share, and the rank-biased overlap of the two lists (1 for
    equal lists; p = 0.9).
    """
    from wordvec.analysis.compare import compare
    from wordvec.cli.opening import open_tables
    from wordvec.expression.parser import parse

    refuse_lone_operators("compare", expressions)
    if len(expressions) > 1:
        raise UsageError(
            f"compare takes one expression, got {len(expressions)}",
            hint="separate tables by a comma: --tables static,dynamic",
        )
    expression = parse(expressions[0])
    refs = [TableRef.parse(name) for name in tables or ("static", "dynamic")]
    if len(refs) < 2:
        raise UsageError("a comparison needs at least two tables", hint="--tables static,dynamic")
    with ProgressBar("tokens") as bar:
        opened = open_tables([replace(ref, model=ref.model or model) for ref in refs], store)
        _refuse_duplicates([str(table.name) for table in opened])
        engines = [table.engine_for(settings, progress=bar) for table in opened]
        comparison = compare(engines, expression)
    print_notes(note for engine in engines for note in engine.notes)
    print_notes(comparison.notes)
    print_report(
        output_format,
        json=[comparison.to_dict()],
        tsv=_tsv_rows(comparison),
        text=lambda style: _text_lines(comparison, style),
    )


def _refuse_duplicates(names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise UsageError(f"{name} is named twice: choose different tables")


def _tsv_rows(comparison: Comparison) -> Iterator[list[object]]:
    names = [table_name(column.answer.table) for column in comparison.columns]
    score = comparison.settings.ranking_metric.score_name
    merged = comparison.settings.merge_twins
    titles = ["query", "table", "rank", "token", "id", score, "in_query"]
    yield [*titles, *(["twins"] if merged else []), *(f"rank {name}" for name in names)]
    for name, column in zip(names, comparison.columns, strict=True):
        for compared in column.neighbours:
            n = compared.neighbour
            twins = [" ".join(n.twins)] if merged else []
            values = [comparison.query, name, n.rank, n.token, n.id, n.score, n.in_query]
            yield [*values, *twins, *compared.ranks]


def _text_lines(comparison: Comparison, style: OutputStyle) -> Iterator[str]:
    tables = [column.answer.table for column in comparison.columns]
    names = short_names(tables)
    if _names_fit(comparison, names, style):
        fields = [f"{name} {shape_text(table)}" for name, table in zip(names, tables, strict=True)]
        if len({table.model for table in tables}) == 1:
            fields.insert(0, tables[0].model)
    else:  # cut names such as mini:sta… and mini:dyn… would be hard to tell apart
        names = [str(i) for i in range(1, len(tables) + 1)]
        fields = [
            f"{i} {table_name(table)} {shape_text(table)}"
            for i, table in zip(names, tables, strict=True)
        ]
    yield from header_lines([*fields, *settings_fields(comparison.settings)], style)
    yield ""
    yield style.paint(one_line(comparison.query), "bold")
    yield from _neighbour_lines(comparison, names, style)
    yield ""
    plain = replace(style, colour=False)
    for overlap in comparison.overlaps:
        yield from header_lines(_overlap_fields(overlap, comparison, names), plain)


def _names_fit(comparison: Comparison, names: Sequence[str], style: OutputStyle) -> bool:
    """Whether the heading of each table fits the screen, if the tables are below one another."""
    if style.cells is None:
        return True
    headings = (_columns(comparison, i, names) for i in range(len(names)))
    return all(
        len("rank") + sum(2 + text.width(column.title) for column in columns) <= style.cells
        for columns in headings
    )


def _neighbour_lines(comparison: Comparison, names: Sequence[str], style: OutputStyle) -> list[str]:
    """Return the answers side by side, or one below the other on a narrow screen."""
    groups = [(_columns(comparison, i, names), _rows(comparison, i)) for i in range(len(names))]
    rank = Column("rank", right=True)
    depth = max(len(rows) for _, rows in groups)
    columns = [rank, *(column for columns, _ in groups for column in columns)]
    rows = [
        [Cell(str(i + 1)), *(cell for columns, rows in groups for cell in _row(columns, rows, i))]
        for i in range(depth)
    ]
    plain = table_lines(columns, rows, OutputStyle())
    if style.cells is None or max(map(text.width, plain)) <= style.cells:
        return table_lines(columns, rows, style)
    lines: list[str] = []
    for columns, rows in groups:
        ranked = [[Cell(str(i)), *row] for i, row in enumerate(rows, start=1)]
        lines += [*([""] if lines else []), *table_lines([rank, *columns], ranked, style)]
    return lines


def _columns(comparison: Comparison, i: int, names: Sequence[str]) -> list[Column]:
    """Return the columns of one table: token, score, and the rank in each other table."""
    return [
        Column(names[i], shrinks=True),
        Column(comparison.settings.ranking_metric.score_name, right=True),
        *(Column(f"in {name}", right=True, shrinks=True) for j, name in enumerate(names) if j != i),
    ]


def _rows(comparison: Comparison, i: int) -> list[list[Cell]]:
    """Return the rows of one table, one per answer, for the columns of `_columns`."""
    others = [j for j in range(len(comparison.columns)) if j != i]
    return [_cells(compared, others) for compared in comparison.columns[i].neighbours]


def _cells(compared: ComparedNeighbour, others: Sequence[int]) -> list[Cell]:
    neighbour = compared.neighbour
    marks = [*(["*"] if neighbour.in_query else []), *(f"= {twin}" for twin in neighbour.twins)]
    ranks = [compared.ranks[j] for j in others]
    cells = [
        " ".join([neighbour.token, *marks]),
        number(neighbour.score),
        *("–" if rank is None else f"{rank:,}" for rank in ranks),
    ]
    return [Cell(cell, "dim" if neighbour.in_query else None) for cell in cells]


def _row(columns: Sequence[Column], rows: Sequence[list[Cell]], i: int) -> list[Cell]:
    """Return row i, or empty cells if the list of this table is shorter."""
    return rows[i] if i < len(rows) else [Cell("") for _ in columns]


def _overlap_fields(overlap: Overlap, comparison: Comparison, names: Sequence[str]) -> list[str]:
    first, second = names[overlap.first], names[overlap.second]
    longer = max(len(comparison.columns[i].neighbours) for i in (overlap.first, overlap.second))
    fields = [
        f"{first} and {second} share {overlap.shared} of {longer}",
        f"rank-biased overlap {overlap.rbo:.2f}",
    ]
    for name, count in ((first, overlap.only_first), (second, overlap.only_second)):
        if count:
            fields.append(f"{count:,} {'token' if count == 1 else 'tokens'} in {name} alone")
    return fields


def short_names(tables: Sequence[TableDescription]) -> list[str]:
    """Return names that differ: modes, models or both, without the owners on the hub."""
    layers = ["" if table.layer is None else f"@{table.layer}" for table in tables]
    models = [text.escape(table.model.rstrip("/").rsplit("/", 1)[-1]) for table in tables]
    modes = [f"{table.mode}{layer}" for table, layer in zip(tables, layers, strict=True)]
    both = [f"{text.clip(m, 24)}:{mode}" for m, mode in zip(models, modes, strict=True)]
    for names in (modes, [text.clip(model, 24) for model in models], both):
        if len(set(names)) == len(names) and (names is not modes or len(set(models)) == 1):
            return names
    return [table_name(table) for table in tables]
