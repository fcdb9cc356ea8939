r"""How tokens are spelled in formats of one token per line, whose readers split at white space.

A token of a vocabulary may contain spaces or line breaks, or be empty. It is written with escapes,
and import reads them back:

    character that splits a line   `\u` and its four hexadecimal digits: a space is `\u0020`
    the empty token                `\empty`
    a backslash before one of these spellings, so that it is not read as an escape    `\u005c`

Every other character stays as it is, other backslashes too. Thus each list of different tokens has
different spellings, and reading a spelling gives the token back. A token of another program is
changed by import only if it contains such a spelling of a splitting character; that program could
not have written the character itself, and a note counts these tokens.

Which characters split, or cannot be written: ASCII white space and NUL, at which word2vec, fastText
and gensim split; the other line breaks of Python's `str.splitlines`; lone surrogates, which UTF-8
does not have. Invisible characters that split nothing (U+00AD, U+FE0F, U+3000) stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EMPTY = r"\empty"

_BREAKING = "\n-\r\x1c-\x1e\x85\u2028\u2029\ud800-\udfff"  # a line, or UTF-8
_SPLITTING = f"{_BREAKING}\\0\t\x1f "
_CODES = r"0000|0009|000[a-d]|0020|001[c-f]|0085|202[89]|d[89a-f][0-9a-f]{2}|005c"
_MISREAD = rf"\\(?=u(?:{_CODES}))|\A\\(?=empty\Z)"  # a backslash
_TO_ESCAPE = re.compile(rf"[{_SPLITTING}]|{_MISREAD}")
_TO_ESCAPE_IN_LINE = re.compile(rf"[{_BREAKING}]|{_MISREAD}")
_ESCAPE = re.compile(rf"\\u({_CODES})")


def escape_token(token: str) -> str:
    r"""Spell a token without white space.

    >>> escape_token("a b"), escape_token(""), escape_token(r"\u0020"), escape_token(r"\n")
    ('a\\u0020b', '\\empty', '\\u005cu0020', '\\n')
    """
    return _TO_ESCAPE.sub(_code, token) if token else EMPTY


def escape_line(token: str) -> str:
    r"""Spell a token that has a line for itself, and so may be empty or contain spaces.

    >>> escape_line("a b"), escape_line("a\nb")
    ('a b', 'a\\u000ab')
    """
    return _TO_ESCAPE_IN_LINE.sub(_code, token)


def _code(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def unescape_token(spelling: str) -> str:
    r"""Return the token that `escape_token` spelled.

    >>> unescape_token(r"a\u0020b"), unescape_token(r"\u005cu0020"), unescape_token(r"\n")
    ('a b', '\\u0020', '\\n')
    """
    if "\\" not in spelling:
        return spelling
    if spelling == EMPTY:
        return ""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), spelling)


def respelled(tokens: Iterable[str]) -> dict[int, str]:
    """Return the spelling of each token that is not written as it is, by row."""
    spellings = ((row, token, escape_token(token)) for row, token in enumerate(tokens))
    return {row: spelling for row, token, spelling in spellings if spelling != token}
