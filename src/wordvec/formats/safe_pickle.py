"""Load a pickle of dicts, ints and numpy arrays without running or importing anything.

A `Dialect` can admit more, such as gensim's objects (gensim_pickle.py); it lists each instruction,
and each name with a function of ours.

A pickle is a program for a stack machine. It is loaded in two passes:

1. `pickletools.genops` lists its instructions. Those that build dicts, tuples, numbers, text and
   bytes are copied into a new program; any other is refused. An instruction that carries a value
   becomes NEXT_BUFFER (protocol 5), which takes the value from a list. So bytes stay in the mapped
   file, and a dict is a `PickledDict`, which accepts only ints as keys: a plain dict would hash
   any key, and hashing nested tuples can take exponential time or overflow the stack.
2. `pickle.Unpickler` runs the new program. Its `find_class` maps the few names that numpy's arrays
   need to functions of this module and refuses every other name. These functions check their
   arguments and build plain records: numpy's own functions never see them.

All protocols (0 to 5) are read, with the names of numpy 1 and 2. Each length is compared with the
file before memory is allocated for it.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from wordvec.text import clip, escape

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

_COPIED = {
    "MARK", "POP", "POP_MARK", "NONE", "NEWTRUE", "NEWFALSE", "GLOBAL", "STACK_GLOBAL",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "SETITEM", "SETITEMS",
    "REDUCE", "BUILD", "MEMOIZE", "GET", "BINGET", "LONG_BINGET",
}  # fmt: skip
_MEMO_WRITES = {"PUT", "BINPUT", "LONG_BINPUT"}
_VALUES = {
    "INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "EMPTY_DICT",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
# Instructions that make an object; a dialect limits their number by the size of the file.
_OBJECTS = {
    "EMPTY_DICT", "EMPTY_LIST", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "REDUCE", "NEWOBJ",
}  # fmt: skip
_REFUSED = {
    **dict.fromkeys(("EMPTY_LIST", "LIST", "APPEND", "APPENDS"), "a list"),
    **dict.fromkeys(("EMPTY_SET", "ADDITEMS", "FROZENSET"), "a set"),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), "a float"),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), "a string of Python 2"),
    **dict.fromkeys(("OBJ", "NEWOBJ", "NEWOBJ_EX"), "an instance of a class"),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), "an extension code (copyreg)"),
    **dict.fromkeys(("PERSID", "BINPERSID"), "a persistent id"),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER"), "a buffer outside the file"),
    **dict.fromkeys(_MEMO_WRITES, "a memo index that is too large"),
    "INST": "an instance of {}",
    "FRAME": "a frame that is longer than the file",
    "DUP": "a copy of the top of the stack",
    "DICT": "a dict that is not built item by item",
}
_DTYPE = re.compile(r"[<>=|]?(f[248]|[iu][1248])")


class Refused(Exception):  # noqa: N818  # becomes a StoreError that names the file
    """The reason why a pickle is not read."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a pickle can contain besides dicts with ints as keys, ints and numpy arrays.

    instructions: the instructions that are admitted too. functions: full name → the function that
    a call of it runs; None for a name that is only a value. new_dict: makes each dict.
    """

    instructions: frozenset[str]
    functions: Mapping[str, Callable[..., object] | None]
    new_dict: Callable[[], object]


def load(
    data: mmap.mmap,
    max_instructions: int,
    *,
    dialect: Dialect | None = None,
    max_objects: int | None = None,
) -> object:
    """Return the object that a pickle builds: a `PickledDict` if it is a dict.

    Args:
        data: The file.
        max_instructions: The most instructions that it can have.
        dialect: What is admitted, if more than dicts, ints and numpy arrays.
        max_objects: The most instructions that make a dict, a list, a tuple or another object.

    Raises:
        Refused: The pickle is damaged, has more instructions, or contains anything else.
    """
    dialect = dialect or _PLAIN
    program, values = bytearray(), list[object]()
    problem = None
    try:
        limits = max_instructions, max_instructions if max_objects is None else max_objects
        _rewrite(data, limits, dialect, program, values)
    except Refused as refused:
        problem = refused
    except Exception as error:  # noqa: BLE001  # pickletools does not list its exceptions
        problem = _invalid(error)
    # A program that ended early runs too: a name that it refuses (copyreg._reconstructor) says
    # more than the problem after it (an instance of a class). It has no STOP, so it always fails.
    try:
        return _Unpickler(io.BytesIO(program), values, dialect.functions).load()
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001  # nor does pickle
        raise problem or _invalid(error) from None


def _rewrite(
    data: mmap.mmap,
    limits: tuple[int, int],
    dialect: Dialect,
    program: bytearray,
    values: list[object],
) -> None:
    """Append the instructions of a pickle to `program`, the values that they carry to `values`."""
    view = memoryview(data)
    argument: Any
    previous, objects = "", 0
    instructions = pickletools.genops(data)  # type: ignore[arg-type]  # it needs no more than mmap
    for count, (opcode, argument, start) in enumerate(instructions):
        name, end = opcode.name, data.tell()
        objects += name in _OBJECTS
        if count == limits[0] or objects > limits[1]:
            raise Refused("it has far more parts than a dict of vectors needs")
        if name == "DICT" and previous == "MARK":  # an empty dict, as protocol 0 writes it
            name = "EMPTY_DICT"
            program.pop()
        if name in dialect.instructions:
            new, carried = _translate_extra(name, argument, view[start:end], previous)
            program += new
            values += carried
        elif name in _COPIED or (name in _MEMO_WRITES and argument < 256 + count):
            program += view[start:end]
        elif name in _VALUES:
            program += pickle.NEXT_BUFFER
            is_dict = argument is None
            values.append(dialect.new_dict() if is_dict else _value(argument, view[start:end]))
        elif name == "FRAME" and argument <= len(view) - end:
            pass
        elif name not in ("PROTO", "STOP"):
            _refuse(_REFUSED[name].format(str(argument).replace(" ", ".")))
        previous = name
    if data.tell() < len(data):
        raise Refused(f"{len(data) - data.tell():,} bytes follow its end")
    program += pickle.STOP


def _translate_extra(
    name: str, argument: Any, instruction: memoryview, previous: str
) -> tuple[bytes | memoryview, list[object]]:
    """Return the new instruction for one that only a dialect admits, and the value it carries."""
    if name in ("EMPTY_LIST", "FLOAT", "BINFLOAT"):
        return pickle.NEXT_BUFFER, [[] if argument is None else float(argument)]
    if name == "NEWOBJ":  # class(*arguments): what a call does with the same two objects
        return pickle.REDUCE, []
    if name == "FROZENSET":  # only an empty one: others hash their items
        if previous != "MARK":
            _refuse(_REFUSED[name])
        return pickle.POP + pickle.EMPTY_TUPLE, []
    return instruction, []


def _value(argument: Any, instruction: memoryview) -> object:
    """Return what an instruction pushes; bytes as a view of the file."""
    if isinstance(argument, (bytes, bytearray)):
        return instruction[len(instruction) - len(argument) :]
    if isinstance(argument, int) and argument.bit_length() > 64:
        raise Refused("it contains a number of more than 64 bits")
    return argument


def _invalid(error: Exception) -> Refused:
    return Refused(f"it is damaged or not a pickle ({clip(escape(str(error)[:200]), 100)})")


def _refuse(what: str) -> NoReturn:
    hint = None
    if what.startswith("torch."):
        hint = "call .numpy() on each tensor before pickling"
    elif what.startswith("collections.") or what == "a list":
        hint = "pickle a plain dict: dict(vectors) or dict(enumerate(vectors))"
    what = clip(escape(what[:200]), 100)
    raise Refused(f"it contains {what}: only dicts, ints and numpy arrays are read", hint)


class _Unpickler(pickle.Unpickler):
    """Runs a rewritten program. Only the names in `functions` exist for it."""

    def __init__(
        self,
        program: io.BytesIO,
        values: list[object],
        functions: Mapping[str, Callable[..., object] | None],
    ) -> None:
        super().__init__(program, buffers=values)
        self._functions = functions

    def find_class(self, module: str, name: str) -> PickledName:
        """Return the record of an admitted name; import nothing."""
        full_name = f"{module}.{name}"
        if full_name not in self._functions:
            _refuse(full_name)
        return PickledName(full_name, self._functions[full_name])


class Record:
    """An object of the pickle. It is compared and hashed by identity alone."""

    __slots__ = ()
    kind = ""

    def __setstate__(self, state: object) -> None:
        """Refuse BUILD, which sets the state of an object; a subclass may accept it."""
        _refuse(f"a change of {self.kind}")


class PickledName(Record):
    """An admitted name; calling it calls its function."""

    __slots__ = ("function", "kind")

    def __init__(self, full_name: str, function: Callable[..., object] | None) -> None:
        self.kind = full_name
        self.function = function

    def __call__(self, *arguments: object) -> object:
        """Call the function, for REDUCE."""
        if self.function is None:
            _refuse(f"a call of {self.kind}")
        return self.function(*arguments)


class PickledDict(Record):
    """A dict with ints or texts as keys and any values."""

    __slots__ = ("items",)
    kind = "a dict"

    def __init__(self) -> None:
        self.items: dict[int | str, object] = {}

    def __setitem__(self, key: object, value: object) -> None:
        """Set an item, for SETITEM and SETITEMS."""
        if type(key) is not int and type(key) is not str:
            raise Refused(f"a key of the dict is {kind_of(key)}, not an id")
        self.items[key] = value


class PickledDtype(Record):
    """A numpy dtype of numbers: its code ("f4") and its byte order."""

    __slots__ = ("code", "order")
    kind = "a numpy dtype"

    def __init__(self, code: str, order: str) -> None:
        self.code = code
        self.order = order

    def __setstate__(self, state: object) -> None:
        """Set the byte order from `(3, "<", None, None, None, -1, -1, 0)`; fields are refused."""
        if not isinstance(state, tuple) or len(state) not in (8, 9):
            raise Refused("it contains a dtype that cannot be read")
        if not isinstance(state[1], str) or state[1] not in ("<", ">", "=", "|"):
            raise Refused("it contains a dtype that cannot be read")
        if any(part is not None for part in state[2:5]):
            raise Refused("it contains arrays of a dtype with fields, not of numbers")
        self.order = state[1]


class PickledArray(Record):
    """A numpy array, empty until `fill` is called.

    data: the bytes as a view of the file, or as text in Latin-1 (protocols 0 to 2).
    fortran: whether they are column by column.
    """

    __slots__ = ("data", "dtype", "fortran", "shape")
    kind = "a numpy array"

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.dtype = ""  # "<f4"
        self.fortran = False
        self.data: memoryview | str | None = None

    def __setstate__(self, state: object) -> None:
        """Fill the array from `(1, (768,), dtype, False, bytes)`; True is for Fortran order."""
        if self.data is not None:
            super().__setstate__(state)
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("it contains an array that cannot be read")
        if isinstance(state[4], (PickledDict, tuple)):
            raise Refused("it contains an array of objects, not of numbers")
        self.fill(data=state[4], dtype=state[2], shape=state[1])
        self.fortran = state[3] is True or state[3] == 1

    def fill(self, data: object, dtype: object, shape: object) -> None:
        """Set the content if the size of the data is that of the shape and the dtype."""
        if not isinstance(dtype, PickledDtype) or not isinstance(data, (memoryview, str)):
            raise Refused("it contains an array that cannot be read")
        if not isinstance(shape, tuple) or not all(type(size) is int for size in shape):
            raise Refused("it contains an array whose shape cannot be read")
        if len(shape) > 8 or any(size < 0 for size in shape):
            raise Refused("it contains an array whose shape cannot be read")
        expected = math.prod(shape) * int(dtype.code[1:])
        if expected != len(data):
            raise Refused(
                f"an array of shape {shape} {dtype.code} needs {expected:,} bytes, "
                f"but has {len(data):,}"
            )
        self.shape, self.dtype, self.data = shape, dtype.order + dtype.code, data

    def numbers(self) -> NDArray[np.generic]:
        """Return the numbers in one axis, without a copy where the data are bytes."""
        import numpy as np

        data = self.data or b""
        try:
            data = data.encode("latin-1") if isinstance(data, str) else data
        except UnicodeEncodeError:
            raise Refused("it contains text where an array has bytes") from None
        return np.frombuffer(data, self.dtype)


def kind_of(value: object) -> str:
    """Return what a value is, in words, without its content."""
    if isinstance(value, Record):
        return value.kind
    kinds = {tuple: "a tuple", list: "a list", str: "a string", memoryview: "bytes", bool: "a bool"}
    return kinds.get(type(value), "None" if value is None else "a number")


# The functions that a pickle can call. A wrong number of arguments is a TypeError: the pickle is
# damaged.


def _encode(text: object, encoding: object) -> str:
    """Return the text of `_codecs.encode(text, "latin1")`, how protocols 0 to 2 write bytes.

    `PickledArray.numbers` encodes it: a program could ask for the bytes of one text many times.
    """
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused("it contains bytes in an encoding other than Latin-1")
    return text


def _reconstruct(array_class: object, _shape: object, _code: object) -> PickledArray:
    """Return the array of `_reconstruct(ndarray, (0,), b"b")`; BUILD fills it."""
    if kind_of(array_class) != "numpy.ndarray":
        raise Refused(f"it contains an array of the class {kind_of(array_class)}, not ndarray")
    return PickledArray()


def _dtype(code: object, *_flags: object) -> PickledDtype:
    """Return the dtype of `dtype("f4", False, True)`; BUILD sets its byte order."""
    if not isinstance(code, str) or not _DTYPE.fullmatch(code[:20]):
        shown_code = repr(code[:20]) if isinstance(code, str) else kind_of(code)
        raise Refused(f"it contains arrays of dtype {escape(shown_code)}, not of numbers")
    order = code[0] if code[0] in "<>=|" else "="
    return PickledDtype(code.lstrip("<>=|"), order)


def _scalar(dtype: object, data: object) -> int | PickledArray:
    """Return the number of `scalar(dtype, bytes)`: an int, or a float as an array of no axes."""
    array = PickledArray()
    array.fill(data, dtype, shape=())
    return array if "f" in array.dtype else int(array.numbers()[0])


def _frombuffer(data: object, dtype: object, shape: object, order: object) -> PickledArray:
    """Return the array of `_frombuffer(bytes, dtype, (768,), "C")`, as protocol 5 writes it."""
    array = PickledArray()
    array.fill(data, dtype, shape)
    array.fortran = isinstance(order, str) and order == "F"
    return array


NUMPY_FUNCTIONS: dict[str, Callable[..., object] | None] = {
    "numpy.ndarray": None,  # an argument of _reconstruct; not called
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.numeric._frombuffer": _frombuffer,
    "_codecs.encode": _encode,
}
_PLAIN = Dialect(frozenset(), NUMPY_FUNCTIONS, PickledDict)
