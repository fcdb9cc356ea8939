"""How text looks: the script of a token, its safe form on one line, its width in a terminal."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from enum import StrEnum
from functools import cache


class TokenClass(StrEnum):
    """The script or kind of a token: the map colours by it and filters select by it."""

    SPECIAL = "special"
    SUBWORD = "subword"
    KANJI = "kanji"  # one character
    KANJI_WORD = "kanji-word"
    HIRAGANA = "hiragana"
    KATAKANA = "katakana"
    LATIN = "latin"
    NUMBER = "number"
    OTHER = "other"  # mixed scripts, punctuation, other scripts


# 々 〆 ヶ are written in kanji words, though Unicode has them elsewhere; ー follows either kana.
_HAN = "\u2e80-\u2fdf々〆〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LATIN = "A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ"  # × and ÷ are between the letters
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
    # compiled at the first use: 5 ms that most commands do not need
    return tuple((token_class, re.compile(pattern)) for token_class, pattern in _PATTERNS)


def classify(surface: str, *, subword: bool = False, special: bool = False) -> TokenClass:
    """Return the class of a token from its surface, its text without `##` or `▁`.

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


def scripts(surface: str) -> frozenset[str]:
    """Return the scripts of a word, as Unicode names them; none if it has other signs or digits.

    >>> sorted(scripts("행복")), sorted(scripts("行う")), sorted(scripts("д'Артаньян"))
    (['hangul'], ['han', 'hiragana'], ['cyrillic'])
    """
    found = frozenset(map(_script, nfkc(surface)))
    return frozenset() if "" in found else found - {_ANY_SCRIPT}


_ANY_SCRIPT = "any"  # of a sign that words of every script can have
_SIGNS = frozenset("'’.&-·・\u05f3\u05f4\u200c\u200d")  # the last are of Hebrew, Persian, Hindi
_HAN_NAMES = ("cjk", "ideographic", "kangxi")


@cache
def _script(char: str) -> str:
    """Return the script of a letter or vowel sign: the first word of its name, in lower case."""
    if char in _SIGNS:
        return _ANY_SCRIPT
    name = unicodedata.name(char, "").lower()
    if unicodedata.category(char)[0] not in "LM" and name != "ideographic number zero":
        return ""
    first = name.partition(" ")[0]
    if first in _HAN_NAMES:
        return "han"
    if first in ("combining", "modifier"):  # accents
        return _ANY_SCRIPT
    return first.partition("-")[0]  # ー is KATAKANA-HIRAGANA PROLONGED SOUND MARK


def nfkc(text: str) -> str:
    """Return the compatibility composition of Unicode: ｋｉｎｇ → king, ㍿ → 株式会社."""
    return unicodedata.normalize("NFKC", text)


# Zero-width and variation characters that come along when a word is pasted, and the soft hyphen.
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


def without_invisible(text: str) -> str:
    r"""Return a text without characters that show nothing.

    >>> without_invisible("王\ufe00"), without_invisible("\ufeffking")
    ('王', 'king')
    """
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


def name_change(word: str, form: str) -> str:
    """Name the change that makes `form` of a word, for a note.

    >>> name_change("Ｋｉｎｇ", "King"), name_change("Café", "cafe")
    ('NFKC', 'lower case, without accents')
    """
    visible = without_invisible(word)
    invisible = [f"without U+{ord(char):04X}" for char in dict.fromkeys(_INVISIBLE.findall(word))]
    normal = nfkc(visible)
    changes: tuple[tuple[str, list[str]], ...] = (
        (visible, []),
        (normal, ["NFKC"]),
        (visible.lower(), ["lower case"]),
        (normal.lower(), ["lower case"]),
        (_without_accents(visible), ["without accents"]),
        (_without_accents(normal), ["without accents"]),
        (_without_accents(normal.lower()), ["lower case", "without accents"]),
    )
    other = ["as the model normalises it"]
    return ", ".join([*invisible, *next((name for text, name in changes if text == form), other)])


def escape(token: str) -> str:
    r"""Write a token on one line: hidden and control characters become `\\u…`; empty is `""`.

    >>> escape("a\u200bb")
    'a\\u200bb'
    """
    if not token:
        return '""'
    if token.isprintable() and not _BLANK.search(token):  # nearly every token
        return token
    return "".join(char if _is_visible(char) else _code(char) for char in token)


# What can move the cursor, change a terminal, or break or reorder a line: C0 and C1, separators of
# lines and paragraphs, marks and overrides of direction, halves of surrogate pairs.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]"
)


def escape_controls(text: str) -> str:
    r"""Write control and bidirectional characters as `\\u…`; everything else stays.

    What is shown in a terminal, on a page or in JSON passes through here.

    >>> escape_controls("a\u202eb\x1b[2J\u3000c")
    'a\\u202eb\\u001b[2J\u3000c'
    """
    return text if text.isprintable() else _CONTROL.sub(lambda found: _code(found[0]), text)


# Characters that draw nothing: joiners, Hangul fillers, variation selectors.
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


# Characters of known width: ASCII takes one cell; kana, kanji and full-width forms take two.
_PLAIN = re.compile("[ -~\u3000-\u3029ぁ-ゖァ-ヿ\u4e00-\u9fff！-｠]*")


def width(text: str) -> int:
    """Return how many terminal cells a text takes: 王 takes two, a combining mark none."""
    if text.isascii():
        return len(text)
    if _PLAIN.fullmatch(text):  # UTF-8 has one byte for one cell, three for two
        return (len(text) + len(text.encode())) // 2
    from wcwidth import wcswidth  # 40 ms of tables, not needed for plain Japanese

    cells = wcswidth(text)
    return cells if cells >= 0 else len(text)


MOST_PER_CELL = 8  # characters: a letter with its marks, or an emoji of several


def clip(text: str, cells: int) -> str:
    """Cut a text to at most `cells` terminal cells, the last one an ellipsis if it was cut.

    It is cut after a few characters per cell too: thousands of combining marks fit one cell.
    """
    if cells <= 0:
        return ""
    size = width(text)
    start = text[: MOST_PER_CELL * max(min(size, cells), 1)]
    if start == text and size <= cells:
        return text
    kept = bisect_left(range(1, len(start)), cells, key=lambda end: width(start[:end]))
    return start[:kept] + "…"


def clip_start(text: str, cells: int) -> str:
    """Cut a text at its start to at most `cells` terminal cells, an ellipsis in place of the cut.

    >>> clip_start("昔、王がいた", 8)
    '…がいた'
    """
    if cells <= 0:
        return ""
    end = text[-MOST_PER_CELL * cells :]
    if end == text and width(text) <= cells:
        return text
    cut = bisect_left(range(len(end)), 1, key=lambda start: width(end[start:]) < cells)
    return "…" + end[cut:]


def wrap(message: str, cells: int | None, *, indent: str = "") -> list[str]:
    """Break a message between words where it is wider than the terminal; a long word stays whole.

    indent: before the lines after the first.

    >>> wrap("Note: 王 is read as 女", 10, indent="  "), wrap("Note: 王", None)
    (['Note: 王', '  is read', '  as 女'], ['Note: 王'])
    """
    lines = [message]
    if cells is not None and width(message) > cells:
        first, *words = re.split(" (?!%)", message)  # 38.1 % is one word
        lines = [first]
        for word in words:
            joined = f"{lines[-1]} {word}"
            if width(joined) <= cells:
                lines[-1] = joined
            else:
                lines.append(f"{indent}{word}")
    return lines


def quote(value: object, cells: int = 60) -> str:
    r"""Write a value for a message: as Python would, on one line, cut to fit.

    >>> quote("王\u200b"), quote("x" * 99, 9)
    ("'王\\u200b'", "'xxxxxxxx…'")
    """
    if isinstance(value, str):
        return escape(repr(clip(value, cells)))
    return clip(escape(repr(value)), cells)
