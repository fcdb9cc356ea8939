"""Models in a local folder."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError, as_path, check_type
from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.folder import CONFIG, WEIGHTS, fingerprints, list_files
from wordvec.models.hub_name import HubName
from wordvec.models.other_formats import other_format
from wordvec.models.source import ModelSource
from wordvec.text import escape
from wordvec.vocabulary.settings import has_file


def is_folder(name: str) -> bool:
    """Return whether a name means a folder: it is written as a path, or a model is there.

    >>> is_folder("./bert"), is_folder("mini"), is_folder("owner/name")
    (True, False, False)
    """
    check_type(name, str, "model")
    if name == BUNDLED:
        return False
    if name in (".", "..") or name.startswith(("./", "../", "~", ".\\", "..\\")):
        return True
    path = as_path(name, "model")
    return path.is_absolute() or (path / CONFIG).is_file()


def is_on_disk(name: str) -> bool:
    """Return whether a model needs no hub: it is the bundled model, or a folder."""
    return name == BUNDLED or is_folder(name)


def canonical_name(name: str) -> str:
    """Return the name that a model's tables are saved under: a folder's is its absolute path.

    `model="./bert"` is thus the same model in every working directory.
    """
    return str(_absolute_path(name) if is_folder(name) else HubName.parse(name))


def local_model(name: str, *, static_only: bool = False) -> ModelSource:
    """Return the model in a folder, or raise ModelError if there is none.

    static_only: The folder needs only the weights that static vectors need.
    """
    folder = _absolute_path(name)
    if folder.is_file():
        raise ModelError(f"{name} is a file, expected the folder of a model", hint=file_hint(name))
    if not folder.is_dir():
        with_slash = name.replace(":", "/")  # as in the name of a model of the hub
        found = with_slash != name and (_absolute_path(with_slash) / CONFIG).is_file()
        alternatives = f'model="{with_slash}"' if found else model_alternatives()
        raise ModelError(f"{name}: no such folder", hint=f"use {alternatives}")
    if not has_file(folder / CONFIG):
        hint = subfolder_hint(name)
        other = None if hint else other_format(name, list_files(folder), f"no {CONFIG}")
        raise other or ModelError(
            f"{name} has no {CONFIG}, so it is not a Hugging Face model",
            hint=hint or f"use {model_alternatives()}",
        )
    revisions = fingerprints(folder, static_only=static_only)
    return ModelSource(str(folder), folder, revisions.whole, revisions.static)


def file_hint(name: str) -> str:
    """Return a hint at the folder of a file."""
    folder = Path(name).parent
    shown = folder if folder.is_absolute() or name.startswith("~") else f"./{folder.as_posix()}"
    return f'use model="{escape(str(shown))}"'


def subfolder_hint(name: str) -> str | None:
    """Return a hint at the subfolder of a folder that contains a model, if there is one.

    A sentence-transformers model has a config.json without weights in other subfolders too.
    """
    folder = _absolute_path(name)
    configs = (*sorted(folder.glob(f"*/{CONFIG}")), *sorted(folder.glob(f"*/*/{CONFIG}")))
    parents = [config.parent for config in configs]
    parents.sort(key=lambda parent: not any((parent / file).is_file() for file in WEIGHTS))
    if not parents:
        return None
    path = Path(name) / parents[0].relative_to(folder)
    shown = path if path.is_absolute() or name.startswith("~") else f"./{path.as_posix()}"
    return f'a subfolder has one: use model="{escape(str(shown))}"'


def _absolute_path(name: str) -> Path:
    try:
        return as_path(name, "model").expanduser().resolve()
    except RuntimeError as error:  # ~unknown_user
        raise ModelError(f"{name}: {error}") from error
