"""The similarity of every pair of some words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError, WordvecError, as_choice
from wordvec.search.engine import Engine
from wordvec.search.resolve import resolve_token
from wordvec.search.settings import Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.search.ranking import Floats
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Token:
    """A token as displayed, and its row."""

    token: str
    id: int


@dataclass(frozen=True, slots=True)
class Similarities:
    """The score of every pair of some words: scores[i][j] between words i and j."""

    table: TableDescription
    metric: Metric
    words: tuple[Token, ...]
    scores: tuple[tuple[float, ...], ...]
    notes: tuple[str, ...] = ()

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
