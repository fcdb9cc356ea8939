"""Static vectors: the word-embedding matrix alone, with no position embedding and no LayerNorm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.extractor.checkpoint import read_matrix, shape_of, tensor_names
from wordvec.models import weight_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary import Vocabulary

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
    path, name = _find_matrix(folder)
    shape = shape_of(path, name)
    if len(shape) != 2 or shape[0] < V:
        raise ModelError(f"{folder}: expected ({V}, D) word embeddings, got {shape} in {name}")
    return read_matrix(path, name, V)


def _find_matrix(folder: Path) -> tuple[Path, str]:
    """The file and the name of the word-embedding matrix."""
    files = weight_files(folder)
    found = [(path, name) for path in files for name in tensor_names(path)]
    for ending in MATRIX_NAMES:
        fitting = [
            (path, name) for path, name in found if name == ending or name.endswith(f".{ending}")
        ]
        if fitting:  # an encoder-decoder may have two; the encoder's comes with the shorter name
            return min(fitting, key=lambda pair: (len(pair[1]), pair[1]))
    raise ModelError(f"{folder}: none of its {len(found)} tensors is named as word embeddings are")
