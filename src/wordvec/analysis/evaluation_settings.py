"""How tables are measured: methods, transforms, and where right answers are counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from wordvec.errors import UsageError
from wordvec.search.settings import QuerySettings, as_transforms, check_k, known_options

if TYPE_CHECKING:
    from collections.abc import Sequence

LRCOS = "lrcos"


class EvaluationOptions(TypedDict, total=False):
    """The options of an evaluation as a caller may give them: see `EvaluationSettings`."""

    methods: str | Iterable[str]
    metric: str | None
    transforms: str | Iterable[str | Iterable[str]]
    at: Iterable[int]
    pieces: bool
    by: str | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """How tables are measured. Strings are accepted for every choice.

    methods: "sum", "add", "mul", "direction", "lrcos". metric: as in `QuerySettings`; lrcos has its
        own. transforms: lists of transforms, such as [[], ["center"], ["center", "unit"]], or one
        string "none;center;center,unit".
    at: the numbers k of accuracy at k. pieces: a, b and c may be the mean of the pieces of an
        unknown word. by: "category" to show every category, or None. failures: how many questions
        that were answered wrongly to list for each combination, spread over all of them.

    Raises:
        UsageError: for an unknown value, or settings that do not go together.
    """

    methods: tuple[str, ...] = ("add",)
    metric: str | None = None
    transforms: tuple[tuple[str, ...], ...] = ((),)
    at: tuple[int, ...] = (1, 5, 10)
    pieces: bool = False
    by: str | None = None
    failures: int = 0

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the dataclass is frozen
        methods = self.methods.split(",") if isinstance(self.methods, str) else self.methods
        set_field(self, "methods", tuple(dict.fromkeys(str(one).strip() for one in methods)))
        set_field(self, "transforms", as_transform_lists(self.transforms))
        set_field(self, "at", tuple(check_k(k, "at") for k in self.at))
        set_field(self, "failures", check_k(self.failures, "failures", at_least=0))
        if not self.methods or not self.at:
            raise UsageError("expected at least one method, and one k to count right answers at")
        if self.by not in (None, "category"):
            raise UsageError(f"unknown by {self.by!r:.60}: expected category")
        for method in self.methods:
            if method != LRCOS:
                self.query_settings(method, ())

    @classmethod
    def of(cls, **options: Unpack[EvaluationOptions]) -> Self:
        """Make settings from plain values.

        Raises:
            TypeError: for an unknown option, as Python does; UsageError: as above.
        """
        return cls(**known_options(options, EvaluationOptions))

    def query_settings(self, method: str, transforms: Sequence[str]) -> QuerySettings:
        """Return the settings of a method, and check them."""
        return QuerySettings.of(
            method=method, metric=self.metric, transforms=transforms, pieces=self.pieces
        )


def as_transform_lists(value: str | Iterable[str | Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Check lists of transforms, given as lists or as one string "none;center;center,unit"."""
    parts = value.split(";") if isinstance(value, str) else value
    lists = []
    for part in parts:
        names = part.split(",") if isinstance(part, str) else list(part)
        steps = [name.strip() for name in names]
        lists.append(as_transforms([] if steps == ["none"] else steps))
    return tuple(dict.fromkeys(lists)) or ((),)
