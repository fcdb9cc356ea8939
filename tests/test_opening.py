"""Which table is opened, and what is suggested if it is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wordvec.api import OpenTables
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
NOTE = 'using the bundled model "mini" (WORDVEC_MODEL=mini hides this note)'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def bundled(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a tiny BERT the bundled model."""
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    return tiny_bert


@pytest.fixture
def not_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the bundled model."""
    monkeypatch.setattr(models, "bundled_folder", lambda: tmp_path / "none")


def save(store: Store, model: str, mode: Mode, folder: Path) -> None:
    """Save a table of ones under that name."""
    vocabulary = read_vocabulary(folder)
    vectors = np.ones((len(vocabulary), 4), dtype=np.float32)
    store.save(VectorTable.from_vectors(vocabulary, vectors, Provenance(model, mode)))


def test_the_default_is_the_reference_model_if_it_has_a_saved_table(
    bundled: Path, store: Store
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    opened = OpenTables(store).open(STATIC)
    assert (str(opened.name), opened.notes) == (f"{REFERENCE}:static", ())


def test_without_tables_of_the_reference_the_bundled_model_is_used_with_a_note(
    bundled: Path, store: Store
) -> None:
    opened = OpenTables(store).open(STATIC)
    assert (str(opened.name), opened.notes) == ("mini:static", (NOTE,))
    assert len(opened) == len(read_vocabulary(bundled))


def test_one_note_is_given_for_both_tables(bundled: Path, store: Store) -> None:
    save(store, "mini", Mode.DYNAMIC, bundled)
    opened = OpenTables(store).open_all([STATIC, DYNAMIC])
    assert [str(one.name) for one in opened] == ["mini:static", "mini:dynamic"]
    assert [one.notes for one in opened] == [(NOTE,), ()]


@pytest.mark.usefixtures("bundled")
def test_the_static_table_of_the_bundled_model_is_extracted_once(store: Store) -> None:
    first = OpenTables(store).open(TableRef("mini", Mode.STATIC))
    second = OpenTables(store).open(TableRef("mini", Mode.STATIC))
    assert first.data.provenance.created == second.data.provenance.created != ""


@pytest.mark.usefixtures("bundled")
def test_the_static_table_of_the_bundled_model_needs_no_torch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch", "transformers", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    assert OpenTables(store).open(TableRef("mini", Mode.STATIC)).notes == ()


@pytest.mark.usefixtures("bundled")
def test_the_dynamic_table_of_the_bundled_model_is_not_extracted_on_opening(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match="there is no table mini:dynamic in ") as caught:
        OpenTables(store).open(DYNAMIC)
    assert caught.value.hint == (
        "wordvec extract --mode dynamic --model mini\n"
        f"for the reference model: wordvec extract --mode dynamic --model {REFERENCE}"
    )


def test_the_reference_with_a_table_of_the_other_mode_is_the_default(
    bundled: Path, store: Store
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    with pytest.raises(TableNotFoundError, match=f"there is no table {REFERENCE}:dyn") as caught:
        OpenTables(store).open(DYNAMIC)
    assert caught.value.hint == "wordvec extract --mode dynamic"


@pytest.mark.usefixtures("not_bundled")
def test_without_the_bundled_model_the_error_names_the_next_command(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match=f"there is no table {REFERENCE}:stat") as caught:
        OpenTables(store).open(STATIC)
    assert caught.value.hint == "wordvec extract --mode static"


def test_a_model_named_in_the_environment_is_never_replaced(
    bundled: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    monkeypatch.setenv("WORDVEC_MODEL", "owner/other")
    with pytest.raises(TableNotFoundError, match="there is no table owner/other:st") as caught:
        OpenTables(store).open(STATIC)
    assert caught.value.hint == (
        'wordvec extract --mode static --model owner/other\nor use model="mini" or model="FOLDER"'
    )


def test_a_misspelled_name_suggests_the_saved_table_of_the_same_mode(
    bundled: Path, store: Store
) -> None:
    save(store, "owner/name@v1:part", Mode.STATIC, bundled)
    save(store, "owner/names@v1:part", Mode.DYNAMIC, bundled)
    with pytest.raises(TableNotFoundError, match="there is no table owner/nam@v1:part") as caught:
        OpenTables(store).open("owner/nam@v1:part:static")
    assert str(caught.value.hint).startswith(
        'did you mean table="owner/name@v1:part:static"?\nwordvec extract --mode static '
    )


@pytest.mark.usefixtures("bundled")
def test_for_a_missing_folder_the_error_suggests_other_models(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(TableNotFoundError, match=r"there is no table .*gone:static in ") as caught:
        OpenTables(store).open(TableRef(str(folder), Mode.STATIC))
    assert caught.value.hint == (
        f'there is no folder {folder} either; use model="mini" or model="FOLDER"'
    )


@pytest.mark.usefixtures("bundled")
def test_for_the_bundled_model_the_error_suggests_no_other(store: Store) -> None:
    with pytest.raises(TableNotFoundError, match="there is no table mini:dynamic in ") as caught:
        OpenTables(store).open(TableRef("mini", Mode.DYNAMIC))
    assert caught.value.hint == "wordvec extract --mode dynamic --model mini"


def test_an_empty_name_in_the_environment_counts_as_none(
    bundled: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, REFERENCE, Mode.STATIC, bundled)
    monkeypatch.setenv("WORDVEC_MODEL", "")
    assert str(OpenTables(store).open(STATIC).name) == f"{REFERENCE}:static"


def test_a_folder_means_the_same_table_from_every_working_directory(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(str(tiny_bert), "static", store)
    monkeypatch.chdir(tiny_bert)
    by_dot = OpenTables(store).open(TableRef(".", Mode.STATIC)).data
    monkeypatch.chdir(tiny_bert.parent)
    by_name = OpenTables(store).open(TableRef(f"./{tiny_bert.name}", Mode.STATIC)).data
    assert by_dot.name == by_name.name


@pytest.mark.usefixtures("bundled")
def test_a_store_that_cannot_be_written_to_does_not_prevent_questions(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "store")
    opened = OpenTables(store).open(TableRef("mini", Mode.STATIC))
    derived = store.derived(opened.data)
    assert not derived.save("graph", {"ids": np.arange(3)})
    assert derived.load("graph") is None
    [note] = opened.notes
    assert note.endswith("; mini:static is kept in memory and not saved")
    assert str(tmp_path / "file") in note
    assert str(opened.name) == "mini:static"
