"""The occurrences of a word in a corpus, as keyword in context.

Each has the hidden state of the word in its sentence: the tokens nearest to it, and its distance
from the word's own vector in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    Facts,
    TextTable,
    block_lines,
    number,
    number_columns,
    settings_fields,
    table_fields,
)
from wordvec.analysis.result import Result
from wordvec.expression.tree import Term, Word
from wordvec.search.engine import score_rows
from wordvec.search.methods import Question
from wordvec.search.resolve import ResolvedExpression

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.display import Block, OutputStyle
    from wordvec.analysis.query import Neighbour, QueryEngine
    from wordvec.search.ranking import Floats
    from wordvec.search.resolve import ResolvedWord
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.table import TableDescription

_CELLS = 100  # of a line that is not on a terminal
_LEAST = 6  # cells of each side of the word


@dataclass(frozen=True, slots=True)
class Passage:
    """A word in a sentence.

    left, word, right: the text as the model reads it. sentence: as it is in the corpus.
    """

    left: str
    word: str
    right: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A word in a sentence, compared with the table.

    score: its distance from, or similarity to, the word's own vector in the table.
    neighbours: the tokens nearest to it, without those of the word.
    """

    passage: Passage
    score: float
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Contexts(Result[Occurrence]):
    """The occurrences of a word in a corpus. Iterates over those that are listed.

    found: how many there are; None if the corpus was not read to its end. computed: how many were
    compared. resultant: the mean resultant length of their vectors: 1 if all have one direction.
    """

    _listed: ClassVar = "occurrences"

    word: ResolvedWord
    table: TableDescription
    settings: QuerySettings
    occurrences: tuple[Occurrence, ...]
    found: int | None
    computed: int
    resultant: float
    notes: tuple[str, ...] = ()

    @property
    def _title(self) -> str:
        return self.word.token

    def _header_fields(self) -> list[str]:
        return [*table_fields(self.table), *settings_fields(self.settings)]

    def body_lines(self, style: OutputStyle) -> list[str]:
        """Return the lines below the header, the words below one another."""
        return block_lines(self._title, self._blocks_of(style.cells or _CELLS), style)

    def _blocks(self) -> list[Block]:
        return self._blocks_of(_CELLS)

    def _blocks_of(self, cells: int) -> list[Block]:
        score_name = self.settings.ranking_metric.score_name
        columns = [
            *number_columns(score_name, ""),
            Column(""),
            Column(""),
            Column("nearest", shrinks=True),
        ]
        words = [one_line(one.passage.word) for one in self.occurrences]
        left = cells - len(score_name) - max(map(text.width, words), default=0) - 8
        side = max(_LEAST, left * 3 // 10)
        rows: list[list[Cell | str]] = [
            [
                number(one.score),
                text.clip_start(one_line(one.passage.left), side),
                Cell(word, "bold"),
                text.clip(one_line(one.passage.right), side),
                " ".join(neighbour.token for neighbour in one.neighbours),
            ]
            for one, word in zip(self.occurrences, words, strict=True)
        ]
        return [TextTable(columns, rows), Facts([self._facts()])]

    def _facts(self) -> list[str]:
        count = f"{len(self.occurrences):,}"
        first = f"the first {count} occurrences"
        shown = first if self.found is None else f"{count} of {self.found:,} occurrences"
        return [shown, f"mean resultant length of {self.computed:,}: {number(self.resultant)}"]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        yield ["token", self.settings.ranking_metric.score_name, "left", "word", "right", "nearest"]
        for one in self.occurrences:
            passage = one.passage
            nearest = " ".join(neighbour.token for neighbour in one.neighbours)
            sides = [passage.left, passage.word, passage.right]
            yield [self.word.token, one.score, *sides, nearest]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        name = self.settings.ranking_metric.score_name
        return {
            **self.word.to_dict(),
            "table": self.table.to_dict(),
            "metric": str(self.settings.ranking_metric),
            "transforms": list(self.settings.all_transforms),
            "found": self.found,
            "computed": self.computed,
            "resultant": self.resultant,
            "occurrences": [
                {
                    name: one.score,
                    "left": one.passage.left,
                    "word": one.passage.word,
                    "right": one.passage.right,
                    "sentence": one.passage.sentence,
                    "neighbours": [
                        {"token": near.token, "id": near.id, name: near.score}
                        for near in one.neighbours
                    ],
                }
                for one in self.occurrences
            ],
        }


def one_line(shown: str) -> str:
    """Return a part of a sentence for a line: white space is one space."""
    spaced = " ".join(shown.split())
    before = " " if shown[:1].isspace() else ""
    return text.escape_controls(f"{before}{spaced}{' ' if shown[-1:].isspace() else ''}")


def compare_occurrences(  # noqa: PLR0913  # what was found, and how it is listed
    engine: QueryEngine,
    word: ResolvedWord,
    passages: Sequence[Passage],
    vectors: Floats,
    *,
    found: int | None,
    listed: int,
    by_score: bool,
) -> Contexts:
    """Compare occurrences of a word with its vector in the table; find the tokens nearest to each.

    Args:
        engine: of the table; `k` of its settings is the number of nearest tokens, and `exclude`
            leaves those of the word out.
        word: as it was looked up in the table.
        passages: where the word occurs, n of them.
        vectors: (n, D), in the space of the engine.
        found: how many occurrences there are in all; None if the corpus was not read to its end.
        listed: how many to list.
        by_score: list those nearest to the word's own vector, nearest first; else the first ones.
    """
    metric, search = engine.settings.ranking_metric, engine.engine
    own = search.rows(list(word.ids)).mean(axis=0)
    scores = np.array([_score(engine, own, vector) for vector in vectors])
    order = np.arange(len(vectors))
    if by_score:
        order = np.argsort(scores if metric.smaller_is_nearer else -scores, kind="stable")
    order = order[:listed]
    answers = engine.answer([_question(word, vector) for vector in vectors[order]])
    occurrences = tuple(
        Occurrence(passages[i], float(scores[i]), answer.neighbours)
        for i, answer in zip(order.tolist(), answers, strict=True)
    )
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    resultant = float(np.linalg.norm(unit.sum(axis=0)) / max(len(unit), 1))
    return Contexts(
        word,
        engine.description,
        engine.settings,
        occurrences,
        found,
        len(vectors),
        resultant,
        (word.note,) if word.note else (),
    )


def _score(engine: QueryEngine, own: Floats, vector: Floats) -> float:
    return float(score_rows(vector[None], own, engine.settings.ranking_metric)[0])


def _question(word: ResolvedWord, vector: Floats) -> Question:
    term = Term(Word(word.token), 1.0, word.ids, vector)
    return Question(ResolvedExpression(word.token, (term,)), vector[None])
