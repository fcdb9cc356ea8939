"""Vectors made elsewhere become a table: the article's pickle, with the model's own vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.article_pickle import read_pickle
from wordvec.models.find import find_model
from wordvec.tables.name import Mode, TableName
from wordvec.tables.table import Provenance, VectorTable
from wordvec.text import escape
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.store import Store


def import_pickle(
    path: Path, model: str, mode: Mode, store: Store, *, force: bool = False
) -> VectorTable:
    """Keep a pickled `{id: vector}` as the table of `model` and `mode`, and open it."""
    from importlib.metadata import version

    source = find_model(model)
    name = TableName(source.name, mode)
    if name in store and not force:  # said before the file is read
        raise StoreError(f"{escape(str(name))} is already there", hint="--force replaces it")
    vocabulary = read_vocabulary(source.folder)
    rows = read_pickle(path, len(vocabulary))
    provenance = Provenance(
        source.name,
        mode,
        source.revision,
        source="import",
        versions={library: version(library) for library in ("wordvec", "numpy")},
    )
    store.save(VectorTable.from_vectors(vocabulary, rows, provenance), force=force)
    return store.open(name)
