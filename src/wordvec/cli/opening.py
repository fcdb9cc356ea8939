"""Opens tables for commands and prints the notes on which table was chosen."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes
from wordvec.cli.progress_bar import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wordvec.api import OpenTables, Table
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store


def open_tables(refs: Sequence[TableRef], store: Store) -> list[Table]:
    """Open several tables; inside `wordvec shell` they stay open between commands."""
    tables = tables_of(store).open_all(refs)
    print_table_notes((note for table in tables for note in table.notes), store)
    return tables


def open_table(ref: TableRef, store: Store) -> Table:
    """Open one table, as above."""
    return open_tables([ref], store)[0]


def tables_of(store: Store) -> OpenTables:
    """Return the open tables of the shell if they are of this store, else none yet."""
    from wordvec.api import OpenTables

    context = click.get_current_context(silent=True)
    opened = context.find_object(OpenTables) if context else None
    if opened is not None and opened.store is store:
        return opened
    return OpenTables(store, ProgressBar("").status)


_MARK = ".noted"  # in the store: the session in which the note on the bundled model was last shown


def print_table_notes(notes: Iterable[str], store: Store) -> None:
    """Print notes on the choice of tables; that on the bundled model once per terminal session."""
    from wordvec.tables.resolve import BUNDLED_NOTE

    notes = list(notes)
    if BUNDLED_NOTE in notes and not _is_first_time(store):
        notes.remove(BUNDLED_NOTE)
    print_notes(notes)


def _is_first_time(store: Store) -> bool:
    """Return whether the note has not been shown in this session, and remember it as shown."""
    getsid = getattr(os, "getsid", None)
    session = str(os.getppid() if getsid is None else getsid(0))
    mark = store.root / _MARK
    with suppress(OSError, ValueError):  # a folder that cannot be written must not prevent answers
        if mark.read_text("utf-8") == session:
            return False
    with suppress(OSError):
        mark.write_text(session, "utf-8")
    return True
