r"""The binary format of word2vec (`.bin`): a line `V D`, then each token, a space, and D float32.

The C program writes a line break after each vector and gensim does not; both are read. Tokens are
written with the escapes of `escaped_tokens`: a token ends at its first space.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.escaped_tokens import escape_token
from wordvec.formats.reading import Block, Reading
from wordvec.formats.sampling import Header, read_header
from wordvec.formats.text_rows import TokenDecoder
from wordvec.formats.word2vec import check_header, note_count
from wordvec.formats.written_rows import rows_with_first_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.compressed import compression_of, open_decompressed
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wordvec.formats.reading import ReadOptions
    from wordvec.tables.table import VectorTable

_BLOCK = 4 << 20
_LONGEST_TOKEN = 1 << 16


def read_word2vec_binary(path: Path, options: ReadOptions) -> Reading:
    """Read word2vec's binary format.

    Raises:
        StoreError: The file cannot be read, has no header `V D`, or ends inside a vector.
    """
    with open_decompressed(path) as file:
        line = file.readline(64)
    header = read_header(line)
    if header is None:
        raise StoreError(f"{display_path(path)} does not start with the line V D of word2vec")
    check_header(path, header)
    _check_size(path, header)
    reading = Reading(iter(()), header.tokens)
    reading.blocks = _blocks(path, options, reading, header)
    return reading


def _check_size(path: Path, header: Header) -> None:
    """Raise StoreError if a file is smaller than one vector of its header."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if not compression_of(file.read(6)) and size < 4 * header.dimensions:
            raise StoreError(
                f"{display_path(path)} is truncated: a vector of {header.dimensions:,} numbers "
                f"has {4 * header.dimensions:,} bytes, and the file has {size:,}"
            )


def _blocks(path: Path, options: ReadOptions, reading: Reading, header: Header) -> Iterator[Block]:
    decoder = TokenDecoder()
    wanted = header.tokens if options.limit is None else min(header.tokens, options.limit)
    done, data = 0, b""
    with open_decompressed(path) as file:
        file.readline()
        while done < wanted:
            more = file.read(_BLOCK)
            block, used = _parse(data + more, header.dimensions, wanted - done, decoder)
            data = (data + more)[used:]
            done += len(block.tokens)
            if block.tokens:
                yield block
            if not more:
                break
            if len(data) > 4 * header.dimensions + _LONGEST_TOKEN + _BLOCK:
                raise _damaged(path, done, f"no space ends a token of {_LONGEST_TOKEN:,} bytes")
        rest = data.strip(b"\r\n") if done < wanted else b""
        if rest and not options.skip_bad:
            raise _damaged(path, done, "the file ends inside it")
        follows = data + file.read(1 << 10) if done == header.tokens else b""
    if rest:
        reading.notes.append("the last vector is left out: the file ends inside it")
    if follows.strip(b"\r\n\0 "):
        reading.notes.append(
            f"the header says {header.tokens:,} vectors of {header.dimensions:,} numbers, and the "
            "file goes on after them: what follows is left out"
        )
    reading.notes.extend(decoder.notes())
    note_count(reading, header, done, options.limit)


def _damaged(path: Path, done: int, reason: str) -> StoreError:
    return StoreError(f"{display_path(path)} is damaged at vector {done + 1:,}: {reason}")


def _parse(data: bytes, D: int, most: int, decoder: TokenDecoder) -> tuple[Block, int]:  # noqa: N803
    """Return the whole records at the start of some bytes, and how many bytes they take."""
    import numpy as np

    tokens: list[str] = []
    places: list[int] = []
    start, size = 0, 4 * D
    while len(tokens) < most:
        space = data.find(b" ", start)
        if space < 0 or space + 1 + size > len(data):
            break
        tokens.append(decoder.decode(data[start:space].lstrip(b"\r\n")))
        places.append(space + 1)
        start = space + 1 + size
    rows = np.empty((len(tokens), D), dtype="<f4")
    for row, place in zip(rows, places, strict=True):
        row[:] = np.frombuffer(data, "<f4", D, place)
    return Block(tokens, rows), start


def write_word2vec_binary(
    table: VectorTable, file: IO[bytes], progress: Progress = no_progress
) -> None:
    """Write the format as gensim does. Of equal tokens only the first is written."""
    import numpy as np

    rows, tokens = rows_with_first_tokens(table), table.vocabulary.tokens
    file.write(f"{len(rows)} {table.dimensions}\n".encode())
    for done, row in enumerate(rows, start=1):
        numbers = np.ascontiguousarray(table.vectors[row], dtype="<f4").tobytes()
        file.write(escape_token(tokens[row]).encode() + b" " + numbers)
        if done % 256 == 0 or done == len(rows):
            progress(done, len(rows))
