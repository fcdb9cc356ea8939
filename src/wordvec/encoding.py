"""Text that is not UTF-8: which encoding it probably has, and what to type to convert it.

Everything that users write for wordvec is UTF-8: files, standard input, arguments. `read_text`
reads a whole file, `read_lines` a stream line by line; both read no more than a person writes.
`InputText` checks the lines of a stream: it names another encoding once, at the first line that
shows it, and refuses only the one line if the others are UTF-8.
"""

from __future__ import annotations

import re
import shlex
from codecs import getincrementaldecoder
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from wordvec.errors import EncodingError, StoreError, as_path
from wordvec.foreign.files import open_input

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_INPUT = 64 << 20
"""Bytes of a file that a user writes: words, questions, labels."""
LONGEST_LINE = 1 << 20
"""Bytes of a line on standard input: four for each character of the longest expression."""

_BINARY = "binary"
_BYTE_ORDER_MARKS = (  # UTF-32 before UTF-16, whose mark it starts with
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# The names of iconv, and what people call them.
_NAMES = {"CP932": "Shift-JIS (cp932)"}
_KANA_OR_KANJI = re.compile("[\u3041-\u30fe\u4e00-\u9fff]")
_COMMON = re.compile("[\t\n\r -~\u3000-\u30ff\uff01-\uff5e]")  # in Japanese text: not kanji
JAPANESE_ENCODINGS = ("CP932", "EUC-JP", "ISO-2022-JP")
_SAMPLE = 1 << 16  # bytes that are looked at
_LEAST_PLAUSIBLE = 0.7  # of the characters; binary data read as UTF-16 has a third


def guess_encoding(data: bytes) -> str | None:
    """Return the encoding of text that is not UTF-8, by its name in iconv, or `binary`.

    None: it is UTF-8, perhaps with a broken line, or nothing fits.

    >>> guess_encoding("王-男".encode("utf-16")), guess_encoding("王-男".encode("cp932"))
    ('UTF-16', 'CP932')
    """
    data = data[:_SAMPLE]
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding if len(data) > len(mark) else None
    if b"\0" in data:
        return _wide_encoding(data) or _BINARY
    if b"\x1b$B" in data or b"\x1b$@" in data:
        return "ISO-2022-JP"
    lines = [is_utf8(line) for line in data.split(b"\n") if not line.isascii()]
    return None if 2 * sum(lines) >= len(lines) else _japanese_encoding(data)


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8; the last character may be incomplete."""
    try:
        getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(data: bytes) -> str | None:
    """Return UTF-16LE or UTF-16BE if bytes without a byte order mark are plausible as one."""
    if is_utf8(data.replace(b"\0", b"")) and data.count(0) < 0.3 * len(data):
        return None  # plain text with NUL in it
    shares = {}
    for encoding in ("UTF-16LE", "UTF-16BE"):
        text = data[: len(data) // 2 * 2].decode(encoding, "replace")
        common = len(_COMMON.findall(text))
        if common and common + len(_KANA_OR_KANJI.findall(text)) >= _LEAST_PLAUSIBLE * len(text):
            shares[encoding] = common
    return max(shares, key=lambda encoding: shares[encoding], default=None)


def _japanese_encoding(data: bytes) -> str | None:
    """Return EUC-JP or CP932 if the bytes are kana or kanji in one of them.

    Text in Shift-JIS is hardly ever valid in EUC-JP; the reverse gives half-width katakana.
    """
    whole = data[: data.rfind(b"\n") + 1] or data  # without half a character at the end
    for encoding, name in (("euc_jp", "EUC-JP"), ("cp932", "CP932")):
        with suppress(UnicodeDecodeError):
            letters = _KANA_OR_KANJI.findall(whole.decode(encoding))
            # Latin-1 can be read as rare kanji of Shift-JIS, which start with bytes from 0xe0 on
            if any(name != "CP932" or char.encode("cp932")[0] < 0xA0 for char in letters):
                return name
    return None


def encoding_error(encoding: str, name: str, *, path: str = "") -> EncodingError:
    """Return the error for input in another encoding.

    Args:
        encoding: what `guess_encoding` returned.
        name: what the input is called in the message.
        path: its file, for the command that converts it.
    """
    if encoding == _BINARY:
        return EncodingError(f"{name} is not text: it contains NUL bytes")
    file = f" {shlex.quote(path)}" if path else ""
    return EncodingError(
        f"{name} looks like {_NAMES.get(encoding, encoding)}, not UTF-8",
        hint=f"convert it: iconv -f {encoding} -t UTF-8{file}",
    )


def read_text(path: str | Path, parameter: str = "file") -> str:
    """Read a file that is UTF-8; see `decode`.

    Raises:
        UsageError: if it is not the path of a file; parameter: what it is called in the message.
        StoreError: if the file cannot be read, or has more than `MOST_INPUT` bytes.
        EncodingError: if it is not UTF-8.
    """
    path = as_path(path, parameter)
    try:
        with open_input(path) as file:
            data = file.read(MOST_INPUT + 1)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    if len(data) > MOST_INPUT:
        raise StoreError(f"{path} has more than {MOST_INPUT >> 20} MiB of text")
    return decode(data, path)


def read_lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines of a buffered stream as they arrive, in blocks, without their line feeds.

    Of a line that is longer than `LONGEST_LINE`, one byte more than that is yielded at once, and
    the rest is skipped.
    """
    rest, skipping = b"", False  # of a line whose end has not arrived
    while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]  # of buffered streams
        lines = chunk.split(b"\n")
        if not skipping:
            lines[0] = rest + lines[0]
        elif len(lines) > 1:
            del lines[0]
            skipping = False
        else:
            continue
        *lines, rest = lines
        if len(rest) > LONGEST_LINE:
            lines.append(rest)
            rest, skipping = b"", True
        yield [line[: LONGEST_LINE + 1] for line in lines]
    if rest:
        yield [rest]


def check_length(line: bytes) -> None:
    """Refuse a line of which `read_lines` yielded only the start.

    Raises:
        EncodingError: if it is one.
    """
    if len(line) > LONGEST_LINE:
        raise EncodingError(f"a line of more than {LONGEST_LINE:,} bytes is not an expression")


def decode(data: bytes, path: object) -> str:
    """Decode a file that is UTF-8; a byte order mark at its start is left out.

    Raises:
        EncodingError: if it is something else; it names the encoding if that can be guessed.
    """
    encoding = guess_encoding(data)
    if encoding is not None:
        raise encoding_error(encoding, str(path), path=str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EncodingError(f"{path} is not UTF-8") from error


def refuse_argument(argument: str) -> None:
    """Refuse an argument whose bytes are not UTF-8: Python reads them as halves of surrogates.

    Raises:
        EncodingError: it names the encoding if that can be guessed.
    """
    try:
        data = argument.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return
    with suppress(UnicodeDecodeError):
        data.decode()
        return
    encoding = guess_encoding(data)
    looks_like = f": it looks like {_NAMES.get(encoding, encoding)}" if encoding else ""
    raise EncodingError(
        f"an argument is not UTF-8{looks_like}", hint="set the terminal and the locale to UTF-8"
    )


@dataclass(slots=True)
class InputText:
    """A stream that should be UTF-8, such as standard input; `name` is for messages."""

    name: str = "standard input"
    _is_utf8: bool = False  # whether a line with letters beyond ASCII was UTF-8

    def check(self, lines: bytes) -> None:
        """Check whole lines of the stream.

        Raises:
            EncodingError: if the stream has another encoding or is binary: stop reading it. A line
                that is not UTF-8 between lines that are raises nothing here.
        """
        encoding = guess_encoding(lines)
        if encoding is not None and (encoding == _BINARY or not self._is_utf8):
            raise encoding_error(encoding, self.name)
        self._is_utf8 = self._is_utf8 or (not lines.isascii() and is_utf8(lines))
