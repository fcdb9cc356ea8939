"""A model on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model on this machine.

    name: The model's part of its tables' names.
    folder: The folder of its files.
    revision: The hub's commit, or a checksum of the files: those in a folder can change.
    static_revision: The same, of the files that static vectors depend on; it differs from
        `revision` if the weights are in several files. None: it does not.
    fallback_reason: Why this model replaces the reference model; None if it does not.
    """

    name: str
    folder: Path
    revision: str | None = None
    static_revision: str | None = None
    fallback_reason: str | None = None
