"""The tensors in a model's files of weights, each by itself: safetensors, or PyTorch's own format.

From safetensors only what is asked for is read, and torch is not needed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_READS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}  # safetensors' name → numpy's


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor in a file of weights; its values are read when they are asked for.

    first_rows: how to read its first rows, widened to float32.
    """

    name: str
    shape: tuple[int, ...]
    first_rows: Callable[[int], NDArray[np.float32]]


def tensors(path: Path) -> list[Stored]:
    """The tensors in one file of weights."""
    if path.suffix != ".safetensors":
        return [
            Stored(name, tuple(tensor.shape), partial(_widened, tensor))
            for name, tensor in _pytorch_tensors(path).items()
        ]
    return [
        Stored(name, tuple(entry["shape"]), partial(_read_safetensors, path, name, entry))
        for name, entry in _header(path).items()
    ]


def _header(path: Path) -> dict[str, Any]:
    """Name → dtype, shape and place of each tensor, once safetensors has found the file sound."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"), path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(length))
    except SafetensorError as error:
        raise ModelError(
            f"{path} is truncated or damaged ({error})", hint="fetch or copy the model again"
        ) from error
    header.pop("__metadata__", None)
    return {
        name: {**entry, "start": 8 + length + entry["data_offsets"][0]}
        for name, entry in header.items()
    }


def _read_safetensors(
    path: Path, name: str, entry: Mapping[str, Any], rows: int
) -> NDArray[np.float32]:
    import numpy as np

    if entry["dtype"] not in _READS:
        raise ModelError(
            f"{path}: {name} is kept as {entry['dtype']}, not as {', '.join(sorted(_READS))}",
            hint="take a version of the model that is not quantised",
        )
    D = entry["shape"][1]
    raw = np.fromfile(path, _READS[entry["dtype"]], count=rows * D, offset=entry["start"])
    if entry["dtype"] == "BF16":
        # The upper half of a float32: numpy has no such type, and safetensors' numpy refuses it.
        wide = raw.astype(np.uint32)
        wide <<= 16  # in place: a vocabulary's matrix is large
        return wide.view(np.float32).reshape(rows, D)
    return raw.reshape(rows, D).astype(np.float32, copy=False)


def _widened(tensor: Any, rows: int) -> NDArray[np.float32]:
    matrix: NDArray[np.float32] = tensor[:rows].float().numpy()
    return matrix


def _pytorch_tensors(path: Path) -> dict[str, Any]:
    """The tensors of a `.bin` file, by torch's loader of weights alone: nothing in it is run.

    They stay on the disk until they are looked at, but for files of before torch 1.6, no archives.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError(
            f"reading {path.name} (safetensors would not)", extra="extract", package="torch"
        ) from None
    from pickle import UnpicklingError
    from zipfile import is_zipfile

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
    except UnpicklingError as error:
        raise refused(path, error) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise ModelError(
            f"{path} is truncated or damaged ({first_line(error)})",
            hint="fetch or copy the model again",
        ) from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{path} holds a {type(loaded).__name__}, not named tensors")
    return {name: value for name, value in loaded.items() if isinstance(value, torch.Tensor)}


def refused(path: Path, error: Exception) -> ModelError:
    """What to say where torch's loader of weights met something else."""
    asked = re.search(r"GLOBAL \S+", str(error))
    what = asked[0] if asked else first_line(error)
    return ModelError(
        f"{path} was refused: it holds more than weights ({what})",
        hint="take a version of the model in safetensors",
    )


def first_line(error: Exception) -> str:
    """The first line of a message that says something."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)
