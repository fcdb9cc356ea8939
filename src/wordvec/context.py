"""Words in sentences: what the model of a table says about them, at the layer of the table.

This stands above the analysis, which does not know where vectors come from. torch is loaded when
the first sentence is read, and each model once for all tables.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from wordvec.errors import ExpressionError, WordvecError
from wordvec.expression.lexer import spell
from wordvec.progress import Notify, ignore_note
from wordvec.tables.name import Mode
from wordvec.tables.store import extract_command
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.expression.tree import Sentence, Word
    from wordvec.extraction.sentence_model import SentenceModel
    from wordvec.extraction.sentences import SentenceCutter
    from wordvec.search.resolve import SentenceReader, WordInSentence
    from wordvec.search.space import Space
    from wordvec.tables.table import VectorTable

_CELLS = 60  # of a sentence in a message


class ContextModels:
    """The models of tables. status: called with what is being loaded."""

    def __init__(self, status: Notify = ignore_note) -> None:
        self._status = status
        self._models: dict[str, SentenceModel] = {}

    def context(self, table: VectorTable) -> TableContext:
        """Return what reads sentences for a table."""
        from wordvec.extraction.sentence_model import SentenceModel  # 60 ms that most do without

        name = table.provenance.model
        if name not in self._models:
            self._models[name] = SentenceModel(name, status=self._status)
        return TableContext(table, self._models[name])

    def reader(self, table: VectorTable, space: Space) -> SentenceReader | None:
        """Return what reads words in sentences for a space of a table; None if it is static.

        table: without transforms. space: the same table with transforms.
        """
        if table.provenance.mode is Mode.STATIC:
            return None

        def read(word: Word, source: str) -> WordInSentence:
            found = self.context(table).word(word, source)
            return replace(found, vector=space.place(found.vector))

        return read


class TableContext:
    """Reads sentences as the model of a table does, at the layer of the table."""

    def __init__(self, table: VectorTable, model: SentenceModel) -> None:
        self.table = table
        self.vocabulary = table.vocabulary
        self._model = model

    @cached_property
    def cutter(self) -> SentenceCutter:
        """What cuts sentences.

        Raises:
            WordvecError: the model has changed since the table was extracted.
        """
        table, now = self.table.provenance, self._model.source.revision
        if table.revision != now:
            raise WordvecError(
                f"{table.name} was extracted from revision {table.revision} of the model, which "
                f"is now {now}",
                hint=f"{extract_command(table.name, parameters=table.parameters)} --force",
            )
        return self._model.cutter(self.vocabulary)

    @property
    def imported(self) -> str | None:
        """Why there is no model, for a message; None if there is one."""
        if self.table.provenance.source == "extract":
            return None
        return f"{self.table.name} was imported: there is no model that reads sentences"

    def word(self, word: Word, source: str) -> WordInSentence:
        """Return the hidden state of a word in its sentence, or the mean of those of its tokens.

        Raises:
            ExpressionError: the word is not in the sentence, or more than once; it marks the word.
        """
        sentence = word.sentence
        if sentence is None:
            raise ValueError(f"{word} has no sentence")
        if self.imported:
            _fail(word, source, self.imported, f"the word alone: {spell(word.text)}")
        from wordvec.extraction.word_places import word_places

        [ids] = self.cutter.ids_of([sentence.text])
        longest = self.cutter.max_tokens
        if len(ids) > longest:
            _fail(
                word,
                source,
                f"the sentence has {len(ids):,} tokens, and the model reads {longest:,}",
                "use a shorter one",
            )
        places = word_places(ids, self.cutter.normalize(word.text), self.vocabulary)
        place = _chosen(places, word, source, sentence, lambda: self._cut_text(ids))
        return self._mean(ids, place, word)

    def states(self, ids: list[int]) -> NDArray[np.float64]:
        """Return the hidden states of a sentence's tokens at the layer of the table: (n, D)."""
        layers = self._model.states(ids, self.vocabulary)
        layer = self.table.provenance.layer
        states = layers[-1 if layer is None else layer]
        if states.shape[1] != self.table.dimensions:
            raise WordvecError(
                f"{self.table.name} has {self.table.dimensions} dimensions, and the model "
                f"computes {states.shape[1]}"
            )
        return states.astype("float64")

    def _mean(self, ids: list[int], place: range, word: Word) -> WordInSentence:
        from wordvec.search.resolve import WordInSentence

        tokens = tuple(ids[i] for i in place)
        vector = self.states(ids)[list(place)].mean(axis=0)
        note = None
        if len(tokens) > 1:
            pieces = " + ".join(map(self.vocabulary.display, tokens))
            note = f"{escape(word.text)} in its sentence is the mean of {pieces}"
        return WordInSentence(tokens, vector, note)

    def _cut_text(self, ids: Sequence[int]) -> str:
        return " ".join(map(self.vocabulary.display, ids))


def _chosen(
    places: Sequence[range], word: Word, source: str, sentence: Sentence, cut: Callable[[], str]
) -> range:
    """Return the place of the word that is meant, or raise ExpressionError."""
    shown, count = escape(word.text), len(places)
    if not count:
        _fail(
            word,
            source,
            f"{shown} is not a word of this sentence",
            f"the model cuts it into: {clip(cut(), _CELLS)}",
        )
    if sentence.occurrence is None and count > 1:
        times = "twice" if count == 2 else f"{count} times"
        each = " or ".join(
            str(replace(word, sentence=replace(sentence, occurrence=i))) for i in (1, 2)
        )
        _fail(word, source, f"{shown} is in this sentence {times}", clip(each, 2 * _CELLS))
    if sentence.occurrence is not None and sentence.occurrence > count:
        times = "once" if count == 1 else f"{count} times"
        _fail(word, source, f"{shown} is in this sentence only {times}", None)
    return places[(sentence.occurrence or 1) - 1]


def _fail(word: Word, source: str, message: str, hint: str | None) -> NoReturn:
    raise ExpressionError(message, source=source, start=word.start, end=word.end, hint=hint)
