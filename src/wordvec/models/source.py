"""A model on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model on this machine.

    name: what its tables are filed under. revision: the hub's commit, else the checksum of the
    files that make its vectors (a folder's weights can change under the same name).
    instead_of: why this model was taken though nobody named it and the reference was meant.
    """

    name: str
    folder: Path
    revision: str | None = None
    instead_of: str | None = None
