"""The list of a store's tables and unfinished extractions, for `wordvec tables`."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, TableBusyError
from wordvec.tables.draft import read_progress
from wordvec.tables.files import display_path, folder_size, wrap_os_errors
from wordvec.tables.lock import find_leftovers, table_lock
from wordvec.tables.manifest import Manifest
from wordvec.tables.paths import MANIFEST, folder_name, list_folders, list_paths
from wordvec.tables.reading import find_wrong_size

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.name import TableName
    from wordvec.tables.paths import TablePaths


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One line of `wordvec tables`.

    shape: (V, D), or None if unknown. bytes: the total size on the disk.
    created: ISO 8601. done: the rows done of an unfinished extraction; None for a table.
    problem: why the table cannot be opened, or None. source: "extract" or "import".
    layers: the number of the model's last layer, if the manifest says it.
    """

    name: TableName
    shape: tuple[int, int] | None
    bytes: int
    created: str
    done: int | None = None
    problem: str | None = None
    source: str = "extract"
    layers: int | None = None


def list_tables(root: Path) -> list[TableInfo]:
    """List every table and every unfinished extraction in a store, by name."""
    infos = []
    with wrap_os_errors(root, reading=True):
        for name, folder in list_folders(root):
            with suppress(FileNotFoundError):  # another process removed it
                infos.append(_describe(name, folder))
    return sorted(infos, key=_order)


def _order(info: TableInfo) -> tuple[object, ...]:
    """Sort by the parts of the name; the last layer comes after the others."""
    name = info.name
    layer = sys.maxsize if name.layer is None else name.layer
    return (name.model, name.mode, name.variant or "", layer, info.done is not None)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder that a killed process left in a store, and its size in bytes."""

    path: Path
    bytes: int


def list_leftovers(root: Path) -> list[Leftover]:
    """List what killed processes left in a store; nothing that a process is writing now."""
    with wrap_os_errors(root, reading=True):
        return [one for paths in list_paths(root) for one in _leftovers_of(paths)]


def remove_leftovers(root: Path) -> list[Leftover]:
    """Remove what killed processes left in a store, as the next writers would, and return it."""
    removed: list[Leftover] = []
    for paths in list_paths(root):
        if found := _leftovers_of(paths):
            with suppress(TableBusyError), table_lock(paths):  # which removes them
                removed += found
                with suppress(OSError):  # other tables of this model
                    paths.table.parent.rmdir()
    return removed


def _leftovers_of(paths: TablePaths) -> list[Leftover]:
    return [Leftover(path, folder_size(path)) for path in find_leftovers(paths)]


def _describe(name: TableName, folder: Path) -> TableInfo:
    is_draft = folder.name.endswith(".draft")
    size, changed = folder_size(folder), _modification_time(folder)
    try:
        if is_draft:
            provenance, shape, done = read_progress(folder)
            layers = provenance.layers
            return TableInfo(provenance.name, shape, size, changed, done, layers=layers)
        manifest = Manifest.read(folder / MANIFEST)
        problem = find_wrong_size(folder, manifest)
    except StoreError as error:
        folder.stat()  # raises if it was removed while it was read
        return TableInfo(name, None, size, changed, 0 if is_draft else None, error.message)
    made = manifest.provenance
    if folder_name(made.model).casefold() != folder.parent.name.casefold():
        problem = f"{display_path(folder)} is the folder of another model"
    shape = (manifest.tokens, manifest.dimensions)
    return TableInfo(made.name, shape, size, made.created, None, problem, made.source, made.layers)


def _modification_time(path: Path) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
