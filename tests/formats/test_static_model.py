"""Folders of model2vec and of sentence-transformers: read as these libraries use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from model2vec import StaticModel
from model2vec.vocabulary_quantization import quantize_vocabulary
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from support.readings import assert_same, damaged_copies, read_all, read_or_refuse, vectors
from wordvec.errors import StoreError
from wordvec.formats.reading import ReadOptions
from wordvec.formats.safetensors_file import read_safetensors
from wordvec.formats.static_model import is_static_model, read_static_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings(  # model2vec leaves files to the garbage collector
    "ignore:unclosed file:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

WORDS = ["[PAD]", "[UNK]", "王", "女王", "king", "queen", "man", "woman"]
ROWS = np.random.default_rng(1).normal(size=(len(WORDS), 4)).astype(np.float32)


def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = WhitespaceSplit()
    return made


def save_model2vec(path: Path, rows: NDArray[Any], **options: Any) -> Path:
    StaticModel(rows, tokenizer(), normalize=False, **options).save_pretrained(path)
    return path


def encoded(path: Path) -> NDArray[np.float32]:
    """Return the vector that model2vec gives to each token."""
    model = StaticModel.from_pretrained(path)
    return np.array([model.encode(word) for word in WORDS[2:]], dtype=np.float32)


def test_a_folder_of_model2vec_is_read(tmp_path: Path) -> None:
    path = save_model2vec(tmp_path / "m", ROWS)
    assert_same(read_all(read_static_model, path), WORDS, ROWS)
    assert_same(read_all(read_static_model, path, limit=3), WORDS[:3], ROWS[:3])
    np.testing.assert_array_equal(encoded(path), ROWS[2:])


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8"])
def test_each_type_of_model2vec_is_read(dtype: str, tmp_path: Path) -> None:
    rows = (ROWS * 30).astype(dtype)
    path = save_model2vec(tmp_path / "m", rows)
    reading = read_static_model(path, ReadOptions())
    [block] = reading.blocks
    assert block.rows.tobytes() == rows.astype(np.float32).tobytes()
    assert reading.notes == (
        ["the vectors have type I8: read as they are, without a scale"] if dtype == "int8" else []
    )


def test_a_quantised_vocabulary_has_a_vector_for_each_token(tmp_path: Path) -> None:
    rows, mapping, weights = quantize_vocabulary(3, None, ROWS)
    path = save_model2vec(tmp_path / "m", rows, token_mapping=mapping, weights=weights)
    assert load_file(path / "model.safetensors")["embeddings"].shape == (3, 4)
    reading = read_static_model(path, ReadOptions())
    [block] = reading.blocks
    assert block.tokens == WORDS
    np.testing.assert_array_equal(block.rows, rows[mapping] * weights[:, None])
    np.testing.assert_allclose(block.rows[2:], encoded(path), rtol=1e-6)
    assert reading.notes == ["8 tokens share 3 vectors (a quantised vocabulary)"]


def test_weights_alone_are_factors_of_the_vectors(tmp_path: Path) -> None:
    weights = np.arange(8, dtype=np.float32)
    path = save_model2vec(tmp_path / "m", ROWS, weights=weights)
    np.testing.assert_array_equal(read_all(read_static_model, path)[1], ROWS * weights[:, None])
    np.testing.assert_allclose(read_all(read_static_model, path)[1][2:], encoded(path), rtol=1e-6)


def test_a_folder_of_sentence_transformers_is_read(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    module = modules.StaticEmbedding(tokenizer(), embedding_weights=ROWS)
    library.SentenceTransformer(modules=[module], device="cpu").save(str(tmp_path / "m"))
    assert is_static_model(tmp_path / "m")
    assert_same(read_all(read_static_model, tmp_path / "m"), WORDS, ROWS)


def made(path: Path, tensors: dict[str, Any], folder: str = ".") -> Path:
    (path / folder).mkdir(parents=True)
    save_file(tensors, path / folder / "model.safetensors")
    tokenizer().save(str(path / folder / "tokenizer.json"))
    return path


def test_the_older_layout_of_sentence_transformers_is_read(tmp_path: Path) -> None:
    path = made(tmp_path / "m", {"embedding.weight": ROWS}, "0_StaticEmbedding")
    assert is_static_model(path)
    assert_same(read_all(read_static_model, path), WORDS, ROWS)


def test_padding_after_the_tokens_is_left_out_and_counted(tmp_path: Path) -> None:
    path = made(tmp_path / "m", {"embeddings": np.concatenate([ROWS, ROWS])})
    reading = read_static_model(path, ReadOptions())
    [block] = reading.blocks
    assert_same((block.tokens, block.rows), WORDS, ROWS)
    assert reading.notes == ["rows without a token, left out: 8"]


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"embeddings": ROWS[:3]}, "got 8 tokens and 3 vectors"),
        ({"embeddings": ROWS[0]}, r"expected \(V, D\) vectors, got \(4,\)"),
        ({"encoder": ROWS}, "has no tensor named embeddings or embedding.weight"),
        (
            {"embeddings": ROWS, "mapping": np.full(8, 8)},
            "mapping has rows from 8 to 8, expected 0 to 7",
        ),
        ({"embeddings": ROWS, "mapping": np.full(8, -1)}, "mapping has rows from -1 to -1"),
        ({"embeddings": ROWS, "mapping": np.ones(8)}, "mapping has type float64, not integers"),
        (
            {"embeddings": ROWS, "mapping": np.ones(3, int)},
            r"expected \(8,\) mapping, one for",
        ),
        ({"embeddings": ROWS, "weights": np.ones(3)}, r"expected \(8,\) weights, one for each"),
    ],
)
def test_files_that_do_not_match_are_refused(
    tensors: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=message):
        read_static_model(made(tmp_path / "m", tensors), ReadOptions())


def test_the_file_of_a_folder_names_the_folder(tmp_path: Path) -> None:
    path = made(tmp_path / "m", {"embeddings": ROWS})
    with pytest.raises(StoreError, match="has no tokens: its model has them in tok") as error:
        read_safetensors(path / "model.safetensors", ReadOptions())
    assert error.value.hint == f"read the folder instead: {path}"


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not the folder of a static model"):
        read_static_model(tmp_path, ReadOptions())
    assert not is_static_model(tmp_path)
    path = made(tmp_path / "bert", {"embeddings.word_embeddings.weight": ROWS})
    assert not is_static_model(path)
    (path / "model.safetensors").write_bytes(b"\xff" * 100)
    assert not is_static_model(path)


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    tensors = {"embeddings": vectors(3, 4), "mapping": np.zeros(8, int), "weights": np.ones(8)}
    path = made(tmp_path / "m", tensors)
    for name in ("model.safetensors", "tokenizer.json"):
        data = (path / name).read_bytes()
        for copy in damaged_copies(data, 300):
            (path / name).write_bytes(copy)
            read_or_refuse(read_static_model, path)
        (path / name).write_bytes(data)
    (path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 2**60}}}), "utf-8")
    assert not read_or_refuse(read_static_model, path)
    (path / "tokenizer.json").write_bytes(b"[" * 100_000)
    assert not read_or_refuse(read_static_model, path)
