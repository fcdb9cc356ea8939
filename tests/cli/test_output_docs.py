"""docs/output.md describes what the commands print."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import fill
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "output.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## `(?:wordvec )?(\w+)`.*?\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
SECTIONS: dict[str, str] = dict(_SECTION.findall(PAGE))
SHARED = {
    "compare": "query",
    "explain": "query",
    "trace": "query",
    "evaluate": "query",
    "axis": "query",
    "doctor": "evaluate",
}  # have the settings of a query


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    file = tmp_path / "pairs.tsv"
    file.write_text("royal\t王\t女王\nroyal\t男\t女\n", encoding="utf-8")
    return str(file)


def questions(command: str, pairs: str) -> list[str]:
    """Return the arguments that ask a command the questions of a file."""
    return ["--files", pairs] if command == "doctor" else [pairs]


def fields(value: object) -> Iterator[str]:
    """Yield every field of a JSON value, at any depth."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield name
            yield from fields(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from fields(inside)


@pytest.mark.parametrize(
    "asked",
    [
        ("query", "王-男+女"),
        ("query", "王", "--metric", "cosine", "--merge-twins", "--only", "kanji"),
        ("norms", "王", "--largest", "1"),
        ("compare", "王-男+女"),
        ("explain", "王-男+女", "子", "--calibrate"),
        ("explain", "女:男=女王:?", "王", "--metric", "cosine"),
        ("trace", "王-男+女", "女王"),
        ("similar", "王", "女"),
        ("similar", "王", "女", "--metric", "l2"),
        ("odd", "王", "女", "男"),
        ("axis", "女-男", "王", "--y", "王", "--top", "2", "--only", "kanji"),
        ("evaluate",),
        ("doctor",),
    ],
)
def test_every_field_has_a_line_in_its_section(asked: tuple[str, ...], pairs: str) -> None:
    command, *arguments = asked
    code, out, _ = run(command, *(arguments or questions(command, pairs)), "--json")
    assert code == 0
    text = SECTIONS[command] + SECTIONS["table"] + SECTIONS.get(SHARED.get(command, ""), "")
    described = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|.*", text, re.MULTILINE))))
    described.add("table")  # has a section of its own
    assert set(fields(json.loads(out))) - described == set()


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("query", ["王-男+女"]),
        ("norms", ["王"]),
        ("compare", ["王-男+女"]),
        ("explain", ["王-男+女", "女王"]),
        ("similar", ["王", "女"]),
        ("odd", ["王", "女", "男"]),
        ("axis", ["女-男", "王"]),
        ("evaluate", []),
        ("doctor", []),
    ],
)
def test_the_example_has_the_fields_in_order(
    command: str, arguments: list[str], pairs: str
) -> None:
    found = re.search(r"^```json\n(.*?)\n```", SECTIONS[command], re.DOTALL | re.MULTILINE)
    assert found is not None
    _, out, _ = run(command, *(arguments or questions(command, pairs)), "--jsonl")
    example, printed = json.loads(found[1]), json.loads(out)
    assert list(example) == list(printed)
    assert list(fields(example.get("table"))) == list(fields(printed.get("table")))


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("query", ["王"]), ("norms", ["王"]), ("explain", ["王-男+女"]), ("similar", ["王", "女"]),
        ("odd", ["王", "女", "男"]), ("axis", ["女-男", "王"]), ("evaluate", []),
        ("doctor", []),
    ],
)  # fmt: skip
def test_the_columns_of_tsv_are_named(command: str, arguments: list[str], pairs: str) -> None:
    metric = ["--metric", "cosine"] if command == "similar" else []
    _, out, _ = run(command, *(arguments or questions(command, pairs)), *metric, "--tsv")
    assert f"TSV: `{' '.join(out.splitlines()[0].split(chr(9)))}`" in SECTIONS[command]
