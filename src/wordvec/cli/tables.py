"""`wordvec tables`: list and verify saved tables; `wordvec tables rm` removes some."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from wordvec.analysis.display import Cell, Column, OutputStyle, number_columns, table_lines
from wordvec.cli.errors import note, warn
from wordvec.cli.options import output_options, store_option
from wordvec.cli.output import print_formatted, size_text, write_lines
from wordvec.errors import TableNotFoundError, UsageError
from wordvec.tables.name import TableName, TableRef
from wordvec.text import clip, escape, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wordvec.cli.output import Format
    from wordvec.tables.listing import TableInfo
    from wordvec.tables.store import Store

    Checked = tuple[TableInfo, list[str]]  # a table, and its problems


@click.group("tables", invoke_without_command=True)
@click.option("--verify", is_flag=True, help="Read every file and check its checksum.")
@output_options
@store_option
@click.pass_context
def command(ctx: click.Context, *, verify: bool, output_format: Format, store: Store) -> int:
    """List the saved tables: model, mode, variant, layer, V × D, size, age.

    The last layer of a model is that of a name without @: mini:dynamic.

    \b
    Examples:
      wordvec tables --verify
      wordvec tables rm mini:dynamic
      wordvec tables clean
    """  # noqa: D301  # \b is a mark of click: do not wrap what follows
    if ctx.invoked_subcommand is not None:
        return 0
    checked = [(info, _problems(store, info, verify=verify)) for info in store.tables()]
    print_formatted(
        output_format,
        json=(_json(info, problems) for info, problems in checked),
        tsv=_tsv_rows(checked),
        text=lambda style: _text_lines(checked, store, style, verified=verify),
    )
    for info, problems in checked:
        for problem in problems:
            warn(f"{_shown_name(info)}: {problem}")
    if leftovers := store.leftovers():
        size = size_text(sum(one.bytes for one in leftovers))
        note(f"killed processes left {size} behind; to remove it: wordvec tables clean")
    return 1 if verify and any(problems for _, problems in checked) else 0


@command.command("clean", short_help="Remove what killed processes left behind.")
@store_option
@click.pass_context
def clean(ctx: click.Context, *, store: Store) -> None:
    """Remove what killed processes left behind; tables and unfinished extractions stay.

    The next command that writes the same table does so too.
    """
    removed = (_parent_store(ctx) or store).clean()
    lines = [f"removed {escape(str(one.path))} ({size_text(one.bytes)})" for one in removed]
    write_lines(lines or ["Nothing was left behind."])


@command.command("rm", short_help="Remove tables.")
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@store_option
@click.pass_context
def rm(ctx: click.Context, *, tables: tuple[str, ...], yes: bool, store: Store) -> int:
    """Remove tables, named [MODEL:]MODE[.VARIANT][@LAYER], and unfinished extractions of them."""
    store = _parent_store(ctx) or store
    infos = store.tables()
    names = list(dict.fromkeys(_find_name(text, infos, store) for text in tables))
    parts_of = {name: [info for info in infos if info.name == name] for name in names}
    if not yes and not _confirm(list(parts_of.values())):
        write_lines(["Nothing was removed."])
        return 1
    for name, parts in parts_of.items():
        store.remove(name)
        write_lines([f"removed {_describe(parts)}"])
    return 0


def _parent_store(ctx: click.Context) -> Store | None:
    """Return the store of `wordvec tables --store DIR rm`, unless rm has its own `--store`."""
    from wordvec.tables.store import Store

    root: Path | None = ctx.parent.params.get("store_root") if ctx.parent else None
    return Store(root) if root is not None and ctx.params.get("store_root") is None else None


def _find_name(text: str, infos: Sequence[TableInfo], store: Store) -> TableName:
    """Find the table that the user names: as it is listed, or as [MODEL:]MODE[.VARIANT][@LAYER]."""
    from wordvec.models.default import REFERENCE, named_model
    from wordvec.models.local import canonical_name
    from wordvec.tables.resolve import saved_name

    for info in infos:
        if text in (str(info.name), _shown_name(info)):
            return info.name
    ref = TableRef.parse(text)
    name = saved_name(ref.of_model(canonical_name(named_model(ref.model) or REFERENCE)), store)
    if all(info.name != name for info in infos):
        raise TableNotFoundError(
            f"there is no table {escape(str(name))} in {escape(str(store.root))}",
            hint="wordvec tables",
        )
    return name


def _confirm(tables: Sequence[Sequence[TableInfo]]) -> bool:
    for parts in tables:
        click.echo(f"  {_describe(parts)}", err=True)
    what = "this table" if len(tables) == 1 else f"these {len(tables)} tables"
    try:
        return click.confirm(f"Remove {what}?", err=True)
    except click.Abort:
        click.echo(err=True)
        if sys.stdin.isatty():  # Ctrl-C
            raise
        raise UsageError(
            "cannot ask for confirmation: not a terminal", hint="--yes removes without asking"
        ) from None


def _describe(parts: Sequence[TableInfo]) -> str:
    """Return the name and size of a table, with its unfinished extraction."""
    state = ""
    if any(info.done is not None for info in parts):
        state = ", unfinished" if len(parts) == 1 else ", with an unfinished extraction"
    return f"{_shown_name(parts[0])} ({size_text(sum(info.bytes for info in parts))}{state})"


def _problems(store: Store, info: TableInfo, *, verify: bool) -> list[str]:
    if info.problem is not None:
        return [info.problem]
    return store.verify(info.name) if verify and info.done is None else []


def _tsv_rows(checked: Sequence[Checked]) -> Iterator[list[object]]:
    titles = ["model", "mode", "layer", "tokens", "dimensions", "bytes", "created", "done"]
    yield [*titles, "problem", "source", "variant"]
    for info, problems in checked:
        V, D = info.shape or (None, None)
        name = [info.name.model, info.name.mode, info.name.layer]
        yield [*name, V, D, info.bytes, info.created, info.done, "; ".join(problems), info.source,
               info.name.variant]  # fmt: skip


def _json(info: TableInfo, problems: list[str]) -> dict[str, object]:
    """Return the object of a table. done: the rows of an unfinished extraction."""
    V, D = info.shape or (None, None)
    variant = {} if info.name.variant is None else {"variant": info.name.variant}
    name = {"model": info.name.model, "mode": info.name.mode.value, **variant}
    return {
        "table": {**name, "layer": info.name.layer, "tokens": V, "dimensions": D},
        "bytes": info.bytes,
        "created": info.created,
        "done": info.done,
        "source": info.source,
        "problems": problems,
    }


def _text_lines(
    checked: Sequence[Checked], store: Store, style: OutputStyle, *, verified: bool
) -> list[str]:
    """Return one line per table, or two on a narrow terminal: first its model and state."""
    if not checked:
        folder = escape(str(store.root))
        return [f"No tables in {folder} yet. To extract one: wordvec extract --mode static"]
    states = [_state(info, problems, verified=verified) for info, problems in checked]
    models = [escape(info.name.model) for info, _ in checked]
    parts = [_name_parts(info) for info, _ in checked]
    titles = [title for title in parts[0] if title == "mode" or any(part[title] for part in parts)]
    columns = [*map(Column, titles), *number_columns("V × D", "size", "age")]
    rows = [
        [*(part[title] for title in titles), *_cells(info)]
        for part, (info, _) in zip(parts, checked, strict=True)
    ]
    with_state = any(state.text for state in states)
    others = max(map(width, table_lines(columns, rows, OutputStyle())))
    if with_state:
        others += 2 + max(width(state.text) for state in states)
    if style.cells is not None and style.cells - others - 2 < min(max(map(width, models)), 16):
        heading, *lines = table_lines(columns, rows, style)
        firsts = [_model_line(*pair, style) for pair in zip(models, states, strict=True)]
        return [heading, *(line for pair in zip(firsts, lines, strict=True) for line in pair)]
    columns = [Column("model", shrinks=True), *columns]
    rows = [[model, *row] for model, row in zip(models, rows, strict=True)]
    if with_state:
        columns.append(Column("state"))
        rows = [[*row, state] for row, state in zip(rows, states, strict=True)]
    return table_lines(columns, rows, style)


def _model_line(model: str, state: Cell, style: OutputStyle) -> str:
    """Return the name of a model, cut so that the state fits beside it."""
    cells = style.cells or 80
    if not state.text:
        return clip(model, cells)
    room = max(cells - width(state.text) - 2, 4)
    return f"{clip(model, room)}  {style.paint(state.text, state.attribute)}"


def _name_parts(info: TableInfo) -> dict[str, str]:
    """Return what follows the model in a table's name; the last layer has its number if known."""
    layer = "" if info.name.layer is None else str(info.name.layer)
    if info.layers is not None and info.name.layer is None:
        layer = f"{info.layers} (last)"
    return {"mode": info.name.mode.value, "variant": info.name.variant or "", "layer": layer}


def _cells(info: TableInfo) -> list[Cell | str]:
    shape = "?" if info.shape is None else f"{info.shape[0]:,} × {info.shape[1]}"
    return [shape, size_text(info.bytes), age_text(info.created)]


def _state(info: TableInfo, problems: list[str], *, verified: bool) -> Cell:
    if problems:
        return Cell("damaged", "red")
    if info.done is not None and info.shape is not None:
        return Cell(f"{info.done:,} done ({100 * info.done // info.shape[0]} %)", "yellow")
    if verified:
        return Cell("sound", "green")
    return Cell("imported" if info.source == "import" else "")


def _shown_name(info: TableInfo) -> str:
    return escape(str(info.name))


def age_text(created: str, now: datetime | None = None) -> str:
    """Return how long ago a table was created: 5 min, 3 h, 12 d."""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError):  # not written by us
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "now"
