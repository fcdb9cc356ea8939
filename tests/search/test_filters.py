"""Filters change the list and never the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import query, table_of
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search.filters import Filters, Only, candidates, same_surface
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import Space
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = ("[CLS]", "王", "##王", "女王", "きみ", "カナ", "##カナ", "king", "1999", "々", "A4", "。")
WORDS = Vocabulary(TOKENS, special_ids=(0,))
TABLE = table_of({token: [row + 1.0, row % 3] for row, token in enumerate(TOKENS)}, special=1)


def passing(**filters: object) -> list[str]:
    passed = candidates(WORDS, Filters(**filters))  # type: ignore[arg-type]
    assert passed is not None
    return [TOKENS[row] for row in np.flatnonzero(passed.mask)]


@pytest.mark.parametrize(
    ("only", "tokens"),
    [
        ("kanji", "王 ##王 女王 々"),
        ("hiragana", "きみ"),
        ("katakana", "カナ ##カナ"),
        ("latin", "king"),
        ("number", "1999"),
        ("word", "王 女王 きみ カナ king 1999 々 A4 。"),
        ("subword", "##王 ##カナ"),
        ("kanji katakana", "王 ##王 女王 カナ ##カナ 々"),
        ("kanji word", "王 女王 々"),
        ("katakana subword", "##カナ"),
        ("word subword", "王 ##王 女王 きみ カナ ##カナ king 1999 々 A4 。"),
    ],
)
def test_a_kind_is_a_script_or_a_place_in_a_word(only: str, tokens: str) -> None:
    assert passing(only=tuple(Only(kind) for kind in only.split())) == tokens.split()


SCRIPTS = (
    *("王", "##女王", "行う", "らーめん", "カナ", "ー", "・", "。", "한국", "##어", "국王", "Việt"),
    *("д'Артаньян", "ㄅㄆ", "αβ", "µ", "ไทย", "हिन्दी", "##ि", "বাংলা", "தமிழ்", "ישראל", "ע״ש"),
    *("سلام", "می\u200cخواهم", "١٩", "،", "ქართული", "тест2", "[unused1]", "<unused7>", "ABCд"),
)


@pytest.mark.parametrize(
    ("only", "tokens"),
    [
        ("japanese", "王 ##女王 行う らーめん カナ ー"),
        ("chinese", "王 ##女王 ㄅㄆ"),
        ("kanji", "王 ##女王"),
        ("hangul", "한국 ##어"),
        ("latin", "Việt"),
        ("cyrillic", "д'Артаньян"),
        ("greek", "αβ µ"),
        ("thai", "ไทย"),
        ("devanagari", "हिन्दी ##ि"),
        ("bengali", "বাংলা"),
        ("tamil", "தமிழ்"),
        ("hebrew", "ישראל ע״ש"),
        ("arabic", "سلام می\u200cخواهم"),
        ("georgian", "ქართული"),
        ("number", "١٩"),
        ("hangul subword", "##어"),
        ("greek latin thai", "Việt αβ µ ไทย"),
    ],
)
def test_a_script_is_that_of_every_letter(only: str, tokens: str) -> None:
    kinds = tuple(Only(kind) for kind in only.split())
    passed = candidates(Vocabulary(SCRIPTS), Filters(only=kinds))
    assert passed is not None
    assert [SCRIPTS[row] for row in np.flatnonzero(passed.mask)] == tokens.split()


def test_unused_tokens_are_left_out_with_the_special_ones() -> None:
    tokens = ("[unused0]", "王", "[unused99]", "<unused_1>", "[used]", "unused1")
    for filters in (Filters(no_special=True), Filters(only=(Only.WORD,))):
        passed = candidates(Vocabulary(tokens), filters)
        assert passed is not None
        assert [tokens[row] for row in np.flatnonzero(passed.mask)] == ["王", "[used]", "unused1"]


def test_an_unknown_kind_is_refused_with_all_kinds() -> None:
    with pytest.raises(UsageError, match="unknown kind of token 'help'") as caught:
        Filters(only=("help",))  # type: ignore[arg-type]
    assert all(kind in caught.value.message for kind in Only)


def test_a_pattern_is_matched_against_the_displayed_token() -> None:
    assert passing(match="王") == ["王", "##王", "女王"]
    assert passing(match="^##") == ["##王", "##カナ"]
    assert passing(match="^王$") == ["王"]


def test_special_tokens_can_be_left_out() -> None:
    assert passing(no_special=True) == list(TOKENS[1:])
    assert passing(match="C", no_special=True) == []


def test_a_file_of_words_names_the_answers(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff王\n\nｋｉｎｇ\n女神\n 女王 \n王\n", encoding="utf-8")
    passed = candidates(WORDS, Filters(vocab=file))
    assert passed is not None
    assert [TOKENS[row] for row in np.flatnonzero(passed.mask)] == ["王", "女王", "king"]
    assert passed.notes == ("1 of the 4 words in words.txt are not in this vocabulary",)


def test_a_file_that_is_not_utf8_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(b"\xff\n")
    with pytest.raises(WordvecError, match=r"words\.txt is not UTF-8"):
        candidates(WORDS, Filters(vocab=file))


def test_an_invalid_pattern_is_refused() -> None:
    with pytest.raises(UsageError, match=r"match='\(' is not a regular expression: missing \)"):
        Filters(match="(")


@pytest.mark.parametrize(
    ("filters", "to_drop"),
    [
        ({"match": "犬"}, "match='犬'"),
        ({"match": "犬", "only": "kanji"}, "match='犬'"),
        ({"match": "^k", "only": "kanji"}, "only='kanji' or match='^k'"),
        ({"match": "C", "only": ["kanji", "word"], "no_special": True}, "match='C'"),
        ({"match": "CLS", "no_special": True}, "match='CLS' or no_special=True"),
        ({"match": "犬", "only": ["kanji", "hiragana"]}, "match='犬'"),
        ({"match": "CLS", "only": "subword", "no_special": True}, "match='CLS'"),
        ({"match": "犬", "vocab": "none.txt"}, "match='犬' and vocab='none.txt'"),
        ({"match": "k", "vocab": "none.txt", "no_special": True}, "vocab='none.txt'"),
        ({"vocab": "none.txt"}, "vocab='none.txt'"),
    ],
)
def test_if_no_token_passes_the_fewest_filters_to_drop_are_named(
    filters: dict[str, object], to_drop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none.txt").write_text("犬\n", encoding="utf-8")
    passed = candidates(WORDS, Filters(**filters))  # type: ignore[arg-type]
    assert passed is not None
    assert not passed.mask.any()
    assert passed.to_drop == to_drop


def test_without_filters_every_token_passes() -> None:
    assert candidates(WORDS, Filters()) is None


@settings(deadline=None)
@given(
    st.sets(st.integers(0, len(TOKENS) - 1), min_size=1),
    st.sampled_from([
        (Method.SUM, Metric.L2), (Method.SUM, Metric.COSINE), (Method.SUM, Metric.DOT),
        (Method.SUM, Metric.CSLS), (Method.ADD, Metric.COSINE), (Method.MUL, Metric.COSINE),
        (Method.DIRECTION, Metric.COSINE),
    ]),
    st.integers(1, 6),
)  # fmt: skip
def test_a_filter_shortens_the_list_and_changes_no_score(
    rows: set[int], how: tuple[Method, Metric], k: int
) -> None:
    source = "王:女王=カナ:?"
    method, metric = how
    [whole] = query(TABLE, [parse(source)], k=99, method=method, metric=metric)
    pattern = "|".join(f"^{TOKENS[row].replace('[', chr(92) + '[')}$" for row in rows)
    [some] = query(TABLE, [parse(source)], k=k, method=method, metric=metric, match=pattern)
    left = [(n.id, n.score) for n in whole.neighbours if n.id in rows]
    assert [(n.id, n.score) for n in some.neighbours] == left[:k]
    assert [n.rank for n in some.neighbours] == list(range(1, len(left[:k]) + 1))


def test_a_note_says_if_fewer_than_k_tokens_pass() -> None:
    engine = QueryEngine(Space(TABLE), QuerySettings(k=3, filters=Filters(match="王")))
    assert engine.notes == ()
    engine = QueryEngine(Space(TABLE), QuerySettings(k=4, filters=Filters(match="王")))
    assert engine.notes == ("3 tokens pass the filters",)
    engine = QueryEngine(Space(TABLE), QuerySettings(k=4, filters=Filters(match="犬")))
    assert engine.notes == ("0 tokens pass the filters: drop match='犬'",)
    assert engine.answer([engine.prepare(parse("王"))])[0].neighbours == ()


@pytest.mark.parametrize(
    ("scheme", "tokens", "expected"),
    [
        (Scheme.WORDPIECE, ("王", "##王", "女", "##女王"), [0, 0, 2, 3]),
        (Scheme.SENTENCEPIECE, ("▁王", "女", "王", "▁"), [0, 1, 0, 3]),
        (Scheme.BYTE_LEVEL, ("king", "Ġking", "Ġa"), [0, 0, 2]),
    ],
)
def test_twins_have_the_same_text(
    scheme: Scheme, tokens: tuple[str, ...], expected: list[int]
) -> None:
    assert same_surface(Vocabulary(tokens, scheme)).tolist() == expected


def test_a_special_token_has_no_twin() -> None:
    assert same_surface(Vocabulary(("##a", "a"), special_ids=(1,))).tolist() == [0, 1]


TWINS = table_of({"王": [2], "##王": [1], "女": [3], "##女": [9], "神": [4], "子": [5], "山": [6]})


def test_merged_twins_appear_once_at_the_better_rank() -> None:
    [answer] = query(TWINS, [parse("0*王")], k=3, merge_twins=True)
    assert [(n.rank, n.token, n.twins, n.in_query) for n in answer.neighbours] == [
        (1, "##王", ("王",), True),
        (2, "女", ("##女",), False),
        (3, "神", (), False),
    ]


def test_excluding_query_words_excludes_their_twins() -> None:
    [answer] = query(TWINS, [parse("王")], k=9, merge_twins=True, exclude=True)
    assert [n.token for n in answer.neighbours] == ["女", "神", "子", "山"]


def test_a_filter_can_separate_twins() -> None:
    [answer] = query(TWINS, [parse("王")], k=9, merge_twins=True, only="subword")
    assert [(n.token, n.twins) for n in answer.neighbours] == [("##王", ()), ("##女", ())]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(1, 8))
def test_k_texts_are_listed_if_there_are_k(order: list[int], k: int) -> None:
    tokens = [f"{'#' * 2 * (n % 2)}{chr(0x4E00 + n // 2)}" for n in range(len(order))]
    table = table_of({token: [place] for token, place in zip(tokens, order, strict=True)})
    [answer] = query(table, [parse(f"0*{tokens[0]}")], k=k, merge_twins=True)
    best: dict[str, int] = {}
    for token, place in zip(tokens, order, strict=True):
        text = token.removeprefix("##")
        best[text] = min(best.get(text, 99), place)
    assert [n.score for n in answer.neighbours] == [float(v) for v in sorted(best.values())[:k]]
