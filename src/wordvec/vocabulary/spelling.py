"""How models spell tokens: marks for the start of a word or its continuation, bytes as letters."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTINUATION = "##"
WORD_START = "▁"
BYTE_SPACE = "Ġ"  # how byte-level BPE writes a space
WORD_END = "</w>"


class Scheme(StrEnum):
    """How a vocabulary distinguishes the start of a word from its continuation."""

    WORDPIECE = "wordpiece"  # ##x continues a word
    SENTENCEPIECE = "sentencepiece"  # ▁x starts a word
    BYTE_LEVEL = "byte-level"  # Ġx starts a word; each byte is written as a letter
    WORD_END = "word-end"  # x</w> ends a word, as in GPT and XLM
    BYTE_WORD_END = "byte-level-word-end"  # the same; each byte is written as a letter, as in CLIP
    WORDS = "words"  # whole words without marks, as in word2vec


MARKS = {
    Scheme.WORDPIECE: CONTINUATION,
    Scheme.SENTENCEPIECE: WORD_START,
    Scheme.BYTE_LEVEL: BYTE_SPACE,
    Scheme.WORD_END: WORD_END,
    Scheme.BYTE_WORD_END: WORD_END,
}
_IN_BYTES = (Scheme.BYTE_LEVEL, Scheme.BYTE_WORD_END)
_MIN_MARKED = 0.01  # of the tokens; words of a corpus can start with ## too


def mark(scheme: Scheme) -> str:
    """Return the mark of a scheme: `##`, `▁`, `Ġ`, `</w>`, or the empty text of whole words."""
    return MARKS.get(scheme, "")


def marks_end(scheme: Scheme) -> bool:
    """Return whether the mark of a scheme is at the end of a token."""
    return mark(scheme) == WORD_END


def is_in_bytes(scheme: Scheme) -> bool:
    """Return whether a scheme writes each byte as a letter."""
    return scheme in _IN_BYTES


def without_mark(token: str, scheme: Scheme) -> str:
    """Return a token without its mark, in the spelling of the vocabulary.

    >>> without_mark("##s", Scheme.WORDPIECE), without_mark("king</w>", Scheme.WORD_END)
    ('s', 'king')
    """
    if marks_end(scheme):
        return token.removesuffix(WORD_END)
    return token.removeprefix(mark(scheme))


def guess_scheme(tokens: Iterable[str]) -> Scheme:
    """Return the scheme whose mark most tokens have; `WORDS` if hardly any has a mark.

    >>> guess_scheme(["king", "##s"]), guess_scheme(["king", "kings"])
    (<Scheme.WORDPIECE: 'wordpiece'>, <Scheme.WORDS: 'words'>)
    """
    tokens = list(tokens)
    marked = {
        scheme: sum(without_mark(token, scheme) != token for token in tokens) for scheme in MARKS
    }
    best = max(marked, key=lambda scheme: marked[scheme])
    if marked[best] <= _MIN_MARKED * len(tokens):
        return Scheme.WORDS
    if best is Scheme.WORD_END and set(byte_letters().values()) <= set(tokens):
        return Scheme.BYTE_WORD_END
    return best


@cache
def byte_letters() -> dict[int, str]:
    """Return byte → letter as in GPT-2: visible Latin-1 as it is, the rest from U+0100 on.

    >>> byte_letters()[ord("A")], byte_letters()[ord(" ")]
    ('A', 'Ġ')
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    letters = {byte: chr(byte) for byte in visible}
    return letters | {byte: chr(0x100 + index) for index, byte in enumerate(hidden)}


@cache
def _letter_bytes() -> dict[str, int]:
    return {letter: byte for byte, letter in byte_letters().items()}


def spell_bytes(text: str) -> str:
    """Write the UTF-8 bytes of `text` as letters.

    >>> spell_bytes(" 王")
    'Ġçİĭ'
    """
    letters = byte_letters()
    return "".join(letters[byte] for byte in text.encode("utf-8", "surrogatepass"))


def is_spelled_in_bytes(token: str) -> bool:
    """Return whether every character of `token` is the letter of a byte."""
    return _letter_bytes().keys() >= set(token)


def read_bytes(token: str) -> str:
    r"""Decode the letters of a token to text; incomplete characters are shown as `\x…`.

    Added tokens can be plain text; a token that is not spelled in bytes is returned unchanged.
    """
    if not is_spelled_in_bytes(token):
        return token
    return to_bytes(token).decode("utf-8", "backslashreplace")


def _has_partial_character(token: str) -> bool:
    """Return whether a byte-level token starts or ends inside a character."""
    if not is_spelled_in_bytes(token):
        return False
    try:
        to_bytes(token).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def to_bytes(token: str) -> bytes:
    """Return the bytes that the letters of a token stand for."""
    values = _letter_bytes()
    return bytes(values[char] for char in token)


def surface(token: str, scheme: Scheme) -> str:
    """Return the text of a token without its mark; a token that is only a mark is kept.

    >>> surface("##王", Scheme.WORDPIECE), surface("▁king", Scheme.SENTENCEPIECE)
    ('王', 'king')
    """
    if scheme is not Scheme.BYTE_LEVEL:
        stem = without_mark(token, scheme) or token
        return read_bytes(stem) if is_in_bytes(scheme) else stem
    text = read_bytes(token)
    return text.removeprefix(" ") or text


def display(token: str, scheme: Scheme) -> str:
    """Return a token for display: marks kept, bytes decoded, invisible characters escaped.

    A byte-level token keeps `Ġ` for each space at its start: `Ġçİĭ` is shown as `Ġ王`.
    """
    if scheme is Scheme.BYTE_WORD_END:
        stem = without_mark(token, scheme)
        return escape(read_bytes(stem) + token[len(stem) :])
    if scheme is not Scheme.BYTE_LEVEL:
        return escape(token)
    text = read_bytes(token)
    rest = text.lstrip(" ")
    return escape(BYTE_SPACE * (len(text) - len(rest)) + rest)


def spell(text: str, scheme: Scheme) -> str:
    """Spell a word, or a token as displayed, as the vocabulary does."""
    if scheme is Scheme.SENTENCEPIECE:
        return text.replace(" ", WORD_START)
    if scheme is Scheme.BYTE_WORD_END:
        stem = without_mark(text, scheme)
        return spell_bytes(stem) + text[len(stem) :]
    if scheme is not Scheme.BYTE_LEVEL:
        return text
    rest = text.lstrip(BYTE_SPACE)
    return spell_bytes(" " * (len(text) - len(rest)) + rest)


def spell_word(text: str, scheme: Scheme) -> str | None:
    """Spell `text` as a whole word, or return None where the spelling is the same."""
    if scheme in (Scheme.WORDPIECE, Scheme.WORDS):
        return None
    if marks_end(scheme):
        return spell(text, scheme) + WORD_END
    return mark(scheme) + spell(text, scheme)


def has_mark(text: str, scheme: Scheme) -> bool:
    """Return whether a text, as typed, has the mark of its scheme: `##s`, `▁king`, `king</w>`."""
    if marks_end(scheme):
        return text.endswith(WORD_END)
    return scheme in MARKS and text.startswith((mark(scheme), " "))


def continues_word(token: str, scheme: Scheme) -> bool:
    """Return whether a token occurs only inside a word.

    WordPiece marks such tokens. The other schemes mark the start or the end of a word instead, and
    only in scripts with spaces: in SentencePiece, most words of a Japanese sentence start without
    `▁`.
    """
    if scheme is Scheme.WORDPIECE:
        return token.startswith(CONTINUATION) and token != CONTINUATION
    if scheme is Scheme.WORDS or (marks_end(scheme) and token.endswith(WORD_END)):
        return False
    if is_in_bytes(scheme) and _has_partial_character(token):
        return True
    text = read_bytes(token) if is_in_bytes(scheme) else token
    return text[:1].isalpha() and not is_unspaced(text[0])


def is_unspaced(char: str) -> bool:
    """Return whether `char`, one or none, belongs to a script that is written without spaces."""
    point = ord(char or "a")
    return (
        0x0E00 <= point < 0x1100  # Thai, Lao, Tibetan, Burmese
        or 0x1780 <= point < 0x1800  # Khmer
        or 0x2E80 <= point < 0xA4D0  # kana, kanji, Yi
        or 0xF900 <= point < 0xFB00  # compatibility kanji
        or 0xFF66 <= point < 0xFFA0  # half-width katakana
        or point >= 0x1B000  # more kana and kanji
    )
