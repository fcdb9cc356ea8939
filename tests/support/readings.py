"""What the tests of readers share: tables that are hard to keep, and damaged copies of a file."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import numpy as np

from support.counts import count_inputs
from wordvec.errors import WordvecError
from wordvec.formats.reading import ReadOptions
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Reading

    Reader = Callable[[Path, ReadOptions], Reading]

# empty, lines, tabs, NUL at each end, a space at each end, quotes, an astral letter
TOKENS = (
    *("王", "女王", "", "a b", " x ", "\t", "\n", "\r\n", "\u2028", "\x85", "\0", "a\0", "a\0\0"),
    *("\0a", "\ufeff", "##王", "▁king", '"', "\\", "\\u0041", "[1]", "𠮷", "e\u0301", "-", "1999"),
    *("x" * 300, "<unk>", "\x1b[2J", "\U0010ffff", "\ufffe"),
)


def vectors(tokens: int, dimensions: int = 5) -> NDArray[np.float32]:
    """Return vectors with every kind of float32: −0.0, NaNs with payloads, subnormal, infinite."""
    rows = np.random.default_rng(0).normal(size=(tokens, dimensions)).astype(np.float32)
    odd = [0x80000000, 0x7FC00001, 0xFFC12345, 0x7F812345, 1, 0x7F800000, 0xFF800000, 0x7F7FFFFF]
    flat = rows.reshape(-1).view(np.uint32)
    flat[: len(odd)] = np.array(odd, np.uint32)[: flat.size]
    return rows


def named(tokens: Sequence[str], rows: NDArray[np.float32]) -> VectorTable:
    """Return a table of tokens and their vectors, bit for bit."""
    with np.errstate(invalid="ignore", over="ignore"):
        return VectorTable.from_vectors(
            Vocabulary(tuple(tokens)), rows, Provenance("made", Mode.STATIC)
        )


def odd_table() -> VectorTable:
    """Return a table with all of `TOKENS`."""
    return named(TOKENS, vectors(len(TOKENS)))


def collect(reading: Reading) -> tuple[list[str], NDArray[np.float32]]:
    """Return all tokens and rows of a file, after a check of its blocks and its total."""
    tokens: list[str] = []
    rows = []
    for block in reading.blocks:
        assert block.rows.dtype == np.float32
        assert block.rows.shape[0] == len(block.tokens)
        tokens += block.tokens
        rows.append(block.rows)
    assert reading.total in (None, len(tokens))
    return tokens, np.concatenate(rows)


def read_all(
    read: Reader, path: Path, *, limit: int | None = None, tokens: Path | None = None
) -> tuple[list[str], NDArray[np.float32]]:
    """Read a file whole."""
    return collect(read(path, ReadOptions(limit=limit, tokens=tokens)))


def assert_same(
    result: tuple[list[str], NDArray[np.float32]],
    tokens: Sequence[str],
    rows: NDArray[np.float32],
) -> None:
    """Compare tokens and vectors bit for bit."""
    assert result[0] == list(tokens)
    assert result[1].shape == rows.shape
    assert result[1].tobytes() == rows.tobytes()


def damaged_copies(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield copies of a file with random edits: flipped bits, cuts, insertions, huge numbers."""
    rng = random.Random(seed)  # noqa: S311  # not for secrets
    huge = [(1 << 60).to_bytes(8, "little"), b"\xff" * 4, b"\xff" * 8, bytes(8), b"\x7f", b"9" * 20]
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(rng.choice([1, 1, 2, 4])):
            # half of the edits are in the first bytes, where the headers are
            at = rng.randrange(min(len(copy), rng.choice([200, 1 << 30])) or 1)
            kind = rng.randrange(5)
            if kind == 0 and copy:
                copy[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                del copy[at:]
            elif kind == 2:
                copy[at:at] = rng.choice([*huge, rng.randbytes(4)])
            elif kind == 3:
                part = rng.choice([*huge, rng.randbytes(2)])
                copy[at : at + len(part)] = part
            else:
                del copy[at : at + rng.choice([1, 4, 8])]
        count_inputs()
        yield bytes(copy)


def read_or_refuse(read: Reader, path: Path, options: ReadOptions | None = None) -> bool:
    """Check that a file is read (True) or refused in one line (False), quickly."""
    start = time.perf_counter()
    try:
        collect(read(path, options or ReadOptions()))
    except WordvecError as error:
        assert "\n" not in error.message  # noqa: PT017  # either is right
        return False
    finally:
        assert time.perf_counter() - start < 5
    return True


def check_damage(
    read: Reader, path: Path, count: int = 300, options: ReadOptions | None = None
) -> None:
    """Check each prefix of a file (at most `count`), and `count` damaged copies of it."""
    data = path.read_bytes()
    assert read_or_refuse(read, path, options)
    try:
        for end in range(0, len(data), max(1, len(data) // count)):
            path.write_bytes(data[:end])
            count_inputs()
            assert not read_or_refuse(read, path, options), end
        for copy in damaged_copies(data, count):
            path.write_bytes(copy)
            read_or_refuse(read, path, options)
    finally:
        path.write_bytes(data)
