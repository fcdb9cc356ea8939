"""Text with one token and its numbers on each line: read in blocks of whole lines.

The last D fields of a line are its numbers, and all before them is its token, so that a token may
contain the separator (`. . .` in GloVe). A line that the fast path cannot read is given to
`Dialect.repair`, which reads one line at a time; if that fails too, the line is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np

from wordvec.errors import StoreError
from wordvec.formats.decimals import PADDING, is_number, read_rows
from wordvec.formats.escaped_tokens import unescape_token
from wordvec.formats.reading import Block
from wordvec.tables.files import display_path
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Reading, ReadOptions

BLOCK = 1 << 20  # bytes that are read at once
LONGEST_LINE = 4 << 20
MOST_DIMENSIONS = 100_000
_NEWLINE, _RETURN = ord("\n"), ord("\r")


@dataclass(frozen=True, slots=True)
class Repaired:
    """A record that took more than the fast path: its token, its numbers and how many lines."""

    token: str
    numbers: NDArray[np.float32]
    lines: int = 1


class NeedMoreLines(Exception):  # noqa: N818  # a signal: the record continues after the block
    """A record starts in this block and ends in the next one."""


@dataclass(slots=True)
class TokenDecoder:
    """Turns the bytes of tokens into text, and counts what it changed.

    escapes: whether the spellings of `escape_token` are read back.
    in_text: whether white space separates the token from numbers in decimal.
    """

    escapes: bool = True
    in_text: bool = False
    undecodable: int = 0
    unescaped: int = 0
    numbered: int = 0
    _first_numbered: str = ""

    def decode(self, raw: bytes) -> str:
        """Return the token that some bytes spell."""
        if self.in_text:
            raw = raw.rstrip()
            if b" " in raw and is_number(raw.rsplit(b" ", 1)[1]):
                self.numbered += 1
                self._first_numbered = self._first_numbered or shown_line(raw)
        try:
            token = raw.decode()
        except UnicodeDecodeError:
            self.undecodable += 1
            token = raw.decode(errors="replace")
        if not self.escapes or "\\" not in token:
            return token
        plain = unescape_token(token)
        self.unescaped += plain != token
        return plain

    def notes(self) -> Iterator[str]:
        """Yield what the user should know."""
        if self.undecodable:
            yield (
                f"{self.undecodable:,} tokens are not valid UTF-8: "
                "their invalid bytes are read as U+FFFD (a file in Latin-1 can be converted: "
                "iconv -f LATIN1 -t UTF-8)"
            )
        if self.numbered:
            yield (
                f"{self.numbered:,} tokens end in a number, such as {self._first_numbered}: "
                "their lines may have more numbers than the others"
            )
        if self.unescaped:
            yield f"{self.unescaped:,} tokens are read with escapes (\\u0020 is a space)"


@dataclass(slots=True)
class Dialect:
    """How the fields of a line are separated, and how its token is read.

    dimensions: D. separator: None for white space. has_token: whether a token precedes the numbers.
    read_token: returns the token, or None if `repair` must read the line.
    repair: reads the record that starts at a line of a block, or returns None.
    """

    dimensions: int
    separator: int | None
    read_token: Callable[[bytes], str | None]
    repair: Callable[[Lines, int], Repaired | None]
    has_token: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of a block. Places count bytes of `text`.

    starts, ends: the places of each line, without its line break. token_ends: where its token ends.
    rows: (lines, D) float32. good: whether the fast path has read the line.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    token_ends: NDArray[np.int64]
    rows: NDArray[np.float32]
    good: NDArray[np.bool_]
    is_last: bool

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, index: int) -> bytes:
        """Return one line without its line break."""
        return self.text[self.starts[index] : self.ends[index]]


class LineBlocks:
    """Reads a file in blocks of whole lines. `line` is the number of the next block's first."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.line = 1
        self.bytes = 0
        self.is_last = False
        self._file = file
        self._path = path
        self._rest = b""

    def take(self) -> bytes:
        """Return the next lines, each with its line break; nothing at the end of the file."""
        parts, cut = [self._rest], 0
        size = len(self._rest)
        while not cut:
            data = self._file.read(BLOCK)
            parts.append(data)
            size += len(data)
            cut = data.rfind(b"\n") + 1
            if not data:
                return self._take_all(b"".join(parts))
            if not cut and size > LONGEST_LINE:
                raise StoreError(
                    f"{display_path(self._path)}: line {self.line + self._rest.count(10):,} is "
                    f"longer than {LONGEST_LINE >> 20} MiB: it does not contain vectors"
                )
        parts[-1], self._rest = data[:cut], data[cut:]
        self.bytes += size - len(self._rest)
        return b"".join(parts)

    def push_back(self, text: bytes) -> None:
        """Return lines that the next block must start with."""
        self._rest = text + self._rest

    def _take_all(self, text: bytes) -> bytes:
        self._rest, self.is_last = b"", True
        self.bytes += len(text)
        return text if text.endswith(b"\n") or not text else text + b"\n"


def read_text_rows(
    blocks: LineBlocks,
    dialect: Dialect,
    path: Path,
    options: ReadOptions,
    reading: Reading,
) -> Iterator[Block]:
    """Yield the tokens and rows of the remaining lines of a file.

    Raises:
        StoreError: A line is broken and `options.skip_bad` is false, or too long.
    """
    remaining = options.limit
    broken = BrokenLines(
        path, dialect, skip=options.skip_bad and dialect.has_token
    )  # rows must stay with their tokens
    while remaining is None or remaining > 0:
        text = blocks.take()
        if not text:
            break
        lines = parse_lines(text, dialect, is_last=blocks.is_last)
        block, used = _finish_block(lines, dialect, broken, blocks.line, remaining)
        if used < len(lines):
            blocks.push_back(text[lines.starts[used] :])
        blocks.line += used
        if remaining is not None:
            remaining -= len(block.tokens)
        if block.tokens:
            yield block
    reading.notes.extend(broken.notes())


def parse_lines(text: bytes, dialect: Dialect, *, is_last: bool = True) -> Lines:
    """Find the fields of each line and convert its last D ones to numbers."""
    D, size = dialect.dimensions, len(text)
    data = np.empty(PADDING + size + 8, dtype=np.uint8)
    data[:PADDING], data[PADDING + size :] = ord("0"), _NEWLINE
    data[PADDING - 1] = _NEWLINE  # the line break before the first line
    data[PADDING : PADDING + size] = np.frombuffer(text, dtype=np.uint8)
    separators = _find_separators(data[: PADDING + size], dialect.separator)
    breaks = np.flatnonzero(data[separators] == _NEWLINE)  # their places in `separators`
    before, after = breaks[:-1], breaks[1:].copy()
    for _ in range(2):  # a space or carriage return at the end of a line ends no field
        after -= (after - 1 > before) & (separators[after - 1] + 1 == separators[after])
    fields = after - before
    enough = fields > D if dialect.has_token else fields == D
    starts, ends = separators[before] + 1, separators[breaks[1:]]
    rows = np.zeros((len(starts), D), dtype=np.float32)
    token_ends = starts.copy()
    good = enough.copy()
    bounds = separators[(after[enough] - D)[:, None] + np.arange(D + 1)]  # (good lines, D + 1)
    read, is_good = read_rows(text, data, bounds[:, :-1] + 1, bounds[:, 1:])
    if enough.all():
        rows = read
    else:
        rows[enough] = read
    good[enough] = is_good
    if dialect.has_token:
        token_ends[enough] = bounds[:, 0]
    return Lines(text, starts - PADDING, ends - PADDING, token_ends - PADDING, rows, good, is_last)


def _find_separators(data: NDArray[np.uint8], separator: int | None) -> NDArray[np.int64]:
    if separator is None:
        return np.flatnonzero(data <= ord(" "))
    return np.flatnonzero((data == separator) | (data == _NEWLINE) | (data == _RETURN))


def _finish_block(
    lines: Lines, dialect: Dialect, broken: BrokenLines, first_line: int, most: int | None
) -> tuple[Block, int]:
    """Return at most `most` rows of a block, and how many of its lines were used."""
    tokens: list[str] = []
    kept: list[int] = []
    read_token, text = dialect.read_token, lines.text
    places = zip(lines.starts.tolist(), lines.token_ends.tolist(), lines.good.tolist(), strict=True)
    next_line = 0
    for index, (start, token_end, good) in enumerate(places):
        if index < next_line:  # a part of the record before
            continue
        if len(tokens) == most:
            return _block_of(lines, tokens, kept), index
        token = read_token(text[start:token_end]) if good else None
        if token is None:
            if not good and not lines.line(index).strip():
                continue
            try:
                repaired = dialect.repair(lines, index)
            except NeedMoreLines:
                return _block_of(lines, tokens, kept), index
            if repaired is None:
                broken.add(first_line + index, lines.line(index))
                continue
            token, lines.rows[index] = repaired.token, repaired.numbers
            next_line = index + repaired.lines
        tokens.append(token)
        kept.append(index)
    return _block_of(lines, tokens, kept), len(lines)


def _block_of(lines: Lines, tokens: list[str], kept: list[int]) -> Block:
    return Block(tokens, lines.rows if len(kept) == len(lines) else lines.rows[kept])


@dataclass(slots=True)
class BrokenLines:
    """The lines that are not a token and its numbers: an error, or a count of those left out."""

    path: Path
    dialect: Dialect
    skip: bool
    count: int = 0
    first: int = 0
    expected: str = field(init=False)

    def __post_init__(self) -> None:
        numbers = f"{self.dialect.dimensions} numbers"
        self.expected = f"a token and {numbers}" if self.dialect.has_token else numbers

    def add(self, number: int, line: bytes) -> None:
        """Count a broken line, or raise StoreError."""
        if not self.skip:
            raise StoreError(
                f"{display_path(self.path)}: line {number:,} is not {self.expected}: "
                f"{shown_line(line)}",
                hint="skip_bad=True leaves such lines out",
            )
        self.count += 1
        self.first = self.first or number

    def notes(self) -> Iterator[str]:
        """Yield how many lines were left out."""
        if self.count:
            yield (
                f"{self.count:,} lines are left out: they are not {self.expected} "
                f"(the first is line {self.first:,})"
            )


def shown_line(line: bytes) -> str:
    """Return the start of a line for a message, on one line and in quotes."""
    return f'"{clip(escape(line[:400].decode(errors="replace")), 60)}"'
