"""The prompt: line editing, history and Tab, by prompt_toolkit."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.shortcuts import CompleteStyle

from wordvec.cli.output import OutputStyle, note
from wordvec.cli.shell.completion import offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from wordvec.cli.shell.session import Session

MENU_ROWS = 6


def run_repl(session: Session) -> None:
    """Prompt for lines and answer them until Ctrl-D, `:quit` or the terminal's end.

    Ctrl-C drops the line, or stops the answer in progress.
    """
    prompt = _prompt(session)
    while not session.over:
        try:
            typed = prompt.prompt([("bold", session.prompt)])
            session.answer_all(typed.splitlines())  # several lines can be pasted
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def history_file() -> Path:
    """Where the lines typed are kept: WORDVEC_HOME if it is set, else the user's data folder."""
    if home := os.environ.get("WORDVEC_HOME"):
        return Path(home).expanduser() / ".shell-history"
    from platformdirs import user_data_path

    return user_data_path("wordvec", appauthor=False) / "shell-history"


class _LastingHistory(FileHistory):
    """Lines kept in a file, for as long as the file can be written."""

    def store_string(self, string: str) -> None:
        """Write a line; a full disk loses the line, not the session."""
        with suppress(OSError):
            super().store_string(string)


class _LineCompleter(Completer):
    """Hands what `completion` offers to the prompt."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Complete the text before the cursor."""
        del complete_event
        before = document.text_before_cursor
        for offer in offers(before, self._session):
            yield Completion(offer.text, offer.start - len(before), display_meta=offer.help)


def _prompt(session: Session) -> PromptSession[str]:
    look = OutputStyle.of(sys.stdout if sys.stdout.isatty() else sys.stderr)
    return PromptSession(
        history=_history(history_file()),
        completer=_LineCompleter(session),
        complete_while_typing=False,  # the arrows stay with the history, Enter with the line
        complete_style=CompleteStyle.MULTI_COLUMN,
        reserve_space_for_menu=MENU_ROWS,
        color_depth=None if look.colour else ColorDepth.DEPTH_1_BIT,
        # `wordvec shell > answers.txt` still shows its prompt
        output=create_output(always_prefer_tty=True),
    )


def _history(path: Path) -> History:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        note(f"lines are not kept after this session: {path}: {error.strerror}")
        return InMemoryHistory()
    return _LastingHistory(str(path))
