"""`wordvec similar`, `odd` and `evaluate` on tables that are checked by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import fill
from wordvec.analysis.display import OutputStyle
from wordvec.analysis.similar import similar
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def test_similar_prints_a_matrix_of_all_pairs() -> None:
    assert run("similar", "王", "女", "女王") == (
        0,
        """\
toy:static · 12 × 3 · cosine similarity · raw vectors

          王      女    女王
王    1.0000  0.0000  0.5000
女    0.0000  1.0000  0.7071
女王  0.5000  0.7071  1.0000
""",
        "",
    )


def test_a_matrix_that_is_too_wide_becomes_a_list() -> None:
    found = similar(Store().open(TableName("toy", Mode.STATIC)), ["王", "女", "女王"])
    assert found.text_lines(OutputStyle(cells=26))[-4:] == [
        "token  other  similarity",
        "王     女         0.0000",
        "王     女王       0.5000",
        "女     女王       0.7071",
    ]


def test_similar_with_another_metric_and_with_transforms() -> None:
    _, out, _ = run("similar", "王", "##王", "--metric", "l2", "--unit", "--tsv")
    assert out == "token\tid\tother\tother_id\tdistance\n王\t0\t##王\t5\t0.0\n"
    _, out, _ = run("similar", "--json", "--transform", "center", "-", "#3")
    [found] = json.loads(out)
    assert [word["token"] for word in found["words"]] == ["-", "女王"]
    assert found["transforms"] == ["center"]


def test_the_odd_one_is_marked() -> None:
    assert run("odd", "王", "女王", "##王", "男") == (
        0,
        """\
toy:static · 12 × 3 · cosine to the mean of the rest · raw vectors

token       id  similarity
王           0      0.9485
女王   odd   3      0.3574
##王         5      0.9485
男           1      0.5345
""",
        "",
    )
    [found] = json.loads(run("odd", "王", "女王", "##王", "--json")[1])
    assert found["odd"] == "女王"
    _, out, _ = run("odd", "王", "女王", "##王", "--tsv")
    assert [line.split("\t")[3] for line in out.splitlines()] == ["odd", "false", "true", "false"]


PAIRS = "royal\t王\t女王\nroyal\t男\t女\nbeasts\t犬\t猫\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Make a file of three pairs, one of which is not in the vocabulary."""
    file = tmp_path / "pairs.tsv"
    file.write_text(PAIRS, encoding="utf-8")
    return file


def test_one_combination_is_one_row(pairs: Path) -> None:
    assert run("evaluate", pairs) == (
        0,
        """\
toy:static · 12 × 3 · 3CosAdd · raw vectors · pairs.tsv

questions    top-1    top-5   top-10    MRR  kept top-1  own first      a      b      c
        2  100.0 %  100.0 %  100.0 %  1.000     100.0 %      0.0 %  0.0 %  0.0 %  0.0 %
""",
        "Note: 2 words are not in this vocabulary: 犬 猫\nNote: no questions left in beasts\n",
    )


def test_every_category_of_every_combination_can_be_shown(pairs: Path) -> None:
    _, out, _ = run(
        "evaluate", pairs, "--tables", "static,dynamic", "--by", "category", "--at", "1,2"
    )
    assert (
        out
        == """\
3CosAdd · raw vectors · pairs.tsv

      table        category            questions    top-1    top-2    MRR  kept top-1  own first      a      b       c
best  toy:static   royal                       2  100.0 %  100.0 %  1.000     100.0 %      0.0 %  0.0 %  0.0 %   0.0 %
best  toy:static   mean of categories          1  100.0 %  100.0 %  1.000
best  toy:static   all questions               2  100.0 %  100.0 %  1.000     100.0 %      0.0 %  0.0 %  0.0 %   0.0 %
      toy:dynamic  royal                       2    0.0 %  100.0 %  0.500       0.0 %     50.0 %  0.0 %  0.0 %  50.0 %
      toy:dynamic  mean of categories          1    0.0 %  100.0 %  0.500
      toy:dynamic  all questions               2    0.0 %  100.0 %  0.500       0.0 %     50.0 %  0.0 %  0.0 %  50.0 %

toy:static solves 2 more of 2 than toy:dynamic (p = 0.5)
"""  # noqa: E501
    )


def test_all_saved_tables_and_their_similarities(tmp_path: Path) -> None:
    file = tmp_path / "scores.tsv"
    file.write_text("王\t女王\t7\n男\t女\t5\n王\t女\t4\n女王\t女\t4\n", encoding="utf-8")
    _, out, err = run("evaluate", "--tables", "all", file)
    lines = out.splitlines()
    assert lines[0] == "raw vectors · scores.tsv"
    assert lines[2].split() == ["table", "similarity", "pairs", "ρ", "95", "%", "interval"]
    found = [line.split()[:4] for line in lines[3:]]
    assert found[0] == ["other:static", "scores.tsv", "1", "–"]
    assert [one[:3] for one in found[1:]] == [
        ["toy:dynamic", "scores.tsv", "4"], ["toy:static", "scores.tsv", "4"],
    ]  # fmt: skip
    assert "Note: other:static: 3 of 4 pairs of scores.tsv are left out" in err


def test_a_narrow_terminal_shows_both_counts_one_below_the_other(pairs: Path) -> None:
    _, out, _ = run("evaluate", pairs, style=OutputStyle(cells=60))
    assert out.splitlines()[2:] == [
        "questions    top-1    top-5   top-10    MRR",
        "        2  100.0 %  100.0 %  100.0 %  1.000",
        "",
        "kept top-1  own first      a      b      c",
        "   100.0 %      0.0 %  0.0 %  0.0 %  0.0 %",
    ]


def test_the_numbers_for_programs_and_the_report(pairs: Path, tmp_path: Path) -> None:
    _, out, _ = run("evaluate", pairs, "--tsv", "--methods", "mul", "--at", "1")
    heading, line = (line.split("\t") for line in out.splitlines())
    found = dict(zip(heading, line, strict=True))
    assert (found["table"], found["method"], found["questions"]) == ("toy:static", "mul", "2")
    assert (found["top1"], found["mrr"], found["kept_top1"]) == ("0.0", "0.5", "0.0")
    page = tmp_path / "report.html"
    _, out, _ = run("evaluate", pairs, "--transforms", "none;center", "--report", page)
    assert out.splitlines()[-1].startswith(f"{page}  ")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    code, out, err = run("evaluate", pairs, "--report", tmp_path / "no" / "report.html")
    assert (code, out) == (2, "")
    assert "there is no folder" in err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["similar", "王"], 2, "Error: similar needs at least two words"),
        (["similar", "王", "犬"], 1, '"犬" is not in this vocabulary'),
        (["odd", "王", "女"], 2, "expected at least three words, got 2"),
        (["odd", "王", "女", "男", "--unit", "--transform", "center"], 2, "--unit is a transform"),
        (["evaluate", "no-such-file"], 1, "Error: no-such-file: No such file or directory"),
        (["evaluate"], 1, "no question can be asked: the vocabulary has too few of the words"),
        (
            ["evaluate", "--methods", "add", "--metric", "l2"],
            2,
            "ranks by cosine or csls, not by l2",
        ),
        (["evaluate", "--at", "1,two"], 2, "--at takes whole numbers with commas, got 'two'"),
        (["evaluate", "--transforms", "centre"], 2, "unknown transform 'centre'"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "")
    assert message in err


def test_one_heading_names_the_columns_of_analogies_and_similarities(
    pairs: Path, tmp_path: Path
) -> None:
    scores = tmp_path / "scores.tsv"
    scores.write_text("王\t女王\t3\n男\t女\t2\n王\t女\t2\n", encoding="utf-8")
    _, out, _ = run("evaluate", pairs, scores, "--tsv", "--by", "category", "--at", "1")
    heading, *lines = (line.split("\t") for line in out.splitlines())
    found = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [(one["category"], one["pairs"]) for one in found] == [
        ("royal", "2"), ("beasts", "0"), ("scores.tsv", "3"),
    ]  # fmt: skip
    assert [one["rho"] != "" for one in found] == [False, False, True]
    assert [one["top1"] for one in found] == ["1.0", "", ""]


def test_failures_have_the_right_and_the_given_answer(tmp_path: Path) -> None:
    file = tmp_path / "wrong.tsv"
    file.write_text("x\t女\t男\nx\t女王\t##王\n", encoding="utf-8")  # 男 − 女 + 女王 is 王
    _, out, err = run("evaluate", file, "--failures", "1")
    assert err == ""
    assert out.splitlines()[-2:] == [
        "category  question      right  given  rank",
        "x         女:男=女王:?  ##王   王        2",
    ]
    _, out, _ = run("evaluate", file, "--failures", "1", "--json")
    [found] = json.loads(out)
    assert found["combinations"][0]["failures"] == [
        {"category": "x", "question": "女:男=女王:?", "right": ["##王"], "given": "王", "rank": 2}
    ]
    _, out, _ = run("evaluate", file, "--failures", "1", "--methods", "mul,add", "--tsv")
    heading, *rows = [line.split("\t") for line in out.splitlines()]
    assert heading == [
        "table", "method", "metric", "transforms", "category", "question", "right", "given", "rank"
    ]  # fmt: skip
    assert [row[:6] for row in rows] == [
        ["toy:static", method, "cosine", "none", "x", "女:男=女王:?"] for method in ("mul", "add")
    ]
