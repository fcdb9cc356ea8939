"""Text is cut into sentences, and sentences into ids, as the models' own tokenizers do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.corpora import SENTENCES
from support.models import JAPANESE, write_vocab_txt
from wordvec.errors import MissingExtraError, StoreError
from wordvec.extraction.corpus import Block, Corpus
from wordvec.extraction.sentences import (
    MAX_CHARS,
    SentenceCutter,
    equal_parts,
    longest_text,
    split_sentences,
)
from wordvec.extraction.workers import cut_blocks
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = (
    *SENTENCES,
    *("ｋｉｎｇ　ﾊﾟﾘ", "王\u3000女", "㍿", "AI、Don't! café 1998年", "王" * 120, "\u200b", "𠮷野家"),
)


def block(text: str | bytes, field: str | None = None, line: int = 1) -> Block:
    data = text.encode() if isinstance(text, str) else text
    return Block(data, "corpus.txt", line, field, len(data))


def cut(cutter: SentenceCutter, text: str | bytes, **options: Any) -> list[list[int]]:
    found = cutter.cut(block(text, **options))
    return [part.tolist() for part in np.split(found.ids, np.cumsum(found.lengths)[:-1])]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("王。女。", ["王。", "女。"]),
        ("「王？」女", ["「王？」", "女"]),
        ("王！？（女。）男", ["王！？", "（女。）", "男"]),
        ("王\r\n\n  女  \n", ["王", "女"]),
        ("a. b? c!", ["a. b? c!"]),
        ("。", ["。"]),
        ("", []),
        (" \n\u3000\n", []),
    ],
)
def test_sentences_end_at_lines_and_after_the_marks(text: str, sentences: list[str]) -> None:
    assert list(split_sentences(text)) == sentences


def test_a_sentence_without_an_end_is_cut_after_a_comma_or_by_length() -> None:
    text = "王" * 1500 + "、" + "女" * 5000
    parts = list(split_sentences(text))
    assert list(map(len, parts)) == [1501, MAX_CHARS, MAX_CHARS, 1000]
    assert "".join(parts) == text


@pytest.mark.parametrize(("length", "longest"), [(1, 14), (14, 14), (15, 14), (100, 14)])
def test_a_long_piece_is_cut_as_numpy_splits_an_array(length: int, longest: int) -> None:
    parts = equal_parts(length, longest)
    theirs = np.array_split(np.arange(length), -(-length // longest))
    assert parts == list(map(len, theirs))
    assert max(parts) <= longest


@pytest.mark.parametrize(
    "name",
    ["bert", "distilbert", "electra", "roberta", "modernbert", "xlm-roberta", "luke", "mpnet"],
)
def test_sentences_are_cut_as_transformers_cuts_them(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    has_file = (tiny_model(name) / "tokenizer.json").is_file()  # what the model was trained with
    kind = PreTrainedTokenizerFast if has_file else AutoTokenizer
    theirs = kind.from_pretrained(tiny_model(name))
    vocabulary = read_vocabulary(tiny_model(name))
    cutter = SentenceCutter(vocabulary, 10_000)
    for text in TEXTS:
        expected = theirs(text, add_special_tokens=False)["input_ids"]
        assert cut(cutter, text) == [expected], text


def test_albert_lower_cases_a_sentence_as_it_does_a_word(
    tiny_model: Callable[[str], Path],
) -> None:
    cutter = SentenceCutter(read_vocabulary(tiny_model("albert")), 10_000)
    [ids] = cut(cutter, "THE King of the ISLAND")
    assert [ids] == cut(cutter, "the king of the island")
    assert 1 not in ids  # <unk>


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("subwords", ["wordpiece", "character"])
def test_japanese_is_cut_as_bert_japanese_tokenizer_cuts_it(
    *,
    lowercase: bool,
    subwords: str,
    tmp_path: Path,
) -> None:
    from transformers import BertJapaneseTokenizer

    write_vocab_txt(tmp_path, JAPANESE)
    settings = {
        "tokenizer_class": "BertJapaneseTokenizer",
        "word_tokenizer_type": "mecab",
        "subword_tokenizer_type": subwords,
        "do_lower_case": lowercase,
        "mecab_kwargs": {"mecab_dic": "ipadic"},
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    theirs = BertJapaneseTokenizer.from_pretrained(tmp_path)
    cutter = SentenceCutter(read_vocabulary(tmp_path), 10_000)
    for text in TEXTS:
        assert cut(cutter, text) == [theirs(text, add_special_tokens=False)["input_ids"]], text


def test_without_mecab_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_vocab_txt(tmp_path, JAPANESE)
    monkeypatch.setitem(__import__("sys").modules, "fugashi", None)
    with pytest.raises(MissingExtraError, match="needs MeCab") as caught:
        SentenceCutter(read_vocabulary(tmp_path), 14)
    assert caught.value.hint == "pip install 'wordvec[ja]'"


@pytest.mark.parametrize(
    "name", ["bert", "roberta", "xlm-roberta", "mpnet", "luke", "distilbert", "modernbert"]
)
def test_the_longest_text_is_what_the_model_reads(
    name: str, tiny_model: Callable[[str], Path]
) -> None:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tiny_model(name))
    longest = longest_text(tiny_model(name))
    assert longest == (62 if name == "modernbert" else 14)
    model(input_ids=torch.full((1, longest + 2), 5))
    if name != "modernbert":  # its positions have no end
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, longest + 3), 5))


def test_broken_utf8_is_replaced_and_counted(tiny_bert: Path) -> None:
    cutter = SentenceCutter(read_vocabulary(tiny_bert), 14)
    data = "王。\ufffd女".encode() + b"\xff\xe7\x8e" + "男。".encode() + "王".encode()[:2]
    found = cutter.cut(block(data))
    assert found.replaced == 3
    assert found.starts.sum() == 3


def test_json_lines_give_the_text_of_their_field(tiny_bert: Path) -> None:
    cutter = SentenceCutter(read_vocabulary(tiny_bert), 14)
    lines = '{"text": "王。女。\\n男", "id": 1}\n\n{"text": "\\ud800王"}\n'
    plain = cut(cutter, "王。女。\n男\n\ufffd王")
    assert cut(cutter, lines, field="text") == plain
    assert cutter.cut(block(lines, "text")).replaced == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": 1, "body": "x"}', "line 8 has no text in the field 'text'; its fields with"),
        ('{"body": "x"', r"line 8 is not JSON \(Expecting ',' delimiter"),
        ("[1]", "line 8 is not a JSON object"),
    ],
)
def test_a_bad_line_of_json_is_named(line: str, message: str, tiny_bert: Path) -> None:
    cutter = SentenceCutter(read_vocabulary(tiny_bert), 14)
    with pytest.raises(StoreError, match=f"corpus.txt: {message}"):
        cutter.cut(block('{"text": "x"}\n' + line, "text", 7))


def test_nul_does_not_end_a_sentence(tiny_bert: Path) -> None:
    cutter = SentenceCutter(read_vocabulary(tiny_bert), 14)
    assert cut(cutter, "王\0女") == cut(cutter, "王 女")


def test_processes_cut_as_one_does(tiny_bert: Path, tmp_path: Path) -> None:
    from wordvec.extraction import corpus as module

    (tmp_path / "text").write_text("\n".join(SENTENCES * 60), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", 3000)
        blocks = list(Corpus.of([tmp_path / "text"]).blocks())
    assert len(blocks) > 6
    V = len(JAPANESE)
    alone = [text for _, text in cut_blocks(blocks, tiny_bert, V, workers=0)]
    together = list(cut_blocks(blocks, tiny_bert, V, workers=2))
    assert [one for one, _ in together] == blocks
    for ours, theirs in zip(together, alone, strict=True):
        assert ours[1].ids.tolist() == theirs.ids.tolist()
        assert ours[1].lengths.tolist() == theirs.lengths.tolist()
