"""Dynamic vectors, compared with the article's method: one forward pass per token."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support import models as models_on_disk
from wordvec.errors import ModelError, UsageError
from wordvec.extraction.carriers import special_ids
from wordvec.extraction.extract import extract
from wordvec.tables.name import Mode
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    TinyModel = Callable[[str], Path]

SPECIALS = {
    "bert": (2, 3),
    "distilbert": (2, 3),
    "electra": (2, 3),
    "roberta": (0, 2),
    "albert": (2, 3),
    "deberta-v2": (2, 3),
    "modernbert": (1, 2),
    "xlm-roberta": (0, 2),
    "luke": (0, 2),
    "mpnet": (0, 2),
}
"""Ids of [CLS] and [SEP] in the tiny models of support/models.py."""


def run_articles_loop(folder: Path, cls_id: int, sep_id: int) -> NDArray[np.float32]:
    """Compute (V, D) vectors as the article does: one pass per id, hidden state at position 1."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).float().eval()
    rows = []
    with torch.no_grad():
        for id_ in range(len(read_vocabulary(folder))):
            hidden = model(input_ids=torch.tensor([[cls_id, id_, sep_id]])).last_hidden_state
            rows.append(hidden[0, 1].numpy())
    return np.stack(rows)


def extract_vectors(
    folder: Path, store: Store, mode: str = "dynamic", **options: Any
) -> NDArray[np.float32]:
    result = extract(str(folder), mode, store, **options)
    return store.open(result.table).vectors


def assert_close(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
    """|Δ| ≤ 1e-5 + 1e-4 × the row's largest absolute value, in every row."""
    limit = 1e-5 + 1e-4 * np.abs(theirs).max(axis=1, keepdims=True)
    assert ours.shape == theirs.shape
    assert np.all(np.abs(ours - theirs) <= limit)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


@pytest.mark.parametrize("name", SPECIALS)
def test_dynamic_vectors_equal_those_of_the_articles_loop(
    name: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    ours = extract_vectors(folder, store, batch_size=16)
    assert_close(ours, run_articles_loop(folder, *SPECIALS[name]))


def test_analogies_have_the_same_ten_neighbours_as_in_the_articles_loop(
    tiny_bert: Path, store: Store
) -> None:
    def ten_nearest(vectors: NDArray[np.float32], query: NDArray[np.float64]) -> list[int]:
        order = np.argsort(np.linalg.norm(vectors - query, axis=1), kind="stable")
        return [int(row) for row in order[:10]]

    ours = extract_vectors(tiny_bert, store)
    theirs = run_articles_loop(tiny_bert, *SPECIALS["bert"])
    for a, b, c in np.random.default_rng(0).integers(0, len(ours), (1000, 3)):
        queries = [(rows[a] - rows[b] + rows[c]).astype(np.float64) for rows in (ours, theirs)]
        assert ten_nearest(ours, queries[0]) == ten_nearest(theirs, queries[1])


def test_static_and_dynamic_vectors_may_have_different_widths(
    tiny_model: TinyModel, store: Store
) -> None:
    result = extract(str(tiny_model("albert")), "dynamic", store)
    assert result.also_saved is not None
    static, dynamic = store.open(result.also_saved), store.open(result.table)
    assert (static.dimensions, dynamic.dimensions) == (16, 32)
    assert len(static) == len(dynamic)


def test_an_embedding_matrix_with_padding_gives_one_row_per_token(
    tmp_path: Path, store: Store
) -> None:
    folder = models_on_disk.japanese_bert(tmp_path / "padded", rows=88)
    assert extract_vectors(folder, store).shape == (82, 32)


def test_a_model_saved_in_float16_is_computed_in_float32(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    import transformers

    folder = shutil.copytree(tiny_bert, tmp_path / "half")
    transformers.BertModel.from_pretrained(folder).half().save_pretrained(folder)
    ours = extract_vectors(folder, store)
    assert_close(ours, run_articles_loop(folder, 2, 3))  # which converts the weights first
    assert len(np.unique(ours)) > len(np.unique(ours.astype(np.float16)))


def test_bfloat16_differs_from_float32_by_about_one_per_cent(tiny_bert: Path, store: Store) -> None:
    exact = extract_vectors(tiny_bert, store)
    rough = extract_vectors(tiny_bert, store, dtype="bfloat16", force=True)
    error = np.linalg.norm(rough - exact) / np.linalg.norm(exact)
    assert 1e-4 < error < 0.02


@pytest.mark.parametrize("kind", ["sharded", "in_pytorch_format"])
@pytest.mark.parametrize("mode", [Mode.STATIC.value, Mode.DYNAMIC.value])
def test_weights_in_shards_or_in_pytorch_format_give_the_same_vectors(
    kind: str, mode: str, tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = getattr(models_on_disk, kind)(tmp_path / kind)
    assert not (folder / "model.safetensors").exists()
    theirs = extract_vectors(tiny_bert, Store(tmp_path / "other"), mode)
    np.testing.assert_array_equal(extract_vectors(folder, store, mode), theirs)


class _Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.folder / "sprung"), "w"))


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_a_pytorch_file_with_more_than_weights_is_not_loaded_and_runs_nothing(
    mode: str, tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    import torch

    folder = shutil.copytree(tiny_bert, tmp_path / "evil")
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": _Trap(tmp_path)}, folder / "pytorch_model.bin")
    with pytest.raises(
        ModelError, match=r"was not loaded: it contains more than weights \(GLOBAL io\.open\)"
    ):
        extract(str(folder), mode, store)
    assert not (tmp_path / "sprung").exists()


def test_missing_weights_are_an_error_and_not_filled_with_random_numbers(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "holes")
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError,
        match=r"1 weights of the encoder are missing \(encoder.layer.1.output.dense.weight …\)",
    ):
        extract(str(folder), "dynamic", store)


def rename(state: dict[str, Any], prefix: str = "", **names: str) -> dict[str, Any]:
    """Return the weights under other names: `prefix` before each, and single ones replaced."""
    return {
        prefix + names.get(name.replace(".", "_"), name): value for name, value in state.items()
    }


MATRIX = "embeddings_word_embeddings_weight"
STATES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "data parallel": lambda state: rename(state, "module."),
    "compiled": lambda state: rename(state, "_orig_mod."),
    "in another module": lambda state: rename(state, "model.bert."),
    "tied head": lambda state: rename(state, **{MATRIX: "cls.predictions.decoder.weight"}),
    "trained in full by PEFT": lambda state: rename(
        state, **{MATRIX: "embeddings.word_embeddings.modules_to_save.default.weight"}
    ),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("form", ["safetensors", "bin", "wrapped bin"])
def test_weights_under_other_names_give_the_same_vectors(
    state: str, form: str, tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "renamed")
    weights = folder / "model.safetensors"
    tensors = STATES[state](load_file(weights))
    if form == "safetensors":
        save_file(tensors, weights, metadata={"format": "pt"})
    else:
        weights.unlink()
        content = {"state_dict": tensors} if form == "wrapped bin" else tensors
        torch.save(content, folder / "pytorch_model.bin")
    theirs = extract_vectors(tiny_bert, Store(tmp_path / "other"))
    np.testing.assert_array_equal(extract_vectors(folder, store), theirs)


def test_a_masked_language_model_that_names_its_matrix_after_the_output_layer_can_be_loaded(
    tiny_model: TinyModel, tmp_path: Path, store: Store
) -> None:
    import safetensors.torch
    import transformers

    folder = shutil.copytree(tiny_model("roberta"), tmp_path / "mlm")
    model = transformers.RobertaForMaskedLM.from_pretrained(folder)
    weights = folder / "model.safetensors"
    safetensors.torch.save_model(model, str(weights), {"format": "pt"})  # shared tensors once
    names = safetensors.torch.load_file(weights).keys()
    assert "lm_head.decoder.weight" in names
    assert "roberta.embeddings.word_embeddings.weight" not in names
    for mode in (Mode.STATIC, Mode.DYNAMIC):
        theirs = extract_vectors(tiny_model("roberta"), Store(tmp_path / "other"), mode)
        np.testing.assert_array_equal(extract_vectors(folder, store, mode), theirs)


@pytest.mark.parametrize("dtype", ["int8", "complex64"])
def test_a_layer_that_is_not_of_floats_is_an_error(
    dtype: str, tmp_path: Path, store: Store
) -> None:
    import torch

    folder = models_on_disk.in_pytorch_format(tmp_path / "bin")
    weights = folder / "pytorch_model.bin"
    state = torch.load(weights, weights_only=True)
    name = "encoder.layer.0.output.dense.weight"
    torch.save({**state, name: state[name].to(getattr(torch, dtype))}, weights)
    with pytest.raises(ModelError, match=f"{name} has type {dtype}, expected one of BF16"):
        extract(str(folder), "dynamic", store)


def test_tokens_without_a_row_are_left_out_of_both_tables(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "short")
    (folder / "added_tokens.json").write_text('{"<a>": 82, "<b>": 83}')
    notes: list[str] = []
    result = extract(str(folder), "dynamic", store, notify=notes.append)
    assert result.shape == (82, 32)
    (note,) = notes
    assert note == (
        "2 tokens have no vector, because the model's matrix has only 82 rows for 84 tokens: "
        "left out from id 82 on (<a>, <b>)"
    )
    assert result.also_saved is not None
    assert store.open(result.also_saved).vocabulary == store.open(result.table).vocabulary
    ours = store.open(result.table).vectors
    np.testing.assert_array_equal(ours, extract_vectors(tiny_bert, store))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("gpt2", "is a decoder, in which a token does not see the tokens after it"),
        ("t5", "is an encoder-decoder"),
    ],
)
def test_a_model_that_is_not_an_encoder_has_no_dynamic_vectors(
    name: str, what: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    with pytest.raises(ModelError, match=what) as caught:
        extract(str(folder), "dynamic", store)
    assert caught.value.hint == (
        f"for its static vectors: wordvec extract --mode static --model {folder}"
    )


def test_a_vocabulary_without_cls_and_sep_has_no_dynamic_vectors() -> None:
    with pytest.raises(ModelError, match=r"dynamic vectors need the tokens \[CLS\] and \[SEP\]"):
        special_ids(Vocabulary(("王",)))


def test_code_that_comes_with_a_model_is_not_run(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "own-code")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": "novel", "auto_map": {"AutoConfig": "code.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    with pytest.raises(ModelError, match="transformers cannot load it"):
        extract(str(folder), "dynamic", store)
    assert not (tmp_path / "sprung").exists()


def test_an_unavailable_device_is_a_usage_error(tiny_bert: Path, store: Store) -> None:
    import torch

    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(UsageError, match=f'device="{absent}" is not available here') as caught:
        extract(str(tiny_bert), "dynamic", store, device=absent)
    assert caught.value.hint == 'device="auto" uses the best available'
