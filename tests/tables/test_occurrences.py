"""The counts of a contextual table, and the tokens that are too rare for a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from wordvec.errors import DamagedTableError, WordvecError
from wordvec.formats.export import export_table
from wordvec.search.transforms import transform
from wordvec.tables.name import Mode
from wordvec.tables.occurrences import Occurrences
from wordvec.tables.paths import COUNTS
from wordvec.tables.store import Store
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

COUNT = np.array([9, 4, 0, 5], dtype=np.int64)
RESULTANT = np.array([0.5, np.nan, np.nan, 1.0])


def saved(store: Store) -> VectorTable:
    """Save a table of four tokens, of which 男 was seen four times and 女 never."""
    rows = np.array([[1, 2], [0, 0], [0, 0], [3, 4]], dtype=np.float32)
    provenance = Provenance("m", Mode.CONTEXTUAL, layers=2, parameters={"min_count": 5})
    vocabulary = Vocabulary(("王", "男", "女", "子"))
    with store.draft(provenance, vocabulary, 2, {}) as draft:
        draft.checkpoint.mkdir()
        draft.write(0, rows)
        draft.commit_rows(4)
        return draft.finish(Occurrences(COUNT, RESULTANT, 5), {"sentences_read": 7})


def test_counts_and_resultants_are_saved_and_rare_tokens_have_no_norm(tmp_path: Path) -> None:
    store = Store(tmp_path)
    table = saved(store)
    assert table.occurrences is not None
    assert table.occurrences.counts.tolist() == COUNT.tolist()
    assert np.array_equal(table.occurrences.resultants, RESULTANT, equal_nan=True)
    assert table.vocabulary.rare == {1: 4, 2: 0}
    assert np.isfinite(table.norms).tolist() == [True, False, False, True]
    assert table.provenance.non_finite_rows == ()
    assert store.verify(table.name) == []
    assert not (store.paths(table.name).table / "checkpoint").exists()


def test_a_flipped_bit_in_the_counts_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    file = store.paths(saved(store).name).table / COUNTS
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedTableError, match=r"counts.npy"):
        store.open(Provenance("m", Mode.CONTEXTUAL).name)


def test_transforms_leave_rare_tokens_out(tmp_path: Path) -> None:
    table = transform(saved(Store(tmp_path)), ["center"])
    assert table.vectors[[0, 3]].tolist() == [[-1, -1], [1, 1]]
    assert np.isfinite(table.norms).tolist() == [True, False, False, True]


def test_an_export_says_what_becomes_of_rare_tokens(tmp_path: Path) -> None:
    table = saved(Store(tmp_path))
    result = export_table(table, tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_text(encoding="utf-8").split("\n")[0] == "2 2"
    assert "2 tokens are too rare to have a vector: left out" in result.notes
    result = export_table(table, tmp_path / "v.npy")
    assert "2 tokens are too rare to have a vector: written as zeros" in result.notes


def test_counts_of_another_length_are_refused() -> None:
    with pytest.raises(WordvecError, match=r"got \(4,\) and \(3,\)"):
        Occurrences(COUNT, RESULTANT[:3], 5)
