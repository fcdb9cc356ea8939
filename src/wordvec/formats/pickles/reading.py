"""A pickled `{id: vector}` becomes rows: one vector for each id, all of one width, or a refusal."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.pickles.arrays import Array, Refused, kind_of
from wordvec.formats.pickles.machine import Machine
from wordvec.tables.files import display_path, wrap_os_errors

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def load_vectors(path: Path, tokens: int) -> NDArray[np.float32]:
    """Read a pickled `{id: vector}` with one vector for each of V = `tokens` ids: (V, D) float32.

    Raises StoreError for whatever is not that; nothing in the file is run or imported.
    """
    with wrap_os_errors(path, reading=True):
        if path.exists() and not path.is_file():
            raise StoreError(f"{display_path(path)} is no file")
        with path.open("rb") as file:
            if not file.read(1):
                raise StoreError(f"{display_path(path)} is empty")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with its last view
    try:
        return _rows(Machine(data, tokens).run(), tokens, len(data))
    except Refused as error:
        raise _failure(error, path, data[:4]) from None


def _failure(error: Refused, path: Path, head: bytes) -> StoreError:
    if head == b"PK\x03\x04":
        return StoreError(
            f"{display_path(path)} is a zip archive (torch.save or numpy.savez write such), "
            "not a pickle",
            hint="save it by pickle.dump({id: vector.numpy(), …}, file)",
        )
    return StoreError(f"{display_path(path)}: {error.message}", hint=error.hint)


def _rows(pickled: object, tokens: int, file_size: int) -> NDArray[np.float32]:
    """The dict's vectors as one array, ids as rows."""
    import numpy as np

    vectors = _checked(pickled, tokens)
    D = vectors[0].shape[0]
    if tokens * D > file_size:  # at least a byte a number, and no array under two ids
        raise Refused("it claims more numbers than the file has bytes")
    rows = np.empty((tokens, D), dtype=np.float32)
    with np.errstate(over="ignore"):  # a float64 beyond float32 is infinite: counted by the store
        for row, vector in vectors.items():
            rows[row] = np.frombuffer(vector.data or b"", vector.dtype)
    return rows


def _checked(pickled: object, tokens: int) -> dict[int, Array]:
    """Check that there is one vector for each id, all of one width."""
    if not isinstance(pickled, dict):
        raise Refused(
            f"expected a dict of vectors by id, got {kind_of(pickled)}",
            hint="pickle dict(enumerate(vectors))",
        )
    missing = [row for row in range(tokens) if row not in pickled]
    if missing:
        raise Refused(
            f"{len(missing):,} of {tokens:,} ids have no vector: {_some(missing)}",
            hint="is --model the model that the vectors were made with?",
        )
    foreign = [row for row in pickled if not 0 <= row < tokens]
    if foreign:
        raise Refused(
            f"{len(foreign):,} ids are no tokens of a vocabulary of {tokens:,}: {_some(foreign)}",
            hint="is --model the model that the vectors were made with?",
        )
    vectors: dict[int, Array] = {}
    shape: tuple[int, ...] | None = None
    for row in range(tokens):
        vector = pickled[row]
        if not isinstance(vector, Array) or vector.data is None:
            raise Refused(f"id {row} has {kind_of(vector)}, not a vector")
        shape = vector.shape if shape is None else shape
        if len(vector.shape) != 1 or vector.shape != shape or not vector.shape[0]:
            wanted = "(D,)" if len(shape) != 1 or not shape[0] else str(shape)
            raise Refused(f"id {row} has an array of shape {vector.shape}: expected {wanted}")
        vectors[row] = vector
    return vectors


def _some(ids: list[int]) -> str:
    return ", ".join(str(row) for row in ids[:5]) + (", …" if len(ids) > 5 else "")
