"""Split an expression into tokens (words, ids, operators), and write a word as a token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from wordvec.errors import ExpressionError
from wordvec.text import nfkc


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
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ID = re.compile(r"[#＃][0-9０-９]+")
_ENDS_PLAIN = re.compile(rf"[\s{re.escape(''.join([*_OPERATORS, *_QUOTES, *_BRACKETS, _ESCAPE]))}]")
# A number whose exponent has a sign, as in 1e-3. It is one token only beside a * or /, since
# the sign is an operator: elsewhere, 1e-3 is the token 1e minus the token 3.
_SIGNED_NUMBER = re.compile(
    r"(?:[0-9０-９]+(?:[.．][0-9０-９]*)?|[.．][0-9０-９]+)[eEｅＥ][-+－−＋][0-9０-９]+"
)
_SCALER_FOLLOWS = re.compile(r"\s*[*/＊×／÷]")


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an expression: `start` and `end` count characters of the source.

    `text` is its content: a word without quotes and backslashes, or the digits of an id.
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


def tokenize(source: str) -> list[Token]:
    """Split `source` into tokens; the last one is END."""
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        if source[at].isspace():
            at += 1
            continue
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
    closing = _BRACKETS.get(opening, _QUOTES)
    parts, at = [], start + 1
    while at < len(source) and source[at] not in closing:
        at += source[at] == _ESCAPE
        parts.append(source[at : at + 1])
        at += 1
    if at >= len(source):
        raise ExpressionError(
            "this quote is not closed",
            source=source,
            start=start,
            end=start + 1,
            hint=f'to look up {opening} itself, put it in quotes: "{opening}"'
            if opening in _BRACKETS
            else None,
        )
    return Token(Kind.WORD, "".join(parts), start, at + 1, quoted=True)


def _bare_word(source: str, start: int) -> Token:
    r"""`bare word = { plain character | "\" character }`, `id = "#" digit { digit }`."""
    parts: list[str] = []
    at, escaped = start, False
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
