"""What the README and docs show is what the commands print."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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


def test_the_readme_begins_with_one_sentence_and_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, _, rest = text.removeprefix("# wordvec\n\n").partition("\n\n")
    assert first.replace("\n", " ").count(". ") == 0
    assert first.endswith(".")
    assert rest.index("scripts/quickstart") < rest.index("scripts/test") < rest.index("```console")


def test_the_readmes_python_runs_as_it_stands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "女王" in ast.literal_eval(ran.stdout)


def test_every_file_that_a_page_points_to_is_there() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("new", "passes"),
    [
        ("rank 2 · distance 1.0881", True),
        ("rank 2 · distance 1.0883", False),
        ("rank 3 · distance 1.0880", False),
        ("rank 2 · similarity 1.0880", False),
    ],
)
def test_only_the_last_digit_of_a_shown_decimal_may_be_off(new: str, *, passes: bool) -> None:
    spec = importlib.util.spec_from_file_location(
        "update_docs", ROOT / "scripts" / "update_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.is_close("rank 2 · distance 1.0880", new) == passes
