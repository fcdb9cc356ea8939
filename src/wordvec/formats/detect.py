"""Which format a file has, by its content.

A file that is not of a format with vectors is named for what it looks like: an error says "looks
like an HTML page", not how a reader failed.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from wordvec.encoding import JAPANESE_ENCODINGS, encoding_error, guess_encoding
from wordvec.errors import StoreError
from wordvec.foreign.files import check_file
from wordvec.formats.delimited import CSV_SEPARATORS, find_columns
from wordvec.formats.file_format import FileFormat
from wordvec.formats.projector import METADATA, VECTORS, metadata_path
from wordvec.formats.sampling import (
    check_decimal_point,
    count_dimensions,
    first_lines,
    numbers_at_end,
    read_header,
)
from wordvec.formats.spacy_folder import is_spacy_folder
from wordvec.formats.static_model import is_static_model
from wordvec.formats.text_rows import shown_line
from wordvec.tables.compressed import compression_of, open_decompressed
from wordvec.tables.files import display_path, wrap_os_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEAD = 1 << 16

_SIGNATURES: tuple[tuple[bytes, FileFormat], ...] = (
    (rb"\x93NUMPY", FileFormat.NPY),
    (rb"PAR1", FileFormat.PARQUET),
    (rb"ARROW1", FileFormat.ARROW),
    (rb"\xff\xff\xff\xff.{4}\x10\0\0\0", FileFormat.ARROW),  # a stream of Arrow
    (rb"FiFu", FileFormat.FINALFUSION),
)
_OTHER_FILES: tuple[tuple[bytes, str, str | None], ...] = (
    (rb"\x89HDF\r\n\x1a\n", "HDF5", None),
    (rb"GGUF", "GGUF, a language model of llama.cpp", None),
    (rb"\xba\x16O/", "a model of fastText", "import its .vec file"),
    (rb"%PDF-", "PDF", None),
    (rb"\s*(?i:<!doctype html|<html)", "an HTML page", "was the download refused?"),
    (rb"\s*<\?xml", "XML", None),
    (rb"version https://git-lfs", "a git-lfs pointer, not the file itself", "git lfs pull"),
    (rb"\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it: zstd -d FILE"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (rb"Rar!", "a RAR archive", "unpack it"),
    (rb".{257}ustar", "a tar archive", "unpack it: tar -xf FILE"),
    (rb"SQLite format 3\0", "an SQLite database", None),
    (rb"\x89PNG", "a PNG picture", None),
    (rb"\xff\xd8\xff", "a JPEG picture", None),
    (rb"\x7fELF|MZ.{58,}This program", "a program", None),
    (rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9", "a file of torch.save", None),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE"),
    (rb'\s*(?:\{\s*"|\[\s*[\[{"])', "JSON", None),
    (rb"\x08[\x01-\x20]\x12.{1,40}(?:onnx|pytorch|tf2onnx|producer)", "ONNX", None),
    (rb"\x08[\x01-\x20](?:\x12|\x3a|\x1a).*(?:ir_version|ai\.onnx|Gather|MatMul)", "ONNX", None),
)
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_EMPTY_TABLE = re.compile(rb"0 \d{1,9}\s*")
_TORCH_HINT = "save the vectors with pickle.dump({id: vector.numpy(), …}, file)"
_PICKLE = re.compile(rb"\x80[\x01-\x05]|\(dp|\}q|\(l?p0|c[a-z_.]+\n", re.DOTALL)


def detect_format(path: Path) -> FileFormat:
    """Return the format of a file or a folder.

    Raises:
        StoreError: It cannot be read, or has no format that can be imported.
    """
    with wrap_os_errors(path, reading=True, hint=None):
        if path.is_dir():
            return _detect_folder(path)
        if not check_file(path):
            raise StoreError(f"{display_path(path)} is empty")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    kind = compression_of(head)
    if kind:
        with open_decompressed(path) as file:
            head = file.read(_HEAD)
        if not head:
            raise StoreError(f"{display_path(path)} is empty after decompression ({kind})")
    return _detect_binary(path, head, kind) or _detect_text(path)


def _detect_folder(path: Path) -> FileFormat:
    def has(*names: str) -> bool:
        return all((path / name).exists() for name in names)

    if has(VECTORS, METADATA):
        return FileFormat.PROJECTOR
    if is_spacy_folder(path):
        return FileFormat.SPACY
    if is_static_model(path):
        return FileFormat.MODEL2VEC
    if has("config.json"):
        raise StoreError(
            f"{display_path(path)} is the folder of a model",
            hint=f"wordvec extract --model {display_path(path)}",
        )
    raise StoreError(f"{display_path(path)} is a folder without vectors that wordvec can read")


def _detect_binary(path: Path, head: bytes, kind: str | None) -> FileFormat | None:
    for signature, file_format in _SIGNATURES:
        if re.match(signature, head, re.DOTALL):
            return _uncompressed(path, file_format, kind)
    if head.startswith(b"PK\x03\x04"):
        return _detect_zip(path, kind)
    for pattern, name, hint in _OTHER_FILES:
        if re.match(pattern, head, re.DOTALL):
            inside = f" ({kind} of it)" if kind else ""
            raise StoreError(f"{display_path(path)} looks like {name}{inside}", hint=hint)
    size = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and (kind or size <= path.stat().st_size):
        return _uncompressed(path, FileFormat.SAFETENSORS, kind)
    if _PICKLE.match(head):
        gensim = b"gensim.models" in head or b"gensim\nmodels" in head
        return _uncompressed(path, FileFormat.GENSIM if gensim else FileFormat.PICKLE, kind)
    return None


def _uncompressed(path: Path, file_format: FileFormat, kind: str | None) -> FileFormat:
    if kind:
        raise StoreError(
            f"{display_path(path)} is {file_format} compressed by {kind}",
            hint="decompress it first",
        )
    return file_format


def _detect_zip(path: Path, kind: str | None) -> FileFormat:
    if kind:
        raise StoreError(f"{display_path(path)} looks like a zip archive ({kind} of it)")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise StoreError(f"{display_path(path)} is a damaged zip archive: {error}") from error
    if names and all(name.endswith(".npy") for name in names):
        return FileFormat.NPZ
    if any(name.endswith("data.pkl") for name in names):
        raise StoreError(
            f"{display_path(path)} looks like a zip archive of torch.save", hint=_TORCH_HINT
        )
    raise StoreError(
        f"{display_path(path)} looks like a zip archive of {len(names):,} files",
        hint="unpack it and import the file with the vectors",
    )


def _detect_text(path: Path) -> FileFormat:
    lines = first_lines(path)
    header = read_header(lines[0])
    if header and _is_binary(lines[1:], header.dimensions):
        return FileFormat.WORD2VEC_BINARY
    _check_text(path, lines)
    if all(numbers_at_end(line.split()) == len(line.split()) for line in lines[1:]) and (
        path.name.endswith(("vectors.tsv", ".tsv"))
        and b"\t" in lines[0]
        and metadata_path(path).is_file()
    ):
        return FileFormat.PROJECTOR
    rows = lines[1:] if header and len(lines) > 1 else lines
    dimensions = {
        FileFormat.TSV: _dimensions_between(lines, "\t"),
        FileFormat.CSV: max(_dimensions_between(lines, char) for char in CSV_SEPARATORS),
        FileFormat.WORD2VEC: count_dimensions(rows),
    }
    if header and dimensions[FileFormat.WORD2VEC] == header.dimensions:
        return FileFormat.WORD2VEC
    best = max(dimensions, key=lambda file_format: dimensions[file_format])
    if not dimensions[best]:
        if any(b"\0" in line for line in lines):
            raise StoreError(f"{display_path(path)} is binary data of a format that is not known")
        if header and len(lines) > 1:
            return FileFormat.WORD2VEC  # its reader names the first broken line
        first = lines[0].rstrip(b"\r\n")
        raise StoreError(f"{display_path(path)} is not vectors: line 1 is {shown_line(first)}")
    return best


def _check_text(path: Path, lines: Sequence[bytes]) -> None:
    """Raise StoreError for text that cannot be read as it is, and say how to convert it."""
    encoding = guess_encoding(b"".join(lines))
    if encoding is not None and encoding in JAPANESE_ENCODINGS:
        raise encoding_error(encoding, display_path(path), path=display_path(path))
    if len(lines) == 1 and b"\r" in lines[0].rstrip():
        raise StoreError(
            f"{display_path(path)} has carriage returns in place of line breaks",
            hint=f"convert it: tr '\\r' '\\n' < {display_path(path)}",
        )
    if len(lines) == 1 and _EMPTY_TABLE.fullmatch(lines[0]):
        raise StoreError(f"{display_path(path)} has no vectors: its header says so")
    check_decimal_point(path, lines[1:] or lines)


def _is_binary(lines: Sequence[bytes], dimensions: int) -> bool:
    """Return whether tokens with `dimensions` float32 follow the header, not lines of text."""
    if count_dimensions(lines):
        return False
    data = b"".join(lines)
    return bool(_CONTROL.search(data)) or (not data.isascii() and _has_records(data, dimensions))


def _has_records(data: bytes, dimensions: int) -> bool:
    """Return whether short data is whole records of word2vec's binary format."""
    place = 0
    while place < len(data):
        space = data.find(b" ", place)
        place = space + 1 + 4 * dimensions
        if space < 0 or place > len(data):
            return False
        place += data[place : place + 1] == b"\n"
    return place > 0


def _dimensions_between(lines: Sequence[bytes], separator: str) -> int:
    """Return how many columns of numbers a separator gives; 0 if it does not fit."""
    if not any(separator.encode() in line for line in lines):
        return 0
    columns = find_columns(lines, separator)
    return 0 if columns is None else columns.dimensions
