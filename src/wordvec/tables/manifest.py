"""manifest.json: what a table was computed from, and the size and checksum of each of its files.

    {"format": 1, "model": …, "mode": …, "tokens": V, "dimensions": D, …,
     "files": {"vectors.npy": {"bytes": …, "sha256": …}, …}, "self": "sha256:…"}

`self` is the checksum of the rest: `wordvec tables --verify` detects a flipped bit here too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, StoreError
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance

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
    """

    provenance: Provenance
    tokens: int
    dimensions: int
    settings: dict[str, object]
    files: dict[str, FileRecord]

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        data: dict[str, object] = {"format": FORMAT, **asdict(self.provenance)}
        data |= {"tokens": self.tokens, "dimensions": self.dimensions, "settings": self.settings}
        data["files"] = {name: asdict(record) for name, record in self.files.items()}
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
        except KeyError as error:
            raise DamagedTableError(f"{display_path(path)}: {error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise DamagedTableError(f"{display_path(path)}: {error}") from error

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Self:
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r} is not known")
        return cls(
            provenance=provenance_from_json(data),
            tokens=_positive(data, "tokens"),
            dimensions=_positive(data, "dimensions"),
            settings=_typed(data, "settings", dict),
            files={
                name: FileRecord(_typed(record, "bytes", int), _typed(record, "sha256", str))
                for name, record in _typed(data, "files", dict).items()
            },
        )


def provenance_from_json(data: Mapping[str, Any]) -> Provenance:
    """Read a `Provenance`, or raise KeyError, TypeError or ValueError.

    `variant`, `layers` and `parameters` are missing in a manifest written before they existed.
    """
    data = {"variant": None, "layers": None, "parameters": {}, **data}
    return Provenance(
        model=_typed(data, "model", str),
        mode=Mode(data["mode"]),
        revision=_typed(data, "revision", (str, type(None))),
        layer=_typed(data, "layer", (int, type(None))),
        dtype=_typed(data, "dtype", str),
        source=_typed(data, "source", str),
        created=_typed(data, "created", str),
        versions={str(key): str(value) for key, value in _typed(data, "versions", dict).items()},
        non_finite_rows=_rows(data, "non_finite_rows"),
        checksum=_typed(data, "checksum", str),
        variant=_typed(data, "variant", (str, type(None))),
        layers=_typed(data, "layers", (int, type(None))),
        parameters=_typed(data, "parameters", dict),
    )


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
            data = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise DamagedTableError(f"{display_path(path)} is missing") from error
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedTableError(f"{display_path(path)} is not valid JSON") from error
    if not isinstance(data, dict):
        raise DamagedTableError(f"{display_path(path)} is not a JSON object")
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


def _rows(data: Mapping[str, Any], key: str) -> tuple[int, ...]:
    rows = _typed(data, key, list)
    if not all(type(row) is int for row in rows):
        raise TypeError(f"{key} is {rows!r:.40}")
    return tuple(rows)
