"""manifest.json: what a table was made from, and what its files must be.

    {"format": 1, "model": …, "mode": …, "tokens": V, "dimensions": D, …,
     "files": {"vectors.npy": {"bytes": …, "sha256": …}, …}, "self": "sha256:…"}

`self` is the checksum of the rest, so that `wordvec tables --verify` sees a flipped bit here too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, StoreError
from wordvec.tables.files import shown, wrap_os_errors
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What one file of a table must be: its length, and its checksum (`sha256:…`)."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in manifest.json: V `tokens`, D `dimensions`, and how the table was made."""

    provenance: Provenance
    tokens: int
    dimensions: int
    special_ids: tuple[int, ...]
    settings: dict[str, object] = field(default_factory=dict)
    files: dict[str, FileRecord] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content."""
        data: dict[str, object] = {"format": FORMAT, **asdict(self.provenance)}
        data |= {"tokens": self.tokens, "dimensions": self.dimensions}
        data |= {"special_ids": self.special_ids, "settings": self.settings}
        data["files"] = {name: asdict(record) for name, record in self.files.items()}
        data["self"] = checksum_of(data)
        return json_bytes(data, indent=1)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a manifest; one of a later format is refused by its number."""
        data = read_json(path)
        version = data.get("format")
        if type(version) is int and version > FORMAT:
            raise StoreError(
                f"{shown(path)} was written by a later wordvec "
                f"(format {version}; this one reads up to {FORMAT})",
                hint="pip install --upgrade wordvec",
            )
        try:
            return cls._from_data(data)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedTableError(f"{shown(path)}: {_wrong(error)}") from error

    @classmethod
    def _from_data(cls, data: dict[str, Any]) -> Self:
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r} is not known")
        files = data["files"]
        return cls(
            provenance=provenance_from(data),
            tokens=_positive(data, "tokens"),
            dimensions=_positive(data, "dimensions"),
            special_ids=_rows(data["special_ids"]),
            settings=_typed(data, "settings", dict),
            files={
                name: FileRecord(int(record["bytes"]), str(record["sha256"]))
                for name, record in files.items()
                if isinstance(record, dict)
            },
        )


def provenance_from(data: Mapping[str, Any]) -> Provenance:
    """Read a `Provenance` from JSON; KeyError, TypeError or ValueError say what is wrong."""
    return Provenance(
        model=_typed(data, "model", str),
        mode=Mode(data["mode"]),
        revision=_typed(data, "revision", (str, type(None))),
        layer=_typed(data, "layer", (int, type(None))),
        dtype=_typed(data, "dtype", str),
        source=_typed(data, "source", str),
        created=_typed(data, "created", str),
        versions={str(key): str(value) for key, value in _typed(data, "versions", dict).items()},
        non_finite_rows=_rows(data["non_finite_rows"]),
        checksum=_typed(data, "checksum", str),
    )


def checksum_of(data: Mapping[str, Any]) -> str:
    """The checksum of JSON data, whatever the order and white space; its `self` is left out."""
    import hashlib

    rest = {key: value for key, value in data.items() if key != "self"}
    text = json.dumps(rest, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def json_bytes(data: object, *, indent: int | None = None) -> bytes:
    """JSON in UTF-8; a file name that is no proper Unicode survives."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "surrogatepass")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of the store."""
    try:
        with wrap_os_errors(path, reading=True):
            data = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise DamagedTableError(f"{shown(path)} is missing") from error
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedTableError(f"{shown(path)} is no JSON that can be read") from error
    if not isinstance(data, dict):
        raise DamagedTableError(f"{shown(path)} holds no JSON object")
    return data


def _typed(data: Mapping[str, Any], key: str, kind: Any) -> Any:
    value = data[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{key} is {value!r:.40}")
    return value


def _positive(data: Mapping[str, Any], key: str) -> int:
    value = _typed(data, key, int)
    if not 0 < value < 2**40:
        raise ValueError(f"{key} is {value}")
    return int(value)


def _rows(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(row) is int for row in value):
        raise TypeError(f"rows are {value!r:.40}")
    return tuple(value)


def _wrong(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
