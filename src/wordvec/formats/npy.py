"""numpy's .npy format: the (V, D) array of a table alone, without its tokens.

The tokens are read from a text file with one token per line: `options.tokens`, else the file
beside it that `export` writes (`vectors.npy.tokens.txt`).
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Literal

from wordvec.errors import StoreError
from wordvec.foreign.npy_header import ArrayHeader, read_header
from wordvec.formats.matrix import (
    check_dtype,
    check_shape,
    check_size,
    check_tokens,
    file_size,
    limited,
    read_blocks,
    refuse_damage,
)
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.token_lines import find_token_list, missing_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables import files
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Block
    from wordvec.tables.table import VectorTable

_KIND = "an .npy array"


def read_npy(path: Path, options: ReadOptions) -> Reading:
    """Read the vectors of an .npy file, and its tokens from a text file.

    Raises:
        StoreError: There are no tokens, their number is not that of the vectors, or the array has
            objects, another shape, or another size than its header says.
    """
    header = read_matrix_header(path)
    tokens = find_token_list(path, options)
    if tokens is None:
        raise missing_tokens(path)
    V, _ = header.shape
    check_tokens(path, len(tokens), V)
    total = limited(V, options.limit)
    notes: list[str] = []
    return Reading(read_array(path, header, tokens[:total], notes), total, notes)


def read_matrix_header(path: Path) -> ArrayHeader:
    """Read the header of an .npy file with a matrix of numbers, checked against its size."""
    size = file_size(path)
    with refuse_damage(path, _KIND), path.open("rb") as file:
        header = read_header(file)
        check_dtype(path, header.dtype)
        check_shape(path, header.shape)
        check_size(path, header.shape, header.dtype.itemsize, size - header.offset)
    return header


def read_array(
    path: Path, header: ArrayHeader, tokens: list[str], notes: list[str]
) -> Iterator[Block]:
    """Yield the first rows of an .npy file with their tokens."""
    D = header.shape[1]
    with refuse_damage(path, _KIND):
        if header.fortran_order:
            matrix = map_matrix(path, header)
            yield from read_blocks(path, tokens, D, lambda start, stop: matrix[start:stop], notes)
            return
        with path.open("rb") as file:
            file.seek(header.offset)
            yield from read_blocks(path, tokens, D, RowReader(path, file, header), notes)


def map_matrix(path: Path, header: ArrayHeader) -> NDArray[Any]:
    """Memory-map a matrix, for rows that do not follow one another in the file."""
    import numpy as np

    order: Literal["F", "C"] = "F" if header.fortran_order else "C"
    return np.memmap(
        path, header.dtype, mode="r", offset=header.offset, shape=header.shape, order=order
    )


class RowReader:
    """Reads the rows of an array in C order, one block after the other, from any binary file."""

    def __init__(self, path: Path, file: IO[bytes], header: ArrayHeader) -> None:
        self.path = path
        self.file = file
        self.header = header

    def __call__(self, start: int, stop: int) -> NDArray[Any]:
        """Return the next rows, `start` to `stop`."""
        import numpy as np

        shape = (stop - start, *self.header.shape[1:])
        data = self.file.read(shape[0] * self.header.item_bytes)
        if len(data) != shape[0] * self.header.item_bytes:
            raise StoreError(f"{display_path(self.path)} ends before row {stop}")
        return np.frombuffer(data, self.header.dtype).reshape(shape)


def write_npy(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the vectors as little-endian float32 in C order, block by block."""
    files.write_npy(file, table.vectors, "<f4", progress)
