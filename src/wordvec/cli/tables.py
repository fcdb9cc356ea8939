"""`wordvec tables`: what the store holds; `wordvec tables rm` removes some of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from wordvec.cli.options import output_options, store_option
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
    table_lines,
    tsv_line,
    warn,
    write_json,
    write_lines,
)
from wordvec.errors import TableNotFoundError, UsageError
from wordvec.tables.name import TableName, TableRef
from wordvec.text import clip, escape, width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wordvec.tables.listing import TableInfo
    from wordvec.tables.store import Store


@click.group("tables", invoke_without_command=True)
@click.option("--verify", is_flag=True, help="Read every file and compare its checksum.")
@output_options
@store_option
@click.pass_context
def command(ctx: click.Context, *, verify: bool, form: Format, store: Store) -> int:
    """List the tables: model, mode, V × D, size, age.

    \b
    Examples:
      wordvec tables --verify
      wordvec tables rm mini:dynamic
    """  # noqa: D301  # \b is click's mark: no wrapping below
    if ctx.invoked_subcommand is not None:
        return 0
    infos = store.tables()
    problems = [_problems(store, info, verify=verify) for info in infos]
    _print(infos, problems, form, store, verified=verify)
    for info, found in zip(infos, problems, strict=True):
        for problem in found:
            warn(f"{_name(info)}: {problem}")
    return 1 if verify and any(problems) else 0


@command.command("rm")
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
@click.pass_context
def rm(ctx: click.Context, *, tables: tuple[str, ...], yes: bool, store: Store) -> int:
    """Remove tables, named [MODEL:]MODE, and what is left of unfinished extractions of them."""
    store = _above(ctx) or store
    infos = store.tables()
    names = list(dict.fromkeys(_which(text, infos, store) for text in tables))
    going = [[info for info in infos if info.name == name] for name in names]
    if not yes and not _agreed(going):
        write_lines(["Nothing was removed."])
        return 1
    for name, parts in zip(names, going, strict=True):
        store.remove(name)
        write_lines([f"removed {_what(parts)}"])
    return 0


def _above(ctx: click.Context) -> Store | None:
    """The store of `wordvec tables --store DIR rm`, unless rm names one itself."""
    from wordvec.tables.store import Store

    root: Path | None = ctx.parent.params.get("store_root") if ctx.parent else None
    return Store(root) if root is not None and ctx.params.get("store_root") is None else None


def _which(text: str, infos: Sequence[TableInfo], store: Store) -> TableName:
    """The table that a user means: one of the list as it is written there, or by its model."""
    from wordvec.models.default import REFERENCE, named_model
    from wordvec.models.local import canonical_name

    for info in infos:
        if text in (str(info.name), _name(info)):
            return info.name
    ref = TableRef.parse(text)
    name = TableName(canonical_name(named_model(ref.model) or REFERENCE), ref.mode, ref.layer)
    if all(info.name != name for info in infos):
        raise TableNotFoundError(
            f"there is no table {escape(str(name))} in {escape(str(store.root))}",
            hint="wordvec tables",
        )
    return name


def _agreed(going: Sequence[Sequence[TableInfo]]) -> bool:
    for parts in going:
        click.echo(f"  {_what(parts)}", err=True)
    try:
        return click.confirm(f"Remove {_count(len(going))}?", err=True)
    except click.Abort:
        click.echo(err=True)
        if sys.stdin.isatty():  # Ctrl-C
            raise
        raise UsageError("nobody is there to answer", hint="--yes removes without asking") from None


def _count(tables: int) -> str:
    return "this table" if tables == 1 else f"these {tables} tables"


def _what(parts: Sequence[TableInfo]) -> str:
    """A table's name and size, its unfinished extraction included."""
    rest = ""
    if any(info.done is not None for info in parts):
        rest = ", unfinished" if len(parts) == 1 else ", with an unfinished extraction"
    return f"{_name(parts[0])} ({size_text(sum(info.bytes for info in parts))}{rest})"


def _problems(store: Store, info: TableInfo, *, verify: bool) -> list[str]:
    if info.problem is not None:
        return [info.problem]
    return store.verify(info.name) if verify and info.done is None else []


def _print(
    infos: Sequence[TableInfo],
    problems: Sequence[Sequence[str]],
    form: Format,
    store: Store,
    *,
    verified: bool,
) -> None:
    pairs = list(zip(infos, problems, strict=True))
    if form in (Format.JSON, Format.JSONL):
        write_json((_json(info, found) for info, found in pairs), form)
    elif form is Format.TSV:
        titles = ("model", "mode", "layer", "tokens", "dimensions", "bytes", "created", "done")
        write_lines([tsv_line((*titles, "problem"))])
        write_lines(tsv_line(_values(info, found)) for info, found in pairs)
    elif infos:
        write_lines(_lines(pairs, OutputStyle.of(sys.stdout), verified=verified))
    else:
        where = escape(str(store.root))
        write_lines([f"No tables in {where} yet. To make one: wordvec extract --mode static"])


def _values(info: TableInfo, problems: Sequence[str]) -> tuple[object, ...]:
    V, D = info.shape or (None, None)
    name = info.name
    problem = "; ".join(problems) or None
    return (name.model, name.mode, name.layer, V, D, info.bytes, info.created, info.done, problem)


def _json(info: TableInfo, problems: Sequence[str]) -> dict[str, object]:
    """One object a table; `done` counts the rows of an extraction that is not finished."""
    V, D = info.shape or (None, None)
    table = {"model": info.name.model, "mode": info.name.mode.value, "layer": info.name.layer}
    return {
        "table": {**table, "tokens": V, "dimensions": D},
        "bytes": info.bytes,
        "created": info.created,
        "done": info.done,
        "problems": list(problems),
    }


def _lines(
    pairs: Sequence[tuple[TableInfo, Sequence[str]]], look: OutputStyle, *, verified: bool
) -> list[str]:
    """One line a table; on a terminal too narrow for that two, its model and state first."""
    states = [_state(info, found, verified=verified) for info, found in pairs]
    models = [escape(info.name.model) for info, _ in pairs]
    columns = [
        Column("mode"),
        Column("V × D", right=True),
        Column("size", right=True),
        Column("age", right=True),
    ]
    rows = [_cells(info) for info, _ in pairs]
    rest = max(map(width, table_lines(columns, rows, OutputStyle())))
    if any(state.text for state in states):
        rest += 2 + max(width(state.text) for state in states)
    if look.cells is not None and look.cells - rest - 2 < min(max(map(width, models)), 16):
        heading, *lines = table_lines(columns, rows, look)
        firsts = [_first(*pair, look) for pair in zip(models, states, strict=True)]
        return [heading, *(line for both in zip(firsts, lines, strict=True) for line in both)]
    columns = [Column("model", shrinks=True), *columns]
    rows = [[model, *row] for model, row in zip(models, rows, strict=True)]
    if any(state.text for state in states):
        columns.append(Column("state"))
        rows = [[*row, state] for row, state in zip(rows, states, strict=True)]
    return table_lines(columns, rows, look)


def _first(model: str, state: Cell, look: OutputStyle) -> str:
    """A model's name, cut so that the state beside it fits."""
    if not state.text:
        return clip(model, look.cells or 80)
    room = max((look.cells or 80) - width(state.text) - 2, 4)
    return f"{clip(model, room)}  {look.paint(state.text, state.style)}"


def _cells(info: TableInfo) -> list[Cell | str]:
    mode = str(info.name).rpartition(":")[2]
    shape = "?" if info.shape is None else f"{info.shape[0]:,} × {info.shape[1]}"
    return [mode, shape, size_text(info.bytes), age_text(info.created)]


def _state(info: TableInfo, problems: Sequence[str], *, verified: bool) -> Cell:
    if problems:
        return Cell("damaged", "red")
    if info.done is not None and info.shape is not None:
        return Cell(f"{info.done:,} done ({100 * info.done // info.shape[0]} %)", "yellow")
    return Cell("sound", "green") if verified else Cell("")


def _name(info: TableInfo) -> str:
    return escape(str(info.name))


def size_text(size: int) -> str:
    """Bytes as people say them: 98.9 MB."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.1f} {unit}" if unit == "MB" else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def age_text(created: str, now: datetime | None = None) -> str:
    """How long ago that was: 5 min, 3 h, 12 d."""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError):  # a manifest may say anything
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "now"
