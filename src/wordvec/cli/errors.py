"""Errors, warnings and notes: the only place where they become text and exit codes.

Messages of the library name parameters as in Python (`metric="cosine"`); `as_options` rewrites
them as options of the command line (`--metric cosine`).
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from wordvec.errors import ExpressionError, WordvecError
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OPTIONS = {  # parameter → option; the others have the same name
    "file_format": "--format",
    "k": "-k",
    "calibrated": "--calibrate",
    "expressions": "--expression",
    "templates": "--template",
    "transforms": "--transform",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            "batch_size", "corpus", "device", "dtype", "exclude", "field", "force", "largest",
            "layers", "limit", "match", "merge_twins", "method", "metric", "mode", "min_count",
            "model", "name", "no_special", "only", "per_token", "perplexity", "pieces", "pool",
            "seed", "sentences", "skip_bad", "smallest", "store", "table", "tables", "tokens",
            "unit", "variant", "vectors", "vocab", "workers",
        )
    },
}  # fmt: skip
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|(?<!\w)'(?:[^'\\]|\\.)*')"""
_VALUE = rf"True|-?\d+(?:\.\d+)?|{_STRING}|\[{_STRING}(?:, {_STRING})*\]"
# name=value; or a quoted string, which is skipped, as the user may have typed it
_ARGUMENT = rf"(?<![\w.-])({'|'.join(_OPTIONS)})=({_VALUE})(?!\w)|{_STRING}"


def as_options(message: str) -> str:
    """Rewrite the arguments in a message of the library as options of the command line.

    >>> as_options('force=True replaces it; or metric="cosine", transforms=["unit", "abtt:3"]')
    '--force replaces it; or --metric cosine, --transform unit --transform abtt:3'
    """
    return re.sub(_ARGUMENT, _as_option, message)


def _as_option(match: re.Match[str]) -> str:
    name, value = match.groups()
    if name is None:  # a quoted string
        return match[0]
    if value == "True":
        return _OPTIONS[name]
    values = [_unquote(string) for string in re.findall(_STRING, value)] or [value]
    if name == "tables":
        values = [",".join(values)]
    return " ".join(f"{_OPTIONS[name]} {_shell_word(one)}" for one in values)


def _unquote(string: str) -> str:
    return re.sub(r"""\\(["'\\])""", r"\1", string[1:-1])


def _shell_word(value: str) -> str:
    # shlex.quote alone would quote Japanese too
    return value if re.fullmatch(r"[\w@%+=:,./-]+", value) else shlex.quote(value)


def exit_code_of(call: Callable[[], object]) -> int:  # noqa: PLR0911  (one return per failure)
    """Call a function, print its error if it fails, and return the exit code.

    An int that `call` returns is the exit code of a request that ran but failed.
    """
    try:
        result = call()
        sys.stdout.flush()
    except BrokenPipeError:  # `wordvec query … | head -1` closed the pipe
        _silence_stdout()
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)  # the next prompt starts on a new line
        return 130
    except click.exceptions.Exit as stop:  # --help, where there is no group around the command
        return stop.exit_code
    except click.ClickException as error:
        # click repeats what was typed, whatever its length
        error.message = _tidy(error.message)  # type: ignore[misc]  # final for its subclasses
        error.show()
        return error.exit_code
    except WordvecError as error:
        show_error(error)
        return error.exit_code
    except OSError as error:  # of a file that the user named, or of the disk
        place = f"{clip(escape(str(error.filename)), 300)}: " if error.filename else ""
        click.echo(f"Error: {place}{error.strerror or error}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _tidy(message: str) -> str:
    """Escape control characters in a message of click, and cut long words."""
    lines = map(escape, message.split("\n")) if message else ()
    return "\n".join(re.sub(r"\S{201,}", lambda word: clip(word[0], 200), line) for line in lines)


def _silence_stdout() -> None:
    """Redirect standard output to nowhere, so that Python does not complain at exit."""
    with suppress(OSError, ValueError):  # in tests, stdout is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(message: str) -> None:
    """Print a note about the answer to standard error."""
    _print_message("Note", message, "dim")


def print_notes(notes: Iterable[str]) -> None:
    """Print notes to standard error, each of them once."""
    for message in dict.fromkeys(notes):
        note(message)


def warn(message: str) -> None:
    """Print a warning, for what may make the answer wrong."""
    _print_message("Warning", message, "yellow")


def _print_message(kind: str, message: str, colour: str) -> None:
    from wordvec.analysis.display import (
        OutputStyle,  # here and below: 10 ms that --help does not need
    )

    sys.stdout.flush()  # keep the order of both streams
    kind = OutputStyle.of(sys.stderr).paint(f"{kind}:", colour)
    sys.stderr.write(f"{kind} {as_options(message)}\n")


def show_error(error: WordvecError, *, prefix: str = "") -> None:
    """Print an error: the message, the expression with the place marked, and the hint."""
    _print_message("Error", f"{prefix}{error.message}", "red")
    if isinstance(error, ExpressionError):
        from wordvec.analysis.display import OutputStyle
        from wordvec.cli.output import caret_lines

        style = OutputStyle.of(sys.stderr)
        source, caret = caret_lines(error, style.cells or 80)
        sys.stderr.write(f"  {source}\n  {style.paint(caret, 'red')}\n")
    for line in as_options(error.hint or "").splitlines():
        sys.stderr.write(f"Hint: {line}\n")
