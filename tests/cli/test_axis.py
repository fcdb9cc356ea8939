"""`wordvec axis` on tables that are checked by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import fill
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def test_words_stand_in_order_with_their_bars() -> None:
    assert run("axis", "女-男", "男", "女王", "子") == (
        0,
        """\
toy:static · 12 × 3 · cosine similarity · raw vectors

女-男
token     id  projection   cosine      z  rank  男             女
女王       3      0.7071   0.5000  +1.18     3          │████████
子         4      0.0000   0.0000  +0.20     4          │█▌
男     *   1     -0.7071  -0.7071  -1.19    10  ████████│

all 12 tokens: -0.1006 ± 0.5106
""",
        "",
    )


def test_an_axis_may_start_with_a_minus_and_a_word_may_be_one(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("-\n犬\n", encoding="utf-8")
    code, out, err = run("axis", "-男+女", "王", "--file", file, "--tsv")
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == ["token", "-", "王"]
    assert err == "Note: 1 of the 2 words in words.txt are not in this vocabulary\n"


def test_filters_choose_the_ends() -> None:
    code, out, _ = run("axis", "女-男", "--top", "1", "--only", "kanji", "--no-special", "--json")
    assert code == 0
    [found] = json.loads(out)
    assert [word["token"] for word in found["words"]] == ["女", "男"]
    assert found["filters"]["only"] == ["kanji"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["女-男"], 2, "an axis needs words to place, or the tokens of its ends\nHint: --top 20"),
        (["女", "-", "男"], 2, 'Hint: quote the expression: wordvec axis "女 - 男"'),
        (["女-男", "王", "--only", "kanji"], 2, "Hint: --top 20"),
        (["女-男", "犬"], 1, '"犬" is not in this vocabulary'),
        (["女-男", "王", "--y", "王:男=女:?"], 1, "an axis is a sum, not an analogy"),
        (["女-男", "--top", "1", "--match", "z"], 1, "Hint: drop --match z"),
        (["女-男", "--file", "no-such-file"], 1, "no-such-file: No such file or directory"),
        (["女-男", "王", "--png", "no/axis.png"], 2, "there is no folder no"),
        (["女-男", "王", "--metric", "l2"], 2, "'l2' is not one of 'cosine', 'dot'"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("axis", *args)
    assert (found, out) == (code, "")
    assert message in err
