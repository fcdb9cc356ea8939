"""Split an expression into tokens (words, sentences, ids, operators), and write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from wordvec.errors import ExpressionError
from wordvec.text import nfkc

if TYPE_CHECKING:
    from collections.abc import Collection


class Kind(StrEnum):
    """The kind of a token; the value of an operator is its ASCII form."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    OVER = "/"
    OPEN = "("
    CLOSE = ")"
    COLON = ":"
    COLONS = "::"
    EQUALS = "="
    WORD = "word"
    SENTENCE = "sentence"
    ID = "id"
    END = "end"


SIGNS = (Kind.PLUS, Kind.MINUS)
SCALERS = (Kind.TIMES, Kind.OVER)
LONGEST_ID = 12
"""Digits of an id: more than any vocabulary needs, and Python refuses to read thousands."""
_WIDE_FORMS = dict(zip("＋－−＊×／÷（）：＝", "+--**//():=", strict=True))
_ASCII_OPERATORS = {kind.value: kind for kind in Kind if len(kind) == 1}
_OPERATORS = _ASCII_OPERATORS | {wide: Kind(char) for wide, char in _WIDE_FORMS.items()}
_QUOTES = frozenset('"”“＂')  # any of them closes a word that any of them opens
_BRACKETS = {"「": "」", "『": "』"}  # quotes that open and close; a lone 」 is a letter
_ESCAPE = "\\"
_OPEN_BRACES, _CLOSE_BRACES = "{｛", "}｝"  # around the sentence of a word
_MAY_HAVE_SENTENCE = (Kind.WORD, Kind.SENTENCE, Kind.ID, Kind.CLOSE)
SENTENCE_HINT = "a sentence is in braces after its word, for example 王{王がいた}"
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ID = re.compile(r"[#＃][0-9０-９]+")
_SPECIAL = "".join([*_OPERATORS, *_QUOTES, *_BRACKETS, _ESCAPE, _OPEN_BRACES])
_ENDS_PLAIN = re.compile(rf"[\s{re.escape(_SPECIAL)}]")
_LEADING_BRACES = re.compile(f"[{_OPEN_BRACES}]*")  # letters, where no word is before them
# A number whose exponent has a sign, as in 1e-3. It is one token only beside a * or /, since
# the sign is an operator: elsewhere, 1e-3 is the token 1e minus the token 3.
_SIGNED_NUMBER = re.compile(
    r"(?:[0-9０-９]+(?:[.．][0-9０-９]*)?|[.．][0-9０-９]+)[eEｅＥ][-+－−＋][0-9０-９]+"
)
_SCALER_FOLLOWS = re.compile(r"\s*[*/＊×／÷]")


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an expression: `start` and `end` count characters of the source.

    `text` is its content: a word without quotes and backslashes, a sentence without braces and
    backslashes, or the digits of an id.
    A `quoted` word (a backslash counts) is never a number, an id or the blank of an analogy.
    """

    kind: Kind
    text: str
    start: int
    end: int
    quoted: bool = False

    @property
    def number(self) -> float | None:
        """The value of this token as a coefficient, or None if it is not spelled as a number."""
        return None if self.kind is not Kind.WORD or self.quoted else as_number(self.text)

    @property
    def is_blank(self) -> bool:
        """Whether this token can be the `?` of an analogy."""
        return self.kind is Kind.WORD and not self.quoted and self.text in ("?", "？")


def as_number(text: str) -> float | None:
    """Read digits with at most one point and an exponent, half-width or full-width, as a number.

    >>> as_number("0.5"), as_number("２"), as_number("1e-3"), as_number("王")
    (0.5, 2.0, 0.001, None)
    """
    plain = nfkc(text).replace("−", "-")  # U+2212, which NFKC keeps
    return float(plain) if _NUMBER.fullmatch(plain) else None


def as_id(text: str) -> int | None:
    """Read `#` and digits, half-width or full-width, as an id.

    >>> as_id("#527"), as_id("＃５２７"), as_id("##7")
    (527, 527, None)
    """
    digits = nfkc(text[1:]).lstrip("0") or "0"
    return int(digits) if _ID.fullmatch(text) and len(digits) <= LONGEST_ID else None


def spell(text: str, *, quote_numbers: bool = False) -> str:
    r"""Write a word so that it parses to the same word, in quotes only where they are needed.

    >>> spell("王"), spell("C++"), spell("#12"), spell("")
    ('王', '"C++"', '"#12"', '""')
    """
    bare = text and not _ID.match(text) and not _ENDS_PLAIN.search(text)
    if bare and not (quote_numbers and as_number(text) is not None):
        return text
    inside = "".join(
        _ESCAPE + char if char in _QUOTES or char == _ESCAPE else char for char in text
    )
    return f'"{inside}"'


def spell_sentence(text: str) -> str:
    r"""Write a sentence in braces.

    >>> spell_sentence("a {b}")
    '{a {b\\}}'
    """
    special = (*_CLOSE_BRACES, _ESCAPE)
    return f"{{{''.join(_ESCAPE + char if char in special else char for char in text)}}}"


def tokenize(source: str) -> list[Token]:
    """Split `source` into tokens; the last one is END."""
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        if source[at].isspace():
            at += 1
            continue
        if source[at] in _OPEN_BRACES and tokens and tokens[-1].kind in _MAY_HAVE_SENTENCE:
            token = _sentence(source, at)
        else:
            token = _signed_number(source, at, tokens) or _token(source, at)
        tokens.append(token)
        at = token.end
    return [*tokens, Token(Kind.END, "", len(source), len(source))]


def _signed_number(source: str, start: int, before: list[Token]) -> Token | None:
    """Read a number such as `1e-3`, if it is beside a `*` or `/`."""
    match = _SIGNED_NUMBER.match(source, start)
    if match is None:
        return None
    end = match.end()
    if _SCALER_FOLLOWS.match(source, end) or (
        (before and before[-1].kind in SCALERS)
        and (end == len(source) or _ENDS_PLAIN.match(source, end))
    ):
        return Token(Kind.WORD, match[0], start, end)
    return None


def _token(source: str, start: int) -> Token:
    if source[start] in _QUOTES or source[start] in _BRACKETS:
        return _quoted_word(source, start)
    kind = _OPERATORS.get(source[start])
    if kind is None:
        return _bare_word(source, start)
    if kind is Kind.COLON and _OPERATORS.get(source[start + 1 : start + 2]) is Kind.COLON:
        return Token(Kind.COLONS, source[start : start + 2], start, start + 2)
    return Token(kind, source[start], start, start + 1)


def _quoted_word(source: str, start: int) -> Token:
    r"""`quoted word = quote { character | "\" character } quote`."""
    opening = source[start]
    text, end = _until(_BRACKETS.get(opening, _QUOTES), source, start + 1)
    if end > len(source):
        raise ExpressionError(
            "this quote is not closed",
            source=source,
            start=start,
            end=start + 1,
            hint=f'to look up {opening} itself, put it in quotes: "{opening}"'
            if opening in _BRACKETS
            else None,
        )
    return Token(Kind.WORD, text, start, end, quoted=True)


def _sentence(source: str, start: int) -> Token:
    r"""`sentence = "{" { character | "\" character } "}"`."""
    text, end = _until(_CLOSE_BRACES, source, start + 1)
    unclosed = end > len(source)
    if unclosed or not text.strip():
        raise ExpressionError(
            "this brace is not closed" if unclosed else "this sentence is empty",
            source=source,
            start=start,
            end=start + 1 if unclosed else end,
            hint=SENTENCE_HINT,
        )
    return Token(Kind.SENTENCE, text, start, end)


def _until(closing: Collection[str], source: str, at: int) -> tuple[str, int]:
    """Read text up to a closing character; return it, and the place after that character.

    If there is none, that place is beyond the end of the source.
    """
    parts = []
    while at < len(source) and source[at] not in closing:
        at += source[at] == _ESCAPE
        parts.append(source[at : at + 1])
        at += 1
    return "".join(parts), at + 1


def _bare_word(source: str, start: int) -> Token:
    r"""`bare word = { plain character | "\" character }`, `id = "#" digit { digit }`."""
    at, escaped = _LEADING_BRACES.match(source, start).end(), False  # type: ignore[union-attr]  # matches always
    parts = [source[start:at]]
    while True:
        special = _ENDS_PLAIN.search(source, at)
        end = special.start() if special else len(source)
        parts.append(source[at:end])
        at = end
        if source[at : at + 1] != _ESCAPE:
            break
        if at + 1 == len(source):
            raise ExpressionError(
                f"expected a character after {_ESCAPE}",
                source=source,
                start=at,
                end=at + 1,
            )
        parts.append(source[at + 1])
        at, escaped = at + 2, True
    text = "".join(parts)
    if escaped or not _ID.match(text):
        return Token(Kind.WORD, text, start, at, quoted=escaped)
    if not _ID.fullmatch(text):
        raise ExpressionError(
            "an id is # followed by digits only",
            source=source,
            start=start,
            end=at,
            hint=f"put a word that begins with # and a digit in quotes: {spell(text)}",
        )
    return Token(Kind.ID, nfkc(text[1:]), start, at)
