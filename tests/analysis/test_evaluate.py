"""Analogies counted, beside plain numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.analysis.evaluate import (
    Category,
    _ranks,
    bundled_analogies,
    evaluate,
    read_analogies,
)
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.search.space import Space

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.analysis.evaluate import Analogies
    from wordvec.tables.table import VectorTable

ADD = QuerySettings(method=Method.ADD)
ROYAL = table_of({
    "王": [1, 0, 1, 0, 0], "女王": [0, 1, 1, 0, 0], "男": [1, 0, 0, 1, 0],
    "女": [0, 1, 0, 1, 0], "父": [1, 0, 0, 0, 1], "母": [0, 1, 0, 0, 1],
    "犬": [5, 5, 5, 5, 5], "神": [1, 1, 2, 0, 0], "鬼": [0, 0, -1, -1, -1],
})  # fmt: skip
FAMILY: Analogies = {"family": Category([("王", "女王"), ("男", "女"), ("父", "母")])}


def plain_shares(table: VectorTable, analogies: Analogies) -> dict[str, tuple[int, int, int]]:
    """Category → questions, right at once, right among ten: every question by itself."""
    unit = table.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    row = table.vocabulary.tokens.index
    shares = {}
    for name, some in analogies.items():
        places = []
        for a, b in some.pairs:
            for c, d in some.pairs:
                if c == a or d in (a, b, c):
                    continue
                query = unit[row(b)] - unit[row(a)] + unit[row(c)]
                scores = unit @ query
                scores[[row(a), row(b), row(c)]] = -np.inf
                places.append(int((scores > scores[row(d)]).sum()))
        shares[name] = (len(places), sum(p < 1 for p in places), sum(p < 10 for p in places))
    return shares


def test_six_questions_of_three_pairs_are_all_right() -> None:
    found = evaluate(Space(ROYAL), FAMILY, ADD)
    [family] = found.categories
    assert (family.pairs, family.questions, family.first, family.among) == (3, 6, 6, 6)
    assert (found.mean, found.overall) == ((1.0, 1.0), (1.0, 1.0))


def test_the_counts_equal_plain_numpy() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(3, 12))
    words = rng.normal(size=(40, 12))
    halves = [words + rng.normal(size=(40, 12)) * 0.6 + kinds[0], words + kinds[1]]
    table = table_of(np.vstack([*halves, rng.normal(size=(60, 12))]))
    pairs = {
        "near": Category([(f"t{i}", f"t{i + 40}") for i in range(15)]),
        "far": Category([(f"t{i}", f"t{i + 80}") for i in range(15)]),
        "shared": Category([("t1", "t41"), ("t2", "t41"), ("t3", "t43")]),
    }
    found = evaluate(Space(table), pairs, ADD)
    counted = {c.name: (c.questions, c.first, c.among) for c in found.categories}
    assert counted == plain_shares(table, pairs)
    assert 0 < counted["near"][1] < counted["near"][0]
    assert found.mean[0] == pytest.approx(np.mean([c.top1 for c in found.categories]))
    assert found.overall[1] == pytest.approx(
        sum(among for _, _, among in counted.values()) / found.questions
    )


@pytest.mark.parametrize(
    "how",
    [
        QuerySettings(method=Method.MUL),
        QuerySettings(method=Method.DIRECTION),
        QuerySettings(metric=Metric.COSINE, transforms=("center",)),
        QuerySettings(method=Method.ADD, metric=Metric.CSLS),
    ],
)
def test_other_methods_count_what_query_answers(how: QuerySettings) -> None:
    table = table_of(np.random.default_rng(1).normal(size=(30, 4)))
    pairs = {"some": Category([(f"t{i}", f"t{i + 10}") for i in range(4)])}
    space = Space(table, how.all_transforms)
    found = evaluate(space, pairs, how)
    engine = QueryEngine(space, QuerySettings(
        method=how.method, metric=how.metric, transforms=how.transforms, exclude=True, k=30
    ))  # fmt: skip
    places = []
    for a, b in pairs["some"].pairs:
        for c, d in pairs["some"].pairs:
            if c != a:
                [answer] = engine.answer([engine.prepare(parse(f"{a}:{b}={c}:?"))])
                places.append([n.token for n in answer.neighbours].index(d))
    [some] = found.categories
    assert (some.first, some.among) == (places.count(0), sum(place < 10 for place in places))


@settings(deadline=None, max_examples=60)
@given(drawn_rows(least=8, zero=False), st.sampled_from(Method), st.data())
def test_a_block_gives_the_ranks_of_one_question_after_another(
    rows: NDArray[np.float32], method: Method, data: st.DataObject
) -> None:
    engine = QueryEngine(Space(table_of(rows)), QuerySettings(method=method, exclude=True))
    order = st.permutations(range(len(rows))).map(lambda rows: rows[:4])
    drawn = data.draw(st.lists(order, min_size=1, max_size=6))
    questions = [((a,), (b,), (c,), d) for a, b, c, d in drawn]
    try:
        block = _ranks(engine, questions, lambda _: None)
    except WordvecError:  # the words of a question cancel out, or have no direction
        return
    for question, rank in zip(questions, block.tolist(), strict=True):
        [alone] = _ranks(engine, [question], lambda _: None)
        (a,), (b,), (c,), d = question
        whole = replace(engine.settings, k=len(rows))
        [answer] = QueryEngine(engine.space, whole).answer(
            [engine.prepare(parse(f"#{a}:#{b}=#{c}:?"))]
        )
        places = [neighbour.id for neighbour in answer]
        assert rank == alone == (places.index(d) + 1 if d in places else len(rows) + 1)


def test_words_that_are_not_tokens_are_counted() -> None:
    pairs = {**FAMILY, "beasts": Category([("犬", "猫"), ("鳥", "魚")])}
    found = evaluate(Space(ROYAL), pairs, ADD)
    assert found.unknown == ("猫", "鳥", "魚")
    assert found.dropped == 2
    assert found.empty == ("beasts",)
    assert [score.name for score in found.categories] == ["family"]


def test_words_cut_into_pieces_can_be_asked_but_are_no_answers() -> None:
    table = table_of({
        "王": [1, 0, 1, 0], "女王": [0, 1, 1, 0], "男": [1, 0, 0, 1], "女": [0, 1, 0, 1],
        "大": [2, 2, 0, 0], "##男": [0, -2, 0, 2], "犬": [5, 5, 5, 5],
    })  # fmt: skip
    pairs: Analogies = {"family": Category([("王", "女王"), ("大男", "女")])}
    plain = evaluate(
        Space(table), {"family": Category([*pairs["family"].pairs, ("男", "女")])}, ADD
    )
    assert (plain.questions, plain.unknown) == (2, ("大男",))
    found = evaluate(Space(table), pairs, replace(ADD, pieces=True))
    assert (found.unknown, found.dropped) == ((), 0)
    # 王:女王=大男:女, and 大男:女=王:女王; 大男 is (大 + ##男)/2 = [1, 0, 0, 1]
    [category] = found.categories
    assert (category.pairs, category.questions, category.first) == (2, 2, 2)


def test_too_few_known_words_are_an_error() -> None:
    with pytest.raises(
        WordvecError, match="no question can be asked: the vocabulary has too few of the words"
    ):
        evaluate(Space(ROYAL), {"beasts": Category([("犬", "猫")])}, ADD)


def test_merging_twins_is_refused() -> None:
    with pytest.raises(UsageError, match="merge_twins=True is not supported here"):
        evaluate(Space(ROYAL), FAMILY, QuerySettings(merge_twins=True))


def test_progress_counts_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wordvec.analysis.evaluate._BLOCK", 4)
    seen: list[tuple[int, int]] = []
    pairs = {"family": FAMILY["family"], "again": FAMILY["family"]}
    evaluate(Space(ROYAL), pairs, ADD, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 12), (4, 12), (6, 12), (10, 12), (12, 12)]


def test_a_file_is_read_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("b\t王\t女王\n\na\t男\t女\nb\t父\t母\n", encoding="utf-8")
    assert read_analogies(file) == {
        "b": Category([("王", "女王"), ("父", "母")]),
        "a": Category([("男", "女")]),
    }


def test_a_file_of_questions_gives_only_its_own_questions(tmp_path: Path) -> None:
    file = tmp_path / "questions-words.txt"
    file.write_text(
        "\n: family\n王 女王 男 女\n王 女王 父 母\n男 女 犬 猫\n王 女王 王 女王\n"
        ": one way\n父  母\t男 女\n: none\n",
        encoding="utf-8",
    )
    analogies = read_analogies(file)
    assert analogies == {
        "family": Category(
            [("王", "女王"), ("男", "女"), ("父", "母"), ("犬", "猫")],
            [(0, 1), (0, 2), (1, 3), (0, 0)],
        ),
        "one way": Category([("父", "母"), ("男", "女")], [(0, 1)]),
    }
    found = evaluate(Space(ROYAL), analogies, ADD)
    counts = [(score.pairs, score.questions, score.first) for score in found.categories]
    assert counts == [(3, 2, 2), (2, 1, 1)]
    assert (found.unknown, found.dropped) == (("猫",), 1)


def test_questions_written_out_give_the_counts_of_their_pairs(tmp_path: Path) -> None:
    pairs = read_analogies(bundled_analogies())
    names = ["gender", "season-word"]
    file = tmp_path / "questions.txt"
    lines = []
    for name in names:
        lines.append(f": {name}")
        some = pairs[name].pairs
        lines += [" ".join((*one, *other)) for one in some for other in some if one != other]
    file.write_text("\n".join(lines), encoding="utf-8")
    words = sorted({word for name in names for pair in pairs[name].pairs for word in pair})
    rows = np.random.default_rng(4).normal(size=(len(words), 6))
    table = table_of(dict(zip(words, rows.tolist(), strict=True)))
    written = evaluate(Space(table), read_analogies(file), ADD)
    assert written == evaluate(Space(table), {name: pairs[name] for name in names}, ADD)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a\t王\t女王\nfamily 男 女\n",
            "line 2: expected category, word and word, separated by tabs",
        ),
        ("a\t王\t\n", "line 1: expected category"),
        ("a\t王\t女王\t男\n", "line 1: expected category"),
        ("\n\n", "is empty"),
        (": a\n王 女王 男 女\n王 女王 男\n", "line 3: expected four words, or a colon"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(WordvecError, match=message):
        read_analogies(file)


def test_a_file_that_is_not_utf8_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_bytes(b"\xff\xff")
    with pytest.raises(WordvecError, match=r"pairs\.tsv is not UTF-8"):
        read_analogies(file)


def test_the_bundled_file_can_be_read() -> None:
    assert ("王", "王妃") in read_analogies(bundled_analogies())["gender"].pairs


def test_json_has_the_documented_fields() -> None:
    data = evaluate(Space(ROYAL), FAMILY, ADD).to_dict()
    assert list(data) == [
        "table", "method", "metric", "unit", "transforms", "exclude", "categories", "mean",
        "overall", "questions", "dropped_pairs", "unknown",
    ]  # fmt: skip
    assert data["exclude"] is True
    assert data["mean"] == {"top1": 1.0, "top10": 1.0}
