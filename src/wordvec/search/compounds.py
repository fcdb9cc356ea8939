"""Hyphenated words: `well-known` is read as a subtraction, and the user may have meant the word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.expression.tree import Expression, Word
    from wordvec.vocabulary.lookup import Vocabulary

_COMPOUND = re.compile(r"(?=.*[A-Za-z]{2})[A-Za-z][A-Za-z0-9']*(?:-[A-Za-z0-9']+)+")
_MOST_PARTS = 6  # of a hyphenated word: jack-in-the-box has four
_LONGEST_RUN = 100  # a longer sum is no text
_MOST_NAMED = 3
_LONGEST = 2000  # characters of an expression that a person typed
_CELLS = 40


def compound_notes(
    expression: Expression, vocabulary: Vocabulary, *, at: int | None = None
) -> list[str]:
    """Return a note for each hyphenated word of an expression that is read as a subtraction.

    It is a word of the vocabulary with a hyphen, or the whole expression if that is letters with
    hyphens between them.

    Args:
        expression: the expression.
        at: only words that contain this place of the source.
    """
    source = expression.source
    if "-" not in source or len(source) > _LONGEST or len(expression.words) < 2:
        return []
    places = list(_known_words(expression, vocabulary))
    whole = source.strip()
    # where a part is unknown, the reading is worth a hint in any case
    if not places and _COMPOUND.fullmatch(whole) and (at is not None or vocabulary.pieces(whole)):
        places = [(source.index(whole), source.index(whole) + len(whole))]
    notes = [
        _note(source[start:end], vocabulary)
        for start, end in places
        if at is None or start <= at < end
    ]
    return list(dict.fromkeys(notes))[:_MOST_NAMED]


def _known_words(expression: Expression, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    """Yield where a hyphenated word of the vocabulary starts and ends, the longest first."""
    source = expression.source
    for parts in _runs(expression):
        if len(parts) > _LONGEST_RUN:
            continue
        done = 0  # the parts before it are in a word
        for first in range(len(parts)):
            for last in range(min(first + _MOST_PARTS, len(parts)) - 1, max(first, done), -1):
                start, end = parts[first].start, parts[last].end
                if first >= done and vocabulary.has(source[start:end]):
                    yield start, end
                    done = last + 1
                    break


def _runs(expression: Expression) -> Iterator[list[Word]]:
    """Yield the words that are joined by hyphens without spaces, two or more at a time."""
    words = [word for word in expression.words if not word.quoted]
    run = words[:1]
    for word in words[1:]:
        if expression.source[run[-1].end : word.start] != "-":
            yield run
            run = []
        run.append(word)
    yield run


def _note(word: str, vocabulary: Vocabulary) -> str:
    parts = word.split("-")
    shown = clip(escape(word), _CELLS)
    read = f"{shown} is read as {clip(escape(' minus '.join(parts)), 2 * _CELLS)}"
    quoted = f'"{shown}" (in a command line \'"{shown}"\')'
    if vocabulary.find(word):
        return f"{read}; for the token {shown}, type {quoted}"
    if vocabulary.pieces(word) is None:
        return f"{read}; this vocabulary has neither the token {shown} nor its pieces"
    return f"{read}; for the mean of the pieces of {shown}, use pieces=True and type {quoted}"
