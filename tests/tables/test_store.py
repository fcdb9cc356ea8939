"""The store: what goes in comes out, names are safe, damage is told, nothing half done stays."""

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
from wordvec.errors import DamagedTableError, StoreError, TableBusyError, TableNotFoundError
from wordvec.tables.lock import table_lock
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import LONGEST, Place, folder_name, name_of_folder
from wordvec.tables.store import Store, default_root
from wordvec.tables.table import Provenance, VectorTable, row_norms
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NAME = TableName("made", Mode.STATIC)
ROWS = {"王": [1.0, 0.0], "女": [0.0, 2.0], "": [3.0, 4.0]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(store: Store) -> Path:
    """Give the folder of a table that is in the store."""
    store.save(table_of(ROWS))
    return store.root / "made" / "static"


def test_a_table_comes_back_as_it_was_saved(store: Store) -> None:
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


def test_rows_are_mapped_and_cannot_be_written(store: Store) -> None:
    store.save(table_of(ROWS))
    opened = store.open(NAME)
    assert not opened.vectors.flags.owndata
    assert type(opened.vectors) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        opened.vectors[0, 0] = 1


@pytest.mark.parametrize(
    "lay", [np.asfortranarray, lambda rows: np.repeat(rows, 2, axis=1)[:, ::2]]
)
def test_rows_of_any_memory_layout_are_saved_alike(
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


def test_rows_that_are_not_finite_are_counted_when_a_table_is_saved(store: Store) -> None:
    store.save(table_of({"a": [1, 2], "b": [float("nan"), 0], "c": [0, float("inf")]}))
    assert store.provenance(NAME).non_finite_rows == (1, 2)


def test_a_table_without_vectors_and_one_that_was_transformed_are_not_saved(store: Store) -> None:
    with pytest.raises(StoreError, match=r"made:static has no vectors: \(0, 2\)"):
        store.save(table_of(np.empty((0, 2))))
    with pytest.raises(StoreError, match="made:static was changed by centred"):
        store.save(replace(table_of(ROWS), transforms=("centred",)))
    assert store.tables() == []


def test_a_table_that_is_there_is_replaced_only_by_force(store: Store) -> None:
    store.save(table_of(ROWS))
    other = table_of({"山": [1, 1], "川": [2, 2]})
    with pytest.raises(StoreError, match="made:static is already there, in ") as error:
        store.save(other)
    assert error.value.hint == "--force replaces it"
    assert len(store.open(NAME)) == 3
    store.save(other, force=True)
    assert store.open(NAME).vocabulary.tokens == ("山", "川")
    assert [path.name for path in (store.root / "made").iterdir()] == ["static"]


def test_a_missing_table_says_what_to_type(store: Store) -> None:
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


def test_removing_a_table_leaves_the_others(store: Store) -> None:
    store.save(table_of(ROWS))
    store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    store.remove(NAME)
    assert NAME not in store
    assert [str(info.name) for info in store.tables()] == ["made:dynamic"]
    store.remove(TableName("made", Mode.DYNAMIC))
    assert not (store.root / "made").exists()


def test_the_store_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("nul", "%6Eul"),
        ("COM1.txt", "%43OM1.txt"),
        ("console", "console"),
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
def test_folder_names_lead_back_to_the_name(name: str) -> None:
    import unicodedata

    folder = folder_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_%~-](?:[A-Za-z0-9._%~-]*[A-Za-z0-9_%~-])?", folder)
    assert len(folder) <= LONGEST
    if "~" not in folder:
        assert name_of_folder(folder) == unicodedata.normalize("NFC", name)


def test_very_long_names_are_kept_apart(store: Store) -> None:
    names = ["/data/" + "x" * 5000 + end for end in ("1", "2")]
    for name in names:
        store.save(table_of(ROWS, model=name))
    assert [info.name.model for info in store.tables()] == names
    assert store.open(TableName(names[1], Mode.STATIC)).provenance.model == names[1]


@pytest.mark.parametrize("name", ["..", "a\0b", "か\u3099", "\udcff", "nul", "~", "/data/x", "%2F"])
def test_tables_of_odd_names_stay_inside_the_store(store: Store, name: str) -> None:
    store.save(table_of(ROWS, model=name))
    assert store.open(TableName(name, Mode.STATIC)).provenance.model == name
    assert [info.name.model for info in store.tables()] == [name]
    assert [path.name for path in store.root.parent.iterdir()] == ["store"]


def test_names_compare_composed(store: Store) -> None:
    store.save(table_of(ROWS, model="か\u3099"))
    assert TableName("\u304c", Mode.STATIC) in store
    assert len(store.open(TableName("\u304c", Mode.STATIC))) == 3


def test_a_model_without_a_name_has_no_table(store: Store) -> None:
    with pytest.raises(StoreError, match="a table needs the name of its model"):
        store.save(table_of(ROWS, model=""))


def test_names_that_a_disk_takes_for_one_are_not_mixed_up(store: Store, folder: Path) -> None:
    """A disk that knows no case shows Made where made lies; a renamed folder does the same."""
    folder.parent.rename(store.root / "Made")
    with pytest.raises(StoreError, match="holds made:static, not Made:static"):
        store.open(TableName("Made", Mode.STATIC))
    with pytest.raises(StoreError, match="holds made:static, not Made:static"):
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


def _scramble(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{[")


def _write(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def _change(**fields: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**data, **fields}), encoding="utf-8")

    return change


DAMAGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("vectors.npy", _cut, "vectors.npy: expected 152 bytes, found 151"),
    ("vectors.npy", _lengthen, "vectors.npy: expected 152 bytes, found 153"),
    ("vectors.npy", _drop, "vectors.npy is missing"),
    ("vectors.npy", _scramble, "vectors.npy: this is no .npy file that can be read"),
    ("norms.npy", _cut, "norms.npy: expected 152 bytes, found 151"),
    ("norms.npy", _drop, "norms.npy is missing"),
    ("tokens.json", _drop, "tokens.json is missing"),
    ("tokens.json", _scramble, "tokens.json is no JSON that can be read"),
    ("tokens.json", _change(tokens=["王", "女"]), "tokens.json: expected 3 tokens, found 2"),
    ("tokens.json", _change(tokens=7), "tokens.json is no vocabulary"),
    ("tokens.json", _write(b"[]"), "tokens.json holds no JSON object"),
    ("manifest.json", _drop, "manifest.json is missing"),
    ("manifest.json", _scramble, "manifest.json is no JSON that can be read"),
    ("manifest.json", _write(b"[" * 9**6), "no JSON that can be read"),
    ("manifest.json", _write(b"{}"), "manifest.json: format is missing"),
    ("manifest.json", _change(format="1"), "manifest.json: format '1' is not known"),
    ("manifest.json", _change(tokens=-3), "manifest.json: tokens is -3"),
    ("manifest.json", _change(tokens=True), "manifest.json: tokens is True"),
    ("manifest.json", _change(tokens=10**11), r"expected \(100000000000, 2\) float32"),
    ("manifest.json", _change(dimensions=3), r"expected \(3, 3\) float32, found \(3, 2\) float32"),
    ("manifest.json", _change(mode="both"), "manifest.json: 'both' is not a valid Mode"),
    ("manifest.json", _change(non_finite_rows="no"), "manifest.json: rows are 'no'"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "damage", "message"), DAMAGES)
def test_damage_is_told_with_the_file_and_the_next_command(
    store: Store, folder: Path, file: str, damage: Callable[[Path], None], message: str
) -> None:
    damage(folder / file)
    with pytest.raises(DamagedTableError, match=message) as error:
        store.open(NAME)
    assert error.value.message.startswith("made:static is damaged: ")
    assert error.value.hint == "wordvec extract --mode static --model made --force"
    assert store.verify(NAME) != []
    assert len(store.tables()) == 1
    store.save(table_of(ROWS), force=True)
    assert store.verify(NAME) == []


def test_arrays_of_objects_and_other_types_are_not_read(store: Store, folder: Path) -> None:
    np.save(folder / "vectors.npy", np.array([[print, 1]] * 3, dtype=object), allow_pickle=True)
    with pytest.raises(
        DamagedTableError, match=r"expected \(3, 2\) float32, found \(3, 2\) object"
    ):
        store.open(NAME)
    np.save(folder / "vectors.npy", np.zeros((3, 2), dtype=np.float64))
    with pytest.raises(DamagedTableError, match=r"\(3, 2\) float32, found \(3, 2\) float64"):
        store.open(NAME)
    np.save(folder / "vectors.npy", np.zeros((3, 2), dtype=np.float32, order="F"))
    with pytest.raises(DamagedTableError, match="in Fortran order"):
        store.open(NAME)


def test_a_header_that_another_program_wrote_is_read_too(store: Store, folder: Path) -> None:
    array = np.load(folder / "vectors.npy")
    with (folder / "vectors.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version=(2, 0))
    assert store.open(NAME).vectors.tolist() == array.tolist()


def test_a_manifest_of_a_later_version_says_so(store: Store, folder: Path) -> None:
    _change(format=2)(folder / "manifest.json")
    with pytest.raises(
        StoreError, match=r"by a later wordvec \(format 2; this one reads up to 1"
    ) as e:
        store.open(NAME)
    assert e.value.hint == "pip install --upgrade wordvec"
    [info] = store.tables()
    assert info.problem is not None
    assert "later wordvec" in info.problem


@pytest.mark.parametrize("file", ["vectors.npy", "norms.npy", "tokens.json"])
def test_verify_sees_one_flipped_bit(store: Store, folder: Path, file: str) -> None:
    assert store.verify(NAME) == []
    _flip(folder / file)
    assert store.verify(NAME) == [f"{file}: its checksum is another"]


def test_verify_sees_a_changed_manifest(store: Store, folder: Path) -> None:
    _change(created="1999-01-01T00:00:00+00:00")(folder / "manifest.json")
    assert store.verify(NAME) == ["manifest.json: its checksum is another"]


def test_the_list_shows_what_is_short_or_missing(store: Store, folder: Path) -> None:
    _cut(folder / "vectors.npy")
    assert [info.problem for info in store.tables()] == [
        "vectors.npy: expected 152 bytes, found 151"
    ]
    (folder / "vectors.npy").unlink()
    assert [info.problem for info in store.tables()] == ["vectors.npy is missing"]


def test_a_file_where_the_store_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder", encoding="utf-8")
    store = Store(tmp_path / "store")
    with pytest.raises(StoreError, match="a part of that path is a file, not a folder"):
        store.save(table_of(ROWS))
    with pytest.raises(StoreError, match="a part of that path is a file, not a folder"):
        store.tables()


# Two at once


def test_a_second_maker_is_told_who_the_first_is(store: Store) -> None:
    import platform

    with table_lock(Place(store.root, NAME)):
        host = re.escape(platform.node())
        message = rf"made:static is being made by process {os.getpid()} on {host}, since \d\d:\d\d"
        with pytest.raises(TableBusyError, match=message):
            store.save(table_of(ROWS))
        with pytest.raises(TableBusyError, match="being made by process"):
            store.save(table_of(ROWS), wait=0.1)
    store.save(table_of(ROWS))


def test_a_record_of_the_holder_that_cannot_be_read_is_no_trouble(store: Store) -> None:
    place = Place(store.root, NAME)
    with table_lock(place):
        for garbage in (b"", b"[]", b"\xff", b'{"pid": "x"}'):
            place.holder.write_bytes(garbage)
            with pytest.raises(TableBusyError, match="is being made by another process"):
                store.save(table_of(ROWS))


def test_other_tables_are_made_meanwhile(store: Store) -> None:
    with table_lock(Place(store.root, NAME)):
        store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    assert len(store.tables()) == 1


def test_whoever_reads_while_a_table_is_replaced_reads_one_of_the_two(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(table_of(ROWS))
    other = table_of({"山": [1, 1], "川": [2, 2], "海": [3, 3]})
    read, pending = Vocabulary.from_json, [other]

    def replaced_meanwhile(data: object) -> Vocabulary:
        if pending:
            store.save(pending.pop(), force=True)
        return read(data)

    monkeypatch.setattr(Vocabulary, "from_json", replaced_meanwhile)
    opened = store.open(NAME)
    assert opened.vocabulary == other.vocabulary
    assert opened.vectors.tolist() == other.vectors.tolist()


# Killed

REPLACE = """
from pathlib import Path
from support.tables import table_of
from wordvec.tables.store import Store
Store(Path(argument)).save(table_of({"山": [9, 9], "川": [8, 8]}), force=True)
"""


def test_a_table_is_old_or_new_wherever_its_replacement_is_killed(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(40)]
    for store in stores:
        store.save(table_of(ROWS))
    killed = killed_at_each_step(REPLACE, [str(store.root) for store in stores])
    seen = []
    for store in stores[: killed + 1]:
        seen.append(store.open(NAME).vocabulary.tokens)
        assert store.verify(NAME) == []
        assert [info.problem for info in store.tables()] == [None]
        store.save(table_of(ROWS), force=True)  # the lock is free, and what was left is cleared
        assert [path.name for path in (store.root / "made").iterdir()] == ["static"]
    old, new = tuple(ROWS), ("山", "川")
    replaced = seen.index(new)
    assert seen == [old] * replaced + [new] * (killed + 1 - replaced)
    assert replaced > 8


def test_a_new_table_is_whole_or_absent_wherever_it_is_killed(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(40)]
    killed = killed_at_each_step(REPLACE, [str(store.root) for store in stores])
    there = [NAME in store for store in stores[: killed + 1]]
    assert killed > 10
    assert there == sorted(there)  # absent, then there
    for store in stores[: killed + 1]:
        assert [info.problem for info in store.tables()] == [None] * (NAME in store)
        assert NAME not in store or store.verify(NAME) == []


def test_opening_a_table_of_the_references_size_takes_milliseconds(store: Store) -> None:
    V, D = 32_000, 16  # rows are mapped: their width costs nothing
    rows = np.ones((V, D), dtype=np.float32)
    table = VectorTable.from_vectors(
        Vocabulary(tuple(f"語{i}" for i in range(V))), rows, Provenance("made", Mode.STATIC)
    )
    store.save(table)

    def timed(call: Callable[[], object]) -> float:
        began = time.process_time()  # what others do meanwhile does not count
        call()
        return time.process_time() - began

    tokens = store.root / "made/static/tokens.json"
    reading = min(timed(lambda: json.loads(tokens.read_text("utf-8"))) for _ in range(15))
    opening = min(timed(lambda: store.open(NAME)) for _ in range(15))
    assert opening - reading < 0.02  # 1 to 2 ms where nothing else runs
