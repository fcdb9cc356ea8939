"""How answers look: text with aligned columns, one header line, styles of a terminal; and HTML.

Results of the library show themselves with this, and the command line prints with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TextIO, TypeAlias

from wordvec import text
from wordvec.search.settings import Method, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

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


def number_columns(*titles: str) -> list[Column]:
    """Return columns that are aligned to the right."""
    return [Column(title, right=True) for title in titles]


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, and whether it is bold, dim or coloured."""

    text: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of a result.

    narrow: what is shown instead, one table below the other, on a terminal that is narrower than a
    line of this one.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    narrow: tuple[TextTable, ...] = ()

    def lines(self, style: OutputStyle) -> list[str]:
        """Return the lines of a text table."""
        if self.narrow and style.cells is not None:
            whole = table_lines(self.columns, self.rows, OutputStyle())
            if max(map(text.width, whole)) > style.cells:
                return block_lines("", self.narrow, style)[1:]
        return table_lines(self.columns, self.rows, style)

    def html(self, caption: str = "") -> str:
        """Return an HTML table, everything escaped."""
        lines = ["".join(html_element("th", column.title) for column in self.columns)]
        for row in self.rows:
            texts = (cell.text if isinstance(cell, Cell) else cell for cell in row)
            lines.append("".join(html_element("td", shown) for shown in texts))
        above = html_element("caption", caption) if caption else ""
        return f"<table>{above}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


@dataclass(frozen=True, slots=True)
class Facts:
    """Lines of a result that are not a table, each with one field or several."""

    fields: Sequence[Sequence[str]]

    def lines(self, style: OutputStyle) -> list[str]:
        """Return each line, or several if it is too long."""
        plain = OutputStyle(cells=style.cells)
        return [line for fields in self.fields for line in header_lines(fields, plain)]

    def html(self, caption: str = "") -> str:
        """Return HTML paragraphs, everything escaped."""
        above = [caption] if caption else []
        return "".join(html_element("p", line) for line in [*above, *map(" · ".join, self.fields)])


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines that are laid out for a width, such as bars.

    draw: returns the lines for a number of terminal cells; None if there is no terminal.
    """

    draw: Callable[[int | None], Sequence[str]]

    def lines(self, style: OutputStyle) -> list[str]:
        """Return the lines for the width of a terminal."""
        return [text.escape_controls(line) for line in self.draw(style.cells)]

    def html(self, caption: str = "") -> str:
        """Return an HTML paragraph that keeps its spaces, everything escaped."""
        from html import escape

        above = html_element("p", caption) if caption else ""
        drawn = "\n".join(map(escape, self.lines(OutputStyle())))
        return f"{above}<pre>{drawn}</pre>"


@dataclass(frozen=True, slots=True)
class Prose:
    """A sentence of a result, which may be longer than a line."""

    sentence: str

    def lines(self, style: OutputStyle) -> list[str]:
        """Return the sentence, broken between words where the terminal ends."""
        return text.wrap(text.escape_controls(self.sentence), style.cells)

    def html(self, caption: str = "") -> str:
        """Return HTML paragraphs, everything escaped."""
        above = [caption] if caption else []
        return "".join(html_element("p", line) for line in [*above, self.sentence])


Block: TypeAlias = TextTable | Facts | Drawing | Prose


def html_element(name: str, shown: str) -> str:
    """Return an HTML element with this text, escaped."""
    from html import escape  # 3 ms that only notebooks need

    return f"<{name}>{escape(text.escape_controls(shown))}</{name}>"


def block_lines(title: str, blocks: Sequence[Block], style: OutputStyle) -> list[str]:
    """Return the lines of blocks, each after a blank line; the title stands above the first."""
    lines: list[str] = []
    for block in blocks:
        lines.append("")
        if title and len(lines) == 1:
            lines.append(style.paint(text.escape_controls(title), "bold"))
        lines += block.lines(style)
    return lines


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
        _escaped([cell.text if isinstance(cell, Cell) else cell for cell in cells])
        for cells in cells_of
    ]
    sizes = list(map(_widths, texts))
    widths = _shrink([max(column) for column in sizes], columns, style.cells)
    filled = list(map(_filled, texts, sizes, columns, widths))
    if style.colour:
        filled = [
            [style.paint(shown, cell.attribute) if isinstance(cell, Cell) else shown
             for shown, cell in zip(column, cells, strict=True)]
            for column, cells in zip(filled, cells_of, strict=True)
        ]  # fmt: skip
    return ["  ".join(line).rstrip(" ") for line in zip(*filled, strict=True)]


def _escaped(texts: list[str]) -> list[str]:
    return texts if "".join(texts).isprintable() else list(map(text.escape_controls, texts))


def _widths(texts: list[str]) -> list[int]:
    return list(map(len if "".join(texts).isascii() else text.width, texts))


def _filled(texts: list[str], sizes: list[int], column: Column, cells: int) -> list[str]:
    """Return the texts of one column, cut if it shrank, and padded to its width."""
    if column.shrinks and (
        max(sizes) > cells
        or any(  # with many combining marks
            len(shown) > text.MOST_PER_CELL * size for shown, size in zip(texts, sizes, strict=True)
        )
    ):
        texts = [text.clip(shown, cells) for shown in texts]
        sizes = [text.width(shown) for shown in texts]
    if column.right:
        return [" " * (cells - size) + shown for shown, size in zip(texts, sizes, strict=True)]
    return [shown + " " * (cells - size) for shown, size in zip(texts, sizes, strict=True)]


def _shrink(widths: list[int], columns: Sequence[Column], cells: int | None) -> list[int]:
    """Narrow the widest column that may shrink until the line fits, to no less than 4 cells."""
    if cells is None:
        return widths
    widths = [
        min(size, cells) if column.shrinks else size
        for size, column in zip(widths, columns, strict=True)
    ]
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
    for field in map(text.escape_controls, fields):
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


def one_line(source: str) -> str:
    """Return what was typed on one line, with hidden characters escaped, except spaces."""
    if source and text.escape(source) == source:  # nearly always
        return source
    return "".join(
        " " if char == "\t" else char if char == "\u3000" else text.escape(char) for char in source
    )


METRIC_NAMES = {
    Metric.L2: "L2 distance",
    Metric.COSINE: "cosine similarity",
    Metric.DOT: "inner product",
    Metric.CSLS: "CSLS",
}
METHOD_NAMES = {Method.ADD: "3CosAdd", Method.MUL: "3CosMul", Method.DIRECTION: "PairDirection"}


def table_name(table: TableDescription) -> str:
    """Return the name of a table: `mini:static`."""
    return f"{table.model}:{table.kind}"


def shape_text(table: TableDescription) -> str:
    """Return the shape of a table: `32,000 × 256`."""
    return f"{table.tokens:,} × {table.dimensions}"


def table_fields(table: TableDescription) -> list[str]:
    """Return the name and the shape of a table."""
    return [table_name(table), shape_text(table)]


def settings_fields(settings: QuerySettings, *, transforms: bool = True) -> list[str]:
    """Return how expressions are answered: metric, transforms if these are asked for, filters."""
    method, metric = METHOD_NAMES.get(settings.method), METRIC_NAMES[settings.ranking_metric]
    return [
        *([method] if method else []),
        *([metric] if not method or settings.metric is Metric.CSLS else []),
        *([transforms_field(settings.all_transforms)] if transforms else []),
        *(["query words left out"] if settings.exclude else []),
        *settings.filters.facts(),
        *(["twins merged"] if settings.merge_twins else []),
    ]


def transforms_field(transforms: Sequence[str]) -> str:
    """Return what was done to the vectors: `raw vectors`, `center, unit vectors`."""
    return f"{', '.join(transforms) or 'raw'} vectors"
