"""The article's pickle: every dict of vectors that Python can pickle is read, and nothing else."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.pickles import ROWS, D, V, by_id, read
from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.formats.article_pickle import read_pickle, write_pickle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

# Reading


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2", "i8", "u1"])
def test_every_protocol_and_dtype_is_read(protocol: int, dtype: str, tmp_path: Path) -> None:
    rows = np.abs(ROWS).astype(dtype) if dtype in ("i8", "u1") else ROWS.astype(dtype)
    read_rows = read(pickle.dumps(by_id(rows), protocol), tmp_path)
    assert read_rows.dtype == np.float32
    assert read_rows.tobytes() == rows.astype(np.float32).tobytes()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickles_of_numpy_1_are_read(protocol: int, tmp_path: Path) -> None:
    """Numpy 1 says numpy.core where numpy 2 says numpy._core."""
    ours = pickle.dumps(by_id(ROWS), protocol)
    theirs = ours.replace(b"numpy._core.", b"numpy.core.")
    theirs = theirs.replace(b"\x8c\x16numpy.core", b"\x8c\x15numpy.core")  # the name's length
    theirs = theirs.replace(b"\x8c\x13numpy.core", b"\x8c\x12numpy.core")
    if protocol >= 4:  # frames count bytes
        theirs = pickletools.optimize(theirs[:2] + theirs[11:])
    assert b"numpy._core" not in theirs
    assert read(theirs, tmp_path).tolist() == ROWS.tolist()


def read_only(row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a read-only copy of a row, which protocol 5 writes as bytes, not as a bytearray."""
    return np.frombuffer(row.tobytes(), dtype=np.float32)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "make",
    [
        lambda: {np.int64(i): row for i, row in enumerate(ROWS)},  # keys from an array of ids
        lambda: {2: ROWS[2], 0: ROWS[0], 1: ROWS[1]},  # any order
        lambda: {i: ROWS.T[:, i] for i in range(V)},  # not contiguous
        lambda: {i: np.asfortranarray(ROWS[i]) for i in range(V)},
        lambda: {i: read_only(ROWS[i]) for i in range(V)},
    ],
)
def test_dicts_built_in_different_ways_are_read(
    make: Callable[[], dict[Any, Any]], protocol: int, tmp_path: Path
) -> None:
    assert read(pickle.dumps(make(), protocol), tmp_path).tolist() == ROWS.tolist()


def test_optimised_pickles_and_many_batches_are_read(tmp_path: Path) -> None:
    rows = np.arange(2500 * 2, dtype=np.float32).reshape(2500, 2)
    for protocol in PROTOCOLS:
        data = pickletools.optimize(pickle.dumps(by_id(rows), protocol))
        assert read(data, tmp_path, 2500).tobytes() == rows.tobytes()


def test_the_pure_python_pickler_is_read(tmp_path: Path) -> None:
    for protocol in PROTOCOLS:
        file = io.BytesIO()
        pickle._Pickler(file, protocol).dump(by_id(ROWS))
        assert read(file.getvalue(), tmp_path).tolist() == ROWS.tolist()


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_the_bytes_of_the_arrays_stay_in_the_file(protocol: int, tmp_path: Path) -> None:
    rows = np.ones((10, 100_000), dtype=np.float32)
    data = pickle.dumps(by_id(rows), protocol)
    tracemalloc.start()
    try:
        read_rows = read(data, tmp_path, 10)
        assert tracemalloc.get_traced_memory()[1] < rows.nbytes + rows[0].nbytes
    finally:
        tracemalloc.stop()
    assert np.array_equal(read_rows, rows)


def test_values_beyond_float32_become_infinite_and_nan_stays(tmp_path: Path) -> None:
    rows = np.array([[1e300, -1e300], [np.nan, np.inf]])
    assert np.array_equal(
        read(pickle.dumps(by_id(rows)), tmp_path, 2),
        np.array([[np.inf, -np.inf], [np.nan, np.inf]]),
        equal_nan=True,
    )


# Writing


def written(rows: Any) -> bytes:
    """Return the pickle of a table of these rows."""
    file = io.BytesIO()
    write_pickle(table_of(rows), file)
    return file.getvalue()


def test_plain_pickle_and_read_pickle_read_what_is_written(tmp_path: Path) -> None:
    data = written(ROWS)
    plain = pickle.loads(data)  # noqa: S301  # our own
    assert [(type(key), value.dtype, value.shape) for key, value in plain.items()] == [
        (int, np.float32, (D,))
    ] * V
    assert [value.tolist() for value in plain.values()] == ROWS.tolist()
    assert list(plain) == [0, 1, 2]
    plain[0][0] = 5  # each array is writable and shares nothing
    assert plain[1].tolist() == ROWS[1].tolist()
    assert read(data, tmp_path).tobytes() == ROWS.tobytes()


@pytest.mark.parametrize("tokens", [1, 255, 256, 257, 65536, 65537])
def test_ids_of_one_to_four_bytes_and_blocks_of_one_row_are_written(
    tokens: int, tmp_path: Path
) -> None:
    rows = np.arange(tokens, dtype=np.float32)[:, None]
    data = written(rows)
    assert read(data, tmp_path, tokens).tobytes() == rows.tobytes()
    assert list(pickle.loads(data)) == list(range(tokens))  # noqa: S301  # our own


def test_rows_that_contain_a_module_name_are_written_as_they_are(tmp_path: Path) -> None:
    name = b"cnumpy._core.multiarray\n"
    rows = np.frombuffer(name * 3, dtype=np.float32).reshape(V, -1)
    assert read(written(rows), tmp_path).tobytes() == rows.tobytes()


def test_numpy_1_and_numpy_2_know_the_names_that_are_written(tmp_path: Path) -> None:
    data = written(ROWS)
    assert data.count(b"numpy.core.multiarray") == 1
    assert b"numpy._core" not in data
    (tmp_path / "x").write_bytes(data)
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb')).values(); print('read')"
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", code, str(tmp_path / "x")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("read\n", "")


def test_few_rows_at_a_time_are_in_memory(tmp_path: Path) -> None:
    table = table_of(np.ones((5000, 1000)))
    tracemalloc.start()
    try:
        with (tmp_path / "x").open("wb") as file:
            write_pickle(table, file)
        assert tracemalloc.get_traced_memory()[1] < table.vectors.nbytes / 4
    finally:
        tracemalloc.stop()


def test_progress_counts_the_rows_to_the_last() -> None:
    calls: list[tuple[int, int]] = []
    write_pickle(table_of(np.ones((600, 2))), io.BytesIO(), lambda *call: calls.append(call))
    assert calls == [(256, 600), (512, 600), (600, 600)]


# Dicts that are not a table, and files that are not a pickle


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "3 of 3 ids have no vector: 0, 1, 2"),
        ({0: ROWS[0], 2: ROWS[2]}, "1 of 3 ids have no vector: 1"),
        (by_id(ROWS) | {3: ROWS[0]}, "1 ids are not in a vocabulary of 3 tokens: 3"),
        (by_id(ROWS) | {-1: ROWS[0]}, "1 ids are not in a vocabulary of 3 tokens: -1"),
        (by_id(ROWS) | {1: ROWS[1][:2]}, r"id 1 has an array of shape \(2,\): expected \(4,\)"),
        (by_id(ROWS[:, None]), r"id 0 has an array of shape \(1, 4\): expected \(D,\)"),
        (by_id(ROWS) | {1: ROWS}, r"id 1 has an array of shape \(3, 4\): expected \(4,\)"),
        (by_id(ROWS[:, :0]), r"id 0 has an array of shape \(0,\): expected \(D,\)"),
        (by_id(ROWS) | {2: np.float32(1)}, r"id 2 has an array of shape \(\): expected \(4,\)"),
        (by_id(ROWS) | {2: 5}, "id 2 has a number, not a vector"),
        (by_id(ROWS) | {2: np.int64(5)}, "id 2 has a number, not a vector"),
        (by_id(ROWS) | {2: "x"}, "id 2 has a string, not a vector"),
        (by_id(ROWS) | {2: b"x"}, "id 2 has bytes, not a vector"),
        (by_id(ROWS) | {2: {}}, "id 2 has a dict, not a vector"),
        (by_id(ROWS) | {2: None}, "id 2 has None, not a vector"),
        ({"王": ROWS[0]}, "a key of the dict is a string, not an id"),
        ({np.float32(1): ROWS[0]}, "a key of the dict is a numpy array, not an id"),
        (by_id(np.array([["a"], ["b"]])), "arrays of dtype 'U1', not of numbers"),
        (by_id(np.array([[None], [print]])), "arrays of dtype 'O8', not of numbers"),
        (by_id(ROWS.astype(complex)), "arrays of dtype 'c16', not of numbers"),
        (by_id(ROWS.astype(bool)), "arrays of dtype 'b1', not of numbers"),
        (by_id(np.zeros(3, dtype=[("a", "f4")])[:, None]), "arrays of dtype 'V4', not of numbers"),
    ],
)
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_dict_that_is_not_a_table_is_refused_with_the_reason(
    vectors: dict[Any, Any], message: str, protocol: int, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=f"vectors.pickle: .*{message}"):
        read(pickle.dumps(vectors, protocol), tmp_path)


def test_one_array_for_many_ids_does_not_outgrow_the_file(tmp_path: Path) -> None:
    wide = np.zeros(10_000, dtype=np.float32)
    data = pickle.dumps(dict.fromkeys(range(9000), wide))
    with pytest.raises(StoreError, match="it has more numbers than the file has bytes"):
        read(data, tmp_path, 9000)


def test_a_bare_array_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected a dict of vectors by id, got a numpy arr") as e:
        read(pickle.dumps(ROWS), tmp_path)
    assert e.value.hint == "pickle dict(enumerate(vectors))"


def test_ids_that_do_not_fit_get_a_hint(tmp_path: Path) -> None:
    for vectors in (by_id(ROWS[:2]), by_id(ROWS) | {9: ROWS[0]}):
        with pytest.raises(StoreError, match="ids ") as error:
            read(pickle.dumps(vectors), tmp_path)
        assert error.value.hint == "check that the vectors were made with this model"


def test_archives_of_torch_and_numpy_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=ROWS)
    with pytest.raises(StoreError, match=r"x.npz is a zip archive \(of torch.save or numpy.sav"):
        read_pickle(tmp_path / "x.npz", V)


def test_a_path_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*missing \(No such file"):
        read_pickle(tmp_path / "missing", V)
    with pytest.raises(StoreError, match="not a file, but a folder"):
        read_pickle(tmp_path, V)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match=r"pipe \(not a file, but a pipe\)"):
        read_pickle(tmp_path / "pipe", V)
