"""What a `:` line of the shell may set: the options of `wordvec query`, under the same names.

A setting is kept as it would be typed on the command line and handed to every command that has
an option of that name, so that nothing is checked or explained twice.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from wordvec.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet

    from wordvec.tables.name import TableName

TABLE_OPTIONS = ("--table", "--mode", "--model")
_APART = {*TABLE_OPTIONS, "--store", "--json", "--jsonl", "--tsv", "--help"}
_OFF = "off"


def options_of(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    """The options of a command by every spelling of theirs."""
    return {
        spelling: param
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
        for spelling in (*param.opts, *param.secondary_opts)
    }


class Settings:
    """The options that each question is asked with."""

    def __init__(self, command: click.Command, ctx: click.Context) -> None:
        self._command = command
        self._ctx = ctx
        self.options: dict[str, click.Option] = {
            max(option.opts, key=len).lstrip("-"): option
            for spelling, option in options_of(command, ctx).items()
            if spelling in option.opts and not _APART.intersection(option.opts)
        }
        self._values: dict[str, list[str]] = {}  # only what differs from the command's default

    def set(self, name: str, written: str) -> None:
        """Take a value as it was typed after `:name`; one that the option refuses is not kept.

        A flag without a value is switched; `off` puts any setting back to its default.
        """
        option = self.options[name]
        before = self._values.pop(name, None)
        if option.is_flag:
            values = _flag(name, written, is_on=before is not None)
        else:
            values = [] if written == _OFF else _values(option, written)
        if values:
            self._values[name] = values
        try:
            self._check()
        except click.UsageError as error:
            self._restore(name, before)
            raise UsageError(error.format_message()) from error  # no usage line: none was typed

    def reset(self) -> None:
        """Put every setting back to its default."""
        self._values.clear()

    def show(self, name: str) -> str:
        """Say what a setting is, as one would type it."""
        option = self.options[name]
        if option.is_flag:
            return "on" if name in self._values else _OFF
        if name in self._values:
            return " ".join(self._values[name])
        default = option.get_default(self._ctx)
        if isinstance(default, str | int):
            return str(default)
        return "default" if isinstance(option.type, click.Choice) else _OFF

    def is_changed(self, name: str) -> bool:
        """Say whether a setting differs from the default."""
        return name in self._values

    def arguments(self, accepted: Mapping[str, click.Option], given: Collection[str]) -> list[str]:
        """The settings that a command accepts, as its arguments, but for those given to it."""
        arguments: list[str] = []
        for name, values in self._values.items():
            option = self.options[name]
            spelling = max(option.opts, key=len)
            if spelling not in accepted or not set(option.opts).isdisjoint(given):
                continue
            if option.is_flag:
                arguments.append(spelling)
            for value in [] if option.is_flag else values:
                arguments += [spelling, value]
        return arguments

    def _check(self) -> None:
        """Let the command itself read the settings, without running it."""
        arguments = [*self.arguments(options_of(self._command, self._ctx), ()), "--", "x"]
        with self._command.make_context("", arguments, parent=self._ctx):
            pass

    def _restore(self, name: str, before: list[str] | None) -> None:
        self._values.pop(name, None)
        if before is not None:
            self._values[name] = before


def table_arguments(
    table: TableName, accepted: Mapping[str, click.Option], given: AbstractSet[str]
) -> list[str]:
    """Name the open table to a command; a mode or model given to the command itself comes first.

    A command that is asked for several tables (`compare`) is told the model alone.
    """
    if "--table" in given:
        return []
    if "--table" in accepted and given.isdisjoint(("--mode", "--model", "--tables")):
        return ["--table", str(table)]
    half = {"--mode": str(table.mode), "--model": table.model}
    if "--tables" in given:
        del half["--mode"]
    return [part for name in half if name in accepted and name not in given
            for part in (name, half[name])]  # fmt: skip


def unquoted(written: str) -> str:
    """A value without the quotes around it."""
    if len(written) > 1 and written[0] == written[-1] and written[0] in "\"'":
        return written[1:-1]
    return written


def _flag(name: str, written: str, *, is_on: bool) -> list[str]:
    if written not in ("", "on", _OFF):
        raise UsageError(f":{name} is on or off, not {written!r}", hint=f":{name} on")
    return ["on"] if written == "on" or (not written and not is_on) else []


def _values(option: click.Option, written: str) -> list[str]:
    if not option.multiple:
        return [unquoted(written)]
    try:
        return shlex.split(written)
    except ValueError as error:
        raise UsageError(f"{written}: {error}") from error
