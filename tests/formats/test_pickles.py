"""The article's pickle: every way Python writes it is read, nothing else is, and nothing runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.formats.pickles import dump_vectors, load_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Pickled = dict[Any, Any]

V, D = 3, 4
ROWS = np.array([[1, -2.5, 3, 0], [1e-3, 5, 6, 7], [8, 9, -0.0, 11]], dtype=np.float32)
ONLY = ": only dicts, ints and numpy arrays are read"


def read(data: bytes, tmp_path: Path, tokens: int = V) -> NDArray[np.float32]:
    """Read `data` as a file; a name that says nothing of the test."""
    path = tmp_path / "vectors.pickle"
    path.write_bytes(data)
    return load_vectors(path, tokens)


def by_id(rows: NDArray[Any]) -> Pickled:
    return dict(enumerate(rows))


# What is read


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["<f4", ">f4", "f8", "f2", "i8", "u1"])
def test_every_protocol_and_number_is_read(protocol: int, kind: str, tmp_path: Path) -> None:
    rows = np.abs(ROWS).astype(kind) if kind in ("i8", "u1") else ROWS.astype(kind)
    read_rows = read(pickle.dumps(by_id(rows), protocol), tmp_path)
    assert read_rows.dtype == np.float32
    assert read_rows.tobytes() == rows.astype(np.float32).tobytes()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
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


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "make",
    [
        lambda: {np.int64(i): row for i, row in enumerate(ROWS)},  # keys from an array of ids
        lambda: {2: ROWS[2], 0: ROWS[0], 1: ROWS[1]},  # any order
        lambda: {i: ROWS.T[:, i] for i in range(V)},  # not contiguous
        lambda: {i: np.asfortranarray(ROWS[i]) for i in range(V)},
        lambda: {i: memoryview_of(ROWS[i]) for i in range(V)},  # read-only
    ],
)
def test_dicts_of_many_makings_are_read(
    make: Callable[[], Pickled], protocol: int, tmp_path: Path
) -> None:
    assert read(pickle.dumps(make(), protocol), tmp_path).tolist() == ROWS.tolist()


def memoryview_of(row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give a read-only copy of a row, which protocol 5 writes as bytes, not as a bytearray."""
    return np.frombuffer(row.tobytes(), dtype=np.float32)


def test_optimised_pickles_and_many_batches_are_read(tmp_path: Path) -> None:
    rows = np.arange(2500 * 2, dtype=np.float32).reshape(2500, 2)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickletools.optimize(pickle.dumps(by_id(rows), protocol))
        assert read(data, tmp_path, 2500).tobytes() == rows.tobytes()


def test_the_pure_python_pickler_is_read(tmp_path: Path) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        file = io.BytesIO()
        pickle._Pickler(file, protocol).dump(by_id(ROWS))
        assert read(file.getvalue(), tmp_path).tolist() == ROWS.tolist()


def test_values_beyond_float32_become_infinite_and_nan_stays(tmp_path: Path) -> None:
    rows = np.array([[1e300, -1e300], [np.nan, np.inf]])
    assert np.array_equal(
        read(pickle.dumps(by_id(rows)), tmp_path, 2),
        np.array([[np.inf, -np.inf], [np.nan, np.inf]]),
        equal_nan=True,
    )


# What we write


def test_what_is_written_is_read_by_plain_pickle_and_by_us(tmp_path: Path) -> None:
    table = table_of(ROWS)
    with (tmp_path / "out.pickle").open("wb") as file:
        dump_vectors(table, file)
    data = (tmp_path / "out.pickle").read_bytes()
    plain = pickle.loads(data)  # noqa: S301  # our own
    assert [(type(key), value.dtype, value.shape) for key, value in plain.items()] == [
        (int, np.float32, (D,))
    ] * V
    assert [value.tolist() for value in plain.values()] == ROWS.tolist()
    assert list(plain) == [0, 1, 2]
    plain[0][0] = 5  # each array is its own, and may be written
    assert read(data, tmp_path).tobytes() == ROWS.tobytes()


def test_what_is_written_names_what_both_numpys_know(tmp_path: Path) -> None:
    file = io.BytesIO()
    dump_vectors(table_of(ROWS), file)
    assert b"numpy.core.multiarray" in file.getvalue()
    assert b"numpy._core" not in file.getvalue()
    (tmp_path / "x").write_bytes(file.getvalue())
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb')).values(); print('read')"
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", code, str(tmp_path / "x")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("read\n", "")


def test_progress_is_told_of_the_whole() -> None:
    calls: list[tuple[int, int]] = []
    dump_vectors(table_of(np.ones((600, 2))), io.BytesIO(), lambda *call: calls.append(call))
    assert calls == [(256, 600), (512, 600), (600, 600)]


# What is refused


class Ran(Exception):  # noqa: N818  # no error: what must not be
    """Something in a pickle ran."""


def run(*_: object) -> None:
    raise Ran


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.call


class Thing:
    """An object with a state."""

    def __init__(self) -> None:
        self.x = 1


class Persistent(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return 7 if isinstance(obj, np.ndarray) else None


def persistent(protocol: int) -> bytes:
    file = io.BytesIO()
    Persistent(file, protocol).dump({0: ROWS[0]})
    return file.getvalue()


REFUSED: list[tuple[Any, str]] = [
    (Calls(os.system, "touch ran"), r"posix\.system|os\.system|nt\.system"),
    (Calls(eval, "1"), r"(__builtin__|builtins)\.eval"),
    (Calls(run), r"[a-z_.]*test_pickles\.run"),
    ({0: ROWS[0], 1: Calls(os.system, "touch ran"), 2: ROWS[2]}, r"posix\.system|nt\.system"),
    (by_id(ROWS) | {2: Calls(getattr, ROWS, "tofile")}, r"(__builtin__|builtins)\.getattr"),
    (collections.OrderedDict(by_id(ROWS)), r"collections\.OrderedDict"),
    (collections.defaultdict(list, by_id(ROWS)), r"collections\.defaultdict"),
    ([*ROWS], "a list"),
    ({0: [1.0, 2.0]}, "a list"),
    ({0: 1.5}, "a float"),
    (Thing(), r"copyreg?\._reconstructor|copy_reg\._reconstructor|[a-z_.]*test_pickles\.Thing"),
    (ROWS.view(np.recarray), r"numpy\.rec(ords)?\.recarray|numpy\.recarray|numpy\.(_core\.)?rec"),
    (np.ma.masked_array(ROWS[0]), r"numpy\.ma\.core\._mareconstruct"),
    (collections, r"pickle"),
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(("thing", "name"), REFUSED[:-1])
def test_anything_else_is_refused_by_name(
    thing: object, name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(thing, protocol)
    with pytest.raises(StoreError, match=f"vectors.pickle: it asks for ({name}){ONLY}"):
        read(data, tmp_path)
    assert os.listdir() == ["vectors.pickle"]  # noqa: PTH208  # the names alone


def test_names_are_never_imported(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    code = f"""
import sys
from pathlib import Path
from wordvec.formats.pickles import load_vectors
sys.path.insert(0, {str(tmp_path)!r})
try:
    load_vectors(Path({str(tmp_path / "x")!r}), 3)
except Exception as error:
    print(type(error).__name__, "evil" in sys.modules)
"""
    (tmp_path / "x").write_bytes(b"cevil\nthing\n.")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "StoreError False\n"


def test_a_torch_tensor_gets_the_hint_to_call_numpy(tmp_path: Path) -> None:
    import torch

    data = pickle.dumps({0: torch.ones(3)})
    with pytest.raises(StoreError, match=r"asks for torch\._utils\._rebuild_tensor") as error:
        read(data, tmp_path)
    assert error.value.hint == "call .numpy() on each tensor before it is pickled"


def test_a_list_and_an_ordered_dict_get_a_hint(tmp_path: Path) -> None:
    for thing in (list(ROWS), collections.OrderedDict(by_id(ROWS))):
        with pytest.raises(StoreError, match="it asks for") as error:
            read(pickle.dumps(thing), tmp_path)
        assert error.value.hint == "pickle a plain dict: dict(vectors) or dict(enumerate(vectors))"
    with pytest.raises(
        StoreError, match="expected a dict of vectors by id, got a numpy array"
    ) as e:
        read(pickle.dumps(ROWS), tmp_path)
    assert e.value.hint == "pickle dict(enumerate(vectors))"


def test_archives_of_torch_and_numpy_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=ROWS)
    with pytest.raises(StoreError, match=r"x.npz is a zip archive \(torch.save or numpy.savez"):
        load_vectors(tmp_path / "x.npz", V)


# Hand-made

G = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
FLOAT = b"cnumpy\ndtype\n(U\x02f4"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


DTYPE = b"cnumpy\ndtype\n(" + text("f4") + b"I00\nI01\ntR"
SET = b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
EMPTY = RECONSTRUCT + b"(" + G + b"(K\x00tC\x01btR"


def array(shape: bytes, data: bytes, dtype: bytes = DTYPE + SET) -> bytes:
    """Write an array by hand: its shape's tuple, its bytes' instruction."""
    return EMPTY + b"(K\x01" + shape + dtype + b"I00\n" + data + b"tb"


def whole(*parts: bytes) -> bytes:
    return b"\x80\x03}" + b"".join(parts) + b"."


ROW = array(b"(K\x02t", b"C\x08" + bytes(8))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        # claims that the file does not hold
        (b"\x80\x04\x8e" + b"\xff" * 8, "cut off: 18,446,744,073,709,551,615 bytes are"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x", "1,099,511,627,776 bytes are anno"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**62), "it is cut off"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**62), "it is cut off"),
        (b"B\xff\xff\xff\xff", "it is cut off"),
        (b"X\xff\xff\xff\xff", "it is cut off"),
        (b"\x80\x04\x95" + b"\xff" * 8 + b"}.", "it is cut off"),
        (b"\x8b\xff\xff\xff\x7f", "it holds a number of 2,147,483,647 bytes"),
        (b"\x8a\xff" + bytes(255), "it holds a number of 255 bytes"),
        (b"L" + b"9" * 10**5 + b"L\n.", "it is cut off, or no pickle"),
        (
            whole(b"K\x00", array(b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", b"C\x01x"), b"s"),
            r"shape \(2147483647, 2147483647\) f4 takes 18,446,744,056,529,682,436 bytes, not 1",
        ),
        (
            whole(b"K\x00", array(b"(J\xff\xff\xff\xfft", b"C\x04aaaa"), b"s"),
            "an array whose shape cannot be read",
        ),
        (whole(b"K\x00", array(b"(NNt", b"C\x01x"), b"s"), "an array whose shape cannot be read"),
        (whole(b"K\x00", array(b"(" + b"K\x01" * 9 + b"t", b"C\x04aaaa"), b"s"), "shape cannot"),
        (whole(b"K\x00", array(b"K\x05", b"C\x04aaaa"), b"s"), "shape cannot be read"),
        # one array under every id: little in the file, much in memory
        (
            whole(b"K\x00", ROW, b"q\x07s", b"K\x01h\x07s", b"K\x02h\x07s"),
            None,
        ),
        # objects and other types
        (whole(b"K\x00", DTYPE.replace(b"f4", b"O8"), b"s"), "dtype 'O8', not of numbers"),
        (whole(b"K\x00", DTYPE.replace(b"f4", b"c8"), b"s"), "dtype 'c8', not of numbers"),
        (whole(b"K\x00", DTYPE.replace(b"f4", b"S4"), b"s"), "dtype 'S4', not of numbers"),
        (whole(b"K\x00cnumpy\ndtype\n(" + G + b"tRs"), "dtype numpy.ndarray, not of numbers"),
        (whole(b"K\x00", array(b"(K\x01t", b"]"), b"s"), "it asks for a list"),
        (whole(b"K\x00", array(b"(K\x01t", b"(K\x01t"), b"s"), "array of objects, not of numbers"),
        (whole(b"K\x00", array(b"(K\x01t", b"K\x01"), b"s"), "an array that cannot be read"),
        (
            whole(b"K\x00", DTYPE, b"(K\x03" + text("|") + b"(tNNK\x00K\x00K\x00tb", b"s"),
            "a dtype with fields",
        ),
        (whole(b"K\x00", DTYPE, b"(K\x03" + text("O") + b"NNNK\x00K\x00K\x00tb", b"s"), "a dtype"),
        (whole(b"K\x00", DTYPE, b"Nb", b"s"), "a dtype that cannot be read"),
        (whole(b"K\x00", EMPTY, b"Nb", b"s"), "an array that cannot be read"),
        (whole(b"K\x00", EMPTY, b"s"), "ids have no vector"),
        # a subclass, a second state, calls of what is no function
        (RECONSTRUCT + b"(cevil\nArray\n(K\x00tC\x01btR.", r"asks for evil\.Array"),
        (RECONSTRUCT + b"(cnumpy\ndtype\n(K\x00tC\x01btR.", "an array that is numpy.dtype, not"),
        (RECONSTRUCT + b")R.", "an array that is nothing, not numpy.ndarray"),
        (G + b"(K\x01tR.", r"asks for a call of numpy\.ndarray"),
        (whole(ROW, b"Nb"), "asks for a change of a numpy array"),
        (b"}}b.", "asks for a change of a dict"),
        (b"K\x01)R.", "asks for a call of a number"),
        (G + b"NR.", r"asks for a call of numpy\.ndarray"),
        (b"c_codecs\nencode\n(" + text("a") + text("rot13") + b"tR.", "something else than lat"),
        (b"c_codecs\nencode\n(" + text("あ") + text("latin1") + b"tR.", "bytes that are none"),
        # instructions that are not admitted
        (b"(ios\nsystem\n.", r"asks for os\.system"),
        (b"(inumpy\nndarray\n.", "asks for an instance of numpy.ndarray"),
        (G + b")\x81.", "asks for an instance of a class"),
        (G + b")}\x92.", "asks for an instance of a class"),
        (b"(" + G + b"o.", "asks for an instance of a class"),
        (b"\x82\x01.", r"asks for an extension code \(copyreg\)"),
        (b"\x83\x01\x00.", r"asks for an extension code \(copyreg\)"),
        (b"\x84\x01\x00\x00\x00.", r"asks for an extension code \(copyreg\)"),
        (b"P1\n.", "asks for a persistent id"),
        (b"K\x01Q.", "asks for a persistent id"),
        (b"\x97.", "asks for a buffer outside the file"),
        (b"\x8f.", "asks for a set"),
        (b"S'a'\n.", "asks for a string of Python 2"),
        (b"\xff.", "asks for the unknown instruction 0xff"),
        (b"\x8c\x02os\x8c\x06system\x93.", r"asks for os\.system"),
        (b"K\x01K\x02\x93.", "it is not a whole pickle"),
        (b"cnumpy\nndarray\x1b[2J\n.", r"asks for numpy\.ndarray\\u001b\[2J"),
        # no pickle, or not a whole one
        (b"", "is empty"),
        (b".", "it is not a whole pickle"),
        (b"hello", "it is not a whole pickle|it is cut off"),
        (b"}", "it is cut off, or no pickle"),
        (b"}}.", "it is not a whole pickle"),
        (b"}.}.", "2 bytes follow after its end"),
        (b"(.", "expected a dict of vectors by id"),
        (b"h\x05.", "it is not a whole pickle"),
        (b"t.", "it is not a whole pickle"),
        (b"(K\x01d.", "it is not a whole pickle"),
        (b"Ix\n.", "it holds a number that cannot be read"),
        (b"V\\ud\n.", "it holds a string that is no Unicode"),
        (b"X\x01\x00\x00\x00\xff.", "it holds a string that is no Unicode"),
        (b"0" * 10, "it is not a whole pickle"),
        (b"(1" * 20_000, "far more parts than a dict of vectors needs"),
        (b"N.", "expected a dict of vectors by id, got None"),
        # keys
        (whole(text("a"), ROW, b"s"), "a key of the dict is a string, not an id"),
        (whole(b"I01\n", ROW, b"s"), "a key of the dict is a bool, not an id"),
        (whole(b"(K\x01t", ROW, b"s"), "a key of the dict is a tuple, not an id"),
    ],
)  # fmt: skip
def test_hand_made_files_are_refused(data: bytes, message: str | None, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        if message is None:
            assert read(data, tmp_path).tolist() == [[0, 0]] * V
        else:
            with pytest.raises(StoreError, match=message):
                read(data, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000 + 100 * len(data)
    finally:
        tracemalloc.stop()


def test_one_array_under_many_ids_does_not_outgrow_the_file(tmp_path: Path) -> None:
    wide = array(
        b"(J" + struct.pack("<i", 10_000) + b"t", b"B" + struct.pack("<I", 40_000) + bytes(40_000)
    )
    many = b"".join(b"M" + struct.pack("<H", i) + b"h\x07s" for i in range(1, 9000))
    with pytest.raises(StoreError, match="it claims more numbers than the file has bytes"):
        read(whole(b"K\x00", wide, b"q\x07s", many), tmp_path, 9000)


def test_one_string_encoded_again_and_again_is_refused(tmp_path: Path) -> None:
    once = b"c_codecs\nencode\nq\x00" + text("x" * 100_000) + b"q\x01" + text("latin1") + b"q\x02"
    again = b"h\x00(h\x01h\x02tR0" * 1000
    with pytest.raises(StoreError, match="it claims more bytes than the file has"):
        read(once + again, tmp_path)


def test_tuples_that_hold_themselves_many_times_cost_nothing(tmp_path: Path) -> None:
    laughs = b"(K\x01tq\x00" + b"".join(b"(" + b"h\x00" * 9 + b"tq\x00" for _ in range(60))
    for data in (
        laughs + b".",
        whole(laughs, b"0K\x00h\x00s"),
        whole(laughs, b"0h\x00K\x00s"),
        whole(laughs, b"0K\x00", EMPTY, b"h\x00b"),
        whole(laughs, b"0K\x00", array(b"h\x00", b"C\x01x")),
    ):
        with pytest.raises(StoreError, match=r"vectors\.pickle: "):
            read(data, tmp_path)


# The dict as a whole


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "3 of 3 ids have no vector: 0, 1, 2"),
        ({0: ROWS[0], 2: ROWS[2]}, "1 of 3 ids have no vector: 1"),
        (by_id(ROWS) | {3: ROWS[0]}, "1 ids are no tokens of a vocabulary of 3: 3"),
        (by_id(ROWS) | {-1: ROWS[0]}, "1 ids are no tokens of a vocabulary of 3: -1"),
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
def test_dicts_that_are_no_table_are_told(
    vectors: Pickled, message: str, protocol: int, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=f"vectors.pickle: .*{message}"):
        read(pickle.dumps(vectors, protocol), tmp_path)


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*missing \(No such file"):
        load_vectors(tmp_path / "missing", V)
    with pytest.raises(StoreError, match="is no file"):
        load_vectors(tmp_path, V)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="pipe is no file"):
        load_vectors(tmp_path / "pipe", V)


# Fuzzed

VALID = [pickle.dumps(by_id(ROWS), protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
EVIL = pickle.dumps({0: Calls(run)})
OPCODES = [code.code.encode("latin1") for code in pickletools.opcodes]


def refused_or_read(data: bytes, path: Path) -> None:
    """Read whatever it is: rows or a StoreError, and nothing else; `run` would raise Ran."""
    path.write_bytes(data)
    try:
        rows = load_vectors(path, V)
    except StoreError as error:
        assert str(path) in error.message  # noqa: PT017  # either is right
    else:
        assert rows.shape[0] == V
        assert rows.dtype == np.float32


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(OPCODES), st.binary(max_size=6)), max_size=60))
@example([EVIL])
def test_random_instructions_never_run(scratch: Path, parts: list[bytes]) -> None:
    refused_or_read(b"".join(parts), scratch)


@settings(max_examples=600, deadline=None)
@given(
    data=st.sampled_from(VALID),
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 4),
            st.one_of(st.binary(max_size=5), st.sampled_from([*OPCODES, EVIL, ROW, DTYPE])),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_damaged_pickles_never_run(
    scratch: Path, data: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    damaged = bytearray(data)
    for where, removed, added in edits:
        at = int(where * len(damaged))
        damaged[at : at + removed] = added
    refused_or_read(bytes(damaged), scratch)


def test_each_prefix_and_each_flipped_byte_is_refused_or_read(scratch: Path) -> None:
    for data in VALID:
        for at in range(0, len(data), 2):
            refused_or_read(data[:at], scratch)
            refused_or_read(data[:at] + bytes([data[at] ^ 0x21]) + data[at + 1 :], scratch)
