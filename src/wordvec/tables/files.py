"""Files that are whole or absent, synced to the disk, and failures told in words.

Rows are written by plain `write`, never through a writable map: on a full disk a write fails with
an error that can be told, a mapped page with SIGBUS that ends the process. Space is reserved first,
so that a full disk is known in the first second and not after an hour. Memory stays the same: the
pages belong to the system's cache either way.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ELSEWHERE = "name another folder with --store DIR, or with WORDVEC_HOME"
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
BLOCK_ROWS = 4096


def shown(path: Path) -> str:
    """A path on one line."""
    return escape(str(path))


@contextmanager
def wrap_os_errors(path: Path, *, reading: bool = False) -> Iterator[None]:
    """Turn what the system refuses within into a `StoreError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise failure(error, path, reading=reading) from error


def failure(error: OSError, path: Path, *, reading: bool = False) -> StoreError:
    """What a system error means to whoever reads or writes `path`."""
    if error.errno in _FULL:
        return StoreError(
            f"no room left to write {shown(path)} ({error.strerror})",
            hint=f"make room on that disk, or {ELSEWHERE}",
        )
    doing = "read" if reading else "write"
    if error.errno in _FORBIDDEN:
        return StoreError(
            f"may not {doing} {shown(path)} ({error.strerror})",
            hint=ELSEWHERE if not reading else f"check who may read {shown(path)}",
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StoreError(
            f"cannot {doing} {shown(path)}: a part of that path is a file, not a folder",
            hint=ELSEWHERE,
        )
    return StoreError(f"cannot {doing} {shown(path)} ({error.strerror or error})", hint=ELSEWHERE)


def sync(file: IO[Any]) -> None:
    """Have the disk itself hold what was written to `file`."""
    file.flush()
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # network disks do not know it; fsync alone stops at the drive
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
            return
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk hold the names in `folder`: new, renamed and removed ones."""
    if os.name == "nt":  # folders cannot be opened there; NTFS keeps a journal of names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it that are missing, each of them synced into its parent."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


def remove_folder(folder: Path) -> None:
    """Remove `folder` and what it holds, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Make `path` whatever `write` writes, in one step: written beside it, synced, renamed."""
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


def write_new(path: Path, data: bytes) -> None:
    """Write a synced file into a folder that nobody reads yet."""
    with path.open("wb") as file:
        file.write(data)
        sync(file)


def sha256_of(path: Path) -> str:
    """The checksum of a file: `sha256:…`."""
    import hashlib

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def reserve(file: IO[bytes], size: int) -> None:
    """Take `size` bytes of disk for `file` now, zeros as far as it is not written yet."""
    if hasattr(os, "posix_fallocate"):
        with suppress(_Unsupported), _unsupported():
            os.posix_fallocate(file.fileno(), 0, size)
            return
    file.seek(0, os.SEEK_END)  # macOS, Windows, some network disks: write the zeros
    zeros = bytes(1 << 20)
    while (left := size - file.tell()) > 0:
        write_all(file, memoryview(zeros)[:left])


class _Unsupported(Exception):  # noqa: N818  # a way out, not a failure
    """This disk cannot reserve."""


@contextmanager
def _unsupported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.ENODEV):
            raise _Unsupported from error
        raise


def write_all(file: IO[bytes], data: memoryview) -> None:
    """Write all of `data`: an unbuffered file may take it in parts."""
    while data:
        data = data[file.write(data) :]


def npy_header(shape: tuple[int, ...], dtype: str) -> bytes:
    """The head of a .npy file of C order; what follows are the rows."""
    import io

    import numpy as np

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return head.getvalue()


def write_npy(path: Path, array: NDArray[Any], dtype: str) -> str:
    """Write a synced .npy file block by block, space reserved first; return its checksum."""
    import hashlib

    import numpy as np

    head = npy_header(array.shape, dtype)
    digest = hashlib.sha256(head)
    with path.open("wb", buffering=0) as file:
        reserve(file, len(head) + array.size * np.dtype(dtype).itemsize)
        file.seek(0)
        write_all(file, memoryview(head))
        for start in range(0, len(array), BLOCK_ROWS):
            rows = np.ascontiguousarray(array[start : start + BLOCK_ROWS], dtype=dtype)
            data = rows.data.cast("B")
            digest.update(data)
            write_all(file, data)
        sync(file)
    return f"sha256:{digest.hexdigest()}"


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DamagedTableError(f"{shown(path)} is missing") from error


def open_npy(path: Path, shape: tuple[int, ...], dtype: str, *, mapped: bool) -> NDArray[Any]:
    """Read a .npy file that must be exactly of this shape and type, to its last byte."""
    import mmap

    import numpy as np

    with _opened(path) as file:
        offset = _check_header(file, path, shape, dtype)
        count = int(np.prod(shape, dtype=object))  # Python's integers: they do not wrap
        size = os.fstat(file.fileno()).st_size
        expected = offset + count * np.dtype(dtype).itemsize
        if size != expected:
            raise DamagedTableError(f"{shown(path)}: expected {expected:,} bytes, found {size:,}")
        if not mapped:
            return np.frombuffer(file.read(), dtype=dtype).reshape(shape)
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    array: NDArray[np.generic] = np.frombuffer(buffer, dtype=dtype, offset=offset).reshape(shape)
    return array


def _check_header(file: IO[bytes], path: Path, shape: tuple[int, ...], dtype: str) -> int:
    """Compare a .npy file's head with what it should hold; where its rows begin is returned."""
    import numpy as np

    ours = npy_header(shape, dtype)
    if file.read(len(ours)) == ours:  # numpy's own reader takes ten times as long
        return len(ours)
    file.seek(0)
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        found, fortran, kind = read[version](file)
    except (ValueError, KeyError, RecursionError, MemoryError, EOFError) as error:
        raise DamagedTableError(f"{shown(path)}: this is no .npy file that can be read") from error
    if found != shape or fortran or kind != np.dtype(dtype):
        raise DamagedTableError(
            f"{shown(path)}: expected {shape} {np.dtype(dtype)}, "
            f"found {found} {kind}{' in Fortran order' if fortran else ''}"
        )
    return file.tell()
