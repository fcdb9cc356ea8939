"""The table of formats: its name, who reads and writes it, and the suffixes of its files.

To add a format, add its name to `FileFormat` and a line to `FORMATS`. A reader is a function
`(path, options) → Reading`, a writer `(table, file, progress)`; their module is imported when it
is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Protocol

from wordvec.errors import StoreError
from wordvec.formats.file_format import FileFormat

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.formats.reading import Reading, ReadOptions
    from wordvec.progress import Progress
    from wordvec.tables.table import VectorTable


class Reader(Protocol):
    """Reads a file."""

    def __call__(self, path: Path, options: ReadOptions) -> Reading:
        """Start to read; StoreError if the file is not of the format."""


class Writer(Protocol):
    """Writes a table to an open file."""

    def __call__(self, table: VectorTable, file: IO[bytes], progress: Progress) -> None:
        """Write all of the table."""


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the table.

    module: the module in `wordvec.formats`. read, write: its functions; None if there is none.
    suffixes: those of files that are written; the first format with a suffix is the one it means.
    is_text: whether a file may be compressed, as `x.txt.gz`.
    keyed: whether a token is a key, so that of equal tokens only the first is written.
    escaped: whether tokens are written with the escapes of `escaped_tokens`.
    tokens_beside: whether the tokens are written to a second file, `x.npy.tokens.txt`.
    has_tokens: whether a file always has tokens, so that a list of them is refused.
    """

    module: str
    read: str | None = None
    write: str | None = None
    suffixes: tuple[str, ...] = ()
    is_text: bool = False
    keyed: bool = False
    escaped: bool = False
    tokens_beside: bool = False
    has_tokens: bool = False


_F = FileFormat
FORMATS: dict[FileFormat, Format] = {
    _F.WORD2VEC: Format(
        "word2vec", "read_word2vec", "write_word2vec", (".txt", ".vec"),
        is_text=True, keyed=True, escaped=True,
    ),
    _F.GLOVE: Format(
        "word2vec", "read_glove", "write_glove", (".txt", ".vec"),
        is_text=True, keyed=True, escaped=True,
    ),
    _F.WORD2VEC_BINARY: Format(
        "word2vec_binary", "read_word2vec_binary", "write_word2vec_binary", (".bin",),
        keyed=True, escaped=True, has_tokens=True,
    ),
    _F.CSV: Format("delimited", "read_csv", "write_csv", (".csv",), is_text=True, keyed=True),
    _F.TSV: Format("delimited", "read_tsv", "write_tsv", (".tsv",), is_text=True, keyed=True),
    _F.PROJECTOR: Format(
        "projector", "read_projector", "write_projector", (".tsv",), escaped=True
    ),
    _F.PICKLE: Format(
        "article_pickle", "read_vectors", "write_pickle", (".pickle", ".pkl"), tokens_beside=True
    ),
    _F.NPY: Format("npy", "read_npy", "write_npy", (".npy",), tokens_beside=True),
    _F.NPZ: Format("npz", "read_npz", "write_npz", (".npz",)),
    _F.SAFETENSORS: Format(
        "safetensors_file", "read_safetensors", "write_safetensors", (".safetensors",)
    ),
    _F.PARQUET: Format("parquet", "read_parquet", "write_parquet", (".parquet",)),
    _F.ARROW: Format("parquet", "read_arrow"),
    _F.FINALFUSION: Format("finalfusion", "read_finalfusion", has_tokens=True),
    _F.GENSIM: Format("gensim_kv", "read_gensim", has_tokens=True),
    _F.SPACY: Format("spacy_folder", "read_spacy", has_tokens=True),
    _F.MODEL2VEC: Format("static_model", "read_static_model", has_tokens=True),
}  # fmt: skip


def reader_of(file_format: FileFormat) -> Reader:
    """Return the function that reads a format, or raise StoreError."""
    reader: Reader = _function(file_format, FORMATS[file_format].read, "reading")
    return reader


def writer_of(file_format: FileFormat) -> Writer:
    """Return the function that writes a format, or raise StoreError."""
    writer: Writer = _function(file_format, FORMATS[file_format].write, "writing")
    return writer


def readable_formats() -> list[FileFormat]:
    """Return the formats that can be imported."""
    return [file_format for file_format, entry in FORMATS.items() if entry.read]


def writable_formats() -> list[FileFormat]:
    """Return the formats that a table can be written in."""
    return [file_format for file_format, entry in FORMATS.items() if entry.write]


def _function(file_format: FileFormat, name: str | None, action: str) -> Any:
    module = f"wordvec.formats.{FORMATS[file_format].module}"
    try:
        function = name and getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name != module:  # a package that the module needs
            raise
        function = None
    if not function:
        raise StoreError(f"{action} {file_format} is not supported yet")
    return function
