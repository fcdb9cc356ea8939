"""The bundled model, `mini`: a small Japanese BERT inside the package."""

from __future__ import annotations

from pathlib import Path

from wordvec.errors import ModelError
from wordvec.models.folder import CONFIG, fingerprint
from wordvec.models.source import ModelSource

MINI = "mini"


def bundled_folder() -> Path:
    """Where the bundled model lies inside the package."""
    return Path(__file__).parent.parent / "data" / MINI


def has_bundled() -> bool:
    """Whether this installation brought the bundled model."""
    return (bundled_folder() / CONFIG).is_file()


def bundled_model() -> ModelSource:
    """Give the bundled model; an error where this installation came without it."""
    if not has_bundled():
        raise ModelError(
            f"this installation of wordvec came without its bundled model, {MINI}",
            hint="name another: --model FOLDER or --model OWNER/NAME",
        )
    return ModelSource(MINI, bundled_folder(), fingerprint(bundled_folder()))


def elsewhere() -> str:
    """What else to name where a model cannot be had."""
    return f"--model {MINI} or --model FOLDER" if has_bundled() else "--model FOLDER"
