"""The machine that a benchmark runs on, as far as speed depends on it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

CPUINFO, STAT, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/stat"), Path("/proc/meminfo")
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16", "sve")
LIBRARIES = (
    "numpy", "faiss-cpu", "torch", "transformers", "gensim", "model2vec", "sentence-transformers",
    "scikit-learn", "openTSNE", "pandas", "pyarrow", "polars",
)  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """Return processor, its flags that matter, cores, threads, memory and versions of libraries."""
    info = dict(_fields(CPUINFO))
    flags = (info.get("flags") or info.get("Features") or "").split()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = int(dict(_fields(MEMINFO)).get("MemTotal", "0 kB").split()[0])
    return {
        "cpu": info.get("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "cores": usable,
        "threads": int(os.environ.get("OMP_NUM_THREADS") or usable or 1),
        "memory_gb": round(memory / 1e6),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
    }


def _fields(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.partition(":") for line in lines)
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


class OtherLoad:
    """The CPU time that other processes use during the measurement; Linux only."""

    def __init__(self) -> None:
        self._before = _ticks()

    def __str__(self) -> str:
        if self._before is None or (now := _ticks()) is None:
            return "the load of other processes is unknown"
        total, own = (after - before for after, before in zip(now, self._before, strict=True))
        seconds = max(total - own, 0) / os.sysconf("SC_CLK_TCK")
        return f"other processes used {seconds:.0f} CPU seconds"


def _ticks() -> tuple[int, float] | None:
    if not STAT.exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, STAT.read_text().split()[1:9])
    own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")
    return user + nice + system + irq + softirq + steal, own
