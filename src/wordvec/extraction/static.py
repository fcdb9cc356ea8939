"""Static vectors: the word-embedding matrix alone, with no position embedding and no LayerNorm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.extraction.checkpoint import StoredTensor, list_tensors
from wordvec.extraction.rows import PADDING_SHARE, fit_vocabulary
from wordvec.models.embedding import MATRIX_NAMES, find_matrix, is_head
from wordvec.models.folder import weight_files
from wordvec.text import escape
from wordvec.vocabulary.settings import TokenizerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

_LISTED = 5  # tensors in an error message
_PADDING = 64  # rows that a tensor listed there may have more than there are tokens


@dataclass(frozen=True, slots=True, eq=False)
class StaticVectors:
    """The static vectors of a model.

    vocabulary: V tokens, without those that have no row in the matrix.
    vectors: (V, D) float32.
    notes: What the user should know.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    notes: tuple[str, ...] = ()


def read_static_vectors(folder: Path, vocabulary: Vocabulary) -> StaticVectors:
    """Read the static vectors of a vocabulary from a model's weight files.

    Returns:
        The vectors, in the order of the vocabulary. A matrix with more rows (padding) is cut, and
        tokens without a row are left out with a note.

    Raises:
        ModelError: there is no word-embedding matrix, it is not of this vocabulary, or its file is
            damaged.
    """
    matrix = _open_matrix(folder, vocabulary)
    fitted = fit_vocabulary(vocabulary, matrix.shape[0], folder)
    vectors = matrix.read_rows(len(fitted.vocabulary))
    return StaticVectors(fitted.vocabulary, vectors, fitted.notes)


def _open_matrix(folder: Path, vocabulary: Vocabulary) -> StoredTensor:
    """Find the word-embedding matrix by its name."""
    files = weight_files(folder, static_only=True)
    tensors = {tensor.name: tensor for path in files for tensor in list_tensors(path)}
    name = find_matrix(tensors)
    if name is None or (is_head(name) and _is_untied(folder)):
        raise _no_matrix_error(folder, list(tensors.values()), vocabulary)
    matrix = tensors[name]
    matrix.check_is_float()
    if len(matrix.shape) != 2:
        raise ModelError(
            f"{folder}: expected (rows, D) word embeddings, got {matrix.shape} in {escape(name)}"
        )
    return matrix


def _is_untied(folder: Path) -> bool:
    """Return whether config.json says that the output layer is not the input embeddings."""
    return TokenizerSettings.read(folder).config.get("tie_word_embeddings") is False


def _no_matrix_error(
    folder: Path, tensors: Sequence[StoredTensor], vocabulary: Vocabulary
) -> ModelError:
    V = len(vocabulary)
    least, most = V - V // PADDING_SHARE, V + max(_PADDING, V // PADDING_SHARE)
    fitting = [
        tensor for tensor in tensors if len(tensor.shape) == 2 and least <= tensor.shape[0] <= most
    ]
    fitting.sort(key=lambda tensor: abs(tensor.shape[0] - V))
    high = [f"{escape(tensor.name)} {tensor.shape}" for tensor in fitting]
    more = f" and {len(high) - _LISTED} more" if len(high) > _LISTED else ""
    candidates = (
        f"; about one row per token ({V:,}) have: {', '.join(high[:_LISTED])}{more}"
        if high
        else f"; none has one row per token ({V:,})"
    )
    return ModelError(
        f"{folder}: none of the {len(tensors)} tensors has a known name for word embeddings"
        f"{candidates}",
        hint=f"in a copy of the weights, rename the matrix to {MATRIX_NAMES[0]}" if high else None,
    )
