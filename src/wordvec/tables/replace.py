"""A new table takes the old one's place, and at no moment is there neither.

Folders cannot be exchanged in one step on every system. The old one is renamed aside, the new one
renamed in, then the old one is removed; who is killed between the two renames leaves the old one
under `.old`, where readers find it, and the next maker puts it back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from wordvec.tables.files import remove_folder, sha256_of, sync_folder, write_new, write_npy
from wordvec.tables.manifest import FileRecord, Manifest, json_bytes
from wordvec.tables.paths import MANIFEST, NORMS, TOKENS, VECTORS, Place

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.table import VectorTable


def complete(
    folder: Path, table: VectorTable, *, vectors_checksum: str, settings: dict[str, object]
) -> None:
    """Write what a table has besides its vectors, the manifest last, all of it synced."""
    from dataclasses import replace

    import numpy as np

    norms_checksum = write_npy(folder / NORMS, table.norms, "<f8")
    write_new(folder / TOKENS, json_bytes(table.vocabulary.to_json()))
    checksums = {
        VECTORS: vectors_checksum,
        NORMS: norms_checksum,
        TOKENS: sha256_of(folder / TOKENS),
    }
    manifest = Manifest(
        provenance=replace(
            table.provenance,
            created=table.provenance.created or _now(),
            checksum=vectors_checksum,
            non_finite_rows=tuple(int(row) for row in np.flatnonzero(~np.isfinite(table.norms))),
        ),
        tokens=len(table),
        dimensions=table.dimensions,
        special_ids=tuple(table.vocabulary.special_ids),
        settings=settings,
        files={
            name: FileRecord((folder / name).stat().st_size, checksum)
            for name, checksum in checksums.items()
        },
    )
    write_new(folder / MANIFEST, manifest.to_bytes())
    sync_folder(folder)


def swap_in(new: Path, place: Place) -> None:
    """Rename the whole table `new` into its place; the lock is held."""
    parent = place.table.parent
    if place.table.exists():
        place.table.rename(place.old)
        try:
            new.rename(place.table)
        except BaseException:
            with suppress(OSError):
                place.old.rename(place.table)
            raise
        sync_folder(parent)
        with suppress(OSError):  # a reader on Windows holds it: the next maker removes it
            remove_folder(place.old)
    else:
        new.rename(place.table)
    sync_folder(parent)


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds")
