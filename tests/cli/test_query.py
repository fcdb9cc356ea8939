"""`wordvec query` on a table that is checked by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import toy_table
from wordvec.tables.name import Mode
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "toy:static · 12 × 3 · L2 distance · raw vectors\n"


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(toy_table())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def tokens(*args: str) -> list[str]:
    code, out, err = run("query", "--jsonl", *args)
    assert (code, err) == (0, "")
    return [near["token"] for near in json.loads(out)["neighbours"]]


def test_an_answer_has_a_header_and_its_expression() -> None:
    assert run("query", "王-男+女", "-k", "5") == (
        0,
        HEADER
        + """
王-男+女
rank  token     id  distance
   1  女王       3    0.0000
   2  女     *   2    1.0000
   3  子         4    1.2247
   4  王     *   0    1.4142
   5  男     *   1    1.7321
""",
        "",
    )


def test_the_header_has_the_settings() -> None:
    _, out, _ = run("query", "王", "-k1", "--metric", "cosine", "--unit", "--exclude")
    assert out.splitlines()[0] == (
        "toy:static · 12 × 3 · cosine similarity · unit vectors · query words left out"
    )


def test_several_expressions_are_answered_in_order() -> None:
    assert run("query", "女", "男", "-k1") == (
        0,
        HEADER
        + """
女
rank  token     id  distance
   1  女     *   2    0.0000

男
rank  token     id  distance
   1  男     *   1    0.0000
""",
        "",
    )


@pytest.mark.parametrize(
    ("args", "best"),
    [
        (["-男+女"], "女"),
        (["-km+m"], "m"),  # (0, -1, 1)
        (["-男+king", "-k3"], "king"),
        (["--", "--女+王"], "王"),
        (["--女+王"], "王"),
        (["-k", "1", "-#0+##王"], "王"),
        (["--no-exclude", "男:女=王:?"], "女王"),
        (["（王＋女王）／２"], "王"),
        (['"-"'], "-"),
        (["1999-男"], "1999"),
    ],
)
def test_an_expression_can_start_with_a_minus(args: list[str], best: str) -> None:
    assert tokens(*args)[0] == best


def test_metrics_and_options_reach_the_search() -> None:
    assert tokens("王", "-k2", "--metric", "dot") == ["1999", "##王"]
    assert tokens("王", "-k3", "--metric=cosine") == ["王", "##王", "男"]
    assert tokens("王-男+女", "-k2", "--exclude") == ["女王", "子"]


def test_pieces_are_noted_on_standard_error() -> None:
    code, out, err = run("query", "子王", "--pieces", "-k1", "--tsv")
    assert (code, err) == (0, "Note: 子王 is read as the mean of 子 + ##王\n")
    assert out.splitlines()[1].split("\t")[2] == "王"


def test_json_is_a_list_and_jsonl_has_one_object_per_line() -> None:
    _, as_list, _ = run("query", "王", "女", "-k2", "--json")
    _, by_line, _ = run("query", "王", "女", "-k2", "--jsonl")
    answers = json.loads(as_list)
    assert [json.loads(line) for line in by_line.splitlines()] == answers
    assert [answer["query"] for answer in answers] == ["王", "女"]
    assert answers[0]["table"] == {
        "model": "toy",
        "mode": "static",
        "layer": None,
        "tokens": 12,
        "dimensions": 3,
    }
    assert answers[0]["neighbours"][1] == {
        "rank": 2,
        "token": "男",
        "id": 1,
        "distance": 1.0,
        "in_query": False,
    }
    assert '"王"' in as_list  # readable, not \\u738b


def test_tsv_has_one_heading_and_a_line_for_each_neighbour() -> None:
    assert run("query", "王", "女", "-k1", "--tsv", "--metric", "dot")[1] == (
        "query\trank\ttoken\tid\tsimilarity\tin_query\n"
        "王\t1\t1999\t11\t5.0\tfalse\n"
        "女\t1\t女\t2\t1.0\ttrue\n"
    )


def test_lines_of_standard_input_are_answered_in_order() -> None:
    code, out, err = run("query", "-", "-k1", stdin="女\n\n男\r\n王".encode())
    assert (code, err) == (0, "")
    assert out == (
        HEADER
        + "\n女\nrank  token     id  distance\n   1  女     *   2    0.0000\n"
        + "\n男\nrank  token     id  distance\n   1  男     *   1    0.0000\n"
        + "\n王\nrank  token     id  distance\n   1  王     *   0    0.0000\n"
    )


def test_a_bad_line_is_reported_with_its_number_and_the_rest_answered() -> None:
    lines = "\ufeff女\n王 男\n皇帝\n".encode() + b"\xff\n" + "男".encode()
    code, out, err = run("query", "-", "-k1", "--jsonl", stdin=lines)
    assert code == 1
    assert [json.loads(line)["query"] for line in out.splitlines()] == ["女", "男"]
    assert "Error: line 2: expected + or - between two words\n  王 男\n     ^^\n" in err
    assert 'Error: line 3: "皇帝" is not in this vocabulary\n  皇帝\n  ^^^^\n' in err
    assert "Error: line 4: not UTF-8\n" in err


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("UTF-16", "UTF-16"), ("CP932", "Shift-JIS (cp932)"), ("EUC-JP", "EUC-JP")],
)
def test_input_in_another_encoding_is_named_once(encoding: str, name: str) -> None:
    stdin = "王-男+女\n男\n女\n".encode(encoding)
    error = f"Error: standard input looks like {name}, not UTF-8\n"
    hint = f"Hint: convert it: iconv -f {encoding} -t UTF-8\n"
    assert run("query", "-", "--json", stdin=stdin) == (1, "[]\n", error + hint)


def test_binary_input_is_one_error() -> None:
    stdin = bytes(range(256)) * 1000
    error = "Error: standard input is not text: it contains NUL bytes\n"
    assert run("query", "-", "--jsonl", stdin=stdin) == (1, "", error)


def test_an_argument_in_another_encoding_is_an_error_that_names_it() -> None:
    typed = "王-男".encode("cp932").decode("utf-8", "surrogateescape")
    error = (
        "Error: an argument is not UTF-8: it looks like Shift-JIS (cp932)\n"
        "Hint: set the terminal and the locale to UTF-8\n"
    )
    assert run("query", typed) == (1, "", error)
    assert run("norms", typed) == (1, "", error)
    assert run("map", "--expression", typed) == (1, "", error)


@pytest.mark.parametrize(("form", "out"), [("--json", "[]\n"), ("--jsonl", ""), ("--tsv", "")])
def test_no_lines_give_no_answers(form: str, out: str) -> None:
    assert run("query", "-", form) == (0, out, "")


def test_a_thousand_lines_are_answered_as_one_by_one() -> None:
    names = ["王", "女", "-男", "2*子", "km-k+m"]
    alone = {name: run("query", name, "--jsonl", "-k3")[1] for name in names}
    code, out, err = run("query", "-", "--jsonl", "-k3", stdin="\n".join(names * 200).encode())
    assert (code, err) == (0, "")
    assert out == "".join(alone[name] for name in names * 200)


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (
            ["王 男"],
            1,
            "Error: expected + or - between two words\n  王 男\n     ^^\n",
        ),
        (["王", "女+"], 1, "Error: expected a word after +\n  女+\n    ^\n"),
        (["王-皇帝"], 1, 'Error: "皇帝" is not in this vocabulary\n  王-皇帝\n     ^^^^\n'),
        (
            ["王", "-", "男"],
            2,
            """\
Error: '-' is a separate argument
Hint: quote the expression: wordvec query "王 - 男"
""",
        ),
        (
            ["王-王", "--metric", "cosine"],
            1,
            """\
Error: the query vector is zero: it has no direction, and so no cosine
  王-王
  ^^^^^
""",
        ),
        (["王", "--json", "--tsv"], 2, "Error: --json, --jsonl and --tsv cannot be combined"),
        (
            ["王", "--table", "static", "--mode", "static"],
            2,
            "Error: use either --table or --model, --mode and --variant, not both",
        ),
        (["王", "--table", "statc"], 2, "Error: 'statc' is not a table name"),
        (["王", "--model", "other"], 1, "Error: there is no table other:static in "),
    ],
)
def test_each_error_has_its_message(args: list[str], code: int, err: str) -> None:
    given, out, text = run("query", *args)
    assert (given, out) == (code, "")
    assert text.startswith(err)


@pytest.mark.parametrize("args", [["王", "-k", "0"], ["王", "-k0"], ["王", "-k", "x"], []])
def test_k_below_one_and_no_expression_are_wrong_usage(args: list[str]) -> None:
    code, out, err = run("query", *args)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: ")


def test_k_above_the_vocabulary_lists_all_tokens_with_a_note() -> None:
    code, out, err = run("query", "王", "-k", "13", "--tsv")
    assert (code, len(out.splitlines())) == (0, 13)
    assert err == "Note: -k 13 is more than the 12 tokens there are\n"


def test_the_mode_chooses_the_table(tmp_path: Path) -> None:
    Store(tmp_path).save(toy_table(mode=Mode.DYNAMIC))
    code, out, _ = run("query", "王", "--mode", "dynamic", "--store", str(tmp_path))
    assert code == 0
    assert out.startswith("toy:dynamic · ")
    assert run("query", "王", "--table", "toy:dynamic", "--store", str(tmp_path))[1] == out


def test_columns_are_aligned_in_a_narrow_terminal() -> None:
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "wordvec", "query", "王-男+女", "-k2"],
        env={**os.environ, "TERM": "xterm"},
        dimensions=(24, 40),
        encoding="utf-8",
    )
    shown = child.read().replace("\r\n", "\n")
    child.close()
    assert child.exitstatus == 0
    assert shown == (
        "\x1b[36mtoy:static · 12 × 3 · L2 distance\x1b[0m\n"
        "\x1b[36mraw vectors\x1b[0m\n"
        "\n"
        "\x1b[1m王-男+女\x1b[0m\n"
        "\x1b[2mrank\x1b[0m  \x1b[2mtoken\x1b[0m  \x1b[2m \x1b[0m  \x1b[2mid\x1b[0m"
        "  \x1b[2mdistance\x1b[0m\n"
        "   1  女王       3    0.0000\n"
        "\x1b[2m   2\x1b[0m  \x1b[2m女   \x1b[0m  \x1b[2m*\x1b[0m  \x1b[2m 2\x1b[0m"
        "  \x1b[2m  1.0000\x1b[0m\n"
    )


def test_each_line_is_answered_as_it_arrives() -> None:
    command = [sys.executable, "-m", "wordvec", "query", "-", "-k1", "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for word in ("王", "女"):
            process.stdin.write(f"{word}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["query"] == word
        process.stdin.close()
    assert process.returncode == 0
