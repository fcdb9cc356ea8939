"""The options of `wordvec query` that change how tokens are ranked and which are listed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import fill
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def tokens(*args: str) -> list[str]:
    code, out, err = run("query", "--jsonl", *args)
    assert (code, err) == (0, "")
    return [near["token"] for near in json.loads(out)["neighbours"]]


def header(*args: str) -> str:
    code, out, _ = run("query", *args)
    assert code == 0
    return str(out.splitlines()[0])


@pytest.mark.parametrize(
    ("args", "facts"),
    [
        (["--method", "add"], "3CosAdd · raw vectors"),
        (["--method", "add", "--metric", "csls"], "3CosAdd · CSLS · raw vectors"),
        (["--method", "mul"], "3CosMul · raw vectors"),
        (["--method", "direction"], "PairDirection · raw vectors"),
        (["--metric", "csls"], "CSLS · raw vectors"),
        (["--transform", "center,unit"], "L2 distance · center, unit vectors"),
        (
            ["--transform", "center", "--transform", "abtt:1"],
            "L2 distance · center, abtt:1 vectors",
        ),
        (["--transform", "unit"], "L2 distance · unit vectors"),
        (["--only", "kanji,word"], "L2 distance · raw vectors · only kanji word"),
        (["--match", "^王"], "L2 distance · raw vectors · matching ^王"),
        (["--no-special"], "L2 distance · raw vectors · no special tokens"),
        (["--merge-twins"], "L2 distance · raw vectors · twins merged"),
    ],
)
def test_the_header_says_what_was_applied(args: list[str], facts: str) -> None:
    assert header("男:女=王:?", *args, "--no-exclude") == f"toy:static · 12 × 3 · {facts}"


def test_unit_equals_the_transform_unit() -> None:
    def answer(*args: str) -> object:
        return json.loads(run("query", "王-男+女", "--jsonl", *args)[1])["neighbours"]

    assert answer("--unit") == answer("--transform", "unit")


def test_methods_rank_differently() -> None:
    assert tokens("男:女=王:?", "-k1", "--method", "add", "--exclude") == ["女王"]
    assert tokens("男:女=王:?", "-k1", "--method", "direction", "--exclude") == ["女王"]
    assert tokens("男:女=王:?", "-k1", "--method", "mul", "--exclude") == ["k"]  # far from 男


def test_filters_restrict_the_list() -> None:
    assert tokens("王", "-k2", "--only", "kanji") == ["王", "男"]
    assert tokens("王", "-k1", "--only", "kanji,subword") == ["##王"]
    assert tokens("王", "-k1", "--only", "japanese，subword") == ["##王"]
    assert tokens("王", "-k3", "--match", "^k") == ["k", "km", "king"]
    assert tokens("王", "--only", "number", "--only", "latin", "-k2") == ["m", "k"]


def test_if_no_token_passes_a_note_names_the_filters_to_drop() -> None:
    code, _, err = run("query", "王", "--only", "kanji", "--match", "^k")
    assert (code, err) == (
        0,
        "Note: 0 tokens pass the filters: drop --only kanji or --match '^k'\n",
    )
    code, _, err = run("explain", "王", "--only", "hiragana,number", "--match", "^k")
    assert code == 1
    assert err.splitlines() == [
        "Error: nothing to explain: 0 tokens pass the filters",
        "Hint: drop --only hiragana --only number or --match '^k'",
    ]


def test_vocab_restricts_the_list_to_the_words_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("女王\n犬\n子\n", encoding="utf-8")
    code, out, err = run("query", "王", "--vocab", str(tmp_path / "words.txt"), "--tsv")
    assert code == 0
    assert [line.split("\t")[2] for line in out.splitlines()[1:]] == ["子", "女王"]
    assert err == (
        "Note: 2 tokens pass the filters\n"
        "Note: 1 of the 3 words in words.txt are not in this vocabulary\n"
    )


def test_merged_twins_share_one_line() -> None:
    code, out, err = run("query", "王-男+女", "-k", "4", "--merge-twins")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
toy:static · 12 × 3 · L2 distance · raw vectors · twins merged

王-男+女
rank  token     twins   id  distance
   1  女王               3    0.0000
   2  女     *           2    1.0000
   3  子                 4    1.2247
   4  王     *  = ##王   0    1.4142
"""
    )
    [_, *lines] = run("query", "王", "-k1", "--merge-twins", "--tsv")[1].splitlines()
    assert lines == ["王\t1\t王\t0\t0.0\ttrue\t##王"]


def test_json_has_the_settings() -> None:
    code, out, _ = run(
        "query", "王", "-k1", "--jsonl", "--only", "kanji", "--merge-twins", "--transform", "center"
    )
    assert code == 0
    answer = json.loads(out)
    neighbours = answer.pop("neighbours")
    answer.pop("table")
    assert answer == {
        "query": "王",
        "method": "sum",
        "metric": "l2",
        "unit": False,
        "transforms": ["center"],
        "exclude": False,
        "filters": {"only": ["kanji"], "match": None, "vocab": None, "no_special": False},
        "merge_twins": True,
    }
    assert neighbours[0]["twins"] == ["##王"]  # which is written in kanji, too


def test_fitted_transforms_are_saved_beside_the_table() -> None:
    assert run("query", "王", "--transform", "center,whiten", "--metric", "csls")[0] == 0
    derived = Store().derived(Store().open(TableName("toy", Mode.STATIC)))
    assert sorted(path.stem for path in derived.folder.iterdir()) == sorted(
        path.stem
        for path in derived.folder.iterdir()
        if derived.load("transform center") is not None
        and derived.load("transform center whiten") is not None
        and derived.load("neighbours cosine center whiten") is not None
    )
    assert len(list(derived.folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--only", "kana"], 2, "'kana' is not one of kanji, hiragana, katakana, japanese, "),
        (["--match", "("], 2, "Error: --match '(' is not a regular expression"),
        (["--transform", "abtt"], 2, "Hint: --transform abtt:3"),
        (["--transform", "abtt:3"], 2, "would remove everything: the vectors have 3 dimensions"),
        (["--unit", "--transform", "center"], 2, "Hint: --transform unit --transform center"),
        (["--unit", "--transform", "unit"], 2, "Hint: --transform unit\n"),
        (["--method", "mul", "--metric", "l2"], 2, "method mul ranks by cosine, not by l2"),
        (["--method", "direction"], 1, "direction needs the form a:b=c:?"),
        (["--vocab", "no-such-file"], 1, "Error: no-such-file: No such file or directory"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("query", "王-男+女", *args)
    assert (found, out) == (code, "")
    assert message in err


KEEP = "Note: the words of the analogy are left out of the answer: --no-exclude keeps them\n"


def test_an_analogy_leaves_its_words_out_and_a_sum_keeps_them() -> None:
    code, out, err = run("query", "子:王=女:?", "女-子+王", "子:女=王:?", "-k1")
    assert (code, err) == (0, KEEP)  # once
    assert (
        out
        == """\
toy:static · 12 × 3 · L2 distance · raw vectors · query words left out

子:王=女:?
rank  token    id  distance
   1  女王      3    0.7071

toy:static · 12 × 3 · L2 distance · raw vectors

女-子+王
rank  token     id  distance
   1  王     *   0    0.7071

toy:static · 12 × 3 · L2 distance · raw vectors · query words left out

子:女=王:?
rank  token    id  distance
   1  女王      3    0.7071
"""
    )


def test_the_words_of_an_analogy_can_be_kept() -> None:
    code, out, err = run("query", "子:王=女:?", "-k1", "--no-exclude", "--json")
    assert (code, err) == (0, "")
    [answer] = json.loads(out)
    assert answer["exclude"] is False
    assert [near["token"] for near in answer["neighbours"]] == ["王"]
    assert run("query", "子:王=女:?", "--exclude")[2] == ""  # as asked for, so without a note


def test_lines_of_a_file_repeat_no_note() -> None:
    _, out, err = run("query", "-", "-k1", "--jsonl", stdin="子:王=女:?\n女王\n子:女=王:?\n")
    assert err == KEEP
    assert [json.loads(line)["exclude"] for line in out.splitlines()] == [True, False, True]


@pytest.mark.parametrize("command", ["compare", "explain", "trace"])
def test_every_command_leaves_the_words_of_an_analogy_out(command: str) -> None:
    words = ["子:王=女:?", *(["女王"] if command != "compare" else [])]
    code, out, err = run(command, *words, "--json")
    assert code == 0
    assert KEEP in err
    assert json.loads(out)[0]["exclude"] is True
