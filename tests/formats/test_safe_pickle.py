"""Hostile and damaged pickles: refused with the reason, at no cost, and nothing in them runs."""

from __future__ import annotations

import collections
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

from support.pickles import (
    DTYPE,
    EMPTY_ARRAY,
    NDARRAY,
    RECONSTRUCT,
    ROW,
    ROWS,
    V,
    array,
    by_id,
    dict_of,
    read,
    read_or_refuse,
    text,
)
from wordvec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ONLY = ": only dicts, ints and numpy arrays are read"
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


# Pickles of other things


class Ran(Exception):  # noqa: N818  # not an error: the sign that a pickle ran
    """Code in a pickle ran."""


def run(*_: object) -> None:
    raise Ran


class Calls:
    """An object that is pickled as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.call


class Thing:
    """An object with a state."""

    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Calls(os.system, "touch ran"), r"posix\.system|os\.system|nt\.system"),
        (Calls(eval, "1"), r"(__builtin__|builtins)\.eval"),
        (Calls(run), r"[a-z_.]*test_safe_pickle\.run"),
        ({0: ROWS[0], 1: Calls(os.system, "touch ran"), 2: ROWS[2]}, r"posix\.system|nt\.system"),
        (by_id(ROWS) | {2: Calls(getattr, ROWS, "tofile")}, r"(__builtin__|builtins)\.getattr"),
        (collections.OrderedDict(by_id(ROWS)), r"collections\.OrderedDict"),
        (collections.defaultdict(list, by_id(ROWS)), r"collections\.defaultdict"),
        ([*ROWS], "a list"),
        ({0: [1.0, 2.0]}, "a list"),
        ({0: 1.5}, "a float"),
        (Thing(), r"copy_?reg\._reconstructor|[a-z_.]*test_safe_pickle\.Thing"),
        (
            ROWS.view(np.recarray),
            r"numpy\.rec(ords)?\.recarray|numpy\.recarray|numpy\.(_core\.)?rec",
        ),
        (np.ma.masked_array(ROWS[0]), r"numpy\.ma\.core\._mareconstruct"),
    ],
)
def test_anything_else_is_refused_by_name(
    thing: object, name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(thing, protocol)
    with pytest.raises(StoreError, match=f"vectors.pickle: it contains ({name}){ONLY}"):
        read(data, tmp_path)
    assert os.listdir() == ["vectors.pickle"]  # noqa: PTH208  # the names alone


def test_names_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    code = f"""
import sys
from pathlib import Path
from wordvec.formats.article_pickle import read_pickle
sys.path.insert(0, {str(tmp_path)!r})
try:
    read_pickle(Path({str(tmp_path / "x")!r}), 3)
except Exception as error:
    print(type(error).__name__, "evil" in sys.modules)
"""
    (tmp_path / "x").write_bytes(b"cevil\nthing\n.")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "StoreError False\n"


def test_a_torch_tensor_gets_the_hint_to_call_numpy(tmp_path: Path) -> None:
    import torch

    data = pickle.dumps({0: torch.ones(3)})
    with pytest.raises(StoreError, match=r"contains torch\._utils\._rebuild_tensor") as error:
        read(data, tmp_path)
    assert error.value.hint == "call .numpy() on each tensor before pickling"


def test_a_list_and_an_ordered_dict_get_a_hint(tmp_path: Path) -> None:
    for thing in (list(ROWS), collections.OrderedDict(by_id(ROWS))):
        with pytest.raises(StoreError, match="it contains") as error:
            read(pickle.dumps(thing), tmp_path)
        assert error.value.hint == "pickle a plain dict: dict(vectors) or dict(enumerate(vectors))"


# Hand-made files


@pytest.mark.parametrize(
    ("data", "message"),
    [
        # lengths beyond the end of the file
        (b"\x80\x04\x8e" + b"\xff" * 8, "damaged or not a pickle .*18446744073709551615"),
        (
            b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x",
            "expected 1099511627776 bytes in a bytes8, but only 1 remain",
        ),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**62), "4611686018427387904 bytes in a bytearray8"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**62), "4611686018427387904 bytes in a unicodestr"),
        (b"B\xff\xff\xff\xff", "expected 4294967295 bytes in a bytes4, but only 0 remain"),
        (b"X\xff\xff\xff\xff", "expected 4294967295 bytes in a unicodestring4, but only 0 remain"),
        (b"\x80\x04\x95" + b"\xff" * 8 + b"}.", "a frame that is longer than the file"),
        (b"\x8b\xff\xff\xff\x7f", r"it is damaged or not a pickle \(not enough data"),
        (b"\x8a\xff" + bytes(255), "it is damaged or not a pickle"),
        (b"\x8a\xff" + b"\x11" * 255 + b".", "it contains a number of more than 64 bits"),
        (b"L" + b"9" * 10**5 + b"L\n.", "it is damaged or not a pickle"),
        (b"L" + b"9" * 100 + b"L\n.", "it contains a number of more than 64 bits"),
        (
            dict_of(b"K\x00", array(b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", b"C\x01x"), b"s"),
            r"\(2147483647, 2147483647\) f4 needs 18,446,744,056,529,682,436 bytes, but has 1",
        ),
        (
            dict_of(b"K\x00", array(b"(J\xff\xff\xff\xfft", b"C\x04aaaa"), b"s"),
            "an array whose shape cannot be read",
        ),
        (dict_of(b"K\x00", array(b"(NNt", b"C\x01x"), b"s"), "an array whose shape cannot be rea"),
        (dict_of(b"K\x00", array(b"(" + b"K\x01" * 9 + b"t", b"C\x04aaaa"), b"s"), "shape cannot"),
        (dict_of(b"K\x00", array(b"K\x05", b"C\x04aaaa"), b"s"), "shape cannot be read"),
        # places of the memo that the unpickler would allocate
        (b"}r\xff\xff\xff\xff.", "contains a memo index that is too large"),
        (b"}p99999999999\n.", "contains a memo index that is too large"),
        (b"}p-1\n.", "it is damaged or not a pickle"),
        # one array for every id
        (
            dict_of(b"K\x00", ROW, b"q\x07s", b"K\x01h\x07s", b"K\x02h\x07s"),
            None,
        ),
        # objects and other types
        (dict_of(b"K\x00", DTYPE.replace(b"f4", b"O8"), b"s"), "dtype 'O8', not of numbers"),
        (dict_of(b"K\x00", DTYPE.replace(b"f4", b"c8"), b"s"), "dtype 'c8', not of numbers"),
        (dict_of(b"K\x00", DTYPE.replace(b"f4", b"S4"), b"s"), "dtype 'S4', not of numbers"),
        (
            dict_of(b"K\x00cnumpy\ndtype\n(" + NDARRAY + b"tRs"),
            "dtype numpy.ndarray, not of numbers",
        ),
        (dict_of(b"K\x00", array(b"(K\x01t", b"]"), b"s"), "it contains a list"),
        (dict_of(b"K\x00", array(b"(K\x01t", b"(K\x01t"), b"s"), "an array of objects, not of num"),
        (dict_of(b"K\x00", array(b"(K\x01t", b"K\x01"), b"s"), "an array that cannot be read"),
        (
            dict_of(b"K\x00", DTYPE, b"(K\x03" + text("|") + b"(tNNK\x00K\x00K\x00tb", b"s"),
            "a dtype with fields",
        ),
        (
            dict_of(b"K\x00", DTYPE, b"(K\x03" + text("O") + b"NNNK\x00K\x00K\x00tb", b"s"),
            "a dtype that cannot be read",
        ),
        (dict_of(b"K\x00", DTYPE, b"Nb", b"s"), "a dtype that cannot be read"),
        (dict_of(b"K\x00", EMPTY_ARRAY, b"Nb", b"s"), "an array that cannot be read"),
        (dict_of(b"K\x00", EMPTY_ARRAY, b"s"), "ids have no vector"),
        # a subclass, a second state, calls of what is not a function
        (RECONSTRUCT + b"(cevil\nArray\n(K\x00tC\x01btR.", r"contains evil\.Array"),
        (RECONSTRUCT + b"(cnumpy\ndtype\n(K\x00tC\x01btR.", "the class numpy.dtype, not ndarray"),
        (RECONSTRUCT + b")R.", "it is damaged or not a pickle .*missing 3 required"),
        (RECONSTRUCT + b"(" + text("numpy.ndarray") + b"(K\x00tC\x01btR.", "of the class a string"),
        (NDARRAY + b"(K\x01tR.", r"contains a call of numpy\.ndarray"),
        (dict_of(ROW, b"Nb"), "contains a change of a numpy array"),
        (b"}}b.", "contains a change of a dict"),
        (NDARRAY + b"}b.", "contains a change of numpy.ndarray"),
        (NDARRAY + b"(N}tb.", "contains a change of numpy.ndarray"),
        (b"K\x01}b.", "it is damaged or not a pickle"),
        (b"K\x01)R.", "it is damaged or not a pickle .*int.* is not callable"),
        (NDARRAY + b"NR.", "it is damaged or not a pickle .*must be a tuple"),
        (b"}K\x01C\x01a" + b"s0C\x01a" + b"K\x00K\x01s.", "it is damaged or not a pickle"),
        (b"c_codecs\nencode\n(" + text("a") + text("rot13") + b"tR.", "other than Latin-1"),
        (b"c_codecs\nencode\n(" + text("a") + b"K\x01tR.", "other than Latin-1"),
        (b"c_codecs\nencode\n)R.", "it is damaged or not a pickle"),
        (
            dict_of(
                *(bytes([75, i]) + array(b"(K\x01t", text("ああああ")) + b"s" for i in range(V))
            ),
            "text where an array has bytes",
        ),
        (b"cnumpy.core.multiarray\nscalar\n)R.", "it is damaged or not a pickle"),
        (b"cnumpy.core.numeric\n_frombuffer\n)R.", "it is damaged or not a pickle"),
        # instructions that are not admitted
        (b"(ios\nsystem\n.", r"contains an instance of os\.system"),
        (b"(inumpy\nndarray\n.", "contains an instance of numpy.ndarray"),
        (NDARRAY + b")\x81.", "contains an instance of a class"),
        (NDARRAY + b")}\x92.", "contains an instance of a class"),
        (b"(" + NDARRAY + b"o.", "contains an instance of a class"),
        (b"\x82\x01.", r"contains an extension code \(copyreg\)"),
        (b"\x83\x01\x00.", r"contains an extension code \(copyreg\)"),
        (b"\x84\x01\x00\x00\x00.", r"contains an extension code \(copyreg\)"),
        (b"P1\n.", "contains a persistent id"),
        (b"K\x01Q.", "contains a persistent id"),
        (b"\x97.", "contains a buffer outside the file"),
        (b"C\x01x\x98.", "contains a buffer outside the file"),
        (b"\x8f.", "contains a set"),
        (b"S'a'\n.", "contains a string of Python 2"),
        (b"}2.", "contains a copy of the top of the stack"),
        (b"\xff.", "it is damaged or not a pickle .*unknown"),
        (b"\x8c\x02os\x8c\x06system\x93.", r"contains os\.system"),
        (b"\x8c\x02os\x8c\x06system\x93]", r"contains os\.system"),  # before the list
        (b"K\x01K\x02\x93.", "it is damaged or not a pickle .*requires str"),
        (b"cnumpy\nndarray\x1b[2J\n.", r"contains numpy\.ndarray\\u001b\[2J"),
        (b"c" + b"a" * 300 + b"\nb\n.", "contains a{99}…"),
        # not a pickle, or damaged
        (b"", "is empty"),
        (b".", "it is damaged or not a pickle"),
        (b"hello", "it contains a list"),
        (b"}", "it is damaged or not a pickle .*exhausted before"),
        (b"}}.", "3 of 3 ids have no vector"),
        (b"}.}.", "2 bytes follow its end"),
        (b"(.", "it is damaged or not a pickle"),
        (b"h\x05.", "it is damaged or not a pickle"),
        (b"t.", "it is damaged or not a pickle"),
        (b"(K\x01d.", "contains a dict that is not built item by item"),
        (b"(K\x01K\x02d.", "contains a dict that is not built item by item"),
        (b"h(d.", "contains a dict that is not built item by item"),
        (b"Ix\n.", "it is damaged or not a pickle .*invalid literal"),
        (b"V\\ud\n.", "it is damaged or not a pickle .*truncated"),
        (b"X\x01\x00\x00\x00\xff.", "it is damaged or not a pickle .*can't decode"),
        (b"0" * 10, "it is damaged or not a pickle"),
        (b"(1" * 20_000, "far more parts than a dict of vectors needs"),
        (b"N.", "expected a dict of vectors by id, got None"),
        # keys
        (dict_of(text("a"), ROW, b"s"), "a key of the dict is a string, not an id"),
        (dict_of(b"I01\n", ROW, b"s"), "a key of the dict is a bool, not an id"),
        (dict_of(b"(K\x01t", ROW, b"s"), "a key of the dict is a tuple, not an id"),
        (b"(K\x00" + ROW + b"d.", "contains a dict that is not built item by item"),
    ],
)  # fmt: skip
def test_a_hand_made_file_is_refused(data: bytes, message: str | None, tmp_path: Path) -> None:
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


def test_one_string_encoded_many_times_takes_no_memory(tmp_path: Path) -> None:
    once = b"c_codecs\nencode\nq\x00" + text("x" * 100_000) + b"q\x01" + text("latin1") + b"q\x02"
    again = b"h\x00(h\x01h\x02tR" * 1000
    tracemalloc.start()
    try:
        with pytest.raises(StoreError, match="expected a dict of vectors by id, got a string"):
            read(once + again + b".", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_tuples_that_contain_themselves_many_times_cost_nothing(tmp_path: Path) -> None:
    laughs = b"(K\x01tq\x00" + b"".join(b"(" + b"h\x00" * 9 + b"tq\x00" for _ in range(60))
    for data in (
        laughs + b".",
        dict_of(laughs, b"0K\x00h\x00s"),
        dict_of(laughs, b"0h\x00K\x00s"),
        dict_of(laughs, b"0h\x00h\x00s"),
        b"(" + laughs + b"0(h\x00K\x00d.",
        dict_of(laughs, b"0K\x00", EMPTY_ARRAY, b"h\x00b"),
        dict_of(laughs, b"0K\x00", array(b"h\x00", b"C\x01x")),
        RECONSTRUCT + laughs + b"R.",
        laughs + b"h\x00R.",
        laughs + b"h\x00b.",
        laughs + b"h\x00\x93.",
    ):
        with pytest.raises(StoreError, match=r"vectors\.pickle: "):
            read(data, tmp_path)


def test_deeply_nested_tuples_do_not_overflow_the_stack(tmp_path: Path) -> None:
    nested = b")" + b"\x85" * 500_000
    for data in (
        nested + b".",
        dict_of(nested, b"K\x00s"),
        dict_of(b"K\x00", nested, b"s"),
        DTYPE[:-1] + nested + b"R.",
        EMPTY_ARRAY + nested + b"b.",
        nested + b"N\x93.",
    ):
        with pytest.raises(StoreError, match=r"vectors\.pickle: "):
            read(data, tmp_path, tokens=10_000)


# Random and damaged files

VALID = [pickle.dumps(by_id(ROWS), protocol) for protocol in PROTOCOLS]
EVIL = pickle.dumps({0: Calls(run)})
OPCODES = [code.code.encode("latin1") for code in pickletools.opcodes]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(OPCODES), st.binary(max_size=6)), max_size=60))
@example([EVIL])
def test_random_instructions_do_not_run(scratch: Path, parts: list[bytes]) -> None:
    read_or_refuse(b"".join(parts), scratch)


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
def test_damaged_pickles_do_not_run(
    scratch: Path, data: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    damaged = bytearray(data)
    for where, removed, added in edits:
        at = int(where * len(damaged))
        damaged[at : at + removed] = added
    read_or_refuse(bytes(damaged), scratch)


def test_each_prefix_and_each_flipped_byte_is_refused_or_read(scratch: Path) -> None:
    for data in VALID:
        for at in range(0, len(data), 2):
            read_or_refuse(data[:at], scratch)
            read_or_refuse(data[:at] + bytes([data[at] ^ 0x21]) + data[at + 1 :], scratch)
