"""Every result shows itself as its command prints it, as HTML, and as what it lists."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

import wordvec
from support.cli import run
from support.tables import fill, table_of
from wordvec.analysis.display import OutputStyle
from wordvec.api import Table
from wordvec.search.settings import Metric
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wordvec.analysis.result import Result

TABLE = Table(table_of({"<b>": [1, 2], "a&b": [2, 1], "王": [3, 1], "女": [1, 4], "男": [0, 1]}))
PAIRS = "<i>\t王\t女王\n<i>\t男\t女\nbeasts\t犬\t猫\n"
SCORES = "word1,word2,mean\n王,女王,7\n男,女,5\n王,女,4\n王,犬,1\n"

# The arguments of a command, and the same question in Python.
QUESTIONS: dict[str, tuple[list[str], Callable[[Table], Result[Any]]]] = {
    "query": (["query", "ｋ-男+女", "-k", "3"], lambda t: t.query("ｋ-男+女", k=3)),
    "twins": (
        ["query", "王", "--merge-twins", "-k", "2"],
        lambda t: t.query("王", merge_twins=True, k=2),
    ),
    "norms": (["norms", "ｋ", "--largest", "2"], lambda t: t.norms(["ｋ"], largest=2)),
    "summary": (["norms"], lambda t: t.norms()),
    "similar": (["similar", "ｋ", "王", "女王"], lambda t: t.similar(["ｋ", "王", "女王"])),
    "distances": (
        ["similar", "王", "女", "--metric", "l2", "--unit"],
        lambda t: t.similar(["王", "女"], metric=Metric.L2, transforms="unit"),
    ),
    "odd": (["odd", "ｋ", "王", "女王"], lambda t: t.odd(["ｋ", "王", "女王"])),
    "axis": (["axis", "女-男", "ｋ", "王", "-"], lambda t: t.axis("女-男", ["ｋ", "王", "-"])),
    "axis of tables": (
        ["axis", "女-男", "王", "子", "女王", "--tables", "static,dynamic"],
        lambda t: wordvec.axis([t, "toy:dynamic"], "女-男", ["王", "子", "女王"]),
    ),
    "scatter": (
        ["axis", "女-男", "王", "女王", "子", "--y", "王-男", "--metric", "dot"],
        lambda t: t.axis("女-男", ["王", "女王", "子"], y="王-男", metric="dot"),
    ),
    "doctor": (["doctor", "--files", "pairs.tsv"], lambda t: t.doctor("pairs.tsv")),
    "doctor of tables": (
        ["doctor", "--files", "pairs.tsv", "--tables", "static,dynamic"],
        lambda t: wordvec.doctor([t, "toy:dynamic"], "pairs.tsv"),
    ),
    "evaluate": (["evaluate", "pairs.tsv"], lambda t: t.evaluate("pairs.tsv")),
    "categories": (
        ["evaluate", "pairs.tsv", "scores.csv", "--by", "category", "--at", "1,2"],
        lambda t: t.evaluate(["pairs.tsv", "scores.csv"], by="category", at=[1, 2]),
    ),
    "combinations": (
        [
            "evaluate",
            "pairs.tsv",
            "scores.csv",
            "--tables",
            "static,dynamic",
            "--methods",
            "add,mul",
            "--transforms",
            "none;center,unit",
        ],
        lambda t: wordvec.evaluate(
            [t, "toy:dynamic"],
            ["pairs.tsv", "scores.csv"],
            methods=["add", "mul"],
            transforms=[[], ["center", "unit"]],
        ),
    ),
    "compare": (
        ["compare", "王-男+女", "-k", "3", "--tables", "static,dynamic"],
        lambda t: wordvec.compare([t, "toy:dynamic"], "王-男+女", k=3),
    ),
    "trace": (
        ["trace", "王-男+女", "女王", "--tables", "static,dynamic"],
        lambda t: wordvec.trace("王-男+女", "女王", tables=[t, "toy:dynamic"]),
    ),
    "explain": (["explain", "ｋ+王-女", "子"], lambda t: t.explain("ｋ+王-女", "子")),
    "calibrated": (
        ["explain", "王+女", "女王", "--metric", "cosine", "--calibrate"],
        lambda t: t.explain("王+女", "女王", metric="cosine", calibrated=True),
    ),
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.tsv").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "scores.csv").write_text(SCORES, encoding="utf-8")
    return wordvec.open("toy:static")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_result_shows_itself_as_its_command_prints_it(name: str, toy: Table) -> None:
    args, ask = QUESTIONS[name]
    result = ask(toy)
    code, out, err = run(*args)
    assert code == 0
    assert f"{result!r}\n" == err + out
    assert err == "".join(f"Note: {note}\n" for note in result.notes)
    [data] = json.loads(run(*args, "--json")[1])
    assert result.to_dict() == data


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_notebook_shows_what_the_text_says(name: str, toy: Table) -> None:
    result = QUESTIONS[name][1](toy)
    shown = unescape(re.sub(r"<[^>]+>", " ", result._repr_html_()))  # an escaped <i> stays
    assert sorted(re.split(r"[\s·]+", shown.strip())) == sorted(re.split(r"[\s·]+", repr(result)))


@pytest.mark.parametrize(
    "result",
    [
        TABLE.query('"<b>"', k=2),
        TABLE.norms(["<b>", "a&b"]),
        TABLE.similar(["<b>", "a&b"]),
        TABLE.odd(["<b>", "a&b", "王"]),
        TABLE.axis("女-男", ["<b>", "a&b"], y="王"),
        TABLE.explain('"<b>"+王', "a&b"),
        wordvec.compare([TABLE, TABLE], '"<b>"', k=2),
    ],
    ids=lambda result: type(result).__name__,
)
def test_everything_is_escaped_in_a_notebook(result: Result[Any]) -> None:
    shown = result._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "a&amp;b" in shown
    assert "<b>" not in shown
    assert "a&b" not in shown
    assert set(re.findall(r"<(\w+)", shown)) <= {"table", "caption", "tr", "th", "td", "p", "pre"}


def test_the_header_is_the_caption_and_facts_are_paragraphs() -> None:
    assert TABLE.norms(["男"])._repr_html_() == (
        "<table><caption>made:static · 5 × 2 · L2 norm</caption>"
        "<tr><th>token</th><th>id</th><th>norm</th><th>rank</th><th>percentile</th></tr>"
        "<tr><td>男</td><td>4</td><td>1.0000</td><td>5</td><td>0.0</td></tr></table>"
        "<p>min 1.0000  median 2.2361  max 4.1231</p>"
    )
    assert TABLE.norms()._repr_html_() == (
        "<p>made:static · 5 × 2 · L2 norm</p><p>min 1.0000  median 2.2361  max 4.1231</p>"
    )


def test_notes_are_shown_first(toy: Table) -> None:
    note = "ｋ is read as k (NFKC)"
    assert repr(toy.norms(["ｋ"])).startswith(f"Note: {note}\ntoy:static · 12 × 3")
    assert toy.norms(["ｋ"])._repr_html_().startswith(f"<p>Note: {note}</p><table>")


def test_results_iterate_over_what_they_list(toy: Table) -> None:
    assert [norm.token for norm in toy.norms(["王", "-"])] == ["王", "-"]
    assert list(toy.similar(["王", "女", "##王"], metric="dot")) == [
        ("王", "女", 0.0),
        ("王", "##王", 4.0),
        ("女", "##王", 0.0),
    ]
    assert [one.word.token for one in toy.odd(["王", "女王", "##王"])] == ["王", "女王", "##王"]
    assert [one.overall.questions for one in toy.evaluate("pairs.tsv")] == [2]
    assert [part.word for part in toy.explain("王-男+女")] == ["王", "男", "女"]
    comparison = wordvec.compare([toy, "toy:dynamic"], "王-男+女")
    assert [column.answer.table.mode for column in comparison] == ["static", "dynamic"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_result_has_a_length_and_is_indexed_like_a_list(name: str, toy: Table) -> None:
    result = QUESTIONS[name][1](toy)
    items = list(result)
    assert len(result) == len(items)
    assert [result[i] for i in range(len(result))] == items
    assert not items or result[-1] == items[-1]


@pytest.mark.parametrize("name", ["query", "norms", "similar", "evaluate", "explain"])
def test_what_a_result_lists_becomes_a_data_frame(name: str, toy: Table) -> None:
    pandas = pytest.importorskip("pandas")
    result = QUESTIONS[name][1](toy)
    assert len(pandas.DataFrame(result)) == len(result)


def test_the_width_of_a_terminal_does_not_change_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    result = TABLE.similar(["王", "女", "男"])
    wide = repr(result)
    monkeypatch.setenv("COLUMNS", "10")
    assert repr(result) == wide
    assert result.text_lines(OutputStyle(cells=20)) != wide.splitlines()
