"""Words on an axis, beside plain numpy and in tables that can be checked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

import wordvec
from support.tables import TOKENS, drawn_rows, dynamic_table, other_table, table_of, toy_table
from wordvec.analysis.display import OutputStyle
from wordvec.api import Table
from wordvec.errors import ExpressionError, UnknownWordError, UsageError, WordvecError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TOY, MOVED, OTHER = Table(toy_table()), Table(dynamic_table()), Table(other_table())


def test_words_are_ordered_from_the_positive_pole_to_the_negative() -> None:
    report = TOY.axis("女-男", ["男", "女王", "王", "女"])
    assert [word.token for word in report] == ["女", "女王", "王", "男"]
    cosines = [word.places[0][0].cosine for word in report if word.places[0]]
    assert cosines == pytest.approx([0.5**0.5, 0.5, -0.5, -(0.5**0.5)])
    projections = [word.places[0][0].projection for word in report if word.places[0]]
    assert projections == pytest.approx([0.5**0.5, 0.5**0.5, -(0.5**0.5), -(0.5**0.5)])
    assert [word.in_axis for word in report] == [True, False, False, True]
    assert report.poles == (("男", "女"),)
    assert report.columns[0].axes[0].norm == pytest.approx(2**0.5)


@settings(deadline=None)
@given(drawn_rows())
def test_every_number_is_that_of_numpy(rows: NDArray[np.float32]) -> None:
    a = rows[1].astype(float) - rows[0].astype(float)
    table = Table(table_of(rows))
    words = list(range(len(rows)))
    if not a.any():
        with pytest.raises(ExpressionError, match="the axis is zero in static"):
            table.axis("#1-#0", words)
        return
    usable = [row for row in words if rows[row].any()]
    x = rows[usable].astype(float)
    projection = x @ a / np.linalg.norm(a)
    cosine = projection / np.linalg.norm(x, axis=1)
    for metric, score in (("cosine", cosine), ("dot", projection)):
        report = table.axis("#1-#0", usable, metric=metric)
        found = {word.ids[0]: word.places[0] for word in report}
        assert len(found) == len(usable)
        z = (score - score.mean()) / (score.std() or 1)
        for i, row in enumerate(usable):
            [one] = found[row] or ()
            np.testing.assert_allclose([one.projection, one.cosine], [projection[i], cosine[i]],
                                       atol=1e-6)  # fmt: skip
            if score.std() > 1e-9:
                assert one.z == pytest.approx(z[i], abs=1e-5)
            near = np.isclose(score, score[i], rtol=0, atol=1e-9)
            above = int((score[~near] > score[i]).sum())
            assert above < one.rank <= above + near.sum()
        ranks = [places[0].rank for places in found.values() if places]
        assert sorted(ranks) == list(range(1, len(usable) + 1))


def test_equal_rows_have_the_ranks_of_their_order() -> None:
    table = Table(table_of({"a": [1, 0], "b": [0, 1], "c": [1, 1], "d": [1, 1], "e": [2, 2]}))
    report = table.axis("a-b", ["e", "d", "c"])
    assert [(word.token, word.places[0][0].rank) for word in report if word.places[0]] == [
        ("c", 2), ("d", 3), ("e", 4),
    ]  # fmt: skip


def test_the_ends_of_the_axis_are_the_tokens_with_the_extreme_scores() -> None:
    report = TOY.axis("女-男", top=2)
    # of equal cosines, the lower row is first
    assert [word.token for word in report] == ["女", "k", "m", "1999"]
    ranks = [word.places[0][0].rank for word in report if word.places[0]]
    assert ranks == [1, 2, 11, 12]
    only = TOY.axis("女-男", ["王"], top=1, only="kanji", match="^.?王$")
    assert [word.token for word in only] == ["女王", "王"]
    with pytest.raises(WordvecError, match="0 tokens pass the filters"):
        TOY.axis("女-男", top=1, match="nothing")


def test_the_mean_of_several_words_is_a_pole() -> None:
    mean = TOY.axis("(女+女王)/2-(男+王)/2", ["子"])
    a = np.array([-1, 1, 0])
    assert mean.columns[0].axes[0].norm == pytest.approx(np.linalg.norm(a))
    assert mean.poles == (("男 王", "女 女王"),)


def test_a_word_that_one_table_does_not_have_is_noted() -> None:
    report = wordvec.axis([TOY, OTHER], "女-王", ["男", "女", "后"])
    places = {word.token: [one is not None for one in word.places] for word in report}
    assert places == {"男": [True, False], "女": [True, True], "后": [False, True]}
    assert report.notes == (
        'static: "男" is not in this vocabulary', 'static: "后" is not in this vocabulary',
    )  # fmt: skip
    with pytest.raises(UnknownWordError, match='"犬" is not in this vocabulary'):
        wordvec.axis([TOY, OTHER], "女-王", ["犬"])


def test_tokens_of_the_ends_are_found_in_tables_of_other_vocabularies() -> None:
    report = wordvec.axis([OTHER, TOY], "女-王", top=3)
    assert [(word.token, word.ids) for word in report] == [
        ("女", (1, 2)), ("后", (2, None)), ("王", (0, 0)),
    ]  # fmt: skip


def test_moved_words_have_a_place_in_each_table() -> None:
    report = wordvec.axis([TOY, MOVED], "女-男", ["子", "女王"])
    child = report[1]
    assert [word.token for word in report] == ["女王", "子"]
    cosines = [places[0].cosine for places in child.places if places is not None]
    assert cosines == pytest.approx([0, 0.5])
    line = next(line for line in repr(report).splitlines() if line.startswith("子"))
    assert line.endswith("│1──────2")


def test_words_of_a_file_are_added_and_unknown_ones_counted(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("王\n犬\n\n女\n猫\n", encoding="utf-8")
    report = TOY.axis("女-男", ["王"], file=file)
    assert [word.token for word in report] == ["女", "王"]
    assert report.notes == ("2 of the 4 words in words.txt are not in this vocabulary",)
    file.write_text("犬\n", encoding="utf-8")
    with pytest.raises(WordvecError, match="no word of the file is in this vocabulary"):
        TOY.axis("女-男", file=file)


def test_a_zero_vector_has_no_place() -> None:
    table = Table(table_of({"a": [1, 0], "b": [0, 1], "zero": [0, 0]}))
    assert table.axis("a-b", ["a"]).columns[0].tokens == 2
    with pytest.raises(WordvecError, match="the vector of zero has no direction"):
        table.axis("a-b", ["zero"])


def test_transforms_come_first() -> None:
    report = TOY.axis("女-男", ["王", "1999"], transforms="center,unit")
    rows = np.array(list(TOKENS.values()), dtype=np.float32).astype(float)
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    a = rows[2] - rows[1]
    found = {word.ids[0]: word.places[0][0].projection for word in report if word.places[0]}
    for row, projection in found.items():
        assert row is not None
        assert projection == pytest.approx(rows[row] @ a / np.linalg.norm(a), abs=1e-6)


@pytest.mark.parametrize(
    ("axis", "words", "options", "error", "message"),
    [
        ("女:男=王:?", ["王"], {}, ExpressionError, "an axis is a sum, not an analogy"),
        ("女-女", ["王"], {}, ExpressionError, "the axis is zero"),
        ("女-犬", ["王"], {}, UnknownWordError, "is not in this vocabulary"),
        ("女-男", [], {}, UsageError, "an axis needs words to place"),
        ("女-男", ["王"], {"metric": "l2"}, UsageError, "by cosine or dot, not by l2"),
        ("女-男", ["王"], {"only": "kanji"}, UsageError, "a filter selects tokens of the ends"),
        ("女-男", ["王"], {"top": -1}, UsageError, "expected top of at least 0, got -1"),
        ("女-男", ["王"], {"middle": 1}, TypeError, "unknown option 'middle'"),
        ("女-男", [True], {}, UsageError, "expected a word or an id, got bool"),
    ],
)
def test_what_cannot_be_placed_is_refused(
    axis: str,
    words: list[str],
    options: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        TOY.axis(axis, words, **options)  # type: ignore[arg-type]


def test_a_wide_terminal_has_one_table_and_a_narrow_one_two() -> None:
    report = TOY.axis("女-男", ["男", "女王"])
    assert report.text_lines(OutputStyle(cells=80)) == [
        "toy:static · 12 × 3 · cosine similarity · raw vectors",
        "",
        "女-男",
        "token     id  projection   cosine      z  rank  男             女",
        "女王       3      0.7071   0.5000  +1.18     3          │████████",
        "男     *   1     -0.7071  -0.7071  -1.19    10  ████████│",
        "",
        "all 12 tokens: -0.1006 ± 0.5106",
    ]
    assert report.text_lines(OutputStyle(cells=40))[3:] == [
        "女-男",
        "token         z  rank  男         女",
        "女王      +1.18     3        │██████",
        "男     *  -1.19    10  ██████│",
        "",
        "token     id  projection   cosine",
        "女王       3      0.7071   0.5000",
        "男     *   1     -0.7071  -0.7071",
        "",
        "all 12 tokens: -0.1006 ± 0.5106",
    ]


def test_a_scatter_has_each_word_at_its_place_and_the_poles_at_the_ends() -> None:
    table = Table(table_of({"a": [1, 0], "b": [0, 1], "右": [2, -1], "上": [-1, 3], "下": [0, -2]}))
    report = table.axis("a", ["右", "上", "下"], y="b")
    # x from -0.316 to 0.894 on cells 0 to 39, y from -1 to 0.949 on lines 9 to 0
    assert report.text_lines(OutputStyle(cells=41))[4:14] == [
        "上                 [b]",
        "                    │",
        "                    │",
        "                    │",
        "────────────────────┼────────────────[a]",
        "                    │",
        "                    │                 右",
        "                    │",
        "                    │",
        "         下         │",
    ]


def test_a_word_without_room_in_a_scatter_is_a_dot() -> None:
    table = Table(
        table_of({"a": [1, 0], "b": [0, 1], "long": [4, 4.0], "near": [4.1, 4], "c": [1, -9]})
    )
    lines = table.axis("a", ["long", "near", "c"], y="b").text_lines(OutputStyle(cells=41))
    drawn = "\n".join(lines[4:14])
    assert ("long" in drawn) != ("near" in drawn)
