"""The static table of a model: read into memory, and saved if there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.extraction.saved import make_provenance
from wordvec.extraction.static import read_static_vectors
from wordvec.progress import Notify, ignore_note
from wordvec.tables.name import Mode, TableName
from wordvec.tables.table import VectorTable
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from wordvec.models.source import ModelSource
    from wordvec.tables.store import Store

WAIT_SECONDS = 30.0
"""How long to wait for another process that is writing the same static table."""


def read_static_table(
    source: ModelSource, *, variant: str | None = None, notify: Notify = ignore_note
) -> VectorTable:
    """Read a model's static table into memory; torch is needed only for `.bin` weights."""
    static = read_static_vectors(source.folder, read_vocabulary(source.folder))
    for note in static.notes:
        notify(note)
    provenance = replace(make_provenance(source, Mode.STATIC), variant=variant)
    return VectorTable.from_vectors(static.vocabulary, static.vectors, provenance)


def ensure_static(source: ModelSource, store: Store) -> bool:
    """Save a model's static table if there is none; return whether this call saved it."""
    name = TableName(source.name, Mode.STATIC)
    if name in store:
        return False
    try:
        store.save(read_static_table(source), wait=WAIT_SECONDS)
    except StoreError:
        if name not in store:  # otherwise another process has saved it meanwhile
            raise
        return False
    return True
