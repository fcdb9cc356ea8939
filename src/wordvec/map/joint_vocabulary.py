"""One vocabulary for all tables of a map: a token that several tables have is one token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.compare import same_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class JointVocabulary:
    """The tokens of several vocabularies, each once.

    vocabulary: the tokens of the first, then those that only the second has, and so on; spelled as
        the first spells them.
    rows: for each vocabulary, the joint row of each of its rows: (V,) int64, all different.
    """

    vocabulary: Vocabulary
    rows: tuple[NDArray[np.int64], ...]


def join_vocabularies(vocabularies: Sequence[Vocabulary]) -> JointVocabulary:
    """Join vocabularies; tokens are compared by their text, as `wordvec compare` does.

    A token that is rare in one corpus (`Vocabulary.rare`) is not rare in the joint vocabulary.
    """
    joint = replace(vocabularies[0], rare={})
    rows = []
    for vocabulary in vocabularies:
        if vocabulary.tokens == joint.tokens:
            rows.append(np.arange(len(joint), dtype=np.int64))
        else:
            joint, own = _add(joint, vocabulary)
            rows.append(own)
    return JointVocabulary(joint, tuple(rows))


def _add(joint: Vocabulary, other: Vocabulary) -> tuple[Vocabulary, NDArray[np.int64]]:
    """Return the joint vocabulary with the tokens that it lacked, and where it has each token."""
    rows_of = same_tokens(other, joint)
    spell = other.tokens.__getitem__ if other.scheme == joint.scheme else other.display
    own = np.empty(len(other), dtype=np.int64)
    taken: set[int] = set()
    added: list[int] = []  # rows of the other vocabulary
    for row in range(len(other)):
        free = next((found for found in rows_of(row) if found not in taken), None)
        own[row] = len(joint) + len(added) if free is None else free
        taken.add(int(own[row]))
        if free is None:
            added.append(row)
    special = (int(own[row]) for row in added if other.is_special(row))
    tokens = (*joint.tokens, *map(spell, added))
    return replace(joint, tokens=tokens, special_ids=(*joint.special_ids, *special)), own
