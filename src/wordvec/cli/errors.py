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

from wordvec.cli.interrupts import StoppedError, is_interrupt
from wordvec.errors import ExpressionError, WordvecError
from wordvec.text import clip, escape, escape_controls, wrap

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
            "batch_size", "corpus", "device", "dtype", "exclude", "field", "force",
            "force_dtype", "largest", "layers", "limit", "match", "merge_twins", "method",
            "metric", "mode", "min_count", "model", "name", "no_special", "only", "over",
            "per_token", "perplexity", "pieces", "pool", "seed", "sentences", "skip_bad",
            "smallest", "store", "table", "tables", "tokens", "top", "unit", "variant",
            "vectors", "vocab", "workers",
        )
    },
}  # fmt: skip
_NEGATIVE = {"exclude": "--no-exclude"}  # parameter=False → option
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|(?<!\w)'(?:[^'\\]|\\.)*')"""
_VALUE = rf"True|False|-?\d+(?:\.\d+)?|{_STRING}|\[{_STRING}(?:, {_STRING})*\]"
# name=value; or a quoted string, which is skipped, as the user may have typed it
_ARGUMENT = rf"(?<![\w.-])({'|'.join(_OPTIONS)})=({_VALUE})(?!\w)|{_STRING}"


def as_options(message: str) -> str:
    """Rewrite the arguments in a message of the library as options of the command line.

    >>> as_options('exclude=False keeps them; or metric="cosine", transforms=["unit", "abtt:3"]')
    '--no-exclude keeps them; or --metric cosine, --transform unit --transform abtt:3'
    """
    return re.sub(_ARGUMENT, _as_option, message)


def _as_option(match: re.Match[str]) -> str:
    name, value = match.groups()
    if name is None:  # a quoted string
        return match[0]
    if value == "True":
        return _OPTIONS[name]
    if value == "False":
        return _NEGATIVE.get(name, match[0])
    values = [_unquote(string) for string in re.findall(_STRING, value)] or [value]
    if name == "tables":
        values = [",".join(values)]
    return " ".join(f"{_OPTIONS[name]} {_shell_word(one)}" for one in values)


def _unquote(string: str) -> str:
    return re.sub(r"""\\(["'\\])""", r"\1", string[1:-1])


def _shell_word(value: str) -> str:
    # shlex.quote alone would quote Japanese too
    return value if re.fullmatch(r"[\w@%+=:,./-]+", value) else shlex.quote(value)


MOST_HINTS = 10
"""Errors in the lines of one input that are shown with their hints: nobody reads more."""


def exit_code_of(call: Callable[[], object], *, hints: bool = True) -> int:
    """Call a function, print its error if it fails, and return the exit code.

    An int that `call` returns is the exit code of a request that ran but failed. hints: whether to
    print the hint of an error, which can take much longer to find than an answer.
    """
    try:
        result = call()
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # what is not ours is raised again
        return _print_failure(error, hints=hints)
    return result if isinstance(result, int) else 0


def _print_failure(error: BaseException, *, hints: bool) -> int:
    """Print what went wrong and return the exit code, or raise the error if a bug caused it."""
    if isinstance(error, StoppedError) or is_interrupt(error):
        if not isinstance(error, click.Abort):  # for it, click has ended the line of ^C
            click.echo(err=True)
        note(error.message if isinstance(error, StoppedError) else "stopped")
        return StoppedError.exit_code
    code = 1
    match error:
        case BrokenPipeError():  # `wordvec query … | head -1` closed the pipe
            _silence_stdout()
        case click.Abort():
            note("stopped")
            code = StoppedError.exit_code
        case click.exceptions.Exit():  # --help, where there is no group around the command
            code = error.exit_code
        case click.ClickException():  # click repeats what was typed, whatever its length
            lines = map(_tidy, error.message.split("\n"))
            error.message = "\n".join(lines)  # type: ignore[misc]  # final for its subclasses
            error.show()
            code = error.exit_code
        case WordvecError():
            show_error(error, hints=hints)
            code = error.exit_code
        case OSError():  # of a file that the user named, or of the disk
            place = f"{clip(escape(str(error.filename)), 300)}: " if error.filename else ""
            show_error(WordvecError(f"{place}{error.strerror or error}"))
        case MemoryError():
            show_error(WordvecError("there is not enough memory for this"))
        case _:
            raise error
    return code


def _tidy(message: str) -> str:
    """Escape control characters in a message, and cut long words."""
    return re.sub(r"\S{401,}", lambda word: clip(word[0], 200), escape_controls(message))


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


def _print_message(kind: str, message: str, colour: str | None = None) -> None:
    from wordvec.analysis.display import (
        OutputStyle,  # here and below: 10 ms that --help does not need
    )

    sys.stdout.flush()  # keep the order of both streams
    style = OutputStyle.of(sys.stderr)
    first, *others = wrap(f"{kind}: {_tidy(as_options(message))}", style.cells, indent="  ")
    painted = style.paint(f"{kind}:", colour) + first.removeprefix(f"{kind}:")
    sys.stderr.write("".join(f"{line}\n" for line in (painted, *others)))


def show_error(error: WordvecError, *, prefix: str = "", hints: bool = True) -> None:
    """Print an error: the message, the expression with the place marked, and the hint."""
    _print_message("Error", f"{prefix}{error.message}", "red")
    if isinstance(error, ExpressionError):
        from wordvec.analysis.display import OutputStyle
        from wordvec.cli.output import caret_lines

        style = OutputStyle.of(sys.stderr)
        source, caret = caret_lines(error, style.cells or 80)
        sys.stderr.write(f"  {source}\n  {style.paint(caret, 'red')}\n")
    for line in filter(None, (error.hint or "").split("\n") if hints else ()):
        _print_message("Hint", line)
