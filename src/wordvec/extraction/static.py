"""Static vectors: the word-embedding matrix alone, with no position embedding and no LayerNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.extraction.checkpoint import Stored, tensors
from wordvec.models.folder import weight_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

# How architectures name the matrix; in front may stand the model's name ("bert.").
MATRIX_NAMES = (
    "embeddings.word_embeddings.weight",  # BERT, RoBERTa, ALBERT, DistilBERT, ELECTRA, DeBERTa
    "embeddings.tok_embeddings.weight",  # ModernBERT
    "word_embeddings.weight",  # BLOOM
    "wte.weight",  # GPT-2
    "shared.weight",  # T5, BART
    "embed_tokens.weight",  # Llama and its kin
    "word_embedding.weight",  # XLNet
    "embed_in.weight",  # GPT-NeoX
    "embeddings.weight",  # XLM
)


def static_vectors(folder: Path, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """The rows of the word-embedding matrix that have a token: (V, D) float32.

    The matrix may have more rows than the vocabulary has tokens (padding); never fewer.
    """
    V = len(vocabulary)
    matrix = _find_matrix(folder)
    if len(matrix.shape) != 2 or matrix.shape[0] < V:
        raise ModelError(
            f"{folder}: expected ({V}, D) word embeddings, got {matrix.shape} in {matrix.name}"
        )
    return matrix.first_rows(V)


def _find_matrix(folder: Path) -> Stored:
    """The word-embedding matrix, by its name."""
    found = [stored for path in weight_files(folder) for stored in tensors(path)]
    for ending in MATRIX_NAMES:
        fitting = [
            stored
            for stored in found
            if stored.name == ending or stored.name.endswith(f".{ending}")
        ]
        if fitting:  # an encoder-decoder may have two; the encoder's comes with the shorter name
            return min(fitting, key=lambda stored: (len(stored.name), stored.name))
    raise ModelError(f"{folder}: none of its {len(found)} tensors is named as word embeddings are")
