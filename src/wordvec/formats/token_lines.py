r"""A text file with one token per line, beside a file of vectors that has no tokens of its own.

Only what would break a line is escaped, as in `escaped_tokens`: `\u000a` is a line break. Spaces
stay, and an empty line is the empty token.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.foreign.files import has_file, open_input
from wordvec.formats.escaped_tokens import escape_line, unescape_token
from wordvec.tables.compressed import read_lines
from wordvec.tables.files import display_path, wrap_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wordvec.formats.reading import Block, ReadOptions

_BOM = "\ufeff"


def write_token_lines(tokens: Iterable[str], file: IO[bytes]) -> None:
    """Write one token per line."""
    for row, token in enumerate(tokens):
        mark = _BOM if row == 0 and token.startswith(_BOM) else ""  # reading removes one
        file.write(f"{mark}{escape_line(token)}\n".encode())


def read_token_lines(path: Path) -> list[str]:
    """Read one token per line; a carriage return at the end of each line is not part of it.

    The user may have named a pipe.

    Raises:
        StoreError: The file cannot be read, is empty, or is not UTF-8.
    """
    lines = read_lines(path, open_input)
    if not lines:
        raise StoreError(f"{display_path(path)} is empty: expected one token per line")
    return [unescape_token(line) for line in lines]


def tokens_beside(path: Path) -> Path:
    """Return the file with the tokens of a file that has none, as `export` names it.

    >>> from pathlib import Path
    >>> tokens_beside(Path("x.npy")).name
    'x.npy.tokens.txt'
    """
    return path.with_name(f"{path.name}.tokens.txt")


def find_token_list(path: Path, options: ReadOptions) -> list[str] | None:
    """Return the tokens of `options.tokens`, else those beside the file, else None."""
    if options.tokens is not None:
        return read_token_lines(options.tokens)
    beside = tokens_beside(path)
    with wrap_os_errors(beside, reading=True):
        return read_token_lines(beside) if has_file(beside) else None


def missing_tokens(path: Path) -> StoreError:
    """Return the error for a file without tokens."""
    return StoreError(
        f"{display_path(path)} has vectors but no tokens",
        hint=f"name a text file with one token per line (tokens=…), or save it beside the file "
        f"as {display_path(tokens_beside(path).relative_to(path.parent))}",
    )


def has_own_tokens(path: Path) -> StoreError:
    """Return the error for a list of tokens beside a file that has tokens itself."""
    return StoreError(
        f"{display_path(path)} has tokens of its own",
        hint="import it without a list of tokens (tokens=…)",
    )


def with_tokens(
    blocks: Iterator[Block], tokens: list[str] | None, path: Path, limit: int | None
) -> Iterator[Block]:
    """Yield blocks with the tokens of a list in place of their own; None keeps those.

    Raises:
        StoreError: The list has more or fewer tokens than there are rows.
    """
    if tokens is None:
        yield from blocks
        return
    rows = 0
    for block in blocks:
        block.tokens[:] = tokens[rows : rows + len(block.rows)]
        rows += len(block.rows)
        if rows > len(tokens):
            break
        yield block
    if rows > len(tokens) or (rows < len(tokens) and limit is None):
        more = "at least " if rows > len(tokens) else ""
        raise StoreError(
            f"{display_path(path)} has {more}{rows:,} vectors for {len(tokens):,} tokens"
        )
