"""Models in a folder of the user's."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError
from wordvec.models.bundled import MINI, elsewhere
from wordvec.models.folder import CONFIG, fingerprint
from wordvec.models.source import ModelSource


def is_folder(name: str) -> bool:
    """Whether a name means a folder: it looks like a path, or a model lies there.

    >>> is_folder("./bert"), is_folder("mini"), is_folder("owner/name")
    (True, False, False)
    """
    if name == MINI:
        return False
    if name in (".", "..") or name.startswith(("./", "../", "~", ".\\", "..\\")):
        return True
    return Path(name).is_absolute() or (Path(name) / CONFIG).is_file()


def is_on_disk(name: str) -> bool:
    """Whether a model needs no hub: the bundled one, or a folder."""
    return name == MINI or is_folder(name)


def canonical_name(name: str) -> str:
    """What a model's tables are filed under: its name, or a folder's absolute path.

    `--model ./bert` thus means the same table from every working directory.
    """
    return str(_path(name)) if is_folder(name) else name


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser().resolve()
    except RuntimeError as error:  # ~nobody
        raise ModelError(f"{name}: {error}") from error


def local_model(name: str) -> ModelSource:
    """Give the model in a folder."""
    folder = _path(name)
    if not folder.is_dir():
        raise ModelError(f"{name}: no such folder", hint=elsewhere())
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"{name} holds no {CONFIG}, so it is no model in Hugging Face's layout",
            hint=elsewhere(),
        )
    return ModelSource(str(folder), folder, fingerprint(folder))
