"""The first lines of a text file: how many numbers a line has, and whether there is a header."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.decimals import is_number
from wordvec.formats.text_rows import LONGEST_LINE, MOST_DIMENSIONS
from wordvec.tables.compressed import compression_of, open_decompressed
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BOM = b"\xef\xbb\xbf"
_LINES, _BYTES = 2000, 1 << 18  # a list of 1,536 numbers in a cell can take 400 lines
_SEPARATORS = (b" ", b"\t", b",", b";")
_DECIMAL_COMMA = re.compile(rb"(?<![^\s;\"])(-?\d{1,9},\d+(?:[eE][-+]?\d+)?)(?![^\s;\"])")


@dataclass(frozen=True, slots=True)
class Header:
    """The line `V D` at the start of word2vec's formats."""

    tokens: int
    dimensions: int


def first_lines(path: Path) -> list[bytes]:
    """Return the first lines of a file, decompressed, with their line breaks.

    Raises:
        StoreError: The file cannot be read, or one of them is too long for vectors.
    """
    lines: list[bytes] = []
    left = _BYTES
    with open_decompressed(path) as file:
        while len(lines) < _LINES and left > 0:
            line = file.readline(LONGEST_LINE)
            if not line:
                break
            lines.append(line)
            left -= len(line)
    for number, line in enumerate(lines, start=1):
        fields = max(map(line.count, _SEPARATORS))
        if len(line) == LONGEST_LINE or fields > 2 * MOST_DIMENSIONS:  # two spaces are one
            raise StoreError(
                f"{display_path(path)}: line {number} is longer than {LONGEST_LINE >> 20} MiB "
                f"or {MOST_DIMENSIONS:,} numbers: it does not contain vectors"
            )
    if lines:
        lines[0] = lines[0].removeprefix(BOM)
    return lines


def read_header(line: bytes) -> Header | None:
    """Read `V D`, or return None.

    >>> read_header(b"32000 768")
    Header(tokens=32000, dimensions=768)
    """
    fields = line.split()
    if len(fields) != 2 or not all(f.isdigit() and len(f) < 20 for f in fields) or len(line) > 64:
        return None
    header = Header(int(fields[0]), int(fields[1]))
    return header if header.tokens and header.dimensions else None


def numbers_at_end(fields: Sequence[bytes]) -> int:
    """Return how many of the last fields of a line are numbers.

    >>> numbers_at_end([b"a", b"1", b"b", b"2", b"-3e5"])
    2
    """
    count = 0
    for field in reversed(fields):
        if not is_number(field):
            break
        count += 1
    return count


def count_dimensions(lines: Sequence[bytes], *, has_token: bool = True) -> int:
    """Return how many numbers end most lines, separated by white space; 0 if they do not agree."""
    counts: Counter[int] = Counter()
    for line in lines:
        fields = line.split()
        if fields:
            # a line of D numbers and an empty token starts with white space
            most = len(fields) - (has_token and not line[:1].isspace())
            counts[min(numbers_at_end(fields), most)] += 1
    dimensions, lines_with = max(counts.items(), key=lambda item: item[::-1], default=(0, 0))
    return dimensions if 2 * lines_with >= counts.total() else 0


def check_decimal_point(path: Path, lines: Sequence[bytes]) -> None:
    """Raise StoreError if most lines have numbers with a decimal comma: `king;0,1;-0,2`."""
    with_commas = sum(len(_DECIMAL_COMMA.findall(line)) > (b";" not in line) for line in lines)
    with_points = sum(numbers_at_end(line.split()) > 1 for line in lines)
    if with_commas > max(with_points, len(lines) // 2):
        raise StoreError(
            f"{display_path(path)} has numbers with a decimal comma, such as "
            f"{_first_decimal_comma(lines)}",
            hint="write the numbers with a decimal point",
        )


def _first_decimal_comma(lines: Sequence[bytes]) -> str:
    found = next(match for line in lines if (match := _DECIMAL_COMMA.search(line)))
    return found[1].decode()


def estimate_lines(path: Path, lines: Sequence[bytes]) -> int | None:
    """Return about how many lines a file has, from its size and its first lines."""
    with path.open("rb") as file:
        if not lines or compression_of(file.read(6)):
            return None
    return max(1, path.stat().st_size * len(lines) // max(1, sum(map(len, lines))))
