"""Tables measured, beside plain numpy, gensim, scipy and scikit-learn."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from support.tables import table_of
from wordvec.analysis.evaluate import evaluate
from wordvec.analysis.evaluation_files import AnalogySet, Category, SimilaritySet, read_test_set
from wordvec.analysis.evaluation_scores import NotAsked
from wordvec.analysis.evaluation_settings import EvaluationSettings, as_transform_lists
from wordvec.analysis.evaluation_statistics import compare_pair, rank_correlation
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search.settings import Method, QuerySettings
from wordvec.search.space import Space
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wordvec.analysis.evaluation import Evaluation
    from wordvec.analysis.evaluation_files import TestSet
    from wordvec.tables.table import VectorTable

ROYAL = table_of({
    "王": [1, 0, 1, 0, 0], "女王": [0, 1, 1, 0, 0], "男": [1, 0, 0, 1, 0],
    "女": [0, 1, 0, 1, 0], "父": [1, 0, 0, 0, 1], "母": [0, 1, 0, 0, 1],
    "犬": [5, 5, 5, 5, 5], "神": [1, 1, 2, 0, 0], "鬼": [0, 0, -1, -1, -1],
})  # fmt: skip


def analogies(**categories: Sequence[tuple[str, str]]) -> AnalogySet:
    """Make a set of pairs by category; `/` separates right answers."""
    return AnalogySet(
        "made.tsv",
        {name: Category([(a, tuple(b.split("/"))) for a, b in pairs])
         for name, pairs in categories.items()},
    )  # fmt: skip


FAMILY = analogies(family=[("王", "女王"), ("男", "女"), ("父", "母")])


def measure(table: VectorTable, test_set: TestSet, **options: Any) -> Evaluation:
    return evaluate([(table, None)], [test_set], EvaluationSettings.of(**options))


def random_pairs(seed: int = 0) -> tuple[VectorTable, AnalogySet]:
    """Make a table of 140 tokens and three categories, of which one is easy."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(3, 12))
    words = rng.normal(size=(40, 12))
    halves = [words + rng.normal(size=(40, 12)) * 0.6 + kinds[0], words + kinds[1]]
    table = table_of(np.vstack([*halves, rng.normal(size=(60, 12))]))
    return table, analogies(
        near=[(f"t{i}", f"t{i + 40}") for i in range(15)],
        far=[(f"t{i}", f"t{i + 80}/t{i + 81}") for i in range(15)],
        shared=[("t1", "t41"), ("t2", "t41"), ("t3", "t43"), ("t4", "nothing")],
    )


def plain_ranks(
    table: VectorTable, pairs: Sequence[tuple[str, tuple[str, ...]]]
) -> list[tuple[int, int, int]]:
    """Return for each question the rank without its own words, with them, and which is first."""
    unit = table.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    row = {token: i for i, token in enumerate(table.vocabulary.tokens)}
    found = []
    for a, (b, *_) in pairs:
        for c, right in pairs:
            if not {a, b, c, *right} <= row.keys():
                continue
            answers = [row[word] for word in right if word not in (a, b, c)]
            if a == c or not answers:
                continue
            own = [row[a], row[b], row[c]]
            scores = unit @ (unit[row[b]] - unit[row[a]] + unit[row[c]])
            best = max(scores[answers])
            kept = int((scores > best).sum()) + 1
            first = int(np.argmax(scores))
            without = kept - int((scores[own] > best).sum())
            found.append((without, kept, own.index(first) if first in own else -1))
    return found


def test_six_questions_of_three_pairs_are_all_right() -> None:
    [found] = measure(ROYAL, FAMILY)
    [family] = found.categories
    assert (family.pairs, family.questions, family.left_out.hits) == (3, 6, (6, 6, 6))
    assert found.mean == (1.0, 1.0, 1.0, 1.0)


def test_every_figure_equals_plain_numpy() -> None:
    table, test_set = random_pairs()
    [found] = measure(table, test_set, at=(1, 3, 10))
    for category in found.categories:
        ranks = plain_ranks(table, test_set.categories[category.name].pairs)
        for score, side in ((category.left_out, 0), (category.kept, 1)):
            some = [one[side] for one in ranks]
            assert score.questions == len(some) == category.questions
            assert score.hits == tuple(sum(rank <= k for rank in some) for k in (1, 3, 10))
            assert score.mrr == pytest.approx(np.mean([1 / rank for rank in some]))
        assert category.own == tuple(sum(one[2] == word for one in ranks) for word in range(3))
    assert 0 < found.categories[0].left_out.hits[0] < found.categories[0].questions
    near, far, shared = found.categories
    asked = [part for part in (near, far, shared) if part.questions]
    assert found.mean[0] == pytest.approx(np.mean([part.left_out.shares[0] for part in asked]))
    whole = found.overall
    assert whole.questions == sum(part.questions for part in found.categories)
    assert whole.left_out.hits[2] == sum(part.left_out.hits[2] for part in found.categories)


def test_gensim_counts_the_same(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    table, test_set = random_pairs(1)
    lines = []
    for name in ("near", "far"):
        pairs = [(a, right[0]) for a, right in test_set.categories[name].pairs]
        lines.append(f": {name}")
        lines += [" ".join((*one, *other)) for one in pairs for other in pairs if one != other]
    file = tmp_path / "questions-words.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    keyed = KeyedVectors(12)
    keyed.add_vectors(list(table.vocabulary.tokens), np.array(table.vectors))
    _, sections = keyed.evaluate_word_analogies(str(file), case_insensitive=False)
    [found] = measure(table, read_test_set(file))
    assert [part.left_out.hits[0] for part in found.categories] == [
        len(section["correct"]) for section in sections[:2]
    ]
    assert found.overall.questions == len(sections[-1]["correct"]) + len(sections[-1]["incorrect"])


def test_questions_that_cannot_be_asked_are_counted_with_the_reason() -> None:
    table = table_of({
        "王": [1, 0, 1], "女王": [0, 1, 1], "男": [1, 0, 0], "女": [0, 1, 0], "零": [0, 0, 0],
    })  # fmt: skip
    test_set = analogies(
        royal=[("王", "女王"), ("男", "女"), ("王", "女"), ("犬", "猫"), ("零", "女")],
        beasts=[("犬", "猫"), ("鳥", "魚")],
    )
    found = measure(table, test_set)
    royal, beasts = found[0].categories
    # of the 20 questions 8 have 犬; 2 have 王 twice, 2 have 女 as the answer of 男 and 王, and
    # 零 with 王 or 男 has 女 as its answer or as that of the other in 4; 零 is zero in the 2 left,
    # and 王:女王 with 零:女 in both orders
    assert royal.not_asked == {
        NotAsked.UNKNOWN: 8, NotAsked.REPEATED: 8, NotAsked.NO_DIRECTION: 2,
    }  # fmt: skip
    assert (royal.pairs, royal.questions) == (4, 2)
    assert (beasts.questions, beasts.not_asked) == (0, {NotAsked.UNKNOWN: 2})
    assert found.unknown == {"made:static": ("犬", "猫", "鳥", "魚")}
    assert found.notes == (
        "4 words are not in this vocabulary: 犬 猫 鳥 魚",
        "10 of 22 questions are not asked: a word is not in this vocabulary",
        f"8 of 22 questions are not asked: {NotAsked.REPEATED.sentence}",
        f"2 of 22 questions are not asked: {NotAsked.NO_DIRECTION.sentence}",
        "no questions left in beasts",
    )


def test_words_cut_into_pieces_can_be_asked_but_are_no_answers() -> None:
    table = table_of({
        "王": [1, 0, 1, 0], "女王": [0, 1, 1, 0], "男": [1, 0, 0, 1], "女": [0, 1, 0, 1],
        "大": [2, 2, 0, 0], "##男": [0, -2, 0, 2], "犬": [5, 5, 5, 5],
    })  # fmt: skip
    test_set = analogies(family=[("王", "女王"), ("大男", "女")])
    with pytest.raises(WordvecError, match="no question can be asked"):
        measure(table, test_set)
    # 王:女王=大男:女, and 大男:女=王:女王; 大男 is (大 + ##男)/2 = [1, 0, 0, 1]
    [found] = measure(table, test_set, pieces=True)
    assert (found.overall.questions, found.overall.left_out.hits) == (2, (2, 2, 2))
    turned = analogies(family=[("女王", "王"), ("女", "大男")])
    [found] = measure(table, turned, pieces=True)  # 女:大男=女王:王 alone
    assert found.overall.questions == 1
    assert found.overall.not_asked == {NotAsked.UNKNOWN: 1}


def test_every_table_method_and_transform_is_a_row() -> None:
    one, test_set = random_pairs()
    other = table_of(one.vectors[:, :5], mode=Mode.DYNAMIC)
    found = evaluate(
        [(one, None), (other, None)],
        [test_set],
        EvaluationSettings.of(methods="add,mul,direction,lrcos", transforms="none;center,unit"),
    )
    names = [(row.table.mode, row.transforms, row.method) for row in found]
    assert names == [
        (mode, steps, method)
        for mode in ("static", "dynamic")
        for steps in ((), ("center", "unit"))
        for method in ("add", "mul", "direction", "lrcos")
    ]
    for row in found:
        [alone] = evaluate(
            [(one if row.table.mode == "static" else other, None)],
            [test_set],
            EvaluationSettings.of(methods=[row.method], transforms=[row.transforms]),
        )
        assert row == alone
    best = max(found, key=lambda row: (row.overall.left_out.shares[0], row.overall.left_out.mrr))
    assert found.best is best


def test_two_tables_are_compared_on_the_questions_that_both_can_be_asked() -> None:
    one, test_set = random_pairs()
    rng = np.random.default_rng(3)
    noisy = one.vectors[:-2] + rng.normal(size=(138, 12)) * 0.5  # t138 and t139 are missing
    other = table_of(noisy, mode=Mode.DYNAMIC)
    found = evaluate([(one, None), (other, None)], [test_set], EvaluationSettings())
    [compared] = found.comparisons
    pairs = [pair for name in ("near", "far", "shared") for pair in test_set.categories[name].pairs]
    assert len(pairs) == 34
    first, second = (
        [rank for name in ("near", "far", "shared")
         for rank, _, _ in plain_ranks(table, test_set.categories[name].pairs)]
        for table in (one, other)
    )  # fmt: skip
    assert compared.questions == len(first) == len(second)
    b = sum(x == 1 != y for x, y in zip(first, second, strict=True))
    c = sum(y == 1 != x for x, y in zip(first, second, strict=True))
    assert (compared.only_first, compared.only_second) == (b, c)
    tail = sum(Fraction(comb(b + c, i), 2 ** (b + c)) for i in range(min(b, c) + 1))
    assert compared.p == pytest.approx(float(min(1, 2 * tail)))
    assert found.sentence(compared) == (
        f"made:static solves {b - c} more of {compared.questions} than made:dynamic "
        f"(p = {compared.p:.2g})"
    )
    turned = compare_pair(found.combinations, 1, 0)
    assert found.sentence(turned) == found.sentence(compared)
    assert found.sentence(compare_pair(found.combinations, 0, 0)) == (
        f"made:static and made:static solve equally many of {compared.questions} (p = 1)"
    )


def test_only_questions_of_both_count() -> None:
    words, rows = ROYAL.vocabulary.tokens[:4], ROYAL.vectors[:4].tolist()
    few = table_of(dict(zip(words, rows, strict=True)))
    found = evaluate([(ROYAL, None), (few, None)], [FAMILY], EvaluationSettings())
    assert [row.overall.questions for row in found] == [6, 2]
    assert compare_pair(found.combinations, 0, 1).questions == 2
    both = measure(ROYAL, FAMILY, methods=["add", "lrcos"])
    with pytest.raises(UsageError, match="compare it with LRCos"):
        compare_pair(both.combinations, 0, 1)


def test_lrcos_equals_scikit_learn_and_plain_numpy() -> None:
    from sklearn.linear_model import LogisticRegression

    table, test_set = random_pairs()
    pairs = [(int(a[1:]), int(right[0][1:])) for a, right in test_set.categories["near"].pairs]
    unit = table.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    noise = np.random.default_rng(0).choice(140, len(pairs), replace=False)
    ranks, first = [], []
    for place, (c, d) in enumerate(pairs):
        others = pairs[:place] + pairs[place + 1 :]
        rows = [d for _, d in others] + [c for c, _ in others] + noise.tolist()
        classes = [1] * len(others) + [0] * (len(others) + len(noise))
        model = LogisticRegression(class_weight="balanced", max_iter=1000)
        share = model.fit(unit[rows], classes).predict_proba(unit)[:, 1]
        scores = share * (unit @ unit[c])
        scores[c] = -np.inf
        ranks.append(int((scores > scores[d]).sum()) + 1)
        first.append(f"t{np.argmax(scores)}")
    [found] = measure(table, AnalogySet("near", {"near": test_set.categories["near"]}),
                      methods="lrcos", failures=99)  # fmt: skip
    wrong = [place for place, rank in enumerate(ranks) if rank > 1]
    assert len(wrong) > 2
    assert [(one.question, one.given, one.rank) for one in found.failures] == [
        (f"t{pairs[place][0]}", first[place], ranks[place]) for place in wrong
    ]
    assert found.ranks.left_out.tolist() == ranks
    assert found.overall.questions == 15


def test_lrcos_needs_another_pair_with_another_answer() -> None:
    found = measure(ROYAL, analogies(one=[("王", "女王")], same=[("男", "女"), ("父", "女")]),
                    methods="lrcos")  # fmt: skip
    one, same = found[0].categories
    assert one.not_asked == {NotAsked.NO_DIRECTION: 1}
    assert same.not_asked == {NotAsked.NO_DIRECTION: 2}


def test_spearman_and_its_interval_equal_scipy() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(40, 6))
    table = table_of(rows)
    pairs = [(f"t{i}", f"t{j}") for i, j in rng.integers(0, 40, (60, 2)).tolist()]
    cosines = [
        rows[int(a[1:])] @ rows[int(b[1:])]
        / np.linalg.norm(rows[int(a[1:])]) / np.linalg.norm(rows[int(b[1:])])
        for a, b in pairs
    ]  # fmt: skip
    scores = (np.array(cosines) + rng.normal(size=60) * 0.5).round(1)
    test_set = SimilaritySet("made", [*pairs, ("t0", "犬")], [*scores.tolist(), 3.0])
    found = measure(table, test_set)
    assert len(found) == 0
    [score] = found.similarities
    assert (score.pairs, score.not_asked) == (60, 1)
    assert score.rho == pytest.approx(stats.spearmanr(cosines, scores).statistic)
    expected = stats.bootstrap(
        (cosines, scores), lambda x, y: stats.spearmanr(x, y).statistic, paired=True,
        vectorized=False, n_resamples=1000, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    assert score.interval == pytest.approx((expected.low, expected.high), abs=0.03)
    assert found.notes == (
        "1 word is not in this vocabulary: 犬",
        "1 of 61 pairs of made are left out: a word is not in this vocabulary",
    )


def test_rho_is_unknown_without_three_pairs_that_differ() -> None:
    assert rank_correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == (None, None)
    assert rank_correlation(np.ones(4), np.arange(4.0)) == (None, None)
    rho, interval = rank_correlation(np.arange(4.0), np.array([1.0, 2.0, 3.0, 9.0]))
    assert rho == 1
    assert interval is not None
    assert interval[1] == pytest.approx(1)


@given(st.lists(st.sampled_from(["unit", "center", "abtt:2", "whiten"]), max_size=3))
def test_transforms_are_read_from_text_or_lists(steps: list[str]) -> None:
    text = ",".join(steps) or "none"
    assert as_transform_lists(f" none ;{text}") == as_transform_lists([[], steps])
    assert as_transform_lists([text])[-1] == tuple(steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": "cosadd"}, "unknown method 'cosadd'"),
        ({"methods": []}, "expected at least one method"),
        ({"at": (0,)}, "expected at of at least 1, got 0"),
        ({"by": "word"}, "unknown by 'word': expected category"),
        ({"transforms": "none;centre"}, "unknown transform 'centre'"),
        ({"metric": "l2"}, "method add ranks by cosine or csls, not by l2"),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EvaluationSettings.of(**options)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unknown option 'method': expected methods"):
        EvaluationSettings.of(method="add")  # type: ignore[call-arg]


def test_progress_counts_the_questions_of_every_combination(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wordvec.search.analogy_ranks._MOST", 4)
    seen: list[tuple[int, int]] = []
    evaluate(
        [(ROYAL, None)], [FAMILY],
        EvaluationSettings.of(methods="add,lrcos", transforms="none;center"),
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert [done for done, _ in seen] == [0, 4, 6, 7, 8, 9, 13, 15, 16, 17, 18]
    assert {total for _, total in seen} == {18}


def test_json_has_the_documented_fields() -> None:
    data = measure(ROYAL, FAMILY, at=(1, 2)).to_dict()
    assert list(data) == [
        "files", "at", "combinations", "similarities", "comparisons", "unknown",
    ]  # fmt: skip
    combinations: Any = data["combinations"]
    [one] = combinations
    assert list(one) == [
        "table", "method", "metric", "transforms", "best", "pairs", "questions", "not_asked",
        "left_out", "kept", "own_first", "mean", "categories",
    ]  # fmt: skip
    assert one["left_out"] == {"top1": 1.0, "top2": 1.0, "mrr": 1.0}
    assert one["own_first"] == {"a": 0, "b": 0, "c": 0}
    assert one["categories"][0]["category"] == "family"


def test_wrong_answers_are_listed_with_the_right_ones() -> None:
    table, test_set = random_pairs()
    engine = QueryEngine(Space(table), QuerySettings(method=Method.ADD, k=1))
    expected = []
    for name, category in test_set.categories.items():
        for (a, (b, *_)), (c, right) in permutations(category.pairs, 2):
            known = [word for word in right if word in table.vocabulary.tokens]
            if not known or b == "nothing" or not {*known} - {a, b, c}:
                continue
            [answer] = engine.answer([engine.prepare(parse(f"{a}:{b}={c}:?"))])
            if answer[0].token not in right:
                expected.append((name, f"{a}:{b}={c}:?", tuple(right), answer[0].token))
    found = measure(table, test_set, failures=10_000)[0].failures
    assert [(one.category, one.question, one.right, one.given) for one in found] == expected
    ranks = plain_ranks(table, test_set.categories["near"].pairs)
    near = [one.rank for one in found if one.category == "near"]
    assert near == [rank for rank, _, _ in ranks if rank > 1]
    few = measure(table, test_set, failures=3)[0].failures
    assert few == tuple(found[i * len(found) // 3] for i in range(3))
    assert "failures" not in measure(table, test_set).to_dict()["combinations"][0]  # type: ignore[index]


def test_a_table_without_wrong_answers_lists_none() -> None:
    found = measure(ROYAL, FAMILY, failures=5, methods="add,lrcos", transforms="none;unit")
    assert found[0].failures == ()
    assert len(found) == 4
