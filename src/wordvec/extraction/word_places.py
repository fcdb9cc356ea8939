"""Where a word is in a sentence, as tokens of the model.

The text of the tokens is compared, not places in the sentence: the model reads a normalised text,
in which characters may have moved. Text is compared as UTF-8, since a byte-level token can be a
part of a character. Spaces are not compared.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from wordvec.vocabulary.spelling import (
    BYTE_SPACE,
    CONTINUATION,
    WORD_START,
    Scheme,
    is_in_bytes,
    is_spelled_in_bytes,
    is_unspaced,
    marks_end,
    to_bytes,
    without_mark,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.vocabulary.lookup import Vocabulary

_NO_TEXT = b"\0"  # of a special token: no word has it
_BYTE = re.compile("<0x([0-9A-F]{2})>")  # a byte of SentencePiece
_LONGEST = 8  # bytes that have at least one character


def word_places(ids: Sequence[int], word: str, vocabulary: Vocabulary) -> list[range]:
    """Return the places of a word in a sentence, as ranges of `ids`, from left to right.

    A place has whole tokens. In scripts with spaces it also has whole words: king is not in
    kingdom.

    Args:
        ids: the tokens of the sentence.
        word: normalised as the model does.
        vocabulary: of the model.
    """
    scheme = vocabulary.scheme
    target = _without_spaces(without_mark(word, scheme), scheme).encode("utf-8", "replace")
    parts = [token_bytes(id_, vocabulary) for id_ in ids]
    text = b"".join(parts)
    starts = [0, *accumulate(map(len, parts))]  # of each token in the text, and the end
    places: list[range] = []
    at = text.find(target) if target else -1
    while at >= 0:
        place = _tokens_between(starts, at, at + len(target))
        whole = place is not None and not any(
            _is_inside_word(ids, cut, text, starts[cut], vocabulary)
            for cut in (place.start, place.stop)
        )
        if place is not None and whole:
            places.append(place)
        at = text.find(target, at + (len(target) if whole else 1))
    return places


def token_bytes(id_: int, vocabulary: Vocabulary) -> bytes:
    """Return the text of a token in a sentence as UTF-8, without marks and spaces."""
    if vocabulary.is_special(id_):
        return _NO_TEXT
    return b"".join(_bytes_with_spaces(vocabulary.tokens[id_], vocabulary.scheme).split())


def text_of(ids: Sequence[int], vocabulary: Vocabulary) -> str:
    """Return the text of tokens in a sentence, as the model reads it; [UNK] is a word of its own.

    WordPiece does not keep spaces: there is one between words of scripts with spaces.
    """
    text = b""
    for id_ in ids:
        token = vocabulary.tokens[id_]
        part = _bytes_with_spaces(token, vocabulary.scheme)
        if vocabulary.is_special(id_):
            part = token.encode("utf-8", "replace")
        starts_word = vocabulary.scheme is Scheme.WORDPIECE and not token.startswith(CONTINUATION)
        text += b" " + part if starts_word and _are_letters(text, part) else part
    return text.decode("utf-8", "replace")


def _bytes_with_spaces(token: str, scheme: Scheme) -> bytes:
    """Return the text of a token as UTF-8, its mark written as a space."""
    stem = without_mark(token, scheme)
    space = b" " if marks_end(scheme) and stem != token else b""
    if is_in_bytes(scheme):
        spelled = stem if marks_end(scheme) else token
        if is_spelled_in_bytes(spelled):
            return to_bytes(spelled) + space
    if scheme is Scheme.SENTENCEPIECE:
        byte = _BYTE.fullmatch(token)
        if byte:
            return bytes([int(byte[1], 16)])
        stem = token.replace(WORD_START, " ")
    return stem.encode("utf-8", "replace") + space


def _without_spaces(text: str, scheme: Scheme) -> str:
    if scheme is Scheme.SENTENCEPIECE:
        text = text.replace(WORD_START, "")
    return "".join(text.split())


def _tokens_between(starts: Sequence[int], start: int, end: int) -> range | None:
    """Return the tokens from one place in the text to another, or None if these cut a token."""
    if start not in starts or end not in starts:
        return None
    first = max(i for i, place in enumerate(starts) if place == start)  # tokens may be empty
    return range(first, starts.index(end))


def _is_inside_word(
    ids: Sequence[int], cut: int, text: bytes, at: int, vocabulary: Vocabulary
) -> bool:
    """Return whether the tokens before and after a cut are parts of one word."""
    if not 0 < cut < len(ids):
        return False
    before, after = (vocabulary.tokens[ids[i]] for i in (cut - 1, cut))
    match vocabulary.scheme:
        case Scheme.WORDPIECE:
            joined = after.startswith(CONTINUATION)
        case Scheme.SENTENCEPIECE:
            joined = not after.startswith(WORD_START) and before != WORD_START
        case Scheme.BYTE_LEVEL:
            joined = not after.startswith(BYTE_SPACE) and before != BYTE_SPACE
        case Scheme.WORD_END | Scheme.BYTE_WORD_END:
            joined = before == without_mark(before, vocabulary.scheme)
        case _:
            joined = False
    return joined and _are_letters(text[:at], text[at:])


def _are_letters(before: bytes, after: bytes) -> bool:
    """Return whether letters or digits of scripts with spaces are on both sides of a place."""
    sides = (
        before[-_LONGEST:].decode("utf-8", "ignore")[-1:],
        after[:_LONGEST].decode("utf-8", "ignore")[:1],
    )
    return all(char.isalnum() and not is_unspaced(char) for char in sides)
