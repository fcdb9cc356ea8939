"""Words are cut and found as the models' own tokenizers read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
        assert pieces(ours, word) == (
            alone if after_space[0] == "Ġ" or word == "王" else after_space
        )


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
        ("王\r\n女\nking\r\n", ("王", "女", "king")),
        ("王\n\r\n女", ("王", "", "女")),
        ("王\r女\n", ("王", "女")),
        ("王\u2028\n\n女", ("王\u2028", "", "女")),
    ],
)
def test_the_lines_of_vocab_txt_are_tokens(
    tmp_path: Path, content: str, tokens: tuple[str, ...]
) -> None:
    (tmp_path / "vocab.txt").write_text(content, "utf-8", newline="")
    assert read_vocabulary(tmp_path).tokens == tokens
    with (tmp_path / "vocab.txt").open(encoding="utf-8-sig") as file:  # as transformers reads it
        assert tuple(line.rstrip("\n") for line in file.readlines()) == tokens


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


UNKNOWN = "<unk>"


def save(tokenizer: Any, folder: Path) -> Vocabulary:
    """Write a tokenizer.json and read the folder."""
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return read_vocabulary(folder)


def word_end(folder: Path, *, in_bytes: bool) -> Vocabulary:
    """Write a BPE that marks the ends of words by </w>, as GPT does or as CLIP does."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokens = [
        "<unk>",
        *"kinga",
        "k</w>",
        "g</w>",
        "a</w>",
        "ki",
        "ng</w>",
        "king</w>",
        "ng",
        "king",
    ]
    tokens += ["Ã", "©</w>", "Ã©</w>"] if in_bytes else ["é</w>"]
    merges = [("k", "i"), ("n", "g</w>"), ("ki", "ng</w>"), ("n", "g"), ("ki", "ng")]
    merges += [("Ã", "©</w>")] if in_bytes else []
    model = models.BPE(
        {token: row for row, token in enumerate(tokens)},
        merges,
        unk_token=UNKNOWN,
        end_of_word_suffix="</w>",
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False)
        if in_bytes
        else pre_tokenizers.Whitespace()
    )
    return save(tokenizer, folder)


@pytest.mark.parametrize("in_bytes", [False, True])
def test_a_word_alone_has_the_mark_of_the_end_of_a_word(tmp_path: Path, *, in_bytes: bool) -> None:
    vocabulary = word_end(tmp_path, in_bytes=in_bytes)
    assert vocabulary.scheme is (Scheme.BYTE_WORD_END if in_bytes else Scheme.WORD_END)
    whole = vocabulary.id_of("king</w>")
    assert whole is not None
    assert vocabulary.find("king") == TokenMatch(whole, "king</w>", None)
    assert vocabulary.find("king</w>") == TokenMatch(whole, "king</w>", None)
    assert vocabulary.find("KING") == TokenMatch(whole, "king</w>", "lower case")
    assert pieces(vocabulary, "kingking") == ["king", "king</w>"]
    found = vocabulary.find("é")
    assert found is not None
    assert (vocabulary.display(found.id), vocabulary.surface(found.id)) == ("é</w>", "é")
    assert vocabulary.find("ki") == TokenMatch(9, "ki", "without the </w> at the end of a word")
    assert [vocabulary.is_subword(id_) for id_ in (9, whole)] == [True, False]
    assert vocabulary.closest("kinga", n=1) == ["king</w>"]


@pytest.mark.parametrize("name", ["CLIPTokenizer", "OpenAIGPTTokenizer", "HerbertTokenizer"])
def test_vocab_json_and_merges_are_read_as_transformers_reads_them(
    tmp_path: Path, name: str
) -> None:
    import transformers

    unknown = "<|endoftext|>" if name == "CLIPTokenizer" else "<unk>"
    specials = ["<s>", unknown, "</s>", "<pad>", "<mask>", "<|startoftext|>"]
    tokens = [
        *specials,
        *"kingé",
        *"Ã©",
        "g</w>",
        "s</w>",
        "é</w>",
        "©</w>",
        "ki",
        "ng</w>",
        "!</w>",
    ]
    tokens += ["king</w>", "ng", "king", "Ã©</w>"]
    merges = "#version: 0.2\nk i\nn g</w>\nki ng</w>\nn g\nki ng\nÃ ©</w>\n"
    (tmp_path / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}), "utf-8")
    (tmp_path / "merges.txt").write_text(merges, "utf-8")
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": name, "unk_token": unknown})
    )
    # before transformers 5, the class of that name is another implementation
    kind = getattr(transformers, f"{name}Fast", None) or getattr(transformers, name)
    try:
        theirs = kind.from_pretrained(tmp_path)
    except ImportError as error:  # before transformers 5, the Polish one needs sacremoses
        pytest.skip(str(error))
    ours = read_vocabulary(tmp_path)
    assert ours.cuts_exactly
    for word in ("king", "King", "kings", "kingking", "king!", "é", "É", "z"):
        expected = theirs.tokenize(word)
        assert pieces(ours, word) == (None if unknown in expected else expected), word


def test_xlm_is_cut_into_the_longest_tokens_because_its_rules_for_words_are_not_known(
    tmp_path: Path,
) -> None:
    tokens = {token: row for row, token in enumerate(("ki", "ng</w>", "king</w>", "king"))}
    (tmp_path / "vocab.json").write_text(json.dumps(tokens))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "xlm"}))
    vocabulary = read_vocabulary(tmp_path)
    assert not vocabulary.cuts_exactly
    assert vocabulary.find("king") == TokenMatch(2, "king</w>", None)
    assert pieces(vocabulary, "kiking") == ["ki", "king</w>"]


def test_a_word_is_read_as_after_a_space_if_the_tokenizer_puts_no_mark_before_text(
    tmp_path: Path,
) -> None:
    from tokenizers import Tokenizer, models, normalizers

    tokens = ("<unk>", "▁", *"king", "ki", "ng", "king", "▁king", "▁k", "▁ki", "1", "▁1")
    merges = [("k", "i"), ("n", "g"), ("ki", "ng"), ("▁", "king")]  # as Gemma; ▁1 is no merge
    vocab = {token: row for row, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    vocabulary = save(tokenizer, tmp_path)
    assert vocabulary.find("king") == TokenMatch(vocab["▁king"], "▁king", "as after a space")
    assert pieces(vocabulary, "king") == ["▁king"]
    assert pieces(vocabulary, "kingking") == ["▁king", "king"]
    assert vocabulary.find("ng") == TokenMatch(vocab["ng"], "ng", "there is no ▁ng")
    assert vocabulary.find("1") == TokenMatch(vocab["1"], "1", None)
    assert pieces(vocabulary, "1") == ["1"]


def test_a_byte_level_word_that_occurs_only_inside_words_is_taken_with_a_note(
    tmp_path: Path,
) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokens = ("Ġ", *"king", "ki", "ng", "Ġk", "Ġking", "king")
    merges = [("k", "i"), ("n", "g"), ("ki", "ng"), ("Ġ", "king")]
    vocab = {token: row for row, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary = save(tokenizer, tmp_path / "without")
    assert vocabulary.find("ng") == TokenMatch(vocab["ng"], "ng", "there is no Ġng")
    assert vocabulary.find("king") == TokenMatch(vocab["Ġking"], "Ġking", "as after a space")
    assert vocabulary.find("▁king") is None  # ▁ is no mark of this vocabulary
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    vocabulary = save(tokenizer, tmp_path / "with")
    assert vocabulary.find("king") == TokenMatch(vocab["Ġking"], "Ġking", None)


def test_a_word_whose_mark_is_cut_off_is_the_token_without_it(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    scores = [("<unk>", 0.0), ("▁", -2.0), ("1", -3.0), ("▁1", -9.0), ("▁king", -5.0)]
    tokenizer = Tokenizer(models.Unigram([*scores, ("king", -6.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    vocabulary = save(tokenizer, tmp_path)
    note = "without the ▁ that the model puts before it"
    assert pieces(vocabulary, "1") == ["▁", "1"]
    assert vocabulary.find("1") == TokenMatch(2, "1", note)
    assert vocabulary.find("▁1") == TokenMatch(3, "▁1", None)
    assert vocabulary.find("king") == TokenMatch(4, "▁king", None)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary
    assert vocabulary.first(2).find("1") is None


END = "<|end|>"  # as GPT-2 has for unknown text


def test_text_that_becomes_the_unknown_token_has_no_pieces(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    for name, model in (
        ("bpe", models.BPE({END: 0, "k": 1}, [], unk_token=END)),
        ("wordlevel", models.WordLevel({END: 0, "k": 1}, unk_token=END)),
        ("unigram", models.Unigram([(END, 0.0), ("k", -1.0)], unk_id=0)),
    ):
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        vocabulary = save(tokenizer, tmp_path / name)
        assert not vocabulary.special_ids
        assert pieces(vocabulary, "k") == ["k"]
        assert pieces(vocabulary, "1") is None


def test_a_mark_that_was_typed_is_not_dropped_by_the_normaliser(uncased: Path) -> None:
    vocabulary = read_vocabulary(uncased)
    assert vocabulary.find("▁king") is None
    assert vocabulary.find("##S") == TokenMatch(vocabulary.id_of("##s") or 0, "##s", "lower case")


PLAIN = {"King": None, "Café": None, "Москва": None, "ひらがな": "▁ひらがな", "``a''": None}


@pytest.mark.parametrize(
    ("name", "file", "settings", "expected"),
    [
        (
            *("AlbertTokenizer", "spiece.model", {}),
            {"King": "▁king", "Café": "▁cafe", "Москва": "▁москва", "``a''": '▁"a"'},
        ),
        (
            *("AlbertTokenizer", "spiece.model", {"do_lower_case": False, "keep_accents": True}),
            {**PLAIN, "``a''": '▁"a"'},
        ),
        ("XLNetTokenizer", "spiece.model", {}, {"King": None, "café": "▁cafe", "ひらがな": None}),
        (
            *("DebertaV2Tokenizer", "spm.model", {"do_lower_case": True}),
            {"King": "▁king", "Café": None, "Москва": "▁москва", "ひらがな": "▁ひらがな"},
        ),
        ("DebertaV2Tokenizer", "spm.model", {}, PLAIN),
    ],
)
def test_a_text_is_changed_before_sentencepiece_as_transformers_does(
    tmp_path: Path,
    name: str,
    file: str,
    settings: dict[str, bool],
    expected: dict[str, str | None],
) -> None:
    """The expected tokens are those of transformers 5.23, which needs protobuf for the file."""
    import sentencepiece

    text = 'king queen cafe москва ひらがな "a"'
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text] * 50),
        model_prefix=str(tmp_path / "trained"),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (tmp_path / "trained.model").rename(tmp_path / file)
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": name, **settings})
    )
    ours = read_vocabulary(tmp_path)
    saved = Vocabulary.from_json(json.loads(json.dumps(ours.to_json())), ours.tokenizer)
    cut = {word: pieces(saved, word) for word in expected}
    assert {word: tokens and "".join(tokens) for word, tokens in cut.items()} == expected
