"""`wordvec shell`: answer one expression after another, with the tables kept open.

tokens      the tokens that the word before the cursor can become
settings    what `:` lines set: the options of `wordvec query`
session     a line → the command that answers it
completion  the suggestions of Tab for a line
terminal    the prompt, its history and its keys; the only file that imports prompt_toolkit

`commands` imports this folder when the command is run; no other folder imports it.
"""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import click

from wordvec.cli.options import pieces_option, table_options
from wordvec.encoding import LONGEST_LINE, InputText, check_length, read_lines
from wordvec.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store


@click.command()
@pieces_option
@table_options
def command(ref: TableRef, store: Store, *, pieces: bool) -> int:
    r"""Answer one expression after another, with the table kept open.

    An expression is answered as by `wordvec query`. A line that starts with a colon sets an option
    (:k 20, :metric cosine, :table dynamic) or runs another command (:norms 王, :compare); :help
    lists them. Tab completes tokens, Ctrl-C cancels the line, Ctrl-D exits. At the prompt, help,
    exit and quit need no colon; in quotes they are words.

    If standard input is not a terminal, its lines are answered without a prompt.
    """
    from wordvec.cli.shell.session import Session  # loads numpy

    session = Session(ref, store)
    if pieces:
        session.settings.set("pieces", "on")
    if not sys.stdin.isatty():
        return session.answer_all(_lines(sys.stdin.buffer))
    from wordvec.cli.shell.terminal import run_repl  # prompt_toolkit takes 0.1 s to import

    run_repl(session)
    return 0


def _lines(stream: BinaryIO) -> Iterator[str | EncodingError]:
    """Read a stream as UTF-8 in every locale; a broken line is an error when it is answered.

    The first line that shows another encoding is replaced by the error that names it. A line that
    is too long and not text ends the stream: it may be endless.
    """
    text, mark = InputText(), b"\xef\xbb\xbf"
    checked = True
    for line in chain.from_iterable(read_lines(stream)):
        try:
            check_length(line)
            if checked:
                text.check(line)
        except EncodingError as error:
            checked = checked and len(line) > LONGEST_LINE
            yield error
            if len(line) > LONGEST_LINE and b"\0" in line:
                return
        else:
            yield line.removeprefix(mark).decode("utf-8", "surrogateescape")
        mark = b""
