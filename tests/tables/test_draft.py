"""Unfinished extractions: they resume where they stopped, and only with the same settings."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.killed import TESTS, killed_at_each_step
from support.tables import table_of
from wordvec.errors import StoreError, TableBusyError
from wordvec.tables.name import Mode
from wordvec.tables.store import Store
from wordvec.tables.table import Provenance
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.draft import Draft

V, D = 10, 4
VOCABULARY = Vocabulary(tuple("王女男子神国人山川海"))
ROWS = np.arange(V * D, dtype=np.float32).reshape(V, D)
PROVENANCE = Provenance("made", Mode.DYNAMIC, revision="1a2b", versions={"torch": "2.13.0"})
NAME = PROVENANCE.name
SETTINGS = {"batch_size": 3, "device": "cpu"}
FILES = ["manifest.json", "norms.npy", "tokens.json", "vectors.npy"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def fill(draft: Draft, *, until: int = V, step: int = 3) -> None:
    """Write the rows that are not done yet, in batches."""
    for start in range(draft.done, until, step):
        block = ROWS[start : min(start + step, V)]
        draft.write(start, block)
        draft.commit_rows(start + len(block))


def write_a_part(store: Store, *, until: int = 6) -> None:
    """Write the first rows of a table and stop."""
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        fill(draft, until=until)


def test_rows_written_in_batches_become_a_table(store: Store) -> None:
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        assert (draft.done, draft.restarted, draft.shape) == (0, None, (V, D))
        fill(draft)
        table = draft.finish()
    assert table.vectors.tolist() == ROWS.tolist()
    assert table.norms == pytest.approx(np.linalg.norm(ROWS.astype(float), axis=1))
    assert table.provenance.revision == "1a2b"
    assert store.verify(NAME) == []
    manifest = json.loads((store.root / "made/dynamic/manifest.json").read_text("utf-8"))
    assert manifest["settings"] == SETTINGS
    assert [path.name for path in (store.root / "made").iterdir()] == ["dynamic"]
    assert sorted(path.name for path in (store.root / "made/dynamic").iterdir()) == FILES


def test_an_interrupted_extraction_resumes_to_the_same_table(store: Store) -> None:
    def stopped() -> None:
        with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
            fill(draft, until=6)
            draft.write(6, np.full((3, D), 99, dtype=np.float32))  # written, but not committed
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert NAME not in store
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        assert (draft.done, draft.restarted) == (6, None)
        assert draft.rows[:6].tolist() == ROWS[:6].tolist()
        fill(draft)
        assert draft.finish().vectors.tolist() == ROWS.tolist()


def test_an_extraction_without_rows_leaves_no_files(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.draft(PROVENANCE, VOCABULARY, D, SETTINGS):
        raise KeyboardInterrupt
    assert store.tables() == []
    assert not list(store.root.glob("made/*"))


def test_an_unfinished_extraction_can_be_listed_and_removed(store: Store) -> None:
    write_a_part(store)
    [info] = store.tables()
    assert (info.name, info.shape, info.done, info.problem) == (NAME, (V, D), 6, None)
    assert NAME not in store
    store.remove(NAME)
    assert store.tables() == []


@pytest.mark.parametrize(
    ("made", "settings", "why"),
    [
        (PROVENANCE, {**SETTINGS, "batch_size": 4}, "batch_size was 3 and is 4"),
        (PROVENANCE, {**SETTINGS, "threads": 2}, "threads was None and is 2"),
        (PROVENANCE, {"batch_size": 3}, "device was cpu and is None"),
        (replace(PROVENANCE, dtype="bfloat16"), SETTINGS, "dtype was float32 and is bfloat16"),
        (replace(PROVENANCE, revision="3c4d"), SETTINGS, "revision was 1a2b and is 3c4d"),
        (replace(PROVENANCE, versions={"torch": "2.14"}), SETTINGS, "torch was 2.13.0 and is 2.14"),
        (
            replace(PROVENANCE, dtype="bfloat16"),
            {**SETTINGS, "batch_size": 4},
            "dtype was float32 and is bfloat16; batch_size was 3 and is 4",
        ),
    ],
)
def test_changed_settings_start_over_and_are_named(
    store: Store, made: Provenance, settings: dict[str, object], why: str
) -> None:
    write_a_part(store)
    with store.draft(made, VOCABULARY, D, settings) as draft:
        assert (draft.done, draft.restarted) == (0, why)
        assert not draft.rows.any()


def test_a_changed_vocabulary_or_width_starts_over(store: Store) -> None:
    write_a_part(store)
    other = Vocabulary(tuple("王女男子神国人山川空"))
    with store.draft(PROVENANCE, other, D, SETTINGS) as draft:
        assert (draft.done, draft.restarted) == (0, "the vocabulary has changed")
        fill(draft, until=3)
    with store.draft(PROVENANCE, other, D + 1, SETTINGS) as draft:
        assert (draft.done, draft.restarted) == (0, "dimensions was 4 and is 5")


@pytest.mark.parametrize(
    ("file", "data", "why"),
    [
        ("progress.json", b"", "its files are damaged"),
        ("progress.json", b"{}", "its files are damaged"),
        ("vectors.npy", b"", "its files are damaged"),
    ],
)
def test_a_damaged_draft_starts_over(store: Store, file: str, data: bytes, why: str) -> None:
    write_a_part(store)
    (store.root / "made/dynamic.draft" / file).write_bytes(data)
    assert len(store.tables()) == 1
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        assert draft.done == 0
        assert draft.restarted is not None
        assert why in draft.restarted or "was None" in draft.restarted
        fill(draft)
        assert draft.finish().vectors.tolist() == ROWS.tolist()


@pytest.mark.parametrize("done", [-1, 11, True, "6", None])
def test_a_record_of_impossible_progress_starts_over(store: Store, done: object) -> None:
    write_a_part(store)
    record = store.root / "made/dynamic.draft/progress.json"
    record.write_text(json.dumps({**json.loads(record.read_text("utf-8")), "done": done}), "utf-8")
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        assert (draft.done, draft.restarted) == (0, f"its record says {done!r} rows")


def test_the_old_table_stays_until_the_new_one_is_complete(store: Store) -> None:
    old = table_of({"a": [1], "b": [2]}, mode=Mode.DYNAMIC)
    store.save(old)
    with (
        pytest.raises(StoreError, match="made:dynamic already exists"),
        store.draft(PROVENANCE, VOCABULARY, D, SETTINGS),
    ):
        pytest.fail("nothing is written")
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS, force=True) as draft:
        fill(draft, until=6)
    assert store.open(NAME).vocabulary == old.vocabulary
    assert [info.done for info in store.tables()] == [None, 6]
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS, force=True) as draft:
        assert draft.done == 6
        fill(draft)
        assert store.open(NAME).vocabulary == old.vocabulary
        draft.finish()
    assert store.open(NAME).vocabulary == VOCABULARY
    assert [info.done for info in store.tables()] == [None]


def test_rows_outside_the_table_are_refused(store: Store) -> None:
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        for start, shape in ((8, (3, D)), (-1, (1, D)), (0, (1, D + 1)), (0, (D,))):
            with pytest.raises(
                StoreError, match=rf"expected rows of \(10, 4\), got .* from row {start} on"
            ):
                draft.write(start, np.zeros(shape, dtype=np.float32))
        with pytest.raises(StoreError, match="expected 0 to 10 done rows, got 11"):
            draft.commit_rows(11)
        with pytest.raises(StoreError, match="expected 10 done rows, got 0"):
            draft.finish()


def test_a_draft_without_vectors_is_refused(store: Store) -> None:
    with (
        pytest.raises(StoreError, match=r"expected vectors, got a shape of \(10, 0\)"),
        store.draft(PROVENANCE, VOCABULARY, 0, {}),
    ):
        pytest.fail("nothing is written")


def test_two_writers_of_a_table_do_not_interfere(store: Store) -> None:
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        fill(draft, until=6)
        with (
            pytest.raises(TableBusyError, match="another process is writing made:dynamic"),
            store.draft(PROVENANCE, VOCABULARY, D, SETTINGS),
        ):
            pytest.fail("it is locked")
        with pytest.raises(TableBusyError, match="another process is writing made:dynamic"):
            store.remove(NAME)
        with pytest.raises(TableBusyError, match="another process is writing made:dynamic"):
            store.save(table_of({"a": [1]}, mode=Mode.DYNAMIC), force=True)
        fill(draft)
        assert draft.finish().vectors.tolist() == ROWS.tolist()


LOCK = """
import sys, time
from pathlib import Path
from tables.test_draft import *
with Store(Path(sys.argv[1])).draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
    fill(draft, until=6)
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_frees_its_lock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{TESTS.parent / 'src'}:{TESTS}")
    writer = subprocess.Popen(
        [sys.executable, "-c", LOCK, str(store.root)], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "locked\n"
        with (
            pytest.raises(TableBusyError, match="another process is writing made:dynamic"),
            store.draft(PROVENANCE, VOCABULARY, D, SETTINGS),
        ):
            pytest.fail("it is locked")
        writer.kill()
    with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS) as draft:
        assert draft.done == 6


EXTRACT = """
from pathlib import Path
from tables.test_draft import *
with Store(Path(argument)).draft(PROVENANCE, VOCABULARY, D, SETTINGS, force=True) as draft:
    fill(draft, step=5)
    draft.finish()
"""


def test_a_killed_extraction_resumes_to_the_same_table(tmp_path: Path) -> None:
    stores = [Store(tmp_path / str(step)) for step in range(60)]
    for store in stores[::2]:
        store.save(table_of({"a": [1]}, mode=Mode.DYNAMIC))  # half of them replace a table
    killed = killed_at_each_step(EXTRACT, [str(store.root) for store in stores])
    resumed = []
    for step, store in enumerate(stores[: killed + 1]):
        if step % 2 == 0 or NAME in store:
            assert len(store.open(NAME)) in (1, V)
            assert store.verify(NAME) == []
        with store.draft(PROVENANCE, VOCABULARY, D, SETTINGS, force=True) as draft:
            assert draft.restarted is None
            assert draft.rows[: draft.done].tolist() == ROWS[: draft.done].tolist()
            resumed.append(draft.done)
            fill(draft, step=5)
            table = draft.finish()
        assert table.vectors.tobytes() == ROWS.tobytes()
        assert [path.name for path in (store.root / "made").iterdir()] == ["dynamic"]
        assert sorted(path.name for path in (store.root / "made/dynamic").iterdir()) == FILES
    assert set(resumed) == {0, 5, 10}
    assert killed > 20
