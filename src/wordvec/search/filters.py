"""Filters: which tokens may be answers, by script, place in a word, pattern or a list of words.

A filter changes the list of answers and never the vectors: means, neighbour graphs and ranks among
all tokens stay the same.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.encoding import read_text
from wordvec.errors import UsageError, as_choice, as_path, check_flag
from wordvec.text import TokenClass, classify, quote, scripts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.search.ranking import Mask
    from wordvec.vocabulary.lookup import Vocabulary


class Only(StrEnum):
    """A kind of token: its script, or its place in a word."""

    KANJI = "kanji"  # one character or more
    HIRAGANA = "hiragana"
    KATAKANA = "katakana"
    JAPANESE = "japanese"  # kanji and kana, also together
    CHINESE = "chinese"  # Chinese characters, which kanji are too, and Bopomofo
    LATIN = "latin"
    ARABIC = "arabic"
    ARMENIAN = "armenian"
    BENGALI = "bengali"
    CYRILLIC = "cyrillic"
    DEVANAGARI = "devanagari"
    ETHIOPIC = "ethiopic"
    GEORGIAN = "georgian"
    GREEK = "greek"
    GUJARATI = "gujarati"
    GURMUKHI = "gurmukhi"
    HANGUL = "hangul"
    HEBREW = "hebrew"
    KANNADA = "kannada"
    KHMER = "khmer"
    LAO = "lao"
    MALAYALAM = "malayalam"
    MONGOLIAN = "mongolian"
    MYANMAR = "myanmar"
    ORIYA = "oriya"
    SINHALA = "sinhala"
    TAMIL = "tamil"
    TELUGU = "telugu"
    THAI = "thai"
    TIBETAN = "tibetan"
    NUMBER = "number"
    WORD = "word"  # can be a word by itself
    SUBWORD = "subword"  # can only continue a word: ##王


_CLASSES = {
    Only.KANJI: {TokenClass.KANJI, TokenClass.KANJI_WORD},
    Only.HIRAGANA: {TokenClass.HIRAGANA},
    Only.KATAKANA: {TokenClass.KATAKANA},
    Only.LATIN: {TokenClass.LATIN},
    Only.NUMBER: {TokenClass.NUMBER},
}
_SCRIPTS = {  # the scripts of all letters; the other kinds are a script of the same name
    Only.JAPANESE: {"han", "hiragana", "katakana"},
    Only.CHINESE: {"han", "bopomofo"},
}
_UNUSED = re.compile(r"\[unused_?\d+\]|<unused_?\d+>")  # rows that training left as they began


@dataclass(frozen=True, slots=True)
class Filters:
    r"""Which tokens may be answers; a token must pass every filter that is set.

    only: kinds of tokens, such as "kanji" or ["kanji", "katakana"]. A token must have one of the
        scripts named, and be one of `word` and `subword` if these are named. `##王` is kanji;
        `japanese` is kanji and kana, also in one token (行う). A special token ([CLS]) has no kind.
    match: a regular expression that occurs in the token as it is displayed (`^##`).
    vocab: a file of words, one per line; only the tokens that they name pass.
    no_special: leave out [CLS] and other special tokens, and the unused ones ([unused1]).

    Raises:
        UsageError: for an unknown kind, or a pattern that is not a regular expression.
    """

    only: tuple[Only, ...] = ()
    match: str | None = None
    vocab: Path | None = None
    no_special: bool = False

    def __post_init__(self) -> None:
        only = self.only.split(",") if isinstance(self.only, str) else self.only
        if not isinstance(only, Iterable):
            raise UsageError(f"expected only to be a list of kinds of tokens, got {quote(only)}")
        kinds = tuple(as_choice(Only, kind, "kind of token") for kind in only)
        object.__setattr__(self, "only", kinds)  # the dataclass is frozen
        check_flag(self.no_special, "no_special")
        if self.vocab is not None:
            object.__setattr__(self, "vocab", as_path(self.vocab, "vocab"))
        if self.match is not None:
            if not isinstance(self.match, str):
                raise UsageError(f"expected match to be text, got {quote(self.match)}")
            try:
                _compile(self.match)
            except (re.error, ValueError, OverflowError, RecursionError) as error:
                reason = error if isinstance(error, re.error) else "it is too large"
                raise UsageError(
                    f"match={quote(self.match)} is not a regular expression: {reason}"
                ) from error

    def __bool__(self) -> bool:
        return self != Filters()

    def facts(self) -> list[str]:
        """Return what a header line says about the filters."""
        return [
            *([f"only {' '.join(self.only)}"] if self.only else []),
            *([f"matching {self.match}"] if self.match is not None else []),
            *([f"in {self.vocab.name}"] if self.vocab is not None else []),
            *(["no special tokens"] if self.no_special else []),
        ]

    def to_dict(self) -> dict[str, object]:
        """Return the filters as JSON values."""
        return {
            "only": [kind.value for kind in self.only],
            "match": self.match,
            "vocab": None if self.vocab is None else str(self.vocab),
            "no_special": self.no_special,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """The tokens that pass.

    mask: (V,) bool. notes: what the reader of an answer should know. to_drop: if no token passes,
    the filters without which some would, as few as possible.
    """

    mask: Mask
    notes: tuple[str, ...] = ()
    to_drop: str = ""


def candidates(vocabulary: Vocabulary, filters: Filters) -> Passed | None:
    """Return which tokens pass the filters, or None if no filter is set."""
    if not filters:
        return None
    import numpy as np

    masks: dict[str, Mask] = {}  # each filter, as it is written in Python → what passes it
    notes: tuple[str, ...] = ()
    ordinary = np.ones(len(vocabulary), dtype=bool)
    ordinary[list(vocabulary.special_ids)] = False
    ordinary[_unused(vocabulary)] = False
    if filters.only:
        kinds = [kind.value for kind in filters.only]
        written = f"only={kinds if len(kinds) > 1 else kinds[0]!r}"
        masks[written] = ordinary & _of_kinds(vocabulary, frozenset(filters.only))
    if filters.match is not None:
        found = _compile(filters.match).search
        matched = [found(shown) is not None for shown in _shown(vocabulary)]
        masks[f"match={filters.match!r}"] = np.array(matched, dtype=bool)
    if filters.vocab is not None:
        masks[f"vocab={str(filters.vocab)!r}"], notes = _listed(vocabulary, filters.vocab)
    if filters.no_special:
        masks["no_special=True"] = ordinary
    mask: Mask = np.logical_and.reduce(list(masks.values()))
    return Passed(mask, notes, "" if mask.any() else _to_drop(masks))


def _compile(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # re warns of patterns that may mean more one day
        return re.compile(pattern)


def _to_drop(masks: Mapping[str, Mask]) -> str:
    """Name the filters without which some token passes, as few of them as possible."""
    import numpy as np

    for size in range(1, len(masks)):
        enough = [
            " and ".join(names)
            for names in combinations(masks, size)
            if np.logical_and.reduce([masks[name] for name in masks if name not in names]).any()
        ]
        if enough:
            return " or ".join(enough)
    return " and ".join(masks)


@lru_cache(maxsize=4)  # 32,000 tokens take 0.1 s, and the shell repeats filters
def _of_kinds(vocabulary: Vocabulary, kinds: frozenset[Only]) -> Mask:
    import numpy as np

    mask = np.ones(len(vocabulary), dtype=bool)
    places = kinds & {Only.WORD, Only.SUBWORD}
    if len(places) == 1:
        subword = [vocabulary.is_subword(row) for row in range(len(vocabulary))]
        mask &= np.array(subword, dtype=bool) == (Only.SUBWORD in places)
    written = kinds - {Only.WORD, Only.SUBWORD}
    if written:
        for row in np.flatnonzero(mask).tolist():
            mask[row] = _is_written_in(vocabulary.surface(row), written)
    return mask


def _is_written_in(surface: str, kinds: frozenset[Only]) -> bool:
    """Return whether a token has one of some scripts; a number counts as a script."""
    named = kinds & _CLASSES.keys()
    token_class = classify(surface) if named else None
    if any(token_class in _CLASSES[kind] for kind in named):
        return True
    others = kinds - _CLASSES.keys()
    found = scripts(surface) if others else frozenset()
    return bool(found) and any(found <= _SCRIPTS.get(kind, {kind.value}) for kind in others)


def _unused(vocabulary: Vocabulary) -> list[int]:
    """Return the rows of tokens such as [unused1], which no text contains."""
    return [row for row, token in enumerate(vocabulary.tokens) if _UNUSED.fullmatch(token)]


@lru_cache(maxsize=4)
def _shown(vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(vocabulary.display(row) for row in range(len(vocabulary)))


def _listed(vocabulary: Vocabulary, path: Path) -> tuple[Mask, tuple[str, ...]]:
    """Return which tokens a file of words names, and a note on words that are not tokens."""
    import numpy as np

    mask = np.zeros(len(vocabulary), dtype=bool)
    lines = read_text(path, "vocab").split("\n")
    words = dict.fromkeys(line.strip() for line in lines if line.strip())
    found = [vocabulary.find(word) for word in words]
    mask[[token.id for token in found if token is not None]] = True
    unknown = found.count(None)
    note = f"{unknown:,} of the {len(words):,} words in {path.name} are not in this vocabulary"
    return mask, (note,) if unknown else ()


@lru_cache(maxsize=4)
def same_surface(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Return for each row the lowest row with the same text without `##`, `▁` or `Ġ`: (V,) int64.

    A special token has the same surface as no other.
    """
    import numpy as np

    first: dict[str, int] = {}
    special = set(vocabulary.special_ids)
    return np.array(
        [
            row if row in special else first.setdefault(vocabulary.surface(row), row)
            for row in range(len(vocabulary))
        ],
        dtype=np.int64,
    )
