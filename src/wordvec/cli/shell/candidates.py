"""Which tokens may be meant by a word begun at the cursor: prefix search over the vocabulary.

Knows no terminal; `terminal` shows what is found here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from wordvec.errors import ExpressionError
from wordvec.expression.lexer import Kind, Token, spell, tokenize
from wordvec.text import nfkc
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.vocabulary.lookup import Vocabulary

MOST = 100
"""Candidates shown at once: ten screens of them help nobody."""

_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class PartialWord:
    """The word that ends at the cursor: what it says so far, and the column that it begins in."""

    text: str
    start: int


def begun_word(before_cursor: str) -> PartialWord | None:
    """Find the word that is being typed, read by the grammar's own tokenizer.

    >>> begun_word("王 - 女"), begun_word('王 - "C+'), begun_word("王 - ")
    (PartialWord(text='女', start=4), PartialWord(text='C+', start=4), None)
    """
    for closing in ("", '"'):  # a quote that is open is closed for the tokenizer
        try:
            *_, last, end = [Token(Kind.END, "", -1, -1), *tokenize(before_cursor + closing)]
        except ExpressionError:
            continue
        if last.kind is Kind.WORD and last.end == end.start and last.text:
            return PartialWord(last.text, last.start)
        return None
    return None


class TokenIndex:
    """The tokens of a vocabulary, sorted as they are typed.

    `##` and `▁` are typed as they stand; a token that begins with `▁` or `Ġ` is found without too.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        entries = sorted(_typed(vocabulary))
        self._keys = [key for key, _ in entries]
        self._ids = [id_ for _, id_ in entries]

    def words(self, prefix: str, most: int = MOST) -> list[str]:
        """Words that begin with `prefix`, spelled for an expression, frequent ones (low id) first.

        A prefix that begins no token is tried as the vocabulary would write it: half-width, and in
        lower case where the model's tokenizer does so.
        """
        for form in self._forms(prefix):
            ids = self._beginning(form, most)
            if ids:
                words = [self._word(id_, form) for id_ in ids]
                return [spell(word) for word in words if word is not None]
        return []

    def _forms(self, prefix: str) -> Iterator[str]:
        yield prefix
        yield nfkc(prefix)
        if self.vocabulary.lowercase:
            yield nfkc(prefix).lower()

    def _beginning(self, prefix: str, most: int) -> Sequence[int]:
        """The lowest ids whose key begins with `prefix`; none for nothing typed."""
        if not prefix:
            return []
        first = bisect_left(self._keys, prefix)
        last = bisect_left(self._keys, prefix + _LAST_CHARACTER)
        if self.vocabulary.scheme is Scheme.WORDPIECE:
            return nsmallest(most, self._ids[first:last])
        return nsmallest(most, set(self._ids[first:last]))  # found with its mark and without

    def _word(self, id_: int, prefix: str) -> str | None:
        """How to type a token so that it is found again, and not its twin; None where none can.

        With its mark (`##`, `▁`) where that was typed, else without if it can be.
        """
        spellings = [self.vocabulary.surface(id_), self.vocabulary.display(id_)]
        for text in sorted(spellings, key=lambda text: not text.startswith(prefix)):
            found = self.vocabulary.find(text)
            if found is not None and found.id == id_:
                return text
        return None


def _typed(vocabulary: Vocabulary) -> Iterator[tuple[str, int]]:
    """Each token as one may begin to type it."""
    if vocabulary.scheme is Scheme.WORDPIECE:  # spelled as it is shown, but for what is invisible
        yield from zip(vocabulary.tokens, range(len(vocabulary)), strict=True)
        return
    for id_ in range(len(vocabulary)):
        shown, surface = vocabulary.display(id_), vocabulary.surface(id_)
        yield shown, id_
        if surface != shown:
            yield surface, id_
