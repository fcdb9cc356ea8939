"""What killed processes leave behind: the next writer removes it, and so does `tables clean`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.cli import run
from support.killed import killed_at_each_step
from support.maps import random_map, random_table
from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.formats.export import export_table
from wordvec.map.figure import draw_picture
from wordvec.tables import files
from wordvec.tables.files import abandoned_files, write_atomically, write_file
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from typing import IO

NAME = TableName("made", Mode.STATIC)
ROWS = {"王": [1.0, 0.0], "女": [0.0, 2.0]}
LEFT = ".wordvec-0123456789ab.new"
WRITE = """
from pathlib import Path
import numpy as np
from support.tables import table_of
from wordvec.tables.store import Store
store, name = Store(Path(argument)), table_of({"王": [1.0, 0.0], "女": [0.0, 2.0]}).name
store.save(table_of({"王": [1.0, 0.0], "女": [0.0, 2.0]}), force=True)
store.derived(store.open(name)).save("graph", {"ids": np.arange(3)})
store.remove(name)
"""
EXPORT = """
from pathlib import Path
from support.tables import table_of
from wordvec.formats.export import export_table
export_table(table_of({"山": [9, 9]}), Path(argument, "v.npy"), force=True)
"""


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_killed_writers_leave_is_listed_and_removed(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(80)]
    killed = killed_at_each_step(WRITE, [str(store.root) for store in stores])
    folders = left = 0
    for store in stores[: killed + 1]:
        listed = store.leftovers()
        folders += sum(one.path.name == "static.new" for one in listed)
        left += sum(one.path.name.startswith(".wordvec-") for one in listed)
        assert store.clean() == listed
        assert store.leftovers() == []
        assert list(store.root.rglob("*.new")) == []
        assert [info.problem for info in store.tables()] == [None] * (NAME in store)
        assert NAME not in store or store.verify(NAME) == []
    assert folders > 10
    assert left > 0


def test_the_next_writer_removes_what_killed_writers_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(table_of(ROWS))
    table = store.paths(NAME).table
    store.derived(store.open(NAME)).save("graph", {"ids": np.arange(3)})
    left = [table / LEFT, table / "derived" / LEFT, table.with_name("static.new") / "vectors.npy"]
    left[2].parent.mkdir()
    for path in left:
        path.write_bytes(bytes(1000))
    assert [(one.path.name, one.bytes) for one in store.leftovers()] == [
        (LEFT, 1000), (LEFT, 1000), ("static.new", 1000),
    ]  # fmt: skip
    store.derived(store.open(NAME)).save("other", {"ids": np.arange(3)})
    assert [path.exists() for path in left] == [True, False, True]
    with pytest.raises(StoreError, match="already exists"):
        store.save(table_of(ROWS))
    assert [path.exists() for path in left] == [False, False, False]
    assert store.leftovers() == []


def test_what_a_process_is_writing_is_not_left_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def while_it_is_written(file: IO[bytes]) -> None:
        file.write(b"new")
        write_atomically(tmp_path / "other", lambda other: other.write(b"other"))
        assert list(abandoned_files(tmp_path)) == []

    with store.create(NAME) as new:
        new.append(np.ones((1, 2), dtype=np.float32))
        assert store.paths(NAME).new.exists()
        assert store.leftovers() == []
        assert store.clean() == []
        write_atomically(tmp_path / "file", while_it_is_written)
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_new_file_that_is_removed_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = files._lock
    removed: list[Path] = []

    def removed_before(file: IO[bytes], *, wait: bool) -> bool:
        if wait and not removed:
            removed.append(Path(str(file.name)))
            removed[0].unlink()
        return lock(file, wait=wait)

    monkeypatch.setattr(files, "_lock", removed_before)
    write_atomically(tmp_path / "file", lambda file: file.write(b"new"))
    assert names_in(tmp_path) == ["file"]
    assert len(removed) == 1


def test_a_file_that_is_renamed_while_leftovers_are_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "abandoned_files", lambda folder: [folder / LEFT])
    write_atomically(tmp_path / "file", lambda file: file.write(b"new"))
    assert names_in(tmp_path) == ["file"]


def test_a_killed_export_leaves_the_former_file_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    folders = [tmp_path / str(step) for step in range(30)]
    for folder in folders:
        folder.mkdir()
        export_table(table_of(ROWS), folder / "v.npy")
    former = (folders[0] / "v.npy").read_bytes()
    killed = killed_at_each_step(EXPORT, [str(folder) for folder in folders])
    assert killed >= 3
    assert any(list(folder.glob(".wordvec-*.new")) for folder in folders)
    for folder in folders[: killed + 1]:
        whole = (folder / "v.npy").read_bytes()
        assert whole == former or np.load(folder / "v.npy").tolist() == [[9, 9]]
        export_table(table_of(ROWS), folder / "other.npz")
        assert not list(folder.glob(".*"))


def test_a_picture_that_cannot_be_written_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "map.png"
    picture.write_bytes(b"former")

    def fill_the_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_the_disk)
    with pytest.raises(StoreError, match=r"no space left to write .*map\.png"):
        draw_picture(random_map(random_table()), picture, file_format="png")
    assert picture.read_bytes() == b"former"
    assert names_in(tmp_path) == ["map.png"]


def test_only_files_are_replaced_and_links_stay(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_file(link, lambda file: file.write(b"new"))
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match=r"/pipe is not a file"):
        write_file(tmp_path / "pipe", lambda file: file.write(b"new"))
    assert (tmp_path / "pipe").is_fifo()


def test_the_command_says_what_is_left_and_removes_it() -> None:
    store = Store()
    store.save(table_of(ROWS))
    new = store.paths(TableName("other", Mode.STATIC)).new
    new.mkdir(parents=True)
    (new / "vectors.npy").write_bytes(bytes(2_000_000))
    code, out, err = run("tables")
    assert (code, out.count("\n")) == (0, 2)
    assert err == "Note: killed processes left 2.0 MB behind; to remove it: wordvec tables clean\n"
    assert run("tables", "clean") == (0, f"removed {new} (2.0 MB)\n", "")
    assert run("tables", "clean") == (0, "Nothing was left behind.\n", "")
    assert run("tables")[2] == ""
    assert [path.name for path in store.root.iterdir() if path.name[0] != "."] == ["made"]
