"""The safetensors format: named tensors after a JSON header; here `vectors` and its tokens.

    8 bytes   N, the length of the header, little-endian
    N bytes   JSON: {"__metadata__": {"tokens": "…"}, "vectors": {"dtype": "F32", "shape": [V, D],
              "data_offsets": [0, 4·V·D]}}
    the rest  the numbers of all tensors, little-endian, in C order

Metadata are texts, so the tokens are a JSON list in a JSON string. The header is read here: the
safetensors package gives a whole tensor and not its rows, and gives no bfloat16 without torch.

Source: https://huggingface.co/docs/safetensors (Format).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.foreign.json_data import parse_json, parse_object, typed
from wordvec.formats.matrix import (
    check_shape,
    check_size,
    check_tokens,
    file_size,
    limited,
    read_blocks,
    refuse_damage,
)
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.token_lines import find_token_list, has_own_tokens, missing_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Block
    from wordvec.tables.table import VectorTable

_KIND = "a safetensors file"
_NAMES = ("vectors", "embeddings", "embedding.weight", "weight")
_MAX_HEADER = 100_000_000  # bytes; safetensors itself reads no longer header
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # numpy has no bfloat16
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
}
_BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in a file, not read yet. `offset` counts from the start of the file."""

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return some of its rows; bfloat16 as float32."""
        import numpy as np

        columns = math.prod(self.shape[1:])
        dtype = np.dtype(_DTYPES[self.dtype])
        with self.path.open("rb") as file:
            file.seek(self.offset + start * columns * dtype.itemsize)
            rows = np.fromfile(file, dtype, (stop - start) * columns)
        rows = rows.reshape(stop - start, *self.shape[1:])
        if self.dtype != "BF16":
            return rows
        wide = rows.astype(np.uint32)
        wide <<= 16  # bfloat16 is the upper half of a float32
        return wide.view(np.float32)


@dataclass(frozen=True, slots=True)
class TensorFile:
    """The tensors of a file by name, and its metadata."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]


def read_safetensors(path: Path, options: ReadOptions) -> Reading:
    """Read the vectors and tokens of a safetensors file.

    The vectors are the tensor "vectors", "embeddings", "embedding.weight" or "weight", else the
    only matrix. The tokens are the metadata `tokens`, else those of `options.tokens`, else the
    text file beside it.

    Raises:
        StoreError: There are no such tensors or tokens, their numbers differ, or the file is
            damaged.
    """
    file = list_tensors(path)
    vectors = _find_vectors(path, file)
    V, _ = check_shape(path, vectors.shape)
    tokens = _tokens_in(path, file)
    if tokens is not None and options.tokens is not None:
        raise has_own_tokens(path)
    if tokens is None:
        tokens = find_token_list(path, options)
    if tokens is None and (path.parent / "tokenizer.json").is_file():
        raise StoreError(
            f"{display_path(path)} has no tokens: its model has them in tokenizer.json",
            hint=f"read the folder instead: {display_path(path.parent)}",
        )
    if tokens is None:
        raise missing_tokens(path)
    check_tokens(path, len(tokens), V)
    total = limited(V, options.limit)
    notes = integer_notes(vectors)
    return Reading(_blocks(vectors, tokens[:total], notes), total, notes)


def list_tensors(path: Path) -> TensorFile:
    """Read the header of a file; the size of each tensor that can be read is checked.

    Raises:
        StoreError: The file is not of this format, truncated or damaged.
    """
    size = file_size(path)
    with refuse_damage(path, _KIND), path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, _MAX_HEADER):
            raise ValueError(f"a header of {length:,} bytes in a file of {size:,}")
        header = parse_object(file.read(length))
        metadata = typed(header.pop("__metadata__", {}), dict, "__metadata__")
        tensors = {
            name: _tensor(path, name, entry, 8 + length, size) for name, entry in header.items()
        }
    return TensorFile(tensors, metadata)


def _tensor(path: Path, name: str, entry: dict[str, Any], data: int, size: int) -> Tensor:
    """Check the entry of a tensor; `data` is where the numbers of the file start."""
    start, stop = entry["data_offsets"]
    shape, dtype = entry["shape"], entry["dtype"]
    if not all(type(number) is int and number >= 0 for number in (start, stop, *shape)):
        raise ValueError(f"{name} has shape {shape} at {start} to {stop}")
    if not start <= stop <= size - data:
        raise StoreError(
            f"{display_path(path)} is truncated or damaged: {_shown(name)} ends at byte "
            f"{data + stop:,}, but the file has {size:,}"
        )
    if dtype in _DTYPES:
        item_bytes = int(_DTYPES[dtype][-1])
        check_size(path, shape, item_bytes, stop - start)
    return Tensor(path, name, str(dtype), tuple(shape), data + start)


def _find_vectors(path: Path, file: TensorFile) -> Tensor:
    matrices = [tensor for tensor in file.tensors.values() if len(tensor.shape) == 2]
    named = [file.tensors[name] for name in _NAMES if name in file.tensors]
    if not named and len(matrices) != 1:
        listing = ", ".join(_shown(name) for name in list(file.tensors)[:10]) or "nothing"
        raise StoreError(
            f"{display_path(path)}: expected a matrix named {_NAMES[0]}, "
            f"got {len(matrices)} among its tensors ({listing})",
            hint="for the weights of a whole model: wordvec extract FOLDER",
        )
    return check_type((named or matrices)[0])


def check_type(tensor: Tensor) -> Tensor:
    """Return a tensor, if its type can be read."""
    if tensor.dtype not in _DTYPES:
        raise StoreError(
            f"{display_path(tensor.path)}: {_shown(tensor.name)} has type "
            f"{_shown(tensor.dtype)}, expected one of {', '.join(_DTYPES)}",
            hint="save it as F32",
        )
    return tensor


def integer_notes(tensor: Tensor) -> list[str]:
    """Return the note on numbers whose scale the file does not have."""
    if tensor.dtype[0] not in "IU":
        return []
    return [f"the vectors have type {tensor.dtype}: read as they are, without a scale"]


def _tokens_in(path: Path, file: TensorFile) -> list[str] | None:
    text = file.metadata.get("tokens")
    if text is None:
        return None
    with refuse_damage(path, "a safetensors file with a JSON list of tokens"):
        return typed(parse_json(typed(text, str, "tokens")), list, "tokens")


def _blocks(vectors: Tensor, tokens: list[str], notes: list[str]) -> Iterator[Block]:
    with refuse_damage(vectors.path, _KIND):
        yield from read_blocks(vectors.path, tokens, vectors.shape[1], vectors.read, notes)


def _shown(name: str) -> str:
    return clip(escape(name[:200]), 40)


def write_safetensors(
    table: VectorTable, file: IO[bytes], progress: Progress = no_progress
) -> None:
    """Write the tensor `vectors` and the metadata `tokens`, a JSON list.

    Raises:
        StoreError: The tokens need a longer header than the format allows.
    """
    import numpy as np

    V, D = len(table), table.dimensions
    header = {
        # "format" names the library whose layout the tensors have; others look for it
        "__metadata__": {
            "format": "np",
            "tokens": json.dumps(table.vocabulary.tokens, ensure_ascii=False),
        },
        "vectors": {"dtype": "F32", "shape": [V, D], "data_offsets": [0, 4 * V * D]},
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the numbers start at a multiple of 8 bytes
    if len(text) > _MAX_HEADER:
        raise StoreError(
            f"the tokens take {len(text):,} bytes, and a safetensors file allows {_MAX_HEADER:,}",
            hint="use another format, such as npz",
        )
    file.write(len(text).to_bytes(8, "little") + text)
    for start in range(0, V, _BLOCK_ROWS):
        rows = np.ascontiguousarray(table.vectors[start : start + _BLOCK_ROWS], dtype="<f4")
        file.write(rows.data.cast("B"))
        progress(start + len(rows), V)
