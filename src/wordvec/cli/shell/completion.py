"""What Tab offers on a line of the shell: tokens, names after a `:`, and the values that fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec import text
from wordvec.cli.completion import model_values, table_values
from wordvec.cli.shell.candidates import begun_word
from wordvec.cli.shell.settings import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from wordvec.cli.shell.session import Session


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand in place of the characters from `start` to the cursor."""

    start: int
    text: str
    help: str = ""


def offers(before_cursor: str, session: Session) -> list[Offer]:
    """Complete what ends at the cursor, the likeliest first."""
    indent = len(before_cursor) - len(before_cursor.lstrip())
    if before_cursor[indent : indent + 1] not in (":", "："):
        return _tokens(before_cursor, session, 0)
    name, space, rest = before_cursor[indent + 1 :].partition(" ")
    name = text.nfkc(name).lower()
    if not space:
        return [
            Offer(indent, f":{known}", help_)
            for known, help_ in session.names().items()
            if known.startswith(name)
        ]
    return _after_name(name, rest, session, len(before_cursor) - len(rest))


def _after_name(name: str, rest: str, session: Session, column: int) -> list[Offer]:
    """Complete after `:name `; `rest` begins in `column`."""
    typed = rest.rpartition(" ")[2]
    start = column + len(rest) - len(typed)
    if name in session.commands():
        return _after_command(name, rest, session, column)
    if name in session.settings.options:
        return _values(session.settings.options[name], typed, session, start)
    known = {
        "table": lambda: table_values(session.store.root),
        "model": lambda: model_values(session.store.root),
        "mode": lambda: ("static", "dynamic"),
        "help": session.names,
    }
    return _plain(known[name](), typed, start) if name in known else []


def _after_command(name: str, rest: str, session: Session, column: int) -> list[Offer]:
    """Complete an option, the value of one, or a token."""
    before, _, typed = rest.rpartition(" ")
    start = column + len(rest) - len(typed)
    options = options_of(session.command(name), session.ctx)
    last = options.get((before.split() or [""])[-1])
    if last is not None and not last.is_flag:
        return _values(last, typed, session, start, off=False)
    if typed.startswith("--"):
        return [
            Offer(start, spelling, option.help or "")
            for spelling, option in options.items()
            if spelling.startswith(typed)
        ]
    return _tokens(rest, session, column)


def _tokens(before_cursor: str, session: Session, column: int) -> list[Offer]:
    begun = begun_word(before_cursor)
    if begun is None:
        return []
    return [Offer(column + begun.start, word) for word in session.index.words(begun.text)]


def _values(
    option: click.Option, typed: str, session: Session, start: int, *, off: bool = True
) -> list[Offer]:
    """Complete the value of an option by what the option itself knows."""
    if option.is_flag:
        return _plain(("on", "off"), typed, start)
    with session.ctx:
        items = option.shell_complete(session.ctx, typed)
    if any(item.type == "file" for item in items):  # click leaves them to the shell outside
        return _plain(_files(typed), typed, start)
    known = [str(item.value) for item in items]
    return _plain([*known, "off"] if off else known, typed, start)


def _files(typed: str) -> list[str]:
    """Files and folders that begin as typed, as one would go on typing them."""
    folder, slash, name = typed.rpartition("/")
    try:
        found = sorted(Path(f"{folder}{slash}" or ".").expanduser().iterdir())
    except OSError:  # no such folder: nothing to offer
        return []
    shown = [path for path in found if path.name.startswith(name) and (name or path.name[0] != ".")]
    return [f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}" for path in shown]


def _plain(values: Iterable[str], typed: str, start: int) -> list[Offer]:
    return [Offer(start, value) for value in values if value.startswith(typed)]
