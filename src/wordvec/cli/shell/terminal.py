"""The prompt, with line editing, history and Tab, by prompt_toolkit."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.layout.processors import Processor, Transformation
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.shortcuts import CompleteStyle

from wordvec.analysis.display import OutputStyle
from wordvec.cli.errors import note
from wordvec.cli.output import write_lines
from wordvec.cli.shell.completion import suggest
from wordvec.errors import StoreError
from wordvec.tables.files import wrap_os_errors
from wordvec.tables.paths import expand_home, user_folder
from wordvec.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.layout.processors import TransformationInput

    from wordvec.cli.shell.session import Session

MENU_ROWS = 6
GREETING = "Type an expression, help or exit."
_WITHOUT_COLON = {"help": ":help", "exit": ":quit", "quit": ":quit"}  # what people try first


def run_repl(session: Session) -> None:
    """Prompt for lines and answer them until Ctrl-D, `:quit` or the end of the terminal.

    Ctrl-C cancels the line, or stops the answer in progress.
    """
    prompt = _prompt_session(session)
    write_lines([GREETING])
    while not session.finished:
        try:
            line = prompt.prompt([("bold", session.prompt)])
            line = _WITHOUT_COLON.get(line.strip(), line)
            session.answer_all(line.splitlines())  # several lines can be pasted
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def history_file() -> Path:
    """Return the file of the history, in WORDVEC_HOME or else in the user's data folder.

    Raises:
        StoreError: if it is in a home folder that does not exist.
    """
    if home := os.environ.get("WORDVEC_HOME"):
        return expand_home(home) / ".shell-history"
    from platformdirs import user_data_dir

    return user_folder(user_data_dir) / "shell-history"


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
            yield Completion(
                one.text,
                one.start - len(before),
                display=escape_controls(one.text),
                display_meta=escape_controls(one.help),
            )


class _EscapeControls(Processor):
    """Escapes the control characters of a line that was pasted, completed or recalled."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Escape the characters of the line, and keep track of their columns."""
        fragments = explode_text_fragments(transformation_input.fragments)
        shown = [escape_controls(fragment[1]) for fragment in fragments]
        columns = [0, *accumulate(map(len, shown))]  # of each character, and of the end
        return Transformation(
            [(fragment[0], text) for fragment, text in zip(fragments, shown, strict=True)],
            source_to_display=lambda at: columns[min(at, len(shown))] + max(at - len(shown), 0),
            display_to_source=lambda column: bisect_right(columns, column) - 1,
        )


def _prompt_session(session: Session) -> PromptSession[str]:
    style = OutputStyle.of(sys.stdout if sys.stdout.isatty() else sys.stderr)
    return PromptSession(
        history=_history(),
        completer=_LineCompleter(session),
        complete_while_typing=False,  # keep the arrow keys for the history
        complete_style=CompleteStyle.MULTI_COLUMN,
        reserve_space_for_menu=MENU_ROWS,
        input_processors=[_EscapeControls()],
        color_depth=None if style.colour else ColorDepth.DEPTH_1_BIT,
        # show the prompt in `wordvec shell > answers.txt` too
        output=create_output(always_prefer_tty=True),
    )


def _history() -> History:
    try:
        path = history_file()
        with wrap_os_errors(path, hint=None):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except StoreError as error:
        note(f"the history of this session will not be saved: {error.message}")
        return InMemoryHistory()
    return _SafeFileHistory(str(path))
