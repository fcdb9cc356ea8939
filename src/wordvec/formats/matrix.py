"""A (V, D) matrix in a file: its size is checked, then it is read as blocks of float32 rows.

The readers of binary formats share this module. V tokens, D dimensions, B rows of a block.
"""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError, WordvecError
from wordvec.foreign.files import check_file
from wordvec.formats.reading import Block
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_BLOCK_BYTES = 4 << 20
_SURROGATE = re.compile("[\ud800-\udfff]")


@contextmanager
def refuse_damage(path: Path, kind: str, *, hint: str | None = None) -> Iterator[None]:
    """Raise each exception of the block as a StoreError that names `path`.

    kind: What the file should be ("an .npz archive"), for the message.
    """
    try:
        yield
    except WordvecError:
        raise
    except Exception as error:  # libraries do not list what they raise for a damaged file
        if isinstance(error, OSError) and error.errno is not None:
            with wrap_os_errors(path, reading=True):
                raise
        reason = clip(escape(str(error).partition("\n")[0][:200]), 100)
        detail = f"{type(error).__name__}: {reason}" if str(error) else type(error).__name__
        raise StoreError(
            f"{display_path(path)} is damaged or not {kind} ({detail})", hint=hint
        ) from error


def file_size(path: Path) -> int:
    """Check that `path` is a file with content, and return its size in bytes.

    Raises:
        StoreError: It is missing, a folder, a pipe or empty.
    """
    with wrap_os_errors(path, reading=True, hint=None):
        size = check_file(path)
    if not size:
        raise StoreError(f"{display_path(path)} is empty")
    return size


def check_shape(path: Path, shape: Sequence[int], *, what: str = "vectors") -> tuple[int, int]:
    """Return V and D from the shape of a matrix.

    Raises:
        StoreError: The shape is not that of one or more vectors.
    """
    if len(shape) != 2 or min(shape) < 1:
        raise StoreError(f"{display_path(path)}: expected (V, D) {what}, got {tuple(shape)}")
    return int(shape[0]), int(shape[1])


def check_size(path: Path, shape: Sequence[int], item_bytes: int, available: int) -> None:
    """Check that the numbers of an array take the bytes that the file has for them."""
    needed = math.prod(shape) * item_bytes
    if needed != available:
        raise StoreError(
            f"{display_path(path)} is truncated or damaged: numbers of shape {tuple(shape)} "
            f"need {needed:,} bytes, but it has {available:,}"
        )


def check_tokens(path: Path, tokens: int, rows: int, *, source: str = "tokens") -> None:
    """Check that there are as many tokens as vectors."""
    if tokens != rows:
        raise StoreError(
            f"{display_path(path)}: expected one vector for each token, "
            f"got {tokens:,} {source} and {rows:,} vectors"
        )


def check_dtype(path: Path, dtype: np.dtype[Any], *, what: str = "the vectors") -> None:
    """Check that an array has floats or integers of at most 64 bits."""
    if dtype.kind in "fiu" and dtype.itemsize <= 8:
        return
    if dtype.hasobject:
        raise StoreError(
            f"{display_path(path)}: {what} are Python objects, which are not read: "
            "loading them can run code",
            hint="save numbers: np.save(path, np.stack(list(vectors)).astype(np.float32))",
        )
    raise StoreError(
        f"{display_path(path)}: {what} have type {dtype.str}, expected floats or integers",
        hint="save them with .astype(np.float32)",
    )


def limited(rows: int, limit: int | None) -> int:
    """Return how many of the rows are read."""
    return rows if limit is None else min(rows, limit)


def rows_at_once(columns: int) -> int:
    """Return how many rows of D numbers a block has."""
    return max(1, _BLOCK_BYTES // (4 * columns))


def read_blocks(
    path: Path,
    tokens: Sequence[str],
    columns: int,
    read: Callable[[int, int], NDArray[Any]],
    notes: list[str],
) -> Iterator[Block]:
    """Yield the tokens with their vectors, block by block.

    Args:
        path: The file, for errors.
        tokens: The tokens of the rows that are read.
        columns: D.
        read: Returns the rows from one number to another: (B, D), in any type. It is called in
            order.
        notes: Gets a note if numbers overflow float32.

    Raises:
        StoreError: A token is not Unicode text.
    """
    import numpy as np

    step, overflows = rows_at_once(columns), 0
    for start in range(0, len(tokens), step):
        stop = min(start + step, len(tokens))
        block = list(tokens[start:stop])
        check_text(path, block, start)
        with np.errstate(all="ignore"):  # NaN and infinity are read like any number
            numbers = read(start, stop)
        rows, overflowed = to_float32(numbers)
        overflows += overflowed
        yield Block(block, rows)
    notes.extend(overflow_notes(overflows))


def check_text(path: Path, tokens: Sequence[object], start: int = 0) -> None:
    """Check that tokens are text without lone surrogates, which no file of ours can hold."""
    for row, token in enumerate(tokens, start):
        if not isinstance(token, str):
            raise StoreError(f"{display_path(path)}: the token of row {row} is not text")
        if not token.isascii() and _SURROGATE.search(token):
            raise StoreError(
                f"{display_path(path)}: the token of row {row} is not valid Unicode: "
                f"{clip(escape(token[:40]), 40)}"
            )


def to_float32(rows: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
    """Return rows as float32, and how many finite numbers became infinite."""
    import numpy as np

    with np.errstate(all="ignore"):
        converted = np.ascontiguousarray(rows, dtype=np.float32)
    if rows.dtype.itemsize <= 4 or rows.dtype.kind != "f":
        return converted, 0
    return converted, int(np.count_nonzero(np.isinf(converted) & np.isfinite(rows)))


def overflow_notes(overflows: int) -> list[str]:
    """Return the note on numbers that overflow float32, if there are any."""
    if not overflows:
        return []
    return [f"numbers that overflow float32, read as infinite: {overflows:,}"]
