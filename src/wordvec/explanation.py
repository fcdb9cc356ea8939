"""What an answer's score is taken apart into, and that as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.answers import settings_json
from wordvec.metric import Metric

if TYPE_CHECKING:
    from wordvec.answers import TableDescription
    from wordvec.calibration import Calibration
    from wordvec.settings import Settings


@dataclass(frozen=True, slots=True)
class Part:
    """What one word of the query gives to the score.

    norm: length of its vector. cosine: of its vector and the answer's; None if either is zero.
    """

    word: str
    weight: float
    norm: float
    cosine: float | None
    part: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one dimension gives to the score; share: of the sum of the sizes of all."""

    index: int
    part: float
    share: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Whether the longest word decides. rank: the answer's, with all words at one length."""

    longest: str
    largest_part: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first answer, where another one is explained: its score taken apart alike.

    own: as in `Explanation`. parts: one for each word, in the same order.
    """

    token: str
    id: int
    rank: int
    score: float
    norm: float
    own: float | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer's score, taken apart.

    own: ‖x‖², the part that no word gives; None but under l2. total: own and the parts added up:
    the score, or under l2 its square. lengths: None for a word alone, and for `add`, which has
    all words at one length. dimensions: the first few by share; carriers: how many of them carry
    over half of the score. ahead: the first answer that is no query word, if that is before this.
    """

    query: str
    table: TableDescription
    settings: Settings
    token: str
    id: int
    rank: int | None
    score: float
    norm: float
    own: float | None
    parts: tuple[Part, ...]
    lengths: Lengths | None
    dimensions: tuple[Dimension, ...]
    carriers: int
    ahead: Ahead | None = None
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """What the parts add up to: the score, or under l2 its square."""
        return (self.own or 0.0) + sum(part.part for part in self.parts)

    @property
    def gains(self) -> tuple[tuple[str | None, float], ...]:
        """What the first answer gets more than this one, by word; under l2 last by itself (None).

        Under l2 what is less is nearer: they are below zero where the first answer gains.
        """
        if self.ahead is None:
            return ()
        both = zip(self.ahead.parts, self.parts, strict=True)
        gains: list[tuple[str | None, float]] = [(p.word, p.part - q.part) for p, q in both]
        if self.own is not None and self.ahead.own is not None:
            gains.append((None, self.ahead.own - self.own))
        return tuple(gains)

    @property
    def decisive(self) -> str | None:
        """The word that sets the first answer most ahead; None for its own length under l2."""
        if not self.gains:
            return None
        sign = -1 if self.metric is Metric.L2 else 1
        return max(self.gains, key=lambda gain: sign * gain[1])[0]

    @property
    def metric(self) -> Metric:
        """What the score is."""
        return self.settings.ranked_by

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            "table": self.table.to_json(),
            **settings_json(self.settings),
            "token": self.token,
            "id": self.id,
            "rank": self.rank,
            self.metric.score_name: self.score,
            "norm": self.norm,
            "parts_add_up_to": "distance squared" if self.metric is Metric.L2 else "similarity",
            "own_part": self.own,
            "parts": [
                {
                    "word": part.word,
                    "weight": part.weight,
                    "norm": part.norm,
                    "cosine": part.cosine,
                    "part": part.part,
                }
                for part in self.parts
            ],
            "lengths": None
            if self.lengths is None
            else {
                "longest": self.lengths.longest,
                "largest_part": self.lengths.largest_part,
                "rank_at_equal_lengths": self.lengths.rank,
            },
            "ahead": self._ahead_json(),
            "dimensions": [
                {"dimension": d.index, "part": d.part, "share": d.share} for d in self.dimensions
            ],
            "carriers": self.carriers,
            **({"calibration": self.calibration.to_json()} if self.calibration else {}),
        }

    def _ahead_json(self) -> dict[str, object] | None:
        if self.ahead is None:
            return None
        return {
            "token": self.ahead.token,
            "id": self.ahead.id,
            "rank": self.ahead.rank,
            self.metric.score_name: self.ahead.score,
            "norm": self.ahead.norm,
            "own_part": self.ahead.own,
            "parts": [
                {"word": part.word, "cosine": part.cosine, "part": part.part}
                for part in self.ahead.parts
            ],
            "most_by": self.decisive,
        }
