"""CSV and TSV: a column of tokens and the columns of their numbers, or one column of lists.

Quoting is that of Python's `csv` module and of pandas. Lines without quotes are read many at once
(`text_rows`); a line with quotes that the fast path does not know is given to `csv`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.decimals import is_number, numbers_of
from wordvec.formats.matrix import refuse_damage
from wordvec.formats.reading import Block, Reading
from wordvec.formats.sampling import BOM, estimate_lines, first_lines
from wordvec.formats.text_rows import (
    LONGEST_LINE,
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
from wordvec.formats.token_lines import has_own_tokens, read_token_lines, with_tokens
from wordvec.formats.written_rows import rows_with_first_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.compressed import open_decompressed
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import ReadOptions
    from wordvec.tables.table import VectorTable

TOKEN_COLUMNS = ("token", "word", "text", "key", "label", "name")
_OTHER_HEADINGS = ("", "term", "lemma", "vocab", "index", "id", "w", "単語", "語", "見出し語")
CSV_SEPARATORS = ",;"
_SURE_NAMES = 3
_LEAST_COUNTED = 3  # headings 0, 1, 2 are a header under any name: a vector is hardly ever that
_LONGEST_RECORD = 1 << 18
_BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file.

    separator: between two fields. has_header: whether the first record is one. width: the number of
    columns. token: the column of the tokens, or None. numbers: the first column of numbers; they go
    on to the last one. in_list: how many numbers one column has, as `[0.1, 0.2]`; 0 if it has one.
    """

    separator: str
    has_header: bool
    width: int
    token: int | None
    numbers: int
    in_list: int = 0

    @property
    def dimensions(self) -> int:
        """D."""
        return self.in_list or self.width - self.numbers


def read_csv(path: Path, options: ReadOptions) -> Reading:
    """Read fields separated by commas, or by semicolons as where the comma is decimal.

    Raises:
        StoreError: The file cannot be read, or has no columns of tokens and numbers.
    """
    lines = first_lines(path)

    def dimensions(separator: str) -> int:
        columns = find_columns(lines, separator, has_token=options.tokens is None)
        return columns.dimensions if columns else 0

    return read_delimited(path, options, max(CSV_SEPARATORS, key=dimensions))


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
        if tokens is not None and find_columns(lines, separator) is not None:
            raise has_own_tokens(path)
        line = lines[0].rstrip(b"\r\n") if lines else b""
        raise StoreError(
            f"{display_path(path)} has no columns of tokens and numbers: "
            f"line 1 is {shown_line(line)}"
        )
    if tokens is not None:
        columns = _with_header_by_count(path, lines, columns, len(tokens))
    elif columns.token is not None and _tokens_are_numbers(lines, columns):
        raise StoreError(
            f"{display_path(path)} has no column of tokens",
            hint='tokens="FILE" names a file with one token per line',
        )
    reading = Reading(iter(()), estimate_lines(path, lines))
    read = _read_lists if columns.in_list else _read_numbers
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
    numeric = [_most(is_number(record[column]) for record in data) for column in range(width)]
    if not has_token:
        if not all(numeric):
            return None
        has_index = width > 1 and not first[0] and (_is_named(first[1:]) or _is_counted(first[1:]))
        is_header = has_index or _is_named(first)
        return Columns(separator, is_header, width, 0 if has_index else None, int(has_index))
    lists = [_most(is_list(record[column]) for record in data) for column in range(width)]
    if any(lists):
        column = lists.index(True)
        token = _token_column(first, [*range(column), *range(column + 1, width)])
        size = Counter(len(_list_numbers(record[column])) for record in data).most_common(1)[0][0]
        return Columns(separator, not is_list(first[column]), width, token, column, size)
    token = _token_column(first, [i for i in range(width) if not numeric[i]] or [0])
    start = width
    while start > token + 1 and numeric[start - 1]:
        start -= 1
    if start == width:
        return None
    return Columns(separator, _is_header(first[token], first[start:]), width, token, start)


def _most(flags: Iterable[bool]) -> bool:
    """Return whether most are true: a bad cell makes its line broken, not its column."""
    found = list(flags)
    return 2 * sum(found) >= len(found)


def _records(lines: Sequence[bytes], separator: str) -> list[list[str]]:
    """Return the records of some lines, without one that is cut off at their end."""
    reader = csv.reader(
        (line.decode(errors="replace") for line in lines), delimiter=separator, strict=True
    )
    records: list[list[str]] = []
    while True:
        try:
            records.append(next(reader))
        except StopIteration:
            return [record for record in records if record]
        except csv.Error:  # the next record starts on the next line
            continue


def _token_column(first: Sequence[str], texts: Sequence[int]) -> int:
    """Return the column whose heading says so, else the first column of text."""
    names = [name.strip().lower() for name in first]
    sure = [names.index(name) for name in TOKEN_COLUMNS[:_SURE_NAMES] if name in names]
    likely = [names.index(name) for name in TOKEN_COLUMNS if name in names]
    return [*sure, *(i for i in likely if i in texts), *texts][0]


def _is_header(token: str, fields: Sequence[str]) -> bool:
    """Return whether the fields above the numbers are names: text, or 0, 1, 2 as in pandas."""
    is_name = (
        token.strip().lower() in (*TOKEN_COLUMNS, *_OTHER_HEADINGS) or len(fields) >= _LEAST_COUNTED
    )
    return _is_named(fields) or (is_name and _is_counted(fields))


def _is_named(fields: Sequence[str]) -> bool:
    """Return whether most fields are not numbers."""
    return 2 * sum(map(is_number, fields)) < len(fields)


def _is_counted(fields: Sequence[str]) -> bool:
    """Return whether fields count from 0 or from 1."""
    return any(list(fields) == [str(i + start) for i in range(len(fields))] for start in (0, 1))


def _with_header_by_count(
    path: Path, lines: Sequence[bytes], columns: Columns, tokens: int
) -> Columns:
    """Tell a first line `0,1,2` that is a header from one that is a vector: by the lines."""
    first = lines[0].decode(errors="replace").rstrip("\r\n").split(columns.separator)
    if columns.has_header or not _is_counted(first):
        return columns
    with open_decompressed(path) as file:
        count = sum(1 for line in file if line.strip())
    return replace(columns, has_header=count == tokens + 1)


def is_list(field: str) -> bool:
    """Return whether a field is a list of numbers: `[0.1, 0.2]` or `[0.1 0.2]`."""
    field = field.strip()
    if not (field.startswith("[") and field.endswith("]")):
        return False
    numbers = _list_numbers(field)
    return bool(numbers) and all(map(is_number, numbers))


def _list_numbers(field: str) -> list[str]:
    return field.strip()[1:-1].replace(",", " ").split()


def _tokens_are_numbers(lines: Sequence[bytes], columns: Columns) -> bool:
    """Return whether every token is a number with a point: it is a column of numbers."""
    records = _records(lines, columns.separator)[columns.has_header :]
    tokens = [record[columns.token or 0] for record in records if len(record) == columns.width]
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
            (
                line.decode(errors="replace")
                for line in iter(partial(file.readline, LONGEST_LINE), b"")
            ),
            delimiter=columns.separator,
        )
        with refuse_damage(path, "CSV"):
            next(reader, None)
        blocks.line += reader.line_num
    return blocks


def _token_of(raw: bytes, *, columns: Columns, decoder: TokenDecoder) -> str | None:
    """Return the token in the text before the numbers, or None if it needs the csv module."""
    if columns.token is None:
        return ""
    if columns.numbers > 1:
        fields = _fields_of(raw, columns.separator)
        return None if fields is None or len(fields) != columns.numbers else fields[columns.token]
    if _has_surplus_number(raw, columns):
        return None
    if not raw.startswith(b'"'):
        return decoder.decode(raw)
    inner = raw[1:-1]
    if len(raw) < 2 or not raw.endswith(b'"') or b'"' in inner.replace(b'""', b""):
        return None
    return decoder.decode(inner.replace(b'""', b'"'))


def _has_surplus_number(raw: bytes, columns: Columns) -> bool:
    """Return whether the text before the D numbers of a line ends in one more number."""
    separator = columns.separator.encode()
    return separator in raw and is_number(raw.rsplit(separator, 1)[1])


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
        if not _has_surplus_number(raw, columns):
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
            map(decoder.decode, iter(partial(file.readline, LONGEST_LINE), b"")),
            delimiter=columns.separator,
        )
        for number, record in enumerate(_records_of(reader, path)):
            if number < columns.has_header or not record:
                continue
            if count == options.limit:
                break
            row = None
            if len(record) == columns.width and is_list(record[columns.numbers]):
                row = numbers_of([n.encode() for n in _list_numbers(record[columns.numbers])])
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
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
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
