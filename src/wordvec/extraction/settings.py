"""The settings of an extraction. Loads neither torch nor numpy, so that the CLI can list them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from wordvec.errors import UsageError, as_choice
from wordvec.text import quote

BATCH_SIZE = 512
"""Tokens per forward pass; docs/benchmarks.md has the speed of other sizes."""


POSITIONS = 3
"""Positions of a contextual batch, as a multiple of the batch size: those of [CLS] token [SEP]."""


class Device(StrEnum):
    """Where the model runs."""

    AUTO = "auto"  # the first available of cuda, mps and cpu
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Dtype(StrEnum):
    """What the linear layers compute in; the rest of the model and the table are float32."""

    AUTO = "auto"  # bfloat16 where it is clearly faster, else float32
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
    force_dtype: use `dtype` even where it is slower than float32.
    """

    device: Device = Device.AUTO
    dtype: Dtype = Dtype.FLOAT32
    batch_size: int = BATCH_SIZE
    pool: Pool = Pool.TOKEN
    templates: tuple[str, ...] = ()
    force_dtype: bool = False

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


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which occurrences of a corpus a contextual table is computed from.

    per_token: occurrences of a token whose mean is taken, at most, chosen by `seed`.
    min_count: a token that is seen fewer times has no vector.
    sentences: read only the first ones; None for all.
    """

    per_token: int = 100
    min_count: int = 5
    sentences: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("per_token", "min_count", "sentences"):
            value = getattr(self, name)
            if type(value) is not int and not (value is None and name == "sentences"):
                raise UsageError(f"{name}={value!r:.40}: expected a whole number")
            if value is not None and value < 1:
                raise UsageError(f"{name}={value}: expected a positive integer")
        if type(self.seed) is not int:
            raise UsageError(f"seed={self.seed!r:.40}: expected a whole number")


@dataclass(frozen=True, slots=True)
class ContextualSettings(ExtractionSettings):
    """How contextual vectors are computed.

    corpus: files, folders, "-" or "hf:…", as typed. field: of JSON lines and data sets.
    workers: processes that cut text, 0 to cut in this one; None for one for each core.
    """

    corpus: tuple[str, ...] = ()
    field: str | None = None
    sampling: Sampling = Sampling()
    workers: int | None = None

    def __post_init__(self) -> None:
        ExtractionSettings.__post_init__(self)  # super() fails in a dataclass with slots
        if self.workers is not None and (type(self.workers) is not int or self.workers < 0):
            raise UsageError(f"workers={self.workers!r:.40}: expected 0 or a positive integer")

    @property
    def parameters(self) -> dict[str, object]:
        """What the values depend on besides the model and dtype, by the names of the options."""
        return {"corpus": list(self.corpus), "field": self.field, **asdict(self.sampling)}


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
