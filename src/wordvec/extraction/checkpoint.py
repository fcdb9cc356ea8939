"""Read single tensors from a model's weight files: safetensors, or PyTorch's own format.

From safetensors only the requested tensor is read, and torch is not needed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError
from wordvec.extraction.pickle_check import check_pickle
from wordvec.text import clip, escape, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

# Names of types: safetensors → numpy. numpy has no bfloat16, which is the upper half of a float32.
_NUMPY_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}
_PYTORCH_DTYPES = {  # torch → safetensors
    "float32": "F32",
    "float16": "F16",
    "float64": "F64",
    "bfloat16": "BF16",
}
# Training scripts save the weights under one of these names, beside the optimizer's state.
WRAPPERS = ("state_dict", "model_state_dict", "model")
_MOST_WRAPPERS = 8
_EXPANDED = 64 << 20  # bytes that a tensor may have in memory, but not in its file


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a weight file, not read yet.

    dtype: as safetensors names it ("F32"), or as torch does if safetensors has no such type.
    read_rows: read the first n rows and convert them to float32.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: str
    read_rows: Callable[[int], NDArray[np.float32]]

    def check_is_float(self) -> None:
        """Raise ModelError unless the tensor contains floating-point numbers as they are.

        Integers and 8-bit floats need a scale, which is stored elsewhere in another form for each
        method of quantisation.
        """
        if self.dtype not in _NUMPY_DTYPES:
            raise ModelError(
                f"{self.path}: {escape(self.name)} has type {escape(self.dtype)}, "
                f"expected one of {', '.join(sorted(_NUMPY_DTYPES))}",
                hint="use a version of the model with plain floating-point weights, not quantised",
            )


def list_tensors(path: Path) -> list[StoredTensor]:
    """List the tensors in a weight file."""
    if path.suffix != ".safetensors":
        return [
            StoredTensor(
                path,
                name,
                () if tensor.is_nested else tuple(tensor.shape),
                _PYTORCH_DTYPES.get(_dtype_of(tensor), _dtype_of(tensor)),
                partial(_convert_rows, tensor),
            )
            for name, tensor in load_pytorch(path).items()
        ]
    return [
        StoredTensor(
            path,
            name,
            tuple(entry["shape"]),
            entry["dtype"],
            partial(_read_safetensors, path, entry),
        )
        for name, entry in _read_header(path).items()
    ]


def load_tensors(path: Path) -> dict[str, Any]:
    """Load all tensors of a weight file with torch, by name; those that are sparse are left out."""
    if path.suffix != ".safetensors":
        return {name: tensor for name, tensor in load_pytorch(path).items() if _is_plain(tensor)}
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error


def _read_header(path: Path) -> dict[str, Any]:
    """Return dtype, shape and position of each tensor by name, after safetensors' own checks."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"), path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(length))
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    header.pop("__metadata__", None)
    return {
        name: {**entry, "start": 8 + length + entry["data_offsets"][0]}
        for name, entry in header.items()
    }


def _read_safetensors(path: Path, entry: Mapping[str, Any], rows: int) -> NDArray[np.float32]:
    import numpy as np

    D = entry["shape"][1]
    raw = np.fromfile(path, _NUMPY_DTYPES[entry["dtype"]], count=rows * D, offset=entry["start"])
    if entry["dtype"] == "BF16":
        wide = raw.astype(np.uint32)
        wide <<= 16  # in place: a vocabulary's matrix is large
        return wide.view(np.float32).reshape(rows, D)
    return raw.reshape(rows, D).astype(np.float32, copy=False)


def _convert_rows(tensor: Any, rows: int) -> NDArray[np.float32]:
    matrix: NDArray[np.float32] = tensor[:rows].float().numpy()
    return matrix


def load_pytorch(path: Path) -> dict[str, Any]:
    """Load the tensors of a `.bin` file by name, also if they are in a dictionary inside it."""
    content = _load_pytorch(path)
    for _ in range(_MOST_WRAPPERS):
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), dict)), None)
        if inner is None:
            return _named_tensors(path, content)
        content = inner
    raise ModelError(f"{path}: its tensors are in more than {_MOST_WRAPPERS} nested dictionaries")


def _named_tensors(path: Path, content: Mapping[object, Any]) -> dict[str, Any]:
    """Return the tensors of a dictionary, without gradients and with their signs."""
    import torch

    tensors = {}
    for name, value in content.items():
        if not isinstance(value, torch.Tensor):
            continue
        if not isinstance(name, str):
            raise ModelError(
                f"{path}: a tensor has {quote(name)} in place of its name",
                hint="save the weights with torch.save(model.state_dict(), path)",
            )
        tensors[name] = value.detach().resolve_conj().resolve_neg() if _is_plain(value) else value
    return tensors


def _is_plain(tensor: Any) -> bool:
    """Return whether a tensor has numbers as they are, in rows."""
    return _dtype_of(tensor) == _name_of(tensor.dtype) and not tensor.is_quantized


def _dtype_of(tensor: Any) -> str:
    """Return the type of a tensor's numbers as torch names it, or why it has no plain numbers."""
    if tensor.is_meta:
        return "meta (no numbers)"
    if tensor.is_nested:
        return "nested"
    if _name_of(tensor.layout) != "strided":
        return _name_of(tensor.layout)
    if tensor.numel() * tensor.element_size() > max(tensor.untyped_storage().nbytes(), _EXPANDED):
        return "expanded"
    return _name_of(tensor.dtype)


def _name_of(value: object) -> str:
    return str(value).removeprefix("torch.")


def _load_pytorch(path: Path) -> dict[Any, Any]:
    """Load a `.bin` file with torch's `weights_only` loader, which runs no code.

    The file is memory-mapped, except one written before torch 1.6, which is not a zip archive.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError(
            f"reading {path.name} (not a safetensors file)", extra="extract", package="torch"
        ) from None
    import warnings
    from pickle import UnpicklingError
    from zipfile import is_zipfile

    try:
        check_pickle(path)
        with warnings.catch_warnings():  # about types that are refused below
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
    except UnpicklingError as error:
        raise unsafe_file_error(path, error) from error
    except Exception as error:  # torch and zipfile do not list what they raise for a damaged file
        raise _damaged(path, one_line(error)) from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{path}: expected a dictionary of tensors, got a {type(loaded).__name__}")
    return loaded


def _damaged(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path} is truncated or damaged ({reason})", hint="download or copy the model again"
    )


def unsafe_file_error(path: Path, error: Exception) -> ModelError:
    """Return the error for a file in which torch's `weights_only` loader found other objects."""
    match = re.search(r"GLOBAL \S+", str(error))
    what = match[0] if match else one_line(error)
    return ModelError(
        f"{path} was not loaded: it contains more than weights ({what})",
        hint="use a version of the model in safetensors format",
    )


def one_line(error: Exception) -> str:
    """Return the first line of an error's message; the one after it too, if it ends in a colon."""
    lines = [line.strip() for line in str(error)[:2000].splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return clip(escape(" ".join(lines[: 1 + lines[0].endswith(":")])), 200)
