"""A lock per table, so that one process at a time writes it.

The operating system frees it when its process dies.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, TableBusyError
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.tables.replace import recover_interrupted_write
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.tables.paths import TablePaths


@contextmanager
def table_lock(paths: TablePaths, *, wait: float = 0) -> Iterator[None]:
    """Lock a table for writing, and clean up after a process that was killed while it wrote.

    Args:
        paths: The table to lock.
        wait: Seconds to wait for another process.

    Raises:
        TableBusyError: Another process still has the lock after that time.
    """
    from filelock import FileLock, Timeout  # 20 ms that readers need not spend

    with wrap_os_errors(paths.lock):
        paths.lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(paths.lock).acquire(timeout=wait, poll_interval=0.05)
        except Timeout as error:
            resumes = ": an extraction resumes where it stopped" if paths.draft.exists() else ""
            raise TableBusyError(
                f"another process is writing {escape(str(paths.name))}",
                hint=f"wait until it ends, or stop it{resumes}",
            ) from error
        except NotImplementedError as error:
            raise StoreError(
                f"the disk of {display_path(paths.lock)} does not support file locks"
            ) from error
    with lock:
        with wrap_os_errors(paths.table):
            recover_interrupted_write(paths)
        yield
