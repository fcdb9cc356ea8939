"""Static vectors: the word-embedding matrix alone, with no position embedding and no LayerNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.extraction.checkpoint import StoredTensor, list_tensors
from wordvec.models.folder import weight_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

# The matrix's name in each architecture; a prefix such as "bert." may precede it.
MATRIX_NAMES = (
    "embeddings.word_embeddings.weight",  # BERT, RoBERTa, ALBERT, DistilBERT, ELECTRA, DeBERTa
    "embeddings.tok_embeddings.weight",  # ModernBERT
    "word_embeddings.weight",  # BLOOM
    "wte.weight",  # GPT-2
    "shared.weight",  # T5, BART
    "embed_tokens.weight",  # Llama and related models
    "word_embedding.weight",  # XLNet
    "embed_in.weight",  # GPT-NeoX
    "embeddings.weight",  # XLM
)


def read_static_vectors(folder: Path, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Read the static vectors of a vocabulary from a model's weight files.

    Returns:
        (V, D) float32, in the order of the vocabulary. A matrix with more rows (padding) is cut.

    Raises:
        ModelError: there is no word-embedding matrix, it has fewer than V rows, or its file is
            damaged.
    """
    V = len(vocabulary)
    matrix = _find_matrix(folder)
    if len(matrix.shape) != 2 or matrix.shape[0] < V:
        raise ModelError(
            f"{folder}: expected ({V}, D) word embeddings, got {matrix.shape} in {matrix.name}"
        )
    return matrix.read_rows(V)


def _find_matrix(folder: Path) -> StoredTensor:
    """Find the word-embedding matrix by its name."""
    tensors = [tensor for path in weight_files(folder) for tensor in list_tensors(path)]
    for name in MATRIX_NAMES:
        matches = [
            tensor for tensor in tensors if tensor.name == name or tensor.name.endswith(f".{name}")
        ]
        if matches:  # an encoder-decoder may have two; the encoder's has the shorter name
            return min(matches, key=lambda tensor: (len(tensor.name), tensor.name))
    raise ModelError(
        f"{folder}: none of the {len(tensors)} tensors has a known name for word embeddings"
    )
