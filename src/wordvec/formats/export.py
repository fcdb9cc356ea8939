"""A table as one file for other programs: the article's pickle, a bare array, word2vec's text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.pickles import dump_vectors
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, wrap_os_errors, write_atomically, write_npy
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
            raise StoreError(f"{display_path(path)} is no file")
        if path.exists() and not force:
            raise StoreError(f"{display_path(path)} is already there", hint="--force replaces it")
        if not path.parent.is_dir():
            raise StoreError(
                f"there is no folder {display_path(path.parent)}",
                hint=f"mkdir -p {shlex.quote(display_path(path.parent))}",
            )
        write_atomically(path, lambda file: _write(table, file, form, progress))
        respelled = len(_respelled(table)) if form is FileFormat.WORD2VEC else 0
        return Exported(path, path.stat().st_size, respelled)


def _write(table: VectorTable, file: IO[bytes], form: FileFormat, progress: Progress) -> None:
    if form is FileFormat.PICKLE:
        dump_vectors(table, file, progress)
    elif form is FileFormat.NPY:
        write_npy(file, table.vectors, "<f4", progress)
    else:
        _write_word2vec(table, file, progress)


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
