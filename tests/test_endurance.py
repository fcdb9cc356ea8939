"""Many processes on one store at once, and thousands of lines in one shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from support.tables import dynamic_table, toy_table
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parent
PROCESSES, SECONDS = 8, 120


def start(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "support.endurance", *args],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)]),
            "OMP_NUM_THREADS": "1",  # the same sums in each process
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate()
    assert process.returncode == 0, err
    data: dict[str, Any] = json.loads(out)
    return data


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_answers_are_right_while_other_processes_extract_replace_and_remove(
    tmp_path: Path, tiny_model: Callable[[str], Path]
) -> None:
    model, store = str(tiny_model("bert")), Store(tmp_path / "store")
    expected = result(start(str(tmp_path / "undisturbed"), model, "expected"))
    processes = [
        start(str(store.root), model, str(seed), str(SECONDS)) for seed in range(PROCESSES)
    ]
    done: Counter[str] = Counter()
    seen: dict[str, set[str]] = {name: set() for name in expected}
    for found in [result(process) for process in processes]:
        assert found["failures"] == []
        done.update(found["done"])
        for name, answers in found["answers"].items():
            assert set(answers) <= set(expected[name]), name
            seen[name] |= set(answers)
    assert seen == {name: set(answers) for name, answers in expected.items()}, done
    assert min(done[f"{step}: done"] for step in ("ask", "replace", "extract", "remove")) > 20, done
    assert store.leftovers() == []
    for info in store.tables():
        assert info.problem is None
        assert store.verify(info.name) == []
    print(dict(sorted(done.items())))  # noqa: T201  # shown by pytest -s


LINES = [
    "王-男+女", "王 - 男", ":norms 王", "男:女=王:?", "王-", "知らない言葉",
    ":metric cosine", ":explain 王 女", ":transform center", "王-男+女", ":transform off",
    ":metric csls", "女王", ":metric off", ":similar 王 女", ":odd 王 女 男", ":k 3", ":reset",
    ":table toy:dynamic", "王-男", ":tables", ":compare --tables toy:static,toy:dynamic 王-男+女",
    ":table toy:static", ":wrong", "#3", "#99999999",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_and_files_stay_level_over_6000_lines_in_one_shell(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for table in (toy_table(), dynamic_table()):
        store.save(table)
    shell = subprocess.Popen(
        [sys.executable, "-m", "wordvec", "shell", "--table", "toy:static"],
        env={
            **os.environ,
            "WORDVEC_HOME": str(store.root),
            "PYTHONPATH": str(TESTS.parent / "src"),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    with shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        used = []
        for batch in range(6):
            store.save(toy_table(), force=True)  # which is opened again
            lines = [LINES[i % len(LINES)] for i in range(999)]
            writer = threading.Thread(target=send, args=(shell.stdin, [*lines, f"印{batch}"]))
            writer.start()
            marks = (line for line in shell.stdout if f"印{batch}" in line)
            assert next(marks).startswith("Error: ")
            writer.join()
            used.append(in_use(shell.pid))
        shell.stdin.close()
    print(used)  # noqa: T201  # shown by pytest -s
    (memory, files), (last_memory, last_files) = used[1], used[-1]
    assert last_files == files
    assert last_memory - memory < 3000


def send(pipe: IO[str], lines: list[str]) -> None:
    pipe.writelines(f"{line}\n" for line in lines)
    pipe.flush()


def in_use(pid: int) -> tuple[int, int]:
    """Return the memory in KB and the number of open files of a process."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    [memory] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(memory), len(list(Path(f"/proc/{pid}/fd").iterdir()))
