"""The finalfusion format, from files made with struct as its specification says."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.readings import assert_same, check_damage, read_all
from wordvec.errors import StoreError
from wordvec.formats.finalfusion import read_finalfusion
from wordvec.formats.reading import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["王", "女 王", "k"]
ROWS = np.arange(12, dtype="<f4").reshape(3, 4)
NORMS = np.array([1, 2.5, 3], "<f4")


def vocabulary(count: int = 3) -> bytes:
    words = [word.encode() for word in WORDS]
    return struct.pack("<Q", count) + b"".join(struct.pack("<I", len(w)) + w for w in words)


def array(rows: int = 3, kind: int = 10) -> tuple[bytes, bytes]:
    return struct.pack("<QII", rows, 4, kind), ROWS.tobytes()


def norms(count: int = 3) -> tuple[bytes, bytes]:
    return struct.pack("<QI", count, 10), NORMS.tobytes()


def write(
    path: Path, *chunks: tuple[int, bytes | tuple[bytes, bytes]], start: bytes = b"FiFu\0\0\0\0"
) -> Path:
    """Write a file of chunks: (kind, content), or (kind, (content, numbers after the padding))."""
    kinds = [kind for kind, _ in chunks]
    data = start + struct.pack(f"<{len(kinds) + 1}I", len(kinds), *kinds)
    for kind, content in chunks:
        if isinstance(content, tuple):
            header, numbers = content
            padding = bytes(4 - (len(data) + 12 + len(header)) % 4)
            content = header + padding + numbers  # noqa: PLW2901  # the same, joined
        data += struct.pack("<IQ", kind, len(content)) + content
    path.write_bytes(data)
    return path


def test_words_vectors_and_norms_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x", (5, b"a = 1"), (1, vocabulary()), (2, array()))
    assert_same(read_all(read_finalfusion, path), WORDS, ROWS)
    path = write(tmp_path / "x", (1, vocabulary()), (2, array()), (6, norms()))
    assert_same(read_all(read_finalfusion, path), WORDS, ROWS * NORMS[:, None])
    check_damage(read_finalfusion, path)


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([(1, vocabulary(2**60)), (2, array())], "1,152,921,504,606,846,976 words in 23 bytes"),
        ([(1, vocabulary()), (2, array(2**60))], "truncated or damaged: numbers of shape"),
        ([(1, vocabulary()), (2, array(2))], r"shape \(2, 4\) need 32 bytes, but it has 48"),
        ([(1, vocabulary()), (2, array(kind=1))], "numbers of type 1, expected 10"),
        ([(1, vocabulary()), (2, array()), (6, norms(2**60))], "got 1,152.* norms and 3 words"),
        ([(1, vocabulary(2)), (2, array()), (6, norms())], "got 3 norms and 2 words"),
        ([(2, array())], "has no vocabulary"),
        ([(1, vocabulary())], "has no vectors"),
        ([], "has no vocabulary"),
    ],
)
def test_chunks_that_do_not_match_are_refused(
    chunks: list[tuple[int, bytes]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=message):
        read_finalfusion(write(tmp_path / "x", *chunks), ReadOptions())


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"FiFu\1\0\0\0", "has version 1 of the format, expected 0"),
        (b"FuFi\0\0\0\0", "it does not start with FiFu"),
    ],
)
def test_other_versions_are_refused(start: bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x", (1, vocabulary()), (2, array()), start=start)
    with pytest.raises(StoreError, match=message):
        read_finalfusion(path, ReadOptions())


def test_a_chunk_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "x", (1, vocabulary()), (2, array())).read_bytes()
    size = struct.pack("<IQ", 1, len(vocabulary()))
    assert size in data
    (tmp_path / "x").write_bytes(data.replace(size, struct.pack("<IQ", 1, 2**60)))
    with pytest.raises(StoreError, match="truncated or damaged: a chunk ends at byte"):
        read_finalfusion(tmp_path / "x", ReadOptions())
