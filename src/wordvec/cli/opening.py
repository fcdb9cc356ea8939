"""Opens tables for commands and prints the notes on which table was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.api import OpenTables, Table
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store


def open_tables(refs: Sequence[TableRef], store: Store) -> list[Table]:
    """Open several tables; inside `wordvec shell` they stay open between commands."""
    tables = tables_of(store).open_all(refs)
    print_notes(note for table in tables for note in table.notes)
    return tables


def open_table(ref: TableRef, store: Store) -> Table:
    """Open one table, as above."""
    return open_tables([ref], store)[0]


def tables_of(store: Store) -> OpenTables:
    """Return the open tables of the shell if they are of this store, else none yet."""
    from wordvec.api import OpenTables

    context = click.get_current_context(silent=True)
    opened = context.find_object(OpenTables) if context else None
    return opened if opened is not None and opened.store is store else OpenTables(store)
