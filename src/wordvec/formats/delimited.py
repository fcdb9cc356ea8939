"""CSV and TSV: a column of tokens and the columns of their numbers, or one column of lists.

Quoting is that of Python's `csv` module and of pandas. Lines without quotes are read many at once
(`text_rows`); a line with quotes that the fast path does not know is given to `csv`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.decimals import numbers_of
from wordvec.formats.reading import Block, Reading
from wordvec.formats.sampling import BOM, estimate_lines, first_lines, is_number
from wordvec.formats.text_rows import (
    BrokenLines,
    Dialect,
    LineBlocks,
    Lines,
    NeedMoreLines,
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
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import ReadOptions
    from wordvec.tables.table import VectorTable

TOKEN_COLUMNS = ("token", "word", "text", "key", "label", "name")
_LONGEST_RECORD = 1 << 18
_BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file.

    separator: between two fields. has_header: whether the first record is one. width: the number of
    columns. token: the column of the tokens, or None. numbers: the first column of numbers; they go
    on to the last one. is_list: whether one column has all numbers, as `[0.1, 0.2]`.
    """

    separator: str
    has_header: bool
    width: int
    token: int | None
    numbers: int
    is_list: bool = False

    @property
    def dimensions(self) -> int:
        """D, the number of columns of numbers."""
        return self.width - self.numbers


def read_csv(path: Path, options: ReadOptions) -> Reading:
    """Read fields separated by commas.

    Raises:
        StoreError: The file cannot be read, or has no columns of tokens and numbers.
    """
    return read_delimited(path, options, ",")


def read_tsv(path: Path, options: ReadOptions) -> Reading:
    """Read fields separated by tabs, as `read_csv`."""
    return read_delimited(path, options, "\t")


def read_delimited(
    path: Path, options: ReadOptions, separator: str, tokens: list[str] | None = None
) -> Reading:
    """Read a file with a separator.

    tokens: those of the rows, if the file has only numbers; else `options.tokens` is read.
    """
    lines = first_lines(path)
    if tokens is None and options.tokens is not None:
        tokens = read_token_lines(options.tokens)
    columns = find_columns(lines, separator, has_token=tokens is None)
    if columns is None:
        line = lines[0].rstrip(b"\r\n") if lines else b""
        raise StoreError(
            f"{display_path(path)} has no columns of tokens and numbers: "
            f"line 1 is {shown_line(line)}"
        )
    if columns.token is not None and _tokens_are_numbers(lines, columns):
        raise StoreError(
            f"{display_path(path)} has no column of tokens",
            hint='tokens="FILE" names a file with one token per line',
        )
    reading = Reading(iter(()), estimate_lines(path, lines))
    read = _read_lists if columns.is_list else _read_numbers
    reading.blocks = read(path, options, reading, columns, tokens)
    return reading


def find_columns(
    lines: Sequence[bytes], separator: str, *, has_token: bool = True
) -> Columns | None:
    """Return the columns that most of the first records have; None if there are no vectors."""
    records = _records(lines, separator)
    width = Counter(map(len, records[1:] or records)).most_common(1)[0][0] if records else 0
    records = [record for record in records if len(record) == width]
    if not width or (has_token and width < 2):
        return None
    first, data = records[0], records[1:] or records
    numeric = [all(is_number(record[column]) for record in data) for column in range(width)]
    lists = [all(is_list(record[column]) for record in data) for column in range(width)]
    if any(lists) and has_token:
        column = lists.index(True)
        token = _token_column(first, [*range(column), *range(column + 1, width)])
        return Columns(separator, not is_list(first[column]), width, token, column, is_list=True)
    token = _token_column(first, [i for i in range(width) if not numeric[i]] or [0])
    start = width
    while start > (token + 1 if has_token else 0) and numeric[start - 1]:
        start -= 1
    if start == width or (start and not has_token):
        return None
    is_header = _is_header(first[token] if has_token else "", first[start:])
    return Columns(separator, is_header, width, token if has_token else None, start)


def _records(lines: Sequence[bytes], separator: str) -> list[list[str]]:
    reader = csv.reader((line.decode(errors="replace") for line in lines), delimiter=separator)
    records: list[list[str]] = []
    while True:
        try:
            records.append(next(reader))
        except StopIteration:
            return [record for record in records if record]
        except csv.Error:  # the next record starts on the next line
            continue


def _token_column(first: Sequence[str], columns: Sequence[int]) -> int:
    """Return the column whose heading says so, else the first one."""
    named = [i for i in columns if first[i].strip().lower() in TOKEN_COLUMNS]
    return (named or columns)[0]


def _is_header(token: str, fields: Sequence[str]) -> bool:
    """Return whether the fields above the numbers are names: text, or 0, 1, 2 as in pandas."""
    if not all(map(is_number, fields)):
        return True
    counted = [[str(i + start) for i in range(len(fields))] for start in (0, 1)]
    return list(fields) in counted and token.strip().lower() in ("", *TOKEN_COLUMNS)


def is_list(field: str) -> bool:
    """Return whether a field is a list of numbers: `[0.1, 0.2]` or `[0.1 0.2]`."""
    field = field.strip()
    if not (field.startswith("[") and field.endswith("]")):
        return False
    numbers = field[1:-1].replace(",", " ").split()
    return bool(numbers) and all(map(is_number, numbers))


def _tokens_are_numbers(lines: Sequence[bytes], columns: Columns) -> bool:
    """Return whether every token is a number with a point: it is a column of numbers."""
    records = _records(lines, columns.separator)[columns.has_header :]
    tokens = [record[columns.token or 0] for record in records if record]
    return len(tokens) > 1 and all(is_number(token) and "." in token for token in tokens)


def _read_numbers(
    path: Path,
    options: ReadOptions,
    reading: Reading,
    columns: Columns,
    tokens: list[str] | None,
) -> Iterator[Block]:
    """Yield blocks of a file with one number per column."""
    decoder = TokenDecoder(escapes=False)
    dialect = Dialect(
        columns.dimensions,
        ord(columns.separator),
        partial(_token_of, columns=columns, decoder=decoder),
        partial(_repair, columns=columns, decoder=decoder),
        has_token=columns.token is not None,
    )
    with open_decompressed(path) as file:
        blocks = _start(file, path, columns)
        read = read_text_rows(blocks, dialect, path, options, reading)
        yield from with_tokens(read, tokens, path, options.limit)
    reading.notes.extend(decoder.notes())


def _start(file: IO[bytes], path: Path, columns: Columns) -> LineBlocks:
    """Return the lines of a file after its byte order mark and its header."""
    if file.read(3) != BOM:
        file.seek(0)
    blocks = LineBlocks(file, path)
    if columns.has_header:  # it may have line breaks in quotes
        reader = csv.reader(
            (line.decode(errors="replace") for line in iter(file.readline, b"")),
            delimiter=columns.separator,
        )
        next(reader, None)
        blocks.line += reader.line_num
    return blocks


def _token_of(raw: bytes, *, columns: Columns, decoder: TokenDecoder) -> str | None:
    """Return the token in the text before the numbers, or None if it needs the csv module."""
    if columns.token is None:
        return ""
    if columns.numbers > 1:
        fields = _fields_of(raw, columns.separator)
        return None if fields is None else fields[columns.token]
    if not raw.startswith(b'"'):
        return decoder.decode(raw)
    inner = raw[1:-1]
    if len(raw) < 2 or not raw.endswith(b'"') or b'"' in inner.replace(b'""', b""):
        return None
    return decoder.decode(inner.replace(b'""', b'"'))


def _fields_of(raw: bytes, separator: str) -> list[str] | None:
    try:
        [fields] = csv.reader([raw.decode(errors="replace")], delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        return None
    return fields


def _repair(
    lines: Lines, index: int, *, columns: Columns, decoder: TokenDecoder
) -> Repaired | None:
    """Read one record with the csv module; a stray quote is a letter of the token."""
    literal = None
    if lines.good[index] and columns.numbers == 1:
        raw = lines.text[lines.starts[index] : lines.token_ends[index]]
        literal = Repaired(decoder.decode(raw), lines.rows[index])
    if literal is not None and columns.separator == "\t":  # TSV is often written without quoting
        return literal
    taken = 0

    def remaining() -> Iterator[str]:
        nonlocal taken
        for taken, line in enumerate(range(index, len(lines)), start=1):  # noqa: B007
            yield decoder.decode(lines.line(line)) + "\n"

    try:
        record = next(csv.reader(remaining(), delimiter=columns.separator, strict=True))
    except csv.Error:
        size = int(lines.ends[-1] - lines.starts[index])
        if taken == len(lines) - index and not lines.is_last and size < _LONGEST_RECORD:
            raise NeedMoreLines from None
        return literal
    numbers = numbers_of([field.encode() for field in record[columns.numbers :]])
    if len(record) != columns.width or numbers is None:
        return literal
    return Repaired("" if columns.token is None else record[columns.token], numbers, taken)


def _read_lists(
    path: Path,
    options: ReadOptions,
    reading: Reading,
    columns: Columns,
    _tokens: list[str] | None,
) -> Iterator[Block]:
    """Yield blocks of a file whose numbers are in one column, with the csv module."""
    import numpy as np

    dialect = Dialect(0, None, lambda raw: raw.decode(), lambda _lines, _i: None)
    broken = BrokenLines(path, dialect, skip=options.skip_bad)
    broken.expected = "a token and a list of numbers"
    decoder = TokenDecoder(escapes=False)
    tokens: list[str] = []
    rows: list[NDArray[np.float32]] = []
    count = 0
    with open_decompressed(path) as file:
        if file.read(3) != BOM:
            file.seek(0)
        reader = csv.reader(
            map(decoder.decode, iter(partial(file.readline, _LONGEST_RECORD * 64), b"")),
            delimiter=columns.separator,
        )
        for number, record in enumerate(_records_of(reader, path)):
            if number < columns.has_header or not record:
                continue
            if count == options.limit:
                break
            row = None
            if len(record) == columns.width and is_list(record[columns.numbers]):
                inner = record[columns.numbers].strip()[1:-1]
                row = numbers_of(inner.replace(",", " ").encode().split())
            if row is None or (dialect.dimensions and len(row) != dialect.dimensions):
                broken.add(reader.line_num, columns.separator.join(record)[:400].encode())
                continue
            dialect.dimensions = len(row)
            broken.expected = f"a token and a list of {len(row)} numbers"
            tokens.append(record[columns.token or 0])
            rows.append(row)
            count += 1
            if len(rows) == _BLOCK_ROWS:
                yield Block(tokens, np.stack(rows))
                tokens, rows = [], []
    if rows:
        yield Block(tokens, np.stack(rows))
    reading.notes.extend((*broken.notes(), *decoder.notes()))


def _records_of(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_RECORD * 64))
    try:
        yield from reader
    except csv.Error as error:
        raise StoreError(f"{display_path(path)} cannot be read as CSV: {error}") from error


def write_csv(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write a header and one record per token: `token,0,1,…`. Nine digits give each float32 back.

    Of equal tokens only the first is written.
    """
    write_delimited(table, file, progress, ",")


def write_tsv(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the same with tabs."""
    write_delimited(table, file, progress, "\t")


def write_delimited(
    table: VectorTable, file: IO[bytes], progress: Progress, separator: str
) -> None:
    """Write a table with a separator between the fields."""
    rows, tokens = rows_with_first_tokens(table), table.vocabulary.tokens
    file.write(separator.join(["token", *map(str, range(table.dimensions))]).encode() + b"\n")
    numbers = separator.join(["%.9g"] * table.dimensions)
    for done, row in enumerate(rows, start=1):
        values = numbers % tuple(table.vectors[row].tolist())
        line = f"{_quoted(tokens[row], separator)}{separator}{values}\n"
        file.write(line.encode(errors="backslashreplace"))
        if done % 256 == 0 or done == len(rows):
            progress(done, len(rows))


def _quoted(token: str, separator: str) -> str:
    """Return a field as the csv module writes it, in quotes where a reader needs them."""
    if token and not any(char in token for char in (separator, '"', "\n", "\r")):
        return token
    field = io.StringIO()
    csv.writer(field, quoting=csv.QUOTE_ALL, lineterminator="").writerow([token])
    return field.getvalue()
