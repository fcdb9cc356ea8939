"""The prompt, with line editing, history and Tab, by prompt_toolkit."""

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

from wordvec.analysis.display import OutputStyle
from wordvec.cli.errors import note
from wordvec.cli.shell.completion import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from wordvec.cli.shell.session import Session

MENU_ROWS = 6


def run_repl(session: Session) -> None:
    """Prompt for lines and answer them until Ctrl-D, `:quit` or the end of the terminal.

    Ctrl-C cancels the line, or stops the answer in progress.
    """
    prompt = _prompt_session(session)
    while not session.finished:
        try:
            line = prompt.prompt([("bold", session.prompt)])
            session.answer_all(line.splitlines())  # several lines can be pasted
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def history_file() -> Path:
    """Return the file of the history, in WORDVEC_HOME or else in the user's data folder."""
    if home := os.environ.get("WORDVEC_HOME"):
        return Path(home).expanduser() / ".shell-history"
    from platformdirs import user_data_path

    return user_data_path("wordvec", appauthor=False) / "shell-history"


class _SafeFileHistory(FileHistory):
    """A history in a file that ignores errors of writing."""

    def store_string(self, string: str) -> None:
        """Write a line; on a full disk it is lost, and the session goes on."""
        with suppress(OSError):
            super().store_string(string)


class _LineCompleter(Completer):
    """Passes the suggestions of `completion` to the prompt."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Complete the text before the cursor."""
        del complete_event
        before = document.text_before_cursor
        for one in suggest(before, self._session):
            yield Completion(one.text, one.start - len(before), display_meta=one.help)


def _prompt_session(session: Session) -> PromptSession[str]:
    style = OutputStyle.of(sys.stdout if sys.stdout.isatty() else sys.stderr)
    return PromptSession(
        history=_history(history_file()),
        completer=_LineCompleter(session),
        complete_while_typing=False,  # keep the arrow keys for the history
        complete_style=CompleteStyle.MULTI_COLUMN,
        reserve_space_for_menu=MENU_ROWS,
        color_depth=None if style.colour else ColorDepth.DEPTH_1_BIT,
        # show the prompt in `wordvec shell > answers.txt` too
        output=create_output(always_prefer_tty=True),
    )


def _history(path: Path) -> History:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        note(f"the history of this session will not be saved: {path}: {error.strerror}")
        return InMemoryHistory()
    return _SafeFileHistory(str(path))
