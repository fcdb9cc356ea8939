"""A cache beside each table: the neighbour graph, the places of a map.

Each file has a checksum of its arrays, its key and the table, so that data that was changed, or is
that of another table, is not used. What cannot be saved or read is computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.foreign.files import open_file
from wordvec.tables.files import wrap_os_errors, write_atomically
from wordvec.tables.paths import folder_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True)
class Derived:
    """Arrays computed from one table, saved in `folder` under keys.

    table: what identifies the table in memory; empty for one that was never saved and has no cache.
    """

    folder: Path
    table: str

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays saved under `key`, or None if there are none, or not as saved."""
        import numpy as np

        if self.folder.is_symlink():  # it is not our folder
            return None
        try:
            with (
                open_file(self._path(key)) as file,  # numpy leaves damaged files open
                np.load(file, allow_pickle=False) as saved,
            ):
                arrays = {name: saved[name] for name in saved.files if name != _CHECKSUM}
                return arrays if str(saved[_CHECKSUM]) == self._checksum(key, arrays) else None
        except Exception:  # noqa: BLE001  # a damaged archive fails in many ways
            return None

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Save arrays under `key`; return False if the disk or the store does not allow it."""
        import numpy as np

        if any(array.dtype.hasobject for array in arrays.values()):
            raise TypeError(f"{key}: arrays of objects cannot be saved")
        if not self.table or not self.folder.parent.is_dir():  # not saved, or removed meanwhile
            return False
        if self.folder.is_symlink():
            return False
        data: dict[str, Any] = {**arrays, _CHECKSUM: np.array(self._checksum(key, arrays))}
        try:
            with wrap_os_errors(self.folder):
                self.folder.mkdir(exist_ok=True)
                write_atomically(self._path(key), lambda file: np.savez(file, **data))
        except StoreError:
            return False
        return True

    def _checksum(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        import hashlib

        import numpy as np

        kinds = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
        checksum = hashlib.sha256(repr((self.table, key, sorted(kinds.items()))).encode())
        for name in sorted(arrays):
            checksum.update(np.ascontiguousarray(arrays[name]).data)
        return checksum.hexdigest()

    def _path(self, key: str) -> Path:
        return self.folder / f"{folder_name(key)}.npz"
