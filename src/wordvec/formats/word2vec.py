r"""The text format of word2vec, with or without its header: one line for each token.

    V D                  the header; GloVe has none
    token 0.1 -0.2 …     D numbers; fastText ends each line with a space

D is that of the header, or the number of numbers at the end of most of the first lines. Tokens are
written with the escapes of `escaped_tokens`, which import reads back.
"""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.decimals import numbers_of
from wordvec.formats.escaped_tokens import escape_token
from wordvec.formats.reading import Reading
from wordvec.formats.sampling import (
    BOM,
    Header,
    count_dimensions,
    estimate_lines,
    first_lines,
    read_header,
)
from wordvec.formats.text_rows import (
    MOST_DIMENSIONS,
    Dialect,
    LineBlocks,
    Lines,
    Repaired,
    TokenDecoder,
    read_text_rows,
    shown_line,
)
from wordvec.formats.token_lines import read_token_lines, with_tokens
from wordvec.formats.written_rows import rows_with_first_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.compressed import open_decompressed
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wordvec.formats.reading import Block, ReadOptions
    from wordvec.tables.table import VectorTable


def read_word2vec(path: Path, options: ReadOptions) -> Reading:
    """Read word2vec's text; the header may be missing.

    Raises:
        StoreError: The file cannot be read, or its lines are not tokens with numbers.
    """
    lines = first_lines(path)
    return _reading(path, options, lines, read_header(lines[0]) if lines else None)


def read_glove(path: Path, options: ReadOptions) -> Reading:
    """Read the same text without a header, whatever its first line is."""
    return _reading(path, options, first_lines(path), None)


def _reading(
    path: Path, options: ReadOptions, lines: list[bytes], header: Header | None
) -> Reading:
    has_token = options.tokens is None
    dimensions = count_dimensions(lines[1:] if header else lines, has_token=has_token)
    if header:
        check_header(path, header)
        if dimensions > header.dimensions:
            raise StoreError(
                f"{display_path(path)}: its header says {header.dimensions:,} dimensions, "
                f"and most lines have {dimensions:,} numbers",
                hint='file_format="glove" reads a file without a header' if has_token else None,
            )
        dimensions = header.dimensions
    if not dimensions:
        line = lines[0].rstrip(b"\n") if lines else b""
        raise StoreError(f"{display_path(path)} is not vectors: line 1 is {shown_line(line)}")
    reading = Reading(iter(()), header.tokens if header else estimate_lines(path, lines))
    reading.blocks = _blocks(path, options, reading, header, dimensions)
    return reading


def check_header(path: Path, header: Header) -> None:
    """Raise StoreError for a number of dimensions that no model has."""
    if header.dimensions > MOST_DIMENSIONS:
        raise StoreError(
            f"{display_path(path)}: its header says {header.dimensions:,} dimensions, "
            f"and at most {MOST_DIMENSIONS:,} are read"
        )


def _blocks(
    path: Path, options: ReadOptions, reading: Reading, header: Header | None, dimensions: int
) -> Iterator[Block]:
    decoder = TokenDecoder(in_text=True)
    tokens = None if options.tokens is None else read_token_lines(options.tokens)
    has_token = tokens is None
    repair = partial(_repair, decoder=decoder, has_token=has_token)
    dialect = Dialect(dimensions, None, decoder.decode, repair, has_token)
    rows = 0
    with open_decompressed(path) as file:
        if file.read(3) != BOM:
            file.seek(0)
        blocks = LineBlocks(file, path)
        if header:
            file.readline()
            blocks.line = 2
        read = read_text_rows(blocks, dialect, path, options, reading)
        for block in with_tokens(read, tokens, path, options.limit):
            rows += len(block.rows)
            yield block
    reading.notes.extend(decoder.notes())
    note_count(reading, header, rows, options.limit)


def note_count(reading: Reading, header: Header | None, rows: int, limit: int | None) -> None:
    """Note that a file has another number of vectors than its header says."""
    if header and rows != header.tokens and (limit is None or rows < limit):
        reading.notes.append(f"the header says {header.tokens:,} vectors, the file has {rows:,}")


def _repair(lines: Lines, index: int, *, decoder: TokenDecoder, has_token: bool) -> Repaired | None:
    """Read a line whose fields are separated by any white space, or return None."""
    D, line = lines.rows.shape[1], lines.line(index)
    fields = line.rsplit(None, D) if has_token else line.split()
    if has_token and len(fields) == D and line[:1].isspace():
        fields.insert(0, b"")  # the empty token
    numbers = numbers_of(fields[-D:])
    if len(fields) != D + has_token or numbers is None:
        return None
    return Repaired(decoder.decode(fields[0]) if has_token else "", numbers)


def write_word2vec(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write `V D`, then each token with its numbers; nine digits give each float32 back.

    Of equal tokens only the first is written.
    """
    rows = rows_with_first_tokens(table)
    file.write(f"{len(rows)} {table.dimensions}\n".encode())
    _write_lines(table, rows, file, progress)


def write_glove(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the same without the header."""
    if table.vocabulary.tokens[0].startswith(BOM.decode()):
        file.write(BOM)  # reading removes one
    _write_lines(table, rows_with_first_tokens(table), file, progress)


def _write_lines(table: VectorTable, rows: list[int], file: IO[bytes], progress: Progress) -> None:
    tokens = table.vocabulary.tokens
    numbers = " ".join(["%.9g"] * table.dimensions)
    for done, row in enumerate(rows, start=1):
        values = numbers % tuple(table.vectors[row].tolist())
        file.write(f"{escape_token(tokens[row])} {values}\n".encode())
        if done % 256 == 0 or done == len(rows):
            progress(done, len(rows))
