"""The settings of the shell: the options of `wordvec query`, under the same names.

A setting is kept as it would be typed on the command line, and passed to every command that has
an option of that name. Only the commands check and interpret it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import options_of
from wordvec.errors import UsageError
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet

    from wordvec.tables.name import TableName

# Options of `wordvec query` that are not settings: the table has its own `:` lines.
_NOT_SETTINGS = {
    *("--table", "--mode", "--variant", "--model", "--store", "--help"),
    *("--json", "--jsonl", "--tsv", "--safe-csv"),
}
_PARTS = ("--mode", "--variant", "--model", "--tables")  # in place of --table
_ON, _OFF = "on", "off"


class ShellSettings:
    """The options that every expression is answered with."""

    def __init__(self, command: click.Command, ctx: click.Context) -> None:
        self._command = command
        self._ctx = ctx
        self.options: dict[str, click.Option] = {
            max(option.opts, key=len).lstrip("-"): option
            for spelling, option in options_of(command, ctx).items()
            if spelling in option.opts and not _NOT_SETTINGS.intersection(option.opts)
        }
        self._values: dict[str, list[str]] = {}  # only settings that are not at their default

    def set(self, name: str, written: str) -> None:
        """Set an option to a value as typed; a value that the command refuses is not kept.

        A flag without a value is toggled; `off` resets any setting to its default.
        """
        option = self.options[name]
        before = self._values.pop(name, None)
        if option.is_flag:
            values = _flag_values(option, name, written, is_on=before == [_ON])
        else:
            values = [] if written == _OFF else _option_values(option, written)
        if values:
            self._values[name] = values
        try:
            self._check()
        except click.UsageError as error:
            self._restore(name, before)
            raise UsageError(error.format_message()) from error  # without a usage line

    def reset(self) -> None:
        """Reset all settings to their defaults."""
        self._values.clear()

    def show(self, name: str) -> str:
        """Return the value of a setting as it would be typed."""
        option = self.options[name]
        if name in self._values:
            return " ".join(self._values[name])
        if option.is_flag:
            return "default" if option.secondary_opts else _OFF
        default = option.get_default(self._ctx)
        if isinstance(default, str | int):
            return str(default)
        return "default" if isinstance(option.type, click.Choice) else _OFF

    def is_changed(self, name: str) -> bool:
        """Whether a setting differs from its default."""
        return name in self._values

    def arguments(self, accepted: Mapping[str, click.Option], given: Collection[str]) -> list[str]:
        """Return the settings as arguments of a command.

        accepted: the options of the command. given: options that the user gave to the command,
        which replace the settings of the same names.
        """
        arguments: list[str] = []
        for name, values in self._values.items():
            option = self.options[name]
            is_off = option.is_flag and values == [_OFF]
            spelling = max(option.secondary_opts if is_off else option.opts, key=len)
            if spelling not in accepted or not _spellings(option).isdisjoint(given):
                continue
            if option.is_flag:
                arguments.append(spelling)
            for value in [] if option.is_flag else values:
                arguments += [spelling, value]
        return arguments

    def _check(self) -> None:
        """Let the command parse the settings, without running it."""
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
    """Return the arguments that name the open table to a command.

    Options that the user gave to the command replace them. A command that takes several tables
    (`compare`) gets the model alone.
    """
    if "--table" in given:
        return []
    if "--table" in accepted and given.isdisjoint(_PARTS):
        return ["--table", str(table)]
    kind = table.kind if "--variant" not in given else table.mode.value
    values = {"--mode": kind, "--model": table.model}
    if "--tables" in given:
        del values["--mode"]
    arguments: list[str] = []
    for name, value in values.items():
        if name in accepted and name not in given:
            arguments += [name, value]
    return arguments


def unquote(written: str) -> str:
    """Remove the quotes around a value."""
    if len(written) > 1 and written[0] + written[-1] in ('""', "''", "「」", "『』"):
        return written[1:-1]
    return written


def _spellings(option: click.Option) -> set[str]:
    return {*option.opts, *option.secondary_opts}


def _flag_values(option: click.Option, name: str, written: str, *, is_on: bool) -> list[str]:
    if written not in ("", _ON, _OFF):
        raise UsageError(f":{name} takes on or off, not {quote(written)}", hint=f":{name} on")
    if written == _ON or (not written and not is_on):
        return [_ON]
    return [_OFF] if option.secondary_opts else []


def _option_values(option: click.Option, written: str) -> list[str]:
    if not option.multiple:
        return [unquote(written)]
    try:
        return shlex.split(written)
    except ValueError as error:
        raise UsageError(f"{written}: {error}") from error
