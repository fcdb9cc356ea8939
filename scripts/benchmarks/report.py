"""Write the tables of docs/benchmarks.md from the records in docs/benchmarks/.

A place in the page is marked by `<!-- table: NAME -->`; below it is a table of the figures with
that name, which has a column for each machine. `<!-- machines -->` marks the list of the machines.
Of several records of a machine, a later figure replaces an earlier one; a record with a "source",
such as an earlier version, has a column of its own.
"""

from __future__ import annotations

import json
import re
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import show

if TYPE_CHECKING:
    import argparse

DOCS = Path(__file__).resolve().parents[2] / "docs"
MARK = re.compile(r"(<!-- (machines|table: (.+?)) -->\n)(?:\n(?:[|*].*\n)+)?")

Record = dict[str, Any]


def add_report_options(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.add_argument("records", nargs="*", type=Path, help="records in .benchmarks to add")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")


def report(records: list[Path], *, check: bool, docs: Path = DOCS) -> None:
    """Add records to those of the page, and write the page."""
    folder, page = docs / "benchmarks", docs / "benchmarks.md"
    for file in records:
        record = json.loads(file.read_text("utf-8"))
        record.pop("times", None)
        text = json.dumps(record, ensure_ascii=False, indent=1)
        (folder / file.name).write_text(f"{text}\n", "utf-8")
    kept = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    old = page.read_text("utf-8")
    new = render(old, sorted(kept, key=lambda record: record["date"]))
    if check and new != old:
        sys.exit(f"out of date: {page.name}; run scripts/bench report")
    if not check:
        page.write_text(new, "utf-8")


def render(text: str, records: list[Record]) -> str:
    """Return a page with the tables of these records, the oldest first."""
    columns: dict[str, list[Record]] = {}
    for record in records:
        columns.setdefault(machine_of(record), []).append(record)
    letters = dict(zip(columns, string.ascii_uppercase, strict=False))

    def table(match: re.Match[str]) -> str:
        if match[2] == "machines":
            lines = [f"* **{letters[name]}**: {about(name, columns[name])}" for name in columns]
        else:
            lines = table_of(match[3], {letters[name]: columns[name] for name in columns})
        return "\n".join([match[1].rstrip(), "", *lines, ""]) if lines else match[1]

    return MARK.sub(table, text)


def machine_of(record: Record) -> str:
    """Return what distinguishes a column: the machine, and the source of an earlier record."""
    machine = record["machine"]
    flags = ", ".join(machine["flags"]) or "no flags"
    name = f"{machine['cpu']} ({flags}), {machine['cores']} cores, {machine['threads']} threads"
    return f"{name}; {record['source']}" if record.get("source") else name


def about(name: str, records: list[Record]) -> str:
    """Return the machine, the versions of libraries, and when what was measured."""
    libraries = records[-1]["machine"].get("libraries", {})
    versions = ", ".join(f"{library} {version}" for library, version in libraries.items())
    runs = [
        f"`{record['benchmark']}` {record['date']}"
        + (f" at {record['revision']}" if record.get("revision") else "")
        for record in records
    ]
    return ". ".join(part for part in (name, versions, ", ".join(runs)) if part) + "."


def table_of(name: str, columns: dict[str, list[Record]]) -> list[str]:
    """Return the lines of a table: a row for each figure, a column for each machine with one."""
    cells: dict[str, dict[str, str]] = {}
    targets: dict[str, str] = {}
    for letter, records in columns.items():
        for record in records:
            for figure in record["figures"]:
                if figure["table"] == name:
                    shown = f"{show(figure['value'], figure['unit'])} {figure['unit']}".rstrip()
                    cells.setdefault(figure["row"], {})[letter] = shown
                    if "target" in figure:  # of the latest record
                        targets[figure["row"]] = figure["target"]
    used = [letter for letter in columns if any(letter in row for row in cells.values())]
    if not used:
        return []
    lines = [f"| {name} | target | {' | '.join(used)} |", f"|---|---:|{'---:|' * len(used)}"]
    for row, values in cells.items():
        shown = " | ".join(values.get(letter, "") for letter in used)
        lines.append(f"| {row} | {targets.get(row, '')} | {shown} |")
    return lines
