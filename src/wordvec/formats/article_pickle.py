"""Pickled dicts: the article's `{id: vector}`, read and written, and `{token: vector}`, read."""

from __future__ import annotations

import mmap
import pickle
import pickletools
from itertools import islice
from typing import IO, TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.formats.matrix import file_size
from wordvec.formats.reading import Block, Reading, ReadOptions
from wordvec.formats.safe_pickle import PickledArray, PickledDict, Refused, kind_of, load
from wordvec.formats.token_lines import has_own_tokens, read_token_lines, tokens_beside
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.text import escape

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable

# A vector takes 14 to 35 instructions; a file that has more is not a dict of vectors.
_INSTRUCTIONS_PER_VECTOR, _OTHER_INSTRUCTIONS = 64, 10_000
_BLOCK_ROWS = 256
_BYTES_PER_INSTRUCTION = 2  # at least, in a dict of vectors
_FIRST_INSTRUCTIONS = 30
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
    data = _map_file(path)
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


def has_words(path: Path) -> bool:
    """Return whether the first key of a pickled dict is text, not an id."""
    data = _map_file(path)
    try:
        instructions = pickletools.genops(data)  # type: ignore[arg-type]  # mmap is enough
        for opcode, _, _ in islice(instructions, _FIRST_INSTRUCTIONS):
            if "UNICODE" in opcode.name:
                return True
            if "INT" in opcode.name or "LONG" in opcode.name:
                return False
    except Exception:  # noqa: BLE001  # pickletools does not list its exceptions
        return False
    return False


def read_vectors(path: Path, options: ReadOptions) -> Reading:
    """Read a pickled `{token: vector}`, or `{id: vector}` with the tokens from a text file.

    That file is `options.tokens`, else the one that `export` writes beside the pickle.

    Raises:
        StoreError: The file cannot be read, or is not a dict of vectors of equal length.
    """
    if has_words(path):
        if options.tokens is not None:
            raise has_own_tokens(path)
        return _read_words(path, options)
    tokens = read_token_lines(options.tokens or tokens_beside(path))
    rows = read_pickle(path, len(tokens))
    block = Block(tokens[: options.limit], rows[: options.limit])
    return Reading(iter([block]), len(block.tokens))


def _read_words(path: Path, options: ReadOptions) -> Reading:
    data = _map_file(path)
    try:
        pickled = load(data, _OTHER_INSTRUCTIONS + len(data) // _BYTES_PER_INSTRUCTION)
        vectors = _check_words(pickled, options.limit)
        rows = _stack(list(vectors.values()), max_size=len(data))
    except Refused as error:
        raise StoreError(f"{display_path(path)}: {error.message}", hint=error.hint) from None
    return Reading(iter([Block(list(vectors), rows)]), len(vectors))


def _check_words(pickled: object, limit: int | None) -> dict[str, PickledArray]:
    """Return the vectors by token, after a check that their lengths agree."""
    if not isinstance(pickled, PickledDict):
        raise Refused(f"expected a dict of vectors by token, got {kind_of(pickled)}")
    vectors: dict[str, PickledArray] = {}
    first: list[PickledArray] = []
    for token, vector in islice(pickled.items.items(), limit):
        if not isinstance(token, str):
            raise Refused(f"a key of the dict is {kind_of(token)}, not a token")
        vectors[token] = _check_vector(f'"{escape(token[:40])}"', vector, first)
        first = first or [vectors[token]]
    if not vectors:
        raise Refused("it contains no vectors")
    return vectors


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
    if any(isinstance(key, str) for key in items):
        raise Refused("a key of the dict is a string, not an id")
    missing = [row for row in range(tokens) if row not in items]
    if missing:
        raise Refused(
            f"{len(missing):,} of {tokens:,} ids have no vector: {_some(missing)}", _WRONG_MODEL
        )
    foreign = [row for row in items if isinstance(row, int) and not 0 <= row < tokens]
    if foreign:
        raise Refused(
            f"{len(foreign):,} ids are not in a vocabulary of {tokens:,} tokens: {_some(foreign)}",
            _WRONG_MODEL,
        )
    vectors: list[PickledArray] = []
    for row in range(tokens):
        vectors.append(_check_vector(f"id {row}", items[row], vectors))  # see there
    return vectors


def _check_vector(key: str, vector: object, before: list[PickledArray]) -> PickledArray:
    """Return a vector, after a check that it has one axis and the length of the first before it."""
    if not isinstance(vector, PickledArray) or vector.data is None:
        raise Refused(f"{key} has {kind_of(vector)}, not a vector")
    expected = before[0].shape if before else vector.shape
    if len(vector.shape) != 1 or vector.shape != expected or not vector.shape[0]:
        wanted = "(D,)" if len(expected) != 1 or not expected[0] else str(expected)
        raise Refused(f"{key} has an array of shape {vector.shape}: expected {wanted}")
    return vector


def _map_file(path: Path) -> mmap.mmap:
    """Map a file that is not empty into memory."""
    file_size(path)
    with wrap_os_errors(path, reading=True, hint=None), path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with its last view


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
