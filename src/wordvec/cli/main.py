"""The command group `wordvec`: finds and runs commands, and exits with their code.

Exit codes: 0 success; 1 the request failed; 2 wrong usage; 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

import wordvec
from wordvec.cli.commands import COMMANDS, COMPLETION, load_command
from wordvec.cli.errors import exit_code_of
from wordvec.cli.help import HelpContext
from wordvec.cli.interrupts import ignore_interrupts
from wordvec.cli.streams import refuse_closed_output, safe_streams
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

EPILOG = """\b
Examples:
  wordvec query 王-男+女
  wordvec query --mode dynamic -k 20 王+女-男
  wordvec compare 王-男+女
  wordvec explain 王-男+女 女王
  wordvec norms 王 后 女 男
"""


class CommandGroup(click.Group):
    """A group that imports a command when it is called, and prints errors as text."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command, and return the command."""
        del ctx
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Complete the name of a command without importing it, or an option of the group."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest one that may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("--"):
            raise click.UsageError(_unknown_command(args), ctx=ctx)
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # it never returns: it always exits
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and exit with its code."""
        extra["standalone_mode"] = False
        request = os.environ.get(COMPLETION)

        def call() -> object:
            refuse_closed_output()
            if request:
                # this import registers our shells in place of click's
                from wordvec.cli.completion import check_request

                check_request(request)
            return super(CommandGroup, self).main(args, prog_name, **extra)

        with safe_streams():
            code = exit_code_of(call)
            ignore_interrupts()
        sys.exit(code)


def _unknown_command(args: list[str]) -> str:
    from difflib import get_close_matches

    name = args[0]
    close = get_close_matches(name, COMMANDS, n=1)
    message = f"no such command: {clip(escape(name), 40)}"
    if close:
        return f"{message}\nDid you mean: wordvec {close[0]}"
    if not name.isascii() or any(char in name for char in "+-*/: #"):  # probably an expression
        from shlex import join

        typed = clip(escape(join(args)), 200)
        return f"{message}\nTo find the nearest tokens: wordvec query {typed}"
    return message


@click.group(cls=CommandGroup, epilog=EPILOG)
@click.version_option(wordvec.__version__, prog_name="wordvec")
def group() -> None:
    """Explore the word vectors inside BERT: what is nearest to 王-男+女, and why.

    `wordvec COMMAND --help` describes a command and its options.
    """
