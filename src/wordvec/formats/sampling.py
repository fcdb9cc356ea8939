"""The first lines of a text file: how many numbers a line has, and whether there is a header."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.text_rows import LONGEST_LINE
from wordvec.tables.compressed import compression_of, open_decompressed
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BOM = b"\xef\xbb\xbf"
_LINES, _BYTES = 100, 1 << 20
_LONGEST_NUMBER = 400


@dataclass(frozen=True, slots=True)
class Header:
    """The line `V D` at the start of word2vec's formats."""

    tokens: int
    dimensions: int


def first_lines(path: Path) -> list[bytes]:
    """Return the first lines of a file, decompressed, with their line breaks.

    Raises:
        StoreError: The file cannot be read, or its first line is too long for one of vectors.
    """
    lines: list[bytes] = []
    with open_decompressed(path) as file:
        while len(lines) < _LINES and sum(map(len, lines)) < _BYTES:
            line = file.readline(LONGEST_LINE)
            if not line:
                break
            lines.append(line)
    if lines and len(lines[0]) == LONGEST_LINE:
        raise StoreError(
            f"{display_path(path)}: line 1 is longer than {LONGEST_LINE >> 20} MiB: "
            "it does not contain vectors"
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


def is_number(field: bytes | str) -> bool:
    """Return whether a field is a decimal number, NaN or infinity."""
    if len(field) > _LONGEST_NUMBER or ("_" in field if isinstance(field, str) else b"_" in field):
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


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


def estimate_lines(path: Path, lines: Sequence[bytes]) -> int | None:
    """Return about how many lines a file has, from its size and its first lines."""
    with path.open("rb") as file:
        if not lines or compression_of(file.read(6)):
            return None
    return max(1, path.stat().st_size * len(lines) // max(1, sum(map(len, lines))))
