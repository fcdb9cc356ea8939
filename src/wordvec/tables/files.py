"""Files of a store: atomic writes, `.npy` arrays, and the operating system's errors as messages.

Rows are written with plain `write` calls, never through a writable memory map: on a full disk a
write raises an error, while a mapped page ends the process with SIGBUS.
"""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError
from wordvec.progress import Progress, no_progress
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

OTHER_STORE = 'use another folder: store="DIR", or set WORDVEC_HOME'
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCK_ROWS = 4096


def display_path(path: Path) -> str:
    """Return a path as one printable line."""
    return escape(str(path))


@contextmanager
def wrap_os_errors(
    path: Path, *, reading: bool = False, hint: str | None = OTHER_STORE
) -> Iterator[None]:
    """Raise each `OSError` of the block as a `StoreError` that names `path`.

    hint: What to do about it; None for a file that the user named, which is in no store.
    """
    try:
        yield
    except OSError as error:
        action = "read" if reading else "write"
        raise _store_error(error, display_path(path), action, hint) from error


def _store_error(error: OSError, path: str, action: str, hint: str | None) -> StoreError:
    if error.errno in _DISK_FULL:
        message = f"no space left to write {path} ({error.strerror})"
        return StoreError(message, hint=", or ".join(filter(None, ("free some space", hint))))
    if error.errno in _DENIED:
        permissions = "check its permissions"
        denied_hint = permissions if action == "read" or hint is None else hint
        return StoreError(f"permission denied: {path}", hint=denied_hint)
    reason = f"({error.strerror or error})"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        reason = "because part of this path is a file, not a folder"
    return StoreError(f"cannot {action} {path} {reason}", hint=hint)


def sync(file: IO[bytes]) -> None:
    """Wait until the disk has what was written to `file`."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`: new, renamed and removed ones."""
    if os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks
            raise
    finally:
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove `folder` and its contents, if it exists."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write `path` in one step: call `write` with a new file beside it, sync, then rename."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            write(file)
            sync(file)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_folder(path.parent)


def sha256_of(path: Path) -> str:
    """Return the checksum of a file: `sha256:…`."""
    import hashlib

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def reserve(file: IO[bytes], size: int) -> None:
    """Allocate `size` bytes for an empty file, so that a full disk is reported now."""
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except (AttributeError, OSError):  # absent on macOS and Windows, refused by some disks
        zeros = memoryview(bytes(1 << 20))
        for start in range(0, size, len(zeros)):
            write_all(file, zeros[: size - start])


def write_all(file: IO[bytes], data: memoryview) -> None:
    """Write all of `data` to an unbuffered file, which may take it in parts."""
    while data:
        data = data[file.write(data) :]


def npy_header(shape: tuple[int, ...], dtype: str) -> bytes:
    """Return the header of a .npy file in C order; the rows follow it."""
    import io

    import numpy as np

    header = io.BytesIO()
    fields = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue()


def write_npy(
    file: IO[bytes], array: NDArray[Any], dtype: str, progress: Progress = no_progress
) -> None:
    """Write an array in .npy format, block by block, whatever its memory layout is."""
    import numpy as np

    file.write(npy_header(array.shape, dtype))
    for start in range(0, len(array), _BLOCK_ROWS):
        rows = np.ascontiguousarray(array[start : start + _BLOCK_ROWS], dtype=dtype)
        file.write(rows.data.cast("B"))
        progress(start + len(rows), len(array))


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a .npz file in one step."""
    import numpy as np

    plain: dict[str, Any] = {**arrays}
    write_atomically(path, lambda file: np.savez(file, **plain))


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of a .npz file; one that is damaged raises an error of numpy or zipfile."""
    import numpy as np

    with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
        return {name: saved[name] for name in saved.files}


def map_npy(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Memory-map a .npy file for reading.

    Raises:
        DamagedTableError: It is missing, unreadable, or not of this shape and dtype in C order.
    """
    import numpy as np

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an odd header may only warn
            array = np.lib.format.open_memmap(path, mode="r")
        surplus = path.stat().st_size - array.offset - array.nbytes
    except FileNotFoundError as error:
        raise DamagedTableError(f"{display_path(path)} is missing") from error
    except OSError:
        raise
    except Exception as error:  # a damaged header fails in many ways inside numpy
        raise DamagedTableError(f"{display_path(path)} is not a readable .npy file") from error
    expected, found = f"{shape} {np.dtype(dtype)}", f"{array.shape} {array.dtype}"
    if not array.flags.c_contiguous:
        found += " in Fortran order"
    if surplus:
        found += f" and {surplus} more bytes"
    if found != expected:
        raise DamagedTableError(f"{display_path(path)}: expected {expected}, found {found}")
    return np.asarray(array)
