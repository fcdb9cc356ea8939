"""The finalfusion format: what finalfusion's own package writes is read as it reads it.

The package is not in the extra `dev`: it has no wheels, and a fresh machine may have no C compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.readings import TOKENS, assert_same, check_damage, read_all, vectors
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.finalfusion import read_finalfusion
from wordvec.formats.reading import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

finalfusion = pytest.importorskip("finalfusion")
Norms = finalfusion.norms.Norms
NdArray = finalfusion.storage.NdArray
QuantizedArray = finalfusion.storage.QuantizedArray
PQ = finalfusion.storage.quantized.PQ
SimpleVocab = finalfusion.vocab.SimpleVocab
ExplicitVocab = finalfusion.vocab.ExplicitVocab
indexers = finalfusion.subword

WORDS = ["王", "女 王", "k"]
ROWS = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
NORMS = np.array([1, 2.5, 3], np.float32)


def write(path: Path, **parts: Any) -> Path:
    parts = {"storage": NdArray(ROWS), "vocab": SimpleVocab(WORDS)} | parts
    finalfusion.Embeddings(**parts).write(str(path))
    return path


def theirs(path: Path, words: list[str]) -> NDArray[np.float32]:
    """Return the vectors as finalfusion's package reads them, with their norms if it has any."""
    embeddings = finalfusion.load_finalfusion(str(path))
    if embeddings.norms is None:
        return np.array([embeddings.embedding(word) for word in words])
    pairs = [embeddings.embedding_with_norm(word) for word in words]
    return np.array([vector * norm for vector, norm in pairs], dtype=np.float32)


def test_simple_files_are_read_bit_for_bit(tmp_path: Path) -> None:
    rows = vectors(len(TOKENS))
    path = write(tmp_path / "x.fifu", storage=NdArray(rows), vocab=SimpleVocab(list(TOKENS)))
    assert_same(read_all(read_finalfusion, path), TOKENS, rows)
    assert_same(read_all(read_finalfusion, path, limit=2), TOKENS[:2], rows[:2])


@pytest.mark.parametrize("metadata", [None, {"a": "b"}, {"a": "bc"}, {"a": "bcd"}])
def test_vectors_are_scaled_by_their_norms(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    """The length of the metadata changes the padding of the chunks after it."""
    metadata = metadata and finalfusion.metadata.Metadata(metadata)
    path = write(tmp_path / "x.fifu", norms=Norms(NORMS), metadata=metadata)
    assert_same(read_all(read_finalfusion, path), WORDS, ROWS * NORMS[:, None])
    assert_same(read_all(read_finalfusion, path), WORDS, theirs(path, WORDS))


EXPLICIT = ExplicitVocab(WORDS, indexers.ExplicitIndexer(["ab", "cd", "ef", "<王"]))
VOCABULARIES = [
    finalfusion.vocab.FinalfusionBucketVocab(WORDS, indexers.FinalfusionHashIndexer(2, 3, 6)),
    finalfusion.vocab.FastTextVocab(WORDS, indexers.FastTextIndexer(4, 3, 6)),
    EXPLICIT,
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda made: type(made).__name__)
def test_the_words_of_subword_vocabularies_are_read(vocabulary: Any, tmp_path: Path) -> None:
    rows = np.concatenate([ROWS, np.ones((4, 4), np.float32)])
    path = write(tmp_path / "x.fifu", storage=NdArray(rows), vocab=vocabulary)
    reading = read_finalfusion(path, ReadOptions())
    [block] = reading.blocks
    assert_same((block.tokens, block.rows), WORDS, ROWS)
    assert_same((block.tokens, block.rows), WORDS, theirs(path, WORDS))
    assert reading.notes == ["rows of subwords, not read: 4"]


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("normed", [False, True])
def test_quantised_vectors_are_reconstructed(
    projected: bool,  # noqa: FBT001  # a parameter of the test
    normed: bool,  # noqa: FBT001  # same reason
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    centroids = rng.normal(size=(2, 5, 2)).astype(np.float32)  # M, centroids, D/M
    projection = rng.normal(size=(4, 4)).astype(np.float32) if projected else None
    codes = rng.integers(0, 5, size=(3, 2)).astype(np.uint8)
    norms = NORMS if normed else None
    storage = QuantizedArray(PQ(centroids, projection), codes, norms)
    path = write(tmp_path / "x.fifu", storage=storage)
    reading = read_finalfusion(path, ReadOptions())
    [block] = reading.blocks
    expected = np.stack([np.concatenate([centroids[0, a], centroids[1, b]]) for a, b in codes])
    expected = expected @ projection.T if projection is not None else expected
    expected = expected * norms[:, None] if norms is not None else expected
    np.testing.assert_allclose(block.rows, expected, rtol=1e-6)
    np.testing.assert_allclose(block.rows, np.asarray(storage), rtol=1e-6)
    assert reading.notes == ["the vectors are quantised: read as reconstructed"]


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    check_damage(read_finalfusion, write(tmp_path / "x", norms=Norms(NORMS)))
    rows = np.ones((7, 4), np.float32)
    check_damage(read_finalfusion, write(tmp_path / "y", storage=NdArray(rows), vocab=EXPLICIT))
    quantizer = PQ(np.ones((2, 5, 2), np.float32), np.eye(4, dtype="f4"))
    storage = QuantizedArray(quantizer, np.zeros((3, 2), np.uint8), NORMS)
    check_damage(read_finalfusion, write(tmp_path / "z", storage=storage))


def test_the_format_is_detected_by_its_first_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "x.fifu")
    assert detect_format(path) is FileFormat.FINALFUSION
