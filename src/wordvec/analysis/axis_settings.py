"""How words are placed on an axis: metric, transforms, and which tokens are added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypedDict, Unpack

from wordvec.errors import UsageError, as_choice, as_path, check_flag
from wordvec.search.filters import Filters
from wordvec.search.settings import Metric, as_transforms, check_k, known_options, with_filters

METRICS = (Metric.COSINE, Metric.DOT)


class AxisOptions(TypedDict, total=False):
    """The options of an axis as a caller may give them: see `AxisSettings` and `Filters`."""

    top: int
    file: str | Path | None
    metric: str
    transforms: str | Iterable[str]
    pieces: bool
    only: str | Iterable[str]
    match: str | None
    vocab: str | Path | None
    no_special: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSettings:
    """How words are placed on an axis. Strings are accepted for every choice.

    top: how many tokens of each end to add, 0 for none. file: more words, one per line; those that
        are not in the vocabulary are left out with a note.
    metric: "cosine" to the axis, or "dot" for the projection, which grows with the vector's norm.
    transforms: applied to all rows first. pieces: replace an unknown word by its pieces.
    filters: which tokens `top` may add.

    Raises:
        UsageError: for an unknown value.
    """

    top: int = 0
    file: Path | None = None
    metric: Metric = Metric.COSINE
    transforms: tuple[str, ...] = ()
    pieces: bool = False
    filters: Filters = field(default_factory=Filters)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the dataclass is frozen
        set_field(self, "top", check_k(self.top, "top", at_least=0))
        set_field(self, "metric", as_choice(Metric, self.metric, "metric"))
        set_field(self, "transforms", as_transforms(self.transforms))
        check_flag(self.pieces, "pieces")
        if self.file is not None:
            set_field(self, "file", as_path(self.file, "file"))
        if self.metric not in METRICS:
            raise UsageError(f"words are placed on an axis by cosine or dot, not by {self.metric}")
        if self.filters and not self.top:
            raise UsageError("a filter selects tokens of the ends of the axis", hint="top=20")

    @classmethod
    def of(cls, **options: Unpack[AxisOptions]) -> Self:
        """Make settings from plain values: the fields above, and those of `Filters`.

        Raises:
            TypeError: for an unknown option, as Python does; UsageError: as above.
        """
        return cls(**with_filters(known_options(options, AxisOptions)))

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "metric": self.metric.value,
            "transforms": list(self.transforms),
            **({"filters": self.filters.to_dict()} if self.filters else {}),
        }
