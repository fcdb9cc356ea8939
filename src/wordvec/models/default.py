"""Which model is used when the user does not name one.

A model that the user named (an argument, a table name, WORDVEC_MODEL) is never replaced by another.
Without a name it is the reference model: to open a table, if one of its tables is saved; to
extract, if it can be downloaded. Otherwise it is the bundled model, and the caller shows a note.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from wordvec.errors import MissingExtraError, ModelUnavailableError
from wordvec.models.bundled import BUNDLED, bundled_model, has_bundled
from wordvec.models.find import find_model

if TYPE_CHECKING:
    from wordvec.models.source import ModelSource

REFERENCE = "cl-tohoku/bert-base-japanese-whole-word-masking"


def named_model(model: str | None = None) -> str | None:
    """Return the model that the user named: `model`, or else WORDVEC_MODEL, or else None."""
    return model or os.environ.get("WORDVEC_MODEL") or None


def default_model(*, reference_is_saved: bool) -> str:
    """Return the model whose tables are opened when the user did not name one."""
    return REFERENCE if reference_is_saved or not has_bundled() else BUNDLED


def find_default_model(*, show_progress: bool = False, static_only: bool = False) -> ModelSource:
    """Find the model to extract when the user did not name one; see `find_model`."""
    try:
        return find_model(REFERENCE, show_progress=show_progress, static_only=static_only)
    except (ModelUnavailableError, MissingExtraError) as error:
        if not has_bundled():
            raise
        return replace(bundled_model(), fallback_reason=error.message)
