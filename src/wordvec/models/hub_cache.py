"""Models in the cache of the Hugging Face hub, and what one that is incomplete there lacks.

models--OWNER--NAME/refs/main            the commit of a branch or a tag
models--OWNER--NAME/snapshots/COMMIT/    the files of a commit that were downloaded
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.models.folder import CONFIG, WEIGHTS, weight_files
from wordvec.text import escape, quote
from wordvec.vocabulary.token_files import VOCABULARY_FILES

if TYPE_CHECKING:
    from wordvec.models.hub_name import HubName

NEWEST = "main"
_SHOWN = 3  # commits in a hint


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model in the cache.

    folder: Its files, if configuration, vocabulary and weights are there.
    problem: What is missing ("without its weights"); None if nothing of the model is there.
    hint: What to use instead.
    """

    folder: Path | None = None
    problem: str | None = None
    hint: str | None = None


def look_in_cache(name: HubName, *, static_only: bool) -> CachedModel:
    """Look for a model in the cache.

    static_only: Only the weights that static vectors need.
    """
    from huggingface_hub import constants

    folder_name = f"models--{name.repository.replace('/', '--')}"
    repository = Path(constants.HF_HUB_CACHE) / folder_name
    if not repository.is_dir():
        return CachedModel()
    revision = name.revision or NEWEST
    snapshot = _snapshot(repository, revision)
    if snapshot is None:
        return CachedModel(
            problem=f"without the revision {quote(revision)}",
            hint=_other_commits(repository, name, static_only=static_only),
        )
    folder = snapshot.joinpath(*name.folders)
    if not folder.is_dir():
        return CachedModel(
            problem=f"without the folder {escape(str(name.subfolder))}",
            hint=_subfolder_hint(snapshot, replace(name, subfolder=None)),
        )
    missing = _missing_part(folder, static_only=static_only)
    if missing is None:
        return CachedModel(folder)
    hint = _subfolder_hint(folder, name) if missing == CONFIG else None
    return CachedModel(problem=f"without its {missing}", hint=hint)


def _snapshot(repository: Path, revision: str) -> Path | None:
    """Return the folder of a branch, a tag or a commit."""
    commit = revision
    with suppress(OSError, ValueError):
        commit = (repository / "refs" / revision).read_text("utf-8").strip()
    snapshot = repository / "snapshots" / commit
    return snapshot if commit and snapshot.is_dir() else None


def _missing_part(folder: Path, *, static_only: bool) -> str | None:
    """Return which part of a model a folder lacks, if any."""
    if not (folder / CONFIG).is_file():
        return CONFIG
    if not any((folder / file).is_file() for file in VOCABULARY_FILES):
        return "vocabulary"
    try:
        weight_files(folder, static_only=static_only)
    except ModelError:
        return "weights"
    return None


def _other_commits(repository: Path, name: HubName, *, static_only: bool) -> str | None:
    """Return a hint at the commits of which the model is complete in the cache."""
    names = [
        f'model="{replace(name, revision=snapshot.name)}"'
        for snapshot in sorted((repository / "snapshots").glob("*"))
        if _missing_part(snapshot.joinpath(*name.folders), static_only=static_only) is None
    ]
    return f"in the cache: {' or '.join(names[:_SHOWN])}" if names else None


def _subfolder_hint(folder: Path, name: HubName) -> str | None:
    """Return a hint at a subfolder that contains a model, one with weights if possible."""
    parents = sorted(config.parent for config in folder.glob(f"*/{CONFIG}"))
    parents.sort(key=lambda parent: not any((parent / file).is_file() for file in WEIGHTS))
    if not parents:
        return None
    inner = replace(name, subfolder="/".join((*name.folders, parents[0].name)))
    return f'a subfolder has one: use model="{escape(str(inner))}"'
