"""The standard streams of a command: UTF-8, open, and safe for a terminal.

Everything that a command prints passes `SafeStream`: answers, errors, help, completion, progress
bars, warnings and the messages of other libraries. Only `wordvec export -o -` writes bytes of its
own, and prompt_toolkit, which draws the prompt of the shell.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO, cast

from wordvec.errors import WordvecError
from wordvec.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What our own output needs: ends of lines, tabs and the returns of progress bars; on a terminal
# also colours, and the keys by which tqdm moves between several bars.
_LAYOUT = re.compile(r"([\n\t\r]+)")
_TERMINAL_LAYOUT = re.compile(r"((?:[\n\t\r]|\x1b\[(?:\d*m|A|K))+)")


_STDERR = 2


class SafeStream:
    """A text stream that escapes what could control or reorder a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._layout = _TERMINAL_LAYOUT if stream.isatty() else _LAYOUT

    def write(self, text: str) -> int:
        """Write a text, escaped except for its layout."""
        if not text.replace("\n", "").isprintable():  # rarely
            parts = self._layout.split(text)  # in turns: content, layout, content …
            parts[::2] = map(escape_controls, parts[::2])
            text = "".join(parts)
        return self._stream.write(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write several texts."""
        for text in texts:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _ClosedInput:
    """Standard input that the caller closed: reading it is an error, not a traceback."""

    def isatty(self) -> bool:
        """Return False."""
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self.readlines())

    def __getattr__(self, name: str) -> Any:
        raise WordvecError("standard input is closed")


class _ClosedOutput(StringIO):
    """Standard output that the caller closed."""


@contextmanager
def safe_streams() -> Iterator[None]:
    """Write UTF-8 in every locale, and escape what is not printable, as long as the block runs."""
    with ExitStack() as stack:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None:  # closed: `wordvec … >&-`
                stack.enter_context(redirect(_ClosedOutput()))
                continue
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(encoding="utf-8", errors="backslashreplace")
            stack.enter_context(redirect(cast("TextIO", SafeStream(stream))))
        if sys.stdin is None:
            sys.stdin = cast("TextIO", _ClosedInput())
        elif isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="surrogateescape")  # a broken line is an error of its own
        yield


def refuse_closed_output() -> None:
    """Raise an error before the work whose answer nobody would get.

    Raises:
        WordvecError: if standard output was closed.
    """
    if isinstance(sys.stdout, _ClosedOutput):
        raise WordvecError("standard output is closed", hint="to discard the answer: >/dev/null")


def hold_closed_streams() -> None:
    """Open the descriptors 0 to 2 where they are closed.

    Otherwise the next file that is opened would be standard output for the libraries in C.
    """
    with suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            pass
        os.close(descriptor)
