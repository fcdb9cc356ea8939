"""`wordvec compare`: the same expression in several tables, side by side."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.cli.bar import Bar
from wordvec.cli.options import (
    DashCommand,
    asking_options,
    complete_model,
    flat,
    k_option,
    output_options,
    refuse_lone_operators,
    store_option,
    tables_option,
)
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
    header_lines,
    note,
    number,
    one_line,
    table_lines,
    tsv_line,
    write_json,
    write_lines,
)
from wordvec.cli.query import settings_facts, table_name
from wordvec.errors import UsageError
from wordvec.tables.name import TableRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.compare import ComparedNeighbour, Comparison, Overlap
    from wordvec.search.settings import Settings
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
@tables_option("static,dynamic", text="Tables to compare")
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=complete_model,
    help="Model of the tables that name none (else WORDVEC_MODEL, else the reference model).",
)
@store_option
@k_option
@asking_options
@output_options
def command(
    *,
    expressions: tuple[str, ...],
    tables: tuple[tuple[str, ...], ...],
    model: str | None,
    settings: Settings,
    store: Store,
    form: Format,
) -> None:
    """Ask tables the same, and show their answers side by side.

    Beside each answer stands its rank in the other tables, far down too. Below: how many answers
    two tables share, and the rank-biased overlap of the lists (1: the same list; p = 0.9).
    """
    from wordvec.analysis.compare import compare
    from wordvec.analysis.query import QueryEngine
    from wordvec.api import open_tables
    from wordvec.expression.parser import parse

    refuse_lone_operators("compare", expressions)
    if len(expressions) > 1:
        raise UsageError(f"compare takes one expression, got {len(expressions)}")
    expression = parse(expressions[0])
    named = flat(tables) or ("static", "dynamic")
    refs = [TableRef.parse(name) for name in named]
    if len(refs) < 2:
        raise UsageError("a comparison needs two tables or more", hint="--tables static,dynamic")
    with Bar("tokens") as bar:
        opened = open_tables([replace(ref, model=ref.model or model) for ref in refs], store)
        _refuse_twice([str(one.table.name) for one in opened])
        engines = [
            QueryEngine(one.table, settings, derived=store.derived(one.table), progress=bar)
            for one in opened
        ]
        found = compare(engines, expression)
    remarks = [*(n for one in opened for n in one.notes), *(n for a in engines for n in a.notes)]
    for remark in dict.fromkeys([*remarks, *found.notes]):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([found.to_json()], form)
    else:
        write_lines(_tsv(found) if form is Format.TSV else _text(found, OutputStyle.of(sys.stdout)))


def _refuse_twice(names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise UsageError(f"{name} is named twice: it has nothing to be compared with")


def _tsv(found: Comparison) -> Iterator[str]:
    names = [table_name(column.answer.table) for column in found.columns]
    score = found.settings.ranked_by.score_name
    merged = found.settings.merge_twins
    heads = ["query", "table", "rank", "token", "id", score, "in_query"]
    yield tsv_line([*heads, *(["twins"] if merged else []), *(f"rank {n}" for n in names)])
    for name, column in zip(names, found.columns, strict=True):
        for one in column.neighbours:
            n = one.neighbour
            cells = [found.query, name, n.rank, n.token, n.id, n.score, n.in_query]
            yield tsv_line([*cells, *([" ".join(n.twins)] if merged else []), *one.ranks])


def _text(found: Comparison, look: OutputStyle) -> Iterator[str]:
    names = _short_names([column.answer.table for column in found.columns])
    facts = _tables_facts(found, names)
    if not _fit(found, names, look):  # cut, mini:static and mini:dynamic would look alike
        names = [str(number) for number in range(1, len(names) + 1)]
        tables = [column.answer.table for column in found.columns]
        facts = [
            f"{i} {table_name(table)} {_size(table)}"
            for i, table in zip(names, tables, strict=True)
        ]
    yield from header_lines([*facts, *settings_facts(found.settings)], look)
    yield ""
    yield look.paint(one_line(found.query), "bold")
    yield from _beside(found, names, look)
    yield ""
    for overlap in found.overlaps:
        yield from header_lines(_overlap_facts(overlap, found, names), replace(look, colour=False))


def _tables_facts(found: Comparison, names: Sequence[str]) -> list[str]:
    described = [column.answer.table for column in found.columns]
    models = list(dict.fromkeys(table.model for table in described))
    return [
        *(models if len(models) == 1 else []),
        *(f"{name} {_size(table)}" for name, table in zip(names, described, strict=True)),
    ]


def _size(table: TableDescription) -> str:
    return f"{table.tokens:,} × {table.dimensions}"


def _fit(found: Comparison, names: Sequence[str], look: OutputStyle) -> bool:
    """Whether the names of the tables fit above columns below one another."""
    if look.cells is None:
        return True
    groups = (_group(found, i, names)[0] for i in range(len(names)))
    ranks = len("rank") + 2
    return all(
        ranks + sum(text.width(head.title) + 2 for head in heads) - 2 <= look.cells
        for heads in groups
    )


def _beside(found: Comparison, names: Sequence[str], look: OutputStyle) -> list[str]:
    """The columns beside one another, or below one another where the screen is too narrow."""
    groups = [_group(found, i, names) for i in range(len(names))]
    columns = [Column("rank", right=True), *(column for heads, _ in groups for column in heads)]
    depth = max(len(rows) for _, rows in groups)
    rows = [
        [Cell(str(i + 1)), *(cell for heads, rows in groups for cell in _line(heads, rows, i))]
        for i in range(depth)
    ]
    plain = table_lines(columns, rows, OutputStyle())
    if look.cells is None or max(map(text.width, plain)) <= look.cells:
        return table_lines(columns, rows, look)
    lines: list[str] = []
    for heads, cells in groups:
        ranked = [[Cell(str(i)), *row] for i, row in enumerate(cells, start=1)]
        lines += [*([""] if lines else []), *table_lines([columns[0], *heads], ranked, look)]
    return lines


def _group(
    found: Comparison, i: int, names: Sequence[str]
) -> tuple[list[Column], list[list[Cell]]]:
    """One table's columns: token, score, and the rank in each other table."""
    others = [j for j in range(len(names)) if j != i]
    heads = [
        Column(names[i], shrinks=True),
        Column(found.settings.ranked_by.score_name, right=True),
        *(Column(f"in {names[j]}", right=True, shrinks=True) for j in others),
    ]
    return heads, [_cells(one, others) for one in found.columns[i].neighbours]


def _cells(one: ComparedNeighbour, others: Sequence[int]) -> list[Cell]:
    neighbour = one.neighbour
    marks = [*(["*"] if neighbour.in_query else []), *(f"= {twin}" for twin in neighbour.twins)]
    cells = [
        " ".join([neighbour.token, *marks]),
        number(neighbour.score),
        *(f"{rank:,}" if (rank := one.ranks[j]) is not None else "–" for j in others),
    ]
    return [Cell(cell, "dim" if neighbour.in_query else None) for cell in cells]


def _line(heads: Sequence[Column], rows: Sequence[list[Cell]], i: int) -> list[Cell]:
    return rows[i] if i < len(rows) else [Cell("") for _ in heads]


def _overlap_facts(overlap: Overlap, found: Comparison, names: Sequence[str]) -> list[str]:
    first, second = names[overlap.first], names[overlap.second]
    longest = max(len(found.columns[i].neighbours) for i in (overlap.first, overlap.second))
    only = [(first, overlap.only_first), (second, overlap.only_second)]
    return [
        f"{first} and {second} share {overlap.shared} of {longest}",
        f"rank-biased overlap {overlap.rbo:.2f}",
        *(
            f"{count:,} {'token' if count == 1 else 'tokens'} in {name} alone"
            for name, count in only
            if count
        ),
    ]


def _short_names(tables: Sequence[TableDescription]) -> list[str]:
    """What tells the tables apart: the mode, the model, or both, without the hub's first part."""
    layers = ["" if table.layer is None else f"@{table.layer}" for table in tables]
    models = [text.escape(table.model.rstrip("/").rsplit("/", 1)[-1]) for table in tables]
    modes = [f"{table.mode}{layer}" for table, layer in zip(tables, layers, strict=True)]
    both = [f"{text.clip(m, 24)}:{mode}" for m, mode in zip(models, modes, strict=True)]
    for names in (modes, [text.clip(model, 24) for model in models], both):
        if len(set(names)) == len(names) and (names is not modes or len(set(models)) == 1):
            return names
    return [table_name(table) for table in tables]
