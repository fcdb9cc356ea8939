"""How near words are to one another: all pairs of some, and the one that does not belong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError, WordvecError
from wordvec.search.engine import Engine
from wordvec.search.resolve import resolve_token
from wordvec.search.settings import Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.search.engine import Floats
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Named:
    """A word in its row. `token` is as people see it."""

    token: str
    id: int


@dataclass(frozen=True, slots=True)
class Similarities:
    """Every pair of some words: scores[i][j] between words i and j."""

    table: TableDescription
    metric: Metric
    words: tuple[Named, ...]
    scores: tuple[tuple[float, ...], ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        scores = "distances" if self.metric is Metric.L2 else "similarities"
        return {
            "table": self.table.to_json(),
            "metric": self.metric.value,
            "transforms": list(self.table.transforms),
            "words": [{"token": word.token, "id": word.id} for word in self.words],
            scores: [list(row) for row in self.scores],
        }


@dataclass(frozen=True, slots=True)
class Belonging:
    """A word, and its cosine similarity to the mean of the others."""

    word: Named
    similarity: float


@dataclass(frozen=True, slots=True)
class OddOne:
    """How well each word belongs; `odd` is the one that does so least (the first, if several)."""

    table: TableDescription
    words: tuple[Belonging, ...]
    odd: Belonging
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "table": self.table.to_json(),
            "transforms": list(self.table.transforms),
            "odd": self.odd.word.token,
            "words": [
                {
                    "token": belonging.word.token,
                    "id": belonging.word.id,
                    "similarity": belonging.similarity,
                    "odd": belonging is self.odd,
                }
                for belonging in self.words
            ],
        }


def similar(
    table: VectorTable, tokens: Sequence[str], *, metric: Metric = Metric.COSINE
) -> Similarities:
    """Score every pair of tokens (as they stand, or `#id`), in float64."""
    if metric is Metric.CSLS:
        raise UsageError("pairs are scored by l2, cosine or dot, not by csls")
    words, rows, notes = _named(table, tokens, direction=metric is Metric.COSINE)
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


def odd(table: VectorTable, tokens: Sequence[str]) -> OddOne:
    """Find the token that does not belong: the one least similar to the mean of the others.

    Every word counts alike, by its vector at length 1.
    """
    if len(tokens) < 3:
        raise UsageError(f"which word does not belong needs three or more, got {len(tokens)}")
    words, rows, notes = _named(table, tokens, direction=True)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    others = unit.sum(axis=0) - unit  # (T, D), each the sum of the rest
    lengths = np.linalg.norm(others, axis=1)
    along = np.einsum("td,td->t", unit, others)
    similarity = np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0)
    belonging = tuple(map(Belonging, words, np.clip(similarity, -1, 1).tolist()))
    least = min(belonging, key=lambda one: one.similarity)
    return OddOne(TableDescription.of(table), belonging, least, notes)


def _named(
    table: VectorTable, tokens: Sequence[str], *, direction: bool
) -> tuple[tuple[Named, ...], Floats, tuple[str, ...]]:
    """Find tokens and their rows, (T, D) float64, with notes on those that were not as typed."""
    found = [resolve_token(token, table.vocabulary) for token in tokens]
    words = tuple(Named(table.vocabulary.display(row), row) for row, _ in found)
    for word in words:
        length = float(table.norms[word.id])
        if not np.isfinite(length) or (direction and not length):
            problem = "is zero: it has no direction" if length == 0 else "is not finite"
            raise WordvecError(f"the vector of {word.token} (#{word.id}) {problem}")
    rows = table.vectors[[word.id for word in words]].astype(np.float64)
    return words, rows, tuple(note for _, note in found if note)
