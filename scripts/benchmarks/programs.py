"""Programs that are measured, each in a process of its own.

A `Worker` is a process that prepares something once and is then called many times, such as an open
table and its queries. A `Command` is a process that is started afresh for each call. Either may be
wordvec, whose source is then that of a `Version`, or another program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
STATUS = Path("/proc/self/status")
MEMORY = {"VmHWM": "peak", "RssAnon": "anonymous", "RssFile": "mapped"}  # field → our name
# Saves the memory of a process when it ends; its peak is not that of the process that began it.
SAVE_STATUS = """
import atexit, os
def save():
    with open("/proc/self/status") as status, open(os.environ["BENCH_STATUS"], "w") as copy:
        copy.write(status.read())
if os.path.exists("/proc/self/status"):
    atexit.register(save)
"""
WORDVEC = "import sys; sys.argv[0] = 'wordvec'; from wordvec.__main__ import main; main()"


class ProgramError(Exception):
    """A program is not installed, or failed."""


@dataclass(frozen=True, slots=True)
class Version:
    """A revision of wordvec. source: its folder `src`. home: its tables (WORDVEC_HOME)."""

    label: str
    source: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the processes of this version."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("WORDVEC_")}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has bytecode files
        path = f"{self.source}{os.pathsep}{SCRIPTS}"
        return inherited | {
            "PYTHONPATH": path, "WORDVEC_HOME": str(self.home), "WORDVEC_MODEL": "made",
            "TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that calls `make(**arguments)` once and what this returns many times.

    make: "module:function" in this package. The function that it returns takes the number of the
        call; it may return measures, which replace those of the harness ("seconds").
    ours: whether it is wordvec.
    """

    make: str
    arguments: dict[str, Any] = field(default_factory=dict)
    ours: bool = False
    version: Version | None = None

    def start(self) -> RunningWorker:
        """Start the process and wait until it is prepared."""
        return RunningWorker(self)


class RunningWorker:
    """The process of a worker."""

    def __init__(self, worker: Worker) -> None:
        if worker.version is None:
            raise ProgramError("a worker needs a version")
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        arguments = json.dumps(worker.arguments)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.programs", worker.make, arguments],
            env=worker.version.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True,
        )  # fmt: skip
        self._answer()

    def call(self, number: int) -> dict[str, float]:
        """Call the function once and return its measures."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if line:
            answer: dict[str, float] = json.loads(line)
            return answer
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().splitlines() or ["it ended without a message"]
        raise ProgramError(lines[-1])


@dataclass(frozen=True, slots=True)
class Command:
    """A process of `python -c code arguments`, started afresh for each call."""

    code: str
    arguments: tuple[str, ...] = ()
    stdin: Path | None = None
    exit_code: int = 0
    ours: bool = False
    version: Version | None = None

    @classmethod
    def wordvec(cls, *arguments: str, stdin: Path | None = None, exit_code: int = 0) -> Command:
        """Return a command of wordvec."""
        return cls(WORDVEC, arguments, stdin, exit_code, ours=True)

    def start(self) -> Command:
        """Return itself: there is nothing to prepare."""
        return self

    def call(self, number: int) -> dict[str, float]:
        """Run the process and return its seconds and its largest memory."""
        del number
        if self.version is None:
            raise ProgramError("a command needs a version")
        source = self.stdin or Path(os.devnull)
        with tempfile.TemporaryDirectory() as folder, source.open("rb") as stdin:
            status = Path(folder) / "status"
            environment = self.version.environment | {"BENCH_STATUS": str(status)}
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-c", SAVE_STATUS + self.code, *self.arguments],
                env=environment, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                cwd=folder,
            )  # fmt: skip
            with largest_memory(process.pid) as most:
                _, errors = process.communicate()
                seconds = time.perf_counter() - began
            if process.returncode != self.exit_code:
                lines = errors.decode(errors="replace").splitlines()
                raise ProgramError(lines[-1] if lines else f"exit code {process.returncode}")
            return {"seconds": seconds, **_larger(most, memory(status))}

    def close(self) -> None:
        """Nothing remains to be closed."""


Program = Worker | Command


def in_version(program: Program, version: Version) -> Program:
    """Return a program that runs in a version."""
    return replace(program, version=version)


def memory(status: Path = STATUS) -> dict[str, float]:
    """Return the memory of a process in MB, from its file in /proc; nothing outside Linux."""
    if not status.exists():
        return {}
    pairs = (line.split(":") for line in status.read_text().splitlines())
    return {MEMORY[k]: int(v.split()[0]) * 1024 / 1e6 for k, v in pairs if k in MEMORY}


def _larger(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {kind: max(size, one.get(kind, 0)) for kind, size in other.items()}


@contextmanager
def largest_memory(process: int) -> Iterator[dict[str, float]]:
    """Sample the memory of a process: a table is unmapped before the process ends."""
    most: dict[str, float] = {}
    ended = Event()

    def sample() -> None:
        while not ended.wait(0.01):
            with suppress(OSError):  # it has just ended
                for kind, size in memory(Path(f"/proc/{process}/status")).items():
                    most[kind] = max(size, most.get(kind, 0))

    thread = Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def work() -> None:
    """Be the process of a worker: a line with a number on stdin is a call, one out its measures."""
    make, arguments = sys.argv[1:]
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the program prints
        module, function = make.split(":")
        run = getattr(import_module(f"benchmarks.{module}"), function)(**json.loads(arguments))
        print("{}", file=answers)
        for line in sys.stdin:
            began = time.perf_counter()
            result = run(int(line))
            measures = {"seconds": time.perf_counter() - began, **memory()}
            measures |= result if isinstance(result, dict) else {}
            print(json.dumps(measures), file=answers)


if __name__ == "__main__":
    work()
