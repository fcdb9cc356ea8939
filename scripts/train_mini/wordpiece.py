"""WordPiece as in BertJapaneseTokenizer after MeCab: the longest piece first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(5)
CONTINUES = "##"
LONGEST_WORD = 100  # characters; a longer word is [UNK], as in transformers


def pieces(word: str, vocabulary: Container[str]) -> list[str]:
    """Cut a word into pieces of the vocabulary; return [UNK] alone if a character is missing.

    >>> pieces("仔猫たち", {"仔", "仔猫", "##猫", "##たち"})
    ['仔猫', '##たち']
    >>> pieces("仔犬", {"仔"})
    ['[UNK]']
    """
    if len(word) > LONGEST_WORD:
        return ["[UNK]"]
    found = []
    start = 0
    while start < len(word):
        piece = longest(word, start, vocabulary)
        if not piece:
            return ["[UNK]"]
        found.append(piece)
        start += len(piece.removeprefix(CONTINUES)) if start else len(piece)
    return found


def longest(word: str, start: int, vocabulary: Container[str]) -> str:
    """Return the longest piece of the vocabulary at `start`, or an empty string."""
    prefix = CONTINUES if start else ""
    for end in range(len(word), start, -1):
        piece = prefix + word[start:end]
        if piece in vocabulary:
            return piece
    return ""
