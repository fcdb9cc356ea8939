"""`wordvec shell`: stay in, tables open, and ask one expression after another.

candidates  tokens that a word begun at the cursor may mean
settings    what `:` lines set: the options of `wordvec query`
session     a line → the command that answers it
completion  what Tab offers on a line
terminal    the prompt, its history and its keys; the only file that imports prompt_toolkit
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

import click

from wordvec.cli.options import table_options

if TYPE_CHECKING:
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store


@click.command()
@table_options
def command(ref: TableRef, store: Store) -> int:
    r"""Ask one expression after another, with the table kept open.

    An expression is answered as by `wordvec query`; a line that begins with a colon sets an option
    (:k 20, :metric cosine, :table dynamic) or runs another command (:norms 王, :compare). :help
    lists them. Tab completes tokens, Ctrl-C drops the line, Ctrl-D leaves.

    Lines that do not come from a terminal are answered one by one, without a prompt.
    """
    from wordvec.cli.shell.session import Session  # numpy

    session = Session(ref, store)
    if not sys.stdin.isatty():
        return session.answer_all(_lines(sys.stdin))
    from wordvec.cli.shell.terminal import run_repl  # prompt_toolkit takes 0.1 s to load

    run_repl(session)
    return 0


def _lines(stream: TextIO) -> TextIO:
    """The lines of a stream as UTF-8, whatever the locale says; a line that is not is told."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
    return stream
