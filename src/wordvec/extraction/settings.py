"""The settings of an extraction. Loads neither torch nor numpy, so that the CLI can list them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wordvec.errors import UsageError, as_choice

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
