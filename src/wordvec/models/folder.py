"""The files in a model's folder, as Hugging Face names them: its weights, and their checksum."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wordvec.errors import ModelError
from wordvec.foreign.json_data import required, typed
from wordvec.models.embedding import find_matrix
from wordvec.models.other_formats import missing_weights
from wordvec.text import escape, quote
from wordvec.vocabulary.settings import (
    SETTINGS_FILES,
    check_content,
    damaged_file,
    has_file,
    read_json,
)
from wordvec.vocabulary.token_files import VOCABULARY_FILES

CONFIG = "config.json"
WEIGHTS = (  # the same weights in several formats, the preferred one first
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def weight_files(folder: Path, *, static_only: bool = False) -> tuple[Path, ...]:
    """Return the files of a model's weights: one, or the shards that its index names.

    static_only: only the shard that contains the word-embedding matrix, if the index names it.

    Raises:
        ModelError: There are none, or a shard is missing.
    """
    for name in WEIGHTS:
        if not has_file(folder / name):
            continue
        if not name.endswith(".index.json"):
            return (folder / name,)
        names = shard_names(folder / name, static_only=static_only)
        missing = [shard for shard in names if not has_file(folder / shard)]
        if missing:
            raise ModelError(
                f"{folder}: {escape(missing[0])} is missing; {name} names it",
                hint=_hint_for_missing_shard(folder, name, static_only=static_only),
            )
        return tuple(folder / shard for shard in names)
    paths = (*folder.glob("*"), *folder.glob("*/*"))
    found = [path.relative_to(folder).as_posix() for path in paths if path.is_file()]
    raise missing_weights(str(folder), found, WEIGHTS)


def _hint_for_missing_shard(folder: Path, index: str, *, static_only: bool) -> str:
    needed = shard_names(folder / index, static_only=True)
    if not static_only and all(has_file(folder / shard) for shard in needed):
        return f'download it, or use mode="static", which needs {escape(needed[0])} only'
    return "download it into the same folder"


def shard_names(index: Path, *, static_only: bool = False) -> list[str]:
    """Read the names of the shards in an index of weights; each must be a file in its folder.

    static_only: only the shard that contains the word-embedding matrix, if the index names it.
    """
    with damaged_file(index, "is not a readable index of weights"):
        shard_of = required(typed(read_json(index), dict, "it"), "weight_map", dict)
    for name in shard_of.values():
        if not isinstance(name, str) or Path(name).name != name or not name:
            raise ModelError(f"{index} names {quote(name)}, which is not a file in its folder")
    names = sorted(set(shard_of.values()))
    if not names:
        raise ModelError(f"{index} names no files")
    matrix = find_matrix(shard_of) if static_only else None
    return names if matrix is None else [shard_of[matrix]]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Checksums of the files that a model's vectors depend on: `sha256:` and 16 digits.

    whole: of all files. static: of those that static vectors depend on. Neither depends on which
    other shards are in the folder.
    """

    whole: str
    static: str


def fingerprints(folder: Path, *, static_only: bool = False) -> Fingerprints:
    """Compute the checksums of a model's files.

    static_only: all shards need not be there; `whole` is the checksum for static vectors too.
    """
    static = _fingerprint(folder, weight_files(folder, static_only=True))
    whole = weight_files(folder, static_only=static_only)
    if len(whole) == 1:  # not sharded, or static_only
        return Fingerprints(static, static)
    return Fingerprints(_fingerprint(folder, whole), static)


def _fingerprint(folder: Path, weights: tuple[Path, ...]) -> str:
    import hashlib

    digest = hashlib.sha256()
    others = (*SETTINGS_FILES, *VOCABULARY_FILES)
    for path in (*weights, *(folder / name for name in others)):
        if has_file(path):
            with path.open("rb") as file:
                digest.update(f"{path.name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"


def check_files(folder: Path, *, static_only: bool = False) -> None:
    """Raise ModelError if a file of the model is a git-lfs pointer or a web page."""
    for name in (*SETTINGS_FILES, *VOCABULARY_FILES):
        check_content(folder / name)
    for path in weight_files(folder, static_only=static_only):
        check_content(path)
