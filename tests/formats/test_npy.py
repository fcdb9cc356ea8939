"""The .npy format: what numpy saves is read, with the tokens of a text file."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.readings import TOKENS, assert_same, check_damage, named, read_all, vectors
from wordvec.errors import StoreError
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.npy import read_npy, write_npy
from wordvec.formats.reading import ReadOptions
from wordvec.formats.token_lines import read_token_lines, write_token_lines

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["王", "女 王", "\u2028", "k"]
ROWS = vectors(4, 3)


def save(path: Path, rows: Any, words: list[str] = WORDS) -> Path:
    np.save(path, rows)
    path.with_name(f"{path.name}.tokens.txt").write_bytes("".join(f"{w}\n" for w in words).encode())
    return path


def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    file = io.BytesIO()
    write_npy(named(WORDS, ROWS), file)
    path = save(tmp_path / "x.npy", ROWS)
    assert file.getvalue() == path.read_bytes()
    assert_same(read_all(read_npy, path), WORDS, ROWS)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", ">f8", "f2", ">f2", "i8", "u1", "<i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_each_type_and_order_of_numpy_is_read(dtype: str, order: Any, tmp_path: Path) -> None:
    rows = np.arange(12).reshape(4, 3).astype(dtype, order=order)
    path = save(tmp_path / "x.npy", rows)
    assert_same(read_all(read_npy, path), WORDS, np.arange(12, dtype=np.float32).reshape(4, 3))
    assert_same(
        read_all(read_npy, path, limit=2), WORDS[:2], np.arange(6, dtype=np.float32).reshape(2, 3)
    )


def test_numbers_that_overflow_float32_are_counted(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", np.array([[1e300], [-1e300], [np.inf], [np.nan]]))
    reading = read_npy(path, ReadOptions())
    [block] = reading.blocks
    assert block.rows[:3, 0].tolist() == [np.inf, -np.inf, np.inf]
    assert reading.notes == ["numbers that overflow float32, read as infinite: 2"]


def test_many_blocks_take_little_memory(tmp_path: Path) -> None:
    rows = np.arange(20_000_000, dtype=np.float32).reshape(20_000, 1000)
    words = [str(row) for row in range(20_000)]
    path = save(tmp_path / "x.npy", rows, words)
    tracemalloc.start()
    try:
        reading = read_npy(path, ReadOptions())
        blocks = 0
        for block in reading.blocks:
            assert block.rows[0, 0] == 1000 * float(block.tokens[0])
            blocks += 1
        assert tracemalloc.get_traced_memory()[1] < rows.nbytes / 4
    finally:
        tracemalloc.stop()
    assert blocks > 5


def test_tokens_of_an_option_come_before_those_beside_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", ROWS)
    (tmp_path / "t").write_bytes(b"a\nb\n\nd")
    assert read_all(read_npy, path, tokens=tmp_path / "t")[0] == ["a", "b", "", "d"]


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\nb\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\n", ["a", ""]),
        (b"\n", [""]),
        ("a\u2028b\x85\x0bc\n d \n".encode(), ["a\u2028b\x85\x0bc", " d "]),
    ],
)
def test_lines_of_tokens_end_at_a_line_feed_alone(
    data: bytes, tokens: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t").write_bytes(data)
    assert read_token_lines(tmp_path / "t") == tokens


@pytest.mark.parametrize(
    "words", [TOKENS, ["\ufeffa", "b\r"], ["", ""], ["a\r", "b\r"], ["a", "b\nc", "\\u000a"]]
)
def test_a_list_of_tokens_that_is_written_comes_back(words: list[str], tmp_path: Path) -> None:
    with (tmp_path / "t").open("wb") as file:
        write_token_lines(words, file)
    assert read_token_lines(tmp_path / "t") == list(words)


def test_errors_name_the_file_and_both_numbers(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", ROWS, WORDS[:3])
    with pytest.raises(StoreError, match=r"x\.npy: .*got 3 tokens and 4 vectors"):
        read_npy(path, ReadOptions())
    (tmp_path / "x.npy.tokens.txt").unlink()
    with pytest.raises(StoreError, match="has vectors but no tokens") as error:
        read_npy(path, ReadOptions())
    assert "x.npy.tokens.txt" in str(error.value.hint)
    with pytest.raises(StoreError, match=r"cannot read .*missing"):
        read_npy(path, ReadOptions(tokens=tmp_path / "missing"))
    (tmp_path / "t").write_bytes(b"\xff")
    with pytest.raises(StoreError, match="t is not UTF-8"):
        read_npy(path, ReadOptions(tokens=tmp_path / "t"))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4, np.float32), r"expected \(V, D\) vectors, got \(4,\)"),
        (np.zeros((0, 4), np.float32), r"expected \(V, D\) vectors, got \(0, 4\)"),
        (np.zeros((4, 0), np.float32), r"expected \(V, D\) vectors, got \(4, 0\)"),
        (np.zeros((4, 1, 1), np.float32), r"got \(4, 1, 1\)"),
        (np.zeros((4, 3), complex), "type <c16, expected floats or integers"),
        (np.zeros((4, 3), "V2"), r"type \|V2, expected floats or integers"),
        (np.array([["a"]]), "type <U1"),
        (np.array([[None]]), "Python objects, which are not read"),
    ],
)
def test_other_arrays_are_refused(array: Any, message: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", array)
    with pytest.raises(StoreError, match=message):
        read_npy(path, ReadOptions())


@pytest.mark.parametrize(
    "shape", ["(1152921504606846976, 4)", "(4, 1152921504606846976)", "(4,-1)"]
)
def test_a_header_with_huge_sizes_is_refused(shape: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", ROWS)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + ROWS.tobytes()
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"x\.npy"):
        read_npy(path, ReadOptions())


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    for order in ("C", "F"):
        check_damage(read_npy, save(tmp_path / "x.npy", np.asarray(ROWS, order=order)))


def test_the_format_is_detected_by_its_first_bytes(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", ROWS)
    assert detect_format(path) is FileFormat.NPY
