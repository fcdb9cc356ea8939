"""The README and the pages of docs/ show what the commands and the Python API return."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wordvec

ROOT = Path(__file__).resolve().parent.parent
READMES = [ROOT / "README.md", ROOT / "docs" / "README.ja.md"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of tables for all tests here: the dynamic table is extracted only once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def _use_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDVEC_HOME", str(store))


def blocks_of(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(300)
def test_every_shown_output_is_what_its_command_prints() -> None:
    script = ROOT / "scripts" / "update_docs.py"
    checked = subprocess.run(
        [sys.executable, str(script), "--check"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_readme_begins_with_one_sentence_and_real_output() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    link, title, sentence, output = text.split("\n\n")[:4]
    assert link == "[日本語](docs/README.ja.md)"
    assert title == "# wordvec"
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    assert output.startswith("```console\n$ wordvec compare")
    assert len(text.splitlines()) <= 150


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_a_readme_names_the_two_scripts_and_the_three_commands(page: Path) -> None:
    scripts, commands = blocks_of(page, "sh")
    assert re.findall(r"^(\S+)", scripts, re.MULTILINE) == ["scripts/quickstart", "scripts/test"]
    assert commands.splitlines() == [
        "wordvec extract --mode dynamic",
        'wordvec query "王-男+女" -k 10',
        "wordvec norms 王 后 女 男",
    ]


def test_both_readmes_show_the_same_commands_and_python() -> None:
    english, japanese = (blocks_of(page, "console") for page in READMES)
    assert english == japanese
    english, japanese = (blocks_of(page, "python") for page in READMES)
    assert ast.dump(ast.parse(english[0])) == ast.dump(ast.parse(japanese[0]))


@pytest.mark.timeout(300)
def test_the_python_of_the_readme_runs_as_it_stands() -> None:
    pytest.importorskip("torch")
    [code] = blocks_of(ROOT / "README.md", "python")
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    tokens, most_similar = map(ast.literal_eval, ran.stdout.splitlines())
    assert tokens[:3] == ["太子", "姫", "女王"]
    assert [token for token, _ in most_similar][:3] == ["太子", "姫", "女王"]


@pytest.mark.timeout(300)
def test_the_examples_of_the_python_page_return_what_it_shows() -> None:
    pytest.importorskip("torch")
    code = "\n".join(blocks_of(ROOT / "docs" / "python.md", "python"))
    examples = doctest.DocTestParser().get_doctest(code, {}, "python.md", "python.md", 0)
    failures: list[str] = []
    results = doctest.DocTestRunner().run(examples, out=failures.append)
    assert results.attempted > 20
    assert not results.failed, "".join(failures)


def test_an_answer_becomes_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    answer = wordvec.open("mini:static").query("王-男+女", k=3)
    frame = pandas.DataFrame(answer)
    assert list(frame.columns) == ["rank", "token", "id", "score", "in_query", "twins"]
    assert list(frame["token"]) == ["王", "太子", "姫"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_or_heading_has_a_target(page: Path) -> None:
    for target, anchor in re.findall(
        r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")
    ):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings]
            assert anchor in anchors


@pytest.mark.parametrize(
    ("new", "accepted"),
    [
        ("rank 2 · distance 1.0881", True),
        ("rank 2 · distance 1.0883", False),
        ("rank 3 · distance 1.0880", False),
        ("rank 2 · similarity 1.0880", False),
    ],
)
def test_only_the_last_digit_of_a_shown_decimal_may_differ(new: str, *, accepted: bool) -> None:
    spec = importlib.util.spec_from_file_location(
        "update_docs", ROOT / "scripts" / "update_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.is_close("rank 2 · distance 1.0880", new) == accepted
