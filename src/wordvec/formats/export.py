"""A table as one file for other programs: the article's pickle, a bare array, word2vec's text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.article_pickle import write_pickle
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import BLOCK_ROWS, npy_header, shown, wrap_os_errors, write_whole
from wordvec.text import escape

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.tables.table import VectorTable


class FileFormat(StrEnum):
    """What a table can be written as."""

    PICKLE = "pickle"  # {id: (D,) float32 array}, as in the article
    NPY = "npy"  # the (V, D) array alone
    WORD2VEC = "word2vec"  # a token and its numbers on each line, as gensim and others read


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. respelled: tokens written with escapes, as word2vec needs."""

    path: Path
    bytes: int
    respelled: int = 0


def export_table(
    table: VectorTable,
    path: Path,
    form: FileFormat,
    *,
    force: bool = False,
    progress: Progress = no_progress,
) -> Exported:
    """Write a table to `path`, whole or not at all; with `force` in the place of another file."""
    with wrap_os_errors(path):
        path = path.resolve()  # a link stays one
        if path.exists() and not path.is_file():
            raise StoreError(f"{shown(path)} is no file")
        if path.exists() and not force:
            raise StoreError(f"{shown(path)} is already there", hint="--force replaces it")
        if not path.parent.is_dir():
            raise StoreError(
                f"there is no folder {shown(path.parent)}",
                hint=f"mkdir -p {shlex.quote(shown(path.parent))}",
            )
        write_whole(path, lambda file: _write(table, file, form, progress))
        respelled = len(_respelled(table)) if form is FileFormat.WORD2VEC else 0
        return Exported(path, path.stat().st_size, respelled)


def _write(table: VectorTable, file: IO[bytes], form: FileFormat, progress: Progress) -> None:
    if form is FileFormat.PICKLE:
        write_pickle(table, file, progress)
    elif form is FileFormat.NPY:
        _write_npy(table, file, progress)
    else:
        _write_word2vec(table, file, progress)


def _write_npy(table: VectorTable, file: IO[bytes], progress: Progress) -> None:
    import numpy as np

    V = len(table)
    file.write(npy_header(table.vectors.shape, "<f4"))
    for start in range(0, V, BLOCK_ROWS):
        rows = np.ascontiguousarray(table.vectors[start : start + BLOCK_ROWS], dtype="<f4")
        file.write(rows.data.cast("B"))
        progress(start + len(rows), V)


def _write_word2vec(table: VectorTable, file: IO[bytes], progress: Progress) -> None:
    """One line a token; nine digits give each float32 back."""
    V, D = len(table), table.dimensions
    file.write(f"{V} {D}\n".encode())
    respelled = _respelled(table)
    numbers = " ".join(["%.9g"] * D)
    for row, token in enumerate(table.vocabulary.tokens):
        line = f"{respelled.get(row, token)} {numbers % tuple(table.vectors[row].tolist())}\n"
        file.write(line.encode())
        if row % 256 == 255 or row == V - 1:
            progress(row + 1, V)


def _respelled(table: VectorTable) -> dict[int, str]:
    r"""Tokens that would break a line apart (empty, with spaces), escaped: `""`, `\\u0020`."""
    spelled = {
        row: escape(token).replace(" ", "\\u0020")
        for row, token in enumerate(table.vocabulary.tokens)
    }
    return {row: new for row, new in spelled.items() if new != table.vocabulary.tokens[row]}
