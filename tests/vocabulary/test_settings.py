"""The class of a tokenizer, which decides how the ids of SentencePiece are shifted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.models import write_sentencepiece
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.settings import TokenizerSettings

if TYPE_CHECKING:
    from pathlib import Path

SHIFTED = ("XLMRoberta",)


@pytest.mark.parametrize(
    ("in_tokenizer", "in_config", "expected"),
    [
        (None, "XLMRobertaTokenizer", True),
        ("", "XLMRobertaTokenizer", True),
        ("BertTokenizer", "XLMRobertaTokenizer", False),
        ("XLMRobertaTokenizerFast", "BertTokenizer", True),
        (None, None, False),
    ],
)
def test_the_class_in_config_json_counts_if_tokenizer_config_json_has_none(
    in_tokenizer: str | None, in_config: str | None, *, expected: bool
) -> None:
    settings = TokenizerSettings(
        config={"model_type": "bert", "tokenizer_class": in_config},
        tokenizer={"tokenizer_class": in_tokenizer},
        special_map={},
        added={},
    )
    assert settings.is_of(SHIFTED) is expected


def test_a_class_in_config_json_shifts_the_rows(tmp_path: Path) -> None:
    size = write_sentencepiece(tmp_path / "sentencepiece.bpe.model", ("<pad>", "</s>", "<unk>"))
    config = {"model_type": "bert", "tokenizer_class": "XLMRobertaTokenizer"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    vocabulary = read_vocabulary(tmp_path)
    assert vocabulary.tokens[:4] == ("<s>", "<pad>", "</s>", "<unk>")
    assert vocabulary.tokens[-1] == "<mask>"
    assert len(vocabulary) == size + 2
