"""The files in a model's folder, as Hugging Face names them: its weights, and their checksum."""

from __future__ import annotations

import json
from pathlib import Path

from wordvec.errors import ModelError
from wordvec.vocabulary.settings import SETTINGS_FILES
from wordvec.vocabulary.token_files import VOCABULARY_FILES

CONFIG = "config.json"
WEIGHTS = (  # the same weights in several formats, the preferred one first
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a model's weights: one, or the shards that its index names.

    Raises:
        ModelError: There are none, or a shard is missing.
    """
    for name in WEIGHTS:
        if not (folder / name).is_file():
            continue
        if not name.endswith(".index.json"):
            return (folder / name,)
        shards = tuple(folder / shard for shard in shard_names(folder / name))
        missing = [shard.name for shard in shards if not shard.is_file()]
        if missing:
            raise ModelError(f"{folder}: {missing[0]} is missing; {name} names it")
        return shards
    raise ModelError(f"{folder} has no weights: expected one of {', '.join(WEIGHTS)}")


def shard_names(index: Path) -> list[str]:
    """Read the names of the shards in an index of weights; each must be a file in its folder."""
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} is not a readable index of weights") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise ModelError(f"{index} names {name!r}, which is not a file in its folder")
    return names


def fingerprint(folder: Path) -> str:
    """Return a checksum of the files that a model's vectors depend on: `sha256:` and 16 digits."""
    import hashlib

    digest = hashlib.sha256()
    others = (*SETTINGS_FILES, *VOCABULARY_FILES)
    for path in (*weight_files(folder), *(folder / name for name in others)):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"
