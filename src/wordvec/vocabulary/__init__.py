"""Vocabulary: which token is which row, read from the model's own files, without MeCab.

Models spell tokens in three ways (`Scheme`): `##` before what continues a word (WordPiece), `▁`
before what begins one (SentencePiece), or bytes written as letters, `Ġ` the space (byte-level
BPE). `spelling` knows them, `lookup` finds words, `folder` reads a model's folder.
"""

from wordvec.vocabulary.lookup import Found, Vocabulary
from wordvec.vocabulary.spelling import Scheme

__all__ = ["Found", "Scheme", "Vocabulary"]
