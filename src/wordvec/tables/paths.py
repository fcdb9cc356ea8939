"""Where a table lies: `<store>/<model>/<mode>/`, and what may lie beside it while it is made.

A model's name becomes one folder name that every system takes, and back: all but `A-Z a-z 0-9 _ -`
and inner dots is written as the percent-encoded bytes of its UTF-8 (composed, NFC), so that `/`,
`..`, NUL, trailing dots and Windows' device names do no harm. A name too long for a folder is cut
and ends in `~` and its hash; what it was stands in the manifest.

    cl-tohoku%2Fbert-base-japanese/static/        the table, whole
                                  /static.draft/  an extraction not yet finished, kept to go on with
                                  /static.new/    a table being written in one go; rubbish if found
                                  /static.old/    what is being replaced; put back if found alone
    .locks/                                       who makes what
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
RECORD = "progress.json"
DERIVED = "derived"
LOCKS = ".locks"
LONGEST = 120  # characters of a folder name; encrypted home folders allow 143

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_MODE_FOLDER = re.compile(r"(static|dynamic)(?:@(\d{1,6}))?(\.draft|\.old)?")


def nfc(name: str) -> str:
    """A name as names are compared: が typed in two characters is が in one."""
    return unicodedata.normalize("NFC", name)


def folder_name(name: str) -> str:
    """One folder name for any text, the same on every system.

    >>> folder_name("cl-tohoku/bert"), folder_name(".."), folder_name("nul")
    ('cl-tohoku%2Fbert', '%2E%2E', '%6Eul')
    """
    folder = quote(nfc(name), safe="", errors="surrogatepass").replace("~", "%7E")
    if not folder.strip("."):
        folder = folder.replace(".", "%2E")
    if _RESERVED.match(folder) or folder.startswith("."):
        folder = f"%{ord(folder[0]):02X}{folder[1:]}"
    if folder.endswith("."):  # Windows drops it
        folder = f"{folder[:-1]}%2E"
    if len(folder) <= LONGEST:
        return folder
    from hashlib import sha256  # 2 ms, for long names alone

    digest = sha256(nfc(name).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{folder[: LONGEST - 25].rstrip('%')}~{digest}"


def name_of_folder(folder: str) -> str:
    """The name that `folder_name` was given, or most of it where it was cut."""
    return unquote(folder, errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one table."""

    root: Path
    name: TableName

    @property
    def table(self) -> Path:
        """Where the whole table lies."""
        layer = "" if self.name.layer is None else f"@{self.name.layer}"
        return self.root / folder_name(self.name.model) / f"{self.name.mode}{layer}"

    @property
    def draft(self) -> Path:
        """Where an extraction grows."""
        return self._beside(".draft")

    @property
    def new(self) -> Path:
        """Where a table is written in one go; whoever holds the lock may delete it."""
        return self._beside(".new")

    @property
    def old(self) -> Path:
        """Where the table stands while another takes its place."""
        return self._beside(".old")

    @property
    def lock(self) -> Path:
        """The file that the maker of the table holds locked."""
        return self.root / LOCKS / f"{self.table.parent.name}.{self.table.name}.lock"

    @property
    def holder(self) -> Path:
        """Who that is."""
        return self.lock.with_suffix(".json")

    def _beside(self, suffix: str) -> Path:
        return self.table.with_name(self.table.name + suffix)


def places(root: Path) -> list[tuple[TableName, Path]]:
    """Each folder of a table or a draft in the store, with the name that its path says."""
    found = []
    for model in _folders(root):
        if model.name.startswith("."):
            continue
        for folder in _folders(model):
            match = _MODE_FOLDER.fullmatch(folder.name)
            whole = folder.with_name(folder.name.removesuffix(".old"))
            if match and (whole == folder or not whole.exists()):
                layer = None if match[2] is None else int(match[2])
                name = TableName(name_of_folder(model.name), Mode(match[1]), layer)
                found.append((name, folder))
    return found


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(entry for entry in parent.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []
