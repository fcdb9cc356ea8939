"""Files of a training run, written atomically."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write beside `path`, then rename: the block gets the temporary path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def parts_of(folder: Path, suffix: str) -> list[Path]:
    """Return the parts in a folder, in order; an empty folder is an error with the next step."""
    found = sorted(path for path in folder.glob(f"*{suffix}") if not path.name.startswith("."))
    if not found:
        raise SystemExit(f"no *{suffix} in {folder}: run the step before this one (see README.md)")
    return found
