"""What all benchmarks share: versions, turns, figures, and the record of a run.

Programs that are compared run in turn, so that a change of the machine's speed meets all of them. A
ratio is the median of the ratios within the turns. With `--against`, wordvec of another revision
runs in the same turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import OtherLoad, describe_machine
from benchmarks.programs import Program, ProgramError, Version, Worker, in_version

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / ".benchmarks"  # of every run; git ignores it


@dataclass(frozen=True, slots=True)
class Timings:
    """The measures of programs: for each, one set of measures per turn (medians of its calls)."""

    turns: dict[str, list[dict[str, float]]]

    def values(self, program: str, measure: str = "seconds") -> list[float]:
        """Return a measure in each turn; nothing for a program that was left out."""
        return [turn[measure] for turn in self.turns.get(program, ()) if measure in turn]

    def median(self, program: str, measure: str = "seconds") -> float | None:
        """Return the median of a measure, or None for a program that was left out."""
        values = self.values(program, measure)
        return statistics.median(values) if values else None

    def ratio(self, program: str, other: str, measure: str = "seconds") -> float | None:
        """Return the median over the turns of `program` / `other`."""
        pairs = list(zip(self.values(program, measure), self.values(other, measure), strict=False))
        return statistics.median(a / b for a, b in pairs) if pairs else None


@dataclass(slots=True)
class Bench:
    """One run of a benchmark: what it measures, and its record.

    folder: for files of this run. versions: this one, then that of `--against`.
    """

    name: str
    folder: Path
    versions: list[Version]
    rounds: int
    options: dict[str, Any]
    figures: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> Version:
        """The version that is measured."""
        return self.versions[0]

    def prepare(self, make: str, **arguments: object) -> None:
        """Run a function of the benchmark once in each version, such as one that saves a table."""
        for version in self.versions:
            _prepare(Worker(make, arguments, version=version))

    def prepare_here(self, make: str, **arguments: object) -> None:
        """Run a function of the benchmark once, such as one that writes a model for all."""
        _prepare(Worker(make, arguments, version=self.now))

    def run(
        self,
        case: str,
        programs: dict[str, Program],
        *,
        calls: int = 1,
        rounds: int | None = None,
        warm_up: bool = True,
    ) -> Timings:
        """Run programs in turn and keep their measures; one that fails is left out, with a note.

        calls: of each program in a turn, besides a first one that is not counted: threads of the
            program before may still be running.
        rounds: turns, if not those of the run.
        warm_up: call each program once before the turns.
        """
        print(f"\n{case}", flush=True)
        turns = self._turns(programs, calls, rounds or self.rounds, warm_up=warm_up)
        timings = Timings(turns)
        self.times[case] = {
            name: {key: [float(f"{turn[key]:.4g}") for turn in sets] for key in sets[0]}
            for name, sets in turns.items()
        }
        for name in turns:
            seconds, peak = timings.median(name) or 0, timings.median(name, "peak") or 0
            print(f"  {name:<44}{show_seconds(seconds):>12}{peak:8.0f} MB at most")
        for name, program in programs.items():
            if program.ours and len(self.versions) > 1:
                before = timings.ratio(self._name(name, self.versions[1]), name)
                table = f"before / now, {self.versions[1].label}"
                self.figure(table, f"{case}: {name}", before, "×")
        return timings

    def _turns(
        self, programs: dict[str, Program], calls: int, rounds: int, *, warm_up: bool
    ) -> dict[str, list[dict[str, float]]]:
        with ExitStack() as stack:
            running = {}
            for name, program in self._in_versions(programs):
                try:
                    running[name] = program.start()
                    stack.callback(running[name].close)
                    if warm_up:
                        running[name].call(0)
                except ProgramError as error:
                    running.pop(name, None)
                    print(f"  {name} is left out: {error}", file=sys.stderr)
            turns: dict[str, list[dict[str, float]]] = {name: [] for name in running}
            for turn in range(rounds):
                for name, process in running.items():
                    skipped = calls > 1
                    sets = [process.call(turn * calls + i) for i in range(calls + skipped)]
                    turns[name].append(_medians(sets[skipped:]))
            return turns

    def _in_versions(self, programs: dict[str, Program]) -> Iterator[tuple[str, Program]]:
        for name, program in programs.items():
            for version in self.versions if program.ours else self.versions[:1]:
                yield self._name(name, version), in_version(program, version)

    def _name(self, program: str, version: Version) -> str:
        return program if version is self.now else f"{program} ({version.label})"

    def figure(
        self, table: str, row: str, value: float | None, unit: str, target: str = ""
    ) -> None:
        """Print a figure and keep it for the page; None is one that was not measured."""
        if value is None:
            return
        figure = {"table": table, "row": row, "value": float(f"{value:.4g}"), "unit": unit}
        self.figures.append(figure | ({"target": target} if target else {}))
        print(f"  {row:<64}{show(value, unit):>9} {unit:<8}{target and f'({target})'}", flush=True)


def _prepare(worker: Worker) -> None:
    try:
        worker.start().close()
    except ProgramError as error:
        label = worker.version and worker.version.label
        sys.exit(f"{worker.make} failed in the version {label}: {error}")


def _medians(sets: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in sets) for key in sets[0]}


def show(value: float, unit: str = " ") -> str:
    """Return a number with three digits; a share without a unit has three decimals."""
    if value < 1 and not unit:
        return f"{value:.3f}"
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def show_seconds(seconds: float) -> str:
    """Return a duration with its unit."""
    return f"{show(1000 * seconds)} ms" if seconds < 1 else f"{show(seconds)} s"


@contextmanager
def started(name: str, options: dict[str, Any]) -> Iterator[Bench]:
    """Begin a benchmark, and write its record when it ends.

    The revision in the option `against` is measured too, from a temporary worktree of git.
    """
    against, output = options["against"], options.pop("output")
    other_load, began = OtherLoad(), datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        versions = [Version("now", ROOT / "src", folder / "now")]
        if against:
            source = stack.enter_context(worktree(against, folder / "worktree"))
            versions.append(Version(against, source / "src", folder / "before"))
        machine = describe_machine()
        print(", ".join(f"{key}: {value}" for key, value in machine.items()))
        bench = Bench(name, folder, versions, options["rounds"], options)
        yield bench
        record = {
            "benchmark": name,
            "date": began.date().isoformat(),
            "revision": revision(),
            "machine": machine,
            "options": options,
            "seconds": round((datetime.now(UTC) - began).total_seconds()),
            "other_load": str(other_load),
            "figures": bench.figures,
            "times": bench.times,
        }
    RECORDS.mkdir(exist_ok=True)
    file = output or RECORDS / f"{name}-{began:%Y%m%dT%H%M%S}.json"
    file.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"\n{record['seconds']} s in all; {other_load}; {file}")


def revision() -> str:
    """Return the revision of this checkout; "+" marks changes that are not committed."""
    names = git("rev-parse", "--short", "HEAD"), git("status", "--porcelain", "--", "src")
    return names[0] + ("+" if names[1] else "")


@contextmanager
def worktree(name: str, folder: Path) -> Iterator[Path]:
    """Check out a revision in a folder, and remove it afterwards."""
    git("worktree", "add", "--detach", "--quiet", str(folder), name)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def git(*command: str) -> str:
    """Return what a command of git prints."""
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"git {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
