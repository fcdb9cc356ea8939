"""How expressions are answered: method, metric, transforms, filters, and which go together.

One set of settings serves every command that asks: `query`, `compare`, `explain`, the shell.
Loads no numpy, so that the command line can offer its choices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from wordvec.errors import UsageError
from wordvec.search.filters import Filters


class Metric(StrEnum):
    """What a search ranks by."""

    L2 = "l2"  # Euclidean distance, not squared: smaller is nearer
    COSINE = "cosine"  # cosine similarity: larger is nearer
    DOT = "dot"  # inner product: larger is nearer
    CSLS = "csls"  # cosine corrected for crowding: larger is nearer

    @property
    def score_name(self) -> str:
        """What its score is: a `distance` (smaller is nearer) or a `similarity`."""
        return "distance" if self is Metric.L2 else "similarity"


class Method(StrEnum):
    """How an expression ranks the tokens."""

    SUM = "sum"  # nearest to the weighted sum of the vectors
    ADD = "add"  # 3CosAdd: to the sum of the vectors at length 1, by cosine
    MUL = "mul"  # 3CosMul: cosines multiplied and divided
    DIRECTION = "direction"  # PairDirection: from c as b lies from a


# method → the metrics that it takes, the default first
METRICS = {
    Method.SUM: (Metric.L2, Metric.COSINE, Metric.DOT, Metric.CSLS),
    Method.ADD: (Metric.COSINE, Metric.CSLS),
    Method.MUL: (Metric.COSINE,),
    Method.DIRECTION: (Metric.COSINE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How expressions are answered.

    metric: what is near; None leaves it to the method: l2 for `sum`, cosine for the others.
    unit: every row is brought to length 1 first, as by the transform `unit`.
    transforms: `unit`, `center`, `standardize`, `abtt:N`, `whiten`, done to the rows in order.
    exclude: the words of the query are left out of its answer. pieces: an unknown word is the mean
    of its pieces. filters: which tokens may be answers. merge_twins: 王 and ##王 are one answer.
    """

    k: int = 10
    method: Method = Method.SUM
    metric: Metric | None = None
    unit: bool = False
    transforms: tuple[str, ...] = ()
    exclude: bool = False
    pieces: bool = False
    filters: Filters = field(default_factory=Filters)
    merge_twins: bool = False

    def __post_init__(self) -> None:
        if self.metric not in (None, *METRICS[self.method]):
            able = " or ".join(METRICS[self.method])
            raise UsageError(
                f"method {self.method} ranks by {able}, not by {self.metric}",
                hint=f"--method {self.method} alone, or --method sum --metric {self.metric}",
            )
        if self.unit and self.transforms:
            ordered = [*(["unit"] if "unit" not in self.transforms else []), *self.transforms]
            raise UsageError(
                "--unit is --transform unit: beside other transforms, say where in their order",
                hint=" ".join(f"--transform {step}" for step in ordered),
            )

    @property
    def ranked_by(self) -> Metric:
        """The metric that answers are ranked by."""
        return self.metric or METRICS[self.method][0]

    @property
    def steps(self) -> tuple[str, ...]:
        """Everything that is done to the rows, in order."""
        return ("unit",) if self.unit else self.transforms
