"""The similarity of every pair of some words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from wordvec.analysis.display import (
    METRIC_NAMES,
    Cell,
    Column,
    TextTable,
    number,
    number_columns,
    table_fields,
    transforms_field,
)
from wordvec.analysis.result import Result
from wordvec.errors import UsageError, WordvecError, as_choice
from wordvec.search.engine import score_rows
from wordvec.search.resolve import ResolvedWord, resolve_word
from wordvec.search.settings import Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.search.ranking import Floats
    from wordvec.tables.table import VectorTable


class Pair(NamedTuple):
    """Two words as displayed, and their score."""

    word: str
    other: str
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class Similarities(Result[Pair]):
    """The score of every pair of some words: scores[i][j] between words i and j.

    Iterates over the pairs: (word, other, score), each pair once.
    """

    _listed: ClassVar = "pairs"

    table: TableDescription
    metric: Metric
    words: tuple[ResolvedWord, ...]
    scores: tuple[tuple[float, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[Pair]:
        """Every pair once."""
        return [
            Pair(one.token, other.token, self.scores[i][j])
            for (i, one), (j, other) in combinations(enumerate(self.words), 2)
        ]

    def _header_fields(self) -> list[str]:
        how = [METRIC_NAMES[self.metric], transforms_field(self.table.transforms)]
        return [*table_fields(self.table), *how]

    def _blocks(self) -> list[TextTable]:
        columns = [Column(""), *number_columns(*(word.token for word in self.words))]
        rows = [
            [
                Cell(word.token),
                *(
                    Cell(number(score), "dim" if i == j else None)
                    for j, score in enumerate(self.scores[i])
                ),
            ]
            for i, word in enumerate(self.words)
        ]
        words = [Column("token", shrinks=True), Column("other", shrinks=True)]
        pairs = TextTable(
            [*words, *number_columns(self.metric.score_name)],
            [[one, other, number(score)] for one, other, score in self],
        )
        return [TextTable(columns, rows, narrow=(pairs,))]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        yield ["token", "id", "other", "other_id", self.metric.score_name]
        for (one, other), pair in zip(combinations(self.words, 2), self.pairs, strict=True):
            yield [one.token, one.id, other.token, other.id, pair.score]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        scores = "distances" if self.metric.smaller_is_nearer else "similarities"
        return {
            "table": self.table.to_dict(),
            "metric": self.metric.value,
            "transforms": list(self.table.transforms),
            "words": [word.to_dict() for word in self.words],
            scores: [list(row) for row in self.scores],
        }


def similar(
    table: VectorTable,
    words: Sequence[str | int],
    *,
    metric: Metric | str = Metric.COSINE,
    pieces: bool = False,
) -> Similarities:
    """Score every pair of words in float64.

    Args:
        words: as typed, as `#id`, or as ids.
        metric: "cosine", "l2" or "dot".
        pieces: replace an unknown word by the mean of its pieces.

    Raises:
        UsageError: for another metric.
        WordvecError: for a token that is not in the vocabulary, or has no usable vector.
    """
    metric = as_choice(Metric, metric, "metric")
    if metric is Metric.CSLS:
        raise UsageError("pairs are scored by cosine, l2 or dot, not by csls")
    found, vectors = word_vectors(table, words, direction=metric is Metric.COSINE, pieces=pieces)
    return Similarities(
        TableDescription.of(table),
        metric,
        found,
        tuple(tuple(score_rows(vectors, vector, metric).tolist()) for vector in vectors),
        tuple(word.note for word in found if word.note),
    )


def word_vectors(
    table: VectorTable, words: Sequence[str | int], *, direction: bool, pieces: bool
) -> tuple[tuple[ResolvedWord, ...], Floats]:
    """Look up words; return them and their vectors, (T, D) float64.

    direction: whether a zero vector is an error too.
    """
    found = tuple(resolve_word(word, table.vocabulary, pieces=pieces) for word in words)
    vectors = np.empty((len(found), table.dimensions))
    for i, word in enumerate(found):
        rows = list(word.ids)
        finite = np.isfinite(table.norms[rows]).all()
        if finite:
            vectors[i] = table.vectors[rows].astype(np.float64).mean(axis=0)
        if not finite or (direction and not vectors[i].any()):
            problem = "is zero: it has no direction" if finite else "is not finite"
            place = "" if word.id is None else f" (#{word.id})"
            raise WordvecError(f"the vector of {word.token}{place} {problem}")
    return found, vectors
