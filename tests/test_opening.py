"""Which table a command means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wordvec.api import open_table, open_tables
from wordvec.errors import TableNotFoundError
from wordvec.extraction.extract import extract
from wordvec.models import bundled as models
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode, TableRef
from wordvec.tables.store import Store
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

STATIC, DYNAMIC = TableRef(None, Mode.STATIC), TableRef(None, Mode.DYNAMIC)
NOTE = (
    f"no table of {REFERENCE} yet: mini answers; for the reference: "
    f"wordvec extract --mode {{}} --model {REFERENCE}"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def bundled(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a tiny BERT be the bundled model."""
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    return tiny_bert


@pytest.fixture
def not_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no bundled model."""
    monkeypatch.setattr(models, "bundled_folder", lambda: tmp_path / "none")


def save(store: Store, model: str, mode: Mode, folder: Path) -> None:
    """A table of ones under that name."""
    vocabulary = read_vocabulary(folder)
    vectors = np.ones((len(vocabulary), 4), dtype=np.float32)
    store.save(VectorTable.from_vectors(vocabulary, vectors, Provenance(model, mode)))


def test_without_a_name_the_reference_is_meant_where_it_has_a_table(
    bundled: Path, store: Store
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    opened = open_table(STATIC, store)
    assert (str(opened.table.name), opened.notes) == (f"{REFERENCE}:static", ())


def test_without_a_name_and_without_the_reference_the_bundled_model_answers_and_says_so(
    bundled: Path, store: Store
) -> None:
    opened = open_table(STATIC, store)
    assert (str(opened.table.name), opened.notes) == ("mini:static", (NOTE.format("static"),))
    assert len(opened.table) == len(read_vocabulary(bundled))


def test_two_tables_of_the_stand_in_name_one_command_that_makes_both(
    bundled: Path, store: Store
) -> None:
    save(store, "mini", Mode.DYNAMIC, bundled)
    opened = open_tables([STATIC, DYNAMIC], store)
    assert [str(one.table.name) for one in opened] == ["mini:static", "mini:dynamic"]
    assert [one.notes for one in opened] == [(NOTE.format("dynamic"),), ()]


@pytest.mark.usefixtures("bundled")
def test_the_bundled_models_static_table_is_made_once(store: Store) -> None:
    first = open_table(TableRef("mini", Mode.STATIC), store).table
    second = open_table(TableRef("mini", Mode.STATIC), store).table
    assert first.provenance.created == second.provenance.created != ""


@pytest.mark.usefixtures("bundled")
def test_the_bundled_models_static_table_is_made_without_torch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch", "transformers", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    assert open_table(TableRef("mini", Mode.STATIC), store).notes == ()


@pytest.mark.usefixtures("bundled")
def test_the_bundled_models_dynamic_table_is_not_made_on_the_way(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match="there is no table mini:dynamic in ") as caught:
        open_table(DYNAMIC, store)
    assert caught.value.hint == (
        "wordvec extract --mode dynamic --model mini\n"
        f"for the reference model: wordvec extract --mode dynamic --model {REFERENCE}"
    )


def test_a_reference_with_a_table_of_the_other_mode_is_still_what_is_meant(
    bundled: Path, store: Store
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    with pytest.raises(TableNotFoundError, match=f"there is no table {REFERENCE}:dyn") as caught:
        open_table(DYNAMIC, store)
    assert caught.value.hint == "wordvec extract --mode dynamic"


@pytest.mark.usefixtures("not_bundled")
def test_with_nothing_at_hand_the_next_command_is_named(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match=f"there is no table {REFERENCE}:stat") as caught:
        open_table(STATIC, store)
    assert caught.value.hint == "wordvec extract --mode static"


def test_a_model_named_by_the_environment_is_never_swapped(
    bundled: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    monkeypatch.setenv("WORDVEC_MODEL", "owner/other")
    with pytest.raises(TableNotFoundError, match="there is no table owner/other:st") as caught:
        open_table(STATIC, store)
    assert caught.value.hint == (
        'wordvec extract --mode static --model owner/other\nor take model="mini" or model="FOLDER"'
    )


@pytest.mark.usefixtures("bundled")
def test_a_folder_that_is_not_there_is_told_and_others_offered(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(TableNotFoundError, match=r"there is no table .*gone:static in ") as caught:
        open_table(TableRef(str(folder), Mode.STATIC), store)
    assert caught.value.hint == (
        f'there is no folder {folder} either; take model="mini" or model="FOLDER"'
    )


@pytest.mark.usefixtures("bundled")
def test_the_bundled_model_named_offers_no_other(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match="there is no table mini:dynamic in ") as caught:
        open_table(TableRef("mini", Mode.DYNAMIC), store)
    assert caught.value.hint == "wordvec extract --mode dynamic --model mini"


def test_an_empty_name_in_the_environment_is_none(
    bundled: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    monkeypatch.setenv("WORDVEC_MODEL", "")
    assert str(open_table(STATIC, store).table.name) == f"{REFERENCE}:static"


def test_a_folder_means_the_same_table_from_every_working_directory(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(str(tiny_bert), Mode.STATIC, store)
    monkeypatch.chdir(tiny_bert)
    by_dot = open_table(TableRef(".", Mode.STATIC), store).table
    monkeypatch.chdir(tiny_bert.parent)
    by_name = open_table(TableRef(f"./{tiny_bert.name}", Mode.STATIC), store).table
    assert by_dot.name == by_name.name


@pytest.mark.usefixtures("bundled")
def test_a_store_that_cannot_be_written_to_keeps_no_one_from_asking(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "store")
    opened = open_table(TableRef("mini", Mode.STATIC), store)
    derived = store.derived(opened.table)
    assert not derived.save("graph", {"ids": np.arange(3)})
    assert derived.load("graph") is None
    [note] = opened.notes
    assert note.endswith("; mini:static answers from memory and is not kept")
    assert str(tmp_path / "file") in note
    assert str(opened.table.name) == "mini:static"
