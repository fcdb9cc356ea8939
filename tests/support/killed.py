"""Run code in child processes, each killed (kill -9) before another step on the disk.

The steps are the calls whose effect stays after a crash: syncs, renames, removals, new folders,
reservations, and writes of rows. The n-th process is killed just before its n-th step.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.counts import count_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

TESTS = Path(__file__).parent.parent

_RUN = """
import os, shutil, signal, sys
import filelock, numpy, hashlib, mmap, json  # their own calls are not steps
import support.tables, wordvec.tables.store
from wordvec.tables import draft, files

def killing(call):
    def counted(*args, **kwargs):
        global steps
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1
        return call(*args, **kwargs)
    return counted

os.fsync = lambda _: None  # the disk keeps what a killed process wrote
for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir", "posix_fallocate"):
    setattr(os, name, killing(getattr(os, name)))
draft.write_all = killing(files.write_all)

code = compile(sys.argv[1], "code", "exec")
for steps, argument in enumerate(sys.argv[2:]):
    child = os.fork()
    if not child:
        exec(code, {"argument": argument})
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
    if not status:
        break
"""


def killed_at_each_step(code: str, arguments: Sequence[str]) -> int:
    """Run `code` once for each argument, each time killed one step later, until a run ends.

    Args:
        code: The code to run; it has its argument as the variable `argument`.
        arguments: One argument for each run.

    Returns:
        The number of runs that were killed; the one after them ended.
    """
    done = subprocess.run(
        [sys.executable, "-B", "-c", _RUN, code, *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)]),
            "OPENBLAS_NUM_THREADS": "1",  # threads do not outlive a fork
        },
        capture_output=True,
        text=True,
        check=False,
    )
    codes = [int(line) for line in done.stdout.split()]
    assert codes[:-1] == [-signal.SIGKILL] * (len(codes) - 1), done.stderr
    assert codes[-1] == 0, done.stderr or "more steps than arguments"
    count_faults(len(codes) - 1)
    return len(codes) - 1
