"""All pairs of some words, and the one that does not belong."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.analysis.odd import odd
from wordvec.analysis.similar import similar
from wordvec.errors import UnknownWordError, UsageError, WordvecError
from wordvec.search.settings import Metric

TABLE = table_of({"王": [3, 4], "女": [0, 2], "男": [1, 0], "無": [0, 0], "非": [np.nan, 0]})


def test_every_pair_has_its_cosine() -> None:
    found = similar(TABLE, ["王", "女", "男"])
    assert [word.token for word in found.words] == ["王", "女", "男"]
    assert [list(row) for row in found.scores] == [
        pytest.approx(row) for row in ([1, 0.8, 0.6], [0.8, 1, 0], [0.6, 0, 1])
    ]


def test_a_pair_can_be_scored_by_distance_or_product() -> None:
    assert similar(TABLE, ["王", "無"], metric=Metric.L2).scores == ((0, 5), (5, 0))
    assert similar(TABLE, ["王", "女"], metric=Metric.DOT).scores == ((25, 8), (8, 4))


@settings(deadline=None)
@given(drawn_rows(zero=False), st.sampled_from([Metric.L2, Metric.COSINE, Metric.DOT]), st.data())
def test_pairs_are_those_of_plain_numpy(
    rows: np.ndarray, metric: Metric, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    found = similar(table_of(rows), [f"#{i}" for i in ids], metric=metric)
    some = rows[ids].astype(np.float64)
    lengths = np.linalg.norm(some, axis=1)
    expected = {
        Metric.L2: np.linalg.norm(some[:, None] - some[None], axis=2),
        Metric.DOT: some @ some.T,
        Metric.COSINE: some @ some.T / np.outer(lengths, lengths),
    }[metric]
    scores = np.array(found.scores).reshape(len(ids), len(ids))
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


def test_the_word_least_similar_to_the_mean_of_the_others_is_odd() -> None:
    found = odd(table_of({"犬": [1, 0.1], "猫": [2, 0], "車": [0, 1], "鳥": [3, -0.1]}), "犬猫車鳥")
    assert found.odd.word.token == "車"  # noqa: S105
    rest = np.array([1, 0.1]) / np.hypot(1, 0.1) + [1, 0] + np.array([3, -0.1]) / np.hypot(3, 0.1)
    assert found.words[2].similarity == pytest.approx(rest[1] / np.linalg.norm(rest))


@settings(deadline=None)
@given(drawn_rows(zero=False), st.data())
def test_the_similarities_equal_plain_numpy(rows: np.ndarray, data: st.DataObject) -> None:
    ids = data.draw(
        st.lists(st.integers(0, len(rows) - 1), min_size=3, max_size=min(6, len(rows)), unique=True)
    )
    found = odd(table_of(rows), [f"#{i}" for i in ids])
    unit = rows[ids] / np.linalg.norm(rows[ids].astype(np.float64), axis=1, keepdims=True)
    for i, belonging in enumerate(found.words):
        mean = np.delete(unit, i, axis=0).mean(axis=0)
        assume(np.linalg.norm(mean) > 1e-6)
        expected = unit[i] @ mean / np.linalg.norm(mean)
        assert belonging.similarity == pytest.approx(expected, abs=1e-6)
    least = min(belonging.similarity for belonging in found.words)
    assert found.odd == next(one for one in found.words if one.similarity == least)


def test_a_clearly_odd_word_is_the_one_that_gensim_finds() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        rows = rng.normal(size=(5, 6), scale=0.3) + 2 * np.eye(6)[0]
        rows[3] = rng.normal(size=6)
        rows[3, 0] = -1
        table = table_of(rows)
        theirs = KeyedVectors(6)
        theirs.add_vectors(list(table.vocabulary.tokens), table.vectors)
        words = ["t0", "t1", "t2", "t3", "t4"]
        assert odd(table, words).odd.word.id == 3
        assert theirs.doesnt_match(words) == words[3]


def test_two_words_are_too_few() -> None:
    with pytest.raises(UsageError, match="expected at least three words, got 2"):
        odd(TABLE, ["王", "女"])


def test_words_that_cannot_be_compared_are_named() -> None:
    with pytest.raises(WordvecError, match=r"the vector of 無 \(#3\) is zero: it has no direction"):
        similar(TABLE, ["王", "無"])
    with pytest.raises(WordvecError, match=r"the vector of 非 \(#4\) is not finite"):
        similar(TABLE, ["王", "非"], metric=Metric.L2)
    with pytest.raises(UnknownWordError, match='"犬" is not in this'):
        odd(TABLE, ["王", "女", "犬"])
    with pytest.raises(UsageError, match="not by csls"):
        similar(TABLE, ["王"], metric=Metric.CSLS)


def test_a_word_read_in_another_form_has_a_note() -> None:
    found = similar(table_of({"king": [1.0], "王": [1.0]}), ["ｋｉｎｇ", "王"])
    assert found.notes == ("ｋｉｎｇ is read as king (NFKC)",)


def test_json_has_the_documented_fields() -> None:
    data = similar(TABLE, ["王"]).to_dict()
    assert list(data) == ["table", "metric", "transforms", "words", "similarities"]
    assert "distances" in similar(TABLE, ["王"], metric=Metric.L2).to_dict()
    data = odd(TABLE, ["王", "女", "男"]).to_dict()
    assert list(data) == ["table", "transforms", "odd", "words"]
    words = data["words"]
    assert isinstance(words, list)
    assert [word["odd"] for word in words].count(True) == 1


PIECES = table_of({"女": [0, 2], "##騎士": [4, 0], "男": [1, 0]})


def test_an_unknown_word_is_the_mean_of_its_pieces_if_requested() -> None:
    found = similar(PIECES, ["女騎士", "女", "男"], metric="l2", pieces=True)
    assert [(word.token, word.id, word.ids) for word in found.words] == [
        ("女騎士", None, (0, 1)),
        ("女", 0, (0,)),
        ("男", 2, (2,)),
    ]
    mean = np.array([2, 1])
    distances = [0, np.linalg.norm(mean - [0, 2]), np.linalg.norm(mean - [1, 0])]
    assert found.scores[0] == pytest.approx(distances)
    assert found.notes == ("女騎士 is read as the mean of 女 + ##騎士",)
    assert found.to_dict()["words"] == [
        {"token": "女騎士", "id": None, "pieces": [0, 1]},
        {"token": "女", "id": 0},
        {"token": "男", "id": 2},
    ]
    assert odd(PIECES, ["女騎士", "女", "男"], pieces=True).odd.word.id == 0
    with pytest.raises(UnknownWordError, match="女騎士"):
        similar(PIECES, ["女騎士", "女"])
