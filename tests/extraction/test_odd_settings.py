"""Fields of a model's settings with values that make no sense: an extraction, or one line."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from support.counts import count_inputs
from wordvec.errors import WordvecError
from wordvec.extraction.extract import extract
from wordvec.tables.name import Mode
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

ODD: tuple[Any, ...] = (
    None, 0, -1, 1, 3, 1.5, 1e9, 10**9, 10**30, -1e300, True, False, float("inf"), float("nan"),
    "", "x", "\0", "\x1b[2J", "9" * 5000, "auto", [], [1], [[]], {}, {"a": 1},
)  # fmt: skip
OTHER_FIELDS = {  # beside those that the file of a tiny model has
    "config.json": (
        "pruned_heads", "torch_dtype", "dtype", "auto_map", "quantization_config", "id2label",
        "label2id", "num_labels", "is_decoder", "add_cross_attention", "chunk_size_feed_forward",
        "tie_word_embeddings", "attn_implementation", "text_config", "rope_scaling",
        "output_hidden_states", "return_dict", "tokenizer_class", "embedding_size",
    ),
    "tokenizer_config.json": (
        "added_tokens_decoder", "do_lower_case", "strip_accents", "tokenize_chinese_chars",
        "model_max_length", "word_tokenizer_type", "subword_tokenizer_type", "never_split",
        "mecab_kwargs", "additional_special_tokens", "extra_special_tokens", "cls_token",
    ),
}  # fmt: skip


def extract_with(model: Path, file: str, field: str, value: object, folder: Path) -> bool:
    """Extract the dynamic vectors of a copy of a model; return whether that was possible."""
    copy = shutil.copytree(model, folder / "model", dirs_exist_ok=True)
    fields = json.loads((model / file).read_text("utf-8"))
    (copy / file).write_text(json.dumps({**fields, field: value}), "utf-8")
    count_inputs()
    refusal = ""
    try:
        extract(str(copy), Mode.DYNAMIC, Store(folder / "store"), force=True)
    except WordvecError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert len(refusal) < 1000, (field, value)
    return not refusal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", -1),
        ("num_hidden_layers", 0),
        ("num_hidden_layers", "9" * 5000),
        ("hidden_size", 0),
        ("hidden_size", 1e9),
        ("num_attention_heads", 0),
        ("num_attention_heads", "x"),
        ("intermediate_size", 10**30),
        ("vocab_size", [1]),
        ("max_position_embeddings", {}),
        ("type_vocab_size", None),
        ("hidden_act", "x"),
        ("hidden_act", []),
        ("layer_norm_eps", "x"),
        ("model_type", "\x1b[2J"),
        ("num_labels", 10**9),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    field: str, value: object, tiny_bert: Path, tmp_path: Path
) -> None:
    assert not extract_with(tiny_bert, "config.json", field, value, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", OTHER_FIELDS)
def test_any_value_of_any_setting_gives_vectors_or_one_line(
    file: str, tiny_bert: Path, tmp_path: Path
) -> None:
    """Try 400 of about a thousand changes of one field."""
    fields = dict.fromkeys([*json.loads((tiny_bert / file).read_text()), *OTHER_FIELDS[file]])
    changes = [(field, value) for field in fields for value in ODD]
    drawn = random.Random(0).sample(changes, min(400, len(changes)))  # noqa: S311  # no secret
    results = [extract_with(tiny_bert, file, *change, tmp_path) for change in drawn]
    assert set(results) == {True, False}
