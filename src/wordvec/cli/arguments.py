"""Command lines whose arguments may start with a dash, such as the expression `-王+女`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from wordvec.encoding import refuse_argument
from wordvec.errors import UsageError
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Arguments that are an operator of the grammar and nothing else.
LONE_OPERATORS = frozenset("+-*/×÷＋－−＊／=＝:：?？()（）")


class DashCommand(click.Command):
    """A command whose arguments may start with a dash and still not be options.

    An argument is an option only if it is a dash and one ASCII letter, perhaps with digits (`-k3`),
    or `--name[=value]`. `--` ends the options. (With click's `ignore_unknown_options`, `-km+m`
    would be read as `-k m+m`.)
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Separate options from arguments, and pass the arguments to click after a `--`.

        Raises:
            EncodingError: for an argument that is not UTF-8.
            UsageError: for a short option that the command does not have.
        """
        takes_value = options_with_value(self, ctx)
        try:
            options, arguments = split_arguments(args, takes_value)
        except UsageError:
            if not ctx.resilient_parsing:
                raise
            # completion of the value of the last option
            options, arguments = split_arguments(args[:-1], takes_value)
        for argument in arguments:
            refuse_argument(argument)
        return super().parse_args(ctx, [*options, "--", *arguments])


def options_of(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of a command by each of their spellings."""
    return {
        spelling: param
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
        for spelling in (*param.opts, *param.secondary_opts)
    }


def options_with_value(command: click.Command, ctx: click.Context) -> dict[str, bool]:
    """Return for each spelling of an option whether a value follows it."""
    return {
        spelling: not (option.is_flag or option.count)
        for spelling, option in options_of(command, ctx).items()
    }


def split_arguments(
    args: Sequence[str], takes_value: dict[str, bool]
) -> tuple[list[str], list[str]]:
    """Separate options (with their values) from arguments, each in the order given.

    Raises:
        UsageError: for a short option that is not known, or an option without its value.

    >>> split_arguments(["-王+king", "-k3", "-km+m"], {"-k": True})
    (['-k3'], ['-王+king', '-km+m'])
    """
    options: list[str] = []
    arguments: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            arguments.extend(rest)
        elif arg in takes_value:
            options.append(arg)
            if takes_value[arg]:
                options.append(_next_value(arg, rest))
        elif _is_option(arg, takes_value):
            options.append(arg)
        else:
            arguments.append(arg)
    return options, arguments


def _next_value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:  # click would take the "--" that follows for the value
        raise UsageError(f"{option} needs a value")
    return value


def _is_option(arg: str, takes_value: dict[str, bool]) -> bool:
    if re.fullmatch(r"-[A-Za-z]\d*", arg, re.ASCII):  # -k3
        if not takes_value.get(arg[:2], False):
            raise UsageError(f"no such option: {arg}", hint=f"to look up {arg} itself: -- {arg}")
        return True
    return re.fullmatch(r"--[A-Za-z][A-Za-z0-9-]*(=.*)?", arg, re.ASCII | re.DOTALL) is not None


def refuse_lone_operators(command: str, expressions: Sequence[str]) -> None:
    """Refuse an operator as one of several arguments: the shell has split an expression.

    Raises:
        UsageError: with the quoted expression as its hint.
    """
    lone = [text for text in expressions if text in LONE_OPERATORS]
    if lone and len(expressions) > 1:
        whole = " ".join(expressions).replace('"', '\\"')
        raise UsageError(
            f"{lone[0]!r} is a separate argument",
            hint=f'quote the expression: wordvec {command} "{escape(whole)}"',
        )
