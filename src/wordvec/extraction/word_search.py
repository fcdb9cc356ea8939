"""Finding the occurrences of a word in a corpus, in the order of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from wordvec.extraction.sentences import decode_block, split_sentences
from wordvec.extraction.word_places import word_places
from wordvec.progress import Progress, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.extraction.corpus import Block, Corpus
    from wordvec.extraction.sentences import SentenceCutter


@dataclass(frozen=True, slots=True)
class FoundWord:
    """An occurrence of a word.

    sentence: as it is in the corpus. ids: its tokens, as many as the model reads at once around the
    word. place: those of the word.
    """

    sentence: str
    ids: tuple[int, ...]
    place: range


def find_word(
    corpus: Corpus,
    cutter: SentenceCutter,
    word: str,
    *,
    sentences: int | None = None,
    progress: Progress = no_progress,
) -> Iterator[FoundWord]:
    """Yield each occurrence of a word.

    Args:
        corpus: what to read.
        cutter: of the model.
        word: as typed.
        sentences: read only the first ones.
        progress: called with the bytes of the corpus that were read; the total is 0 if unknown.
    """
    word = cutter.normalize(word)
    letters = "".join(word.replace("▁", "").split())
    for block in _progressing(corpus, progress):
        every = list(islice(split_sentences(decode_block(block)[0]), sentences))
        if sentences is not None:
            sentences -= len(every)
        # Cutting takes longer than this test, which most sentences do not pass.
        some = [one for one in every if letters in "".join(cutter.normalize(one).split())]
        for sentence, ids in zip(some, cutter.ids_of(some), strict=True):
            for place in word_places(ids, word, cutter.vocabulary):
                start = _window(place, len(ids), cutter.max_tokens)
                part = tuple(ids[start : start + cutter.max_tokens])
                yield FoundWord(sentence, part, range(place.start - start, place.stop - start))
        if sentences == 0:
            return


def _progressing(corpus: Corpus, progress: Progress) -> Iterator[Block]:
    for block in corpus.blocks():
        yield block
        progress(block.end, corpus.size or 0)


def _window(place: range, length: int, longest: int) -> int:
    """Return where the part of a sentence begins that has a word in its middle."""
    middle = (place.start + place.stop) // 2
    return max(0, min(middle - longest // 2, length - longest))
