"""How models spell tokens: the marks of words and their parts, and bytes written as letters."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from wordvec.text import escape

CONTINUES = "##"
BEGINS = "▁"
SPACE = "Ġ"  # the letter that byte-level BPE writes for a space


class Scheme(StrEnum):
    """How a vocabulary tells the beginning of a word from its continuation."""

    WORDPIECE = "wordpiece"  # ##x continues a word
    SENTENCEPIECE = "sentencepiece"  # ▁x begins a word
    BYTE_LEVEL = "byte-level"  # Ġx begins a word; bytes are spelled as letters


@cache
def byte_letters() -> dict[int, str]:
    """Byte → letter, as GPT-2 has it: visible Latin-1 stands for itself, the rest from U+0100 on.

    >>> byte_letters()[ord("A")], byte_letters()[ord(" ")]
    ('A', 'Ġ')
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    letters = {byte: chr(byte) for byte in visible}
    return letters | {byte: chr(0x100 + place) for place, byte in enumerate(hidden)}


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
    """Say whether every character of `token` stands for a byte; added tokens may be plain text."""
    return _letter_bytes().keys() >= set(token)


def read_bytes(token: str) -> str:
    r"""Read letters back as text; what is no whole character shows as `\x…`.

    A token that was never spelled in bytes is returned as it is.
    """
    if not is_spelled_in_bytes(token):
        return token
    return _bytes_of(token).decode("utf-8", "backslashreplace")


def is_fragment(token: str) -> bool:
    """Say whether a byte-level token cuts a character in two."""
    if not is_spelled_in_bytes(token):
        return False
    try:
        _bytes_of(token).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _bytes_of(token: str) -> bytes:
    values = _letter_bytes()
    return bytes(values[char] for char in token)


def surface(token: str, scheme: Scheme) -> str:
    """Give the text of a token without the mark of its place; a mark alone is kept.

    >>> surface("##王", Scheme.WORDPIECE), surface("▁king", Scheme.SENTENCEPIECE)
    ('王', 'king')
    """
    if scheme is Scheme.WORDPIECE:
        return token.removeprefix(CONTINUES) or token
    if scheme is Scheme.SENTENCEPIECE:
        return token.removeprefix(BEGINS) or token
    text = read_bytes(token)
    return text.removeprefix(" ") or text


def display(token: str, scheme: Scheme) -> str:
    """Write a token as people see it, and can type it: marks kept, bytes read, hidden escaped.

    A byte-level token keeps `Ġ` for each space that it begins with: `Ġçİĭ` is shown as `Ġ王`.
    """
    if scheme is not Scheme.BYTE_LEVEL:
        return escape(token)
    text = read_bytes(token)
    rest = text.lstrip(" ")
    return escape(SPACE * (len(text) - len(rest)) + rest)


def retype(text: str, scheme: Scheme) -> str:
    """Spell a typed word, or a displayed token, as the vocabulary does."""
    if scheme is Scheme.WORDPIECE:
        return text
    if scheme is Scheme.SENTENCEPIECE:
        return text.replace(" ", BEGINS)
    rest = text.lstrip(SPACE)
    return spell_bytes(" " * (len(text) - len(rest)) + rest)


def begin(text: str, scheme: Scheme) -> str | None:
    """Spell `text` as the beginning of a word, where that differs from a continuation."""
    if scheme is Scheme.WORDPIECE:
        return None
    return (BEGINS if scheme is Scheme.SENTENCEPIECE else SPACE) + retype(text, scheme)


def continues_word(token: str, scheme: Scheme) -> bool:
    """Say whether a token can only stand inside a word.

    WordPiece marks it. Elsewhere the lack of a beginning's mark says so only in writing that
    parts its words with spaces: in SentencePiece, 王 without `▁` is how most words of a Japanese
    sentence begin.
    """
    if scheme is Scheme.WORDPIECE:
        return token.startswith(CONTINUES) and token != CONTINUES
    if scheme is Scheme.BYTE_LEVEL and is_fragment(token):
        return True
    text = token if scheme is Scheme.SENTENCEPIECE else read_bytes(token)
    return text[:1].isalpha() and not _is_unspaced(text[0])


def _is_unspaced(char: str) -> bool:
    """Say whether `char` belongs to a script that is written without spaces."""
    point = ord(char)
    return (
        0x0E00 <= point < 0x1100  # Thai, Lao, Tibetan, Burmese
        or 0x1780 <= point < 0x1800  # Khmer
        or 0x2E80 <= point < 0xA4D0  # kana, kanji, Yi
        or 0xF900 <= point < 0xFB00  # compatibility kanji
        or 0xFF66 <= point < 0xFFA0  # half-width katakana
        or point >= 0x1B000  # more kana and kanji
    )
