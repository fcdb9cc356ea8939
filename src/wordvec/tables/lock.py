"""One maker a table: a lock that the system frees when its process dies, and who holds it."""

from __future__ import annotations

import json
import os
import platform
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, TableBusyError
from wordvec.tables.files import failure, make_folder, remove_folder, shown, wrap_os_errors
from wordvec.tables.paths import MANIFEST, RECORD, Place
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def table_lock(place: Place, *, wait: float = 0) -> Iterator[None]:
    """Be the one maker of a table, or say who is; what a killed maker left is put right first.

    wait: seconds to wait for another maker to end.
    """
    from filelock import FileLock, Timeout  # 20 ms, for those alone who write

    with wrap_os_errors(place.root):
        make_folder(place.lock.parent)
    lock = FileLock(place.lock)
    try:
        lock.acquire(timeout=wait, poll_interval=0.05)
    except Timeout as error:
        raise _busy(place) from error
    except NotImplementedError as error:  # filelock's word for a disk without locks
        raise StoreError(f"the disk of {shown(place.lock)} knows no locks") from error
    except OSError as error:
        raise failure(error, place.lock) from error
    try:
        with suppress(OSError):  # on a full disk a table can still be removed
            place.holder.write_text(json.dumps(_me()), encoding="utf-8")
        with wrap_os_errors(place.table):
            recover_interrupted_write(place)
        yield
    finally:
        with suppress(OSError):
            place.holder.unlink()
        lock.release()


def recover_interrupted_write(place: Place) -> None:
    """Undo what a maker left half done when it was killed: only its lock's holder may."""
    remove_folder(place.new)
    if place.old.exists():
        if place.table.exists():
            remove_folder(place.old)
        else:
            place.old.rename(place.table)
    if place.draft.exists() and not (place.draft / RECORD).exists():
        remove_folder(place.draft)
    if (place.table / MANIFEST).exists():
        with suppress(FileNotFoundError):
            (place.table / RECORD).unlink()


def _me() -> dict[str, object]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": platform.node(), "since": since}


def _busy(place: Place) -> TableBusyError:
    try:
        data = json.loads(place.holder.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(data["since"]).astimezone().strftime("%H:%M")
        who = f"process {int(data['pid'])} on {escape(str(data['host']))}, since {since}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        who = "another process"
    return TableBusyError(
        f"{escape(str(place.name))} is being made by {who}",
        hint="wait until it has ended, or stop it: an extraction goes on where it stopped",
    )
