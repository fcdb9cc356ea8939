"""Suggestions of Tab for a line of the shell: tokens, names after a `:`, and values of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec import text
from wordvec.cli.arguments import options_of
from wordvec.cli.commands import load_command
from wordvec.cli.names import mode_names, model_names, table_names
from wordvec.cli.shell.session import SHELL_COMMANDS
from wordvec.cli.shell.tokens import partial_word
from wordvec.errors import StoreError
from wordvec.tables.paths import expand_home

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from wordvec.cli.shell.session import Session


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that can replace the characters from `start` to the cursor."""

    start: int
    text: str
    help: str = ""


def suggest(before_cursor: str, session: Session) -> list[Suggestion]:
    """Complete the text before the cursor; tokens with the lowest ids first."""
    indent = len(before_cursor) - len(before_cursor.lstrip())
    if before_cursor[indent : indent + 1] not in (":", "："):
        return _tokens(before_cursor, session, 0)
    name, space, rest = before_cursor[indent + 1 :].partition(" ")
    name = text.nfkc(name).lower()
    if not space:
        return [
            Suggestion(indent, f":{one}", help_)
            for one, help_ in session.names().items()
            if one.startswith(name)
        ]
    return _after_name(name, rest, session, len(before_cursor) - len(rest))


def _after_name(name: str, rest: str, session: Session, column: int) -> list[Suggestion]:
    """Complete after `:name `. column: where `rest` starts."""
    typed = rest.rpartition(" ")[2]
    start = column + len(rest) - len(typed)
    if name in SHELL_COMMANDS:
        return _after_command(name, rest, session, column)
    if name in session.settings.options:
        return _values(session.settings.options[name], typed, session, start)
    values = {
        "table": lambda: table_names(session.store.root),
        "model": lambda: model_names(session.store.root),
        "mode": lambda: mode_names(session.store.root, session.table.name.model),
        "help": session.names,
    }
    return _matching(values[name](), typed, start) if name in values else []


def _after_command(name: str, rest: str, session: Session, column: int) -> list[Suggestion]:
    """Complete an option, its value, or a token."""
    before, _, typed = rest.rpartition(" ")
    start = column + len(rest) - len(typed)
    options = options_of(load_command(name), session.ctx)
    last = options.get((before.split() or [""])[-1])
    if last is not None and not last.is_flag:
        return _values(last, typed, session, start, off=False)
    if typed.startswith("--"):
        return [
            Suggestion(start, spelling, option.help or "")
            for spelling, option in options.items()
            if spelling.startswith(typed)
        ]
    return _tokens(rest, session, column)


def _tokens(before_cursor: str, session: Session, column: int) -> list[Suggestion]:
    word = partial_word(before_cursor)
    if word is None:
        return []
    return [Suggestion(column + word.start, token) for token in session.index.words(word.text)]


def _values(
    option: click.Option, typed: str, session: Session, start: int, *, off: bool = True
) -> list[Suggestion]:
    """Complete the value of an option as its type does."""
    if option.is_flag:
        return _matching(("on", "off"), typed, start)
    with session.ctx:
        items = option.shell_complete(session.ctx, typed)
    if any(item.type == "file" for item in items):  # click would leave them to bash
        return _matching(_files(typed), typed, start)
    values = [str(item.value) for item in items]
    return _matching([*values, "off"] if off else values, typed, start)


def _files(typed: str) -> list[str]:
    """Return the files and folders that start as typed, in the same spelling."""
    folder, slash, name = typed.rpartition("/")
    try:
        paths = sorted(expand_home(f"{folder}{slash}" or ".").iterdir())
    except (OSError, ValueError, StoreError):  # there is no such folder; or NUL in its name
        return []
    return [
        f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in paths
        if path.name.startswith(name) and (name or path.name[0] != ".")
    ]


def _matching(values: Iterable[str], typed: str, start: int) -> list[Suggestion]:
    return [Suggestion(start, value) for value in values if value.startswith(typed)]
