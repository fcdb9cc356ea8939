"""How many faults the tests inject and how many bad inputs they try: the last line of a run.

The helpers that make a fault or an input count it. A fault is survived if its test passes. A test
that counted something and fails with an assertion is a wrong answer, with anything else a
traceback. If `WORDVEC_COUNTS` names a file, the counts are added to those in it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS, SURVIVED, INPUTS = "faults injected", "survived", "bad inputs tried"
TRACEBACKS, WRONG = "tracebacks", "wrong answers"
NAMES = (FAULTS, SURVIVED, INPUTS, TRACEBACKS, WRONG)
counted: Counter[str] = Counter()


def count_faults(count: int = 1) -> None:
    """Count processes killed, full disks, failed syncs, damaged files of a store."""
    counted[FAULTS] += count


def count_inputs(count: int = 1) -> None:
    """Count files, lines and arguments that are damaged, hostile or wrong."""
    counted[INPUTS] += count


def line_of(counts: Counter[str]) -> str:
    """Return the counts on one line."""
    return " · ".join(f"{name} {counts[name]:,}" for name in NAMES)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Judge what a test counted by how it ends."""
    faults, before = counted[FAULTS], counted.total()
    try:
        yield
    except AssertionError:
        counted[WRONG] += counted.total() > before
        raise
    except Exception:
        counted[TRACEBACKS] += counted.total() > before
        raise
    counted[SURVIVED] += counted[FAULTS] - faults


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of this run."""
    if counted:
        terminalreporter.write_line(line_of(counted))
    if name := os.environ.get("WORDVEC_COUNTS"):
        add_counts(Path(name), counted)


def add_counts(file: Path, more: Counter[str]) -> None:
    """Add counts to those in a file."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps({name: known.get(name, 0) + more[name] for name in NAMES}), "utf-8")
