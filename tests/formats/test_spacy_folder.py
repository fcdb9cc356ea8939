"""Folders of spaCy: the words and vectors are those that spaCy itself finds in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.strings import hash_string  # type: ignore[attr-defined]  # a Cython module
from spacy.symbols import IDS
from spacy.vectors import Mode, Vectors

from support.readings import assert_same, damaged_copies, read_all, read_or_refuse
from wordvec.errors import StoreError
from wordvec.formats.reading import ReadOptions
from wordvec.formats.spacy_folder import is_spacy_folder, read_key2row, read_spacy
from wordvec.formats.spacy_strings import murmur_hashes, symbols

if TYPE_CHECKING:
    from pathlib import Path

# "NOUN" and "root" are symbols of spaCy, whose keys are no hashes
WORDS = ["王", "女 王", "king", "queen", "NOUN", "root", "a" * 50, "\u2028", "_"]
ROWS = np.random.default_rng(0).normal(size=(len(WORDS), 4)).astype(np.float32)


def pipeline() -> Any:
    nlp = spacy.blank("en")
    nlp.vocab.vectors = Vectors(shape=ROWS.shape, strings=nlp.vocab.strings)
    for word, row in zip(WORDS, ROWS, strict=True):
        nlp.vocab.set_vector(word, row)
    return nlp


def test_a_pipeline_is_read(tmp_path: Path) -> None:
    nlp = pipeline()
    nlp.to_disk(tmp_path / "p")
    tokens, rows = read_all(read_spacy, tmp_path / "p")
    assert sorted(tokens) == sorted(WORDS)
    for token, row in zip(tokens, rows, strict=True):
        assert row.tobytes() == nlp.vocab[token].vector.tobytes()
    assert_same(read_all(read_spacy, tmp_path / "p" / "vocab"), tokens, rows)
    assert_same(read_all(read_spacy, tmp_path / "p", limit=2), tokens[:2], rows[:2])
    (tmp_path / "package").mkdir()
    (tmp_path / "p").rename(tmp_path / "package" / "p-1.0")
    assert_same(read_all(read_spacy, tmp_path / "package"), tokens, rows)
    assert is_spacy_folder(tmp_path / "package")


def test_pruned_vectors_are_repeated_for_each_word(tmp_path: Path) -> None:
    nlp = pipeline()
    nlp.vocab.prune_vectors(3)
    nlp.to_disk(tmp_path / "p")
    reading = read_spacy(tmp_path / "p", ReadOptions())
    [block] = reading.blocks
    assert sorted(block.tokens) == sorted(WORDS)
    for token, row in zip(block.tokens, block.rows, strict=True):
        assert row.tobytes() == nlp.vocab[token].vector.tobytes()
    assert reading.notes == ["9 words share 3 vectors (pruned)"]


def test_what_has_no_counterpart_is_counted(tmp_path: Path) -> None:
    vectors = Vectors(data=np.ones((5, 4), np.float32))
    for key, row in ((hash_string("a"), 0), (hash_string("b"), 1), (hash_string("c"), 1)):
        vectors.add(key, row=row)
    vectors.to_disk(tmp_path)
    srsly.write_json(tmp_path / "strings.json", ["a", "b"])
    reading = read_spacy(tmp_path, ReadOptions())
    [block] = reading.blocks
    assert block.tokens == ["a", "b"]
    assert reading.notes == [
        "words without a string or a row, left out: 1",
        "vectors without a word, left out: 3",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_hashes_are_those_of_spacy(texts: list[str]) -> None:
    expected = [hash_string(text) if text else None for text in texts]
    found = murmur_hashes([text.encode() for text in texts]).tolist()
    assert [key if text else None for key, text in zip(found, texts, strict=True)] == expected


def test_symbols_are_those_of_spacy() -> None:
    assert symbols() == IDS


@pytest.mark.parametrize("size", [0, 1, 15, 16, 65535, 65536])
def test_maps_of_each_size_are_read_as_srsly_reads_them(size: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(size)
    keys = rng.integers(0, 2**64, size=size, dtype=np.uint64) >> rng.integers(
        0, 64, size=size, dtype=np.uint64
    )
    items = {int(key): int(row) for row, key in enumerate(keys, -40)}
    srsly.write_msgpack(tmp_path / "x", items)
    assert read_key2row(tmp_path / "x") == items == srsly.read_msgpack(tmp_path / "x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xdf\xff\xff\xff\xff", "4,294,967,295 items in 5 bytes"),
        (b"\x81\x01", "is damaged or not a msgpack map of integers"),
        (b"\x81\xcf\x01", "it ends inside an integer"),
        (b"\x81\x01\xa1a", "byte 161 at 2 does not start an integer"),
        (b"\x81\x01\x02\x03", "1 bytes follow its end"),
        (b"\x91\x01", "it starts with byte 145"),
        (b"", "is empty"),
    ],
)
def test_other_maps_are_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(StoreError, match=message):
        read_key2row(tmp_path / "x")


def test_floret_and_pipelines_without_vectors_are_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "p")
    with pytest.raises(StoreError, match="has no word with a vector") as error:
        read_spacy(tmp_path / "p", ReadOptions())
    assert str(error.value.hint).startswith("use a pipeline with vectors, such as")
    floret = Vectors(
        data=np.ones((8, 4), np.float32), mode=Mode.floret, minn=2, maxn=3, hash_count=2
    )
    floret.to_disk(tmp_path / "f")
    with pytest.raises(StoreError, match="has vectors of mode floret, which are for n-grams"):
        read_spacy(tmp_path / "f", ReadOptions())
    with pytest.raises(StoreError, match="is not a spaCy pipeline with vectors"):
        read_spacy(tmp_path / "p" / "vocab" / "missing", ReadOptions())
    assert not is_spacy_folder(tmp_path / "missing")


def test_a_row_beyond_the_vectors_is_refused(tmp_path: Path) -> None:
    Vectors(data=np.ones((2, 4), np.float32)).to_disk(tmp_path)
    srsly.write_json(tmp_path / "strings.json", ["a"])
    srsly.write_msgpack(tmp_path / "key2row", {hash_string("a"): 2})
    with pytest.raises(StoreError, match="a word has row 2, but there are 2 vectors"):
        read_spacy(tmp_path, ReadOptions())


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    pipeline().vocab.vectors.to_disk(tmp_path)
    srsly.write_json(tmp_path / "strings.json", WORDS)
    for name in ("vectors", "key2row", "strings.json", "vectors.cfg"):
        data = (tmp_path / name).read_bytes()
        assert read_or_refuse(read_spacy, tmp_path)
        for copy in [*damaged_copies(data, 200), b"[" * 100_000]:
            (tmp_path / name).write_bytes(copy)
            read_or_refuse(read_spacy, tmp_path)
        (tmp_path / name).write_bytes(data)
