"""The settings of an extraction. Loads neither torch nor numpy, so that the CLI can list them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wordvec.errors import UsageError, as_choice
from wordvec.text import quote

BATCH_SIZE = 512
"""Tokens per forward pass; docs/benchmarks.md has the speed of other sizes."""


class Device(StrEnum):
    """Where the model runs."""

    AUTO = "auto"  # the first available of cuda, mps and cpu
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Dtype(StrEnum):
    """What the linear layers compute in; the rest of the model and the table are float32."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Pool(StrEnum):
    """How the hidden states of a sentence become one vector."""

    TOKEN = "token"  # noqa: S105  # the hidden state of the token
    MEAN = "mean"  # the mean over all positions but [CLS] and [SEP]
    MEAN_ALL = "mean-all"  # the mean over all positions, as in model2vec
    CLS = "cls"  # the hidden state of [CLS]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers to extract: `numbers`, or every one, or else the last one alone.

    0 is the output of the embedding block.
    """

    numbers: tuple[int, ...] = ()
    every: bool = False

    @classmethod
    def of(cls, layers: str | int | Iterable[int] | None) -> Self:
        """Read "all", "0,4,8,12", numbers, or None for the last layer.

        Raises:
            UsageError: it is none of these.
        """
        if layers is None:
            return cls()
        if layers == "all":
            return cls(every=True)
        words = re.split("[,，、]", layers) if isinstance(layers, str) else layers
        if isinstance(words, int):
            words = [words]
        numbers = [str(word).strip() for word in words] if isinstance(words, Iterable) else []
        if not numbers or not all(re.fullmatch("[0-9]{1,4}", number) for number in numbers):
            raise UsageError(
                f"layers={quote(layers)}: expected all, or numbers with commas between them",
                hint='layers="0,4"',
            )
        return cls(tuple(sorted(set(map(int, numbers)))))

    def of_model(self, last: int, model: str) -> tuple[int, ...]:
        """Return the numbers of the layers, in order. last: of the model's last layer.

        Raises:
            UsageError: the model has no such layer.
        """
        if self.every:
            return tuple(range(last + 1))
        beyond = [number for number in self.numbers if number > last]
        if beyond:
            raise UsageError(
                f"{model} has no layer {beyond[0]}: its layers are 0 to {last}",
                hint='layers="all"',
            )
        return self.numbers or (last,)


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """How dynamic vectors are computed. Plain strings are accepted for choices.

    templates: sentences with `{}` in the place of the token; without any it stands alone.
    """

    device: Device = Device.AUTO
    dtype: Dtype = Dtype.FLOAT32
    batch_size: int = BATCH_SIZE
    pool: Pool = Pool.TOKEN
    templates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", as_choice(Device, self.device, "device"))
        object.__setattr__(self, "dtype", as_choice(Dtype, self.dtype, "dtype"))
        object.__setattr__(self, "pool", as_choice(Pool, self.pool, "pool"))
        object.__setattr__(self, "templates", _as_templates(self.templates))
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise UsageError(f"batch_size={self.batch_size}: expected a positive integer")

    @property
    def parameters(self) -> dict[str, object]:
        """What the values depend on besides the model and dtype, by the names of the options."""
        return {"pool": self.pool.value, "template": list(self.templates)}


def _as_templates(templates: str | Iterable[str]) -> tuple[str, ...]:
    written = (templates,) if isinstance(templates, str) else tuple(templates)
    plain = tuple(str(one).replace("｛｝", "{}") for one in written)
    for template in plain:
        if template.count("{}") != 1:
            raise UsageError(
                f"template {quote(template)}: expected one {{}}, where the token is put",
                hint='templates=["{}という言葉"]',
            )
    return plain
