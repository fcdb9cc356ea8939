"""Static vectors, compared with the input embeddings that transformers loads."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support import models as models_on_disk
from wordvec.errors import ModelError
from wordvec.extraction.static import read_static_vectors
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def static_vectors(folder: Path) -> NDArray[np.float32]:
    return read_static_vectors(folder, read_vocabulary(folder))


@pytest.mark.parametrize("name", models_on_disk.MAKERS)
def test_static_vectors_are_the_models_input_embeddings(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    import transformers

    folder = tiny_model(name)
    vectors = static_vectors(folder)
    matrix = transformers.AutoModel.from_pretrained(folder).get_input_embeddings().weight
    np.testing.assert_array_equal(vectors, matrix.detach().float().numpy()[: len(vectors)])


def test_a_matrix_with_padding_gives_one_row_per_token(tmp_path: Path) -> None:
    folder = models_on_disk.japanese_bert(tmp_path / "padded", rows=88)
    assert len(models_on_disk.JAPANESE) == 82
    assert static_vectors(folder).shape == (82, 32)


def test_a_matrix_with_fewer_rows_than_tokens_is_an_error(tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "short")
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("もう一つ\n")
    with pytest.raises(ModelError, match=r"expected \(83, D\) word embeddings, got \(82, 32\) in "):
        static_vectors(folder)


def test_weights_without_a_word_embedding_matrix_are_an_error(
    tiny_bert: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "other")
    save_file({"a": np.zeros(1), "b": np.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="none of the 2 tensors has a known name for word embedd"):
        static_vectors(folder)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_matrix_of_another_dtype_is_converted_to_float32(
    dtype: str, tiny_bert: Path, tmp_path: Path
) -> None:
    import torch
    import transformers

    folder = shutil.copytree(tiny_bert, tmp_path / dtype)
    model = transformers.BertModel.from_pretrained(folder).to(getattr(torch, dtype))
    model.save_pretrained(folder)
    expected = model.get_input_embeddings().weight.detach().float().numpy()
    vectors = static_vectors(folder)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, expected)


def test_a_quantised_matrix_is_an_error(tiny_bert: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "int8")
    tensors = load_file(folder / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    tensors[name] = tensors[name].astype(np.int8)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(
        ModelError, match=f"{name} has type I8, expected one of BF16, F16, F32, F64"
    ):
        static_vectors(folder)


@pytest.mark.parametrize("keep", [4, 1000, -8])
def test_a_truncated_weight_file_is_named(keep: int, tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"model\.safetensors is truncated or damaged"):
        static_vectors(folder)


@pytest.mark.parametrize("form", ["archive", "legacy"])  # archives since torch 1.6
def test_a_pytorch_file_is_loaded_once_and_is_named_when_damaged(
    form: str, tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    folder = models_on_disk.in_pytorch_format(tmp_path / "bin")
    weights = folder / "pytorch_model.bin"
    state = torch.load(weights, weights_only=True)
    torch.save(state, weights, _use_new_zipfile_serialization=form == "archive")
    loads: list[Path] = []
    load = torch.load

    def counted(path: Path, **options: Any) -> object:
        loads.append(path)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", counted)
    np.testing.assert_array_equal(static_vectors(folder), static_vectors(tiny_bert))
    assert loads == [weights]
    weights.write_bytes(weights.read_bytes()[:-5000])
    with pytest.raises(
        ModelError, match=r"pytorch_model\.bin (is truncated or damaged|was not loaded)"
    ):
        static_vectors(folder)


def test_a_pytorch_file_without_tensors_by_name_is_an_error(
    tiny_bert: Path, tmp_path: Path
) -> None:
    import torch

    folder = shutil.copytree(tiny_bert, tmp_path / "list")
    (folder / "model.safetensors").unlink()
    torch.save([torch.zeros(1)], folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="expected a dictionary of tensors, got a list"):
        static_vectors(folder)
