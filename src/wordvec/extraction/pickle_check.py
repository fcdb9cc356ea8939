"""How much work the pickle in a `.bin` file makes, counted before torch loads it.

torch's `weights_only` loader runs no foreign code, but has no limits: a file of 1 KB with nested
tuples as a key of a dict takes forever to hash. Here the pickle's instructions are run on a stack
that has only the sizes of objects, with each object counted as often as it is used.
"""

from __future__ import annotations

import pickletools
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 8 << 20  # a checkpoint with 10,000 tensors takes 1.5 MB
_MOST_INSTRUCTIONS = 2_000_000  # about 200 for a tensor
_MOST_PARTS = 20_000_000
_LEGACY_PICKLES = 4  # before the numbers: magic number, version, system, content
# These change the first object that they take.
_CHANGES = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD")
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS = ("GET", "BINGET", "LONG_BINGET")


def check_pickle(path: Path) -> None:
    """Check that the pickle in a `.bin` file makes no more work than weights need.

    Raises:
        ValueError: It makes more, or is damaged.
    """
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            for _ in range(_LEGACY_PICKLES):
                _Counter().run(file)
        return
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith("data.pkl"):
                if entry.file_size > _MOST_BYTES:
                    raise ValueError(f"its pickle has {entry.file_size:,} bytes")
                with archive.open(entry) as file:
                    _Counter().run(file)


@dataclass(slots=True)
class _Object:
    parts: int = 1


@dataclass(slots=True)
class _Counter:
    """The stack of a pickle; None is a mark."""

    stack: list[_Object | None] = field(default_factory=list)
    memo: dict[int, _Object] = field(default_factory=dict)
    total: int = 0

    def run(self, file: IO[bytes]) -> None:
        """Run one pickle of a file."""
        start = file.tell()
        for count, (opcode, argument, place) in enumerate(pickletools.genops(file)):
            self._step(opcode, argument)
            size = (place or 0) - start
            if count > _MOST_INSTRUCTIONS or size > _MOST_BYTES or self.total > _MOST_PARTS:
                raise ValueError("its pickle has far more parts than weights need")

    def _step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        name = opcode.name
        if name in _GETS:
            self.stack.append(self.memo[int(argument)])
        elif name in _PUTS or name == "MEMOIZE":
            index = len(self.memo) if name == "MEMOIZE" else int(argument)
            self.memo[index] = self._top()
        elif name == "MARK":
            self.stack.append(None)
        elif name == "DUP":
            self.stack.append(self._top())
        else:
            self._build(opcode)

    def _top(self) -> _Object:
        top = self.stack[-1]
        if top is None:
            raise ValueError("a mark in place of an object")
        return top

    def _build(self, opcode: pickletools.OpcodeInfo) -> None:
        """Replace the objects that an instruction takes by those that it makes."""
        taken: list[_Object] = []
        for kind in reversed(opcode.stack_before):
            if kind is pickletools.stackslice:
                while (item := self.stack.pop()) is not None:
                    taken.append(item)
            elif kind is not pickletools.markobject and (item := self.stack.pop()) is not None:
                taken.append(item)
        changed = taken.pop() if opcode.name in _CHANGES else None
        parts = sum(item.parts for item in taken)
        self.total += parts
        if changed is not None:
            changed.parts += parts
            self.stack.append(changed)
        else:
            self.stack.extend(_Object(1 + parts) for _ in opcode.stack_after)
