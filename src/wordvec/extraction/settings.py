"""The settings of an extraction. Loads neither torch nor numpy, so that the CLI can list them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from wordvec.errors import UsageError

BATCH_SIZE = 512
"""Tokens per forward pass; docs/extraction.md has the speed of other sizes."""


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


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """How dynamic vectors are computed. Plain strings are accepted for `device` and `dtype`."""

    device: Device = Device.AUTO
    dtype: Dtype = Dtype.FLOAT32
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", as_choice(Device, self.device, "device"))
        object.__setattr__(self, "dtype", as_choice(Dtype, self.dtype, "dtype"))
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise UsageError(f"batch_size={self.batch_size}: expected a positive integer")


Choice = TypeVar("Choice", bound=StrEnum)


def as_choice(choices: type[Choice], value: str, parameter: str) -> Choice:
    """Convert a string to a member of an enum.

    Raises:
        UsageError: if it is not one of the values; the message lists them.
    """
    try:
        return choices(value)
    except ValueError:
        *most, last = choices
        raise UsageError(
            f"unknown {parameter} {value!r}: expected {', '.join(most)} or {last}"
        ) from None
