"""The article's format: a pickled dict `{id: vector}`, read and written."""

from __future__ import annotations

import mmap
import pickle
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.safe_pickle import PickledArray, PickledDict, Refused, kind_of, load
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, wrap_os_errors

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable

# A vector takes 14 to 35 instructions; a file that has more is not a dict of vectors.
_INSTRUCTIONS_PER_VECTOR, _OTHER_INSTRUCTIONS = 64, 10_000
_BLOCK_ROWS = 256
_DICT_START = pickle.PROTO + b"\x03" + pickle.EMPTY_DICT + pickle.BINPUT + b"\0"
_WRONG_MODEL = "check that the vectors were made with this model"


def read_pickle(path: Path, tokens: int) -> NDArray[np.float32]:
    """Read a pickled `{id: vector}`; nothing in the file is run or imported.

    Args:
        path: The pickle, of any protocol and of numpy 1 or 2.
        tokens: V, the size of the vocabulary; the ids are 0 to V - 1, in any order.

    Returns:
        (V, D) float32. Values that overflow float32 become infinite.

    Raises:
        StoreError: The file cannot be read, or is not a dict of V vectors of equal length.
    """
    with wrap_os_errors(path, reading=True):
        if path.exists() and not path.is_file():
            raise StoreError(f"{display_path(path)} is not a file")
        with path.open("rb") as file:
            if not file.read(1):
                raise StoreError(f"{display_path(path)} is empty")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with its last view
    if data[:4] == b"PK\x03\x04":
        raise StoreError(
            f"{display_path(path)} is a zip archive (of torch.save or numpy.savez), not a pickle",
            hint="save the vectors with pickle.dump({id: vector.numpy(), …}, file)",
        )
    try:
        pickled = load(data, _OTHER_INSTRUCTIONS + _INSTRUCTIONS_PER_VECTOR * tokens)
        return _stack(_check(pickled, tokens), max_size=len(data))
    except Refused as error:
        raise StoreError(f"{display_path(path)}: {error.message}", hint=error.hint) from None


def write_pickle(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write `{id: (D,) float32 array}` as a pickle that numpy 1 and 2 load.

    Blocks of rows are pickled one by one and joined into one dict: `pickle.dump` would need all
    rows in memory. Protocol 3 has no frames, which would have to be joined too.
    """
    import numpy as np

    # the first name in each block; numpy 2 also knows the module by the name it has in numpy 1
    module = f"c{np.empty(0).__reduce__()[0].__module__}\n".encode()
    file.write(_DICT_START)
    for start in range(0, len(table), _BLOCK_ROWS):
        rows = np.ascontiguousarray(table.vectors[start : start + _BLOCK_ROWS], dtype="<f4")
        block = pickle.dumps(dict(enumerate(rows, start)), protocol=3)
        items = block.removeprefix(_DICT_START).removesuffix(pickle.STOP)
        file.write(items.replace(module, b"cnumpy.core.multiarray\n", 1))
        progress(start + len(rows), len(table))
    file.write(pickle.STOP)


def _check(pickled: object, tokens: int) -> list[PickledArray]:
    """Return the vectors by id, after a check that each id has one and that their lengths agree."""
    if not isinstance(pickled, PickledDict):
        raise Refused(
            f"expected a dict of vectors by id, got {kind_of(pickled)}",
            hint="pickle dict(enumerate(vectors))",
        )
    items = pickled.items
    missing = [row for row in range(tokens) if row not in items]
    if missing:
        raise Refused(
            f"{len(missing):,} of {tokens:,} ids have no vector: {_some(missing)}", _WRONG_MODEL
        )
    foreign = [row for row in items if not 0 <= row < tokens]
    if foreign:
        raise Refused(
            f"{len(foreign):,} ids are not in a vocabulary of {tokens:,} tokens: {_some(foreign)}",
            _WRONG_MODEL,
        )
    vectors: list[PickledArray] = []
    for row in range(tokens):
        vector = items[row]
        if not isinstance(vector, PickledArray) or vector.data is None:
            raise Refused(f"id {row} has {kind_of(vector)}, not a vector")
        expected = vectors[0].shape if vectors else vector.shape
        if len(vector.shape) != 1 or vector.shape != expected or not vector.shape[0]:
            wanted = "(D,)" if len(expected) != 1 or not expected[0] else str(expected)
            raise Refused(f"id {row} has an array of shape {vector.shape}: expected {wanted}")
        vectors.append(vector)
    return vectors


def _stack(vectors: list[PickledArray], max_size: int) -> NDArray[np.float32]:
    """Return the vectors as (V, D) float32."""
    import numpy as np

    V, D = len(vectors), vectors[0].shape[0]
    if max_size < V * D:  # a number takes at least a byte, unless ids share an array
        raise Refused("it has more numbers than the file has bytes")
    rows = np.empty((V, D), dtype=np.float32)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite
        for row, vector in enumerate(vectors):
            rows[row] = vector.numbers()
    return rows


def _some(ids: list[int]) -> str:
    return ", ".join(str(row) for row in ids[:5]) + (", …" if len(ids) > 5 else "")
