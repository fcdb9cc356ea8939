"""The folders of a table, `<store>/<model>/<kind>/`, and those beside it while it is written.

A model's name becomes one folder name, and back: every character but `A-Z a-z 0-9 _ -` and inner
dots is percent-encoded (UTF-8 in NFC), so that `/`, `..` and NUL are safe. A long name is cut and
ends in `~` and its hash; the manifest has the whole name.

The kind is `MODE[+VARIANT][@LAYER]`, the variant encoded in the same way. It has a plus sign where
the table's name has a dot, so that `dynamic+draft` and `dynamic.draft` are two folders.

    cl-tohoku%2Fbert-base-japanese/static/        the whole table
                                  /static.draft/  an unfinished extraction, kept to be resumed
                                  /static.new/    a table that is being written; garbage if found
                                  /static.old/    the table that is being replaced; restored if
                                                  the new one is missing
    .locks/                                       one lock file per table
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote

from wordvec.errors import StoreError
from wordvec.tables.name import Mode, TableName
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS, NORMS, TOKENS, MANIFEST = "vectors.npy", "norms.npy", "tokens.json", "manifest.json"
COUNTS, RESULTANTS = "counts.npy", "resultants.npy"  # of a contextual table
RECORD, CHECKPOINT = "progress.json", "checkpoint"
DERIVED = "derived"
LOCKS = ".locks"
DRAFT = ".draft"
LONGEST = 120  # characters of a folder name; encrypted home folders allow 143

_KIND_FOLDER = re.compile(
    rf"(({'|'.join(Mode)})(?:\+([\w%~-]+))?(?:@([0-9]{{1,4}}))?)(?:\.draft|\.new|\.old)?", re.ASCII
)


def expand_home(path: str) -> Path:
    """Return a path with the user's home folder in place of a `~` at its start.

    Raises:
        StoreError: if there is no such user, or the user has no home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise _no_home(path) from error


def user_folder(find: Callable[..., str]) -> Path:
    """Return our folder in the user's home. find: a function of platformdirs.

    Raises:
        StoreError: if the user has no home folder.
    """
    with suppress(RuntimeError):  # older versions return a path that starts with ~
        path = find("wordvec", appauthor=False)
        if not path.startswith("~"):
            return Path(path)
    raise _no_home("~")


def _no_home(path: str) -> StoreError:
    return StoreError(
        f"{escape(path)}: there is no such home folder",
        hint='set WORDVEC_HOME to a folder, or name one: store="DIR"',
    )


def nfc(name: str) -> str:
    """Compose a name, so that が as one character and as two is the same name."""
    return unicodedata.normalize("NFC", name)


def folder_name(name: str) -> str:
    """Return one safe folder name for any text.

    >>> folder_name("cl-tohoku/bert"), folder_name("..")
    ('cl-tohoku%2Fbert', '%2E%2E')
    """
    folder = quote(nfc(name), safe="", errors="surrogatepass").replace("~", "%7E")
    folder = re.sub(r"^\.|\.$", "%2E", folder)
    if len(folder) <= LONGEST:
        return folder
    from hashlib import sha256  # 2 ms, for long names alone

    digest = sha256(nfc(name).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{folder[: LONGEST - 25].rstrip('%')}~{digest}"


def name_of_folder(folder: str) -> str:
    """Return the name that `folder_name` encoded, or its beginning if it was cut."""
    try:
        return unquote(folder, errors="surrogatepass")
    except UnicodeDecodeError:  # cut within a character, or not one of our names
        return unquote(folder)


@dataclass(frozen=True, slots=True)
class TablePaths:
    """The folders and the lock file of one table. table: the folder of the whole table."""

    name: TableName
    table: Path

    @classmethod
    def of(cls, root: Path, name: TableName) -> Self:
        """Return the paths of a table in the store at `root`."""
        variant = "" if name.variant is None else f"+{folder_name(name.variant)}"
        layer = "" if name.layer is None else f"@{name.layer}"
        return cls(name, root / folder_name(name.model) / f"{name.mode}{variant}{layer}")

    @property
    def draft(self) -> Path:
        """The folder of an unfinished extraction."""
        return self._beside(DRAFT)

    @property
    def new(self) -> Path:
        """The folder in which a table is written before it is renamed to `table`."""
        return self._beside(".new")

    @property
    def old(self) -> Path:
        """The folder of a table that is being replaced."""
        return self._beside(".old")

    @property
    def current(self) -> Path:
        """The folder to read: `old` if a replacement stopped between its two renames."""
        return self.old if not self.table.exists() and self.old.exists() else self.table

    @property
    def lock(self) -> Path:
        """The lock file of the table."""
        return self.table.parent.parent / LOCKS / f"{self.table.parent.name}.{self.table.name}.lock"

    def _beside(self, suffix: str) -> Path:
        return self.table.with_name(self.table.name + suffix)


def list_paths(root: Path, model: str | None = None) -> list[TablePaths]:
    """List what has any folder in a store, with the table names that the folders encode.

    model: only what is of this model.
    """
    found: dict[Path, TablePaths] = {}
    for folder in _subfolders(root) if model is None else [root / folder_name(model)]:
        if folder.name.startswith("."):
            continue
        for table in _subfolders(folder):
            if match := _KIND_FOLDER.fullmatch(table.name):
                variant = None if match[3] is None else name_of_folder(match[3])
                layer = None if match[4] is None else int(match[4])
                name = TableName(name_of_folder(folder.name), Mode(match[2]), variant, layer)
                found[folder / match[1]] = TablePaths(name, folder / match[1])
    return list(found.values())


def list_folders(root: Path, model: str | None = None) -> list[tuple[TableName, Path]]:
    """List the folders of tables and drafts in a store, with the table names that they encode.

    model: only those of this model.
    """
    return [
        (paths.name, folder)
        for paths in list_paths(root, model)
        for folder in (paths.current, paths.draft)
        if folder.is_dir()
    ]


def _subfolders(parent: Path) -> list[Path]:
    try:
        return sorted(entry for entry in parent.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []
