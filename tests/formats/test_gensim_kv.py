"""gensim's files: the words and vectors are those that gensim itself loads from them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import gensim
import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors, ft_ngram_hashes
from hypothesis import given
from hypothesis import strategies as st

from support.readings import TOKENS, assert_same, check_damage, damaged_copies, read_all, vectors
from support.readings import read_or_refuse as read_or_refuse_file
from wordvec.errors import StoreError
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.gensim_kv import ngram_hashes, read_gensim
from wordvec.formats.gensim_pickle import PickledMap
from wordvec.formats.reading import ReadOptions

WORDS = ["王", "女 王", "k"]
ROWS = vectors(3, 4)
SENTENCES = [["王", "女王", "男", "king"], ["queen", "王"], ["man", "woman", "king"]] * 5
SMALL = {"vector_size": 6, "min_count": 1, "workers": 1, "seed": 1, "epochs": 1}


def keyed(words: Any, rows: Any) -> Any:
    made = KeyedVectors(rows.shape[1])
    made.add_vectors(list(words), rows)
    return made


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_small_keyed_vectors_are_read_bit_for_bit(protocol: int, tmp_path: Path) -> None:
    rows = vectors(len(TOKENS))
    path = tmp_path / "x.kv"
    keyed(TOKENS, rows).save(str(path), pickle_protocol=protocol)
    assert_same(read_all(read_gensim, path), TOKENS, rows)
    assert_same(read_all(read_gensim, path, limit=2), TOKENS[:2], rows[:2])
    assert detect_format(path) is FileFormat.GENSIM


def test_large_arrays_are_read_from_the_files_beside(tmp_path: Path) -> None:
    path = tmp_path / "x.kv"
    keyed(WORDS, ROWS).save(str(path), separately=["vectors"])
    assert (tmp_path / "x.kv.vectors.npy").exists()
    assert_same(read_all(read_gensim, path), WORDS, ROWS)
    (tmp_path / "x.kv.vectors.npy").unlink()
    with pytest.raises(StoreError, match=r"x\.kv\.vectors\.npy is missing: .*x\.kv has"):
        read_gensim(path, ReadOptions())


def test_other_types_and_orders_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.kv"
    for dtype in ("f2", "f8", ">f4"):
        made = keyed(WORDS, ROWS)
        made.vectors = np.asfortranarray(np.arange(12).reshape(3, 4).astype(dtype))
        made.save(str(path))
        expected = np.arange(12, dtype=np.float32).reshape(3, 4)
        assert_same(read_all(read_gensim, path), WORDS, expected)


def test_rows_that_were_never_filled_are_left_out(tmp_path: Path) -> None:
    made = KeyedVectors(4, count=5)
    made.add_vector("a", ROWS[0])
    made.save(str(tmp_path / "x.kv"))
    reading = read_gensim(tmp_path / "x.kv", ReadOptions())
    [block] = reading.blocks
    assert block.tokens == ["a"]
    assert reading.notes == ["rows without a word, left out: 4"]


@pytest.mark.parametrize("separately", [True, False])
def test_a_word2vec_model_is_read(
    separately: bool,  # noqa: FBT001  # a parameter of the test
    tmp_path: Path,
) -> None:
    limit = 1 if separately else 1 << 20  # numbers; larger arrays have their own files
    model = Word2Vec(SENTENCES, **SMALL)
    path = tmp_path / "x.model"
    model.save(str(path), sep_limit=limit)
    assert (tmp_path / "x.model.wv.vectors.npy").exists() == separately
    assert_same(read_all(read_gensim, path), model.wv.index_to_key, model.wv.vectors)
    assert detect_format(path) is FileFormat.GENSIM
    model.wv.save(str(path), sep_limit=limit)
    assert_same(read_all(read_gensim, path), model.wv.index_to_key, model.wv.vectors)


@pytest.mark.parametrize("bucket", [50, 0])
@pytest.mark.parametrize("whole", [True, False])
def test_the_words_of_a_fasttext_model_are_read(
    whole: bool,  # noqa: FBT001  # a parameter of the test
    bucket: int,
    tmp_path: Path,
) -> None:
    model = FastText(SENTENCES, bucket=bucket, min_n=2, max_n=4, **SMALL)
    path = tmp_path / "x.model"
    (model if whole else model.wv).save(str(path))
    loaded = (FastText if whole else FastTextKeyedVectors).load(str(path))
    words = loaded.wv if whole else loaded
    reading = read_gensim(path, ReadOptions())
    [block] = reading.blocks
    assert_same((block.tokens, block.rows), words.index_to_key, words.vectors)
    assert reading.notes == [
        f"FastText: only the vectors of words are read, not {bucket} n-gram buckets"
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 6), st.integers(0, 6))
def test_hashes_of_n_grams_are_those_of_gensim(word: str, shortest: int, longer: int) -> None:
    hashes = [h % 2_000_000 for h in ngram_hashes(word, range(shortest, shortest + longer + 1))]
    assert hashes == ft_ngram_hashes(word, shortest, shortest + longer, 2_000_000)


TEST_DATA = Path(gensim.__file__).parent / "test" / "test_data"


@pytest.mark.skipif(not TEST_DATA.is_dir(), reason="this gensim has no test data")
@pytest.mark.parametrize(
    ("name", "load"),
    [
        *((f"old_w2v_models/w2v_{v}.mdl", Word2Vec) for v in ("0.13.4", "1.0.1", "2.3.0", "3.4.0")),
        ("word2vec_3.3", Word2Vec),
        ("model-from-gensim-3.8.0.w2v", KeyedVectors),
        ("old_keyedvectors_320.dat", KeyedVectors),
        ("compatible-hash-true.model", FastText),
    ],
)
def test_files_of_older_versions_are_read_as_gensim_reads_them(name: str, load: Any) -> None:
    loaded = load.load(str(TEST_DATA / name))
    words = getattr(loaded, "wv", loaded)
    assert_same(read_all(read_gensim, TEST_DATA / name), words.index_to_key, words.vectors)


# The attributes of gensim 3.8, with classes of its names


def gensim_3(path: Path) -> None:
    """Write what KeyedVectors.save of gensim 3.8 wrote: words in `index2word` and `vocab`."""
    made = KeyedVectors.__new__(KeyedVectors)
    made.__dict__ = {
        "vectors": ROWS,
        "vector_size": 4,
        "index2word": WORDS,
        "vocab": {word: Vocab(row) for row, word in enumerate(WORDS)},
        "vectors_norm": None,
    }
    data = pickle.dumps(made, 2).replace(b"KeyedVectors\n", b"Word2VecKeyedVectors\n")
    name = f"c{Vocab.__module__}\nVocab\n".encode()
    assert name in data
    path.write_bytes(data.replace(name, b"cgensim.models.keyedvectors\nVocab\n"))


class Vocab:
    """The entry of a word in gensim 3.8."""

    def __init__(self, row: int) -> None:
        self.index = row
        self.count = 5
        self.sample_int = 2**32


def test_files_of_gensim_3_are_read(tmp_path: Path) -> None:
    gensim_3(tmp_path / "x.kv")
    assert_same(read_all(read_gensim, tmp_path / "x.kv"), WORDS, ROWS)


# Files that are refused


class Ran(Exception):  # noqa: N818  # not an error: the sign that a pickle ran
    """Code in a pickle ran."""


def run(*_: object) -> None:
    raise Ran


class Calls:
    """An object that is pickled as a call."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Calls(os.system, "touch ran"), r"it contains (posix|nt)\.system$"),
        (Calls(run), r"it contains [a-z_.]*test_gensim_kv\.run$"),
        (Calls(getattr, ROWS, "tofile"), r"it contains (__builtin__|builtins)\.getattr$"),
        ({1, 2}, "it contains a set$|it contains (__builtin__|builtins).set$"),
        (frozenset([1]), "it contains a set$|it contains (__builtin__|builtins).frozenset$"),
        ({(1, 2): 3}, "a key of a dict is a tuple"),
        (hash, None),
        ({"a": [1.5, None, True, "x", b"x", {}]}, None),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_anything_else_in_the_pickle_is_refused_by_name(
    value: object, message: str | None, protocol: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    made = keyed(WORDS, ROWS)
    made.other = value
    path = tmp_path / "x.kv"
    path.write_bytes(pickle.dumps(made, protocol))
    if message is None:
        assert_same(read_all(read_gensim, path), WORDS, ROWS)
    else:
        with pytest.raises(StoreError, match=message) as error:
            read_gensim(path, ReadOptions())
        assert "save_word2vec_format" in str(error.value.hint)
    assert os.listdir() == ["x.kv"]  # noqa: PTH208  # the names alone


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "has no words"),
        ({"index_to_key": WORDS}, r"has no vectors, and there is no file .*x\.kv\.vectors\.npy"),
        ({"index_to_key": WORDS, "vectors": ROWS[:2]}, "got 3 words and 2 vectors"),
        ({"index_to_key": WORDS, "vectors": ROWS[0]}, r"expected \(V, D\) vectors, got \(4,\)"),
        ({"index_to_key": ["a", None, "b"], "vectors": ROWS}, "the token of row 1 is not text"),
        ({"index_to_key": ["a", ["b"], "c"], "vectors": ROWS}, "the token of row 1 is not text"),
        ({"index_to_key": ["a", "\ud800", "c"], "vectors": ROWS}, "row 1 is not valid Unicode"),
        (
            {"index_to_key": WORDS, "vectors": np.array(ROWS.tolist(), dtype=object)},
            "an array of objects|dtype 'O8'",
        ),
    ],
)
def test_attributes_that_do_not_match_are_refused(
    attributes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    made = KeyedVectors.__new__(KeyedVectors)
    made.__dict__ = attributes
    (tmp_path / "x.kv").write_bytes(pickle.dumps(made, 4))
    with pytest.raises(StoreError, match=message):
        read_all(read_gensim, tmp_path / "x.kv")


def test_a_pickle_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.kv").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(StoreError, match="expected an object of gensim, got a dict"):
        read_gensim(tmp_path / "x.kv", ReadOptions())


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04" + b"]" * 2_000_000 + b".",
        b"\x80\x04" + b"}" * 2_000_000 + b".",
        b"\x80\x04)" + b"\x85" * 500_000 + b".",
        b"\x80\x04" + b"]" * 9_000 + b"a" * 8_999 + b".",
        b"\x80\x04" + b"}K\x01" * 9_000 + b"N" + b"s" * 9_000 + b".",
        b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\n)\x81]b.",
        b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\nN\x81.",
        b"\x80\x02]}b.",
        b"\x80\x02](K\x01K\x02u.",
        b"\x80\x02cbuiltins\nhash\nK\x01\x85R.",
        b"\x80\x02cgensim.utils\ncall_on_class_only\n)R.",
        b"\x80\x02]q\x00h\x00a.",
    ],
)
def test_hand_made_pickles_are_refused_quickly(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.kv").write_bytes(data)
    assert not read_or_refuse_file(read_gensim, tmp_path / "x.kv")


def test_damaged_files_are_refused_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.kv"
    keyed(WORDS, ROWS).save(str(path))
    check_damage(read_gensim, path)
    FastText(SENTENCES, bucket=5, min_n=2, max_n=3, **SMALL).save(str(path))
    for copy in damaged_copies(path.read_bytes(), 300):
        path.write_bytes(copy)
        read_or_refuse_file(read_gensim, path)
    assert os.listdir() == ["x.kv"]  # noqa: PTH208  # the names alone


def test_a_dict_accepts_texts_and_ints_alone() -> None:
    made = PickledMap()
    made["a"], made[1] = 1, 2
    assert made.items == {"a": 1, 1: 2}
