"""Data that the tests of pickles share: a small dict of vectors, and parts of hand-made pickles."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import StoreError
from wordvec.formats.article_pickle import read_pickle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

V, D = 3, 4
ROWS = np.array([[1, -2.5, 3, 0], [1e-3, 5, 6, 7], [8, 9, -0.0, 11]], dtype=np.float32)


def read(data: bytes, tmp_path: Path, tokens: int = V) -> NDArray[np.float32]:
    """Read `data` from a file."""
    path = tmp_path / "vectors.pickle"
    path.write_bytes(data)
    return read_pickle(path, tokens)


def read_or_refuse(data: bytes, path: Path) -> bool:
    """Check that `data` is rows (True) or a StoreError that names the file (False)."""
    path.write_bytes(data)
    try:
        rows = read_pickle(path, V)
    except StoreError as error:
        assert str(path) in error.message  # noqa: PT017  # either is right
        return False
    assert rows.shape[0] == V
    assert rows.size <= len(data)
    assert rows.dtype == np.float32
    return True


def by_id(rows: NDArray[Any]) -> dict[Any, Any]:
    """Return `{0: first row, 1: second row, …}`."""
    return dict(enumerate(rows))


# Instructions of protocol 0 and 2: the class, the function, a dtype, an array with no state yet
NDARRAY = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"


def text(value: str) -> bytes:
    """Return the instruction that pushes a string."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


DTYPE = b"cnumpy\ndtype\n(" + text("f4") + b"I00\nI01\ntR"
DTYPE_STATE = b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
EMPTY_ARRAY = RECONSTRUCT + b"(" + NDARRAY + b"(K\x00tC\x01btR"


def array(shape: bytes, data: bytes, dtype: bytes = DTYPE + DTYPE_STATE) -> bytes:
    """Return the instructions that build an array from those of its shape and of its bytes."""
    return EMPTY_ARRAY + b"(K\x01" + shape + dtype + b"I00\n" + data + b"tb"


def dict_of(*parts: bytes) -> bytes:
    """Return a pickle of a dict; each part is a key, a value or the instruction to set them."""
    return b"\x80\x03}" + b"".join(parts) + b"."


ROW = array(b"(K\x02t", b"C\x08" + bytes(8))
