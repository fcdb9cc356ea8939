"""The pair of files of the TensorBoard Embedding Projector: vectors.tsv and metadata.tsv.

The first has only numbers. The second has one token per line; with several columns it starts with
their names.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.delimited import TOKEN_COLUMNS, read_delimited
from wordvec.formats.escaped_tokens import escape_token, unescape_token
from wordvec.formats.token_lines import has_own_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.compressed import read_lines
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wordvec.formats.reading import Reading, ReadOptions
    from wordvec.tables.table import VectorTable

VECTORS, METADATA = "vectors.tsv", "metadata.tsv"
_BOM = "\ufeff"


def metadata_path(vectors: Path) -> Path:
    """Return where the tokens of a file of vectors are: `x_metadata.tsv` for `x_vectors.tsv`.

    A file whose name does not contain "vectors" has `metadata.tsv` in the same folder.
    """
    name = vectors.name
    return vectors.with_name(name.replace("vectors", "metadata") if "vectors" in name else METADATA)


def read_projector(path: Path, options: ReadOptions) -> Reading:
    """Read the pair of files in a folder, or the file of vectors and the one beside it.

    Raises:
        StoreError: One of them cannot be read, or they have different numbers of lines.
    """
    path = path / VECTORS if path.is_dir() else path
    if options.tokens is not None and metadata_path(path).is_file():
        raise has_own_tokens(path)
    tokens = None if options.tokens else read_metadata(metadata_path(path))
    return read_delimited(path, options, "\t", tokens)


def read_metadata(path: Path) -> list[str]:
    """Return the tokens: the lines, or the column with the name of one in `TOKEN_COLUMNS`."""
    lines = read_lines(path)
    if not lines or "\t" not in lines[0]:
        return [unescape_token(line) for line in lines]
    names = [name.lower() for name in lines[0].split("\t")]
    column = next((names.index(name) for name in TOKEN_COLUMNS if name in names), 0)
    tokens = []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t", column + 1)
        if len(fields) <= column:
            raise StoreError(f"{display_path(path)}: line {number:,} has too few columns")
        tokens.append(unescape_token(fields[column]))
    return tokens


def write_projector(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the vectors, separated by tabs; `write_metadata` writes the other file."""
    numbers = "\t".join(["%.9g"] * table.dimensions)
    for row in range(len(table)):
        file.write(f"{numbers % tuple(table.vectors[row].tolist())}\n".encode())
        if row % 256 == 255 or row == len(table) - 1:
            progress(row + 1, len(table))


def write_metadata(tokens: Iterable[str], file: IO[bytes]) -> None:
    """Write one token per line, with the escapes of `escaped_tokens`."""
    for row, token in enumerate(tokens):
        mark = _BOM if row == 0 and token.startswith(_BOM) else ""  # reading removes one
        file.write(f"{mark}{escape_token(token)}\n".encode())
