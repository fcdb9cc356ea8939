"""Norms on a table that is checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from support.tables import table_of, toy_table
from wordvec.analysis.norms import norms
from wordvec.errors import UnknownWordError, WordvecError
from wordvec.tables.table import VectorTable


def test_each_norm_has_its_rank_and_percentile() -> None:
    # lengths: 5, 3, 2√2, 2, √2, √2, 1 five times, √½
    report = norms(toy_table(), ["1999", "王", "女王", "子"])
    assert [(n.token, n.id, n.norm, n.rank, n.percentile) for n in report.norms] == [
        ("1999", 11, 5.0, 1, 100 * 11 / 12),
        ("王", 0, 2**0.5, 5, 100 * 6 / 12),
        ("女王", 3, 2**0.5, 6, 100 * 6 / 12),
        ("子", 4, 0.5**0.5, 12, 0.0),
    ]


def test_the_summary_is_of_the_whole_table() -> None:
    summary = norms(toy_table()).summary
    assert (summary.minimum, summary.median, summary.maximum) == (0.5**0.5, (1 + 2**0.5) / 2, 5.0)


def test_largest_and_smallest_follow_the_tokens() -> None:
    report = norms(toy_table(), ["王"], largest=2, smallest=3)
    assert [(n.token, n.rank) for n in report.norms] == [
        ("王", 5),
        ("1999", 1),
        ("-", 2),
        ("子", 12),
        ("m", 11),
        ("km", 10),
    ]


def test_asking_for_more_norms_than_rows_gives_all() -> None:
    assert len(norms(toy_table(), largest=99).norms) == 12


@pytest.mark.parametrize(
    ("token", "id_"), [("-", 6), ("#11", 11), ("＃１１", 11), ("##王", 5), ("1999", 11)]
)
def test_tokens_are_read_as_typed(token: str, id_: int) -> None:
    assert [norm.id for norm in norms(toy_table(), [token]).norms] == [id_]


def test_a_token_read_in_another_form_has_a_note() -> None:
    report = norms(toy_table(), ["ｋ"])
    assert [norm.token for norm in report.norms] == ["k"]
    assert report.notes == ("ｋ is read as k (NFKC)",)


def test_the_error_for_an_unknown_token_suggests_similar_ones() -> None:
    with pytest.raises(UnknownWordError, match='"王女王" is not in this vocabulary') as caught:
        norms(toy_table(), ["王女王"])
    assert caught.value.hint is not None
    assert "女王" in caught.value.hint


def test_an_id_beyond_the_vocabulary_is_an_error() -> None:
    with pytest.raises(WordvecError, match="there is no row #12: the vocabulary has 12 tokens"):
        norms(toy_table(), ["#12"])


def test_a_row_that_is_not_finite_has_no_norm_and_is_not_counted() -> None:
    table = toy_table()
    vectors = table.vectors.copy()
    vectors[11] = np.inf
    broken = VectorTable.from_vectors(table.vocabulary, vectors, table.provenance)
    report = norms(broken, ["1999", "-"], largest=1)
    assert [(n.token, n.norm, n.rank) for n in report.norms] == [
        ("1999", None, None),
        ("-", 3.0, 1),
        ("-", 3.0, 1),
    ]
    assert report.summary.maximum == 3.0
    nothing = VectorTable.from_vectors(
        table.vocabulary, np.full_like(vectors, np.nan), table.provenance
    )
    assert norms(nothing).summary.to_dict() == {"min": None, "median": None, "max": None}


def test_the_json_has_the_documented_fields() -> None:
    assert norms(toy_table(), ["-"]).to_dict() == {
        "table": {"model": "toy", "mode": "static", "layer": None, "tokens": 12, "dimensions": 3},
        "norms": [{"token": "-", "id": 6, "norm": 3.0, "rank": 2, "percentile": 100 * 10 / 12}],
        "summary": {"min": 0.5**0.5, "median": (1 + 2**0.5) / 2, "max": 5.0},
    }


def test_the_norm_of_a_mean_of_pieces_is_ranked_among_the_tokens() -> None:
    table = table_of({"女": [0, 2], "##騎士": [4, 0], "男": [1, 0], "山": [5, 0]})
    [norm] = norms(table, ["女騎士"], pieces=True).norms
    assert (norm.token, norm.id, norm.rank, norm.percentile) == ("女騎士", None, 3, 50.0)
    assert norm.norm == pytest.approx(5**0.5)
    with pytest.raises(UnknownWordError, match="女騎士"):
        norms(table, ["女騎士"])
