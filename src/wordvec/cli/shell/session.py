"""A session: a line comes in, the command that it names runs, its tables stay open.

An expression is `wordvec query`; `:norms 王` is `wordvec norms 王`; `:k 5` is `-k 5` from now on.
Every answer is printed by the command of that name: nothing is computed, formatted or refused here
in a second way. Knows no terminal.
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.api import OpenTables
from wordvec.cli.main import COMMANDS, exit_code_of, group
from wordvec.cli.options import split_arguments
from wordvec.cli.output import Cell, Column, OutputStyle, note, table_lines, write_lines
from wordvec.cli.shell.candidates import TokenIndex
from wordvec.cli.shell.settings import Settings, options_of, table_arguments, unquoted
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.lexer import Kind, tokenize
from wordvec.expression.parser import parse
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode, TableRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wordvec.tables.name import TableName
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable

# The commands that answer something about a table; the others make or move tables.
ASKING = ("query", "compare", "explain", "similar", "odd", "norms", "evaluate", "tables")
_OF_EXPRESSIONS = ("query", "compare", "explain")  # the others take tokens as they stand
_OF_LAST = ("compare", "explain")  # about the last expression where none is given

OWN = {
    "table": "Answer from another table: :table dynamic, :table mini:static.",
    "settings": "Show every setting.",
    "reset": "Put every setting back to its default.",
    "help": "Show this, or a command's own help: :help explain.",
    "quit": "Leave; so does Ctrl-D.",
}
_ALSO = {"?": "help", "h": "help", "q": "quit", "exit": "quit"}
INTERRUPTED = 130  # the exit code of Ctrl-C
_PART_OF_TABLE = ("mode", "model")

# What white space parts, but for white space in quotes or behind a backslash.
_PIECE = re.compile(r"""(?:[^\s"“”＂\\]|\\.|\\$|["“”＂](?:[^"“”＂\\]|\\.)*(?:["“”＂]|\\?$))+""")
_ENDS_OPERAND = (Kind.WORD, Kind.ID, Kind.CLOSE)
_BEGINS_OPERAND = (Kind.WORD, Kind.ID, Kind.OPEN)


class Session:
    """The table and the settings that lines are answered with."""

    def __init__(self, ref: TableRef, store: Store) -> None:
        self.store = store
        self.tables = OpenTables(store)
        # Commands run as if typed after it; their usage errors then say `:norms`, not `wordvec …`.
        self.ctx = click.Context(
            click.Command("shell"), info_name="", obj=self.tables, max_content_width=100
        )
        self.settings = Settings(self.command("query"), self.ctx)
        self.last: str | None = None
        self.over = False
        self._indexes: dict[TableName, TokenIndex] = {}
        self.table = self._opened(ref)

    @property
    def prompt(self) -> str:
        """The short name of the table, ready to type after."""
        name = self.table.name
        if name.model == REFERENCE:
            return f"{name.mode}> "
        model = text.escape(name.model.rstrip("/").rsplit("/", 1)[-1])
        return f"{text.clip(model, 20)}:{name.mode}> "

    @property
    def index(self) -> TokenIndex:
        """The tokens of the open table, sorted for completion when they are first asked for."""
        name = self.table.name
        known = self._indexes.get(name)
        if known is None or known.vocabulary is not self.table.vocabulary:
            known = self._indexes[name] = TokenIndex(self.table.vocabulary)
        return known

    def answer_all(self, lines: Iterable[str]) -> int:
        """Answer lines until one of them leaves or is interrupted.

        Gives 0, or the code of the last that failed.
        """
        failed = 0
        for line in lines:
            failed = self.answer(line) or failed
            if self.over or failed == INTERRUPTED:
                break
        return failed

    def answer(self, line: str) -> int:
        """Answer one line, or say what is wrong with it; gives the exit code it would have."""
        return exit_code_of(lambda: self._answer(line.strip()))

    def _answer(self, line: str) -> int:
        if not line.isprintable():
            _check(line)
        if line[:1] in (":", "："):  # no expression begins with a colon
            return self._obey(line[1:].strip())
        return self._ask(line) if line else 0

    def command(self, name: str) -> click.Command:
        """The command of that name."""
        command = group.get_command(self.ctx, name)
        if command is None:
            raise UsageError(f"there is no command {name}")
        return command

    def commands(self) -> list[str]:
        """The commands that a `:` can run."""
        return [name for name in ASKING if name in COMMANDS]

    def names(self) -> dict[str, str]:
        """Everything that may stand after a `:`, with its help in a line."""
        asking = {name: COMMANDS[name][1] for name in self.commands()}
        settings = {name: option.help or "" for name, option in self.settings.options.items()}
        return {**asking, **OWN, **settings}

    def _ask(self, source: str) -> int:
        parse(source)  # before the command sees it: to `wordvec query`, - is standard input
        self.last = source
        return self._run("query", [], [source])

    def _obey(self, line: str) -> int:
        name, _, rest = line.partition(" ")
        name, rest = text.nfkc(name).lower(), rest.strip()
        name = _ALSO.get(name, name)
        if name in _PART_OF_TABLE:
            return self._turn_to(f"--{name}", rest)
        if name in self.settings.options:
            return self._set(name, rest)
        if name in self.commands():
            return self._command(name, rest)
        own = {
            "table": self._table,
            "settings": self._show_settings,
            "reset": self._reset,
            "help": self._help,
            "quit": self._quit,
        }
        if name not in own:
            raise self._unknown(name)
        own[name](rest)
        return 0

    def _unknown(self, name: str) -> UsageError:
        if name in COMMANDS:
            return UsageError(
                f"{name} does not run inside the shell", hint=f"in another terminal: wordvec {name}"
            )
        if not name:
            return UsageError("a : stands before a command", hint=":help")
        known = [*self.names(), *_ALSO, *_PART_OF_TABLE]
        close = get_close_matches(name, known, n=1)
        return UsageError(
            f"there is no :{text.escape(name)}", hint=f":{close[0]}" if close else ":help"
        )

    def _command(self, name: str, rest: str) -> int:
        accepted = options_of(self.command(name), self.ctx)
        takes_value = {
            spelling: not (option.is_flag or option.count) for spelling, option in accepted.items()
        }
        options, arguments = split_arguments(_PIECE.findall(rest), takes_value)
        if name == "tables" and arguments:
            raise UsageError(
                ":tables lists the tables, and changes none",
                hint=f"in another terminal: wordvec tables {text.escape(rest)}",
            )
        if name in _OF_EXPRESSIONS:
            arguments = self._expressions(name, " ".join(arguments))
        else:
            arguments = [unquoted(argument) for argument in arguments]
        return self._run(name, [unquoted(option) for option in options], arguments)

    def _expressions(self, name: str, source: str) -> list[str]:
        """Cut out the expressions of a command, the last one asked where there are none."""
        found = expressions(source)
        if not found and name in _OF_LAST and self.last is not None:
            return [self.last]
        if found:
            parse(found[0])
            self.last = found[0]
        if name == "explain":  # the second is a token as it stands
            return [*found[:1], *map(unquoted, found[1:])]
        return found

    def _run(self, name: str, options: list[str], arguments: list[str]) -> int:
        command = self.command(name)
        accepted = options_of(command, self.ctx)
        given = {option.partition("=")[0] for option in options if option.startswith("--")}
        given |= {option[:2] for option in options if re.match("-[A-Za-z]", option)}
        args = [
            *table_arguments(self.table.name, accepted, given),
            *self.settings.arguments(accepted, given),
            *options,
            *(["--", *arguments] if arguments else []),
        ]
        with command.make_context(f":{name}", args, parent=self.ctx) as ctx:
            code = command.invoke(ctx)
        return code if isinstance(code, int) else 0

    def _opened(self, ref: TableRef) -> VectorTable:
        table = self.tables.open(ref)
        for message in table.notes:
            note(message)
        return table.data

    def _table(self, written: str) -> None:
        if written:
            ref = TableRef.parse(unquoted(written))
            if ref.model is None:
                ref = TableRef(self.table.name.model, ref.mode, ref.layer)
            self._move(ref)
        else:
            self._tell("table", str(self.table.name))

    def _turn_to(self, option: str, written: str) -> int:
        """`:mode` and `:model` change one half of the table's name."""
        name = self.table.name
        if not written:
            self._tell(option[2:], str(name.mode if option == "--mode" else name.model))
        elif option == "--model":
            self._move(TableRef(unquoted(written), name.mode, name.layer))
        elif written in tuple(Mode):
            self._move(TableRef(name.model, Mode(written), name.layer))
        else:
            raise UsageError(f"{written!r} is no mode: static or dynamic", hint=":mode dynamic")
        return 0

    def _move(self, ref: TableRef) -> None:
        self.table = self._opened(ref)
        self._tell("table", str(self.table.name))

    def _set(self, name: str, written: str) -> int:
        if written or self.settings.options[name].is_flag:
            self.settings.set(name, written)
        self._tell(name, self.settings.show(name))
        return 0

    def _tell(self, name: str, value: str) -> None:
        write_lines([f"{name}: {text.escape(value)}"])

    def _show_settings(self, _: str) -> None:
        rows = [[Cell("table"), Cell(text.escape(str(self.table.name)))]]
        for name in self.settings.options:
            style = "bold" if self.settings.is_changed(name) else "dim"
            rows.append([Cell(name), Cell(text.escape(self.settings.show(name)), style)])
        columns = [Column("setting"), Column("value", shrinks=True)]
        write_lines(table_lines(columns, rows, OutputStyle.of(sys.stdout)))

    def _reset(self, _: str) -> None:
        self.settings.reset()
        write_lines(["every setting is back to its default"])

    def _quit(self, _: str) -> None:
        self.over = True

    def _help(self, written: str) -> None:
        name = text.nfkc(written).lstrip(":").lower()
        name = _ALSO.get(name, name)
        if not name:
            write_lines(self._all_help())
        elif name in self.commands():
            command = self.command(name)
            with click.Context(command, info_name=f":{name}", parent=self.ctx) as ctx:
                write_lines([command.get_help(ctx)])
        elif name in self.names():
            write_lines([f":{name}  {self.names()[name]}"])
        else:
            raise self._unknown(name)

    def _all_help(self) -> list[str]:
        # click's own formatter never goes below 50 cells
        formatter = click.HelpFormatter(
            width=min((OutputStyle.of(sys.stdout).cells or 80) - 1, 100)
        )
        formatter.write_text("An expression is answered as it is typed: 王-男+女")
        sections = {
            "Commands (with options of their own)": self.commands(),
            "The shell": list(OWN),
            "Settings (off: back to the default)": list(self.settings.options),
        }
        for title, names in sections.items():
            with formatter.section(title):
                formatter.write_dl([(f":{name}", self.names()[name]) for name in names])
        return [formatter.getvalue().rstrip("\n")]


def _check(line: str) -> None:
    """Refuse bytes that are no UTF-8, which arrive as halves of surrogate pairs."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        raise WordvecError("this line is not UTF-8") from error


def expressions(source: str) -> list[str]:
    """Cut text where one expression ends and another begins.

    >>> expressions('王 - 男 + 女  女王 "C++"')
    ['王 - 男 + 女', '女王', '"C++"']
    """
    *tokens, _ = tokenize(source)
    starts = [0] + [
        after.start
        for before, after in pairwise(tokens)
        if before.kind in _ENDS_OPERAND and after.kind in _BEGINS_OPERAND
    ]
    cut = [
        source[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return [part for part in cut if part]
