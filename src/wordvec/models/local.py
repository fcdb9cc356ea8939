"""Models in a local folder."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError, as_path
from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.folder import CONFIG, WEIGHTS, fingerprints
from wordvec.models.hub_name import HubName
from wordvec.models.source import ModelSource
from wordvec.text import escape
from wordvec.vocabulary.settings import has_file


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
    return str(_absolute_path(name) if is_folder(name) else HubName.parse(name))


def local_model(name: str, *, static_only: bool = False) -> ModelSource:
    """Return the model in a folder, or raise ModelError if there is none.

    static_only: The folder needs only the weights that static vectors need.
    """
    folder = _absolute_path(name)
    if not folder.is_dir():
        with_slash = name.replace(":", "/")  # as in the name of a model of the hub
        found = with_slash != name and (_absolute_path(with_slash) / CONFIG).is_file()
        alternatives = f'model="{with_slash}"' if found else model_alternatives()
        raise ModelError(f"{name}: no such folder", hint=f"use {alternatives}")
    if not has_file(folder / CONFIG):
        raise ModelError(
            f"{name} has no {CONFIG}, so it is not a Hugging Face model",
            hint=subfolder_hint(name) or f"use {model_alternatives()}",
        )
    revisions = fingerprints(folder, static_only=static_only)
    return ModelSource(str(folder), folder, revisions.whole, revisions.static)


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
