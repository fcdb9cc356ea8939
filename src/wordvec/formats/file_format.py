"""The names of the file formats, which `--format` takes."""

from __future__ import annotations

from enum import StrEnum


class FileFormat(StrEnum):
    """A format of files with vectors."""

    WORD2VEC = "word2vec"  # text: `V D`, then a token and its numbers on each line
    GLOVE = "glove"  # the same without the header
    WORD2VEC_BINARY = "word2vec-binary"  # `V D`, then a token, a space and D float32
    CSV = "csv"
    TSV = "tsv"
    PROJECTOR = "projector"  # vectors.tsv and metadata.tsv of TensorBoard
    PICKLE = "pickle"  # {id: (D,) array}, as in the article; {token: (D,) array} is read too
    NPY = "npy"
    NPZ = "npz"
    SAFETENSORS = "safetensors"
    PARQUET = "parquet"
    ARROW = "arrow"  # Feather
    FINALFUSION = "finalfusion"
    GENSIM = "gensim"  # KeyedVectors.save
    SPACY = "spacy"  # a folder of a pipeline or of its vectors
    MODEL2VEC = "model2vec"  # a folder of a static model
