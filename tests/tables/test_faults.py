"""A disk that is full, forbidden or away: each is told, and what was there before stays."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.tables.files import ELSEWHERE
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from wordvec.tables.draft import Draft

NAME = TableName("made", Mode.STATIC)
SMALL = table_of({"王": [1, 0], "女": [0, 2]})
V, D = 200, 64
BIG = VectorTable.from_vectors(
    Vocabulary(tuple(f"t{i}" for i in range(V))),
    np.ones((V, D), dtype=np.float32),
    Provenance("made", Mode.STATIC),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.save(SMALL)
    return store


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Stand in for a full disk: writes past `size` fail (Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names_beside(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "made").iterdir())


@pytest.mark.parametrize("room", [0, 100, 10_000, 51_327])
def test_on_a_full_disk_the_old_table_stays(store: Store, room: int) -> None:
    with files_of_at_most(room), pytest.raises(StoreError, match="no room left to write") as error:
        store.save(BIG, force=True)
    assert error.value.hint == f"make room on that disk, or {ELSEWHERE}"
    assert names_beside(store) == ["static"]
    assert store.open(NAME).vectors.tolist() == SMALL.vectors.tolist()


def test_on_a_full_disk_a_table_can_be_removed(store: Store) -> None:
    with files_of_at_most(0):
        store.remove(NAME)
    assert store.tables() == []


def test_a_draft_that_does_not_fit_fails_before_the_first_row(store: Store) -> None:
    with (
        files_of_at_most(10_000),
        pytest.raises(StoreError, match="no room left to write"),
        store.draft(BIG.provenance, BIG.vocabulary, D, {}, force=True),
    ):
        pytest.fail("nothing is begun")
    assert names_beside(store) == ["static"]


@pytest.mark.parametrize("room", [100, 30_000])
def test_a_disk_that_fills_while_rows_are_written_keeps_what_is_done(
    store: Store, room: int
) -> None:
    """On disks that reserve nothing the error comes with a row, and never as SIGBUS."""
    provenance = BIG.provenance
    with store.draft(provenance, BIG.vocabulary, D, {}, force=True) as draft:
        draft.write(0, BIG.vectors[:100])
        draft.commit_rows(100)

        def go_on(draft: Draft = draft) -> None:
            draft.write(100, BIG.vectors[100:])
            draft.commit_rows(V)
            draft.finish()

        with files_of_at_most(room), pytest.raises(StoreError, match="no room left to write"):
            go_on()
    assert store.open(NAME).vectors.tolist() == SMALL.vectors.tolist()
    with store.draft(provenance, BIG.vocabulary, D, {}, force=True) as draft:
        assert draft.done >= 100
        draft.write(100, BIG.vectors[100:])
        draft.commit_rows(V)
        assert draft.finish().vectors.tolist() == BIG.vectors.tolist()


def test_a_disk_that_cannot_reserve_is_filled_with_zeros(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with files_of_at_most(10_000), pytest.raises(StoreError, match="no room left to write"):
        store.save(BIG, force=True)
    store.save(BIG, force=True)
    assert store.open(NAME).vectors.tolist() == BIG.vectors.tolist()
    monkeypatch.delattr(os, "posix_fallocate")  # as on macOS and Windows
    with files_of_at_most(10_000), pytest.raises(StoreError, match="no room left to write"):
        store.save(BIG, force=True)


def test_each_failing_sync_leaves_the_old_table(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk can refuse at the sync what it took at the write."""
    fsync = os.fsync
    failed = 0
    for failing in range(20):
        calls = iter(range(100))

        def sometimes(
            descriptor: int, calls: Iterator[int] = calls, failing: int = failing
        ) -> None:
            if next(calls) == failing:
                raise OSError(errno.EIO, "Input/output error")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", sometimes)
        try:
            store.save(BIG, force=True)
        except StoreError as error:
            failed += 1
            assert "Input/output error" in error.message  # noqa: PT017  # some steps do not fail
        monkeypatch.setattr(os, "fsync", fsync)
        assert len(store.open(NAME)) in (len(SMALL), V)
        assert store.verify(NAME) == []
        store.save(SMALL, force=True)
    assert failed >= 5


@contextmanager
def as_another_user() -> Iterator[None]:
    """Do without root's right to write everywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def forbidden() -> Iterator[Store]:
    """Give a store with a table in it that may be read and not written."""
    root = Path(tempfile.mkdtemp())
    store = Store(root / "store")
    store.save(SMALL)
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield store
    finally:
        for folder in folders:
            folder.chmod(0o755)
        shutil.rmtree(root)


def test_a_folder_that_may_not_be_written_is_told_and_can_be_read(forbidden: Store) -> None:
    other = table_of({"a": [1]}, model="other")
    with as_another_user():
        for table in (BIG, other):
            with pytest.raises(
                StoreError, match=r"may not write .* \(Permission denied\)"
            ) as error:
                forbidden.save(table, force=True)
            assert error.value.hint == ELSEWHERE
        with pytest.raises(StoreError, match="may not write"):
            forbidden.remove(NAME)
        with (
            pytest.raises(StoreError, match="may not write"),
            forbidden.draft(other.provenance, other.vocabulary, 1, {}),
        ):
            pytest.fail("nothing is begun")
        assert forbidden.open(NAME).vectors.tolist() == SMALL.vectors.tolist()
        assert forbidden.verify(NAME) == []
        assert forbidden.derived(NAME).save("graph", {"ids": np.arange(3)}) is False


def test_a_file_that_may_not_be_read_is_told(forbidden: Store) -> None:
    vectors = forbidden.root / "made/static/vectors.npy"
    vectors.chmod(0)
    with as_another_user(), pytest.raises(StoreError, match=r"may not read .*static"):
        forbidden.open(NAME)


# What is kept beside a table


def test_what_is_derived_comes_back(store: Store) -> None:
    derived = store.derived(NAME)
    assert derived.load("graph") is None
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.arange(6).reshape(2, 3),
        "scores": np.ones(2, dtype=np.float32),
    }
    assert derived.save("graph", arrays) is True
    kept = store.derived(NAME).load("graph")
    assert kept is not None
    assert {name: array.tolist() for name, array in kept.items()} == {
        "ids": [[0, 1, 2], [3, 4, 5]],
        "scores": [1, 1],
    }
    assert store.derived(NAME).load("other") is None
    assert store.verify(NAME) == []


def test_what_was_derived_of_another_table_is_not_taken(store: Store) -> None:
    old = store.derived(NAME)
    old.save("graph", {"ids": np.arange(3)})
    store.save(BIG, force=True)
    assert store.derived(NAME).load("graph") is None
    old.save("graph", {"ids": np.arange(3)})  # by a process that still has the old table open
    assert store.derived(NAME).load("graph") is None


def test_keys_of_derived_data_are_no_paths(store: Store) -> None:
    derived = store.derived(NAME)
    assert derived.save("../../../x", {"ids": np.arange(3)})
    assert derived.load("../../../x") is not None
    assert [path.parent.name for path in store.root.parent.rglob("*.npz")] == ["derived"]


def test_damaged_derived_data_is_as_if_it_were_not_there(store: Store) -> None:
    derived = store.derived(NAME)
    derived.save("graph", {"ids": np.arange(100)})
    [path] = derived.folder.iterdir()
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        path.write_bytes(damaged)
        kept = derived.load("graph")
        assert kept is None or kept["ids"].tolist() == list(range(100))
        path.write_bytes(whole[:position])
        assert derived.load("graph") is None


def test_derived_data_is_never_pickled(store: Store) -> None:
    objects: NDArray[Any] = np.array([print, None], dtype=object)
    with pytest.raises(TypeError, match="graph: arrays of objects are not kept"):
        store.derived(NAME).save("graph", {"ids": objects})
    derived = store.derived(NAME)
    derived.folder.mkdir()
    kept: dict[str, Any] = {"ids": objects, "table-checksum": derived.checksum}
    np.savez(derived.folder / "graph.npz", **kept)
    assert derived.load("graph") is None


def test_a_full_disk_keeps_nothing_derived(store: Store) -> None:
    with files_of_at_most(1000):
        assert store.derived(NAME).save("graph", {"ids": np.arange(10_000)}) is False
    assert list(store.derived(NAME).folder.iterdir()) == []
    derived = store.derived(NAME)
    store.remove(NAME)
    assert derived.save("graph", {"ids": np.arange(3)}) is False
