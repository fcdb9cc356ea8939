"""numpy's .npy format: the (V, D) array of a table alone, without its tokens."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.progress import Progress, no_progress
from wordvec.tables import files

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


def write_npy(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the vectors as little-endian float32 in C order, block by block."""
    files.write_npy(file, table.vectors, "<f4", progress)
