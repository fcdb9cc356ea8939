"""Words are cut and found as the models' own tokenizers read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.models import ENGLISH, JAPANESE, write_vocab_txt
from wordvec.errors import ModelError
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.lookup import TokenMatch, Vocabulary
from wordvec.vocabulary.spelling import Scheme
from wordvec.vocabulary.tokenizer import TokenizerFile, TokenizerKind, load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = (
    *("king", "kings", "King", "KING", "the king", "don't", "e-mail", "1998年", "C++", "a", ""),
    *("王", "女王", "女王陛下", "王様", "パリ", "ﾊﾟﾘ", "東京の王", "São Paulo", "café", "ｋｉｎｇ"),
)


@pytest.fixture
def uncased(tmp_path: Path) -> Path:
    """A BERT that lower-cases and strips accents, with `vocab.txt` alone."""
    tokens: tuple[str, ...]
    tokens = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ENGLISH, "don", "t", "'", "e", "-")
    tokens += ("mail", "cafe", "sao", "王", "女", "ハ", "リ", "##リ", "##s", "##a", "##na", "na")
    write_vocab_txt(tmp_path, tokens)
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return tmp_path


def pieces(vocabulary: Vocabulary, word: str) -> list[str] | None:
    ids = vocabulary.pieces(word)
    return None if ids is None else [vocabulary.tokens[id_] for id_ in ids]


def test_bert_cuts_at_punctuation_and_kanji_as_transformers_does(uncased: Path) -> None:
    from transformers import BertTokenizer

    theirs = BertTokenizer.from_pretrained(uncased)
    ours = read_vocabulary(uncased)
    assert ours.cuts_exactly
    assert pieces(ours, "don't") == ["don", "'", "t"]
    assert pieces(ours, "王女") == ["王", "女"]
    for word in WORDS:
        expected = theirs.tokenize(word)
        assert pieces(ours, word) == (None if "[UNK]" in expected or not expected else expected)


@pytest.mark.parametrize(
    ("word", "token", "form"),
    [
        ("King", "king", "lower case"),
        ("café", "cafe", "without accents"),
        ("CAFÉ", "cafe", "lower case, without accents"),
        ("São", "sao", "lower case, without accents"),
        ("king\u200b", "king", "without U+200B"),
        ("\ufeffking", "king", "without U+FEFF"),
        ("ki\u00adng", "king", "without U+00AD"),
        ("王\ufe00", "王", "without U+FE00"),
    ],
)
def test_a_word_is_found_as_the_normaliser_of_the_model_changes_it(
    uncased: Path, word: str, token: str, form: str
) -> None:
    vocabulary = read_vocabulary(uncased)
    id_ = vocabulary.id_of(token)
    assert id_ is not None
    assert vocabulary.find(word) == TokenMatch(id_, token, form)


def test_a_model_that_strips_accents_reads_pa_as_ha(uncased: Path) -> None:
    assert pieces(read_vocabulary(uncased), "パリ") == ["ハ", "##リ"]


def unigram(folder: Path, *, prepend: str = "always") -> Path:
    """Write a Unigram tokenizer in which `king` is a word and a piece, and `王` only a piece."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    scores = [("<unk>", 0.0), ("▁", -3.0), ("▁king", -4.0), ("king", -5.0), ("王", -5.0)]
    scores += [("s", -3.0), ("▁王", -20.0), ("女", -5.0), ("❤", -5.0), ("▁Queen", -4.0)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_an_english_word_is_the_token_that_starts_a_word(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(unigram(tmp_path))
    assert vocabulary.scheme is Scheme.SENTENCEPIECE
    assert vocabulary.find("king") == TokenMatch(2, "▁king", None)
    assert vocabulary.find("▁king") == TokenMatch(2, "▁king", None)
    assert pieces(vocabulary, "kings") == ["▁king", "s"]


def test_a_word_without_its_mark_is_taken_with_a_note(tmp_path: Path) -> None:
    note = "without the ▁ that the model puts before it"
    vocabulary = read_vocabulary(unigram(tmp_path))
    assert pieces(vocabulary, "女") == ["▁", "女"]
    assert vocabulary.find("女") == TokenMatch(7, "女", note)
    assert vocabulary.find("❤\ufe0f") == TokenMatch(8, "❤", f"without U+FE0F, {note}")


def test_kanji_have_no_mark_if_the_tokenizer_puts_none(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(unigram(tmp_path, prepend="never"))
    assert vocabulary.find("王") == TokenMatch(4, "王", None)
    assert vocabulary.find("king") == TokenMatch(2, "▁king", "as after a space")
    assert pieces(vocabulary, "kings") == ["▁king", "s"]


@pytest.mark.parametrize("name", ["xlm-roberta", "mpnet", "llama"])
def test_a_word_is_cut_and_found_as_transformers_reads_it(
    tiny_model: Callable[[str], Path], name: str
) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(tiny_model(name))
    ours = read_vocabulary(tiny_model(name))
    single = 0
    for word in ("king", "queens", "女王", "王", "the king", "島", "don't", "island"):
        expected = theirs.tokenize(word)
        known = all(ours.id_of(token) is not None for token in expected) and "[UNK]" not in expected
        assert pieces(ours, word) == (expected if known else None)
        if known and len(expected) == 1:
            single += 1
            found = ours.find(word)
            assert found is not None
            assert (found.token, found.form) == (expected[0], None)
    assert single > 0


@pytest.mark.parametrize("name", ["roberta", "modernbert", "gpt2", "luke", "qwen2"])
def test_a_byte_level_word_is_cut_as_after_a_space_if_its_script_has_spaces(
    tiny_model: Callable[[str], Path], name: str
) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast.from_pretrained(tiny_model(name))
    ours = read_vocabulary(tiny_model(name))
    for word in ("king", "queens", "王", "islands of", "don't"):
        after_space, alone = theirs.tokenize(f" {word}"), theirs.tokenize(word)
        assert pieces(ours, word) == (alone if after_space[0] == "Ġ" or word == "王" else after_space)


@pytest.mark.parametrize("name", ["albert", "t5"])
def test_a_sentencepiece_model_cuts_as_the_library_does(
    tiny_model: Callable[[str], Path], name: str
) -> None:
    import sentencepiece

    folder = tiny_model(name)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    ours = read_vocabulary(folder)
    assert ours.cuts_exactly
    unknown = theirs.IdToPiece(theirs.unk_id())
    for word in ("king", "queens", "王", "女王", "the king", "z王"):
        ids = theirs.encode(word)
        expected = [theirs.IdToPiece(id_) for id_ in ids]
        assert pieces(ours, word) == (None if unknown in expected else expected)


@pytest.fixture
def japanese(tmp_path: Path) -> Path:
    """The tokenizer settings of the reference model, with a small vocabulary."""
    write_vocab_txt(tmp_path, (*JAPANESE, "陛下", "##陛下"))
    settings = {
        "tokenizer_class": "BertJapaneseTokenizer",
        "word_tokenizer_type": "mecab",
        "subword_tokenizer_type": "wordpiece",
        "do_lower_case": False,
        "mecab_kwargs": {"mecab_dic": "ipadic"},
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return tmp_path


def test_japanese_words_are_cut_by_mecab_as_transformers_does(japanese: Path) -> None:
    from transformers import BertJapaneseTokenizer

    theirs = BertJapaneseTokenizer.from_pretrained(japanese)
    ours = read_vocabulary(japanese)
    assert ours.cuts_exactly
    assert pieces(ours, "女王陛下") == ["女王", "陛下"]
    for word in WORDS:
        expected = theirs.tokenize(word)
        assert pieces(ours, word) == (None if "[UNK]" in expected or not expected else expected)


def test_without_mecab_the_longest_tokens_are_a_guess(
    japanese: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fugashi", None)
    ours = read_vocabulary(japanese)
    assert not ours.cuts_exactly
    assert pieces(ours, "女王陛下") == ["女王", "##陛下"]


@pytest.mark.parametrize("kind", list(TokenizerKind))
def test_a_damaged_tokenizer_is_an_error_that_names_its_file(kind: TokenizerKind) -> None:
    with pytest.raises(ModelError, match=kind.value):
        load_tokenizer(TokenizerFile(kind, lambda: b"{"), ())


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        ("王\r\n女\r\n", ("王", "女")),
        ("王\r\n女", ("王", "女")),
        ("\ufeff王\n女\n", ("王", "女")),
        ("\ufeff王\r\n女", ("王", "女")),
        ("王\n\r\n女", ("王", "\r", "女")),
        ("王\u2028\n\n女", ("王\u2028", "", "女")),
    ],
)
def test_the_lines_of_vocab_txt_are_tokens(
    tmp_path: Path, content: str, tokens: tuple[str, ...]
) -> None:
    (tmp_path / "vocab.txt").write_text(content, "utf-8", newline="")
    assert read_vocabulary(tmp_path).tokens == tokens


def test_the_last_of_equal_tokens_is_the_row_that_the_model_is_fed(tmp_path: Path) -> None:
    from transformers import BertTokenizer

    write_vocab_txt(tmp_path, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "王", "女", "王"))
    found = read_vocabulary(tmp_path).find("王")
    assert found == TokenMatch(7, "王", "the last of rows #5 #7")
    assert BertTokenizer.from_pretrained(tmp_path).convert_tokens_to_ids("王") == found.id


def test_t5_has_its_extra_rows_after_those_of_sentencepiece(
    tmp_path: Path, tiny_model: Callable[[str], Path]
) -> None:
    for name in ("spiece.model", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_model("t5") / name).read_bytes())
    size = len(read_vocabulary(tiny_model("t5")))
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "t5", "vocab_size": size + 128})
    )
    vocabulary = read_vocabulary(tmp_path)
    assert vocabulary.tokens[size:] == tuple(f"<extra_id_{i}>" for i in reversed(range(100)))
    assert vocabulary.is_special(size)
