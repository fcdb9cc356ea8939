r"""A text file with one token per line, for formats that have no tokens of their own.

Lines end at `\n` alone: U+2028, U+0085 and others can be tokens. A CR that every line has is the
end of a Windows line, and is removed.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.formats.reading import ReadOptions
    from wordvec.tables.table import VectorTable


def read_token_list(path: Path) -> list[str]:
    r"""Read one token per line, in row order.

    Raises:
        StoreError: The file cannot be read, is empty, or is not UTF-8.
    """
    with wrap_os_errors(path, reading=True):
        if path.exists() and not path.is_file():
            raise StoreError(f"{display_path(path)} is not a file")
        data = path.read_bytes()
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise StoreError(f"{display_path(path)} is not UTF-8 ({error.reason})") from error
    if not text:
        raise StoreError(f"{display_path(path)} is empty: expected one token per line")
    lines = text.removesuffix("\n").split("\n")
    if all(line.endswith("\r") for line in lines):
        return [line[:-1] for line in lines]
    return lines


def tokens_beside(path: Path) -> Path:
    """Return the file with the tokens of a file without any, as `export` names it.

    >>> from pathlib import Path
    >>> tokens_beside(Path("vectors.npy")).name
    'vectors.npy.tokens.txt'
    """
    return path.with_name(f"{path.name}.tokens.txt")


def find_token_list(path: Path, options: ReadOptions) -> list[str] | None:
    """Return the tokens of `options.tokens`, else those beside the file, else None."""
    if options.tokens is not None:
        return read_token_list(options.tokens)
    beside = tokens_beside(path)
    with wrap_os_errors(beside, reading=True):
        return read_token_list(beside) if beside.exists() else None


def write_token_list(table: VectorTable, file: IO[bytes]) -> None:
    r"""Write one token per line, as `read_token_list` reads it.

    Raises:
        StoreError: A token contains a line feed, or every token ends with a CR.
    """
    tokens = table.vocabulary.tokens
    for row, token in enumerate(tokens):
        if "\n" in token:
            raise StoreError(
                f"the token of row {row} contains a line feed: {clip(escape(token[:40]), 40)}",
                hint="use a format that has tokens of its own, such as npz",
            )
    if all(token.endswith("\r") for token in tokens):
        raise StoreError(
            "every token ends with a CR, which would be read as the end of a Windows line",
            hint="use a format that has tokens of its own, such as npz",
        )
    mark = "\ufeff" if tokens[0].startswith("\ufeff") else ""  # reading removes one
    file.write(mark.encode() + "".join(f"{token}\n" for token in tokens).encode())


def missing_tokens(path: Path) -> StoreError:
    """Return the error for a file without tokens."""
    return StoreError(
        f"{display_path(path)} has vectors but no tokens",
        hint=f"name a text file with one token per line (tokens=…), or save it beside the file "
        f"as {display_path(tokens_beside(path).relative_to(path.parent))}",
    )
