"""A table that is written row by row when the number of its rows is not known before.

The rows go to `vectors.npy` in the folder `.new` beside the table's place. It becomes the table
when it is finished; if the process dies before, the next writer of the table removes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.tables.files import make_folder, map_npy, npy_header, sync, wrap_os_errors, write_all
from wordvec.tables.paths import VECTORS
from wordvec.tables.replace import complete_table, swap_in
from wordvec.tables.table import VectorTable

if TYPE_CHECKING:
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.paths import TablePaths
    from wordvec.tables.table import Provenance
    from wordvec.vocabulary.lookup import Vocabulary

_MOST_ROWS = 2**40  # numpy leaves room in the header for any number up to it


class NewTable:
    """A table that is being written; this process has its lock. `rows` is how many it has."""

    def __init__(self, paths: TablePaths) -> None:
        self.rows = 0
        self.dimensions: int | None = None
        self._paths = paths
        self._file: IO[bytes] | None = None

    def append(self, block: NDArray[np.float32]) -> None:
        """Write the next rows: (B, D) float32, with the same D each time."""
        import numpy as np

        if not len(block):
            return
        with wrap_os_errors(self._paths.new):
            if self._file is None:
                self._start(block.shape[1])
            if block.ndim != 2 or block.shape[1] != self.dimensions:
                raise StoreError(f"expected rows of {self.dimensions} numbers, got {block.shape}")
            write_all(self._open(), np.ascontiguousarray(block, dtype="<f4").data.cast("B"))
        self.rows += len(block)

    def finish(
        self, vocabulary: Vocabulary, provenance: Provenance, settings: dict[str, object]
    ) -> None:
        """Put the table in its place, instead of an earlier one."""
        with wrap_os_errors(self._paths.table):
            self._write_header()
            shape = (self.rows, self.dimensions or 0)
            rows = map_npy(self._paths.new / VECTORS, shape, "<f4")
            table = VectorTable.from_vectors(vocabulary, rows, provenance)
            complete_table(self._paths.new, table, settings)
            del table, rows  # no map is open when the folder is renamed
            swap_in(self._paths.new, self._paths)

    def close(self) -> None:
        """Close the file of the rows."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise StoreError("expected vectors, got none")
        return self._file

    def _start(self, dimensions: int) -> None:
        self.dimensions = dimensions
        make_folder(self._paths.new)
        self._file = (self._paths.new / VECTORS).open("wb", buffering=0)
        write_all(self._file, memoryview(npy_header((_MOST_ROWS, dimensions), "<f4")))

    def _write_header(self) -> None:
        file = self._open()
        file.seek(0)
        write_all(file, memoryview(npy_header((self.rows, self.dimensions or 0), "<f4")))
        sync(file)
        file.close()
