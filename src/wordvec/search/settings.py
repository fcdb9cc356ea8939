"""How expressions are answered: metric, method, transforms, filters, and which go together.

One `QuerySettings` serves every question: query, compare, explain, evaluate. Plain strings are
converted and checked here, once. This module does not import numpy, so that the command line can
list the choices without loading it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from wordvec.errors import UsageError, as_choice, check_flag
from wordvec.search.filters import Filters
from wordvec.tables.name import Mode
from wordvec.text import quote

if TYPE_CHECKING:
    from pathlib import Path


# the name of a table, its model without a plus and a mode after it; and the transforms
_NAMED = re.compile(rf"((?:.*:)?(?:{'|'.join(Mode)})(?:\.[^+:]*)?(?:@[^+:]*)?)((?:\+[^+]*)+)")


class Metric(StrEnum):
    """What a search ranks by."""

    L2 = "l2"  # Euclidean distance, not squared: smaller is nearer
    COSINE = "cosine"  # cosine similarity: larger is nearer
    DOT = "dot"  # inner product: larger is nearer
    CSLS = "csls"  # cosine corrected for hubs: larger is nearer

    @property
    def smaller_is_nearer(self) -> bool:
        """Whether the nearest row has the smallest score."""
        return self is Metric.L2

    @property
    def score_name(self) -> str:
        """`distance` (smaller is nearer) or `similarity` (larger is nearer)."""
        return "distance" if self.smaller_is_nearer else "similarity"


class Method(StrEnum):
    """How an expression ranks the tokens."""

    SUM = "sum"  # nearest to the weighted sum of the vectors
    ADD = "add"  # 3CosAdd: nearest by cosine to the weighted sum of the unit vectors
    MUL = "mul"  # 3CosMul: product and quotient of cosines
    DIRECTION = "direction"  # PairDirection: the direction from a to b, starting at c


# method → the metrics that it can rank by, the default first
METRICS = {
    Method.SUM: (Metric.L2, Metric.COSINE, Metric.DOT, Metric.CSLS),
    Method.ADD: (Metric.COSINE, Metric.CSLS),
    Method.MUL: (Metric.COSINE,),
    Method.DIRECTION: (Metric.COSINE,),
}


class TransformKind(StrEnum):
    """What a transform does to the rows; `transforms` has the definitions."""

    UNIT = "unit"
    CENTER = "center"
    STANDARDIZE = "standardize"
    ABTT = "abtt"
    WHITEN = "whiten"


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform. components: how many components `abtt` removes; None for the others."""

    kind: TransformKind
    components: int | None = None

    def __str__(self) -> str:
        return self.kind.value if self.components is None else f"{self.kind}:{self.components}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `unit`, `center`, `standardize`, `abtt:N` or `whiten`."""
        if match := re.fullmatch(r"abtt:(\d{1,9})", text, re.ASCII):
            if int(match[1]) < 1:
                raise UsageError("abtt:0 removes nothing: expected abtt:N with N of at least 1")
            return cls(TransformKind.ABTT, int(match[1]))
        if text == TransformKind.ABTT:
            raise UsageError("abtt needs a number of components", hint='transforms=["abtt:3"]')
        if text not in tuple(TransformKind):
            raise UsageError(
                f"unknown transform {quote(text)}: "
                "expected unit, center, standardize, abtt:N or whiten"
            )
        return cls(TransformKind(text))


def as_transforms(value: str | Iterable[str | Transform]) -> tuple[str, ...]:
    """Check transforms, given as a list or as one string with commas, and return their names."""
    parts: Any = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        raise UsageError(f"expected transforms to be a list of names, got {quote(parts)}")
    return tuple(
        str(part if isinstance(part, Transform) else Transform.parse(str(part).strip()))
        for part in parts
        if part != ""
    )


def split_transforms(name: str) -> tuple[str, tuple[str, ...]]:
    """Split the name of a table and the transforms after it.

    Raises:
        UsageError: for an unknown transform after the name of a table.

    >>> split_transforms("mini:static+center+abtt:3"), split_transforms("a+b/c:static")
    (('mini:static', ('center', 'abtt:3')), ('a+b/c:static', ()))
    """
    found = _NAMED.fullmatch(name)
    if found is None:
        return name, ()
    return found[1], tuple(str(Transform.parse(step)) for step in found[2].split("+")[1:])


def check_k(k: object, parameter: str = "k", *, at_least: int = 1) -> int:
    """Return k if it is a whole number of at least 1, or of another minimum.

    Raises:
        UsageError: otherwise.
    """
    try:
        count = -1 if isinstance(k, bool) else operator.index(k)  # type: ignore[arg-type]
    except TypeError:
        count = -1
    if count < at_least:
        raise UsageError(f"expected {parameter} of at least {at_least}, got {quote(k)}")
    return count


def known_options(options: Mapping[str, Any], known: type) -> dict[str, Any]:
    """Return options by name. known: the TypedDict that lists them.

    Raises:
        TypeError: for an unknown option, as Python does.
    """
    names = known.__annotations__
    for name in options:
        if name not in names:
            raise TypeError(f"unknown option {quote(name)}: expected {', '.join(names)}")
    return dict(options)


def with_filters(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with those of `Filters` in one, `filters`."""
    names = ("only", "match", "vocab", "no_special")
    filters = {name: options.pop(name) for name in names if name in options}
    return {"filters": Filters(**filters), **options}


class QueryOptions(TypedDict, total=False):
    """The options of a query as a caller may give them: see `QuerySettings` and `Filters`."""

    k: int
    method: str
    metric: str | None
    unit: bool
    transforms: str | Iterable[str]
    exclude: bool | None
    pieces: bool
    merge_twins: bool
    only: str | Iterable[str]
    match: str | None
    vocab: str | Path | None
    no_special: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySettings:
    """How expressions are answered. Strings are accepted for every choice.

    k: how many neighbours to return, at least 1.
    method: "sum", "add", "mul" or "direction".
    metric: "l2", "cosine", "dot" or "csls"; None for the default of the method: l2 for `sum`,
        cosine for the others.
    transforms: applied to all rows, in order: "unit", "center", "standardize", "abtt:N", "whiten".
    unit: short for transforms=["unit"].
    exclude: leave the words of the expression out of the answer; None for the default: an analogy
        (`a:b=c:?`) leaves them out, a sum keeps them.
    pieces: replace an unknown word by the mean of its pieces.
    filters: which tokens may be answers.
    merge_twins: treat tokens with the same text (王 and ##王) as one answer.

    Raises:
        UsageError: for an unknown value, or for settings that do not go together.
    """

    k: int = 10
    method: Method = Method.SUM
    metric: Metric | None = None
    unit: bool = False
    transforms: tuple[str, ...] = ()
    exclude: bool | None = None
    pieces: bool = False
    filters: Filters = field(default_factory=Filters)
    merge_twins: bool = False

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the dataclass is frozen
        set_field(self, "k", check_k(self.k))
        set_field(self, "method", as_choice(Method, self.method, "method"))
        set_field(self, "transforms", as_transforms(self.transforms))
        for flag in ("unit", "pieces", "merge_twins"):
            check_flag(getattr(self, flag), flag)
        if self.exclude is not None:
            check_flag(self.exclude, "exclude")
        if self.metric is not None:
            set_field(self, "metric", as_choice(Metric, self.metric, "metric"))
        if self.metric not in (None, *METRICS[self.method]):
            supported = " or ".join(METRICS[self.method])
            raise UsageError(
                f"method {self.method} ranks by {supported}, not by {self.metric}",
                hint=f'method="{self.method}" alone, or method="sum" with metric="{self.metric}"',
            )
        if self.unit and self.transforms:
            ordered = [*(["unit"] if "unit" not in self.transforms else []), *self.transforms]
            listed = ", ".join(f'"{name}"' for name in ordered)
            raise UsageError(
                "unit=True is a transform: beside other transforms, give its place among them",
                hint=f"transforms=[{listed}]",
            )

    @classmethod
    def of(cls, **options: Unpack[QueryOptions]) -> Self:
        """Make settings from plain values: the fields above, and those of `Filters`.

        Raises:
            TypeError: for an unknown option, as Python does; UsageError: as above.
        """
        return cls(**with_filters(known_options(options, QueryOptions)))

    @property
    def ranking_metric(self) -> Metric:
        """The metric that answers are ranked by."""
        return self.metric or METRICS[self.method][0]

    @property
    def all_transforms(self) -> tuple[str, ...]:
        """The transforms, `unit` included, in order."""
        return ("unit",) if self.unit else tuple(self.transforms)

    def for_expression(self, *, analogy: bool) -> QuerySettings:
        """Return the settings with `exclude` decided for an analogy or for a sum."""
        return self if self.exclude is not None else replace(self, exclude=analogy)

    def to_dict(self) -> dict[str, object]:
        """Return the settings as JSON values; filters and twins only where they are used."""
        return {
            "method": self.method.value,
            "metric": self.ranking_metric.value,
            "unit": self.unit,
            "transforms": list(self.all_transforms),
            "exclude": self.exclude,
            **({"filters": self.filters.to_dict()} if self.filters else {}),
            **({"merge_twins": True} if self.merge_twins else {}),
        }
