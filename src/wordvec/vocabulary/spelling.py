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


class Scheme(StrEnum):
    """How a vocabulary distinguishes the start of a word from its continuation."""

    WORDPIECE = "wordpiece"  # ##x continues a word
    SENTENCEPIECE = "sentencepiece"  # ▁x starts a word
    BYTE_LEVEL = "byte-level"  # Ġx starts a word; each byte is written as a letter
    WORDS = "words"  # whole words without marks, as in word2vec


MARKS = {
    Scheme.WORDPIECE: CONTINUATION,
    Scheme.SENTENCEPIECE: WORD_START,
    Scheme.BYTE_LEVEL: BYTE_SPACE,
}
_MIN_MARKED = 0.01  # of the tokens; words of a corpus can start with ## too


def mark(scheme: Scheme) -> str:
    """Return the mark of a scheme: `##`, `▁`, `Ġ`, or the empty text of whole words."""
    return MARKS.get(scheme, "")


def guess_scheme(tokens: Iterable[str]) -> Scheme:
    """Return the scheme whose mark most tokens start with; `WORDS` if hardly any has a mark.

    >>> guess_scheme(["king", "##s"]), guess_scheme(["king", "kings"])
    (<Scheme.WORDPIECE: 'wordpiece'>, <Scheme.WORDS: 'words'>)
    """
    tokens = list(tokens)
    marked = {
        scheme: sum(token.startswith(mark) for token in tokens) for scheme, mark in MARKS.items()
    }
    best = max(marked, key=lambda scheme: marked[scheme])
    return best if marked[best] > _MIN_MARKED * len(tokens) else Scheme.WORDS


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
    return _to_bytes(token).decode("utf-8", "backslashreplace")


def _has_partial_character(token: str) -> bool:
    """Return whether a byte-level token starts or ends inside a character."""
    if not is_spelled_in_bytes(token):
        return False
    try:
        _to_bytes(token).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _to_bytes(token: str) -> bytes:
    values = _letter_bytes()
    return bytes(values[char] for char in token)


def surface(token: str, scheme: Scheme) -> str:
    """Return the text of a token without its mark; a token that is only a mark is kept.

    >>> surface("##王", Scheme.WORDPIECE), surface("▁king", Scheme.SENTENCEPIECE)
    ('王', 'king')
    """
    if scheme is Scheme.WORDPIECE:
        return token.removeprefix(CONTINUATION) or token
    if scheme is Scheme.SENTENCEPIECE:
        return token.removeprefix(WORD_START) or token
    if scheme is Scheme.WORDS:
        return token
    text = read_bytes(token)
    return text.removeprefix(" ") or text


def display(token: str, scheme: Scheme) -> str:
    """Return a token for display: marks kept, bytes decoded, invisible characters escaped.

    A byte-level token keeps `Ġ` for each space at its start: `Ġçİĭ` is shown as `Ġ王`.
    """
    if scheme is not Scheme.BYTE_LEVEL:
        return escape(token)
    text = read_bytes(token)
    rest = text.lstrip(" ")
    return escape(BYTE_SPACE * (len(text) - len(rest)) + rest)


def spell(text: str, scheme: Scheme) -> str:
    """Spell a word, or a token as displayed, as the vocabulary does."""
    if scheme in (Scheme.WORDPIECE, Scheme.WORDS):
        return text
    if scheme is Scheme.SENTENCEPIECE:
        return text.replace(" ", WORD_START)
    rest = text.lstrip(BYTE_SPACE)
    return spell_bytes(" " * (len(text) - len(rest)) + rest)


def spell_word_start(text: str, scheme: Scheme) -> str | None:
    """Spell `text` at the start of a word, or return None where the spelling is the same."""
    if scheme in (Scheme.WORDPIECE, Scheme.WORDS):
        return None
    return (WORD_START if scheme is Scheme.SENTENCEPIECE else BYTE_SPACE) + spell(text, scheme)


def has_mark(text: str, scheme: Scheme) -> bool:
    """Return whether a text, as typed, has the mark of its scheme: `##s`, `▁king`, `Ġking`."""
    mark = MARKS.get(scheme)
    return mark is not None and text.startswith((mark, " "))


def continues_word(token: str, scheme: Scheme) -> bool:
    """Return whether a token occurs only inside a word.

    WordPiece marks such tokens. The other schemes mark the start of a word instead, and only in
    scripts with spaces: in SentencePiece, most words of a Japanese sentence start without `▁`.
    """
    if scheme is Scheme.WORDPIECE:
        return token.startswith(CONTINUATION) and token != CONTINUATION
    if scheme is Scheme.WORDS:
        return False
    if scheme is Scheme.BYTE_LEVEL and _has_partial_character(token):
        return True
    text = token if scheme is Scheme.SENTENCEPIECE else read_bytes(token)
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
