"""Full disks and missing permissions: each is an error, and earlier tables stay."""

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

from support.counts import count_faults
from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.tables.files import OTHER_STORE
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
    """Simulate a full disk: writes beyond `size` fail (Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    count_faults()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names_beside(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "made").iterdir())


@pytest.mark.parametrize("room", [0, 100, 10_000, 51_327])
def test_the_old_table_stays_on_a_full_disk(store: Store, room: int) -> None:
    with files_of_at_most(room), pytest.raises(StoreError, match="no space left to write") as error:
        store.save(BIG, force=True)
    assert error.value.hint == f"free some space, or {OTHER_STORE}"
    assert names_beside(store) == ["static"]
    assert store.open(NAME).vectors.tolist() == SMALL.vectors.tolist()


def test_a_table_can_be_removed_on_a_full_disk(store: Store) -> None:
    with files_of_at_most(0):
        store.remove(NAME)
    assert store.tables() == []


def test_a_draft_larger_than_the_disk_fails_before_the_first_row(store: Store) -> None:
    with (
        files_of_at_most(10_000),
        pytest.raises(StoreError, match="no space left to write"),
        store.draft(BIG.provenance, BIG.vocabulary, D, {}, force=True),
    ):
        pytest.fail("nothing is written")
    assert names_beside(store) == ["static"]


@pytest.mark.parametrize("room", [100, 30_000])
def test_rows_that_are_done_stay_when_the_disk_fills(store: Store, room: int) -> None:
    """Where space cannot be reserved, writing a row fails with an error, not with SIGBUS."""
    provenance = BIG.provenance
    with store.draft(provenance, BIG.vocabulary, D, {}, force=True) as draft:
        draft.write(0, BIG.vectors[:100])
        draft.commit_rows(100)

        def resume(draft: Draft = draft) -> None:
            draft.write(100, BIG.vectors[100:])
            draft.commit_rows(V)
            draft.finish()

        with files_of_at_most(room), pytest.raises(StoreError, match="no space left to write"):
            resume()
    assert store.open(NAME).vectors.tolist() == SMALL.vectors.tolist()
    with store.draft(provenance, BIG.vocabulary, D, {}, force=True) as draft:
        assert draft.done >= 100
        draft.write(100, BIG.vectors[100:])
        draft.commit_rows(V)
        assert draft.finish().vectors.tolist() == BIG.vectors.tolist()


@pytest.mark.parametrize("reserve", ["refused", "absent"])
def test_a_draft_fills_its_file_where_space_cannot_be_reserved(
    store: Store, monkeypatch: pytest.MonkeyPatch, reserve: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    if reserve == "refused":
        monkeypatch.setattr(os, "posix_fallocate", refuse)
    else:  # as on macOS and Windows
        monkeypatch.delattr(os, "posix_fallocate")
    with (
        files_of_at_most(10_000),
        pytest.raises(StoreError, match="no space left to write"),
        store.draft(BIG.provenance, BIG.vocabulary, D, {}, force=True),
    ):
        pytest.fail("nothing is written")
    assert names_beside(store) == ["static"]
    with store.draft(BIG.provenance, BIG.vocabulary, D, {}, force=True) as draft:
        assert (draft.folder / "vectors.npy").stat().st_size == 128 + V * D * 4
        draft.write(0, BIG.vectors)
        draft.commit_rows(V)
        assert draft.finish().vectors.tolist() == BIG.vectors.tolist()


def test_a_failed_sync_leaves_a_complete_table(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk may accept a write and report its failure at the sync."""
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
            assert "Input/output error" in error.message  # noqa: PT017  # some of the calls do not fail
        monkeypatch.setattr(os, "fsync", fsync)
        assert len(store.open(NAME)) in (len(SMALL), V)
        assert store.verify(NAME) == []
        store.save(SMALL, force=True)
    assert failed >= 5


@contextmanager
def as_another_user() -> Iterator[None]:
    """Give up root's permission to write everywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def read_only() -> Iterator[Store]:
    """Return a store with one table, all of it read-only."""
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


def test_a_read_only_store_can_be_read_and_not_written(read_only: Store) -> None:
    other = table_of({"a": [1]}, model="other")
    with as_another_user():
        for table in (BIG, other):
            with pytest.raises(StoreError, match="permission denied: /") as error:
                read_only.save(table, force=True)
            assert error.value.hint == OTHER_STORE
        with pytest.raises(StoreError, match="permission denied: /"):
            read_only.remove(NAME)
        with (
            pytest.raises(StoreError, match="permission denied: /"),
            read_only.draft(other.provenance, other.vocabulary, 1, {}),
        ):
            pytest.fail("nothing is written")
        assert read_only.open(NAME).vectors.tolist() == SMALL.vectors.tolist()
        assert read_only.verify(NAME) == []
        assert read_only.derived(read_only.open(NAME)).save("graph", {"ids": np.arange(3)}) is False


def test_a_file_without_read_permission_is_an_error(read_only: Store) -> None:
    vectors = read_only.root / "made/static/vectors.npy"
    vectors.chmod(0)
    with as_another_user(), pytest.raises(StoreError, match=r"permission denied: /.*static"):
        read_only.open(NAME)


# Derived data


def test_derived_arrays_are_read_back(store: Store) -> None:
    derived = store.derived(store.open(NAME))
    assert derived.load("graph") is None
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.arange(6).reshape(2, 3),
        "scores": np.ones(2, dtype=np.float32),
    }
    assert derived.save("graph", arrays) is True
    kept = store.derived(store.open(NAME)).load("graph")
    assert kept is not None
    assert {name: array.tolist() for name, array in kept.items()} == {
        "ids": [[0, 1, 2], [3, 4, 5]],
        "scores": [1, 1],
    }
    assert store.derived(store.open(NAME)).load("other") is None
    assert store.verify(NAME) == []


def test_derived_data_of_another_table_is_not_used(store: Store) -> None:
    old = store.derived(store.open(NAME))
    old.save("graph", {"ids": np.arange(3)})
    store.save(BIG, force=True)
    assert store.derived(store.open(NAME)).load("graph") is None
    old.save("graph", {"ids": np.arange(3)})  # a process that still has the old table open
    assert store.derived(store.open(NAME)).load("graph") is None


def test_keys_of_derived_data_are_not_paths(store: Store) -> None:
    derived = store.derived(store.open(NAME))
    assert derived.save("../../../x", {"ids": np.arange(3)})
    assert derived.load("../../../x") is not None
    assert [path.parent.name for path in store.root.parent.rglob("*.npz")] == ["derived"]


def test_damaged_derived_data_is_ignored(store: Store) -> None:
    derived = store.derived(store.open(NAME))
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
    with pytest.raises(TypeError, match="graph: arrays of objects cannot be saved"):
        store.derived(store.open(NAME)).save("graph", {"ids": objects})
    derived = store.derived(store.open(NAME))
    derived.folder.mkdir()
    kept: dict[str, Any] = {"ids": objects, "checksum": derived.table}
    np.savez(derived.folder / "graph.npz", **kept)
    assert derived.load("graph") is None


def test_derived_data_is_not_saved_on_a_full_disk(store: Store) -> None:
    with files_of_at_most(1000):
        assert store.derived(store.open(NAME)).save("graph", {"ids": np.arange(10_000)}) is False
    assert list(store.derived(store.open(NAME)).folder.iterdir()) == []
    derived = store.derived(store.open(NAME))
    store.remove(NAME)
    assert derived.save("graph", {"ids": np.arange(3)}) is False
