"""How answers look: one header line, columns straight by terminal cells, JSON and TSV.

Answers go to standard output; notes, warnings and errors to standard error. Colour only on a
terminal, and never under `NO_COLOR`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TextIO

from wordvec import text
from wordvec.errors import ExpressionError, WordvecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Format(StrEnum):
    """How a command prints its answer."""

    TEXT = "text"
    JSON = "json"  # one list
    JSONL = "jsonl"  # one object a line
    TSV = "tsv"


_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class OutputStyle:
    """What the reader's screen can show: colours or not, and its width in cells if it has one."""

    colour: bool = False
    cells: int | None = None

    @classmethod
    def of(cls, stream: TextIO) -> Self:
        """OutputStyle at a stream: a terminal has a width, and colours unless NO_COLOR is set."""
        try:
            if not stream.isatty():
                return cls()
            cells = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno())[0]
        except (OSError, ValueError):
            cells = 0
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(colour=not plain, cells=cells or None)

    def paint(self, words: str, style: str | None) -> str:
        """`words` in a style (bold, dim, red, green, yellow, cyan), where there are colours."""
        if not self.colour or style is None or not words:
            return words
        return f"\x1b[{_STYLES[style]}m{words}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a text table; a `shrinks` column gives way on a narrow terminal."""

    title: str
    right: bool = False
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, and the style it is painted in."""

    text: str
    style: str | None = None


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], look: OutputStyle
) -> list[str]:
    """Lay out a heading and rows, two cells apart, straight with wide characters.

    Columns that shrink are cut with an ellipsis so that a line fits the terminal.
    """
    heading = [Cell(column.title, "dim") for column in columns]
    laid_out = list(zip(heading, *rows, strict=True))  # column by column
    texts = [
        [cell.text if isinstance(cell, Cell) else cell for cell in cells] for cells in laid_out
    ]
    sizes = [[text.width(shown) for shown in column] for column in texts]
    widths = _shrink([max(column) for column in sizes], columns, look.cells)
    filled = list(map(_filled, texts, sizes, columns, widths))
    if look.colour:
        filled = [
            [look.paint(shown, cell.style) if isinstance(cell, Cell) else shown
             for shown, cell in zip(column, cells, strict=True)]
            for column, cells in zip(filled, laid_out, strict=True)
        ]  # fmt: skip
    return ["  ".join(line).rstrip(" ") for line in zip(*filled, strict=True)]


def _filled(texts: list[str], sizes: list[int], column: Column, cells: int) -> list[str]:
    """The texts of one column brought to its width: cut where it shrank, and then padded."""
    if column.shrinks and max(sizes) > cells:
        texts = [text.clip(shown, cells) for shown in texts]
        sizes = [text.width(shown) for shown in texts]
    if column.right:
        return [" " * (cells - size) + shown for shown, size in zip(texts, sizes, strict=True)]
    return [shown + " " * (cells - size) for shown, size in zip(texts, sizes, strict=True)]


def _shrink(widths: list[int], columns: Sequence[Column], cells: int | None) -> list[int]:
    """Take from the widest shrinking column until the line fits, leaving at least 4 cells."""
    if cells is None:
        return widths
    widths = list(widths)
    excess = sum(widths) + 2 * (len(widths) - 1) - cells
    while excess > 0:
        able = [i for i, column in enumerate(columns) if column.shrinks and widths[i] > 4]
        if not able:
            break
        widths[max(able, key=lambda i: widths[i])] -= 1
        excess -= 1
    return widths


def header_lines(facts: Sequence[str], look: OutputStyle) -> list[str]:
    """Join facts (table, metric, normalisation …) in one line, broken between them if narrow."""
    lines: list[str] = []
    for fact in facts:
        joined = f"{lines[-1]} · {fact}" if lines else fact
        if lines and (look.cells is None or text.width(joined) <= look.cells):
            lines[-1] = joined
        else:
            lines.append(fact)
    return [look.paint(line, "cyan") for line in lines]


def number(value: float) -> str:
    """A score to four decimals, or in powers of ten where those would not show it.

    >>> number(0.81), number(12345678.9), number(0.0)
    ('0.8100', '1.2346e+07', '0.0000')
    """
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.4e}"
    return f"{value:.4f}"


def write_lines(lines: Iterable[str]) -> None:
    """Print lines to standard output."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def json_text(value: object) -> str:
    """JSON on one line, its Japanese left readable."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_json(objects: Iterable[Mapping[str, object]], form: Format) -> None:
    """Print objects: one a line (`--jsonl`), or as one list with one a line (`--json`)."""
    if form is Format.JSONL:
        write_lines(json_text(value) for value in objects)
    else:
        body = "\n,".join(json_text(value) for value in objects)
        write_lines([f"[{body}", "]"] if body else ["[]"])


def tsv_line(values: Iterable[object]) -> str:
    r"""One line of TSV: a tab or line break inside a value is written `\t`, `\n`, `\r`."""
    return "\t".join(_tsv_value(value) for value in values)


def _tsv_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = str(value)
    return plain.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def note(message: str) -> None:
    """Tell something about the answer, beside it."""
    _complain("Note", message, "dim")


def warn(message: str) -> None:
    """Tell what may make the answer wrong."""
    _complain("Warning", message, "yellow")


def _complain(kind: str, message: str, style: str) -> None:
    sys.stdout.flush()  # what was printed before stays before
    look = OutputStyle.of(sys.stderr)
    sys.stderr.write(f"{look.paint(f'{kind}:', style)} {message}\n")


def show_error(error: WordvecError, *, where: str = "") -> None:
    """Draw an error: message, the place under the expression, and the next thing to type."""
    sys.stdout.flush()
    look = OutputStyle.of(sys.stderr)
    sys.stderr.write(f"{look.paint('Error:', 'red')} {where}{error.message}\n")
    if isinstance(error, ExpressionError):
        source, caret = caret_lines(error, look.cells or 80)
        sys.stderr.write(f"  {source}\n  {look.paint(caret, 'red')}\n")
    for line in (error.hint or "").splitlines():
        sys.stderr.write(f"Hint: {line}\n")


def caret_lines(error: ExpressionError, cells: int) -> tuple[str, str]:
    r"""Draw the source and a caret under the place, by terminal cells, cut to the screen.

    >>> error = ExpressionError("expected + or -", source="王 男", start=2, end=3)
    >>> print(*caret_lines(error, 80), sep="\n")
    王 男
       ^^
    """
    before = one_line(error.source[: error.start])
    place = one_line(error.source[error.start : error.end])
    after = one_line(error.source[error.end :])
    room = max(cells - 2 - 1, 16)  # the indent, and one cell that keeps the line from wrapping
    if text.width(before + place + after) > room:
        before = _clip_left(before, room // 2)
        place = text.clip(place, room // 2)
        after = text.clip(after, max(room - text.width(before + place), 1))
    caret = " " * text.width(before) + "^" * max(text.width(place), 1)
    return before + place + after, caret


def _clip_left(shown: str, cells: int) -> str:
    if text.width(shown) <= cells:
        return shown
    start = len(shown)
    while start and text.width(shown[start - 1 :]) < cells:
        start -= 1
    return f"…{shown[start:]}"


def one_line(source: str) -> str:
    """What was typed, on one line: what is hidden is escaped, but for spaces (a tab is one)."""
    if source and text.escape(source) == source:  # nearly every line
        return source
    return "".join(
        " " if char == "\t" else char if char == "\u3000" else text.escape(char) for char in source
    )
