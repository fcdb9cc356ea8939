"""Static vectors, compared with the input embeddings that transformers loads."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support import models as models_on_disk
from wordvec.errors import ModelError
from wordvec.extraction.rows import fit_vocabulary
from wordvec.extraction.static import read_static_vectors
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def static_vectors(folder: Path) -> NDArray[np.float32]:
    return read_static_vectors(folder, read_vocabulary(folder)).vectors


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


def test_tokens_without_a_row_are_left_out_with_a_note(tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "short")
    (folder / "added_tokens.json").write_text('{"<a>": 82, "<b>": 83, "[SEP2]": 84, "<d>": 85}')
    settings = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    settings |= {"cls_token": "[CLS]", "sep_token": "[SEP2]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    static = read_static_vectors(folder, read_vocabulary(folder))
    assert static.vocabulary.tokens == models_on_disk.JAPANESE
    assert (static.vocabulary.cls_id, static.vocabulary.sep_id) == (2, None)
    assert static.vocabulary.special_ids == (2,)
    (note,) = static.notes
    assert note == (
        "4 tokens have no vector, because the model's matrix has only 82 rows for 86 tokens: "
        "left out from id 82 on (<a>, <b>, [SEP2], …)"
    )
    np.testing.assert_array_equal(static.vectors, static_vectors(tiny_bert))


@pytest.mark.parametrize(
    ("rows", "tokens"),
    [
        (102_400, 100_015),  # DeepSeek
        (51_200, 50_257),  # CodeGen, its vocab.json
        (50_368, 50_280),  # ModernBERT
        (128_100, 128_000),  # DeBERTa-v3
        (251_000, 250_102),  # mDeBERTa-v3
        (151_936, 151_643),  # Qwen, its vocab.json
        (32_128, 32_000),  # T5, its spiece.model
        (250_002, 250_002),  # XLM-R
        (119_547, 119_547),  # mBERT
        (384, 259),  # ByT5
    ],
)
def test_the_padding_of_real_models_is_accepted(rows: int, tokens: int, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": rows}))
    vocabulary = Vocabulary(tuple(map(str, range(tokens))))
    assert fit_vocabulary(vocabulary, rows, tmp_path).vocabulary is vocabulary


@pytest.mark.parametrize(
    ("rows", "vocab_size", "tokens", "message"),
    [
        (32_000, 32_000, 3, "has 3 tokens, but its word-embedding matrix has 32,000 rows"),
        (82, 82, 3, "has 3 tokens, but its word-embedding matrix has 82 rows"),
        (1_000, None, 700, "has 700 tokens, but its word-embedding matrix has 1,000 rows"),
        (82, 32_000, 82, "has 82 tokens, but vocab_size in its config.json is 32,000"),
        (100, None, 32_000, "has 32,000 tokens, but its word-embedding matrix has 100 rows"),
    ],
)
def test_a_vocabulary_of_another_size_is_an_error_with_both_numbers(
    rows: int, vocab_size: int | None, tokens: int, message: str, tmp_path: Path
) -> None:
    config = {} if vocab_size is None else {"vocab_size": vocab_size}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        fit_vocabulary(Vocabulary(tuple(map(str, range(tokens)))), rows, tmp_path)


def test_any_number_of_added_tokens_may_lack_a_row(tmp_path: Path) -> None:
    added = {f"<{row}>": row for row in range(100, 1_000)}
    (tmp_path / "added_tokens.json").write_text(json.dumps(added))
    (tmp_path / "config.json").write_text('{"vocab_size": 100}')
    vocabulary = Vocabulary(tuple(map(str, range(1_000))))
    assert len(fit_vocabulary(vocabulary, 100, tmp_path).vocabulary) == 100


def with_tensors(model: Path, folder: Path, tensors: dict[str, Any]) -> Path:
    """Copy a model, with other weights in safetensors format."""
    from safetensors.numpy import save_file

    shutil.copytree(model, folder)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def tensors_of(model: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(model / "model.safetensors"))


@pytest.mark.parametrize(
    "name",
    [
        "lm_head.weight",
        "lm_head.decoder.weight",
        "cls.predictions.decoder.weight",
        "tok_embeddings.weight",
        "text_model.embeddings.token_embedding.weight",
        "base_model.model.model.embed_tokens.modules_to_save.default.weight",
        "module.bert.embeddings.word_embeddings.weight",
        "_orig_mod.module.embeddings.word_embeddings.weight",
        "model._orig_mod.wte.weight",
    ],
)
def test_the_matrix_is_found_under_the_name(name: str, tiny_bert: Path, tmp_path: Path) -> None:
    tensors = tensors_of(tiny_bert)
    matrix = tensors.pop("embeddings.word_embeddings.weight")
    folder = with_tensors(tiny_bert, tmp_path / "other", {**tensors, name: matrix})
    np.testing.assert_array_equal(static_vectors(folder), matrix)


def test_the_trained_copy_of_peft_is_used_and_not_the_original(
    tiny_bert: Path, tmp_path: Path
) -> None:
    tensors = tensors_of(tiny_bert)
    matrix = tensors.pop("embeddings.word_embeddings.weight")
    tensors["model.embed_tokens.original_module.weight"] = matrix
    tensors["model.embed_tokens.modules_to_save.default.weight"] = matrix + 1
    folder = with_tensors(tiny_bert, tmp_path / "peft", tensors)
    np.testing.assert_array_equal(static_vectors(folder), matrix + 1)


def test_an_output_layer_that_is_not_tied_is_not_taken_as_word_embeddings(
    tiny_bert: Path, tmp_path: Path
) -> None:
    matrix = np.ones((82, 4), np.float32)
    folder = with_tensors(tiny_bert, tmp_path / "untied", {"lm_head.weight": matrix})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    with pytest.raises(ModelError, match="has a known name for word embeddings"):
        static_vectors(folder)


def test_weights_without_a_known_name_are_an_error_that_lists_tensors_with_a_row_per_token(
    tiny_bert: Path, tmp_path: Path
) -> None:
    folder = with_tensors(
        tiny_bert,
        tmp_path / "other",
        {"a": np.zeros((82, 4)), "b": np.zeros(82), "c": np.zeros((88, 2)), "d": np.zeros((9, 9))},
    )
    with pytest.raises(ModelError) as caught:
        static_vectors(folder)
    assert caught.value.message == (
        f"{folder}: none of the 4 tensors has a known name for word embeddings; "
        "about one row per token (82) have: a (82, 4), c (88, 2)"
    )


def test_weights_without_a_word_embedding_matrix_are_an_error(
    tiny_bert: Path, tmp_path: Path
) -> None:
    folder = with_tensors(tiny_bert, tmp_path / "other", {"a": np.zeros(1), "b": np.zeros(1)})
    with pytest.raises(ModelError, match="none of the 2 tensors has a known name for word embedd"):
        static_vectors(folder)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_a_dictionary_around_the_tensors_of_a_pytorch_file_is_opened(
    wrapper: str, tiny_bert: Path, tmp_path: Path
) -> None:
    import torch

    folder = models_on_disk.in_pytorch_format(tmp_path / "bin")
    weights = folder / "pytorch_model.bin"
    state = torch.load(weights, weights_only=True)
    state["embeddings.word_embeddings.weight"] = torch.nn.Parameter(
        state["embeddings.word_embeddings.weight"]
    )
    torch.save({"epoch": 3, "optimizer": {}, wrapper: {"state_dict": state}}, weights)
    np.testing.assert_array_equal(static_vectors(folder), static_vectors(tiny_bert))


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "complex64", "float8_e4m3fn"])
def test_a_pytorch_matrix_that_is_not_of_plain_floats_is_an_error(
    dtype: str, tmp_path: Path
) -> None:
    import torch

    folder = models_on_disk.in_pytorch_format(tmp_path / "bin")
    weights = folder / "pytorch_model.bin"
    state = torch.load(weights, weights_only=True)
    name = "embeddings.word_embeddings.weight"
    state[name] = state[name].to(getattr(torch, dtype))
    torch.save(state, weights)
    with pytest.raises(
        ModelError, match=f"{name} has type {dtype}, expected one of BF16, F16, F32, F64"
    ):
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
