"""Hints for a word that is not in a vocabulary: the tokens that were probably meant.

Tokens that differ only in case, in their mark (`▁`, `Ġ`, `##`, `</w>`) or in the form of a kanji
(經 for 経) come first, then those that are spelled most alike. All tokens are compared by their
letters, in one pass over an array; only a shortlist is compared in full.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from wordvec.text import nfkc
from wordvec.vocabulary import spelling

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.spelling import Scheme

_SHORTLIST = 60  # tokens that share the most letters, which are compared in full
_MOST_COMPARED = 100  # characters of a word that are compared
# The ratio of difflib, below which a hint says nothing. Latin words share letters by chance.
_LEAST_ALIKE, _LEAST_ALIKE_LATIN = 0.5, 0.7

_MARK = re.compile("^(?:##|▁|Ġ)|</w>$")
_HAN = re.compile("[\u2e80-\u2fdf\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def closest(
    word: str, tokens: tuple[str, ...], scheme: Scheme, special: Collection[int], n: int = 3
) -> list[str]:
    """Return up to n tokens spelled most like `word`, as displayed, the closest first.

    A single letter is no hint for a longer word, unless it is one of its kanji; these come last.
    special: the rows of the special tokens, which are left out.
    """
    target = _fold(_MARK.sub("", word, count=1))[:_MOST_COMPARED]
    if not target:
        return []
    hints = [
        _Hint(row, spelling.surface(tokens[row], scheme), tokens[row])
        for row in _shortlist(target, tokens, scheme, special)
    ]
    ranked = sorted(filter(None, (_rank(hint, target, scheme) for hint in hints)))
    shown = (spelling.display(tokens[row], scheme) for *_, row in ranked)
    return list(dict.fromkeys(shown))[:n]


@dataclass(frozen=True, slots=True)
class _Hint:
    row: int
    surface: str
    token: str


_Rank = tuple[bool, bool, float, bool, int]


def _rank(hint: _Hint, target: str, scheme: Scheme) -> _Rank | None:
    """Return what hints are sorted by, or None for a token that is too different."""
    from difflib import SequenceMatcher  # only for unknown words

    folded = _fold(hint.surface)
    matcher = SequenceMatcher(a=folded[: 2 * _MOST_COMPARED], b=target, autojunk=False)
    likeness = matcher.ratio()
    is_letter = len(folded) == 1 < len(target)
    if is_letter and not (folded in target and _HAN.match(folded)):
        return None
    least = _LEAST_ALIKE_LATIN if target.isascii() else _LEAST_ALIKE
    if likeness < least and not is_letter:
        return None
    continues = spelling.continues_word(hint.token, scheme)
    return (folded != target, is_letter, -likeness, continues, hint.row)


def _fold(text: str) -> str:
    """Return a text in lower case, with the new forms of its kanji."""
    plain = nfkc(text).lower()
    return plain.translate(_new_forms()) if _HAN.search(plain) else plain


# --- letters in common ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Letters:
    """All letters of a vocabulary, one token after the other.

    codes: (N,) uint32 code points without the marks, a 0 after each token. rows: (N,) the token of
    each letter. lengths: (V,) letters of each token without its mark.
    """

    codes: NDArray[np.uint32]
    rows: NDArray[np.int32]
    lengths: NDArray[np.int64]


@lru_cache(maxsize=1)  # a file of expressions can have thousands of unknown words
def _letters(tokens: tuple[str, ...], scheme: Scheme) -> _Letters:
    import numpy as np  # the command line starts without numpy

    stems = [spelling.without_mark(token, scheme) for token in tokens]
    text = "\0".join((*stems, ""))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.fromiter(map(len, stems), dtype=np.int64, count=len(stems))
    rows = np.repeat(np.arange(len(stems), dtype=np.int32), lengths + 1)
    return _Letters(codes, rows, lengths)


def _shortlist(
    target: str, tokens: tuple[str, ...], scheme: Scheme, special: Collection[int]
) -> list[int]:
    """Return the rows that share the most letters with a folded word, and all of equal letters."""
    import numpy as np

    letters = _letters(tokens, scheme)
    shared = np.zeros(len(tokens))
    most = 0
    for letter in dict.fromkeys(target):
        present = np.zeros(len(tokens), dtype=bool)
        for form in _forms(letter):
            present[letters.rows[_places(letters.codes, spelling.spell(form, scheme))]] = True
        weight = len(spelling.spell(letter, scheme))  # a kanji is three letters in bytes
        shared += weight * present
        most += weight
    shared[list(special)] = 0
    length = len(spelling.spell(target, scheme))
    alike = (shared == most) & (np.abs(letters.lengths - length) <= 1)
    score = shared / (most + letters.lengths)
    least = np.partition(score, -_SHORTLIST)[-_SHORTLIST] if len(score) > _SHORTLIST else 0
    best = np.flatnonzero((score >= least) & (score > 0))
    best = best[np.argsort(-score[best], kind="stable")][:_SHORTLIST]
    return [*np.flatnonzero(alike).tolist(), *(row for row in best.tolist() if not alike[row])]


def _places(codes: NDArray[np.uint32], letters: str) -> NDArray[np.int64]:
    """Return where a run of letters begins."""
    import numpy as np

    first, *others = map(ord, letters)
    found = codes == first
    for i, code in enumerate(others, start=1):
        found[:-i] &= codes[i:] == code
    return np.flatnonzero(found[: len(found) - len(others)])


def _forms(letter: str) -> set[str]:
    """Return the forms of a letter that `_fold` makes equal: its cases, or the forms of a kanji."""
    if _HAN.match(letter):
        return {letter, *_old_forms().get(letter, "")}
    return {letter, *(form for form in (letter.upper(), letter.title()) if len(form) == 1)}


# --- forms of kanji ---------------------------------------------------------------------------


@cache
def _new_forms() -> dict[int, str]:
    """Return old form → new form, from the data file."""
    pairs = {}
    text = files("wordvec").joinpath("data", "kanji_forms.tsv").read_text("utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            new, old = line.split("\t")
            pairs.update(dict.fromkeys(map(ord, old), new))
    return pairs


@cache
def _old_forms() -> dict[str, str]:
    """Return new form → all other forms: of the data file, and those that NFKC makes equal."""
    forms: dict[str, str] = {}
    for old, new in _new_forms().items():
        forms[new] = forms.get(new, "") + chr(old)
    for start, end in ((0x2E80, 0x2FE0), (0xF900, 0xFB00), (0x2F800, 0x2FA20)):
        for char in map(chr, range(start, end)):
            new = nfkc(char).translate(_new_forms())
            if new != char and len(new) == 1:
                forms[new] = forms.get(new, "") + char
    return forms
