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


def test_analogies_are_counted_by_category(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text(PAIRS, encoding="utf-8")
    code, out, err = run("evaluate", str(file))
    assert code == 0
    assert (
        out
        == """\
toy:static · 12 × 3 · 3CosAdd · raw vectors · query words left out

category            questions    top-1   top-10
royal                       2  100.0 %  100.0 %
mean of categories          1  100.0 %  100.0 %
all questions               2  100.0 %  100.0 %
"""
    )
    assert err.splitlines() == [
        "Note: 2 words are not in this vocabulary, 1 pair left out: 犬 猫",
        "Note: no questions left in beasts",
    ]
    _, out, _ = run("evaluate", str(file), "--tsv", "--method", "mul")
    assert out == "category\tpairs\tquestions\ttop1\ttop10\nroyal\t2\t2\t0.0\t1.0\n"
    [found] = json.loads(run("evaluate", str(file), "--json", "--transform", "center")[1])
    assert (found["questions"], found["dropped_pairs"], found["unknown"]) == (2, 1, ["犬", "猫"])


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
            ["evaluate", "--method", "add", "--metric", "l2"],
            2,
            "ranks by cosine or csls, not by l2",
        ),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "")
    assert message in err
