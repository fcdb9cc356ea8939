r"""The names of tables: `[MODEL:]MODE[.VARIANT][@LAYER]`.

The last colon separates the model from the rest, so that a model's name may contain colons and `@`
(`C:\bert`, `owner/name@v1.0:0_Transformer`). No `@LAYER` means the last layer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wordvec.errors import UsageError
from wordvec.text import quote

_MODEL = re.compile(r"[\w./+-]{1,100}")  # that a user may have typed alone
FORM = "[MODEL:]MODE[.VARIANT][@LAYER]"
MAX_VARIANT = 40  # characters
_VARIANT = re.compile(rf"[\w-]{{1,{MAX_VARIANT}}}")
_LAYER = re.compile(r"[0-9]{1,4}")


class Mode(StrEnum):
    """The vectors of a model that a table contains."""

    STATIC = "static"  # the word-embedding matrix alone
    DYNAMIC = "dynamic"  # hidden state at position 1 of [CLS] token [SEP]
    CONTEXTUAL = "contextual"  # mean hidden state over occurrences in the sentences of a corpus

    @property
    def has_layers(self) -> bool:
        """Whether there can be a table for each layer of the model."""
        return self is not Mode.STATIC


@dataclass(frozen=True, slots=True)
class TableName:
    """The name of a table, written `MODEL:MODE[.VARIANT][@LAYER]`.

    variant: tells tables of different settings apart. layer: 0 is the output of the embedding
    block; None is the last layer (the only one of a static table).

    >>> str(TableName("mini", Mode.DYNAMIC, "short", 2))
    'mini:dynamic.short@2'
    """

    model: str
    mode: Mode
    variant: str | None = None
    layer: int | None = None

    def __str__(self) -> str:
        return f"{self.model}:{self.kind}"

    @property
    def kind(self) -> str:
        """The name without the model: `dynamic.short@2`."""
        return format_kind(self.mode, self.variant, self.layer)


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table as a user names it: without a model it is the default one."""

    model: str | None
    mode: Mode
    variant: str | None = None
    layer: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read `[MODEL:]MODE[.VARIANT][@LAYER]`, split at the last colon.

        Raises:
            UsageError: it is not the name of a table.
        """
        if not isinstance(text, str):
            raise UsageError(f"expected the name of a table, got {type(text).__name__}")
        model, _, kind = text.rpartition(":")
        head, at, layer = kind.partition("@")
        mode, dot, variant = head.partition(".")
        if mode not in set(Mode):
            modes = " or ".join(f"[MODEL:]{mode}" for mode in Mode)
            raise UsageError(
                f"{quote(text)} is not a table name: expected {modes}", hint=_hint_for(text)
            )
        if at and not _LAYER.fullmatch(layer):
            raise UsageError(
                f"{quote(text)}: {quote(layer)} is not the number of a layer", hint=f"{head}@0"
            )
        if at and not Mode(mode).has_layers:
            raise UsageError(f"{quote(text)}: {mode} vectors have no layers", hint=head)
        return cls(
            model or None,
            Mode(mode),
            check_variant(variant) if dot else None,
            int(layer) if at else None,
        )

    @classmethod
    def of(cls, name: TableName) -> Self:
        """Return a reference to a table of which the whole name is known."""
        return cls(name.model, name.mode, name.variant, name.layer)

    def of_model(self, model: str) -> TableName:
        """Return the name of this table of a model."""
        return TableName(model, self.mode, self.variant, self.layer)


def _hint_for(text: str) -> str:
    """Return a hint at the table that a text may mean: a mode with a typing error, or a model."""
    from difflib import get_close_matches

    close = [*get_close_matches(text, list(Mode), n=1), f"{text}:{Mode.STATIC}"]
    return f'table="{close[0]}"\nwordvec tables' if _MODEL.fullmatch(text) else "wordvec tables"


def format_kind(mode: str, variant: str | None, layer: int | None) -> str:
    """Return what follows the model in a table's name.

    >>> format_kind("dynamic", None, 2)
    'dynamic@2'
    """
    after_dot = "" if variant is None else f".{variant}"
    after_at = "" if layer is None else f"@{layer}"
    return f"{mode}{after_dot}{after_at}"


def check_variant(variant: str) -> str:
    """Return the name of a variant, composed (NFC).

    Raises:
        UsageError: it has other characters than letters, digits, `-` and `_`, or too many.
    """
    composed = unicodedata.normalize("NFC", variant)
    if not _VARIANT.fullmatch(composed):
        raise UsageError(
            f"{quote(variant)} cannot be a variant: expected up to {MAX_VARIANT} letters, "
            "digits, - and _",
            hint='variant="short"',
        )
    return composed
