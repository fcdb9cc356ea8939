"""The formats of answers on standard output: text with aligned columns, JSON, JSON lines and TSV.

Text has colours on a terminal only, and never if `NO_COLOR` is set.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TextIO

from wordvec import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wordvec.errors import ExpressionError


class Format(StrEnum):
    """How a command prints its answer."""

    TEXT = "text"
    JSON = "json"  # one list
    JSONL = "jsonl"  # one object per line
    TSV = "tsv"


_ATTRIBUTES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class OutputStyle:
    """What a terminal can show: colours or not, and its width in cells, if it has one."""

    colour: bool = False
    cells: int | None = None

    @classmethod
    def of(cls, stream: TextIO) -> Self:
        """Return the style for a stream. A terminal has colours, unless NO_COLOR is set."""
        try:
            if not stream.isatty():
                return cls()
            cells = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno())[0]
        except (OSError, ValueError):
            cells = 0
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(colour=not plain, cells=cells or None)

    def paint(self, words: str, attribute: str | None) -> str:
        """Return a text in bold, dim, red, green, yellow or cyan, if there are colours."""
        if not self.colour or attribute is None or not words:
            return words
        return f"\x1b[{_ATTRIBUTES[attribute]}m{words}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a text table. shrinks: whether it may be cut on a narrow terminal."""

    title: str
    right: bool = False
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, and whether it is bold, dim or coloured."""

    text: str
    attribute: str | None = None


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], style: OutputStyle
) -> list[str]:
    """Return the lines of a text table: a heading and rows, with two spaces between columns.

    Columns are aligned by terminal cells. Those that shrink are cut, with an ellipsis, if a line
    does not fit the terminal.
    """
    heading = [Cell(column.title, "dim") for column in columns]
    cells_of = list(zip(heading, *rows, strict=True))  # column by column
    texts = [
        [cell.text if isinstance(cell, Cell) else cell for cell in cells] for cells in cells_of
    ]
    sizes = [list(map(text.width, column)) for column in texts]
    widths = _shrink([max(column) for column in sizes], columns, style.cells)
    filled = list(map(_filled, texts, sizes, columns, widths))
    if style.colour:
        filled = [
            [style.paint(shown, cell.attribute) if isinstance(cell, Cell) else shown
             for shown, cell in zip(column, cells, strict=True)]
            for column, cells in zip(filled, cells_of, strict=True)
        ]  # fmt: skip
    return ["  ".join(line).rstrip(" ") for line in zip(*filled, strict=True)]


def _filled(texts: list[str], sizes: list[int], column: Column, cells: int) -> list[str]:
    """Return the texts of one column, cut if it shrank, and padded to its width."""
    if column.shrinks and max(sizes) > cells:
        texts = [text.clip(shown, cells) for shown in texts]
        sizes = [text.width(shown) for shown in texts]
    if column.right:
        return [" " * (cells - size) + shown for shown, size in zip(texts, sizes, strict=True)]
    return [shown + " " * (cells - size) for shown, size in zip(texts, sizes, strict=True)]


def _shrink(widths: list[int], columns: Sequence[Column], cells: int | None) -> list[int]:
    """Narrow the widest column that may shrink until the line fits, to no less than 4 cells."""
    if cells is None:
        return widths
    widths = list(widths)
    excess = sum(widths) + 2 * (len(widths) - 1) - cells
    while excess > 0:
        candidates = [i for i, column in enumerate(columns) if column.shrinks and widths[i] > 4]
        if not candidates:
            break
        widths[max(candidates, key=lambda i: widths[i])] -= 1
        excess -= 1
    return widths


def header_lines(fields: Sequence[str], style: OutputStyle) -> list[str]:
    """Join the fields of a header (table, metric …) in one line, or several if it is too long."""
    lines: list[str] = []
    for field in fields:
        joined = f"{lines[-1]} · {field}" if lines else field
        if lines and (style.cells is None or text.width(joined) <= style.cells):
            lines[-1] = joined
        else:
            lines.append(field)
    return [style.paint(line, "cyan") for line in lines]


def number(value: float) -> str:
    """Return a score with four decimals, or with an exponent if it is very small or large.

    >>> number(0.81), number(12345678.9), number(0.0)
    ('0.8100', '1.2346e+07', '0.0000')
    """
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.4e}"
    return f"{value:.4f}"


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
    output_format: Format,
    *,
    json: Iterable[Mapping[str, object]],
    tsv: Iterable[Iterable[object]],
    text: Callable[[OutputStyle], Iterable[str]],
) -> None:
    """Print an answer in one of the formats. Only the iterable of that format is consumed.

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
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def tsv_line(values: Iterable[object]) -> str:
    r"""Return a line of TSV; a tab or line break in a value is written `\t`, `\n`, `\r`."""
    return "\t".join(_tsv_value(value) for value in values)


def _tsv_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = str(value)
    return plain.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def one_line(source: str) -> str:
    """Return what was typed on one line, with hidden characters escaped, except spaces."""
    if source and text.escape(source) == source:  # nearly always
        return source
    return "".join(
        " " if char == "\t" else char if char == "\u3000" else text.escape(char) for char in source
    )


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
    if text.width(before + place + after) > room:
        before = _clip_left(before, room // 2)
        place = text.clip(place, room // 2)
        after = text.clip(after, max(room - text.width(before + place), 1))
    caret = " " * text.width(before) + "^" * max(text.width(place), 1)
    return before + place + after, caret


def _clip_left(source: str, cells: int) -> str:
    if text.width(source) <= cells:
        return source
    start = len(source)
    while start and text.width(source[start - 1 :]) < cells:
        start -= 1
    return f"…{source[start:]}"
