"""Words in sentences: what the model of a table says about them, at the layer of the table.

This stands above the analysis, which does not know where vectors come from. torch is loaded when
the first sentence is read, and each model once for all tables.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from wordvec.errors import ExpressionError, UsageError, WordvecError, as_choice
from wordvec.expression.lexer import spell
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.tables.name import Mode
from wordvec.tables.store import extract_command
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.analysis.contexts import Contexts, Passage
    from wordvec.analysis.query import QueryEngine
    from wordvec.expression.tree import Sentence, Word
    from wordvec.extraction.corpus import Corpus
    from wordvec.extraction.sentence_model import SentenceModel
    from wordvec.extraction.sentences import SentenceCutter
    from wordvec.extraction.word_search import FoundWord
    from wordvec.search.resolve import SentenceReader, WordInSentence
    from wordvec.search.space import Space
    from wordvec.tables.table import VectorTable

SAMPLE = 1000
"""Occurrences that are compared at most, if they are sorted by distance."""

_CELLS = 60  # of a sentence in a message


class Sort(StrEnum):
    """The order of the occurrences of a word."""

    CORPUS = "corpus"  # as they are in the corpus
    DISTANCE = "distance"  # by distance from the word's vector in the table, nearest first


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
            return replace(found, vector=space.place(found.vector[None])[0])

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

    def passages(
        self, word: str, corpus: Corpus, *, sentences: int | None, progress: Progress = no_progress
    ) -> Iterator[FoundWord]:
        """Yield the occurrences of a word in a corpus; see `find_word`."""
        from wordvec.extraction.word_search import find_word

        if self.table.provenance.mode is Mode.STATIC:
            raise UsageError("static vectors do not depend on sentences", hint='mode="dynamic"')
        if self.imported:
            raise WordvecError(self.imported)
        return find_word(corpus, self.cutter, word, sentences=sentences, progress=progress)

    def vectors(
        self, found: Sequence[FoundWord], progress: Progress = no_progress
    ) -> NDArray[np.float64]:
        """Return the vector of each occurrence at the layer of the table: (n, D)."""
        layer = self.table.provenance.layer
        return self._model.word_states(found, self.vocabulary, layer, progress=progress)

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

    def passage(self, found: FoundWord) -> Passage:
        """Return the text around an occurrence, as the model reads it."""
        from wordvec.analysis.contexts import Passage
        from wordvec.extraction.word_places import text_of

        ids, place = found.ids, found.place
        ends = (place.start, place.stop, len(ids))
        left, with_word, whole = (text_of(ids[:end], self.vocabulary) for end in ends)
        word, right = with_word[len(left) :], whole[len(with_word) :]
        left += " " * (len(word) - len(word.lstrip()))  # in Ġking, it belongs to the token
        return Passage(left, word.lstrip(), right, found.sentence)

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


def find_contexts(  # noqa: PLR0913  # the question, and where it is asked
    context: TableContext,
    engine: QueryEngine,
    word: str | int,
    corpus: Corpus,
    *,
    n: int = 20,
    sort: str = "corpus",
    sentences: int | None = None,
    progress: Progress = no_progress,
    computing: Progress = no_progress,
) -> Contexts:
    """Find occurrences of a word in a corpus, and compare them with its vector in the table.

    Args:
        context: of the table.
        engine: of the same table.
        word: as typed, as `#id` or as an id.
        corpus: what to read.
        n: how many occurrences to list.
        sort: "corpus" for the first ones; "distance" for those nearest to the word's vector in the
            table, of all or of a random sample of 1,000.
        sentences: read only the first ones.
        progress: called with the bytes of the corpus that were read.
        computing: called with numbers of occurrences.

    Raises:
        UsageError: the table is static.
        WordvecError: the word is not in the corpus, or the table has no model.
    """
    from wordvec.analysis.contexts import compare_occurrences
    from wordvec.search.resolve import resolve_word

    by_score = as_choice(Sort, sort, "sort") is Sort.DISTANCE
    resolved = resolve_word(word, context.vocabulary, pieces=True)
    typed = context.vocabulary.surface(resolved.ids[0]) if resolved.id is not None else str(word)
    found = context.passages(typed, corpus, sentences=sentences, progress=progress)
    sample, count = _sample(found, SAMPLE) if by_score else _first(found, n)
    if not sample:
        raise WordvecError(
            f"{escape(typed)} is not in the corpus as a word of the model",
            hint="another word, or a larger corpus",
        )
    vectors = engine.space.place(context.vectors(sample, computing))
    return compare_occurrences(
        engine,
        resolved,
        [context.passage(one) for one in sample],
        vectors,
        found=count,
        listed=n,
        by_score=by_score,
    )


def _first(found: Iterator[FoundWord], n: int) -> tuple[list[FoundWord], int | None]:
    """Return the first n occurrences, and how many there are if there are no more."""
    some = list(islice(found, n + 1))
    return some[:n], len(some) if len(some) <= n else None


def _sample(found: Iterator[FoundWord], size: int) -> tuple[list[FoundWord], int]:
    """Return a random sample of occurrences, and how many there are.

    Reference: Vitter 1985, Random sampling with a reservoir, algorithm R.
    """
    import numpy as np

    generator = np.random.default_rng(0)
    sample: list[FoundWord] = []
    count = 0
    for count, one in enumerate(found, start=1):
        if len(sample) < size:
            sample.append(one)
        elif (place := int(generator.integers(count))) < size:
            sample[place] = one
    return sample, count


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
