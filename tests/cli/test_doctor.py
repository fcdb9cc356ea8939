"""`wordvec doctor` on small tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import fill
from wordvec.analysis.display import OutputStyle
from wordvec.tables.store import Store
from wordvec.text import width

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.tsv"
    file.write_text("royal\t王\t女王\nroyal\t男\t女\n", encoding="utf-8")
    return file


def test_every_finding_has_its_figure_its_meaning_and_its_option(pairs: Path) -> None:
    code, out, err = run("doctor", "--files", pairs)
    assert (code, err) == (0, "")
    assert (
        out
        == """\
toy:static · 12 × 3 · pairs.tsv

12 tokens measured · 3 of 7 checks found something to mend

  anisotropy: two random tokens have a cosine of 0.008 ± 0.554 (all pairs)
  Random tokens are not similar: a cosine is read against 0.

  components: the first 1, 3 have 55.9 %, 100.0 % of the variance
  The variance is spread over many directions.

  dimensions: dimension 0 has 37.5 % of the squared lengths (33.3 % if all were equal)
  No dimension has a large part in every similarity.

! norms: 0.7071 to 5.0000, median 1.2071, deviation 67.8 % of the mean, ρ with the row +0.32
  Norms differ: L2 distance and inner product depend on them, cosine similarity does not. Tokens of later rows, which are rarer in most vocabularies, are longer. Use --unit.

  hubs: the 10-occurrence has a skewness of -1.09; the largest: 王 11, 男 11, 女王 11, 子 11, ##王 11; 0.0 % are the neighbour of no token
  No token is a neighbour of too many others.

! subwords: 10.0 % of the neighbours of whole words are subwords (8.3 % of the tokens)
  Lists of neighbours have parts of words among them. Use --only word.

! twins: 100.0 % of 2 tokens with a twin (as 王 and ##王) have it among their 10 nearest
  Twins take the places of other neighbours. Use --merge-twins.

      analogies         transforms   questions    top-1    MRR
best  sum, L2 distance  none                 2  100.0 %  1.000
      3CosAdd           none                 2  100.0 %  1.000
      3CosAdd           center               2   50.0 %  0.625
      3CosAdd           standardize          2   50.0 %  0.625
      3CosAdd           abtt:1               2   50.0 %  0.600
      3CosAdd           whiten               2   50.0 %  0.625

For analogies use the defaults: nothing tried beats their 100.0 % of 2 questions.
"""  # noqa: E501
    )


def test_lines_wrap_between_words_on_a_narrow_terminal(pairs: Path) -> None:
    _, out, _ = run("doctor", "--files", pairs, style=OutputStyle(cells=40))
    lines = out.splitlines()
    assert max(map(width, lines)) <= 40
    assert not any(line.strip().startswith("%") for line in lines)
    start = lines.index("! subwords: 10.0 % of the neighbours of")
    assert lines[start : start + 5] == [
        "! subwords: 10.0 % of the neighbours of",
        "  whole words are subwords (8.3 % of the",
        "  tokens)",
        "  Lists of neighbours have parts of",
        "  words among them. Use --only word.",
    ]


def test_the_numbers_for_programs_and_the_report(pairs: Path, tmp_path: Path) -> None:
    args = ("doctor", "--tables", "static,dynamic", "--files", pairs)
    [found] = json.loads(run(*args, "--json")[1])
    assert [one["table"]["mode"] for one in found["tables"]] == ["static", "dynamic"]
    assert found["between"].startswith("Of these tables toy:")
    heading, *lines = (line.split("\t") for line in run(*args, "--tsv")[1].splitlines())
    assert heading == ["table", "check", "figure", "meaning", "option"]
    assert [line[1] for line in lines][-1] == "analogies"
    page = tmp_path / "doctor.html"
    _, out, _ = run(*args, "--report", page)
    assert out.splitlines()[-1].startswith(f"{page}  ")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert json.loads(run(*args, "--report", page, "--json")[1]) == [found]


def test_all_saved_tables_are_checked(pairs: Path) -> None:
    _, out, _ = run("doctor", "--tables", "all", "--files", pairs, "--jsonl")
    names = [one["table"]["model"] for one in json.loads(out)["tables"]]
    assert names == ["other", "toy", "toy"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--report", "no/such/doctor.html"], 2, "there is no folder no/such"),
        (["--files", "no-such-file"], 1, "no-such-file: No such file or directory"),
        (["--table", "toy:contextual"], 1, "toy:contextual"),
        (["王"], 2, "unexpected extra argument"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("doctor", *args)
    assert (found, out) == (code, "")
    assert message in err


def test_japanese_questions_are_not_asked_of_another_vocabulary() -> None:
    _, out, _ = run("doctor")
    assert out.splitlines()[-1].startswith("No advice for analogies: the included analogies are J")
