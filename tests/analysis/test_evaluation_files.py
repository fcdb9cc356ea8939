"""Test sets of every form, small ones of the same forms as the public ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wordvec.analysis.evaluation_files import (
    AnalogySet,
    Category,
    SimilaritySet,
    bundled_analogies,
    read_test_set,
)
from wordvec.errors import WordvecError

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, content: str, name: str = "made.txt") -> AnalogySet | SimilaritySet:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return read_test_set(file)


def test_pairs_by_category_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = "b\t王\t女王\n\na\t男\t女/娘\r\nb\t父\t母\n"
    assert read(tmp_path, content) == AnalogySet(
        "made.txt",
        {
            "b": Category([("王", ("女王",)), ("父", ("母",))]),
            "a": Category([("男", ("女", "娘"))]),
        },
    )


def test_a_file_of_questions_gives_only_its_own_questions(tmp_path: Path) -> None:
    content = (
        "\n: family\n王 女王 男 女\n王 女王 父 母\n王 女王 王 女王\n"
        ": one way\n父  母\t男 女\n: none\n"
    )
    assert read(tmp_path, content) == AnalogySet(
        "made.txt",
        {
            "family": Category(
                [("王", ("女王",)), ("男", ("女",)), ("父", ("母",))], [(0, 1), (0, 2), (0, 0)]
            ),
            "one way": Category([("父", ("母",)), ("男", ("女",))], [(0, 1)]),
        },
    )


def test_questions_with_a_heading_have_their_category_in_a_column(tmp_path: Path) -> None:
    content = ",type,word1,word2,word3,target\n0,family,王,女王,男,女\n1,family,男,女,王,女王\n"
    assert read(tmp_path, content) == AnalogySet(
        "made.txt",
        {"family": Category([("王", ("女王",)), ("男", ("女",))], [(0, 1), (1, 0)])},
    )


def test_a_folder_of_bats_has_a_category_for_each_file(tmp_path: Path) -> None:
    for folder, name, content in (
        ("2_Derivational", "D01 [noun+less].txt", "king\tkingless/unkinged\nman\tmanless\n"),
        ("1_Inflectional", "I01 [noun - plural].txt", "king kings\nman men/mans\n"),
        ("2_Derivational", "I01 [noun - plural].txt", "##man\tmen\n"),
        ("2_Derivational", ".hidden.txt", "no\n"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(content, encoding="utf-8")
    assert read_test_set(tmp_path) == AnalogySet(
        tmp_path.name,
        {
            "I01 [noun - plural]": Category([("king", ("kings",)), ("man", ("men", "mans"))]),
            "D01 [noun+less]": Category(
                [("king", ("kingless", "unkinged")), ("man", ("manless",))]
            ),
            "2_Derivational/I01 [noun - plural]": Category([("##man", ("men",))]),
        },
    )


@pytest.mark.parametrize(
    "content",
    [
        "王 女王 7.5\n父 山 0\n",  # MEN
        "王-n 女王-n 7.5\n父-n 山-n 0.0\n",  # MEN, lemmas
        "# Word 1\tWord 2\tScore\n王\t女王\t7.5\n父\t山\t0\n",  # WordSim-353, similarity
        "Word 1,Word 2,Human (mean)\n王,女王,7.5\n父,山,0\n",  # WordSim-353
        "word1\tword2\tPOS\tSimLex999\tSD\n王\t女王\tN\t7.5\t1\n父\t山\tN\t0\t1\n",  # SimLex-999
        "word1,word2,mean(remove_extreme_annotator),ano1,mean\n王,女王,8,7,7.5\n父,山,1,0,0\n",
    ],
)
def test_pairs_with_a_score_are_read_from_every_form(tmp_path: Path, content: str) -> None:
    expected = SimilaritySet("made.txt", [("王", "女王"), ("父", "山")], [7.5, 0.0])
    assert read(tmp_path, content) == expected


def test_numbers_can_be_words_of_a_pair(tmp_path: Path) -> None:
    found = read(tmp_path, "digit\t一\t1\nroyal\t王\t女王\n")
    assert isinstance(found, AnalogySet)
    assert found.categories["digit"] == Category([("一", ("1",))])


def test_two_words_a_line_are_the_pairs_of_one_category(tmp_path: Path) -> None:
    found = read(tmp_path, "王\t女王\n/\t//\n", "royal.tsv")
    pairs = [("王", ("女王",)), ("/", ("//",))]
    assert found == AnalogySet("royal.tsv", {"royal": Category(pairs)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\t王\t女王\nfamily 男 女\n", "line 2: expected category, word and word, separated by"),
        ("a\t王\t\n", "line 1: expected category"),
        ("a\t王\t女王\t男\n", "line 1: expected category"),
        ("\n\n", "is empty"),
        (": a\n王 女王 男 女\n王 女王 男\n", "line 3: expected four words, or a colon"),
        ("王\t女王\n男\n", "line 2: expected two words, separated by a tab, got 男"),
        ("word1\tword2\tscore\n王\t女王\tnan\n", "line 2: expected two words and a number"),
        (",type,word1,word2,word3,target\n0,a,王,女王,男\n", "line 2: expected 6 cells as in the"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(WordvecError, match=message):
        read(tmp_path, content)


def test_a_file_that_is_not_utf8_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_bytes(b"\xff\xff")
    with pytest.raises(WordvecError, match=r"pairs\.tsv is not UTF-8"):
        read_test_set(file)


def test_folders_without_analogies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WordvecError, match=r"has no \.txt files"):
        read_test_set(tmp_path)
    (tmp_path / "men.txt").write_text("王 女王 1\n", encoding="utf-8")
    with pytest.raises(WordvecError, match="has pairs with a score"):
        read_test_set(tmp_path)


def test_the_bundled_file_can_be_read() -> None:
    found = read_test_set(bundled_analogies())
    assert isinstance(found, AnalogySet)
    assert ("王", ("王妃",)) in found.categories["gender"].pairs
