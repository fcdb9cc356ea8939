"""What a question is answered with: neighbours, the table they came from, and both as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wordvec.metric import Metric
    from wordvec.settings import Settings
    from wordvec.table import VectorTable


@dataclass(frozen=True, slots=True)
class TableDescription:
    """What an answer says of the table that it came from."""

    model: str
    mode: str
    layer: int | None
    tokens: int
    dimensions: int
    transforms: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: VectorTable) -> TableDescription:
        """Describe a table."""
        name = table.name
        return cls(
            name.model, name.mode.value, name.layer, len(table), table.dimensions, table.transforms
        )

    def to_json(self) -> dict[str, object]:
        """Give the `table` of an answer's JSON."""
        return {
            "model": self.model,
            "mode": self.mode,
            "layer": self.layer,
            "tokens": self.tokens,
            "dimensions": self.dimensions,
        }


class Neighbour(NamedTuple):  # made ten thousand times a block, three times as fast as others
    """One line of an answer. `token` is as people see it; `score` a distance or a similarity.

    twins: tokens of the same text (##王 beside 王) that this line stands for as well.
    """

    rank: int
    token: str
    id: int
    score: float
    in_query: bool
    twins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The nearest tokens of one expression, best first.

    notes: what its reader should know of how the words were taken.
    """

    query: str
    table: TableDescription
    settings: Settings
    neighbours: tuple[Neighbour, ...]
    notes: tuple[str, ...] = ()

    @property
    def metric(self) -> Metric:
        """What the neighbours are ranked by."""
        return self.settings.ranked_by

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "query": self.query,
            "table": self.table.to_json(),
            **settings_json(self.settings),
            "neighbours": [self.neighbour_json(neighbour) for neighbour in self.neighbours],
        }

    def neighbour_json(self, neighbour: Neighbour) -> dict[str, object]:
        """Give what `--json` prints of one of its neighbours."""
        return {
            "rank": neighbour.rank,
            "token": neighbour.token,
            "id": neighbour.id,
            self.metric.score_name: neighbour.score,
            "in_query": neighbour.in_query,
            **({"twins": list(neighbour.twins)} if self.settings.merge_twins else {}),
        }


def settings_json(settings: Settings) -> dict[str, object]:
    """Give what the JSON of any answer says of how it was asked for.

    Filters and twins stand there only where they are used.
    """
    return {
        "method": settings.method.value,
        "metric": settings.ranked_by.value,
        "unit": settings.unit,
        "transforms": list(settings.steps),
        "exclude": settings.exclude,
        **({"filters": settings.filters.to_json()} if settings.filters else {}),
        **({"merge_twins": True} if settings.merge_twins else {}),
    }
