"""Vocabularies: reading them from the files of many models, and finding words in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import models as models_on_disk
from wordvec.errors import DamagedTableError, MissingExtraError, ModelError
from wordvec.text import TokenClass
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.lookup import TokenMatch, Vocabulary
from wordvec.vocabulary.spelling import Scheme, byte_letters, read_bytes, spell_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

BERT = Vocabulary(
    (
        *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        *("王", "女", "女王", "##王", "##騎士", "king", "##", "", "##\u200b"),
        *("株式会社", "１", "王", "騎士", "コーヒー", "コート", "##"),
    ),
    special_ids=(0, 1, 2, 3, 4),
    cls_id=2,
    sep_id=3,
)
SENTENCEPIECE = Vocabulary(
    ("<pad>", "<unk>", "[CLS]", "[SEP]", "▁", "▁王", "女", "▁king", "ing", "▁k", "▁New▁York"),
    scheme=Scheme.SENTENCEPIECE,
    special_ids=(0, 1, 2, 3),
    cls_id=2,
    sep_id=3,
    lowercase=True,
)
BYTE_LEVEL = Vocabulary(
    (
        *("<s>", "<pad>", "</s>", "Ġking", "king", "Ġqueen"),
        *(spell_bytes(" 王"), spell_bytes("女"), "Ċ", spell_bytes("王")[:2], "ĠĠ"),
        *("é", spell_bytes("é"), "    ", "Ġ", "ª"),
    ),
    scheme=Scheme.BYTE_LEVEL,
    special_ids=(0, 1, 2),
    cls_id=0,
    sep_id=2,
)


def write(folder: Path, **files: object) -> Path:
    """Write files to `folder`: text unchanged, other values as JSON; `vocab_txt` is vocab.txt."""
    for name, content in files.items():
        stem, _, kind = name.rpartition("_")
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{stem}.{kind}").write_text(text, "utf-8", newline="")
    return folder


# Finding words


@pytest.mark.parametrize(
    ("vocabulary", "word", "match"),
    [
        (BERT, "女王", TokenMatch(7, "女王", None)),
        (BERT, "王", TokenMatch(16, "王", "the last of rows #5 #16")),
        (BERT, "##王", TokenMatch(8, "##王", None)),
        (BERT, "", TokenMatch(12, "", None)),
        (BERT, "[MASK]", TokenMatch(4, "[MASK]", None)),
        (BERT, "㍿", TokenMatch(14, "株式会社", "NFKC")),
        (BERT, "ｋｉｎｇ", TokenMatch(10, "king", "NFKC")),
        (BERT, "１", TokenMatch(15, "１", None)),
        (BERT, "1", None),
        (BERT, "King", None),
        (BERT, "▁王", None),
        (SENTENCEPIECE, "女", TokenMatch(6, "女", None)),
        (SENTENCEPIECE, "王", TokenMatch(5, "▁王", "word-start form")),
        (SENTENCEPIECE, "▁王", TokenMatch(5, "▁王", None)),
        (SENTENCEPIECE, "ｋｉｎｇ", TokenMatch(7, "▁king", "NFKC")),
        (SENTENCEPIECE, "KING", TokenMatch(7, "▁king", "lower case")),
        (SENTENCEPIECE, "ＩＮＧ", TokenMatch(8, "ing", "lower case")),
        (SENTENCEPIECE, "New York", TokenMatch(10, "▁New▁York", None)),
        (SENTENCEPIECE, "queen", None),
        (BYTE_LEVEL, "king", TokenMatch(3, "Ġking", None)),
        (BYTE_LEVEL, "queen", TokenMatch(5, "Ġqueen", None)),
        (BYTE_LEVEL, "Ġqueen", TokenMatch(5, "Ġqueen", None)),
        (BYTE_LEVEL, " queen", TokenMatch(5, "Ġqueen", None)),
        (BYTE_LEVEL, "王", TokenMatch(6, spell_bytes(" 王"), "word-start form")),
        (BYTE_LEVEL, "Ġ王", TokenMatch(6, spell_bytes(" 王"), None)),
        (BYTE_LEVEL, "女", TokenMatch(7, spell_bytes("女"), None)),
        (BYTE_LEVEL, "é", TokenMatch(12, spell_bytes("é"), None)),  # not the letter of one byte
        (BYTE_LEVEL, "\n", TokenMatch(8, "Ċ", None)),
        (BYTE_LEVEL, "Ċ", None),  # a letter of its own, not the line feed that it stands for
        (BYTE_LEVEL, "ª", None),
        (BYTE_LEVEL, "    ", TokenMatch(13, "    ", None)),
        (BYTE_LEVEL, "<s>", TokenMatch(0, "<s>", None)),
        (BYTE_LEVEL, "\ud800", None),
    ],
)
def test_find_returns_the_first_form_in_the_vocabulary(
    vocabulary: Vocabulary, word: str, match: TokenMatch | None
) -> None:
    assert vocabulary.find(word) == match


def test_lower_case_is_tried_only_if_the_model_lower_cases() -> None:
    tokens = ("king",)
    assert Vocabulary(tokens, lowercase=True).find("King") == TokenMatch(0, "king", "lower case")
    assert Vocabulary(tokens, lowercase=False).find("King") is None


def test_id_of_finds_only_the_exact_spelling() -> None:
    assert BERT.id_of("王") == 16
    assert BERT.id_of("ｋｉｎｇ") is None
    assert len(BERT) == 21


@pytest.mark.parametrize(
    ("vocabulary", "shown"),
    [
        (BERT, [(5, "王"), (8, "##王"), (11, "##"), (12, '""'), (13, r"##\u200b")]),
        (SENTENCEPIECE, [(4, "▁"), (5, "▁王"), (6, "女"), (2, "[CLS]")]),
        (
            BYTE_LEVEL,
            [(3, "Ġking"), (4, "king"), (6, "Ġ王"), (8, r"\u000a"), (9, r"\xe7\x8e"), (10, "ĠĠ")],
        ),
        (BYTE_LEVEL, [(11, r"\xe9"), (12, "é"), (0, "<s>"), (14, "Ġ")]),
    ],
)
def test_display_decodes_bytes_and_escapes_invisible_characters(
    vocabulary: Vocabulary, shown: list[tuple[int, str]]
) -> None:
    assert [(id_, vocabulary.display(id_)) for id_, _ in shown] == shown


@pytest.mark.parametrize("vocabulary", [BERT, SENTENCEPIECE, BYTE_LEVEL])
def test_a_displayed_token_can_be_found_unless_it_is_escaped(vocabulary: Vocabulary) -> None:
    for id_, token in enumerate(vocabulary.tokens):
        shown = vocabulary.display(id_)
        if "\\" in shown or shown == '""' or not token.strip():
            continue
        found = vocabulary.find(shown)
        assert found is not None
        if vocabulary is BYTE_LEVEL and id_ == 4:  # king inside a word; Ġking is the word
            assert (found.id, found.form) == (3, None)
        else:
            assert (found.id, found.token) == (vocabulary.id_of(token), token)


@pytest.mark.parametrize(
    ("vocabulary", "surfaces"),
    [
        (BERT, [(5, "王"), (8, "王"), (11, "##"), (12, ""), (2, "[CLS]")]),
        (SENTENCEPIECE, [(5, "王"), (6, "女"), (4, "▁")]),
        (BYTE_LEVEL, [(3, "king"), (6, "王"), (7, "女"), (10, " "), (14, " ")]),
    ],
)
def test_the_surface_of_a_token_has_no_mark(
    vocabulary: Vocabulary, surfaces: list[tuple[int, str]]
) -> None:
    assert [(id_, vocabulary.surface(id_)) for id_, _ in surfaces] == surfaces


def test_tokens_inside_words_are_subwords() -> None:
    assert [BERT.is_subword(id_) for id_ in (2, 5, 8, 11, 13)] == [False, False, True, False, True]
    # 女 without ▁ can start a word of a Japanese sentence; `ing` cannot
    assert [SENTENCEPIECE.is_subword(id_) for id_ in (0, 4, 6, 7, 8)] == [
        *(False, False, False, False, True)
    ]
    # parts of a character are subwords too
    assert [BYTE_LEVEL.is_subword(id_) for id_ in (0, 3, 4, 6, 7, 9)] == [
        *(False, False, True, False, False, True)
    ]


def test_the_class_of_a_token_depends_on_its_surface() -> None:
    assert [BERT.token_class(id_) for id_ in (2, 5, 7, 8, 10, 15, 18)] == [
        TokenClass.SPECIAL,
        TokenClass.KANJI,
        TokenClass.KANJI_WORD,
        TokenClass.SUBWORD,
        TokenClass.LATIN,
        TokenClass.NUMBER,
        TokenClass.KATAKANA,
    ]
    assert BYTE_LEVEL.token_class(6) is TokenClass.KANJI
    assert BERT.is_special(4)
    assert not BERT.is_special(5)


@pytest.mark.parametrize(
    ("vocabulary", "word", "pieces"),
    [
        (BERT, "女騎士", ["女", "##騎士"]),
        (BERT, "女王王", ["女王", "##王"]),
        (BERT, "㍿王", ["株式会社", "##王"]),
        (BERT, "王国", None),
        (BERT, "", None),
        (SENTENCEPIECE, "kinging", ["▁king", "ing"]),
        (SENTENCEPIECE, "kingking", None),
        (SENTENCEPIECE, "king女ing", ["▁king", "女", "ing"]),
        (SENTENCEPIECE, "KingING", ["▁king", "ing"]),
        (BYTE_LEVEL, "kingking", ["Ġking", "king"]),
        (BYTE_LEVEL, "王女", ["Ġ王", "女"]),
        (BYTE_LEVEL, "<s>", None),
    ],
)
def test_pieces_are_the_longest_matching_tokens(
    vocabulary: Vocabulary, word: str, pieces: list[str] | None
) -> None:
    ids = vocabulary.pieces(word)
    assert (None if ids is None else [vocabulary.display(id_) for id_ in ids]) == pieces


def test_closest_returns_the_tokens_with_the_most_common_letters() -> None:
    assert BERT.closest("女騎士") == ["騎士", "##騎士", "女"]
    assert BERT.closest("コーヒ", n=2) == ["コーヒー", "コート"]
    assert BERT.closest("kinng", n=1) == ["king"]
    assert BERT.closest("ゑ") == []
    assert SENTENCEPIECE.closest("KING", n=1) == ["▁king"]


@pytest.mark.parametrize("vocabulary", [BERT, SENTENCEPIECE, BYTE_LEVEL])
@settings(deadline=None, max_examples=200)
@given(word=st.text())
def test_any_text_can_be_looked_up(vocabulary: Vocabulary, word: str) -> None:
    found = vocabulary.find(word)
    assert found is None or vocabulary.tokens[found.id] == found.token
    pieces = vocabulary.pieces(word)
    assert pieces is None or all(0 <= id_ < len(vocabulary) for id_ in pieces)
    assert len(vocabulary.closest(word)) <= 3


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_read_bytes_decodes_spell_bytes(text: str) -> None:
    assert read_bytes(spell_bytes(text)) == text


def test_byte_letters_equal_those_of_the_tokenizers_library() -> None:
    from tokenizers import pre_tokenizers

    assert set(byte_letters().values()) == set(pre_tokenizers.ByteLevel.alphabet())
    for text in ("a b", "王と\n女", "é¡\xad\x00"):
        [(spelled, _)] = pre_tokenizers.ByteLevel(
            add_prefix_space=False, use_regex=False
        ).pre_tokenize_str(text)
        assert spell_bytes(text) == spelled


# Saving


def vocabularies() -> SearchStrategy[Vocabulary]:
    tokens = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8)
    return tokens.flatmap(
        lambda tokens: st.builds(
            Vocabulary,
            tokens=st.just(tuple(tokens)),
            scheme=st.sampled_from(Scheme),
            special_ids=st.sets(st.sampled_from(range(len(tokens)))).map(sorted).map(tuple),
            cls_id=st.none() | st.sampled_from(range(len(tokens))),
            sep_id=st.none() | st.sampled_from(range(len(tokens))),
            lowercase=st.booleans(),
        )
    )


@given(vocabularies())
def test_from_json_reads_to_json(vocabulary: Vocabulary) -> None:
    saved = json.loads(json.dumps(vocabulary.to_json(), ensure_ascii=False))
    assert Vocabulary.from_json(saved) == vocabulary


@pytest.mark.parametrize(
    "damage",
    [
        {"tokens": None},
        {"tokens": ["王", 3]},
        {"scheme": "pictures"},
        {"special_ids": [99]},
        {"special_ids": "x"},
        {"cls_id": -1},
    ],
)
def test_damaged_json_is_an_error(damage: dict[str, object]) -> None:
    with pytest.raises(DamagedTableError, match=r"^tokens\.json is not a valid vocabulary"):
        Vocabulary.from_json({**BERT.to_json(), **damage})
    with pytest.raises(DamagedTableError, match=r"^tokens\.json is not a valid vocabulary"):
        Vocabulary.from_json([])


def test_special_ids_must_be_rows() -> None:
    with pytest.raises(ModelError, match=r"^expected special ids below 1, got \[7\]$"):
        Vocabulary(("王",), cls_id=7)


# Reading a model's folder


def test_vocab_txt_is_split_at_line_feeds_only_and_not_stripped(tmp_path: Path) -> None:
    tokens = (
        "[CLS]",
        "[SEP]",
        "",
        " a ",
        "b\u2028c",
        "d\x85",
        "e\r",
        "\u3000",
        "##\u200b",
        "f\x0c",
    )
    folder = write(tmp_path, vocab_txt="\n".join(tokens) + "\n")
    assert read_vocabulary(folder).tokens == tokens
    (folder / "vocab.txt").write_bytes("\n".join(tokens).encode())  # no line feed at the end
    assert read_vocabulary(folder).tokens == tokens
    (folder / "vocab.txt").write_bytes(("\n".join(tokens) + "\n\n").encode())  # an empty last token
    assert read_vocabulary(folder).tokens == (*tokens, "")


def test_windows_line_endings_are_not_part_of_the_tokens(tmp_path: Path) -> None:
    folder = write(tmp_path, vocab_txt="[CLS]\r\n王\r\n[SEP]\r\n")
    assert read_vocabulary(folder).tokens == ("[CLS]", "王", "[SEP]")


def test_the_files_of_the_reference_model_are_read(tmp_path: Path) -> None:
    models_on_disk.write_vocab_txt(tmp_path, models_on_disk.JAPANESE)
    vocabulary = read_vocabulary(tmp_path)
    assert vocabulary.tokens == models_on_disk.JAPANESE
    assert vocabulary.scheme is Scheme.WORDPIECE
    assert vocabulary.special_ids == (0, 1, 2, 3, 4)
    assert (vocabulary.cls_id, vocabulary.sep_id) == (2, 3)
    assert vocabulary.lowercase is False


def test_special_ids_come_from_the_models_own_files(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        vocab_txt="王\n[END]\n[CLS]\n[START]\n[SEP]\n<x>",
        special_tokens_map_json={
            "cls_token": "[START]",
            "sep_token": {"content": "[END]", "lstrip": False},
            "additional_special_tokens": ["<x>"],
            "mask_token": None,
        },
    )
    vocabulary = read_vocabulary(folder)
    assert (vocabulary.cls_id, vocabulary.sep_id) == (3, 1)
    assert vocabulary.special_ids == (1, 3, 5)


@pytest.mark.parametrize(
    ("tokens", "settings", "lowercase"),
    [
        ("king\n王", {}, True),
        ("King\n王", {}, False),
        ("king\n王", {"do_lower_case": False}, False),
        ("King\n王", {"do_lower_case": True}, True),
    ],
)
def test_a_model_lower_cases_by_its_settings_or_if_it_has_no_upper_case(
    tmp_path: Path, *, tokens: str, settings: dict[str, object], lowercase: bool
) -> None:
    folder = write(tmp_path, vocab_txt="[CLS]\n[SEP]\n" + tokens, tokenizer_config_json=settings)
    assert read_vocabulary(folder).lowercase is lowercase


WORDPIECE = {
    "unk_token": "[UNK]",
    "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100,
}


def added_token(id_: int, content: str, *, special: bool) -> dict[str, object]:
    """Return an added token as the `tokenizers` library writes it."""
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": id_, "content": content, "special": special, **off}


WORDPIECE_JSON: dict[str, Any] = {
    "added_tokens": [
        added_token(0, "[CLS]", special=True),
        added_token(1, "[SEP]", special=True),
    ],
    "normalizer": {
        "type": "BertNormalizer",
        "lowercase": True,
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
    },
    "model": {
        "type": "WordPiece",
        **WORDPIECE,
        "vocab": {"王": 3, "[SEP]": 1, "##女": 2, "[CLS]": 0, "ク": 5},
    },
}


def test_a_row_without_a_token_is_named_and_special(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write(tmp_path, tokenizer_json=WORDPIECE_JSON))
    assert vocabulary.tokens == ("[CLS]", "[SEP]", "##女", "王", "[row4]", "ク")
    assert vocabulary.special_ids == (0, 1, 4)
    assert vocabulary.unused_ids == (4,)
    assert (vocabulary.cls_id, vocabulary.sep_id) == (0, 1)
    assert vocabulary.scheme is Scheme.WORDPIECE
    assert vocabulary.lowercase is True


def test_the_rows_of_a_unigram_are_in_the_order_of_its_list(tmp_path: Path) -> None:
    data = {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<a>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "<b>", "type_id": 0}},
            ],
            "pair": [],
            "special_tokens": {
                token: {"id": token, "ids": [row], "tokens": [token]}
                for token, row in (("<a>", 2), ("<b>", 0))
            },
        },
        "model": {"type": "Unigram", "vocab": [["<b>", 0.0], ["▁王", -1.5], ["<a>", 0.0]]},
    }
    vocabulary = read_vocabulary(write(tmp_path, tokenizer_json=data))
    assert vocabulary.tokens == ("<b>", "▁王", "<a>")
    assert vocabulary.scheme is Scheme.SENTENCEPIECE
    assert (vocabulary.cls_id, vocabulary.sep_id, vocabulary.special_ids) == (2, 0, (0, 2))
    assert vocabulary.lowercase is True


def test_vocab_json_and_merges_txt_are_read(tmp_path: Path) -> None:
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "king": 4, "Ġking": 3, "<mask>": 5}
    folder = write(tmp_path, vocab_json=vocab, merges_txt="#version: 0.2\nk i\n")
    vocabulary = read_vocabulary(folder)
    assert vocabulary.tokens == ("<s>", "<pad>", "</s>", "Ġking", "king", "<mask>")
    assert vocabulary.scheme is Scheme.BYTE_LEVEL
    assert (vocabulary.cls_id, vocabulary.sep_id) == (0, 2)
    assert vocabulary.special_ids == (0, 1, 2, 5)


def test_added_tokens_have_the_rows_of_their_files(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        vocab_txt="[CLS]\n[SEP]\n王",
        added_tokens_json={"<a>": 3},
        tokenizer_config_json={
            "added_tokens_decoder": {
                "0": {"content": "[CLS]", "special": True},
                "4": {"content": "<b>", "special": True},
            }
        },
    )
    vocabulary = read_vocabulary(folder)
    assert vocabulary.tokens == ("[CLS]", "[SEP]", "王", "<a>", "<b>")
    assert vocabulary.special_ids == (0, 1, 4)


def test_ids_in_config_json_are_used_if_no_token_is_named(tmp_path: Path) -> None:
    folder = write(
        tmp_path, vocab_txt="王\nB\nA", config_json={"cls_token_id": 2, "sep_token_id": 1}
    )
    vocabulary = read_vocabulary(folder)
    assert (vocabulary.cls_id, vocabulary.sep_id) == (2, 1)


@pytest.mark.parametrize("name", ["roberta", "modernbert", "gpt2"])
def test_a_byte_level_folder_agrees_with_transformers(
    tiny_model: Callable[[str], Path], name: str
) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast.from_pretrained(tiny_model(name))
    ours = read_vocabulary(tiny_model(name))
    assert list(ours.tokens) == theirs.convert_ids_to_tokens(range(len(theirs)))
    assert ours.scheme is Scheme.BYTE_LEVEL
    assert (ours.cls_id, ours.sep_id) == (theirs.cls_token_id, theirs.sep_token_id)
    assert ours.special_ids == tuple(sorted(theirs.all_special_ids))
    whole = [id_ for id_ in range(len(ours)) if "\ufffd" not in theirs.decode([id_])]
    assert len(whole) > 200
    for id_ in whole:
        assert read_bytes(ours.tokens[id_]) == theirs.decode([id_])


@pytest.mark.parametrize("name", ["albert", "deberta-v2", "t5"])
def test_a_sentencepiece_folder_has_the_rows_of_its_model(
    tiny_model: Callable[[str], Path], name: str
) -> None:
    import sentencepiece

    folder = tiny_model(name)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(next(folder.glob("*.model"))))
    ours = read_vocabulary(folder)
    assert list(ours.tokens) == [theirs.IdToPiece(row) for row in range(theirs.GetPieceSize())]
    assert ours.scheme is Scheme.SENTENCEPIECE
    expected = (None, 1) if name == "t5" else (2, 3)
    assert (ours.cls_id, ours.sep_id) == expected
    assert ours.special_ids == ((0, 1, 2) if name == "t5" else (0, 1, 2, 3, 4))


@pytest.mark.parametrize(
    ("settings", "first", "shift"),
    [
        ({"tokenizer_class": "XLMRobertaTokenizerFast"}, ["<s>", "<pad>", "</s>", "<unk>"], 1),
        (
            {"tokenizer_class": "CamembertTokenizer"},
            ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"],
            4,
        ),
    ],
)
def test_the_rows_of_fairseq_models_are_shifted(
    tmp_path: Path, settings: dict[str, object], first: list[str], shift: int
) -> None:
    import sentencepiece

    path = tmp_path / "sentencepiece.bpe.model"
    pieces = _fairseq_model(path)
    write(tmp_path, tokenizer_config_json=settings)
    ours = read_vocabulary(tmp_path)
    assert list(ours.tokens) == [*first, *pieces[3:], "<mask>"]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert ours.id_of("王") == theirs.PieceToId("王") + shift
    assert ours.tokens[ours.cls_id or 0] == "<s>"
    assert ours.tokens[ours.sep_id or 0] == "</s>"


def _fairseq_model(path: Path) -> list[str]:
    """Write a model in fairseq's order (<unk>, <s>, </s> first) and return its pieces."""
    import io

    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(models_on_disk.SENTENCES * 4),
        model_writer=written,
        vocab_size=80,
        hard_vocab_limit=False,
        model_type="unigram",
        minloglevel=2,
    )
    path.write_bytes(written.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    return [processor.IdToPiece(row) for row in range(processor.GetPieceSize())]


@pytest.mark.parametrize("name", ["", "MBartTokenizer", "NllbTokenizer"])
def test_an_unknown_shift_of_rows_is_an_error(tmp_path: Path, name: str) -> None:
    _fairseq_model(tmp_path / "sentencepiece.bpe.model")
    write(tmp_path, tokenizer_config_json={"tokenizer_class": name})
    with pytest.raises(ModelError, match="does not determine the rows") as caught:
        read_vocabulary(tmp_path)
    assert caught.value.hint is not None
    assert "tokenizer.json" in caught.value.hint


def test_the_mask_of_a_deberta_follows_its_pieces(tmp_path: Path) -> None:
    pieces = _fairseq_model(tmp_path / "spm.model")
    write(tmp_path, config_json={"model_type": "deberta-v2"})
    assert read_vocabulary(tmp_path).tokens == (*pieces, "[MASK]")


def test_the_error_without_sentencepiece_names_the_extra(
    tiny_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    with pytest.raises(MissingExtraError, match=r"^spiece\.model needs sentencepiece") as caught:
        read_vocabulary(tiny_model("albert"))
    assert caught.value.hint == "pip install 'wordvec[extract]'"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no vocabulary: expected one of tokenizer.json, vocab.txt"),
        ({"tokenizer_json": "{"}, "tokenizer.json is damaged or has an unknown format"),
        ({"tokenizer_json": "[]"}, "tokenizer.json is damaged or has an unknown format"),
        ({"tokenizer_json": {"model": {}}}, "tokenizer.json is damaged or has an unknown format"),
        (
            {"tokenizer_json": {"model": {"type": "WordPiece", **WORDPIECE, "vocab": {}}}},
            "no tokens",
        ),
        ({"vocab_json": {"a": -1}}, "ids from -1 to -1 for 1 tokens"),
        ({"vocab_json": {"a": 10**9}}, "ids from 1000000000 to 1000000000 for 1 tokens"),
        (
            {"vocab_json": {"a": "x"}},
            "vocab.json is damaged: the id of 'a' is 'x'",
        ),
        ({"vocab_txt": ""}, "no tokens"),
        ({"vocab_txt": "a", "config_json": "[]"}, "config.json is not a JSON object"),
        (
            {"vocab_txt": "a", "added_tokens_json": {"b": "c"}},
            "added_tokens.json is damaged: the id of 'b' is 'c', expected an integer",
        ),
        ({"spiece_model": "not a model"}, "is not a SentencePiece model"),
    ],
)
def test_the_error_for_a_damaged_folder_names_the_file(
    tmp_path: Path, files: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        read_vocabulary(write(tmp_path, **files))


def test_a_file_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match=r"vocab\.txt is not UTF-8"):
        read_vocabulary(tmp_path)
