"""numpy's .npy format: the (V, D) array of a table alone, without its tokens."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.progress import Progress, no_progress
from wordvec.tables.files import BLOCK_ROWS, npy_header

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


def write_npy(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the vectors as little-endian float32 in C order, block by block."""
    import numpy as np

    V = len(table)
    file.write(npy_header(table.vectors.shape, "<f4"))
    for start in range(0, V, BLOCK_ROWS):
        rows = np.ascontiguousarray(table.vectors[start : start + BLOCK_ROWS], dtype="<f4")
        file.write(rows.data.cast("B"))
        progress(start + len(rows), V)
