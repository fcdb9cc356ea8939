"""Replacing a table so that readers always find the old one or the new one.

Folders cannot be exchanged in one step on every system. The old table is renamed to `.old`, the new
one is renamed into place, and the old one is removed. A process killed between the two renames
leaves the old table under `.old`, where readers find it; the next writer restores it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from wordvec.tables.files import (
    abandoned_files,
    map_npy,
    remove_folder,
    sha256_of,
    sum_of_rows,
    sync_folder,
    write_atomically,
    write_npy,
)
from wordvec.tables.manifest import FileRecord, Manifest, json_bytes
from wordvec.tables.paths import (
    CHECKPOINT,
    COUNTS,
    DERIVED,
    MANIFEST,
    NORMS,
    RECORD,
    RESULTANTS,
    TOKENS,
    VECTORS,
    TablePaths,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wordvec.tables.table import VectorTable


def complete_table(folder: Path, table: VectorTable, settings: dict[str, object]) -> None:
    """Write what a folder with `vectors.npy` lacks; the manifest comes last."""
    from datetime import UTC, datetime

    import numpy as np

    tokens, tokenizer = json_bytes(table.vocabulary.to_json()), table.vocabulary.tokenizer
    write_atomically(folder / NORMS, lambda file: write_npy(file, table.norms, "<f8"))
    write_atomically(folder / TOKENS, lambda file: file.write(tokens))
    names = [VECTORS, NORMS, TOKENS]
    if table.occurrences is not None:
        counts, resultants = table.occurrences.counts, table.occurrences.resultants
        write_atomically(folder / COUNTS, lambda file: write_npy(file, counts, "<i8"))
        write_atomically(folder / RESULTANTS, lambda file: write_npy(file, resultants, "<f8"))
        names += [COUNTS, RESULTANTS]
    if tokenizer is not None:
        content = tokenizer.read()
        write_atomically(folder / tokenizer.kind, lambda file: file.write(content))
        names.append(tokenizer.kind.value)
    files = {
        name: FileRecord((folder / name).stat().st_size, sha256_of(folder / name)) for name in names
    }
    provenance = replace(
        table.provenance,
        created=table.provenance.created or datetime.now(UTC).isoformat(timespec="seconds"),
        checksum=files[VECTORS].sha256,
        non_finite_rows=tuple(
            np.setdiff1d(
                np.flatnonzero(~np.isfinite(table.norms)), table.vocabulary.ids_without_vector
            ).tolist()
        ),
    )
    shape = (len(table), table.dimensions)
    total = sum_of_rows(map_npy(folder / VECTORS, shape, "<f4"))
    manifest = Manifest(provenance, *shape, settings, files, total)
    write_atomically(folder / MANIFEST, lambda file: file.write(manifest.to_bytes()))


def swap_in(new: Path, paths: TablePaths) -> None:
    """Rename the complete table `new` into place. The caller has the lock."""
    if paths.table.exists():
        paths.table.rename(paths.old)
    new.rename(paths.table)
    sync_folder(paths.table.parent)
    with suppress(OSError):  # open in a reader on Windows: the next writer removes it
        remove_folder(paths.old)


def recover_interrupted_write(paths: TablePaths) -> None:
    """Clean up after writers that were killed. The caller has the lock."""
    if paths.old.exists() and not paths.table.exists():
        paths.old.rename(paths.table)
    for folder in leftover_folders(paths):
        remove_folder(folder)
    for file in leftover_files(paths):
        file.unlink(missing_ok=True)
    if (paths.table / MANIFEST).exists():
        (paths.table / RECORD).unlink(missing_ok=True)


def leftover_folders(paths: TablePaths) -> list[Path]:
    """Return the folders that writers left behind, if none is at work now."""
    found = [paths.new, paths.table / CHECKPOINT]
    if paths.table.exists():
        found.append(paths.old)
    if not (paths.draft / RECORD).exists():
        found.append(paths.draft)
    return [folder for folder in found if folder.exists()]


def leftover_files(paths: TablePaths) -> Iterator[Path]:
    """Yield the files that writers left behind in a table, its cache and its draft."""
    for folder in (paths.table, paths.table / DERIVED, paths.draft):
        yield from abandoned_files(folder)
