"""The files of a model's folder, in Hugging Face's layout: which hold its weights, its checksum."""

from __future__ import annotations

import json
from pathlib import Path

from wordvec.errors import ModelError
from wordvec.vocabulary.folder import SETTINGS_FILES, VOCABULARY_FILES

CONFIG = "config.json"
# The first of each line that a model has is enough: they say the same in several formats.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files that hold a model's weights: one, or the shards that its index names.

    Safetensors come before PyTorch's own format.
    """
    for name in WEIGHTS:
        if not (folder / name).is_file():
            continue
        if not name.endswith(".index.json"):
            return (folder / name,)
        shards = tuple(folder / shard for shard in shard_names(folder / name))
        missing = [shard.name for shard in shards if not shard.is_file()]
        if missing:
            raise ModelError(f"{folder}: {name} names {missing[0]}, which is not there")
        return shards
    raise ModelError(f"{folder} holds no weights: expected one of {', '.join(WEIGHTS)}")


def shard_names(index: Path) -> list[str]:
    """The files that an index of weights names; each must lie beside it."""
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of weights") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise ModelError(f"{index} names {name!r}, which is no file beside it")
    return names


def fingerprint(folder: Path) -> str:
    """A checksum of what a model's vectors are made of: `sha256:` and 16 hexadecimal digits."""
    import hashlib

    digest = hashlib.sha256()
    others = (*SETTINGS_FILES, *VOCABULARY_FILES)
    for path in (*weight_files(folder), *(folder / name for name in others)):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"
