"""The names of tables: `[MODEL:]MODE[@LAYER]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wordvec.errors import UsageError
from wordvec.text import quote

_MODEL = re.compile(r"[\w./+-]{1,100}")  # that a user may have typed alone


class Mode(StrEnum):
    """The vectors of a model that a table contains."""

    STATIC = "static"  # the word-embedding matrix alone
    DYNAMIC = "dynamic"  # last hidden state at position 1 of [CLS] token [SEP]


@dataclass(frozen=True, slots=True)
class TableName:
    """The name of a table, written `MODEL:MODE[@LAYER]`.

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
    """A table as a user names it: without a model it is the default one."""

    model: str | None
    mode: Mode
    layer: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read `[MODEL:]MODE[@LAYER]`, split at the last colon: the model may be `C:\bert`."""
        if not isinstance(text, str):
            raise UsageError(f"expected the name of a table, got {type(text).__name__}")
        model, _, rest = text.rpartition(":")
        match = re.fullmatch(r"(static|dynamic)(?:@(\d+))?", rest)
        if not match:
            raise UsageError(
                f"{quote(text)} is not a table name: expected [MODEL:]static or [MODEL:]dynamic",
                hint=_hint_for(text),
            )
        if match[2] is not None:
            raise UsageError(f"{quote(text)}: tables of single layers (@N) are not supported yet")
        return cls(model or None, Mode(match[1]))


def _hint_for(text: str) -> str:
    """Return a hint at the table that a text may mean: a mode with a typing error, or a model."""
    from difflib import get_close_matches

    close = [*get_close_matches(text, list(Mode), n=1), f"{text}:{Mode.STATIC}"]
    return f'table="{close[0]}"\nwordvec tables' if _MODEL.fullmatch(text) else "wordvec tables"
