"""How long-running work reports its progress: the library calls back, the command line draws."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called while work is done: `done` of `total` units are finished."""

    def __call__(self, done: int, total: int) -> None:
        """Receive one report."""


def no_progress(done: int, total: int) -> None:
    """Ignore a report."""


class Status(Protocol):
    """Called with a few words on what is being done, such as "loading torch"."""

    def __call__(self, text: str) -> None:
        """Receive the words; they replace the earlier ones."""


def no_status(text: str) -> None:
    """Ignore a status."""
