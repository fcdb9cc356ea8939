"""Opening files that may be compressed by gzip, bzip2 or xz, which their first bytes say."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.foreign.files import MOST_TEXT, open_file
from wordvec.tables.files import display_path, wrap_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader
    from pathlib import Path

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
_MOST_LINES = 20_000_000
_PART = 1 << 20


def compression_of(head: bytes) -> str | None:
    """Return "gzip", "bzip2" or "xz" for the first bytes of a file; None if it is not compressed.

    >>> compression_of(bytes([0x1F, 0x8B, 8, 0]))
    'gzip'
    """
    for magic, name in ((_GZIP, "gzip"), (_BZIP2, "bzip2"), (_XZ, "xz")):
        if head.startswith(magic):
            return name
    return None


@contextmanager
def open_decompressed(
    path: Path, open_raw: Callable[[Path], BufferedReader] = open_file
) -> Iterator[IO[bytes]]:
    """Open a file for reading; one that is compressed is decompressed on the way.

    open_raw: opens it; `open_input` for one that may be a pipe.

    Raises:
        StoreError: It cannot be read, or its compressed data are damaged. Errors of reading in the
            block are raised as such errors too.
    """
    with wrap_reading_errors(path), open_raw(path) as raw:
        yield decompress(raw, compression_of(raw.peek(6)))


@contextmanager
def wrap_reading_errors(path: Path) -> Iterator[None]:
    """Raise errors of reading and of decompression in the block as `StoreError`s that name it."""
    import lzma
    import zlib

    with wrap_os_errors(path, reading=True, hint=None):
        try:
            yield
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            reason = "it ends early" if isinstance(error, EOFError) else str(error)
            raise StoreError(f"{display_path(path)} is damaged: {reason}") from error


def read_lines(path: Path, open_raw: Callable[[Path], BufferedReader] = open_file) -> list[str]:
    """Return the lines of a text file, compressed or not, without their line breaks.

    Lines end at a line feed only; a carriage return before it and a byte order mark are left out.

    Raises:
        StoreError: It cannot be read, is not UTF-8, or has more lines than the memory can hold.
    """
    with open_decompressed(path, open_raw) as file:
        parts = iter(lambda: file.read(_PART), b"")
        data = b"".join(islice(parts, MOST_TEXT // _PART + 1))
    if len(data) > MOST_TEXT or data.count(b"\n") > _MOST_LINES:
        raise StoreError(
            f"{display_path(path)} has more than {MOST_TEXT >> 20} MiB of text or "
            f"{_MOST_LINES:,} lines"
        )
    try:
        *lines, last = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise StoreError(f"{display_path(path)} is not UTF-8 ({error.reason})") from error
    return [line.removesuffix("\r") for line in lines] + [last] * bool(last)


def decompress(raw: IO[bytes], kind: str | None) -> IO[bytes]:
    """Return the decompressed content of a stream; `kind` is what `compression_of` returned."""
    if kind is None:
        return raw
    if kind == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=raw, mode="rb")  # type: ignore[return-value]  # readable
    if kind == "bzip2":
        import bz2

        return bz2.BZ2File(raw)
    import lzma

    return lzma.LZMAFile(raw)
