"""The headers of .npy arrays, read by numpy, which runs no code in them."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4}  # version of the format → bytes of the length
_MOST_BYTES = 10_000  # numpy reads no longer header either


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """The header of an array: its shape, its type, where its numbers start and their order."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    offset: int

    @property
    def item_bytes(self) -> int:
        """The size of one row, or of one item of an array with one axis."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> ArrayHeader:
    """Read the header of an array; the file is then at its first number.

    Raises:
        OSError: The file cannot be read.
        ValueError: It does not start with the header of an array; numpy itself raises errors of its
            parser of Python.
    """
    try:
        return _read_header(file)
    except OSError:
        raise
    except Exception as error:
        raise ValueError("it does not start with the header of an array") from error


def _read_header(file: IO[bytes]) -> ArrayHeader:
    import numpy as np

    version = np.lib.format.read_magic(file)
    length = int.from_bytes(file.read(_LENGTH_BYTES[version]), "little")
    if length > _MOST_BYTES:
        raise ValueError(f"a header of {length:,} bytes")
    header = io.BytesIO(length.to_bytes(2, "little") + file.read(length))  # as in version 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an odd header may only warn
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(header)
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"shape {shape}")
    return ArrayHeader(shape, dtype, fortran_order, file.tell())
