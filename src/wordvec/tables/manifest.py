"""manifest.json: what a table was computed from, and the size and checksum of each of its files.

    {"format": 1, "model": …, "mode": …, "tokens": V, "dimensions": D, …,
     "files": {"vectors.npy": {"bytes": …, "sha256": …}, …}, "sum_of_rows": …, "self": "sha256:…"}

`self` is the checksum of the rest: `wordvec tables --verify` detects a flipped bit here too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, StoreError
from wordvec.foreign.files import MOST_TEXT, read_file
from wordvec.foreign.json_data import optional, parse_json, required, typed
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The size of a table's file, and its checksum (`sha256:…`)."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of manifest.json. V `tokens`, D `dimensions`.

    settings: how the extraction was run: batch size, device, threads.
    sum_of_rows: of the vectors, see `files.sum_of_rows`; None in a table of an earlier version.
    """

    provenance: Provenance
    tokens: int
    dimensions: int
    settings: dict[str, object]
    files: dict[str, FileRecord]
    sum_of_rows: str | None = None

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        data: dict[str, object] = {"format": FORMAT, **asdict(self.provenance)}
        data |= {"tokens": self.tokens, "dimensions": self.dimensions, "settings": self.settings}
        data["files"] = {name: asdict(record) for name, record in self.files.items()}
        data["sum_of_rows"] = self.sum_of_rows
        data["self"] = checksum_of(data)
        return json_bytes(data, indent=1)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a manifest.

        Raises:
            DamagedTableError: It is missing or damaged.
            StoreError: It cannot be read, or a later version of wordvec wrote it.
        """
        data = read_json(path)
        version = data.get("format")
        if type(version) is int and version > FORMAT:
            raise StoreError(
                f"{display_path(path)} was written by a later wordvec "
                f"(format {version}; this version reads up to {FORMAT})",
                hint="pip install --upgrade wordvec",
            )
        try:
            return cls._from_json(data)
        except ValueError as error:
            raise DamagedTableError(f"{display_path(path)}: {error}") from error

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Self:
        version = required(data, "format", int)
        if version != FORMAT:
            raise ValueError(f"format {version} is not known")
        return cls(
            provenance=provenance_from_json(data),
            tokens=positive(data, "tokens"),
            dimensions=positive(data, "dimensions"),
            settings=required(data, "settings", dict),
            files={
                _file_name(name): _file_record(typed(record, dict, name))
                for name, record in required(data, "files", dict).items()
            },
            sum_of_rows=optional(data, "sum_of_rows", str),
        )


def provenance_from_json(data: Mapping[str, Any]) -> Provenance:
    """Read a `Provenance`, or raise ValueError.

    `variant`, `layers` and `parameters` are missing in a manifest written before they existed.
    """
    data = {"variant": None, "layers": None, "parameters": {}, **data}
    rows = required(data, "non_finite_rows", list)
    return Provenance(
        model=required(data, "model", str),
        mode=Mode(required(data, "mode", str)),
        revision=optional(data, "revision", str),
        layer=optional(data, "layer", int),
        dtype=required(data, "dtype", str),
        source=required(data, "source", str),
        created=required(data, "created", str),
        versions={
            library: typed(version, str, library)
            for library, version in required(data, "versions", dict).items()
        },
        non_finite_rows=tuple(typed(row, int, "a non-finite row") for row in rows),
        checksum=required(data, "checksum", str),
        variant=optional(data, "variant", str),
        layers=optional(data, "layers", int),
        parameters=required(data, "parameters", dict),
    )


def positive(data: Mapping[str, Any], key: str) -> int:
    """Return a field that is a number of tokens or dimensions, or raise ValueError."""
    value = required(data, key, int)
    if not 0 < value < 2**40:
        raise ValueError(f"{key} is {value}")
    return value


def _file_name(name: str) -> str:
    if name in ("", ".", "..") or any(char in name for char in "/\\\0"):
        raise ValueError(f"{quote(name)} is not a file of the table")
    return name


def _file_record(record: Mapping[str, Any]) -> FileRecord:
    return FileRecord(required(record, "bytes", int), required(record, "sha256", str))


def checksum_of(data: Mapping[str, Any]) -> str:
    """Return the checksum of a manifest's JSON, whatever its key order, without its `self`."""
    import hashlib

    rest = {key: value for key, value in data.items() if key != "self"}
    text = json.dumps(rest, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def json_bytes(data: object, *, indent: int | None = None) -> bytes:
    """Encode JSON as UTF-8; the surrogates of an undecodable file name are kept."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "surrogatepass")


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file.

    Raises:
        DamagedTableError: It is missing, or does not contain a JSON object.
        StoreError: It cannot be read.
    """
    try:
        with wrap_os_errors(path, reading=True):
            data = parse_json(read_file(path, MOST_TEXT))
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise DamagedTableError(f"{display_path(path)} is missing") from error
        raise
    except ValueError as error:
        raise DamagedTableError(f"{display_path(path)} is not valid JSON") from error
    if not isinstance(data, dict):
        raise DamagedTableError(f"{display_path(path)} is not a JSON object")
    return data
