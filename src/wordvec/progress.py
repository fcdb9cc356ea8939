"""How long-running work reports progress and notes: the library calls back, the CLI shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Notify = Callable[[str], None]
"""Called with a note for the user, or with a status: a few words on what is being done now."""


class Progress(Protocol):
    """Called while work is done: `done` of `total` units are finished."""

    def __call__(self, done: int, total: int) -> None:
        """Receive one report."""


def no_progress(done: int, total: int) -> None:
    """Ignore a report."""


def ignore_note(note: str) -> None:
    """Ignore a note."""
