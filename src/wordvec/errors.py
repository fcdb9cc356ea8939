"""The errors of the library: every failure that a user can cause is a `WordvecError`.

The library raises them; the command line turns them into text and an exit code in one place.
Messages and hints name arguments as in Python (`metric="l2"`, `force=True`); the command line
rewrites these as options.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, TypeVar

from wordvec.text import escape_controls, quote

_LONGEST_NAME = 255  # bytes of the name of a file, on all usual disks
Choice = TypeVar("Choice", bound=StrEnum)
Hint: TypeAlias = "str | Callable[[], str | None] | None"


class WordvecError(Exception):
    """A request failed. `hint` is the next thing to type or do, if there is one.

    A hint that takes time to find is given as a function; it is called when the hint is read.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: Hint = None) -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint

    @property
    def hint(self) -> str | None:
        """The next thing to type or do; None if there is nothing."""
        if callable(self._hint):
            try:
                self._hint = self._hint()
            except WordvecError:  # the error itself says more
                self._hint = None
        return self._hint

    @hint.setter
    def hint(self, hint: Hint) -> None:
        self._hint = hint

    def __str__(self) -> str:
        return escape_controls(self.message)


class UsageError(WordvecError, ValueError):
    """Arguments that are wrong or do not go together, whatever the data."""

    exit_code = 2


class ExpressionError(WordvecError):
    """A syntax error in an expression, or a term that has no answer.

    `start` and `end` count characters of `source`; the caret is drawn by terminal cells.
    """

    def __init__(
        self, message: str, *, source: str, start: int, end: int, hint: Hint = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.start = start
        self.end = max(end, start + 1)


class UnknownWordError(ExpressionError, KeyError):
    """A word that is not in the vocabulary."""

    def in_table(self, table: object) -> UnknownWordError:
        """Return the same error with the name of a table, for questions to several tables."""
        return UnknownWordError(
            f"{table}: {self.message}",
            source=self.source,
            start=self.start,
            end=self.end,
            hint=self._hint,
        )


class EncodingError(WordvecError):
    """Input is not text in UTF-8."""


class NoQuestionsError(WordvecError):
    """A test set of which a vocabulary has too few words for any question."""


class MissingExtraError(WordvecError):
    """A feature needs a package of an extra that is not installed."""

    def __init__(self, what: str, *, extra: str, package: str) -> None:
        super().__init__(
            f"{what} needs {package}, which is not installed",
            hint=f"pip install 'wordvec[{extra}]'",
        )


class ModelError(WordvecError):
    """A model cannot be found, downloaded or read."""


class ModelUnavailableError(ModelError):
    """A model may exist, but is neither on this machine nor reachable from it."""


class StoreError(WordvecError):
    """A table or file cannot be found, read or written."""


class TableNotFoundError(StoreError):
    """There is no saved table of that name."""


class TableBusyError(StoreError):
    """Another process is writing this table."""


class DamagedTableError(StoreError):
    """The files of a table do not match its manifest."""


def check_flag(value: object, parameter: str) -> None:
    """Check that a value is True or False.

    Raises:
        UsageError: otherwise, so that a list or the text "False" is not taken as True.
    """
    if not isinstance(value, bool):
        raise UsageError(f"expected {parameter} to be True or False, got {quote(value)}")


def check_type(value: object, kind: type, parameter: str) -> None:
    """Check that a value has a type.

    Raises:
        UsageError: otherwise.
    """
    if not isinstance(value, kind):
        raise UsageError(f"expected {parameter} of type {kind.__name__}, got {quote(value)}")


def as_path(value: object, parameter: str) -> Path:
    """Convert text or a path to a path.

    Raises:
        UsageError: if it is neither, or if no file can have that name.
    """
    if not isinstance(value, str | Path):
        raise UsageError(f"expected {parameter} to be the path of a file, got {quote(value)}")
    try:
        longest = max(map(len, re.split(rb"[/\\]", os.fsencode(value))))
        named = "\0" not in str(value) and 0 < longest <= _LONGEST_NAME
    except UnicodeEncodeError:  # half a surrogate pair
        named = False
    if not named:
        raise UsageError(f"no file can have the name {quote(str(value))} ({parameter})")
    return Path(value)


def as_choice(choices: type[Choice], value: str, parameter: str) -> Choice:
    """Convert a string to a member of an enum.

    Raises:
        UsageError: if it is not one of the values; the message lists them.
    """
    try:
        return choices(value)
    except ValueError:
        *most, last = choices
        raise UsageError(
            f"unknown {parameter} {quote(value)}: expected {', '.join(most)} or {last}"
        ) from None
