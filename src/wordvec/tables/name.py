"""What tables are called: `[MODEL:]MODE[@LAYER]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wordvec.errors import UsageError


class Mode(StrEnum):
    """Which vectors of the model a table holds."""

    STATIC = "static"  # the word-embedding matrix alone
    DYNAMIC = "dynamic"  # last hidden state at position 1 of [CLS] token [SEP]


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, written `[MODEL:]MODE[@LAYER]`.

    >>> str(TableName("mini", Mode.STATIC))
    'mini:static'
    """

    model: str
    mode: Mode
    layer: int | None = None

    def __str__(self) -> str:
        layer = "" if self.layer is None else f"@{self.layer}"
        return f"{self.model}:{self.mode}{layer}"


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table as a user names it: the model may be left to the default."""

    model: str | None
    mode: Mode
    layer: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read `[MODEL:]MODE[@LAYER]`, split at the last colon: `C:\bert:static` is a folder."""
        model, _, rest = text.rpartition(":")
        match = re.fullmatch(r"(static|dynamic)(?:@(\d+))?", rest)
        if not match:
            raise UsageError(
                f"{text!r} names no table: expected [MODEL:]static or [MODEL:]dynamic",
                hint="wordvec tables",
            )
        if match[2] is not None:
            raise UsageError(f"{text!r}: tables of single layers (@{match[2]}) are not made yet")
        return cls(model or None, Mode(match[1]))
