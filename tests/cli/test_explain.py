"""`wordvec explain` on tables that are checked by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from support.cli import run
from support.tables import fill, table_of
from wordvec import text
from wordvec.analysis.display import OutputStyle
from wordvec.analysis.explain import explain
from wordvec.analysis.query import QueryEngine
from wordvec.expression.parser import parse
from wordvec.search.settings import Metric, QuerySettings
from wordvec.search.space import Space
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def test_under_l2_the_parts_add_up_to_the_squared_distance() -> None:
    assert run("explain", "王-男+女", "子") == (
        0,
        """\
toy:static · 12 × 3 · L2 distance · raw vectors

王-男+女 → 子
子 ranks 3rd, after the query's own 女: 女王 is ahead by 1.5000 in squared distance \
because 王, −男 and 女 each favour 女王 by 1.0000; vector lengths do not matter here \
(rank 3 → 3 at equal length).

rank 3 · distance 1.2247 · squared 1.5000 · smaller is nearer · norm 0.7071
random pairs: mean cosine 0.007 ± 0.553

word   weight    norm  cosine    part
王          1  1.4142  0.5000  0.0000
男         -1  1.0000  0.7071  1.0000
女          1  1.0000  0.7071  0.0000
‖子‖²                          0.5000
sum                            1.5000

largest norm: 王 · largest part: 男 · rank 3 with equal norms

ranked higher: 女王 at rank 1 · distance 0.0000 · better by 1.5000 (squared) \
· smaller is nearer · largest advantage: 王

word     女王      子  difference
王    -1.0000  0.0000     -1.0000
男     0.0000  1.0000     -1.0000
女    -1.0000  0.0000     -1.0000
‖x‖²   2.0000  0.5000      1.5000
sum    0.0000  1.5000     -1.5000

dimension    part   share
        2  1.0000  66.7 %
        0  0.2500  16.7 %
        1  0.2500  16.7 %
""",
        "",
    )


def test_under_cosine_the_parts_add_up_to_the_similarity() -> None:
    code, out, err = run("explain", "王+女", "女王", "--metric", "cosine")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
toy:static · 12 × 3 · cosine similarity · raw vectors

王+女 → 女王
女王 ranks 2nd, after the query's own 王: 子 is equally near; vector lengths matter here \
(rank 2 → 1 at equal length).

rank 2 · similarity 0.8165 · norm 1.4142
random pairs: mean cosine 0.007 ± 0.553

word  weight    norm  cosine    part
王         1  1.4142  0.5000  0.4082
女         1  1.0000  0.7071  0.4082
sum                           0.8165

largest norm: 王 · no largest part · rank 1 with equal norms

dimension    part   share
        1  0.4082  50.0 %
        2  0.4082  50.0 %
"""
    )


def test_the_default_is_the_first_answer_that_is_not_a_query_word() -> None:
    assert "\n王-男+女 → 女王\n" in run("explain", "王-男+女")[1]


def test_a_warning_if_few_dimensions_make_up_over_half_of_the_score() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 8))
    rows[:, 5] += 40
    Store().save(table_of(rows, model="lopsided"))
    _, _, err = run("explain", "t1+t2", "--model", "lopsided", "--metric", "cosine")
    assert (
        err
        == "Warning: one dimension makes up over half of the score: try --transform standardize\n"
    )
    rows[:, 5] -= 40
    rows[:, 2:4] = 20
    Store().save(table_of(rows, model="lopsided"), force=True)
    _, _, err = run("explain", "t1+t2", "--model", "lopsided", "--metric", "cosine", "--json")
    assert "2 dimensions make up over half of the score" in err


def test_a_calibrated_score_is_compared_with_random_ones() -> None:
    words = ("女王-女+男", "王", "--metric", "cosine", "--calibrate")
    _, out, err = run("explain", *words)
    assert err == ""
    last = out.splitlines()[-1]  # if the words cancel, there is no cosine: fewer than 10,000
    assert re.match(r"nearer than 9[89]\.\d\d % of 9,9\d\d random sums · their mean ", last)
    _, again, _ = run("explain", *words)
    assert again == out


def test_a_calibrated_score_can_be_better_than_all() -> None:
    _, out, _ = run("explain", "王", "#5", "--metric", "dot", "--calibrate", "--jsonl")
    calibration = json.loads(out)["calibration"]
    assert calibration["sample"] == 10_000
    _, out, _ = run("explain", "100*王", "1999", "--metric", "dot", "--calibrate")
    assert re.search(r"^above 9\d\.\d\d % of 10,000 random sums · their mean ", out, re.MULTILINE)


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_no_line_is_wider_than_the_screen(metric: Metric) -> None:
    engine = QueryEngine(
        Space(Store().open(TableName("toy", Mode.STATIC))), QuerySettings(metric=metric)
    )
    found = explain(engine, parse("王-男+女"), "子", calibrated=True)
    assert max(text.width(line) for line in found.text_lines(OutputStyle(cells=41))) <= 41


def test_on_a_narrow_screen_the_own_part_of_an_answer_keeps_its_sign() -> None:
    engine = QueryEngine(Space(Store().open(TableName("toy", Mode.STATIC))), QuerySettings())
    found = explain(engine, parse("1000*王-男+女"), "女王")
    assert "‖女王‖²" in "\n".join(found.text_lines(OutputStyle(cells=80)))
    narrow = [line.split(" ")[0] for line in found.text_lines(OutputStyle(cells=42))]
    assert narrow.count("‖x‖²") == 2  # in the parts, and in the differences


def test_tsv_has_one_line_per_part() -> None:
    _, out, _ = run("explain", "女-男", "##王", "--tsv")
    assert out == (
        "query\ttoken\tword\tweight\tnorm\tcosine\tpart\n"
        "女-男\t##王\t女\t1.0\t1.0\t0.0\t1.0\n"
        "女-男\t##王\t男\t-1.0\t1.0\t0.7071067811865475\t5.0\n"
        "女-男\t##王\t##王\t\t2.8284271247461903\t\t8.0\n"
    )


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["王+女", "--metric", "csls"], 2, "explain splits a sum into its parts, and csls is not"),
        (["王-女", "--method", "mul"], 2, "method mul is not a sum\nHint: --metric cosine"),
        (["王", "女", "男"], 2, "explain takes an expression and a token, got 3: 王 女 男"),
        (["王", "-", "女"], 2, 'Hint: quote the expression: wordvec explain "王 - 女"'),
        (["王", "犬"], 1, '"犬" is not in this vocabulary'),
        (
            ["王", "--tables", "static", "--mode", "static"],
            2,
            "use either --tables or --table, --mode and --variant",
        ),
        (
            ["王", "男", "--tables", "static,other:static"],
            1,
            'other:static: "男" is not in this vocabulary',
        ),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("explain", *args)
    assert (found, out) == (code, "")
    assert message in err


def test_one_answer_can_be_explained_in_two_tables() -> None:
    code, out, err = run("explain", "王-男+女", "--tables", "static,dynamic", "--metric", "cosine")
    assert (code, err) == (0, "")
    static, dynamic = out.split("\n\ntoy:dynamic")
    assert static == run("explain", "王-男+女", "--metric", "cosine")[1].rstrip("\n")
    how = ("女王", "--metric", "cosine", "--mode", "dynamic")
    assert f"toy:dynamic{dynamic}" == run("explain", "王-男+女", *how)[1]
    assert "\nranked higher: 子 at rank 1 · similarity 1.0000 · better by " in dynamic


def test_json_and_tsv_name_the_tables() -> None:
    where = ("--tables", "dynamic,other:static")
    _, out, _ = run("explain", "王+女", "后", "--tables", "static,other:static", "--json")
    assert out == ""  # 后 is not in the vocabulary of toy
    _, out, _ = run("explain", "王", "女", *where, "--json")
    assert [found["table"]["model"] for found in json.loads(out)] == ["toy", "other"]
    _, out, _ = run("explain", "王", "女", *where, "--tsv", "--metric", "cosine")
    assert [line.split("\t")[:4] for line in out.splitlines()] == [
        ["query", "table", "token", "word"],
        ["王", "toy:dynamic", "女", "王"],
        ["王", "other:static", "女", "王"],
    ]


def test_a_warning_names_its_table_if_there_are_several() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 80))
    Store().save(table_of(rows, model="even"))
    rows[:, 5] += 40
    Store().save(table_of(rows, model="lopsided"))
    where = ("--tables", "even:static,lopsided:static", "--metric", "cosine")
    _, _, err = run("explain", "t1+t2", *where)
    assert err == (
        "Warning: lopsided:static: one dimension makes up over half of the score: "
        "try --transform standardize\n"
    )
