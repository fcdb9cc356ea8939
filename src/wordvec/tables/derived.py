"""What later commands keep beside a table: a graph of neighbours, a map's places.

It is a cache: tied to the table's checksum, so that what belonged to another table is not taken for
this one's; and where it cannot be kept or read it is worked out again.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.tables.files import make_folder, wrap_os_errors, write_whole
from wordvec.tables.paths import folder_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_TIE = "table-checksum"


class Derived:
    """Named sets of arrays beside one table."""

    def __init__(self, folder: Path, checksum: str) -> None:
        self.folder = folder
        self.checksum = checksum

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays kept under `key`, or None: never kept, of another table, or damaged."""
        import numpy as np

        try:
            with (  # numpy leaves a file open that it opened and cannot read
                self._path(key).open("rb") as file,
                np.load(file, allow_pickle=False) as kept,
            ):
                if str(kept[_TIE]) != self.checksum:
                    return None
                return {name: kept[name] for name in kept.files if name != _TIE}
        except (
            OSError, ValueError, KeyError, EOFError, MemoryError, TypeError, AttributeError,
            NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
        ):  # fmt: skip  # all that a damaged archive was seen to raise
            return None

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Keep arrays under `key`; False where the disk is full or may not be written."""
        import numpy as np

        path = self._path(key)
        kept: dict[str, Any] = {**arrays, _TIE: np.array(self.checksum)}
        if any(np.asarray(array).dtype.hasobject for array in arrays.values()):
            raise TypeError(f"{key}: arrays of objects are not kept")
        try:
            with wrap_os_errors(path):
                if not self.folder.parent.is_dir():  # the table was removed meanwhile
                    return False
                make_folder(self.folder)
                write_whole(path, lambda file: np.savez(file, **kept))
        except StoreError:
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / f"{folder_name(key)}.npz"
