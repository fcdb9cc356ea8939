"""gensim's own files: KeyedVectors, and models of Word2Vec and FastText, of gensim 0.12 to 4.

    x.kv               a pickle: the words, and the vectors if they are small
    x.kv.vectors.npy   large arrays, each in a file of its own; x.model.wv.vectors.npy for a model

The pickle is read without running anything in it (gensim_pickle.py); one that Python 2 wrote is
refused. Of a FastText model the vectors of the words are read. gensim 4 does not save them: each is
the mean of the word's own vector and of the vectors of its n-grams, and is computed as gensim does
when it loads the file.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.formats.gensim_pickle import PickledObject, load_gensim
from wordvec.formats.matrix import (
    check_dtype,
    check_shape,
    check_tokens,
    file_size,
    limited,
    read_blocks,
    refuse_damage,
)
from wordvec.formats.npy import map_matrix, read_matrix_header
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.safe_pickle import PickledArray, Refused
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Block

_KIND = "a file of gensim"
_NGRAMS_AT_ONCE = 1024
_MAX_NGRAM = 100  # fastText's default is 6
_COPY_ALL = "copy all files whose names start with the name of the model"
_WORDS = ("index_to_key", "index2word", "index2entity")  # gensim 4, gensim 3
_VECTORS = ("vectors", "syn0")  # gensim 4 and 3, gensim 2


@dataclass(frozen=True, slots=True)
class _Model:
    """The part of a file with the words: its attributes, and where its large arrays are.

    arrays: The path before ".vectors.npy".
    """

    path: Path
    kind: str
    attributes: dict[str | int, object]
    arrays: Path

    @property
    def is_fasttext(self) -> bool:
        return self.kind.endswith("FastTextKeyedVectors")

    def number(self, name: str) -> int:
        """Return an attribute that is an int, else 0."""
        value = self.attributes.get(name)
        return value if isinstance(value, int) else 0

    def array(self, name: str) -> NDArray[Any] | None:
        """Return an attribute that is a matrix, from the pickle or from its own file, if any."""
        value = self.attributes.get(name)
        file = self.arrays.with_name(f"{self.arrays.name}.{name}.npy")
        if isinstance(value, PickledArray) and value.data is not None:
            numbers = value.numbers()
            check_dtype(self.path, numbers.dtype, what=f"the {name}")
            check_shape(self.path, value.shape, what=name)
            return numbers.reshape(value.shape, order="F" if value.fortran else "C")
        if file.exists():
            return map_matrix(file, read_matrix_header(file))
        saved = self.attributes.get("__numpys")
        if isinstance(saved, list) and any(type(item) is str and item == name for item in saved):
            raise StoreError(
                f"{display_path(file)} is missing: {display_path(self.path)} has its {name} there",
                hint=_COPY_ALL,
            )
        return None


def read_gensim(path: Path, options: ReadOptions) -> Reading:
    """Read the words and vectors of a file that gensim's `save` wrote.

    Raises:
        StoreError: The file is damaged or contains anything else than gensim saves, or a file
            beside it is missing.
    """
    file_size(path)
    with refuse_damage(path, _KIND, hint=_way_on(path)):
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with its views
        try:
            model = _find_words(path, load_gensim(data))
            return _read_model(model, options)
        except Refused as error:
            what = error.message.partition(": only dicts")[0]
            raise StoreError(f"{display_path(path)}: {what}", hint=_way_on(path)) from None


def _way_on(path: Path) -> str:
    return (
        "if the file is from a source you trust, convert it with gensim: "
        f"KeyedVectors.load({display_path(path)!r}).save_word2vec_format('vectors.txt')"
    )


def _find_words(path: Path, loaded: PickledObject) -> _Model:
    """Return the KeyedVectors of a file: the object itself, or the attribute `wv` of a model."""
    vectors = loaded.attributes.get("wv")
    if isinstance(vectors, PickledObject):
        arrays = path.with_name(f"{path.name}.wv")
        return _Model(path, vectors.kind, vectors.attributes, arrays)
    return _Model(path, loaded.kind, loaded.attributes, path)


def _read_model(model: _Model, options: ReadOptions) -> Reading:
    words = _words_of(model)
    notes: list[str] = []
    if not words:
        raise StoreError(f"{display_path(model.path)} has no words")
    rows, read = _open_fasttext(model, words, notes) if model.is_fasttext else _open_vectors(model)
    if rows.shape[0] < len(words):
        check_tokens(model.path, len(words), rows.shape[0], source="words")
    if rows.shape[0] > len(words):
        notes.append(f"rows without a word, left out: {rows.shape[0] - len(words):,}")
    total = limited(len(words), options.limit)
    return Reading(_blocks(model.path, words[:total], rows.shape[1], read, notes), total, notes)


def _words_of(model: _Model) -> list[str]:
    """Return the words; ints, which can be keys too, as text."""
    found = (model.attributes.get(name) for name in _WORDS)
    words = next((words for words in found if isinstance(words, list)), [])
    while words and words[-1] is None:  # space for words that were never added
        words.pop()
    return [str(word) if type(word) is int else word for word in words]


def _open_vectors(model: _Model) -> tuple[NDArray[Any], Callable[[int, int], NDArray[Any]]]:
    """Return the vectors, and the function that reads rows of them."""
    found = (model.array(name) for name in _VECTORS)
    vectors = next((vectors for vectors in found if vectors is not None), None)
    if vectors is None:
        raise StoreError(
            f"{display_path(model.path)} has no vectors, and there is no file "
            f"{display_path(model.arrays)}.vectors.npy",
            hint=_COPY_ALL,
        )
    return vectors, lambda start, stop: vectors[start:stop]


def _open_fasttext(
    model: _Model, words: list[str], notes: list[str]
) -> tuple[NDArray[Any], Callable[[int, int], NDArray[Any]]]:
    """Return the words' own vectors, and the function that adds those of their n-grams."""
    buckets = model.number("bucket")
    notes.append(f"FastText: only the vectors of words are read, not {buckets:,} n-gram buckets")
    if model.array("vectors") is not None:
        return _open_vectors(model)
    own = model.array("vectors_vocab")
    ngrams = model.array("vectors_ngrams") if buckets else None
    if own is None or (ngrams is None and buckets):
        raise StoreError(
            f"{display_path(model.path)} has no vectors of words or of n-grams",
            hint=_COPY_ALL,
        )
    if ngrams is None:
        return own, lambda start, stop: own[start:stop]
    if model.attributes.get("compatible_hash") is not True or len(ngrams) < buckets or buckets < 1:
        raise StoreError(
            f"{display_path(model.path)} has n-grams of gensim before 3.8, or no buckets for them",
            hint="load it with gensim 3.8.3 and save it again",
        )
    lengths = range(model.number("min_n"), model.number("max_n") + 1)
    if not 0 < lengths.start <= lengths.stop <= _MAX_NGRAM:
        raise StoreError(
            f"{display_path(model.path)} has n-grams of {lengths.start} to {lengths.stop - 1} "
            f"characters, expected 1 to {_MAX_NGRAM - 1}"
        )

    def read(start: int, stop: int) -> NDArray[Any]:
        import numpy as np

        rows = np.empty((stop - start, own.shape[1]), dtype=np.float32)
        for row, word in enumerate(words[start:stop]):
            ids = [hash_ % buckets for hash_ in ngram_hashes(word, lengths)]
            total = own[start + row].astype(np.float32)
            for first in range(0, len(ids), _NGRAMS_AT_ONCE):  # added in gensim's order
                parts = [total[None], ngrams[ids[first : first + _NGRAMS_AT_ONCE]]]
                total = np.concatenate(parts).sum(axis=0, dtype=np.float32)
            rows[row] = total / np.float32(len(ids) + 1)
        return rows

    return own, read


def ngram_hashes(word: str, lengths: range) -> Iterator[int]:
    """Yield the hash of each n-gram of `<word>`, in fastText's order.

    The hash is FNV-1a, but each byte is taken as a signed one, as in fastText's dictionary.cc. The
    hash of an n-gram continues that of the shorter one with the same start.
    """
    letters = [letter.encode("utf-8", "surrogatepass") for letter in f"<{word}>"]
    for start in range(len(letters)):
        hash_ = 2166136261
        for length, letter in enumerate(letters[start : start + lengths.stop - 1], 1):
            for byte in letter:
                signed = byte | 0xFFFFFF00 if byte & 0x80 else byte
                hash_ = (hash_ ^ signed) * 16777619 & 0xFFFFFFFF
            is_mark = length == 1 and (start == 0 or start == len(letters) - 1)
            if length >= lengths.start and not is_mark:
                yield hash_


def _blocks(
    path: Path,
    words: list[str],
    dimensions: int,
    read: Callable[[int, int], NDArray[Any]],
    notes: list[str],
) -> Iterator[Block]:
    with refuse_damage(path, _KIND):
        yield from read_blocks(path, words, dimensions, read, notes)
