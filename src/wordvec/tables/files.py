"""Files of a store: atomic writes, `.npy` arrays, and the operating system's errors as messages.

Rows are written with plain `write` calls, never through a writable memory map: on a full disk a
write raises an error, while a mapped page ends the process with SIGBUS.
"""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError
from wordvec.foreign.files import check_file
from wordvec.foreign.npy_header import read_header
from wordvec.progress import Progress, no_progress
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

OTHER_TEMPORARY = "set TMPDIR to a folder with more space"
OTHER_STORE = 'use another folder: store="DIR", or set WORDVEC_HOME'
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCK_ROWS = 4096
_COPIED = 1 << 20  # bytes at once
_BESIDE = re.compile(r"\.wordvec-[0-9a-f]{12}\.new")  # the new file of `write_atomically`


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


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, although another process may remove an empty parent."""
    for _ in range(10):
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True)
            return
    folder.mkdir(parents=True)


def folder_size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; removed ones have none."""
    files = [path]
    for folder, _, names in os.walk(path):
        files += [Path(folder, name) for name in names]
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def remove_folder(folder: Path) -> None:
    """Remove `folder` and its contents, if it exists."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write `path` in one step: call `write` with a new file beside it, sync, then rename.

    The new file is locked until it is renamed. Those beside it that are not locked belong to
    processes that were killed, and are removed.
    """
    for leftover in abandoned_files(path.parent):
        leftover.unlink(missing_ok=True)  # it may just have been renamed
    beside, file = _new_file(path.parent)
    try:
        with file:
            write(file)
            sync(file)
            if os.name != "nt":  # there, an open file cannot be renamed
                beside.replace(path)
        if os.name == "nt":
            beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_folder(path.parent)


def write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file that the user named, in one step; of a symbolic link, the target.

    Raises:
        StoreError: It cannot be written, or is not a file; what was there is as it was before.
    """
    with wrap_os_errors(path, hint=None):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():  # such as /dev/null
            raise StoreError(f"{display_path(path)} is not a file")
        write_atomically(target, write)


@contextmanager
def temporary_copy(source: IO[bytes], name: str) -> Iterator[Path]:
    """Copy a stream to a temporary file that is there as long as the block runs.

    It is locked, so that those of processes that were killed are removed, as in
    `write_atomically`.

    Args:
        source: What to copy, up to half of the free space.
        name: What it is called in messages.

    Raises:
        StoreError: The stream has more than that, or the file cannot be written.
    """
    import tempfile

    folder = Path(tempfile.gettempdir())
    for leftover in abandoned_files(folder):
        leftover.unlink(missing_ok=True)
    with wrap_os_errors(folder, hint=OTHER_TEMPORARY):
        path, file = _new_file(folder, 0o600)
    with file:
        try:
            with wrap_os_errors(path, hint=OTHER_TEMPORARY):
                left = shutil.disk_usage(folder).free // 2
                # read1 returns after each part that arrives, so that a signal is noticed
                while part := source.read1(_COPIED):  # type: ignore[attr-defined]  # buffered
                    left -= len(part)
                    if left < 0:
                        raise StoreError(
                            f"{name} takes more than half of the free space in "
                            f"{display_path(folder)}",
                            hint=OTHER_TEMPORARY,
                        )
                    file.write(part)
                file.flush()
            yield path
        finally:
            if os.name == "nt":  # there, an open file cannot be removed
                file.close()
            path.unlink(missing_ok=True)


def abandoned_files(folder: Path) -> Iterator[Path]:
    """Yield the files of `write_atomically` whose process was killed; each is locked meanwhile.

    There are none where files cannot be locked: on Windows and on some network disks.
    """
    with suppress(OSError):
        entries = [entry for entry in folder.iterdir() if _BESIDE.fullmatch(entry.name)]
        for entry in entries:
            with suppress(OSError), entry.open("r+b") as file:  # OSError: it is in use
                if _lock(file, wait=False):
                    yield entry


def _new_file(folder: Path, permissions: int = 0o666) -> tuple[Path, IO[bytes]]:
    def create(path: str, flags: int) -> int:
        return os.open(path, flags, permissions)

    while True:
        path = folder / f".wordvec-{os.urandom(6).hex()}.new"
        file = open(path, "xb", opener=create)  # noqa: SIM115  # Path has no opener
        _lock(file, wait=True)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()  # removed before it was locked


def _lock(file: IO[bytes], *, wait: bool) -> bool:
    """Lock a file until it is closed or the process dies; return whether that was possible."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True


def sha256_of(path: Path) -> str:
    """Return the checksum of a file: `sha256:…`."""
    import hashlib

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def sum_of_rows(rows: NDArray[np.float32]) -> str:
    """Return a checksum of (V, D) rows that costs no more than reading them: 16 hexadecimal digits.

    It is the sum of their bytes as 64-bit integers, little-endian, the last one padded with zeros,
    modulo 2⁶⁴. Any single changed bit changes it.
    """
    import numpy as np

    numbers = np.ascontiguousarray(rows, dtype="<f4").reshape(-1).view("<u4")
    even = len(numbers) // 2 * 2
    total = int(np.add.reduce(numbers[:even].view("<u8"))) + sum(numbers[even:].tolist())
    return f"{total % 2**64:016x}"


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
        size = check_file(path)
        with path.open("rb") as file:
            header = read_header(file)
    except FileNotFoundError as error:
        raise DamagedTableError(f"{display_path(path)} is missing") from error
    except ValueError as error:
        raise DamagedTableError(f"{display_path(path)} is not a readable .npy file") from error
    expected, found = f"{shape} {np.dtype(dtype)}", f"{header.shape} {header.dtype}"
    if header.fortran_order and len(shape) > 1:
        found += " in Fortran order"
    surplus = size - header.offset - math.prod(header.shape) * header.dtype.itemsize
    if found == expected and surplus:
        found += f" and {surplus} more bytes" if surplus > 0 else f" without {-surplus} bytes"
    if found != expected:
        raise DamagedTableError(f"{display_path(path)}: expected {expected}, found {found}")
    return np.asarray(np.memmap(path, dtype, "r", header.offset, shape))
