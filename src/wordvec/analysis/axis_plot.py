"""Bars, marks on a line and a scatter plot, drawn in characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.text import clip, escape, width

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDEST = 100  # cells of a scatter plot, and its width without a terminal
_PLAIN = 78


def bar(value: float | None, most: float, half: int) -> str:
    """Return a bar from the middle to a value, to the left if it is negative.

    Args:
        value: None for no bar.
        most: the value of a bar of full length.
        half: the cells on each side of the middle.

    >>> bar(-0.75, 1, 4), bar(0.5, 1, 4)
    (' ███│', '    │██')
    """
    halves = 0 if value is None else min(round(2 * half * abs(value) / most), 2 * half)
    whole, rest = divmod(halves, 2)
    if value is not None and value < 0:
        return f"{'▐' * rest}{'█' * whole}".rjust(half) + "│"
    return f"{' ' * half}│{'█' * whole}{'▌' * rest}"


def bar_title(left: str, right: str, half: int) -> str:
    """Return the poles of an axis above the two ends of its bars.

    >>> bar_title("男", "女", 4)
    '男     女'
    """
    left, right = (clip(escape(pole), half) if pole else "" for pole in (left, right))
    return left + " " * (2 * half + 1 - width(left) - width(right)) + right


def marks(values: Sequence[float | None], most: float, half: int) -> str:
    """Return a line with the number of each value at its place; a later one covers an earlier.

    >>> marks([-1, 0.5, None], 1, 4)
    '1───┼─2'
    """
    line = {half: "┼"}
    known = [(i, value) for i, value in enumerate(values) if value is not None]
    places = [half + round(half * min(max(value / most, -1), 1)) for _, value in known]
    for place in range(min(places, default=half), max(places, default=half) + 1):
        line.setdefault(place, "─")
    if half not in range(min(places, default=half), max(places, default=half) + 1):
        line[half] = "│"
    for (i, _), place in zip(known, places, strict=True):
        line[place] = str((i + 1) % 10)
    return "".join(line.get(place, " ") for place in range(2 * half + 1)).rstrip()


def scatter(
    points: Sequence[tuple[str, float, float]],
    means: Sequence[float],
    poles: Sequence[tuple[str, str]],
    cells: int | None,
) -> list[str]:
    """Return a plane with each word at its place, and lines through the mean of all tokens.

    A word whose place is taken by another is a dot, or is missing if that is taken too.

    Args:
        points: the words with their scores on both axes.
        means: the mean of all tokens on each axis.
        poles: the words at the negative and the positive end of each axis.
        cells: the width of the terminal; None if there is none.
    """
    columns = _PLAIN if cells is None else max(min(cells, _WIDEST) - 1, 20)
    plane = _Plane(columns, max(columns // 4, 9))
    x = _Scale([point[1] for point in points], means[0], columns - 1)
    y = _Scale([point[2] for point in points], means[1], plane.rows - 1)
    plane.cross(x.place(means[0]), plane.rows - 1 - y.place(means[1]))
    for word, *scores in points:
        plane.write(escape(word), x.place(scores[0]), plane.rows - 1 - y.place(scores[1]))
    plane.name_ends(poles, x.place(means[0]), plane.rows - 1 - y.place(means[1]))
    return plane.lines()


class _Scale:
    """Where values are on 0 … last, the smallest at 0."""

    def __init__(self, values: Sequence[float], mean: float, last: int) -> None:
        self.low, self.high = min([*values, mean]), max([*values, mean])
        self.last = last

    def place(self, value: float) -> int:
        span = self.high - self.low
        return round(self.last * (value - self.low) / span) if span > 0 else self.last // 2


class _Plane:
    """A grid of terminal cells; the second cell of a wide character is empty text."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._grid = [[" "] * columns for _ in range(rows)]
        self._taken: set[tuple[int, int]] = set()

    def cross(self, column: int, row: int) -> None:
        for line in self._grid:
            line[column] = "│"
        self._grid[row] = ["─"] * self.columns
        self._grid[row][column] = "┼"

    def write(self, word: str, column: int, row: int) -> None:
        """Write a word around a place, or a dot if it would cover another."""
        word = clip(word, self.columns)
        start = min(max(column - width(word) // 2, 0), self.columns - width(word))
        if not self._put(word, start, row):
            self._put("·", column, row)

    def name_ends(self, poles: Sequence[tuple[str, str]], column: int, row: int) -> None:
        """Write the poles at the ends of both lines, where there is room."""
        (left, right), (below, above) = (
            [f"[{clip(escape(pole), self.columns // 4)}]" if pole else "" for pole in two]
            for two in poles
        )
        self._put(left, 0, row)
        self._put(right, self.columns - width(right), row)
        for pole, line in ((above, 0), (below, self.rows - 1)):
            self._put(
                pole, min(max(column - width(pole) // 2, 0), self.columns - width(pole)), line
            )

    def _put(self, word: str, column: int, row: int) -> bool:
        size = width(word)
        if self._taken & {(row, column + i) for i in range(-1, size + 1)}:
            return False
        self._taken |= {(row, column + i) for i in range(size)}
        self._grid[row][column : column + size] = [word, *[""] * (size - 1)] if size else []
        return True

    def lines(self) -> list[str]:
        return ["".join(line).rstrip() for line in self._grid]
