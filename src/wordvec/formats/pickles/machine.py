"""The machine: a pickle's instructions, as far as they build dicts, ints and numpy arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from wordvec.formats.pickles.arrays import (
    CALLABLE,
    CALLS,
    Array,
    Dtype,
    Name,
    Refused,
    kind_of,
    set_array,
    set_dtype,
)
from wordvec.text import clip, escape

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

# A vector takes 14 to 35 instructions; a file that spends more is no table of vectors.
STEPS_PER_VECTOR, STEPS_FREE = 64, 10_000
_MARK = object()


class Machine:
    """Runs a pickle's instructions on a stack, as far as they build what we admit."""

    def __init__(self, data: mmap.mmap, tokens: int) -> None:
        self.data = data
        self.view = memoryview(data)
        self.at = 0
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self.encoded = 0  # bytes made, not pointed at
        self.steps = STEPS_FREE + STEPS_PER_VECTOR * tokens

    def run(self) -> object:
        """The object that the pickle makes."""
        instructions = _INSTRUCTIONS
        for _ in range(self.steps):
            if self.at == len(self.view):
                raise Refused("it is cut off, or no pickle")
            code = self.view[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                return self.end()
            step = instructions.get(code)
            if step is None:
                self.refuse(_REFUSED.get(code, f"the unknown instruction {code:#04x}"))
            step(self)
        raise Refused("it has far more parts than a dict of vectors needs")

    def end(self) -> object:
        """The one object left, at the file's end."""
        if len(self.stack) != 1:
            raise Refused("it is not a whole pickle")
        if self.at != len(self.data):
            raise Refused(f"{len(self.data) - self.at:,} bytes follow after its end")
        return self.stack[0]

    # Reading

    def take(self, count: int) -> memoryview:
        """The next bytes, pointed at; a claim that goes past the file's end is refused."""
        end = self.at + count
        if end > len(self.view):
            left = len(self.view) - self.at
            raise Refused(f"it is cut off: {count:,} bytes are announced, {left:,} are left")
        taken = self.view[self.at : end]
        self.at = end
        return taken

    def number(self, size: int) -> int:
        """The next little-endian number of `size` bytes, not signed."""
        return int.from_bytes(self.take(size), "little")

    def line(self, longest: int | None = None) -> bytes:
        """The bytes before the next line break."""
        limit = len(self.data) if longest is None else self.at + longest
        end = self.data.find(b"\n", self.at, limit)
        if end < 0:
            raise Refused("it is cut off, or no pickle")
        taken = bytes(self.view[self.at : end])
        self.at = end + 1
        return taken

    def refuse(self, what: str) -> NoReturn:
        """Stop at something that is not admitted."""
        hint = None
        if what.startswith("torch."):
            hint = "call .numpy() on each tensor before it is pickled"
        elif what.startswith("collections.") or what == "a list":
            hint = "pickle a plain dict: dict(vectors) or dict(enumerate(vectors))"
        raise Refused(f"it asks for {what}: only dicts, ints and numpy arrays are read", hint)

    # The stack

    def pop(self) -> object:
        """Take the top."""
        if not self.stack or self.stack[-1] is _MARK:
            raise Refused("it is not a whole pickle")
        return self.stack.pop()

    def pop_marked(self) -> list[object]:
        """Take all down to the last mark."""
        for depth in range(len(self.stack) - 1, -1, -1):
            if self.stack[depth] is _MARK:
                taken = self.stack[depth + 1 :]
                del self.stack[depth:]
                return taken
        raise Refused("it is not a whole pickle")

    def top(self) -> object:
        """OutputStyle at the top."""
        top = self.pop()
        self.stack.append(top)
        return top

    def push_tuple(self, count: int) -> None:
        """Make a tuple of the last `count`."""
        parts = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(parts)))

    def push_int(self, text: bytes) -> None:
        """Read an int as protocol 0 writes it: `5`, `5L`; `00` and `01` are False and True."""
        if text in (b"00", b"01"):
            self.stack.append(text == b"01")
        elif re.fullmatch(rb"-?\d{1,20}L?", text):
            self.stack.append(int(text.removesuffix(b"L")))
        else:
            raise Refused("it holds a number that cannot be read")

    def push_long(self, size: int) -> None:
        """Read an int of `size` bytes; none of ours needs more than 8."""
        if size > 16:
            raise Refused(f"it holds a number of {size:,} bytes")
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def push_text(self, raw: bytes | memoryview, encoding: str = "utf-8") -> None:
        """Read a string."""
        try:
            errors = "surrogatepass" if encoding == "utf-8" else "strict"
            self.stack.append(str(raw, encoding, errors))
        except UnicodeDecodeError as error:
            raise Refused("it holds a string that is no Unicode") from error

    def remember(self, key: int) -> None:
        """Put the top into the memo."""
        self.memo[key] = self.top()

    def recall(self, key: int) -> None:
        """Push what the memo has."""
        if key not in self.memo:
            raise Refused("it is not a whole pickle")
        self.stack.append(self.memo[key])

    def index(self) -> int:
        """A place in the memo, as protocol 0 writes it."""
        text = self.line(24)
        if not text.isdigit():
            raise Refused("it is not a whole pickle")
        return int(text)

    # Objects

    def push_name(self, module: object, name: object) -> None:
        """OutputStyle a name up in the list of those admitted; it is never imported."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise Refused("it is not a whole pickle")
        full = f"{module}.{name}"
        if full not in CALLABLE:
            self.refuse(clip(escape(full[:200]), 100))
        self.stack.append(Name(full))

    def push_global(self) -> None:
        """Read the two lines of GLOBAL."""
        self.push_text(self.line())
        self.push_text(self.line())
        name, module = self.pop(), self.pop()
        self.push_name(module, name)

    def set_items(self, items: list[object]) -> None:
        """Put keys and values in turn into the dict on the top."""
        target = self.top()
        if not isinstance(target, dict) or len(items) % 2:
            raise Refused("it is not a whole pickle")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not int:
                raise Refused(f"a key of the dict is {kind_of(key)}, not an id")
            target[key] = value

    def reduce(self) -> None:
        """Call a name that is admitted: that is, one of our own functions for it."""
        args, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not isinstance(args, tuple):
            self.refuse(f"a call of {kind_of(name)}")
        what = CALLABLE[name.name]
        if what == "encode":
            self.stack.append(self.encode(args))
        elif what in CALLS:
            self.stack.append(CALLS[what](args))
        else:
            self.refuse(f"a call of {name.name}")

    def encode(self, args: tuple[object, ...]) -> memoryview:
        """Answer `_codecs.encode(text, "latin1")`: how protocols 0 to 2 write bytes."""
        text, encoding = args if len(args) == 2 else (None, None)
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            self.refuse("_codecs.encode to something else than latin1")
        self.encoded += len(text)
        if self.encoded > len(self.data):  # one string, encoded again and again
            raise Refused("it claims more bytes than the file has")
        try:
            return memoryview(text.encode("latin1"))
        except UnicodeEncodeError as error:
            raise Refused("it holds bytes that are none") from error

    def frame(self) -> None:
        """FRAME announces bytes that follow; they are read as they come."""
        if self.number(8) > len(self.view) - self.at:
            raise Refused("it is cut off")

    def push_dict(self) -> None:
        """DICT: keys and values down to the mark."""
        items = self.pop_marked()
        self.stack.append({})
        self.set_items(items)

    def instance(self) -> None:
        """INST: an object of a class, none of which is admitted."""
        self.push_global()
        self.refuse(f"an instance of {kind_of(self.pop())}")

    def build(self) -> None:
        """Set the state of an array or a dtype."""
        state, target = self.pop(), self.top()
        if isinstance(target, Array) and target.data is None:
            set_array(target, state)
        elif isinstance(target, Dtype):
            set_dtype(target, state)
        else:
            self.refuse(f"a change of {kind_of(target)}")


_INSTRUCTIONS: dict[int, Callable[[Machine], object]] = {
    ord("\x80"): lambda m: m.number(1),  # PROTO
    ord("\x95"): lambda m: m.frame(),  # FRAME
    ord("("): lambda m: m.stack.append(_MARK),
    ord("0"): lambda m: m.pop(),  # POP
    ord("1"): lambda m: m.pop_marked(),  # POP_MARK
    ord("N"): lambda m: m.stack.append(None),
    ord("\x88"): lambda m: m.stack.append(True),
    ord("\x89"): lambda m: m.stack.append(False),
    ord("I"): lambda m: m.push_int(m.line(24)),
    ord("L"): lambda m: m.push_int(m.line(24)),
    ord("J"): lambda m: m.push_long(4),  # BININT
    ord("K"): lambda m: m.stack.append(m.number(1)),  # BININT1
    ord("M"): lambda m: m.stack.append(m.number(2)),  # BININT2
    ord("\x8a"): lambda m: m.push_long(m.number(1)),  # LONG1
    ord("\x8b"): lambda m: m.push_long(m.number(4)),  # LONG4
    ord("V"): lambda m: m.push_text(m.line(), "raw-unicode-escape"),
    ord("X"): lambda m: m.push_text(m.take(m.number(4))),
    ord("\x8c"): lambda m: m.push_text(m.take(m.number(1))),
    ord("\x8d"): lambda m: m.push_text(m.take(m.number(8))),
    ord("B"): lambda m: m.stack.append(m.take(m.number(4))),
    ord("C"): lambda m: m.stack.append(m.take(m.number(1))),
    ord("\x8e"): lambda m: m.stack.append(m.take(m.number(8))),  # BINBYTES8
    ord("\x96"): lambda m: m.stack.append(m.take(m.number(8))),  # BYTEARRAY8
    ord(")"): lambda m: m.push_tuple(0),
    ord("\x85"): lambda m: m.push_tuple(1),
    ord("\x86"): lambda m: m.push_tuple(2),
    ord("\x87"): lambda m: m.push_tuple(3),
    ord("t"): lambda m: m.stack.append(tuple(m.pop_marked())),
    ord("}"): lambda m: m.stack.append({}),
    ord("d"): lambda m: m.push_dict(),
    ord("s"): lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    ord("u"): lambda m: m.set_items(m.pop_marked()),
    ord("c"): lambda m: m.push_global(),
    ord("\x93"): lambda m: m.push_name(*[m.pop(), m.pop()][::-1]),  # STACK_GLOBAL
    ord("R"): lambda m: m.reduce(),
    ord("b"): lambda m: m.build(),
    ord("\x94"): lambda m: m.remember(len(m.memo)),  # MEMOIZE
    ord("p"): lambda m: m.remember(m.index()),
    ord("q"): lambda m: m.remember(m.number(1)),
    ord("r"): lambda m: m.remember(m.number(4)),
    ord("g"): lambda m: m.recall(m.index()),
    ord("h"): lambda m: m.recall(m.number(1)),
    ord("j"): lambda m: m.recall(m.number(4)),
    ord("i"): lambda m: m.instance(),
}

_REFUSED: dict[int, str] = {
    **dict.fromkeys(b"]lae", "a list"),
    **dict.fromkeys(b"\x8f\x90\x91", "a set"),
    **dict.fromkeys(b"FG", "a float"),
    **dict.fromkeys(b"STU", "a string of Python 2"),
    **dict.fromkeys(b"o\x81\x92", "an instance of a class"),
    **dict.fromkeys(b"\x82\x83\x84", "an extension code (copyreg)"),
    **dict.fromkeys(b"PQ", "a persistent id"),
    **dict.fromkeys(b"\x97\x98", "a buffer outside the file"),
    ord("2"): "a copy of the stack's top",
}
