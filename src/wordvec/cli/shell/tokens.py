"""The tokens that start with the word before the cursor: prefix search over the vocabulary."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from wordvec.errors import ExpressionError
from wordvec.expression.lexer import Kind, Token, spell, tokenize
from wordvec.text import escape_controls, nfkc
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.vocabulary.lookup import Vocabulary

MAX_TOKENS = 100  # no menu shows more

_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class PartialWord:
    """The word before the cursor: its text so far, and the column where it starts."""

    text: str
    start: int


def partial_word(before_cursor: str) -> PartialWord | None:
    """Find the word that is being typed, with the tokenizer of the grammar.

    >>> partial_word("王 - 女"), partial_word('王 - "C+'), partial_word("王 - ")
    (PartialWord(text='女', start=4), PartialWord(text='C+', start=4), None)
    """
    for closing in ("", '"', "」", "』"):  # close an open quote; in a sentence, no token is typed
        try:
            *_, last, end = [Token(Kind.END, "", -1, -1), *tokenize(before_cursor + closing)]
        except ExpressionError:
            continue
        if last.kind is Kind.WORD and last.end == end.start and last.text:
            return PartialWord(last.text, last.start)
        return None
    return None


class TokenIndex:
    """The tokens of a vocabulary, sorted for prefix search.

    `##` and `▁` are part of the prefix; a token that starts with `▁` or `Ġ` is also found without.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        entries = sorted(_keys(vocabulary))
        self._keys = [key for key, _ in entries]
        self._ids = [id_ for _, id_ in entries]

    def words(self, prefix: str, limit: int = MAX_TOKENS) -> list[str]:
        """Return tokens that start with a prefix, spelled for an expression, lowest ids first.

        If there are none, the prefix is normalised as the vocabulary is: to half-width, and to
        lower case if the tokenizer of the model does so.
        """
        for variant in self._variants(prefix):
            ids = self._ids_with(variant, limit)
            if ids:
                words = [self._word(id_, variant) for id_ in ids]
                # a token that cannot be shown is written by its id
                return [
                    spell(word) if escape_controls(word) == word else f"#{id_}"
                    for id_, word in zip(ids, words, strict=True)
                    if word is not None
                ]
        return []

    def _variants(self, prefix: str) -> Iterator[str]:
        yield prefix
        yield nfkc(prefix)
        if self.vocabulary.lowercase:
            yield nfkc(prefix).lower()

    def _ids_with(self, prefix: str, limit: int) -> Sequence[int]:
        """Return the lowest ids whose key starts with `prefix`; none for an empty prefix."""
        if not prefix:
            return []
        first = bisect_left(self._keys, prefix)
        last = bisect_left(self._keys, prefix + _LAST_CHARACTER)
        if self.vocabulary.scheme is Scheme.WORDPIECE:
            return nsmallest(limit, self._ids[first:last])
        return nsmallest(limit, set(self._ids[first:last]))  # two keys may have the same id

    def _word(self, id_: int, prefix: str) -> str | None:
        """Return the spelling that means this token and no other, or None if there is none.

        It has the mark (`##`, `▁`) if the prefix has it, else not, if possible.
        """
        spellings = [self.vocabulary.surface(id_), self.vocabulary.display(id_)]
        for text in sorted(spellings, key=lambda text: not text.startswith(prefix)):
            match = self.vocabulary.find(text)
            if match is not None and match.id == id_:
                return text
        return None


def _keys(vocabulary: Vocabulary) -> Iterator[tuple[str, int]]:
    """Yield each token as it may be typed, with its id."""
    if vocabulary.scheme is Scheme.WORDPIECE:  # typed as it is displayed
        yield from zip(vocabulary.tokens, range(len(vocabulary)), strict=True)
        return
    for id_ in range(len(vocabulary)):
        display, surface = vocabulary.display(id_), vocabulary.surface(id_)
        yield display, id_
        if surface != display:
            yield surface, id_
