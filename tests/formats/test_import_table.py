"""Pickled vectors saved as a table of a model."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wordvec.errors import StoreError
from wordvec.formats.import_table import import_pickle
from wordvec.tables.name import Mode
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pickle_becomes_a_table_with_the_vocabulary_of_its_model(
    tiny_bert: Path, tmp_path: Path
) -> None:
    vocabulary = read_vocabulary(tiny_bert)
    rows = np.arange(len(vocabulary) * 3, dtype=np.float32).reshape(-1, 3)
    (tmp_path / "x").write_bytes(pickle.dumps(dict(enumerate(rows))))
    table = import_pickle(tmp_path / "x", str(tiny_bert), Mode.STATIC, Store())
    assert table.vectors.tobytes() == rows.tobytes()
    assert table.vocabulary == vocabulary
    assert (table.provenance.source, table.name.mode) == ("import", Mode.STATIC)


def test_an_existing_table_is_replaced_only_with_force(tiny_bert: Path, tmp_path: Path) -> None:
    store, V = Store(), len(read_vocabulary(tiny_bert))
    for value in (1, 2):
        rows = np.full((V, 3), value, dtype=np.float32)
        (tmp_path / f"{value}").write_bytes(pickle.dumps(dict(enumerate(rows))))
    import_pickle(tmp_path / "1", str(tiny_bert), Mode.STATIC, store)
    with pytest.raises(StoreError, match=r":static already exists$") as error:
        import_pickle(tmp_path / "2", str(tiny_bert), Mode.STATIC, store)
    assert error.value.hint == "force=True replaces it"
    table = import_pickle(tmp_path / "2", str(tiny_bert), Mode.STATIC, store, force=True)
    assert set(table.vectors.flat) == {2}
