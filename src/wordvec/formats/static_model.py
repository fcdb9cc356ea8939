"""Folders of static models: model2vec, and StaticEmbedding of sentence-transformers.

    model.safetensors   embeddings (N, D), or embedding.weight (V, D)
                        mapping (V,): the row of each token, if the vocabulary was quantised
                        weights (V,): the factor of each token
    tokenizer.json      the tokens

The files are in the folder, or in its subfolder 0_StaticEmbedding. The vector of token t is
weights[t] · embeddings[mapping[t]], as in model2vec's `encode` without normalisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.formats.matrix import (
    check_shape,
    check_tokens,
    limited,
    read_blocks,
    refuse_damage,
)
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.safetensors_file import (
    Tensor,
    TensorFile,
    check_type,
    integer_notes,
    list_tensors,
)
from wordvec.tables.files import display_path
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.formats.reading import Block

_FILE = "model.safetensors"
_NAMES = ("embeddings", "embedding.weight")
_SUBFOLDERS = (".", "0_StaticEmbedding")


def is_static_model(path: Path) -> bool:
    """Return whether a folder has a tokenizer and the one matrix of a static model."""
    try:
        folder = _find_folder(path)
        return folder is not None and any(
            name in list_tensors(folder / _FILE).tensors for name in _NAMES
        )
    except (StoreError, OSError):
        return False


def read_static_model(path: Path, options: ReadOptions) -> Reading:
    """Read the vectors and tokens of a folder of model2vec or sentence-transformers.

    Raises:
        StoreError: The folder has no such files, or they are damaged or do not match.
        ModelError: The tokenizer cannot be read.
    """
    folder = _find_folder(path)
    if folder is None:
        raise StoreError(
            f"{display_path(path)} is not the folder of a static model: expected {_FILE} "
            f"and tokenizer.json in it or in {_SUBFOLDERS[1]}"
        )
    file = list_tensors(folder / _FILE)
    name = next((name for name in _NAMES if name in file.tensors), None)
    if name is None:
        raise StoreError(
            f"{display_path(folder / _FILE)} has no tensor named {' or '.join(_NAMES)}",
            hint="for the weights of a whole model: wordvec extract FOLDER",
        )
    embeddings = check_type(file.tensors[name])
    N, _ = check_shape(embeddings.path, embeddings.shape)
    with refuse_damage(folder, "the folder of a static model"):  # deeply nested JSON
        vocabulary = read_vocabulary(folder)
    tokens = list(vocabulary.tokens)
    mapping = _read_mapping(file, len(tokens), N)
    notes = integer_notes(embeddings)
    if mapping is None:
        tokens = _leave_out_padding(embeddings.path, tokens, N, notes)
    else:
        notes.append(f"{len(tokens):,} tokens share {N:,} vectors (a quantised vocabulary)")
    weights = _per_token(file, "weights", len(tokens))
    total = limited(len(tokens), options.limit)
    blocks = _blocks(embeddings, tokens[:total], mapping, weights, notes)
    return Reading(blocks, total, notes, vocabulary)


def _find_folder(path: Path) -> Path | None:
    """Return the folder with the weights and the tokenizer."""
    folders = (path / name for name in _SUBFOLDERS)
    return next(
        (
            folder
            for folder in folders
            if (folder / _FILE).is_file() and (folder / "tokenizer.json").is_file()
        ),
        None,
    )


def _leave_out_padding(path: Path, tokens: list[str], rows: int, notes: list[str]) -> list[str]:
    """Check that each token has a row; rows after them are padding."""
    if rows < len(tokens):
        check_tokens(path, len(tokens), rows)
    if rows > len(tokens):
        notes.append(f"rows without a token, left out: {rows - len(tokens):,}")
    return tokens


def _read_mapping(file: TensorFile, tokens: int, rows: int) -> NDArray[np.int64] | None:
    """Return the row of each token, or None if token i has row i."""
    import numpy as np

    mapping = _per_token(file, "mapping", tokens)
    if mapping is None:
        return None
    path = file.tensors["mapping"].path
    if mapping.dtype.kind not in "iu":
        raise StoreError(f"{display_path(path)}: mapping has type {mapping.dtype}, not integers")
    if not 0 <= int(mapping.min()) <= int(mapping.max()) < rows:
        raise StoreError(
            f"{display_path(path)}: mapping has rows from {mapping.min()} to {mapping.max()}, "
            f"expected 0 to {rows - 1}"
        )
    return mapping.astype(np.int64)


def _per_token(file: TensorFile, name: str, tokens: int) -> NDArray[Any] | None:
    """Return a tensor with one number for each token, if the file has it."""
    if name not in file.tensors:
        return None
    tensor = check_type(file.tensors[name])
    if tensor.shape != (tokens,):
        raise StoreError(
            f"{display_path(tensor.path)}: expected ({tokens},) {name}, one for each token, "
            f"got {tensor.shape}"
        )
    with refuse_damage(tensor.path, "a safetensors file"):
        return tensor.read(0, tokens)


def _blocks(
    embeddings: Tensor,
    tokens: list[str],
    mapping: NDArray[np.int64] | None,
    weights: NDArray[Any] | None,
    notes: list[str],
) -> Iterator[Block]:
    """Yield the rows of the tokens: weights[t] · embeddings[mapping[t]]."""
    N, D = embeddings.shape

    with refuse_damage(embeddings.path, "a safetensors file"):
        shared = None if mapping is None else embeddings.read(0, N)

        def read(start: int, stop: int) -> NDArray[Any]:
            if mapping is None or shared is None:
                rows = embeddings.read(start, stop)
            else:
                rows = shared[mapping[start:stop]]
            return rows if weights is None else rows * weights[start:stop, None]

        yield from read_blocks(embeddings.path, tokens, D, read, notes)
