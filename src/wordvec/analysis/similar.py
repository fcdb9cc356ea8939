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
from wordvec.search.engine import Engine
from wordvec.search.resolve import resolve_token
from wordvec.search.settings import Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.search.ranking import Floats
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Token:
    """A token as displayed, and its row."""

    token: str
    id: int


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
    words: tuple[Token, ...]
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
            "words": [{"token": word.token, "id": word.id} for word in self.words],
            scores: [list(row) for row in self.scores],
        }


def similar(
    table: VectorTable, tokens: Sequence[str | int], *, metric: Metric | str = Metric.COSINE
) -> Similarities:
    """Score every pair of tokens in float64.

    Args:
        tokens: as typed, as `#id`, or as ids.
        metric: "cosine", "l2" or "dot".

    Raises:
        UsageError: for another metric.
        WordvecError: for a token that is not in the vocabulary, or has no usable vector.
    """
    metric = as_choice(Metric, metric, "metric")
    if metric is Metric.CSLS:
        raise UsageError("pairs are scored by cosine, l2 or dot, not by csls")
    words, rows, notes = find_tokens(table, tokens, direction=metric is Metric.COSINE)
    engine = Engine(table)
    ids = np.array([word.id for word in words], dtype=np.int64)
    scores = np.array([engine.scores(row, ids, metric=metric) for row in rows])
    return Similarities(
        TableDescription.of(table),
        metric,
        words,
        tuple(tuple(row) for row in scores.reshape(len(words), len(words)).tolist()),
        notes,
    )


def find_tokens(
    table: VectorTable, tokens: Sequence[str | int], *, direction: bool
) -> tuple[tuple[Token, ...], Floats, tuple[str, ...]]:
    """Look up tokens; return them, their rows (T, D) float64, and notes on how they were read.

    direction: whether a zero vector is an error too.
    """
    found = [resolve_token(token, table.vocabulary) for token in tokens]
    words = tuple(Token(table.vocabulary.display(row), row) for row, _ in found)
    for word in words:
        length = float(table.norms[word.id])
        if not np.isfinite(length) or (direction and not length):
            problem = "is zero: it has no direction" if length == 0 else "is not finite"
            raise WordvecError(f"the vector of {word.token} (#{word.id}) {problem}")
    rows = table.vectors[[word.id for word in words]].astype(np.float64)
    return words, rows, tuple(note for _, note in found if note)
