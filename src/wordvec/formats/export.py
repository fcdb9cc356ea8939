"""Export a table to one file for other programs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, as_choice
from wordvec.formats.article_pickle import write_pickle
from wordvec.formats.npy import write_npy
from wordvec.formats.word2vec import escaped_tokens, write_word2vec
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, wrap_os_errors, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.table import VectorTable


class FileFormat(StrEnum):
    """A file format that a table can be written in."""

    PICKLE = "pickle"  # {id: (D,) float32 array}, as in the article
    NPY = "npy"  # the (V, D) array alone
    WORD2VEC = "word2vec"  # a token and its numbers on each line


_WRITERS = {
    FileFormat.PICKLE: write_pickle,
    FileFormat.NPY: write_npy,
    FileFormat.WORD2VEC: write_word2vec,
}


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The file that was written.

    bytes: its size.
    respelled: the number of tokens written with escapes, which only word2vec needs.
    """

    path: Path
    bytes: int
    respelled: int = 0


def export_table(
    table: VectorTable,
    path: Path,
    file_format: FileFormat | str,
    *,
    force: bool = False,
    progress: Progress = no_progress,
) -> ExportResult:
    """Write a table to a file. On failure, the file is as it was before.

    Args:
        table: The table.
        path: The file. A symbolic link stays one: its target is written.
        file_format: "pickle", "npy" or "word2vec".
        force: Replace the file if it exists.
        progress: Called with the number of rows written and V.

    Raises:
        UsageError: The format is unknown.
        StoreError: The file exists and `force` is false, or it cannot be written.
    """
    writer = _WRITERS[as_choice(FileFormat, file_format, "file format")]
    with wrap_os_errors(path):
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise StoreError(f"{display_path(path)} is not a file")
        if path.exists() and not force:
            raise StoreError(f"{display_path(path)} already exists", hint="force=True replaces it")
        if not path.parent.is_dir():
            raise StoreError(
                f"the folder {display_path(path.parent)} does not exist",
                hint=f"mkdir -p {shlex.quote(display_path(path.parent))}",
            )
        write_atomically(path, lambda file: writer(table, file, progress))
        respelled = len(escaped_tokens(table)) if writer is write_word2vec else 0
        return ExportResult(path, path.stat().st_size, respelled)
