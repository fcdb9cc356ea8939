"""Vector norms: the L2 norm of tokens and its rank among all."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from wordvec.analysis.display import Column, Facts, TextTable, number, number_columns, table_fields
from wordvec.analysis.result import Result
from wordvec.search.resolve import resolve_word
from wordvec.search.settings import check_k
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.analysis.display import Block
    from wordvec.search.resolve import ResolvedWord
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Norm:
    """The norm of one token's vector; all values are None if the vector is not finite.

    id: None for the mean of several pieces, which is ranked among the tokens.

    rank: 1 is the largest norm, ties by row. percentile: the percentage of rows with a smaller one.
    count, resultant: of a contextual table: how often the token is in the corpus, and the mean
    resultant length of its hidden states. None for other tables, and for the mean of pieces.
    """

    token: str
    id: int | None
    norm: float | None
    rank: int | None
    percentile: float | None
    count: int | None = None
    resultant: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints; `count` and `resultant` only of a contextual table."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in ("count", "resultant") or value is not None
        }


@dataclass(frozen=True, slots=True)
class NormsSummary:
    """The norms of all finite rows; None if there is none."""

    minimum: float | None
    median: float | None
    maximum: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return what `--json` prints."""
        return {"min": self.minimum, "median": self.median, "max": self.maximum}


@dataclass(frozen=True, slots=True, repr=False)
class NormsReport(Result[Norm]):
    """The norms of some tokens, in order, and a summary of the whole table.

    Iterates over the norms.
    """

    _listed: ClassVar = "norms"

    table: TableDescription
    norms: tuple[Norm, ...]
    summary: NormsSummary
    notes: tuple[str, ...] = ()
    contextual: bool = False

    def _header_fields(self) -> list[str]:
        return [*table_fields(self.table), "L2 norm"]

    def _blocks(self) -> list[Block]:
        more = ("count", "resultant") if self.contextual else ()
        numbers = number_columns("id", "norm", "rank", "percentile", *more)
        columns = [Column("token", shrinks=True), *numbers]
        rows = [_cells(norm)[: len(columns)] for norm in self]
        tables = [TextTable(columns, rows)] if self.norms else []
        values = self.summary.to_dict().items()
        summary = "  ".join(f"{name} {_number_or_dash(value)}" for name, value in values)
        return [*tables, Facts([[summary]])]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        more = ["count", "resultant"] if self.contextual else []
        yield ["token", "id", "norm", "rank", "percentile", *more]
        for norm in self.norms:
            occurrences = [norm.count, norm.resultant] if self.contextual else []
            yield [norm.token, norm.id, norm.norm, norm.rank, norm.percentile, *occurrences]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "table": self.table.to_dict(),
            "norms": [norm.to_dict() for norm in self.norms],
            "summary": self.summary.to_dict(),
        }


def _cells(norm: Norm) -> list[str]:
    rank = "–" if norm.rank is None else str(norm.rank)
    percentile = "–" if norm.percentile is None else f"{norm.percentile:.1f}"
    id_ = "–" if norm.id is None else str(norm.id)
    count = "–" if norm.count is None else str(norm.count)
    resultant = _number_or_dash(norm.resultant)
    return [norm.token, id_, _number_or_dash(norm.norm), rank, percentile, count, resultant]


def _number_or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)


def norms(
    table: VectorTable,
    words: Sequence[str | int] = (),
    *,
    largest: int = 0,
    smallest: int = 0,
    pieces: bool = False,
) -> NormsReport:
    """Return the norms of words, then the `largest` and the `smallest` of the table.

    Args:
        words: as typed, as `#id`, or as ids.
        largest, smallest: how many to add, 0 for none.
        pieces: replace an unknown word by the mean of its pieces.

    Raises:
        UnknownWordError: for a word that is not in the vocabulary.
        UsageError: if largest or smallest is not a whole number of at least 0.
    """
    check_k(largest, "largest", at_least=0)
    check_k(smallest, "smallest", at_least=0)
    found = [resolve_word(word, table.vocabulary, pieces=pieces) for word in words]
    order = _largest_first(np.asarray(table.norms))
    extreme = [*order[:largest].tolist(), *order[::-1][:smallest].tolist()]
    found += [resolve_word(row, table.vocabulary) for row in extreme]
    return NormsReport(
        TableDescription.of(table),
        _ranked(table, found, order),
        _summary(np.asarray(table.norms)[order]),
        tuple(word.note for word in found if word.note),
        contextual=table.occurrences is not None,
    )


def _largest_first(norms_of_rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the finite rows by norm, largest first, ties by row."""
    finite = np.flatnonzero(np.isfinite(norms_of_rows))
    return finite[np.argsort(-norms_of_rows[finite], kind="stable")]


def _ranked(
    table: VectorTable, words: Sequence[ResolvedWord], order: NDArray[np.int64]
) -> tuple[Norm, ...]:
    rank_of = np.zeros(len(table), dtype=np.int64)
    rank_of[order] = np.arange(1, len(order) + 1)
    ascending = table.norms[order[::-1]]
    ranked = []
    for word in words:
        norm = _norm_of(table, word)
        smaller = int(np.searchsorted(ascending, norm))
        rank = len(order) - smaller + 1 if word.id is None else int(rank_of[word.id])
        values = (norm, rank, 100 * smaller / len(order)) if np.isfinite(norm) else (None,) * 3
        count, resultant = _occurrences(table, word.id)
        one = Norm(word.token, word.id, *values)
        ranked.append(replace(one, count=count, resultant=resultant))
    return tuple(ranked)


def _occurrences(table: VectorTable, id_: int | None) -> tuple[int | None, float | None]:
    """Return the count and the mean resultant length of a token, if the table has them."""
    if table.occurrences is None or id_ is None:
        return None, None
    return int(table.occurrences.counts[id_]), float(table.occurrences.resultants[id_])


def _norm_of(table: VectorTable, word: ResolvedWord) -> float:
    if word.id is not None:
        return float(table.norms[word.id])
    rows = list(word.ids)
    if not np.isfinite(table.norms[rows]).all():
        return math.nan
    mean = table.vectors[rows].astype(np.float64).mean(axis=0)
    return float(np.linalg.norm(mean))


def _summary(norms_of_rows: NDArray[np.float64]) -> NormsSummary:
    if not len(norms_of_rows):
        return NormsSummary(None, None, None)
    return NormsSummary(
        float(norms_of_rows[-1]), float(np.median(norms_of_rows)), float(norms_of_rows[0])
    )
