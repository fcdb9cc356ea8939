"""How long vectors are: the norm of tokens, and how each ranks among all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.search.resolve import resolve_token
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Norm:
    """The length of one token's vector; None throughout where the vector is not finite.

    rank: 1 is the longest, equal ones by row. percentile: how many in a hundred of the rows are
    strictly shorter.
    """

    token: str
    id: int
    norm: float | None
    rank: int | None
    percentile: float | None

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "token": self.token,
            "id": self.id,
            "norm": self.norm,
            "rank": self.rank,
            "percentile": self.percentile,
        }


@dataclass(frozen=True, slots=True)
class NormsSummary:
    """The norms of all rows that are finite; None where no row is."""

    minimum: float | None
    median: float | None
    maximum: float | None

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {"min": self.minimum, "median": self.median, "max": self.maximum}


@dataclass(frozen=True, slots=True)
class NormsReport:
    """Norms that were asked for, in order, and what they are among."""

    table: TableDescription
    norms: tuple[Norm, ...]
    summary: NormsSummary
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "table": self.table.to_json(),
            "norms": [norm.to_json() for norm in self.norms],
            "summary": self.summary.to_json(),
        }


def norms(
    table: VectorTable, tokens: Sequence[str] = (), *, largest: int = 0, smallest: int = 0
) -> NormsReport:
    """Report the norms of tokens (as they stand, or `#id`), then the largest, then the smallest."""
    found = [resolve_token(token, table.vocabulary) for token in tokens]
    order = _longest_first(np.asarray(table.norms))
    ids = [id_ for id_, _ in found]
    ids += order[:largest].tolist()
    ids += order[::-1][:smallest].tolist()
    return NormsReport(
        TableDescription.of(table),
        _ranked(table, ids, order),
        _summary(np.asarray(table.norms)[order]),
        tuple(note for _, note in found if note),
    )


def _longest_first(lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Finite rows by their norm, longest first, equal ones by row."""
    finite = np.flatnonzero(np.isfinite(lengths))
    return finite[np.argsort(-lengths[finite], kind="stable")]


def _ranked(table: VectorTable, ids: Sequence[int], order: NDArray[np.int64]) -> tuple[Norm, ...]:
    display = table.vocabulary.display
    rank_of = np.zeros(len(table), dtype=np.int64)
    rank_of[order] = np.arange(1, len(order) + 1)
    ascending = table.norms[order[::-1]]
    return tuple(
        Norm(display(id_), id_, None, None, None)
        if rank_of[id_] == 0
        else Norm(
            display(id_),
            id_,
            float(table.norms[id_]),
            int(rank_of[id_]),
            100 * int(np.searchsorted(ascending, table.norms[id_])) / len(order),
        )
        for id_ in ids
    )


def _summary(lengths: NDArray[np.float64]) -> NormsSummary:
    if not len(lengths):
        return NormsSummary(None, None, None)
    return NormsSummary(float(lengths[-1]), float(np.median(lengths)), float(lengths[0]))
