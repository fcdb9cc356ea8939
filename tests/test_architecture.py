"""The files, folders and tests that docs/architecture.md and docs/reliability.md name exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "wordvec"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return the text under a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def tree() -> set[Path]:
    """Return the paths in the indented listing of the section "Folders"."""
    paths, parents = set(), [ROOT]
    for indent, name in re.findall(r"^    ( *)([\w./]+)", section("Folders"), re.MULTILINE):
        depth = len(indent) // 2
        parents[depth + 1 :] = [parents[depth] / name]
        paths.add(parents[-1])
    return paths


def test_the_tree_has_every_folder_of_the_package_and_nothing_else() -> None:
    listed = tree()
    assert [path for path in sorted(listed) if not path.exists()] == []
    folders = {path.parent for path in PACKAGE.rglob("*.*") if path.parent.name != "__pycache__"}
    assert folders - listed == set()
    modules = {path for path in PACKAGE.glob("*.py") if path.name != "__main__.py"}
    assert modules - listed == set()


def test_ten_tasks_have_a_file_that_exists() -> None:
    files = re.findall(r"^\| .*? \| `(.*)` \|$", section("Which file to open"), re.MULTILINE)
    assert len(files) == 10
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_the_files_to_change_exist() -> None:
    named = re.findall(r"`([\w/]+(?:/|\.\w+))`", section("Where to add something"))
    assert len(named) >= 10
    missing = [name for name in named if not any((top / name).exists() for top in (PACKAGE, ROOT))]
    assert missing == []


def test_the_tests_that_the_page_on_reliability_names_exist() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 20
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"^def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []
