"""`wordvec norms` on a table that is checked by hand."""

from __future__ import annotations

import json

import pytest

from support.cli import run
from support.tables import toy_table
from wordvec.tables.store import Store


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(toy_table())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def test_each_norm_has_its_rank_and_percentile_and_the_table_its_summary() -> None:
    assert run("norms", "王", "-", "#11", "--smallest", "1") == (
        0,
        """\
toy:static · 12 × 3 · L2 norm

token  id    norm  rank  percentile
王      0  1.4142     5        50.0
-       6  3.0000     2        83.3
1999   11  5.0000     1        91.7
子      4  0.7071    12         0.0

min 0.7071  median 1.2071  max 5.0000
""",
        "",
    )


def test_without_tokens_there_is_only_the_summary() -> None:
    assert run("norms")[1] == (
        "toy:static · 12 × 3 · L2 norm\n\nmin 0.7071  median 1.2071  max 5.0000\n"
    )


def test_json_has_the_documented_fields() -> None:
    code, out, err = run("norms", "-", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {
            "table": {
                "model": "toy",
                "mode": "static",
                "layer": None,
                "tokens": 12,
                "dimensions": 3,
            },
            "norms": [{"token": "-", "id": 6, "norm": 3.0, "rank": 2, "percentile": 1000 / 12}],
            "summary": {"min": 0.5**0.5, "median": (1 + 2**0.5) / 2, "max": 5.0},
        }
    ]
    assert json.loads(run("norms", "-", "--jsonl")[1]) == json.loads(out)[0]


def test_tsv_has_a_heading_and_a_line_for_each_token() -> None:
    assert run("norms", "-", "k", "--tsv")[1] == (
        f"token\tid\tnorm\trank\tpercentile\n-\t6\t3.0\t2\t{1000 / 12}\nk\t7\t1.0\t9\t{100 / 12}\n"
    )


def test_an_unknown_token_is_an_error_at_its_place() -> None:
    code, out, err = run("norms", "王", "王女王")
    assert (code, out) == (1, "")
    assert err.startswith('Error: "王女王" is not in this vocabulary\n  王女王\n  ^^^^^^\nHint: ')


@pytest.mark.parametrize("option", ["--largest", "--smallest"])
def test_a_count_below_one_is_wrong_usage(option: str) -> None:
    assert run("norms", option, "0")[0] == 2
