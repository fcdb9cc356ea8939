"""From a model's name to a folder on this machine: the bundled model, a local folder, or the hub.

mini                       the model inside the package
./bert  ~/bert  /data/bert  bert (a folder with a config.json)   a folder
owner/name                 the hub's, one file at a time, into the hub's own cache
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from wordvec.errors import MissingExtraError, ModelUnavailableError
from wordvec.models.bundled import MINI, bundled_model, has_bundled
from wordvec.models.hub import hub_model
from wordvec.models.local import is_folder, local_model

if TYPE_CHECKING:
    from wordvec.models.source import ModelSource

REFERENCE = "cl-tohoku/bert-base-japanese-whole-word-masking"


def default_model() -> str | None:
    """The model that `WORDVEC_MODEL` names, if it names one."""
    return os.environ.get("WORDVEC_MODEL") or None


def find_model(name: str, *, bars: bool = False) -> ModelSource:
    """The model of that name, fetched from the hub if it must be.

    bars: let the hub's client draw its bars for what it downloads.
    """
    if name == MINI:
        return bundled_model()
    if is_folder(name):
        return local_model(name)
    return hub_model(name, bars=bars)


def find_default(*, bars: bool = False) -> ModelSource:
    """The reference model; or the bundled one, where the reference cannot be had here.

    Only for a user who named no model: one that was named is never swapped for another.
    """
    try:
        return find_model(REFERENCE, bars=bars)
    except (ModelUnavailableError, MissingExtraError) as error:
        if not has_bundled():
            raise
        return replace(bundled_model(), instead_of=error.message)
