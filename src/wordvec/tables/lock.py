"""A lock per table, so that one process at a time writes it.

The operating system frees it when its process dies.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, TableBusyError
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.tables.replace import leftover_files, leftover_folders, recover_interrupted_write
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from wordvec.tables.paths import TablePaths

_LISTING = 0.2  # seconds; a process that lists leftovers has the lock for a moment


@contextmanager
def table_lock(paths: TablePaths, *, wait: float = 0) -> Iterator[None]:
    """Lock a table for writing, and clean up after a process that was killed while it wrote.

    Args:
        paths: The table to lock.
        wait: Seconds to wait for another process.

    Raises:
        TableBusyError: Another process still has the lock after that time.
    """
    with _acquire(paths, max(wait, _LISTING)):
        with wrap_os_errors(paths.table):
            recover_interrupted_write(paths)
        yield


def find_leftovers(paths: TablePaths) -> list[Path]:
    """Return the files and folders that the next writer of a table will remove."""
    found = list(leftover_files(paths))
    if leftover_folders(paths):
        with suppress(StoreError), _acquire(paths, 0):  # else a writer is at work in them
            found += leftover_folders(paths)
    return found


def _acquire(paths: TablePaths, wait: float) -> AbstractContextManager[object]:
    from filelock import FileLock, Timeout  # 20 ms that readers need not spend

    with wrap_os_errors(paths.lock):
        paths.lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(paths.lock).acquire(timeout=wait, poll_interval=0.05)
        except Timeout as error:
            raise TableBusyError(
                f"another process is writing {escape(str(paths.name))}",
                hint="wait until it ends, or stop it: an extraction resumes where it stopped",
            ) from error
        except NotImplementedError as error:
            raise StoreError(
                f"the disk of {display_path(paths.lock)} does not support file locks"
            ) from error
