"""A session of the shell: each line runs a command, and the tables stay open.

An expression runs `wordvec query`; `:norms 王` runs `wordvec norms 王`; `:k 5` adds `-k 5` to every
line that follows. All answers and errors come from the commands themselves.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import Cell, Column, OutputStyle, table_lines
from wordvec.api import OpenTables
from wordvec.cli.arguments import options_of, options_with_value, split_arguments
from wordvec.cli.commands import COMMANDS, load_command
from wordvec.cli.errors import MOST_HINTS, exit_code_of
from wordvec.cli.help import HelpContext, HelpFormatter
from wordvec.cli.opening import print_table_notes
from wordvec.cli.options import table_ref
from wordvec.cli.output import write_lines
from wordvec.cli.progress_bar import ProgressBar
from wordvec.cli.shell.settings import ShellSettings, table_arguments, unquote
from wordvec.cli.shell.tokens import TokenIndex
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.lexer import Kind, Token, tokenize
from wordvec.expression.parser import parse
from wordvec.models.default import REFERENCE
from wordvec.tables.name import TableRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wordvec.tables.name import TableName
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable

# The commands that a `:` can run: those that only read tables.
SHELL_COMMANDS = (
    *("query", "compare", "explain", "trace", "similar", "odd", "axis", "norms", "evaluate"),
    *("doctor", "tables"),
)
_WITH_EXPRESSIONS = ("query", "compare", "explain", "trace")  # the others take tokens
_WITH_LAST_EXPRESSION = ("compare", "explain")  # if none is given

BUILTINS = {
    "table": "Switch to another table: :table dynamic, :table mini:static.",
    "settings": "Show all settings.",
    "reset": "Reset all settings to their defaults.",
    "help": "Show this list, or the help of a command: :help explain.",
    "quit": "Exit, as Ctrl-D does.",
}
_ALIASES = {"?": "help", "h": "help", "q": "quit", "exit": "quit"}
_TABLE_PARTS = ("mode", "model")  # each changes one part of the table's name
_INTERRUPTED = 130  # the exit code of Ctrl-C

# An argument: no white space, except in quotes, in the sentence of a word or after a backslash.
_ARGUMENT = re.compile(
    r"""(?:[^\s"“”＂「『\\{｛]|(?<!\S)[{｛]|\\.|\\$|["“”＂](?:[^"“”＂\\]|\\.)*(?:["“”＂]|\\?$)"""
    r"""|「(?:[^」\\]|\\.)*(?:」|\\?$)|『(?:[^』\\]|\\.)*(?:』|\\?$)"""
    r"""|(?<=\S)[{｛](?:[^}｝\\]|\\.)*(?:[}｝]|\\?$))+"""
)
_OPERAND_ENDS = (Kind.WORD, Kind.SENTENCE, Kind.ID, Kind.CLOSE)
_OPERAND_STARTS = (Kind.WORD, Kind.ID, Kind.OPEN)


class Session:
    """The open table, and the settings that lines are answered with."""

    def __init__(self, ref: TableRef, store: Store) -> None:
        self.store = store
        self.tables = OpenTables(store, ProgressBar("").status)
        # The parent of every command, so that usage errors say `:norms`, not `wordvec norms`.
        self.ctx = HelpContext(click.Command("shell"), info_name="", obj=self.tables)
        self.settings = ShellSettings(load_command("query"), self.ctx)
        self.last_expression: str | None = None
        self.finished = False
        self._indexes: dict[TableName, TokenIndex] = {}
        self.table = self._open_table(ref)

    @property
    def prompt(self) -> str:
        """The prompt: the short name of the table."""
        name = self.table.name
        if name.model == REFERENCE:
            return f"{name.kind}> "
        model = text.escape(name.model.rstrip("/").rsplit("/", 1)[-1])
        return f"{text.clip(model, 20)}:{name.kind}> "

    @property
    def index(self) -> TokenIndex:
        """The tokens of the open table for completion, sorted when they are first used."""
        name = self.table.name
        index = self._indexes.get(name)
        if index is None or index.vocabulary is not self.table.vocabulary:
            index = self._indexes[name] = TokenIndex(self.table.vocabulary)
        return index

    def names(self) -> dict[str, str]:
        """Return every name that can follow a `:`, with one line of help."""
        commands = {name: COMMANDS[name][1] for name in SHELL_COMMANDS}
        settings = {name: option.help or "" for name, option in self.settings.options.items()}
        return {**commands, **BUILTINS, **settings}

    def answer_all(self, lines: Iterable[str | WordvecError]) -> int:
        """Answer lines until one of them exits or is interrupted; an error is printed in its place.

        Only the first errors of many lines have hints.

        Returns:
            The exit code of the last line that failed, or 0.
        """
        code = failed = 0
        for line in lines:
            failure = self.answer(line, hints=failed < MOST_HINTS)
            code, failed = failure or code, failed + bool(failure)
            if self.finished or failure == _INTERRUPTED:
                break
        return code

    def answer(self, line: str | WordvecError, *, hints: bool = True) -> int:
        """Answer one line or print its error, and return its exit code."""
        return exit_code_of(lambda: self._answer(line), hints=hints)

    def _answer(self, line: str | WordvecError) -> int:
        if isinstance(line, WordvecError):  # it could not be read
            raise line
        line = line.strip()
        if not line.isprintable():
            _check_encoding(line)
        if line[:1] in (":", "："):  # no expression starts with a colon
            return self._run_colon_line(line[1:].strip())
        return self._query(line) if line else 0

    def _query(self, source: str) -> int:
        parse(source)  # refuses a lone -, which means standard input to `wordvec query`
        self.last_expression = source
        return self._run("query", [], [source])

    def _run_colon_line(self, line: str) -> int:
        name, _, rest = line.partition(" ")
        name, rest = text.nfkc(name).lower(), rest.strip()
        name = _ALIASES.get(name, name)
        if name in _TABLE_PARTS:
            return self._change_table_part(name, rest)
        if name in self.settings.options:
            return self._change_setting(name, rest)
        if name in SHELL_COMMANDS:
            return self._run_command(name, rest)
        builtins = {
            "table": self._change_table,
            "settings": self._show_settings,
            "reset": self._reset,
            "help": self._help,
            "quit": self._quit,
        }
        if name not in builtins:
            raise self._unknown(name)
        builtins[name](rest)
        return 0

    def _unknown(self, name: str) -> UsageError:
        if name in COMMANDS:
            return UsageError(
                f"{name} cannot run inside the shell", hint=f"in another terminal: wordvec {name}"
            )
        if not name:
            return UsageError("expected a command after :", hint=":help")
        close = get_close_matches(name, [*self.names(), *_ALIASES, *_TABLE_PARTS], n=1)
        return UsageError(
            f"there is no :{text.clip(text.escape(name), 40)}",
            hint=f":{close[0]}" if close else ":help",
        )

    # --- commands -----------------------------------------------------------------------------

    def _run_command(self, name: str, rest: str) -> int:
        takes_value = options_with_value(load_command(name), self.ctx)
        options, arguments = split_arguments(_ARGUMENT.findall(rest), takes_value)
        if name == "tables" and arguments:
            raise UsageError(
                ":tables only lists the tables",
                hint=f"in another terminal: wordvec tables {text.clip(text.escape(rest), 60)}",
            )
        if name in _WITH_EXPRESSIONS:
            arguments = self._expressions(name, " ".join(arguments))
        else:
            arguments = [unquote(argument) for argument in arguments]
        return self._run(name, [unquote(option) for option in options], arguments)

    def _expressions(self, name: str, source: str) -> list[str]:
        """Return the expressions given to a command, or the last expression if there are none."""
        given = split_expressions(source)
        if not given and name in _WITH_LAST_EXPRESSION and self.last_expression is not None:
            return [self.last_expression]
        if given:
            parse(given[0])
            self.last_expression = given[0]
        if name in ("explain", "trace"):  # the second is a token
            return [*given[:1], *map(unquote, given[1:])]
        return given

    def _run(self, name: str, options: list[str], arguments: list[str]) -> int:
        command = load_command(name)
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

    # --- the table ----------------------------------------------------------------------------

    def _open_table(self, ref: TableRef) -> VectorTable:
        table = self.tables.open(ref)
        print_table_notes(table.notes, self.store)
        return table.data

    def _change_table(self, written: str) -> None:
        if not written:
            self._print_setting("table", str(self.table.name))
            return
        ref = TableRef.parse(unquote(written))
        if ref.model is None:
            ref = replace(ref, model=self.table.name.model)
        self._switch_to(ref)

    def _change_table_part(self, part: str, written: str) -> int:
        name = self.table.name
        if not written:
            self._print_setting(part, name.kind if part == "mode" else name.model)
        elif part == "model":
            self._switch_to(replace(TableRef.of(name), model=unquote(written)))
        else:
            try:
                ref = table_ref(None, unquote(written), None, name.model)
            except UsageError as error:
                raise UsageError(error.message, hint=":mode dynamic") from error
            self._switch_to(ref)
        return 0

    def _switch_to(self, ref: TableRef) -> None:
        self.table = self._open_table(ref)
        self._print_setting("table", str(self.table.name))

    # --- settings and help --------------------------------------------------------------------

    def _change_setting(self, name: str, written: str) -> int:
        if written or self.settings.options[name].is_flag:
            self.settings.set(name, written)
        self._print_setting(name, self.settings.show(name))
        return 0

    def _print_setting(self, name: str, value: str) -> None:
        write_lines([f"{name}: {text.clip(text.escape(value), 400)}"])

    def _show_settings(self, _: str) -> None:
        rows = [[Cell("table"), Cell(text.escape(str(self.table.name)))]]
        for name in self.settings.options:
            attribute = "bold" if self.settings.is_changed(name) else "dim"
            rows.append([Cell(name), Cell(text.escape(self.settings.show(name)), attribute)])
        columns = [Column("setting"), Column("value", shrinks=True)]
        write_lines(table_lines(columns, rows, OutputStyle.of(sys.stdout)))

    def _reset(self, _: str) -> None:
        self.settings.reset()
        write_lines(["all settings are reset to their defaults"])

    def _quit(self, _: str) -> None:
        self.finished = True

    def _help(self, written: str) -> None:
        name = text.nfkc(written).lstrip(":").lower()
        name = _ALIASES.get(name, name)
        if not name:
            write_lines(self._all_help())
        elif name in SHELL_COMMANDS:
            command = load_command(name)
            with HelpContext(command, info_name=f":{name}", parent=self.ctx) as ctx:
                write_lines([command.get_help(ctx)])
        elif name in self.names():
            write_lines([f":{name}  {self.names()[name]}"])
        else:
            raise self._unknown(name)

    def _all_help(self) -> list[str]:
        formatter = HelpFormatter()
        formatter.write_text("To find the nearest tokens, type an expression: 王-男+女")
        sections = {
            "Commands (each with its own options)": SHELL_COMMANDS,
            "Shell": BUILTINS,
            "Settings (off resets a setting)": self.settings.options,
        }
        for title, names in sections.items():
            with formatter.section(title):
                formatter.write_dl([(f":{name}", self.names()[name]) for name in names])
        return [formatter.getvalue().rstrip("\n")]


def _check_encoding(line: str) -> None:
    """Refuse bytes that are not UTF-8, which arrive as halves of surrogate pairs, and NUL."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        raise WordvecError("this line is not UTF-8") from error
    if "\0" in line:
        raise WordvecError("this line contains a NUL character")


def split_expressions(source: str) -> list[str]:
    """Split text between an operand and the next, where no operator connects them.

    >>> split_expressions('王 - 男 + 女  女王 "C++"')
    ['王 - 男 + 女', '女王', '"C++"']
    """
    *tokens, _ = tokenize(source)
    starts = [0] + [
        after.start for before, after in pairwise(tokens) if _is_new_operand(before, after)
    ]
    pieces = [
        source[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return [piece for piece in pieces if piece]


def _is_new_operand(before: Token, after: Token) -> bool:
    if before.kind is Kind.SENTENCE and before.end == after.start:  # 王{…}#2
        return after.kind is not Kind.ID and after.kind in _OPERAND_STARTS
    return before.kind in _OPERAND_ENDS and after.kind in _OPERAND_STARTS
