"""Which tokens may be answers: by writing, by place in a word, by pattern, by a list of words.

A filter changes the list and never the vectors: means, neighbours of neighbours and ranks among
all tokens are what they were.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from wordvec.errors import UsageError, WordvecError
from wordvec.text import TokenClass, classify

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

    Mask = NDArray[np.bool_]


class Only(StrEnum):
    """A kind of token: how it is written, or where in a word it stands."""

    KANJI = "kanji"  # one character or more
    HIRAGANA = "hiragana"
    KATAKANA = "katakana"
    LATIN = "latin"
    NUMBER = "number"
    WORD = "word"  # may stand by itself
    SUBWORD = "subword"  # only goes on with a word: ##王


_WRITTEN = {
    Only.KANJI: {TokenClass.KANJI, TokenClass.KANJI_WORD},
    Only.HIRAGANA: {TokenClass.HIRAGANA},
    Only.KATAKANA: {TokenClass.KATAKANA},
    Only.LATIN: {TokenClass.LATIN},
    Only.NUMBER: {TokenClass.NUMBER},
}


@dataclass(frozen=True, slots=True)
class Filters:
    r"""Which tokens may be answers; a token must pass all that are given.

    only: kinds. Of the ways of writing one must fit, and of `word` and `subword` one: kanji and
    katakana and word are the words in either. `##王` is written in kanji. A special token ([CLS])
    is of no kind.
    match: a regular expression found in the token as it is shown (`^##` begins with ##).
    vocab: a file of words, one a line; the tokens that they name.
    no_special: not [CLS] and the like.
    """

    only: tuple[Only, ...] = ()
    match: str | None = None
    vocab: Path | None = None
    no_special: bool = False

    def __post_init__(self) -> None:
        if self.match is not None:
            try:
                re.compile(self.match)
            except re.error as error:
                raise UsageError(
                    f"--match {self.match!r} is no regular expression: {error}"
                ) from error

    def __bool__(self) -> bool:
        return self != Filters()

    def facts(self) -> list[str]:
        """What a header line says of them."""
        return [
            *([f"only {' '.join(self.only)}"] if self.only else []),
            *([f"matching {self.match}"] if self.match is not None else []),
            *([f"in {self.vocab.name}"] if self.vocab is not None else []),
            *(["no special tokens"] if self.no_special else []),
        ]

    def to_json(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "only": [kind.value for kind in self.only],
            "match": self.match,
            "vocab": None if self.vocab is None else str(self.vocab),
            "no_special": self.no_special,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """The tokens that pass: mask, (V,) bool. notes: what a reader should know of the filters."""

    mask: Mask
    notes: tuple[str, ...] = ()


def candidates(vocabulary: Vocabulary, filters: Filters) -> Passed | None:
    """Which tokens pass the filters; None if there are none to pass."""
    if not filters:
        return None
    import numpy as np

    mask = np.ones(len(vocabulary), dtype=bool)
    notes: tuple[str, ...] = ()
    if filters.no_special or filters.only:
        mask[list(vocabulary.special_ids)] = False
    if filters.only:
        mask &= _of_kinds(vocabulary, frozenset(filters.only))
    if filters.match is not None:
        found = re.compile(filters.match).search
        mask &= np.array([found(shown) is not None for shown in _shown(vocabulary)], dtype=bool)
    if filters.vocab is not None:
        named, notes = _listed(vocabulary, filters.vocab)
        mask &= named
    return Passed(mask, notes)


@lru_cache(maxsize=4)  # 32,000 tokens take 0.1 s, and the shell asks again and again
def _of_kinds(vocabulary: Vocabulary, kinds: frozenset[Only]) -> Mask:
    import numpy as np

    mask = np.ones(len(vocabulary), dtype=bool)
    places = kinds & {Only.WORD, Only.SUBWORD}
    if len(places) == 1:
        subword = [vocabulary.is_subword(row) for row in range(len(vocabulary))]
        mask &= np.array(subword, dtype=bool) == (Only.SUBWORD in places)
    written = kinds - {Only.WORD, Only.SUBWORD}
    if written:
        classes = set().union(*(_WRITTEN[kind] for kind in written))
        for row in np.flatnonzero(mask).tolist():
            mask[row] = classify(vocabulary.surface(row)) in classes
    return mask


@lru_cache(maxsize=4)
def _shown(vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(vocabulary.display(row) for row in range(len(vocabulary)))


def _listed(vocabulary: Vocabulary, path: Path) -> tuple[Mask, tuple[str, ...]]:
    """Which tokens a file of words names, and how many of its words are no tokens."""
    import numpy as np

    mask = np.zeros(len(vocabulary), dtype=bool)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise WordvecError(f"{path} is not UTF-8") from error
    words = dict.fromkeys(line.strip() for line in lines if line.strip())
    found = [vocabulary.find(word) for word in words]
    mask[[token.id for token in found if token is not None]] = True
    unknown = found.count(None)
    note = f"{unknown:,} of the {len(words):,} words in {path.name} are no tokens"
    return mask, (note,) if unknown else ()


def twins(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """For each row the lowest row with the same text once `##`, `▁` or `Ġ` is off: (V,) int64.

    A special token has no twin.
    """
    return _twins(vocabulary)


@lru_cache(maxsize=4)
def _twins(vocabulary: Vocabulary) -> NDArray[np.int64]:
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
