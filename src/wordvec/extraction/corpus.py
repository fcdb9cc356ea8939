"""Reading a corpus: blocks of whole lines, from files, folders, standard input and data sets.

Text is never read as a whole. A block has about `BLOCK_BYTES`; it ends at the end of a line, or,
in a line of plain text that is longer, after 。 or at any character. Blocks do not depend on how
often or how fast a corpus is read, so that a reader can skip those that it has seen.
"""

from __future__ import annotations

import glob
import io
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from wordvec.encoding import InputText
from wordvec.errors import MissingExtraError, StoreError, UsageError
from wordvec.extraction.checkpoint import one_line
from wordvec.foreign.files import open_input
from wordvec.tables.compressed import compression_of, decompress, wrap_reading_errors
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK_BYTES = 1 << 18
_LONGEST_JSON = 1 << 24  # bytes of a line of JSON, which cannot be cut
DEFAULT_FIELD = "text"
STDIN = "-"
HUB = "hf:"
_BOM = b"\xef\xbb\xbf"
_ZSTD = b"\x28\xb5\x2f\xfd"
_JSON_LINES = {".jsonl", ".ndjson"}
_COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines of a corpus.

    data: UTF-8, as it was read. source: the file, for messages. line: the number of the first line.
    field: the field with the text, if each line is a JSON object; None for plain text.
    end: how many bytes of the corpus have been read, of `Corpus.size`.
    """

    data: bytes
    source: str
    line: int
    field: str | None
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """One part of a corpus: a file, "-" for standard input, or "hf:…" for a data set of the hub.

    size: its bytes on disk (compressed, if it is compressed); None if that is not known.
    modified: nanoseconds, to notice another file of the same name and size.
    """

    name: str
    size: int | None = None
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a user named as a corpus.

    field: the field of JSON lines and data sets. None means plain text, except in files named
    .jsonl or .ndjson and in data sets, whose field is then "text".
    """

    sources: tuple[Source, ...]
    field: str | None = None

    @classmethod
    def of(cls, names: Sequence[str | Path], field: str | None = None) -> Corpus:
        """Find the files of a corpus; a folder means all files in it, in the order of their names.

        Raises:
            UsageError: no corpus is named, or standard input twice.
            StoreError: there is no such file, or a folder has none.
        """
        if isinstance(names, str | Path):
            names = [names]
        if not names:
            raise UsageError(
                "contextual vectors need a corpus: text files, a folder, or - for standard input",
                hint='corpus="FILE"',
            )
        if [str(name) for name in names].count(STDIN) > 1:
            raise UsageError("standard input can be read only once: corpus has - twice")
        sources = [source for name in names for source in _sources(str(name))]
        return cls(tuple(sources), field)

    @property
    def size(self) -> int | None:
        """The bytes of all sources on disk; None if that of one is not known."""
        sizes = [source.size for source in self.sources]
        return None if None in sizes else sum(filter(None, sizes))

    @property
    def fingerprint(self) -> str:
        """What shows that a file was changed: their number, and a checksum of sizes and times."""
        listed = repr([(one.name, one.size, one.modified) for one in self.sources])
        digest = sha256(listed.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return f"{len(self.sources)} sources ({digest})"

    @property
    def can_be_read_again(self) -> bool:
        """Whether the sources are files, whose size and time show a change."""
        return all(source.modified is not None for source in self.sources)

    def blocks(self) -> Iterator[Block]:
        """Read the whole corpus.

        Raises:
            StoreError: a source cannot be read, or is damaged.
            EncodingError: a source is text in another encoding than UTF-8, or is not text.
            MissingExtraError: a package that reads this kind of source is not installed.
        """
        before = 0
        for source in self.sources:
            yield from _read(source, self.field, before)
            before += source.size or 0


def _sources(name: str) -> Iterator[Source]:
    if name == STDIN or name.startswith(HUB):
        yield Source(name)
        return
    path = Path(name)
    if not path.is_dir():
        yield _file(path)
        return
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    if not files:
        raise StoreError(f"{escape(name)} has no files")
    yield from map(_file, files)


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _file(path: Path) -> Source:
    with wrap_reading_errors(path):
        status = path.stat()
        if path.is_file():
            return Source(str(path), status.st_size, status.st_mtime_ns)
        return Source(str(path))  # a pipe


def _read(source: Source, field: str | None, before: int) -> Iterator[Block]:
    if source.name.startswith(HUB):
        yield from _read_data_set(source, before, field, **_hub_arguments(source.name))
    elif Path(source.name).suffix == ".parquet":
        yield from _read_data_set(
            source, before, field, path="parquet", data_files=glob.escape(source.name)
        )
    else:
        yield from _read_file(source, field or _usual_field(source.name), before)


def _usual_field(name: str) -> str | None:
    """Return the field to read of a file that is named as JSON lines; None for plain text.

    >>> _usual_field("wiki.jsonl.gz"), _usual_field("wiki.txt.gz")
    ('text', None)
    """
    path = Path(name)
    path = path.with_suffix("") if path.suffix in _COMPRESSED else path
    return DEFAULT_FIELD if path.suffix in _JSON_LINES else None


def _read_file(source: Source, field: str | None, before: int) -> Iterator[Block]:
    name = "standard input" if source.name == STDIN else escape(source.name)
    path = Path("/dev/stdin" if source.name == STDIN else source.name)
    line, first = 1, True
    with wrap_reading_errors(path), _open(source) as raw, _decompressed(raw) as file:
        for data in _whole_lines(file, name, cut_lines=field is None):
            if first:
                InputText(name).check(data)  # raises for another encoding
            end = before + (raw.tell() if source.size is not None else 0)
            yield Block(data.removeprefix(_BOM) if first else data, name, line, field, end)
            line += data.count(b"\n")
            first = False


@contextmanager
def _open(source: Source) -> Iterator[io.BufferedReader]:
    if source.name == STDIN:
        yield sys.stdin.buffer  # type: ignore[misc]  # unless it was replaced
    else:
        with open_input(Path(source.name)) as file:
            yield file


@contextmanager
def _decompressed(raw: io.BufferedReader) -> Iterator[IO[bytes]]:
    head = raw.peek(6)
    if not head.startswith(_ZSTD):
        yield decompress(raw, compression_of(head))
        return
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("reading .zst files", extra="corpus", package="pyarrow") from None
    with io.BufferedReader(pa.input_stream(raw, compression="zstd")) as file:
        yield file


def _whole_lines(file: IO[bytes], name: str, *, cut_lines: bool) -> Iterator[bytes]:
    """Yield the content of a file in blocks of whole lines.

    cut_lines: whether a line that is longer than a block may be cut.
    """
    rest = b""
    while new := file.read(BLOCK_BYTES):
        data = rest + new
        end = data.rfind(b"\n", len(rest)) + 1
        if not end and cut_lines and len(data) >= BLOCK_BYTES:
            end = _place_to_cut(data)
        if len(data) - end > _LONGEST_JSON:
            raise StoreError(f"{name} has a line of more than {_LONGEST_JSON:,} bytes")
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest


def _place_to_cut(data: bytes) -> int:
    """Return where to cut a long line: after the last 。 or space, or between two characters."""
    for mark in ("。".encode(), b" "):
        place = data.rfind(mark)
        if place >= 0:
            return place + len(mark)
    place = len(data)
    while place > len(data) - 4 and data[place - 1] & 0b1100_0000 == 0b1000_0000:
        place -= 1  # back over the bytes that continue a character
    return place - 1 if data[place - 1] >= 0b1100_0000 else len(data)


def _hub_arguments(name: str) -> dict[str, Any]:
    """Return the arguments of `load_dataset` for `hf:OWNER/NAME[:CONFIG]`."""
    data_set, _, config = name.removeprefix(HUB).partition(":")
    if not data_set:
        raise UsageError(f'corpus="{HUB}": expected {HUB}OWNER/NAME[:CONFIG]')
    return {"path": data_set, "name": config or None}


def _read_data_set(
    source: Source, before: int, field: str | None, **arguments: Any
) -> Iterator[Block]:
    """Read the texts of a data set by Hugging Face's `datasets`, which downloads it in parts."""
    try:
        import datasets
    except ImportError:
        raise MissingExtraError(
            f"reading {escape(source.name)}", extra="corpus", package="datasets"
        ) from None
    field = field or DEFAULT_FIELD
    name = escape(source.name)
    try:
        rows = datasets.load_dataset(**arguments, split="train", streaming=True)
        texts = (_text_of(row, field, name) for row in rows)
        line = 1
        for data in _joined(texts):
            yield Block(data, name, line, None, before)
            line += data.count(b"\n")
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise StoreError(f"cannot read {name}: {one_line(error)}") from error


def _text_of(row: dict[str, Any], field: str, name: str) -> str:
    text = row.get(field)
    if not isinstance(text, str):
        raise missing_field(name, field, row)
    return text


def missing_field(where: str, field: str, row: dict[str, Any]) -> StoreError:
    """Return the error for a row or a line of JSON that has no text in a field."""
    others = [key for key, value in row.items() if isinstance(value, str)]
    names = ", ".join(escape(key) for key in others[:5])
    return StoreError(
        f"{where} has no text in the field {escape(field)!r}"
        + (f"; its fields with text: {names}" if others else ""),
        hint=f'field="{others[0]}"' if others else None,
    )


def _joined(texts: Iterable[str]) -> Iterator[bytes]:
    """Join texts to blocks of lines."""
    parts: list[bytes] = []
    size = 0
    for text in texts:
        data = text.encode("utf-8", "replace")
        parts.append(data)
        size += len(data)
        if size >= BLOCK_BYTES:
            yield b"\n".join(parts) + b"\n"
            parts, size = [], 0
    if parts:
        yield b"\n".join(parts) + b"\n"
