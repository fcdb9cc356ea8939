"""Models in a local folder."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError
from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.folder import CONFIG, fingerprint
from wordvec.models.source import ModelSource


def is_folder(name: str) -> bool:
    """Return whether a name means a folder: it is written as a path, or a model is there.

    >>> is_folder("./bert"), is_folder("mini"), is_folder("owner/name")
    (True, False, False)
    """
    if name == BUNDLED:
        return False
    if name in (".", "..") or name.startswith(("./", "../", "~", ".\\", "..\\")):
        return True
    return Path(name).is_absolute() or (Path(name) / CONFIG).is_file()


def is_on_disk(name: str) -> bool:
    """Return whether a model needs no hub: it is the bundled model, or a folder."""
    return name == BUNDLED or is_folder(name)


def canonical_name(name: str) -> str:
    """Return the name that a model's tables are saved under: a folder's is its absolute path.

    `model="./bert"` is thus the same model in every working directory.
    """
    return str(_absolute_path(name)) if is_folder(name) else name


def local_model(name: str) -> ModelSource:
    """Return the model in a folder, or raise ModelError if there is none."""
    folder = _absolute_path(name)
    if not folder.is_dir():
        raise ModelError(f"{name}: no such folder", hint=f"use {model_alternatives()}")
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"{name} has no {CONFIG}, so it is not a Hugging Face model",
            hint=f"use {model_alternatives()}",
        )
    return ModelSource(str(folder), folder, fingerprint(folder))


def _absolute_path(name: str) -> Path:
    try:
        return Path(name).expanduser().resolve()
    except RuntimeError as error:  # ~unknown_user
        raise ModelError(f"{name}: {error}") from error
