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
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from wordvec.tables.name import Mode, TableName

if TYPE_CHECKING:
    from pathlib import Path

VECTORS, NORMS, TOKENS, MANIFEST = "vectors.npy", "norms.npy", "tokens.json", "manifest.json"
COUNTS, RESULTANTS = "counts.npy", "resultants.npy"  # of a contextual table
RECORD, CHECKPOINT = "progress.json", "checkpoint"
DERIVED = "derived"
LOCKS = ".locks"
DRAFT = ".draft"
LONGEST = 120  # characters of a folder name; encrypted home folders allow 143

_KIND_FOLDER = re.compile(
    rf"({'|'.join(Mode)})(?:\+([\w%~-]+))?(?:@([0-9]{{1,4}}))?(?:\.draft|\.old)?", re.ASCII
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
    return unquote(folder, errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class TablePaths:
    """The folders and the lock file of one table in the store at `root`."""

    root: Path
    name: TableName

    @property
    def table(self) -> Path:
        """The folder of the whole table."""
        variant = "" if self.name.variant is None else f"+{folder_name(self.name.variant)}"
        layer = "" if self.name.layer is None else f"@{self.name.layer}"
        return self.root / folder_name(self.name.model) / f"{self.name.mode}{variant}{layer}"

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
        return self.root / LOCKS / f"{self.table.parent.name}.{self.table.name}.lock"

    def _beside(self, suffix: str) -> Path:
        return self.table.with_name(self.table.name + suffix)


def list_folders(root: Path, model: str | None = None) -> list[tuple[TableName, Path]]:
    """List the folders of tables and drafts in a store, with the table names that they encode.

    model: only those of this model.
    """
    found = []
    for folder in _subfolders(root) if model is None else [root / folder_name(model)]:
        if folder.name.startswith("."):
            continue
        for table in _subfolders(folder):
            match = _KIND_FOLDER.fullmatch(table.name)
            whole = table.with_name(table.name.removesuffix(".old"))
            if match and (whole == table or not whole.exists()):
                variant = None if match[2] is None else name_of_folder(match[2])
                layer = None if match[3] is None else int(match[3])
                name = TableName(name_of_folder(folder.name), Mode(match[1]), variant, layer)
                found.append((name, table))
    return found


def _subfolders(parent: Path) -> list[Path]:
    try:
        return sorted(entry for entry in parent.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []
