"""The formats of answers on standard output: text with aligned columns, JSON, JSON lines and TSV.

Text has colours on a terminal only, and never if `NO_COLOR` is set.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wordvec import text
from wordvec.analysis.display import OutputStyle, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wordvec.analysis.result import Result
    from wordvec.errors import ExpressionError


class Format(StrEnum):
    """How a command prints its answer."""

    TEXT = "text"
    JSON = "json"  # one list
    JSONL = "jsonl"  # one object per line
    TSV = "tsv"
    SAFE_CSV = "safe-csv"  # TSV in which no cell is a formula


def size_text(size: int) -> str:
    """Return a number of bytes with its unit.

    >>> size_text(999), size_text(13_254), size_text(98_934_079)
    ('999 B', '13 kB', '98.9 MB')
    """
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.1f} {unit}" if unit == "MB" else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def write_lines(lines: Iterable[str]) -> None:
    """Print lines to standard output, each as soon as it is there."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def print_report(
    output_format: Format, results: Iterable[Result[Any]], *, tables: Sequence[str] = ()
) -> None:
    """Print results in one of the formats, each as soon as it is there.

    Args:
        output_format: how to print them.
        results: of one command. A header is printed where it is not that of the result before.
        tables: the name of the table of each result, if there are several tables: then TSV has a
            column `table`.
    """
    print_formatted(
        output_format,
        json=(result.to_dict() for result in results),
        tsv=_tsv_rows(results, tables),
        text=lambda style: _text_lines(results, style),
    )


def _tsv_rows(results: Iterable[Result[Any]], tables: Sequence[str]) -> Iterator[list[object]]:
    """Yield the heading once, then the rows of all results."""
    for i, result in enumerate(results):
        heading, *rows = result.tsv_rows()
        if i == 0:
            yield [*heading[:1], *(["table"] if tables else []), *heading[1:]]
        for row in rows:
            yield [*row[:1], *tables[i : i + 1], *row[1:]]


def _text_lines(results: Iterable[Result[Any]], style: OutputStyle) -> Iterator[str]:
    before: list[str] = []
    for result in results:
        header = result.header_lines(style)
        if header != before:
            yield from [*([""] if before else []), *header]
            before = header
        yield "\n".join(result.body_lines(style))  # one write is faster than one a line


def print_formatted(
    output_format: Format,
    *,
    json: Iterable[Mapping[str, object]],
    tsv: Iterable[Iterable[object]],
    text: Callable[[OutputStyle], Iterable[str]],
) -> None:
    """Print a report in one of the formats. Only the iterable of that format is consumed.

    Args:
        output_format: which of the others to print.
        json: the objects, for JSON and JSON lines.
        tsv: the rows of values, the heading first.
        text: returns the lines for a terminal.
    """
    match output_format:
        case Format.JSON:
            write_lines(_json_list(json))
        case Format.JSONL:
            write_lines(map(_json_text, json))
        case Format.TSV:
            write_lines(map(tsv_line, tsv))
        case Format.SAFE_CSV:
            write_lines(tsv_line(row, safe=True) for row in tsv)
        case Format.TEXT:
            write_lines(text(OutputStyle.of(sys.stdout)))


def _json_list(objects: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield the lines of one JSON list, with one object per line."""
    start = "["
    for value in objects:
        yield f"{start}{_json_text(value)}"
        start = ","
    yield "[]" if start == "[" else "]"


def _json_text(value: object) -> str:
    # json escapes C0 alone; \\u0085 and \\u202e are escapes of JSON too
    return text.escape_controls(json.dumps(value, ensure_ascii=False, allow_nan=False))


_TSV_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
# What a spreadsheet takes for a formula when a cell begins with it; and the sign against it.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'", "\t", "\r")


def tsv_line(values: Iterable[object], *, safe: bool = False) -> str:
    r"""Return a line of TSV.

    A backslash, tab, line break or control character in a value is written `\\`, `\t`, `\n`, `\r`
    or `\u…`, so that it can be read back. safe: put a `'` before text that a spreadsheet would run,
    and before a `'` at the start.
    """
    return "\t".join(_tsv_value(value, safe=safe) for value in values)


def _tsv_value(value: object, *, safe: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    guard = "'" if safe and value.startswith(_FORMULA_STARTS) else ""
    return guard + text.escape_controls(value.translate(_TSV_ESCAPES))


def caret_lines(error: ExpressionError, cells: int) -> tuple[str, str]:
    r"""Return the source of an expression and a line of carets below the place of the error.

    Places are counted in terminal cells. The source is cut to fit the terminal.

    >>> from wordvec.errors import ExpressionError
    >>> error = ExpressionError("expected + or -", source="王 男", start=2, end=3)
    >>> print(*caret_lines(error, 80), sep="\n")
    王 男
       ^^
    """
    before = one_line(error.source[: error.start])
    place = one_line(error.source[error.start : error.end])
    after = one_line(error.source[error.end :])
    room = max(cells - 2 - 1, 16)  # the indent, and one cell so that the line does not wrap
    whole = before + place + after
    if len(whole) > room * text.MOST_PER_CELL or text.width(whole) > room:
        before = _clip_left(before, room // 2)
        place = text.clip(place, room // 2)
        after = text.clip(after, max(room - text.width(before + place), 1))
    caret = " " * text.width(before) + "^" * max(text.width(place), 1)
    return before + place + after, caret


def _clip_left(source: str, cells: int) -> str:
    most = cells * text.MOST_PER_CELL
    if len(source) <= most and text.width(source) <= cells:
        return source
    source = source[-most:]
    start = len(source)
    while start and text.width(source[start - 1 :]) < cells:
        start -= 1
    return f"…{source[start:]}"
