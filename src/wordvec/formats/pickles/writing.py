"""A table becomes the article's pickle, row by row."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

from wordvec.progress import Progress, no_progress

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


def dump_vectors(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write `{id: (D,) float32 array}` as a pickle that Python 3.4 and numpy 1 can load as well.

    Written instruction by instruction: `pickle` itself would hold all rows in memory.
    """
    import numpy as np

    vector = _vector_opcodes(table.dimensions)
    file.write(b"\x80\x04" + _PREAMBLE + b"}")  # PROTO 4, names into the memo, EMPTY_DICT
    for row in range(len(table)):
        data = np.ascontiguousarray(table.vectors[row], dtype="<f4").tobytes()
        key = b"J" + struct.pack("<i", row)  # BININT
        file.write(key + vector + b"B" + struct.pack("<I", len(data)) + data + b"tbs")
        if row % 256 == 255 or row == len(table) - 1:
            progress(row + 1, len(table))
    file.write(b".")


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode("ascii")  # SHORT_BINUNICODE


# memo 0: _reconstruct (numpy.core is the name that numpy 1 and 2 both know), 1: ndarray, 2: dtype
_PREAMBLE = (
    _short("numpy.core.multiarray") + _short("_reconstruct") + b"\x93q\x000"  # STACK_GLOBAL, BINPUT
    + _short("numpy") + _short("ndarray") + b"\x93q\x010"  # POP
    + _short("numpy") + _short("dtype") + b"\x93" + _short("f4") + b"\x89\x88\x87R"  # TUPLE3 REDUCE
    + b"(K\x03" + _short("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbq\x020"  # BUILD
)  # fmt: skip


def _vector_opcodes(width: int) -> bytes:
    """Call `_reconstruct(ndarray, (0,), b"b")`, and begin the state: all but its bytes."""
    shape = b"J" + struct.pack("<i", width) + b"\x85"  # BININT, TUPLE1
    return b"h\x00h\x01K\x00\x85C\x01b\x87R(K\x01" + shape + b"h\x02\x89"
