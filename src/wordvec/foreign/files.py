"""Opening files that other programs wrote, of a bounded size.

`open_file` and `read_file` are for the files in a folder of a model or a table: regular files only,
since a pipe would be waited for, a device has no end, and a link may lead nowhere. `open_input` is
for a file that the user names, which may be a pipe (`<(…)`) or a device (`/dev/stdin`). What is
wrong is an OSError; the caller adds the name of the file.
"""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader

MOST_TEXT = 256 << 20
"""Bytes of a vocabulary; the largest that we know have 34 MB."""

WRITER_SECONDS = 5.0
"""How long a named pipe is waited for that no program writes to."""

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


def open_file(path: Path) -> BufferedReader:
    """Open a regular file.

    Raises:
        OSError: It is something else, or cannot be opened.
    """
    check_file(path)
    return path.open("rb")


def open_input(path: Path) -> BufferedReader:
    """Open a file that the user named: a regular file, a pipe or a device.

    A named pipe can be opened once a program writes to it.

    Raises:
        OSError: It is something else or cannot be opened, or no program writes to the pipe.
    """
    if not path.is_fifo():
        return path.open("rb")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(path.open, "rb")
        try:
            return opening.result(WRITER_SECONDS)
        except TimeoutError:
            raise OSError(errno.EINVAL, "no program writes to this pipe", str(path)) from None
        finally:
            if not opening.done():  # a writer ends the wait of the thread
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                opening.result().close()


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
