"""scripts/bench: turns, versions, records and tables; each subcommand with tiny sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import Bench, Timings
from benchmarks.machine import describe_machine
from benchmarks.made import made_tokens
from benchmarks.programs import Command, Version, Worker
from benchmarks.report import render

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "scripts" / "bench"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    versions = [Version(label, ROOT / "src", tmp_path / label) for label in ("now", "v1")]
    return Bench("query", tmp_path, versions[:1], 3, {})


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCH, *arguments], capture_output=True, text=True, check=False
    )


def test_a_ratio_is_the_median_of_the_ratios_within_turns() -> None:
    times = {"a": (1.0, 8.0, 3.0), "b": (1.0, 2.0, 3.0)}
    timings = Timings({name: [{"seconds": s} for s in all_] for name, all_ in times.items()})
    assert timings.ratio("a", "b") == 1.0  # of 1, 4 and 1; the ratio of the medians is 1.5
    assert timings.median("a") == 3.0
    assert timings.ratio("a", "missing") is None


def test_a_program_that_fails_is_left_out_with_a_note(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = {"good": Command("pass"), "bad": Command("raise SystemExit('it is broken')")}
    found = bench.run("case", dict(programs), rounds=1)
    assert set(found.turns) == {"good"}
    assert capsys.readouterr().err == "  bad is left out: it is broken\n"
    bench.figure("Queries", "row", found.ratio("good", "bad"), "×")
    assert bench.figures == []


def test_wordvec_of_a_second_version_runs_in_the_same_turns(bench: Bench, tmp_path: Path) -> None:
    bench.versions.append(Version("v1", ROOT / "src", tmp_path / "v1"))
    code = "import os, time; time.sleep('v1' in os.environ['WORDVEC_HOME'])"
    found = bench.run("case", {"ours": Command(code, ours=True), "peer": Command("pass")}, rounds=1)
    assert list(found.turns) == ["ours", "ours (v1)", "peer"]
    [figure] = bench.figures
    assert (figure["table"], figure["row"]) == ("before / now, v1", "case: ours")
    assert figure["value"] > 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_memory_of_a_command_is_its_own(bench: Bench) -> None:
    code = "import os, mmap\ndata = b'1' * 200_000_000\n"
    found = bench.run("case", {"large": Command(code), "small": Command("pass")}, rounds=1)
    difference = found.values("large", "anonymous")[0] - found.values("small", "anonymous")[0]
    assert 190 < difference < 210


def test_a_worker_prepares_once_and_is_called_in_each_turn(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "made.npy"
    bench.prepare_here("made:write_table", file=str(file), tokens=30, dimensions=4)
    bench.prepare("made:save_table", file=str(file))
    worker = Worker("query:ask_wordvec", {"file": str(file), "metric": "l2"}, ours=True)
    found = bench.run("case", {"ours": worker}, calls=2)
    assert len(found.values("ours")) == 3


def test_made_tokens_are_different_words() -> None:
    tokens = made_tokens(20_000)
    assert tokens[:5] == ["王", "男", "女", "ァァァ", "アァァ"]
    assert len(set(tokens)) == 20_000


def record(date: str, flag: str, *values: tuple[str, float]) -> dict[str, Any]:
    machine = {"cpu": "X", "flags": [flag], "cores": 2, "threads": 2}
    figures = [
        {"table": "T", "row": row, "value": value, "unit": "×", "target": "> 1"}
        for row, value in values
    ]
    return {"benchmark": "map", "date": date, "machine": machine, "figures": figures}


def test_a_table_has_a_column_for_each_machine_and_its_latest_figures() -> None:
    records = [
        record("2026-01-01", "avx2", ("a", 1.0), ("b", 2.0)),
        record("2026-01-02", "avx512f", ("a", 12.34)),
        record("2026-01-03", "avx2", ("a", 3.0)),
    ]
    page = "# Page\n\n<!-- machines -->\n\n<!-- table: T -->\n\ntext\n"
    expected = """# Page

<!-- machines -->

* **A**: X (avx2), 2 cores, 2 threads. `map` 2026-01-01, `map` 2026-01-03.
* **B**: X (avx512f), 2 cores, 2 threads. `map` 2026-01-02.

<!-- table: T -->

| T | target | A | B |
|---|---:|---:|---:|
| a | > 1 | 3.00 × | 12.3 × |
| b | > 1 | 2.00 × |  |

text
"""
    assert render(page, records) == expected
    assert render(expected, records) == expected


def test_the_tables_of_the_page_are_those_of_its_records() -> None:
    done = run("report", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_part_is_named_with_those_there_are() -> None:
    done = run("query", "--parts", "warm")
    assert done.stderr == "unknown part: warm; choose from cold, open, block, memory\n"


def test_the_machine_is_named_from_the_system() -> None:
    machine = describe_machine()
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert "numpy" in machine["libraries"]


TINY = {
    "extract": "--tokens 64 --memory 64 --size 1x64 --batch-size 16 --dtypes float32 --sentences 5",
    "query": "--sizes 300x8 --blocks 20 --against HEAD",
    "evaluate": "--tokens 400 --dimensions 8 --questions 200",
    "map": "--tokens 300 --large 300",
    "import": "--tokens 200 --dimensions 4",
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TINY)
def test_each_subcommand_measures_tiny_sizes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    done = run(name, *TINY[name].split(), "--rounds", "1", "--output", str(file))
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text("utf-8"))
    assert len(found["figures"]) >= 4
    failed = [line for line in done.stderr.splitlines() if line.startswith("  wordvec")]
    assert failed == []
