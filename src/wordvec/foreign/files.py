"""Opening files that other programs wrote: regular files only, of a bounded size.

A pipe would be waited for, a device has no end, a link may lead nowhere. Each is an OSError that
says what is there; the caller adds the name of the file.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path

MOST_TEXT = 256 << 20
"""Bytes of a vocabulary; the largest that we know have 34 MB."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def has_file(path: Path) -> bool:
    """Return whether a file is there, which is not opened.

    Raises:
        OSError: Something else is there: a folder, a pipe, a device, a link to nothing.
    """
    try:
        check_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def check_file(path: Path) -> int:
    """Check that `path` is a regular file or a link to one, and return its size in bytes.

    Raises:
        OSError: It is not.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            target = path.readlink()
            raise _refusal(path, f"a link to {target}, which does not exist") from None
        raise
    except ValueError:  # a NUL, a surrogate
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    if not stat.S_ISREG(status.st_mode):
        kind = next((kind for is_kind, kind in _KINDS if is_kind(status.st_mode)), "something else")
        raise _refusal(path, kind)
    return status.st_size


def read_file(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes.

    Raises:
        OSError: It is larger, is not a regular file, or cannot be read.
    """
    size = check_file(path)
    if size > most:
        raise OSError(
            errno.EINVAL, f"it has {size:,} bytes, more than the {most:,} that are read", str(path)
        )
    return path.read_bytes()


def _refusal(path: Path, kind: str) -> OSError:
    return OSError(errno.EINVAL, f"not a file, but {kind}", str(path))
