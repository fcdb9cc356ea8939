"""From a model's name to a folder on this machine.

mini                                 the bundled model
./bert  ~/bert  /data/bert           a folder
bert, if it contains a config.json   a folder
owner/name[@revision][:subfolder]    a model of the hub, downloaded to the hub's cache
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.errors import ModelError, ModelUnavailableError
from wordvec.models.bundled import BUNDLED, bundled_model
from wordvec.models.folder import CONFIG, check_files
from wordvec.models.hub_name import name_in_address
from wordvec.models.local import file_hint, is_folder, local_model, subfolder_hint
from wordvec.text import quote

if TYPE_CHECKING:
    from wordvec.models.source import ModelSource


def find_model(name: str, *, show_progress: bool = False, static_only: bool = False) -> ModelSource:
    """Find a model by its name; download it if necessary.

    Args:
        name: "mini", a folder, or a name on the hub.
        show_progress: Let the hub's client show its progress bars.
        static_only: Only the weights that static vectors need; of several files that is one.

    Raises:
        ModelUnavailableError: It is not on this machine, and the hub is not reachable or lacks it.
        ModelError: It cannot be downloaded, or its files are not those of a model.
        MissingExtraError: huggingface_hub is not installed.
    """
    source = _find(name, show_progress=show_progress, static_only=static_only)
    check_files(source.folder, static_only=static_only)
    return source


def _find(name: str, *, show_progress: bool, static_only: bool) -> ModelSource:
    if name == BUNDLED:
        return bundled_model()
    if is_folder(name):
        return local_model(name, static_only=static_only)
    address = name_in_address(name)
    if address is not None:
        raise ModelError(
            f"{quote(name)} is an address, expected the name of a model",
            hint=f'use model="{address}"',
        )
    if Path(name).is_file():
        raise ModelError(f"{name} is a file, expected the folder of a model", hint=file_hint(name))
    from wordvec.models.hub import hub_model  # not needed by most commands

    try:
        return hub_model(name, show_progress=show_progress, static_only=static_only)
    except ModelUnavailableError as error:
        error.hint = "\n".join([*_other_readings(name), *filter(None, [error.hint])])
        raise


def _other_readings(name: str) -> list[str]:
    """Return hints at what a name of no model on the hub may mean: a folder, another model."""
    from wordvec.models.suggest import similar_models

    lines = []
    if Path(name).is_dir():
        hint = subfolder_hint(name)
        lines.append(f"the folder {name} has no {CONFIG}" + (f"; {hint}" if hint else ""))
    similar = [f'model="{one}"' for one in similar_models(name)]
    if similar:
        lines.append(f"did you mean {' or '.join(similar)}?")
    return lines
