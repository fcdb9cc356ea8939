"""Saving and opening tables: safe folder names, damaged files, processes that are killed."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.killed import killed_at_each_step
from support.tables import table_of
from wordvec.api import OpenTables
from wordvec.errors import DamagedTableError, StoreError, TableBusyError, TableNotFoundError
from wordvec.tables.files import map_npy
from wordvec.tables.lock import table_lock
from wordvec.tables.manifest import Manifest
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import LONGEST, folder_name, name_of_folder
from wordvec.tables.store import Store, default_root
from wordvec.tables.table import Provenance, VectorTable, row_norms
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from wordvec.vocabulary.tokenizer import TokenizerFile

NAME = TableName("made", Mode.STATIC)
ROWS = {"王": [1.0, 0.0], "女": [0.0, 2.0], "": [3.0, 4.0]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(store: Store) -> Path:
    """Return the folder of a saved table."""
    store.save(table_of(ROWS))
    return store.root / "made" / "static"


def test_open_returns_the_table_that_was_saved(store: Store) -> None:
    table = table_of(ROWS, special=1)
    store.save(table)
    opened = store.open(NAME)
    assert opened.vocabulary == table.vocabulary
    assert opened.vectors.tobytes() == table.vectors.tobytes()
    assert opened.norms.tolist() == [1.0, 2.0, 5.0]
    assert opened.provenance == replace(
        table.provenance,
        created=opened.provenance.created,
        checksum=opened.provenance.checksum,
    )
    assert re.fullmatch("sha256:[0-9a-f]{64}", opened.provenance.checksum)


def test_vectors_are_memory_mapped_and_read_only(store: Store) -> None:
    store.save(table_of(ROWS))
    opened = store.open(NAME)
    assert not opened.vectors.flags.owndata
    assert type(opened.vectors) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        opened.vectors[0, 0] = 1


@pytest.mark.parametrize(
    "lay", [np.asfortranarray, lambda rows: np.repeat(rows, 2, axis=1)[:, ::2]]
)
def test_the_memory_layout_of_vectors_does_not_change_the_file(
    store: Store, lay: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    plain = np.arange(30_000, dtype=np.float32).reshape(10_000, 3)
    vocabulary = Vocabulary(tuple(f"t{i}" for i in range(10_000)))
    rows = lay(plain)
    assert not rows.flags.c_contiguous
    store.save(VectorTable(vocabulary, rows, row_norms(plain), Provenance("made", Mode.STATIC)))
    assert np.load(store.root / "made/static/vectors.npy").tobytes() == plain.tobytes()


def test_the_files_are_plain_npy_and_json(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json", "norms.npy", "tokens.json", "vectors.npy",
    ]  # fmt: skip
    assert np.load(folder / "vectors.npy", allow_pickle=False).dtype == np.float32
    assert np.load(folder / "norms.npy", allow_pickle=False).tolist() == [1, 2, 5]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["format"] == 1
    assert manifest["model"] == "made"
    assert (manifest["tokens"], manifest["dimensions"]) == (3, 2)


def test_save_records_the_rows_that_are_not_finite(store: Store) -> None:
    store.save(table_of({"a": [1, 2], "b": [float("nan"), 0], "c": [0, float("inf")]}))
    assert store.provenance(NAME).non_finite_rows == (1, 2)


def test_save_refuses_empty_and_transformed_tables(store: Store) -> None:
    with pytest.raises(StoreError, match=r"made:static has no vectors: its shape is \(0, 2\)"):
        store.save(table_of(np.empty((0, 2))))
    with pytest.raises(StoreError, match=r"made:static is transformed \(centred\)"):
        store.save(replace(table_of(ROWS), transforms=("centred",)))
    assert store.tables() == []


def test_save_replaces_a_table_only_with_force(store: Store) -> None:
    store.save(table_of(ROWS))
    other = table_of({"山": [1, 1], "川": [2, 2]})
    with pytest.raises(StoreError, match="made:static already exists in ") as error:
        store.save(other)
    assert error.value.hint == "force=True replaces it"
    assert len(store.open(NAME)) == 3
    store.save(other, force=True)
    assert store.open(NAME).vocabulary.tokens == ("山", "川")
    assert [path.name for path in (store.root / "made").iterdir()] == ["static"]


def test_the_error_for_a_missing_table_hints_at_the_command(store: Store) -> None:
    name = TableName("an org/bert", Mode.DYNAMIC)
    with pytest.raises(TableNotFoundError, match="there is no table an org/bert:dynamic") as error:
        store.open(name)
    assert error.value.hint == "wordvec extract --mode dynamic --model 'an org/bert'"
    assert name not in store
    with pytest.raises(TableNotFoundError, match="there is no table"):
        store.remove(name)


def test_the_store_lists_its_tables_by_name(store: Store) -> None:
    for model, mode in (("b/c", Mode.STATIC), ("a", Mode.STATIC), ("a", Mode.DYNAMIC)):
        store.save(table_of(ROWS, model=model, mode=mode))
    infos = store.tables()
    assert [str(info.name) for info in infos] == ["a:dynamic", "a:static", "b/c:static"]
    assert [info.shape for info in infos] == [(3, 2)] * 3
    assert {info.problem for info in infos} == {None}
    folder = store.root / "a" / "static"
    assert infos[1].bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_a_store_that_does_not_exist_has_no_tables(store: Store) -> None:
    assert store.tables() == []
    assert not store.root.exists()


def test_remove_leaves_other_tables(store: Store) -> None:
    store.save(table_of(ROWS))
    store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    store.remove(NAME)
    assert NAME not in store
    assert [str(info.name) for info in store.tables()] == ["made:dynamic"]
    store.remove(TableName("made", Mode.DYNAMIC))
    assert not (store.root / "made").exists()


def test_wordvec_home_sets_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDVEC_HOME", "~/vectors")
    assert default_root() == Path.home() / "vectors"
    monkeypatch.delenv("WORDVEC_HOME")
    assert default_root().name in ("wordvec", "Cache")


# Names


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("cl-tohoku/bert-base-japanese", "cl-tohoku%2Fbert-base-japanese"),
        ("mini", "mini"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("a.b.", "a.b%2E"),
        ("a\0b", "a%00b"),
        ("C:\\bert", "C%3A%5Cbert"),
        ("100%~", "100%25%7E"),
        ("a b ", "a%20b%20"),
        ("か\u3099", "%E3%81%8C"),
        ("\udcff", "%ED%B3%BF"),
    ],
)
def test_a_model_name_becomes_one_safe_folder_name(name: str, folder: str) -> None:
    assert folder_name(name) == folder


@given(st.text(min_size=1, max_size=40))
def test_folder_names_decode_to_the_name(name: str) -> None:
    import unicodedata

    folder = folder_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_%~-](?:[A-Za-z0-9._%~-]*[A-Za-z0-9_%~-])?", folder)
    assert len(folder) <= LONGEST
    if "~" not in folder:
        assert name_of_folder(folder) == unicodedata.normalize("NFC", name)


def test_very_long_names_get_different_folders(store: Store) -> None:
    names = ["/data/" + "x" * 5000 + end for end in ("1", "2")]
    for name in names:
        store.save(table_of(ROWS, model=name))
    assert [info.name.model for info in store.tables()] == names
    assert store.open(TableName(names[1], Mode.STATIC)).provenance.model == names[1]


@pytest.mark.parametrize("name", ["..", "a\0b", "か\u3099", "\udcff", "~", "/data/x", "%2F"])
def test_tables_of_odd_names_stay_inside_the_store(store: Store, name: str) -> None:
    store.save(table_of(ROWS, model=name))
    assert store.open(TableName(name, Mode.STATIC)).provenance.model == name
    assert [info.name.model for info in store.tables()] == [name]
    assert [path.name for path in store.root.parent.iterdir()] == ["store"]


def test_names_are_compared_in_nfc(store: Store) -> None:
    store.save(table_of(ROWS, model="か\u3099"))
    assert TableName("\u304c", Mode.STATIC) in store
    assert len(store.open(TableName("\u304c", Mode.STATIC))) == 3


def test_a_table_name_needs_a_model(store: Store) -> None:
    with pytest.raises(StoreError, match="a table name needs a model"):
        store.save(table_of(ROWS, model=""))


def test_names_that_differ_only_in_case_are_not_confused(store: Store, folder: Path) -> None:
    """A disk that ignores case opens `made` as `Made`; a renamed folder acts the same."""
    folder.parent.rename(store.root / "Made")
    with pytest.raises(StoreError, match="contains made:static, not Made:static"):
        store.open(TableName("Made", Mode.STATIC))
    with pytest.raises(StoreError, match="contains made:static, not Made:static"):
        store.save(table_of(ROWS, model="Made"), force=True)


# Damage


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _drop(path: Path) -> None:
    path.unlink()


def _write(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data.ljust(path.stat().st_size))  # the size is checked first

    return write


_scramble = _write(b"\xff\xfe{[")


def _change(**fields: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = json.loads(path.read_text("utf-8"))
        _write(json.dumps({**data, **fields}, ensure_ascii=False).encode())(path)

    return change


DAMAGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("vectors.npy", _cut, "vectors.npy: expected 152 bytes, found 151"),
    ("vectors.npy", _lengthen, "vectors.npy: expected 152 bytes, found 153"),
    ("vectors.npy", _drop, "vectors.npy is missing"),
    ("vectors.npy", _scramble, "vectors.npy is not a readable .npy file"),
    ("norms.npy", _cut, "norms.npy: expected 152 bytes, found 151"),
    ("norms.npy", _drop, "norms.npy is missing"),
    ("tokens.json", _drop, "tokens.json is missing"),
    ("tokens.json", _scramble, "tokens.json is not valid JSON"),
    ("tokens.json", _change(tokens=["王", "女"]), "tokens.json: expected 3 tokens, found 2"),
    ("tokens.json", _change(tokens=7), "tokens.json is not a valid vocabulary"),
    ("tokens.json", _write(b"[]"), "tokens.json is not a JSON object"),
    ("manifest.json", _drop, "manifest.json is missing"),
    ("manifest.json", _scramble, "manifest.json is not valid JSON"),
    ("manifest.json", _write(b"[" * 9**6), "not valid JSON"),
    ("manifest.json", _write(b"{}"), "manifest.json: format is missing"),
    ("manifest.json", _change(format="1"), "manifest.json: format is '1', expected an integer"),
    ("manifest.json", _change(tokens=-3), "manifest.json: tokens is -3"),
    ("manifest.json", _change(tokens=True), "manifest.json: tokens is True"),
    ("manifest.json", _change(tokens=10**11), r"expected \(100000000000, 2\) float32"),
    ("manifest.json", _change(dimensions=3), r"expected \(3, 3\) float32, found \(3, 2\) float32"),
    ("manifest.json", _change(mode="both"), "manifest.json: 'both' is not a valid Mode"),
    ("manifest.json", _change(non_finite_rows="no"), "manifest.json: non_finite_rows is 'no'"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "damage", "message"), DAMAGES)
def test_the_error_for_damage_names_the_file_and_the_command(
    store: Store, folder: Path, file: str, damage: Callable[[Path], None], message: str
) -> None:
    damage(folder / file)
    with pytest.raises(DamagedTableError, match=message) as error:
        store.open(NAME)
    assert error.value.message.startswith("made:static is damaged: ")
    hint = "wordvec extract --mode static --model made --force"
    if "manifest.json" in error.value.message:  # which alone says where the table came from
        hint += "\nif it was imported: wordvec import FILE --name made --force"
    assert error.value.hint == hint
    assert store.verify(NAME) != []
    assert len(store.tables()) == 1
    store.save(table_of(ROWS), force=True)
    assert store.verify(NAME) == []


def test_arrays_of_other_types_are_refused(store: Store, folder: Path) -> None:
    vectors = folder / "vectors.npy"
    whole = vectors.read_bytes()
    vectors.write_bytes(whole.replace(b"'<f4'", b"'|O' "))
    with pytest.raises(
        DamagedTableError, match=r"expected \(3, 2\) float32, found \(3, 2\) object$"
    ):
        store.open(NAME)
    vectors.write_bytes(whole.replace(b"'<f4'", b"'<i4'"))
    with pytest.raises(DamagedTableError, match=r"\(3, 2\) float32, found \(3, 2\) int32"):
        store.open(NAME)
    np.save(folder / "vectors.npy", np.zeros((3, 1), dtype=np.float64))
    with pytest.raises(DamagedTableError, match=r"\(3, 2\) float32, found \(3, 1\) float64"):
        store.open(NAME)
    np.save(folder / "vectors.npy", np.zeros((3, 2), dtype=np.float32, order="F"))
    with pytest.raises(DamagedTableError, match="in Fortran order"):
        store.open(NAME)


def test_a_flipped_bit_in_a_header_is_damage_or_has_no_effect(folder: Path) -> None:
    vectors = folder / "vectors.npy"
    whole = vectors.read_bytes()
    for bit in range(8 * 128):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        vectors.write_bytes(damaged)
        try:
            mapped = map_npy(vectors, (3, 2), "<f4")
        except DamagedTableError:
            continue
        assert mapped.tolist() == list(ROWS.values())


def test_a_npy_file_of_format_version_2_is_read(store: Store, folder: Path) -> None:
    array = np.load(folder / "vectors.npy")
    with (folder / "vectors.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version=(2, 0))
    assert store.open(NAME).vectors.tolist() == array.tolist()


def test_the_error_for_a_later_format_names_both_versions(store: Store, folder: Path) -> None:
    _change(format=2)(folder / "manifest.json")
    with pytest.raises(
        StoreError, match=r"by a later wordvec \(format 2; this version reads up to 1"
    ) as e:
        store.open(NAME)
    assert e.value.hint == "pip install --upgrade wordvec"
    [info] = store.tables()
    assert info.problem is not None
    assert "later wordvec" in info.problem


def test_a_manifest_of_an_earlier_version_with_special_ids_is_read(
    store: Store, folder: Path
) -> None:
    _change(special_ids=[0])(folder / "manifest.json")
    assert len(store.open(NAME)) == 3


@pytest.mark.parametrize("file", ["vectors.npy", "norms.npy", "tokens.json"])
def test_verify_detects_one_flipped_bit(store: Store, folder: Path, file: str) -> None:
    assert store.verify(NAME) == []
    _flip(folder / file)
    assert store.verify(NAME) == [f"{file}: wrong checksum"]


def test_verify_detects_a_changed_manifest(store: Store, folder: Path) -> None:
    _change(created="1999-01-01T00:00:00+00:00")(folder / "manifest.json")
    assert store.verify(NAME) == ["manifest.json: wrong checksum"]


def test_the_list_shows_truncated_and_missing_files(store: Store, folder: Path) -> None:
    _cut(folder / "vectors.npy")
    assert [info.problem for info in store.tables()] == [
        "vectors.npy: expected 152 bytes, found 151"
    ]
    (folder / "vectors.npy").unlink()
    assert [info.problem for info in store.tables()] == ["vectors.npy is missing"]


def test_a_file_in_place_of_the_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder", encoding="utf-8")
    store = Store(tmp_path / "store")
    with pytest.raises(StoreError, match="part of this path is a file, not a folder"):
        store.save(table_of(ROWS))
    with pytest.raises(StoreError, match="part of this path is a file, not a folder"):
        store.tables()


# Several processes


def test_a_second_writer_gets_an_error(store: Store) -> None:
    with table_lock(store.paths(NAME)):
        for wait in (0, 0.1):
            with pytest.raises(TableBusyError, match="another process is writing made:static") as e:
                store.save(table_of(ROWS), wait=wait)
            assert e.value.hint == "wait until it ends, or stop it"
        store.paths(NAME).draft.mkdir(parents=True)
        with pytest.raises(TableBusyError, match="another process is writing") as e:
            store.save(table_of(ROWS))
        assert str(e.value.hint).endswith("or stop it: an extraction resumes where it stopped")
    store.save(table_of(ROWS))


def test_a_lock_does_not_block_other_tables(store: Store) -> None:
    with table_lock(store.paths(NAME)):
        store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    assert len(store.tables()) == 1


def test_a_table_replaced_while_it_is_opened_is_opened_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(table_of(ROWS))
    other = table_of({"山": [1, 1], "川": [2, 2], "海": [3, 3]})
    read, pending = Vocabulary.from_json, [other]

    def replaced_meanwhile(data: object, tokenizer: TokenizerFile | None) -> Vocabulary:
        if pending:
            store.save(pending.pop(), force=True)
        return read(data, tokenizer)

    monkeypatch.setattr(Vocabulary, "from_json", replaced_meanwhile)
    opened = store.open(NAME)
    assert opened.vocabulary == other.vocabulary
    assert opened.vectors.tolist() == other.vectors.tolist()


def test_a_table_removed_while_the_store_is_listed_is_not_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(table_of(ROWS))
    store.save(table_of(ROWS, model="other"))
    read = Manifest.read

    def removed_before(path: Path) -> Manifest:
        if NAME in store:
            store.remove(NAME)
        return read(path)

    monkeypatch.setattr(Manifest, "read", removed_before)
    assert [str(info.name) for info in store.tables()] == ["other:static"]


def test_a_table_removed_while_it_is_compared_is_opened_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(table_of(ROWS))
    tables = OpenTables(store)
    tables.open(str(NAME))
    provenance = store.provenance

    def removed_before(name: TableName) -> Provenance:
        store.remove(name)
        return provenance(name)

    monkeypatch.setattr(store, "provenance", removed_before)
    with pytest.raises(TableNotFoundError, match="there is no table made:static"):
        tables.open(str(NAME))


def test_a_folder_is_made_although_its_parent_is_removed_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir
    removed: list[str] = []

    def removed_before(path: str, *args: int) -> None:
        if Path(path).name == "static.new" and Path(path).parent.exists() and not removed:
            removed.append(path)
            Path(path).parent.rmdir()
        mkdir(path, *args)

    monkeypatch.setattr(os, "mkdir", removed_before)
    store.save(table_of(ROWS))
    assert len(removed) == 1
    assert len(store.open(NAME)) == 3


# Killed processes

REPLACE = """
from pathlib import Path
from support.tables import table_of
from wordvec.tables.store import Store
Store(Path(argument)).save(table_of({"山": [9, 9], "川": [8, 8]}), force=True)
"""


def test_a_killed_replacement_leaves_the_old_or_the_new_table(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(40)]
    for store in stores:
        store.save(table_of(ROWS))
    killed = killed_at_each_step(REPLACE, [str(store.root) for store in stores])
    seen = []
    for store in stores[: killed + 1]:
        seen.append(store.open(NAME).vocabulary.tokens)
        assert store.verify(NAME) == []
        assert [info.problem for info in store.tables()] == [None]
        store.save(table_of(ROWS), force=True)  # the lock is free, and leftovers are removed
        assert [path.name for path in (store.root / "made").iterdir()] == ["static"]
    old, new = tuple(ROWS), ("山", "川")
    replaced = seen.index(new)
    assert seen == [old] * replaced + [new] * (killed + 1 - replaced)
    assert replaced > 8


def test_a_killed_save_leaves_a_complete_table_or_none(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(40)]
    killed = killed_at_each_step(REPLACE, [str(store.root) for store in stores])
    there = [NAME in store for store in stores[: killed + 1]]
    assert killed > 10
    assert there == sorted(there)  # first absent, then complete
    for store in stores[: killed + 1]:
        assert [info.problem for info in store.tables()] == [None] * (NAME in store)
        assert NAME not in store or store.verify(NAME) == []


def test_opening_a_table_of_32000_tokens_takes_milliseconds(store: Store) -> None:
    V, D = 32_000, 16  # rows are memory-mapped: their width does not matter
    rows = np.ones((V, D), dtype=np.float32)
    table = VectorTable.from_vectors(
        Vocabulary(tuple(f"語{i}" for i in range(V))), rows, Provenance("made", Mode.STATIC)
    )
    store.save(table)

    def timed(call: Callable[[], object]) -> float:
        began = time.process_time()  # not affected by other processes
        call()
        return time.process_time() - began

    tokens = store.root / "made/static/tokens.json"
    reading = min(timed(lambda: json.loads(tokens.read_text("utf-8"))) for _ in range(15))
    opening = min(timed(lambda: store.open(NAME)) for _ in range(15))
    assert opening - reading < 0.02  # 1 to 2 ms on an idle machine
