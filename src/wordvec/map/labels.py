"""Labels for the tokens of a map, from a file: a token, a tab and its label on each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.encoding import read_text
from wordvec.errors import WordvecError
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class TokenLabels:
    """Labels of the tokens of a vocabulary.

    names: the labels, in the order of the file.
    label_of: (V,) int32, an index into `names`; -1 for tokens without a label.
    unknown: words of the file that are not in the vocabulary.
    """

    names: tuple[str, ...]
    label_of: NDArray[np.int32]
    unknown: tuple[str, ...] = ()


def read_labels(file: Path, vocabulary: Vocabulary) -> TokenLabels:
    """Read a file of labels, in UTF-8: on each line a token, a tab and its label.

    A word is looked up as in a query. Of two labels for one token, the later counts. Empty lines
    are skipped.

    Raises:
        WordvecError: for a line without a token, a tab and a label, or a file without a label of
            this vocabulary. EncodingError for a file that is not UTF-8.
    """
    names: dict[str, int] = {}
    label_of = np.full(len(vocabulary), -1, dtype=np.int32)
    unknown = []
    for number, line in enumerate(read_text(file, "labels").split("\n"), 1):
        if not line.strip():
            continue
        word, _, label = (part.strip() for part in line.partition("\t"))
        if not word or not label:
            raise WordvecError(
                f"{file}, line {number}: expected a token, a tab and a label, "
                f"got {clip(escape(line.strip()), 40)}"
            )
        match = vocabulary.find(word)
        if match is None:
            unknown.append(word)
        else:
            label_of[match.id] = names.setdefault(label, len(names))
    if not names:
        raise WordvecError(f"{file} has no label for a token of this vocabulary")
    return TokenLabels(tuple(names), label_of, tuple(unknown))
