"""What stands for numpy's objects while a pickle is read, and what its names are mapped to."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable

_DTYPE = re.compile(r"[<>=|]?(f[248]|[iu][1248])")


class Refused(Exception):  # noqa: N818  # becomes a StoreError that names the file
    """Why the file is not read."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# What stands for objects while the machine runs. None of them compares or hashes its content:
# nested tuples of a hostile file would take for ever.
@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name that may be called, or given to what is called."""

    name: str


@dataclass(slots=True, eq=False)
class Dtype:
    """A dtype of numbers, by its code, and the order of its bytes."""

    code: str  # "f4"
    order: str = "="


@dataclass(slots=True, eq=False)
class Array:
    """An array; without data until its state is set."""

    shape: tuple[int, ...] = ()
    dtype: str = ""  # "<f4"
    data: memoryview | None = None


CALLABLE = {
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",
    "numpy.core.multiarray.scalar": "scalar",
    "numpy._core.multiarray.scalar": "scalar",
    "numpy.core.numeric._frombuffer": "frombuffer",
    "numpy._core.numeric._frombuffer": "frombuffer",
    "_codecs.encode": "encode",
}


def kind_of(value: object) -> str:
    """What a value is, in a word; never its content, which may be endless."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, Array):
        return "a numpy array"
    if isinstance(value, Dtype):
        return "a numpy dtype"
    kinds = {dict: "a dict", tuple: "a tuple", str: "a string", memoryview: "bytes", bool: "a bool"}
    return kinds.get(type(value), "None" if value is None else "a number")


def _reconstruct(args: tuple[object, ...]) -> Array:
    """Answer `_reconstruct(ndarray, (0,), b"b")`: an array whose state follows."""
    if len(args) != 3 or not isinstance(args[0], Name) or args[0].name != "numpy.ndarray":
        what = kind_of(args[0]) if args else "nothing"
        raise Refused(f"it asks for an array that is {what}, not numpy.ndarray")
    return Array()


def _dtype(args: tuple[object, ...]) -> Dtype:
    """Answer `dtype("f4", False, True)`; its state, the byte order, follows."""
    code = args[0] if args else None
    if not isinstance(code, str) or not _DTYPE.fullmatch(code[:20]):
        shown_code = repr(code[:20]) if isinstance(code, str) else kind_of(code)
        raise Refused(f"it holds arrays of dtype {escape(shown_code)}, not of numbers")
    order = code[0] if code[0] in "<>=|" else "="
    return Dtype(code.lstrip("<>=|"), order)


def set_dtype(dtype: Dtype, state: object) -> None:
    """Take `(3, "<", None, None, None, -1, -1, 0)`: no parts, no fields, no objects inside."""
    if not isinstance(state, tuple) or len(state) not in (8, 9):
        raise Refused("it holds a dtype that cannot be read")
    order = state[1]
    if not isinstance(order, str) or order not in ("<", ">", "=", "|"):
        raise Refused("it holds a dtype that cannot be read")
    if any(part is not None for part in state[2:5]):
        raise Refused("it holds arrays of a dtype with fields, not of numbers")
    dtype.order = order


def set_array(array: Array, state: object) -> None:
    """Take `(1, (768,), dtype, False, bytes)`; 1 and the order of axes mean nothing to a vector."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise Refused("it holds an array that cannot be read")
    if isinstance(state[4], (dict, tuple)):
        raise Refused("it holds an array of objects, not of numbers")
    _fill(array, data=state[4], dtype=state[2], shape=state[1])


def _frombuffer(args: tuple[object, ...]) -> Array:
    """Answer `_frombuffer(bytes, dtype, (768,), "C")`, how protocol 5 writes an array."""
    if len(args) != 4:
        raise Refused("it holds an array that cannot be read")
    array = Array()
    _fill(array, data=args[0], dtype=args[1], shape=args[2])
    return array


def _scalar(args: tuple[object, ...]) -> object:
    """Answer `scalar(dtype, bytes)`: an integer is an int; a float is an array without axes."""
    if len(args) != 2:
        raise Refused("it holds a number that cannot be read")
    array = Array()
    _fill(array, data=args[1], dtype=args[0], shape=())
    if "f" in array.dtype:
        return array
    import numpy as np

    return int(np.frombuffer(array.data or b"", array.dtype)[0])


CALLS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "reconstruct": _reconstruct,
    "dtype": _dtype,
    "scalar": _scalar,
    "frombuffer": _frombuffer,
}


def _fill(array: Array, *, data: object, dtype: object, shape: object) -> None:
    """Set an array, its shape and dtype compared with the bytes that are really there."""
    if not isinstance(dtype, Dtype) or not isinstance(data, memoryview):
        raise Refused("it holds an array that cannot be read")
    if not isinstance(shape, tuple) or not all(type(size) is int for size in shape):
        raise Refused("it holds an array whose shape cannot be read")
    if len(shape) > 8 or any(size < 0 for size in shape):
        raise Refused("it holds an array whose shape cannot be read")
    expected = math.prod(shape) * int(dtype.code[1:])
    if expected != len(data):
        raise Refused(
            f"an array of shape {shape} {dtype.code} takes {expected:,} bytes, not {len(data):,}"
        )
    array.shape, array.data = shape, data
    array.dtype = dtype.order + dtype.code
