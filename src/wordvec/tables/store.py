"""The store: a folder of tables. A table on disk is complete or absent."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError, TableNotFoundError, UsageError, check_type
from wordvec.models.bundled import BUNDLED
from wordvec.tables.derived import Derived
from wordvec.tables.draft import Draft, Plan
from wordvec.tables.files import (
    display_path,
    make_folder,
    remove_folder,
    sync_folder,
    wrap_os_errors,
    write_atomically,
    write_npy,
)
from wordvec.tables.listing import list_leftovers, list_tables, remove_leftovers
from wordvec.tables.lock import table_lock
from wordvec.tables.manifest import Manifest, read_json
from wordvec.tables.name import Mode, TableName
from wordvec.tables.new_table import NewTable
from wordvec.tables.paths import (
    DERIVED,
    DRAFT,
    MANIFEST,
    RECORD,
    VECTORS,
    TablePaths,
    expand_home,
    list_folders,
    user_folder,
)
from wordvec.tables.reading import check_name, find_problems, read_table
from wordvec.tables.replace import complete_table, swap_in
from wordvec.tables.table import VectorTable
from wordvec.text import escape, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wordvec.tables.listing import Leftover, TableInfo
    from wordvec.tables.name import TableRef
    from wordvec.tables.table import Provenance
    from wordvec.vocabulary.lookup import Vocabulary


def default_root() -> Path:
    """Return the folder of tables: WORDVEC_HOME, or the user's cache folder.

    Raises:
        StoreError: if it is in a home folder that does not exist.
    """
    if home := os.environ.get("WORDVEC_HOME"):
        return expand_home(home)
    from platformdirs import user_cache_dir

    return user_folder(user_cache_dir)


class Store:
    """A folder of tables.

    root: The folder; it is created when the first table is saved. Default: `default_root()`.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = (default_root() if root is None else Path(root)).absolute()

    def names(self, model: str | None = None) -> list[TableName]:
        """Return the names of the saved tables, or of those of one model."""
        with wrap_os_errors(self.root, reading=True):
            found = list_folders(self.root, model)
        return [name for name, folder in found if not folder.name.endswith(DRAFT)]

    def tables(self) -> list[TableInfo]:
        """List every table and every unfinished extraction, by name."""
        return list_tables(self.root)

    def leftovers(self) -> list[Leftover]:
        """List what processes that were killed left in the store."""
        return list_leftovers(self.root)

    def clean(self) -> list[Leftover]:
        """Remove what processes that were killed left in the store, and return it."""
        return remove_leftovers(self.root)

    def __contains__(self, name: TableName) -> bool:
        """Return whether there is a table of that name, damaged or not."""
        return (self.paths(name).current / MANIFEST).exists()

    def paths(self, name: TableName) -> TablePaths:
        """Return the folders of a table, existing or not."""
        if not isinstance(name, TableName):
            raise UsageError(f"expected a TableName, got {quote(name)}")
        if not name.model:
            raise StoreError("a table name needs a model")
        return TablePaths.of(self.root, name)

    def open(self, name: TableName) -> VectorTable:
        """Open a table, its rows memory-mapped.

        Raises:
            TableNotFoundError: There is no such table.
            DamagedTableError: Its files do not agree with its manifest.
        """
        folder, version = self._find(name)
        try:
            table = read_table(folder, name)
        except DamagedTableError as error:
            if self._find(name) == (folder, version):
                raise self._damaged(name, error) from error
        else:
            if self._find(name) == (folder, version):
                return table
        return self.open(name)  # another process replaced the table while it was read

    def provenance(self, name: TableName) -> Provenance:
        """Return what a table was computed from; only its manifest is read."""
        folder, _ = self._find(name)
        manifest = Manifest.read(folder / MANIFEST)
        check_name(manifest, folder, name)
        return manifest.provenance

    def verify(self, name: TableName) -> list[str]:
        """Compare every file of a table with its checksum; an empty list means no problems."""
        folder, _ = self._find(name)
        return find_problems(folder)

    def derived(self, table: VectorTable) -> Derived:
        """Return the cache beside a table; it saves nothing for a table not in this store."""
        check_type(table, VectorTable, "table")
        checksum, vocabulary = table.provenance.checksum, table.vocabulary
        identity = (
            f"{checksum} {vocabulary.special_ids} {vocabulary.unused_ids}" if checksum else ""
        )
        return Derived(self.paths(table.name).current / DERIVED, identity)

    def save(self, table: VectorTable, *, force: bool = False, wait: float = 0) -> None:
        """Save a table.

        Args:
            table: The table to save; it must not be transformed.
            force: Replace a table of the same name.
            wait: Seconds to wait for another process that writes the same table.
        """
        check_type(table, VectorTable, "table")
        paths, name = self.paths(table.name), escape(str(table.name))
        if not table.vectors.size:
            raise StoreError(f"{name} has no vectors: its shape is {table.vectors.shape}")
        if table.transforms:
            raise StoreError(f"{name} is transformed ({', '.join(table.transforms)})")
        with table_lock(paths, wait=wait), wrap_os_errors(paths.table):
            self._check_replaceable(paths, force=force)
            try:
                make_folder(paths.new)
                write_atomically(
                    paths.new / VECTORS, lambda file: write_npy(file, table.vectors, "<f4")
                )
                complete_table(paths.new, table, settings={})
                swap_in(paths.new, paths)
            finally:
                remove_folder(paths.new)

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
        """Lock a table and write it in parts; an earlier call with the same settings is resumed.

        What is done when the block ends is kept for the next call, unless no row is.

        Args:
            provenance: What the table is computed from.
            vocabulary: Its V tokens.
            dimensions: D, the width of its rows.
            settings: What else the rows depend on (batch size, device, threads), as JSON.
            force: Replace a table of the same name when the draft is finished.
        """
        paths = self.paths(provenance.name)
        if not len(vocabulary) * dimensions:
            raise StoreError(f"expected vectors, got a shape of ({len(vocabulary)}, {dimensions})")
        with table_lock(paths):
            self._check_replaceable(paths, force=force)
            draft = Draft(paths, Plan(provenance, vocabulary, dimensions, dict(settings)))
            draft.start()
            try:
                yield draft
            finally:
                if draft.is_empty:
                    with wrap_os_errors(draft.folder):
                        draft.remove()

    @contextmanager
    def create(self, name: TableName, *, force: bool = False) -> Iterator[NewTable]:
        """Lock a table and write it block by block; nothing is saved unless it is finished.

        Args:
            name: The table to write.
            force: Replace a table of the same name.
        """
        paths = self.paths(name)
        with table_lock(paths):
            self._check_replaceable(paths, force=force)
            new = NewTable(paths)
            try:
                yield new
            finally:
                new.close()
                with wrap_os_errors(paths.new):
                    remove_folder(paths.new)

    def check_free(self, name: TableName) -> None:
        """Raise TableBusyError if another process is writing a table."""
        with table_lock(self.paths(name)):
            pass

    def draft_record(self, name: TableName) -> dict[str, Any]:
        """Return the record of a table's unfinished extraction, or {} if there is none."""
        try:
            return read_json(self.paths(name).draft / RECORD)
        except StoreError:
            return {}

    def remove(self, name: TableName) -> None:
        """Remove a table, and its unfinished extraction."""
        paths = self.paths(name)
        if not paths.current.exists() and not paths.draft.exists():
            raise self._not_found(name)
        with table_lock(paths), wrap_os_errors(paths.table):
            remove_folder(paths.draft)
            if paths.table.exists():
                paths.table.rename(paths.new)  # one step: a table is complete or absent
                sync_folder(paths.table.parent)
                remove_folder(paths.new)
            with suppress(OSError):  # other tables of this model
                paths.table.parent.rmdir()

    def _find(self, name: TableName) -> tuple[Path, tuple[int, int]]:
        """Return the folder of a table, and a version that changes when the table is replaced."""
        paths = self.paths(name)
        for folder in (paths.table, paths.old, paths.table):  # it may be renamed between two looks
            with (
                wrap_os_errors(folder, reading=True),
                suppress(FileNotFoundError, NotADirectoryError),
            ):
                status = folder.stat()
                return folder, (status.st_ino, status.st_mtime_ns)
        raise self._not_found(name)

    def _check_replaceable(self, paths: TablePaths, *, force: bool) -> None:
        if not paths.table.exists():
            return
        if not force:
            raise StoreError(
                f"{escape(str(paths.name))} already exists in {display_path(paths.table)}",
                hint="force=True replaces it",
            )
        try:
            manifest = Manifest.read(paths.table / MANIFEST)
        except StoreError:
            return  # damaged, or of a later version
        check_name(manifest, paths.table, paths.name)

    def _not_found(self, name: TableName) -> TableNotFoundError:
        return TableNotFoundError(
            f"there is no table {escape(str(name))} in {display_path(self.root)}",
            hint=extract_command(name),
        )

    def _damaged(self, name: TableName, error: StoreError) -> StoreError:
        return DamagedTableError(
            f"{escape(str(name))} is damaged: {error.message}",
            hint=self._origin_command(name),
        )

    def _origin_command(self, name: TableName) -> str:
        """Return the command that writes a table again, as far as its manifest says it."""
        can_be_imported = "/" not in name.model and name.model != BUNDLED
        try:
            provenance = self.provenance(name)
        except StoreError:
            extraction = f"{extract_command(name)} --force"
            if not can_be_imported:
                return extraction
            return f"{extraction}\nif it was imported: {import_command(name)} --force"
        if provenance.source == "import" and can_be_imported:
            return f"{import_command(name)} --force"
        return f"{extract_command(name, parameters=provenance.parameters)} --force"


def import_command(name: TableName) -> str:
    """Return the command that imports a table from a file."""
    mode = "" if name.mode is Mode.STATIC else f" --mode {name.mode}"
    variant = "" if name.variant is None else f" --variant {shlex.quote(name.variant)}"
    return f"wordvec import FILE --name {shlex.quote(name.model)}{mode}{variant}"


def extract_command(
    name: TableName | TableRef,
    *,
    layers: str | None = None,
    parameters: Mapping[str, object] | None = None,
) -> str:
    """Return the command that extracts a table.

    layers: in place of that of the name.
    parameters: those of its provenance; each has the name of an option, or of several if a list.
    """
    corpus = {"corpus": "FILE"} if name.mode is Mode.CONTEXTUAL else {}
    options = {"mode": name.mode, **corpus, **(parameters or {}), "variant": name.variant}
    options |= {"layers": name.layer if layers is None else layers, "model": name.model}
    words = [
        f"--{option.replace('_', '-')} {shlex.quote(str(one))}"
        for option, value in options.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return f"wordvec extract {' '.join(words)}"
