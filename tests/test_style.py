"""Rules for the source that no linter checks: repeated blocks, long modules, wording."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.js")])
TEXTS = [*SOURCES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = 10  # lines

# Wordings that readers had to read twice; see "Plain English" in docs/CONTRIBUTING.md.
NOT_PLAIN = re.compile(
    r"\b(anew|goes on where|takes? its place|is no [a-z]+ of|knows? no|the nearer the|lets? go of"
    r"|may not write|whatever it says|nobody is|brought to length)\b"
)


def lines_of(file: Path) -> list[str]:
    """Return the stripped lines of a file that are not blank, without imports."""
    lines = file.read_text("utf-8").splitlines()
    if file.suffix == ".py":
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                lines[node.lineno - 1 : node.end_lineno] = [""] * len(
                    lines[node.lineno - 1 : node.end_lineno]
                )
    return [line.strip() for line in lines if line.strip()]


def test_no_block_of_ten_lines_occurs_twice() -> None:
    first: dict[tuple[str, ...], str] = {}
    repeated = []
    for file in SOURCES:
        lines = lines_of(file)
        for i in range(len(lines) - BLOCK + 1):
            block = tuple(lines[i : i + BLOCK])
            place = f"{file.relative_to(ROOT)}: {lines[i]}"
            if first.setdefault(block, place) != place:
                repeated.append(f"{place} = {first[block]}")
    assert repeated == []


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_wording_is_plain(file: Path) -> None:
    assert NOT_PLAIN.findall(file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_a_module_has_at_most_480_lines(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 480, "split it by what it is about"
