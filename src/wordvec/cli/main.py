"""The table of commands, and the one place where errors become text and an exit code.

Exit codes: 0 fine; 1 the request failed; 2 wrong usage; 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

import wordvec
from wordvec.errors import WordvecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# command → (module under wordvec.cli, whose `command` it is; short help). Static, so that
# `wordvec --help` loads none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "extract": ("extract", "Take the vectors of a model, static or dynamic, into the store."),
    "query": ("query", "Find the tokens nearest to an expression such as 王-男+女."),
    "compare": ("compare", "Put what tables answer side by side: static and dynamic."),
    "explain": ("explain", "Take an answer's score apart: word by word, dimension by dimension."),
    "similar": ("similar", "Show how near words are to one another, all pairs of them."),
    "odd": ("odd", "Find the word that does not belong."),
    "norms": ("norms", "Show how long the vectors of tokens are, and how they rank."),
    "evaluate": ("evaluate", "Count the analogies that a table solves."),
    "tables": ("tables", "List the tables of the store, verify or remove them."),
    "export": ("export", "Write a table to a file: pickle, npy or word2vec's text."),
    "import": ("import_", "Take in vectors that were pickled as {id: vector}."),
    "map": ("map", "Draw the vocabulary as a map, on a page to walk through."),
    "shell": ("shell", "Stay in: ask one expression after another, tables kept open."),
    "completion": ("completion", "Print the script that completes commands in bash, zsh or fish."),
}

EPILOG = """\b
Examples:
  wordvec query 王-男+女
  wordvec query --mode dynamic -k 20 王+女-男
  wordvec compare 王-男+女
  wordvec explain 王-男+女 女王
  wordvec norms 王 后 女 男
"""


class CommandGroup(click.Group):
    """Commands loaded when they are called, and errors drawn as text."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command's module, and only that one."""
        from importlib import import_module

        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"wordvec.cli.{COMMANDS[cmd_name][0]}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"wordvec.cli.{COMMANDS[cmd_name][0]}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem[Any]]:
        """Complete the name of a command from the table alone, or one of the group's options."""
        named = [
            click.shell_completion.CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("--"):
            raise click.UsageError(_unknown_command(args), ctx=ctx)
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # it never returns: every way out is an exit code
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and exit: the only place where errors become text."""
        extra["standalone_mode"] = False
        _speak_utf8()
        if "_WORDVEC_COMPLETE" in os.environ:
            import wordvec.cli.completion  # noqa: F401  (its bash takes the place of click's)
        sys.exit(exit_code_of(lambda: super(CommandGroup, self).main(args, prog_name, **extra)))


def exit_code_of(call: Callable[[], object]) -> int:  # noqa: PLR0911  (a way out for each failure)
    """Call, draw what goes wrong, and say the exit code: the only place where errors become text.

    An int that `call` returns is the code of a request that ran and yet failed.
    """
    try:
        result = call()
        sys.stdout.flush()
    except BrokenPipeError:  # `wordvec query … | head -1`: the reader has had enough
        _silence_stdout()
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)  # the prompt begins on a line of its own
        return 130
    except click.exceptions.Exit as stop:  # --help, where no group stands around the command
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except WordvecError as error:
        from wordvec.cli.output import show_error

        show_error(error)
        return error.exit_code
    except OSError as error:  # a file named by the user, or the disk
        click.echo(f"Error: {_os_error(error)}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _unknown_command(args: list[str]) -> str:
    from difflib import get_close_matches

    name = args[0]
    close = get_close_matches(name, COMMANDS, n=1)
    message = f"no such command: {name}"
    if close:
        return f"{message}\nDid you mean: wordvec {close[0]}"
    if not name.isascii() or any(char in name for char in "+-*/: #"):  # an expression, likely
        from shlex import join

        return f"{message}\nTo ask for neighbours: wordvec query {join(args)}"
    return message


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says; what it cannot hold (half a pair) is escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _silence_stdout() -> None:
    """Let nothing complain at exit about a pipe that is gone."""
    with suppress(OSError, ValueError):  # no real file behind stdout: a test's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=CommandGroup, epilog=EPILOG, context_settings={"max_content_width": 100})
@click.version_option(wordvec.__version__, prog_name="wordvec")
def group() -> None:
    """Explore the word vectors inside BERT: what is nearest to 王-男+女, and why.

    `wordvec COMMAND --help` tells the rest.
    """
