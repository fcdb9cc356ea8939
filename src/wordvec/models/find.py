"""From a model's name to a folder on this machine.

mini                                   the bundled model
./bert  ~/bert  /data/bert             a folder
bert, if it contains a config.json     a folder
owner/name                             a model of the hub, downloaded to the hub's cache
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.models.bundled import BUNDLED, bundled_model
from wordvec.models.local import is_folder, local_model

if TYPE_CHECKING:
    from wordvec.models.source import ModelSource


def find_model(name: str, *, show_progress: bool = False) -> ModelSource:
    """Find a model by its name; download it if necessary.

    Args:
        name: "mini", a folder, or a name on the hub.
        show_progress: Let the hub's client show its progress bars.

    Raises:
        ModelUnavailableError: It is not on this machine, and the hub is not reachable or lacks it.
        ModelError: It cannot be downloaded, or its files are not those of a model.
        MissingExtraError: huggingface_hub is not installed.
    """
    if name == BUNDLED:
        return bundled_model()
    if is_folder(name):
        return local_model(name)
    from wordvec.models.hub import hub_model  # not needed by most commands

    return hub_model(name, show_progress=show_progress)
