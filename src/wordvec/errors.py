"""The tree of errors: every failure that a user can cause or meet is a `WordvecError`.

The library raises them; one place in the command line turns them into text and an exit code.
"""

from __future__ import annotations


class WordvecError(Exception):
    """A request failed. `hint` is the next thing to type or do, where there is one."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(WordvecError):
    """Options or arguments that do not fit together, whatever the data."""

    exit_code = 2


class ExpressionError(WordvecError):
    """A place in an expression that cannot be read or answered.

    `start` and `end` count characters of `source`; the caret is drawn by terminal cells.
    """

    def __init__(
        self, message: str, *, source: str, start: int, end: int, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.start = start
        self.end = max(end, start + 1)


class UnknownWordError(ExpressionError):
    """A word of the expression that is no token of the vocabulary."""

    def said_of(self, table: object) -> UnknownWordError:
        """The same, with the table in front: for a question to several."""
        return UnknownWordError(
            f"{table}: {self.message}",
            source=self.source,
            start=self.start,
            end=self.end,
            hint=self.hint,
        )


class MissingExtraError(WordvecError):
    """A command needs packages of an extra that is not installed."""

    def __init__(self, what: str, *, extra: str, package: str) -> None:
        super().__init__(
            f"{what} needs {package}, which is not installed",
            hint=f"pip install 'wordvec[{extra}]'",
        )


class ModelError(WordvecError):
    """A model that cannot be found, fetched or read."""


class ModelUnavailableError(ModelError):
    """A model that may well exist, but is neither on this machine nor within reach of it."""


class StoreError(WordvecError):
    """A table that cannot be found, read or written."""


class TableNotFoundError(StoreError):
    """No table of that name is in the store."""


class TableBusyError(StoreError):
    """Another process is making this table."""


class DamagedTableError(StoreError):
    """Files of a table do not agree with its manifest."""
