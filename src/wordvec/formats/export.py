"""Export a table to one file for other programs; the suffix of the file says its format.

Every format carries the tokens. Those that hold only numbers get a second file with the tokens
beside the first one.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError, UsageError, as_choice
from wordvec.formats.escaped_tokens import escape_line, respelled
from wordvec.formats.file_format import FileFormat
from wordvec.formats.projector import metadata_path, write_metadata
from wordvec.formats.registry import FORMATS, writable_formats, writer_of
from wordvec.formats.token_lines import tokens_beside, write_token_lines
from wordvec.formats.written_rows import rows_with_first_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, wrap_os_errors, write_atomically
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.formats.registry import Writer
    from wordvec.tables.table import VectorTable

STANDARD_OUTPUT = "-"
_GZIP = ".gz"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The file that was written.

    path: None for standard output. bytes: the size of the file.
    tokens_path: the second file, with the tokens, if the format needs one.
    notes: what the user should know about the content.
    """

    path: Path | None
    bytes: int
    file_format: FileFormat
    tokens_path: Path | None = None
    notes: tuple[str, ...] = ()


def export_table(
    table: VectorTable,
    path: Path | str,
    file_format: FileFormat | str | None = None,
    *,
    force: bool = False,
    progress: Progress = no_progress,
) -> ExportResult:
    """Write a table to a file. On failure, the file is as it was before.

    Args:
        table: The table.
        path: The file; "-" is standard output. A symbolic link stays one: its target is written.
            A text format ending in `.gz` is compressed.
        file_format: A name of `FileFormat`; None for that of the suffix.
        force: Replace the file if it exists.
        progress: Called with the number of rows written and V.

    Raises:
        UsageError: The format is unknown, or does not go with the suffix.
        StoreError: The file exists and `force` is false, or it cannot be written.
    """
    chosen = None if file_format is None else as_choice(FileFormat, file_format, "file format")
    if str(path) == STANDARD_OUTPUT:
        return _write_to_stdout(table, chosen, progress)
    path = Path(path)
    written, compressed = format_of(path, chosen)
    writer = writer_of(written)
    if compressed:
        writer = _compressing(writer)
    with wrap_os_errors(path, hint=None):
        path = path.resolve()
        beside = _path_of_tokens(path, written)
        for file in filter(None, (path, beside)):
            _check_writable(file, force=force)
        write_atomically(path, lambda file: writer(table, file, progress))
        if beside is not None:
            tokens = table.vocabulary.tokens
            write = write_metadata if written is FileFormat.PROJECTOR else write_token_lines
            write_atomically(beside, lambda file: write(tokens, file))
        size = path.stat().st_size
    notes = (*_notes(table, written), *_beside_notes(beside))
    return ExportResult(path, size, written, beside, notes)


def format_of(path: Path, chosen: FileFormat | None) -> tuple[FileFormat, bool]:
    """Return the format of a file to write, and whether it is compressed.

    Raises:
        UsageError: No format has the suffix, or it is that of another format than `chosen`.
    """
    compressed = path.suffix.lower() == _GZIP
    suffix = Path(path.stem).suffix.lower() if compressed else path.suffix.lower()
    formats = [one for one in writable_formats() if suffix in FORMATS[one].suffixes]
    if chosen is None:
        if not formats:
            raise _unknown_suffix(path)
        chosen = formats[0]
    elif chosen not in writable_formats():
        raise UsageError(
            f"{chosen} is not written: expected {', '.join(map(str, writable_formats()))}"
        )
    elif formats and chosen not in formats:
        raise UsageError(
            f"{display_path(path)} has the suffix of {formats[0]}, not of {chosen}",
            hint=f"use {' or '.join(FORMATS[chosen].suffixes)}",
        )
    if compressed and not FORMATS[chosen].is_text:
        raise UsageError(f"{chosen} is not written with {_GZIP}: only text formats are")
    return chosen, compressed


def _unknown_suffix(path: Path) -> UsageError:
    suffixes = dict.fromkeys(
        suffix for one in writable_formats() for suffix in FORMATS[one].suffixes
    )
    return UsageError(
        f"the suffix of {display_path(path)} is that of no format: expected "
        f"{', '.join(suffixes)}, or {_GZIP} after one of text",
        hint='file_format="word2vec" names the format of a file with another suffix',
    )


def _write_to_stdout(
    table: VectorTable, chosen: FileFormat | None, progress: Progress
) -> ExportResult:
    if chosen is None:
        raise UsageError(
            "standard output has no suffix that names the format", hint='file_format="word2vec"'
        )
    format_of(Path(STANDARD_OUTPUT), chosen)
    counted = _Counted(sys.stdout.buffer)
    writer_of(chosen)(table, counted, progress)  # type: ignore[arg-type]  # writers only write
    counted.flush()
    notes = _notes(table, chosen)
    if _path_of_tokens(Path(STANDARD_OUTPUT), chosen) is not None:
        notes = (*notes, f"{chosen} does not contain the tokens")
    return ExportResult(None, counted.size, chosen, None, notes)


class _Counted:
    """A stream that cannot seek, and the number of bytes written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.size = 0
        self._stream = stream

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data."""
        written = self._stream.write(data)
        self.size += written
        return written

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._stream.flush()

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.size

    def seekable(self) -> bool:
        """Return False."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    closed = False


def _compressing(writer: Writer) -> Writer:
    def write(table: VectorTable, file: IO[bytes], progress: Progress) -> None:
        import gzip

        # without the time and the name: equal tables give equal files
        with gzip.GzipFile(
            filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6
        ) as zipped:
            writer(table, zipped, progress)  # type: ignore[arg-type]  # a binary stream

    return write


def _path_of_tokens(path: Path, file_format: FileFormat) -> Path | None:
    """Return the second file of a format that holds only numbers."""
    if FORMATS[file_format].tokens_beside:
        return tokens_beside(path)
    return metadata_path(path) if file_format is FileFormat.PROJECTOR else None


def _check_writable(path: Path, *, force: bool) -> None:
    if path.exists() and not path.is_file():
        raise StoreError(f"{display_path(path)} is not a file")
    if path.exists() and not force:
        raise StoreError(f"{display_path(path)} already exists", hint="force=True replaces it")
    if path.parent.is_file():
        raise StoreError(f"{display_path(path.parent)} is a file, not a folder")
    if not path.parent.is_dir():
        raise StoreError(
            f"the folder {display_path(path.parent)} does not exist",
            hint=f"mkdir -p {shlex.quote(display_path(path.parent))}",
        )


def _beside_notes(beside: Path | None) -> Iterator[str]:
    if beside is not None:
        yield f"the tokens are in {display_path(beside)}"


def _notes(table: VectorTable, file_format: FileFormat) -> tuple[str, ...]:
    """Return what the format could not hold as it is."""
    tokens = table.vocabulary.tokens
    notes = []
    entry = FORMATS[file_format]
    spelled: dict[int, str] = {}
    if entry.escaped:
        spelled = respelled(tokens)
        why = "spaces, line breaks or an empty token"
    elif entry.tokens_beside:
        spelled = _changed(tokens, escape_line)
        why = "line breaks in its file of tokens"
    elif file_format in (FileFormat.CSV, FileFormat.TSV):
        spelled = _changed(tokens, lambda token: token.encode(errors="backslashreplace").decode())
        why = "lone surrogates"
    if spelled:
        notes.append(
            f"{len(spelled):,} tokens are respelled, because {file_format} cannot hold {why}: "
            f"{_shown({row: f'as {new}' for row, new in spelled.items()}, table)}"
        )
    if rare := table.vocabulary.rare:
        what = "left out" if entry.keyed else "written as zeros"
        notes.append(f"{len(rare):,} tokens are too rare to have a vector: {what}")
    rows = set(range(len(table))) - rare.keys()
    if entry.keyed and (left_out := rows - set(rows_with_first_tokens(table))):
        notes.append(
            f"{len(left_out):,} rows are left out, because their tokens occur before: "
            f"{_shown(dict.fromkeys(sorted(left_out), ''), table)}"
        )
    return tuple(notes)


def _changed(tokens: tuple[str, ...], spell: Callable[[str], str]) -> dict[int, str]:
    spellings = ((row, token, spell(token)) for row, token in enumerate(tokens))
    return {row: new for row, token, new in spellings if new != token}


def _shown(rows: dict[int, str], table: VectorTable) -> str:
    """Return the first of some rows for a note, each with its token."""
    tokens = table.vocabulary.tokens
    first = [
        f'#{row} "{escape(tokens[row]) if tokens[row] else ""}" {detail}'.rstrip()
        for row, detail in list(rows.items())[:_SHOWN]
    ]
    return ", ".join([*first, "…"] if len(rows) > _SHOWN else first)
