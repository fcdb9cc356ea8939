"""What a token looks like: its width in terminal cells, its class, how to show it safely."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache


class TokenClass(StrEnum):
    """What kind of writing a token is, as the map colours it and filters choose it."""

    SPECIAL = "special"
    SUBWORD = "subword"
    KANJI = "kanji"  # one character
    KANJI_WORD = "kanji-word"
    HIRAGANA = "hiragana"
    KATAKANA = "katakana"
    LATIN = "latin"
    NUMBER = "number"
    OTHER = "other"  # mixed scripts, punctuation, other writing


# 々 〆 ヶ write kanji words though Unicode files them elsewhere; ー lengthens either kana.
_HAN = "\u2e80-\u2fdf々〆〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"  # × and ÷ stand among the letters
_PATTERNS = (
    (TokenClass.NUMBER, r"\d+(?:[.,/:]\d+)*%?"),
    (TokenClass.KANJI, f"[{_HAN}]"),
    (TokenClass.KANJI_WORD, f"[{_HAN}ヶケ]*[{_HAN}][{_HAN}ヶケ]*"),
    (TokenClass.HIRAGANA, "[ぁ-ゟー]*[ぁ-ゟ][ぁ-ゟー]*"),
    (TokenClass.KATAKANA, "[゠-ヿㇰ-ㇿー・]*[ァ-ヺヽヾㇰ-ㇿー][゠-ヿㇰ-ㇿー・]*"),
    (TokenClass.LATIN, f"[{_LATIN}][{_LATIN}'.&-]*"),
)


@cache
def _patterns() -> tuple[tuple[TokenClass, re.Pattern[str]], ...]:
    # compiled when first asked for: 5 ms that most commands need not spend
    return tuple((token_class, re.compile(pattern)) for token_class, pattern in _PATTERNS)


def classify(surface: str, *, subword: bool = False, special: bool = False) -> TokenClass:
    """Say what kind of writing `surface` (a token without its `##` or `▁`) is.

    >>> classify("王").value, classify("女王").value, classify("1999").value
    ('kanji', 'kanji-word', 'number')
    """
    if special:
        return TokenClass.SPECIAL
    if subword:
        return TokenClass.SUBWORD
    normal = nfkc(surface)
    for token_class, pattern in _patterns():
        if pattern.fullmatch(normal):
            return token_class
    return TokenClass.OTHER


def nfkc(text: str) -> str:
    """Unicode's compatibility composition: ｋｉｎｇ → king, ㍿ → 株式会社."""
    return unicodedata.normalize("NFKC", text)


def escape(token: str) -> str:
    r"""Show a token on one line: what a terminal would hide or obey becomes `\\u…`; empty is `""`.

    >>> escape("a\u200bb")
    'a\\u200bb'
    """
    if not token:
        return '""'
    if token.isprintable() and not _BLANK.search(token):  # nearly every token
        return token
    return "".join(char if _is_visible(char) else _code(char) for char in token)


# Letters and marks that draw nothing: joiners, fillers of Hangul, selectors of a variant.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def _is_visible(char: str) -> bool:
    # Cc control, Cf format, Cs surrogate, Co private, Cn unassigned, Z* white space
    hidden = ("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")
    return char == " " or not (unicodedata.category(char) in hidden or _BLANK.match(char))


def _code(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


# Characters whose width is known: ASCII one cell, kana, kanji and full-width forms two.
_PLAIN = re.compile("[ -~\u3000-\u3029ぁ-ゖァ-ヿ\u4e00-\u9fff！-｠]*")


def width(text: str) -> int:
    """Terminal cells that `text` takes: 王 takes two, a combining mark none."""
    if text.isascii():
        return len(text)
    if _PLAIN.fullmatch(text):  # in UTF-8 one byte for a cell, or three for two
        return (len(text) + len(text.encode())) // 2
    from wcwidth import wcswidth  # 40 ms of tables, not needed for plain Japanese

    cells = wcswidth(text)
    return cells if cells >= 0 else len(text)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `cells` terminal cells, on its left if `right`-aligned."""
    space = " " * (cells - width(text))
    return space + text if right else text + space


def clip(text: str, cells: int) -> str:
    """`text` cut to at most `cells` terminal cells, its last one an ellipsis where it was cut."""
    if width(text) <= cells:
        return text
    kept = ""
    for char in text:
        if width(kept + char) >= cells:
            break
        kept += char
    return kept + "…" if cells > 0 else ""
