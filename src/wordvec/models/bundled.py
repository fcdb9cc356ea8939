"""The bundled model "mini": a small Japanese BERT inside the package."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError
from wordvec.models.folder import CONFIG, fingerprints
from wordvec.models.source import ModelSource

BUNDLED = "mini"


def bundled_folder() -> Path:
    """Return the folder of the bundled model."""
    return Path(__file__).parent.parent / "data" / BUNDLED


def has_bundled() -> bool:
    """Return whether this installation includes the bundled model."""
    return (bundled_folder() / CONFIG).is_file()


def bundled_model() -> ModelSource:
    """Return the bundled model, or raise ModelError if this installation does not include it."""
    if not has_bundled():
        raise ModelError(
            f'this installation of wordvec does not include the bundled model "{BUNDLED}"',
            hint='use another model: model="FOLDER" or model="OWNER/NAME"',
        )
    return ModelSource(BUNDLED, bundled_folder(), fingerprints(bundled_folder()).whole)


def model_alternatives() -> str:
    """Return what to pass instead of a model that is not available, for a hint."""
    bundled = f'model="{BUNDLED}" or ' if has_bundled() else ""
    return f'{bundled}model="FOLDER"'
