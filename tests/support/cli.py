"""Run a command in this process, and compare all that it prints."""

from __future__ import annotations

import os
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import pytest

from support.counts import count_inputs
from wordvec.analysis.display import OutputStyle
from wordvec.cli import group

if TYPE_CHECKING:
    from collections.abc import Mapping


class Result(NamedTuple):
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str

    def masked(self, **paths: object) -> Result:
        """Replace paths that differ from run to run by their names in capitals."""
        out, err = self.out, self.err
        for name, path in paths.items():
            out, err = (text.replace(str(path), name.upper()) for text in (out, err))
        return Result(self.code, out, err)


def run(
    *args: object,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
    style: OutputStyle | None = None,
) -> Result:
    """Run `wordvec ARGS`. No stream is a terminal, but the output can have the style of one.

    stdin: what standard input contains. env: variables to add to the environment. style: colours
    and width, as of a terminal.
    """
    content = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = (TextIOWrapper(BytesIO(), "utf-8", newline="") for _ in range(2))
    with (
        patch.dict(os.environ, env or {}),
        patch.object(OutputStyle, "of", lambda _: style) if style else nullcontext(),
        patch("sys.stdin", TextIOWrapper(BytesIO(content), "utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        group.main([str(arg) for arg in args], prog_name="wordvec")
    count_inputs(bool(stop.value.code))
    for stream in (out, err):
        stream.seek(0)
    return Result(int(stop.value.code or 0), out.read(), err.read())
