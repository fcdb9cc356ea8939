"""The store: VectorTable ↔ folder, whole or absent, checked each time it is opened."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError, TableNotFoundError, WordvecError
from wordvec.tables.derived import Derived
from wordvec.tables.draft import Draft, Plan, kept, unfinished
from wordvec.tables.files import (
    make_folder,
    open_npy,
    remove_folder,
    sha256_of,
    shown,
    sync_folder,
    wrap_os_errors,
    write_npy,
)
from wordvec.tables.lock import table_lock
from wordvec.tables.manifest import Manifest, checksum_of, read_json
from wordvec.tables.paths import (
    DERIVED,
    MANIFEST,
    NORMS,
    RECORD,
    TOKENS,
    VECTORS,
    Place,
    folder_name,
    nfc,
    places,
)
from wordvec.tables.replace import complete, swap_in
from wordvec.tables.table import Provenance, VectorTable
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wordvec.tables.name import TableName
    from wordvec.vocabulary.lookup import Vocabulary


def default_root() -> Path:
    """The folder of tables: WORDVEC_HOME, or the user's cache folder."""
    if home := os.environ.get("WORDVEC_HOME"):
        return Path(home).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("wordvec", appauthor=False)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One line of `wordvec tables`.

    shape: (V, D); created: ISO 8601; bytes: what it takes on the disk, all told.
    done: rows done of an extraction that has not ended; None for a table.
    problem: why it cannot be opened, or None.
    """

    name: TableName
    shape: tuple[int, int] | None
    bytes: int
    created: str
    done: int | None = None
    problem: str | None = None


class Store:
    """A folder of tables."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (default_root() if root is None else root).absolute()

    def tables(self) -> list[TableInfo]:
        """Every table and every unfinished extraction, by name."""
        with wrap_os_errors(self.root, reading=True):
            found = [_info(name, folder) for name, folder in places(self.root)]
        return sorted(found, key=lambda info: (str(info.name), info.done is not None))

    def __contains__(self, name: TableName) -> bool:
        """Whether there is a table of that name, sound or not."""
        return (self._folder(name) / MANIFEST).exists()

    def open(self, name: TableName) -> VectorTable:
        """The table of that name, its rows memory-mapped; checked against its manifest."""
        for _ in range(5):  # it may be replaced while it is read
            folder = self._found(name)
            before = _identity(folder / MANIFEST)
            try:
                table = self._read(name, folder)
            except (DamagedTableError, OSError) as error:
                if before == _identity(folder / MANIFEST) and folder == self._folder(name):
                    raise self._damaged(name, error) from error
            else:
                if before == _identity(folder / MANIFEST):
                    return table
        raise StoreError(f"{escape(str(name))} is being replaced again and again")

    def provenance(self, name: TableName) -> Provenance:
        """What a table was made from: its manifest alone is read."""
        return self._manifest(name, self._found(name)).provenance

    def settings(self, name: TableName) -> dict[str, object]:
        """What its extraction was run with: batch size, device, threads."""
        return self._manifest(name, self._found(name)).settings

    def save(self, table: VectorTable, *, force: bool = False, wait: float = 0) -> None:
        """Write a table beside its place and rename it in; with `force` in another's place.

        wait: seconds to wait for another process that makes the same table.
        """
        place = self._place(table.name)
        if not table.vectors.size:
            raise StoreError(f"{escape(str(table.name))} has no vectors: {table.vectors.shape}")
        if table.transforms:
            raise StoreError(
                f"{escape(str(table.name))} was changed by {', '.join(table.transforms)}"
            )
        with table_lock(place, wait=wait), wrap_os_errors(place.table):
            self._may_write(place, force=force)
            try:
                make_folder(place.new)
                checksum = write_npy(place.new / VECTORS, table.vectors, "<f4")
                complete(place.new, table, vectors_checksum=checksum, settings={})
                swap_in(place.new, place)
            finally:
                remove_folder(place.new)

    @contextmanager
    def draft(
        self,
        provenance: Provenance,
        vocabulary: Vocabulary,
        dimensions: int,
        settings: Mapping[str, object],
        *,
        force: bool = False,
    ) -> Iterator[Draft]:
        """A table in progress, taken up where an earlier call with the same settings stopped.

        settings: what else the rows depend on (batch size, device, threads), as JSON.
        The table's lock is held within.
        """
        place = self._place(provenance.name)
        if not len(vocabulary) * dimensions:
            raise StoreError(f"({len(vocabulary)}, {dimensions}) is no table")
        with table_lock(place):
            self._may_write(place, force=force)
            plan = Plan(provenance, vocabulary, dimensions, dict(settings))
            with kept(Draft(place, plan, lambda: self.open(place.name))) as draft:
                yield draft

    def draft_record(self, name: TableName) -> dict[str, Any]:
        """Return the record of a table's interrupted extraction, or {} if there is none."""
        try:
            return read_json(self._place(name).draft / RECORD)
        except StoreError:
            return {}

    def remove(self, name: TableName) -> None:
        """Remove a table, and what is left of an extraction of it."""
        place = self._place(name)
        if not place.table.exists() and not place.draft.exists() and not place.old.exists():
            raise self._not_found(name)
        with table_lock(place), wrap_os_errors(place.table):
            remove_folder(place.draft)
            if place.table.exists():
                place.table.rename(place.new)  # in one step, then at leisure
                sync_folder(place.table.parent)
                remove_folder(place.new)
            if not any(place.table.parent.iterdir()):
                place.table.parent.rmdir()

    def verify(self, name: TableName) -> list[str]:
        """What does not agree with the checksums, file by file; an empty list is a sound table."""
        folder = self._found(name)
        try:
            manifest = self._manifest(name, folder)
        except StoreError as error:
            return [error.message]
        problems = []
        data = read_json(folder / MANIFEST)
        if data.get("self") != checksum_of(data):
            problems.append(f"{MANIFEST}: its checksum is another")
        for file in (VECTORS, NORMS, TOKENS):
            problem = _wrong_file(folder / file, manifest)
            problems += [f"{file}: {problem}"] if problem else []
        if not problems:
            try:
                self._read(name, folder)
            except (StoreError, OSError) as error:
                problems.append(str(error))
        return problems

    def derived(self, name: TableName) -> Derived:
        """What later commands keep beside the table; nothing, where the store has no such table."""
        if name not in self:
            return Derived(self._folder(name) / DERIVED, "")
        folder = self._found(name)
        return Derived(folder / DERIVED, self._manifest(name, folder).provenance.checksum)

    def _place(self, name: TableName) -> Place:
        if not name.model:
            raise StoreError("a table needs the name of its model")
        return Place(self.root, name)

    def _folder(self, name: TableName) -> Path:
        """Where the table stands: its place, or aside if a maker was killed replacing it."""
        place = self._place(name)
        if not place.table.exists() and place.old.exists():
            return place.old
        return place.table

    def _found(self, name: TableName) -> Path:
        folder = self._folder(name)
        if not folder.exists():
            raise self._not_found(name)
        return folder

    def _read(self, name: TableName, folder: Path) -> VectorTable:
        from wordvec.vocabulary.lookup import Vocabulary

        manifest = self._manifest(name, folder)
        V, D = manifest.tokens, manifest.dimensions
        with wrap_os_errors(folder, reading=True):
            vectors = open_npy(folder / VECTORS, (V, D), "<f4", mapped=True)
            norms = open_npy(folder / NORMS, (V,), "<f8", mapped=False)
        tokens = read_json(folder / TOKENS)
        try:
            vocabulary = Vocabulary.from_json(tokens)
        except (WordvecError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedTableError(f"{shown(folder / TOKENS)} is no vocabulary") from error
        if len(vocabulary) != V:
            raise DamagedTableError(
                f"{shown(folder / TOKENS)}: expected {V} tokens, found {len(vocabulary)}"
            )
        return VectorTable(vocabulary, vectors, norms, manifest.provenance)

    def _manifest(self, name: TableName, folder: Path) -> Manifest:
        manifest = Manifest.read(folder / MANIFEST)
        found = manifest.provenance.name
        if nfc(found.model) != nfc(name.model) or (found.mode, found.layer) != (
            name.mode,
            name.layer,
        ):
            raise StoreError(
                f"{shown(folder)} holds {escape(str(found))}, not {escape(str(name))}",
                hint="names that differ only in case need two stores where the disk knows no case",
            )
        return manifest

    def _may_write(self, place: Place, *, force: bool) -> None:
        if not place.table.exists():
            return
        if not force:
            raise StoreError(
                f"{escape(str(place.name))} is already there, in {shown(place.table)}",
                hint="--force replaces it",
            )
        try:
            found = Manifest.read(place.table / MANIFEST).provenance.name
        except StoreError:
            return  # damaged: to be replaced
        if nfc(found.model) != nfc(place.name.model):
            self._manifest(place.name, place.table)

    def _not_found(self, name: TableName) -> TableNotFoundError:
        return TableNotFoundError(
            f"there is no table {escape(str(name))} in {shown(self.root)}",
            hint=extract_command(name),
        )

    def _damaged(self, name: TableName, error: Exception) -> StoreError:
        message = error.message if isinstance(error, WordvecError) else str(error)
        return DamagedTableError(
            f"{escape(str(name))} is damaged: {message}", hint=f"{extract_command(name)} --force"
        )


def extract_command(name: TableName) -> str:
    """What to type to make a table."""
    return f"wordvec extract --mode {name.mode} --model {shlex.quote(name.model)}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _wrong_file(path: Path, manifest: Manifest) -> str | None:
    record = manifest.files.get(path.name)
    if record is None:
        return "the manifest does not know it"
    try:
        size = path.stat().st_size
        if size != record.bytes:
            return f"expected {record.bytes:,} bytes, found {size:,}"
        found = sha256_of(path)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == record.sha256 else "its checksum is another"


def _info(name: TableName, folder: Path) -> TableInfo:
    size = _bytes_in(folder)
    try:
        if folder.name.endswith(".draft"):
            made, shape, done = unfinished(folder)
            return TableInfo(made.name, shape, size, _changed(folder / RECORD), done)
        manifest = Manifest.read(folder / MANIFEST)
    except StoreError as error:
        rows = 0 if folder.name.endswith(".draft") else None
        return TableInfo(name, None, size, _changed(folder), rows, error.message)
    made = manifest.provenance
    problem = _short_file(folder, manifest)
    if folder_name(made.model).casefold() != folder.parent.name.casefold():
        problem = f"lies in {shown(folder)}, the folder of another name"
    return TableInfo(
        made.name, (manifest.tokens, manifest.dimensions), size, made.created, None, problem
    )


def _short_file(folder: Path, manifest: Manifest) -> str | None:
    for file, record in manifest.files.items():
        try:
            size = (folder / file).stat().st_size
        except OSError:
            return f"{file} is missing"
        if size != record.bytes:
            return f"{file}: expected {record.bytes:,} bytes, found {size:,}"
    return None


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # it may go while we look
            total += file.stat().st_size if file.is_file() else 0
    return total


def _changed(path: Path) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
