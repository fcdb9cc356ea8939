"""A cache beside each table: the neighbour graph, the places of a map.

Each file contains the checksum of the table's vectors, so that data of another table is not used.
What cannot be saved or read is computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.tables.files import wrap_os_errors, write_atomically
from wordvec.tables.paths import folder_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_CHECKSUM = "table-checksum"


@dataclass(frozen=True, slots=True)
class Derived:
    """Arrays computed from one table, saved in `folder` under keys.

    checksum: of the table's vectors; empty for a table that was never saved, which has no cache.
    """

    folder: Path
    checksum: str

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays saved under `key`, or None if there are none of this table."""
        import numpy as np

        try:
            with (
                self._path(key).open("rb") as file,  # numpy leaves damaged files open
                np.load(file, allow_pickle=False) as saved,
            ):
                if not self.checksum or str(saved[_CHECKSUM]) != self.checksum:
                    return None
                return {name: saved[name] for name in saved.files if name != _CHECKSUM}
        except Exception:  # noqa: BLE001  # a damaged archive fails in many ways
            return None

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Save arrays under `key`; return False if the disk or the store does not allow it."""
        import numpy as np

        if any(array.dtype.hasobject for array in arrays.values()):
            raise TypeError(f"{key}: arrays of objects cannot be saved")
        if not self.checksum or not self.folder.parent.is_dir():  # not saved, or removed meanwhile
            return False
        data: dict[str, Any] = {**arrays, _CHECKSUM: np.array(self.checksum)}
        try:
            with wrap_os_errors(self.folder):
                self.folder.mkdir(exist_ok=True)
                write_atomically(self._path(key), lambda file: np.savez(file, **data))
        except StoreError:
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / f"{folder_name(key)}.npz"
