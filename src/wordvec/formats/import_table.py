"""Import vectors from another program's file as a saved table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import StoreError, as_choice
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
    path: Path, model: str, mode: Mode | str, store: Store, *, force: bool = False
) -> VectorTable:
    """Save a pickled `{id: vector}` as a table and open it.

    Args:
        path: The article's pickle: one vector for each id of the model's vocabulary.
        model: The model that the vectors were made with.
        mode: The mode that the table is saved under.
        store: Where the table is saved.
        force: Replace the table if it exists.

    Raises:
        ModelError: The model cannot be found, or its vocabulary cannot be read.
        StoreError: The table exists and `force` is false, the file is not such a pickle, or the
            table cannot be saved.
    """
    from importlib.metadata import version

    mode = as_choice(Mode, mode, "mode")
    source = find_model(model)
    name = TableName(source.name, mode)
    if name in store and not force:  # checked before the file is read, which takes longer
        raise StoreError(f"{escape(str(name))} already exists", hint="force=True replaces it")
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
