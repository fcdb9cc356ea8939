"""Create `.venv` and install the project in it, with the tested versions of its dependencies.

`scripts/quickstart`, `scripts/test` and `scripts/prove` begin here. Only the standard library is
used, and Python before 3.11 can read the file far enough to print which version is needed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def install(extra: str = "") -> None:
    """Install the project into `.venv`, editable; do nothing if nothing changed since."""
    create_venv()
    stamp = VENV / f".installed-{extra or 'core'}"
    if stamp.exists() and stamp.read_text() == fingerprint():
        return
    project = f".[{extra}]" if extra else "."
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run(*pip, "--editable", project, "--constraint", CONSTRAINTS, *(cpu_index() if extra else ()))
    stamp.write_text(fingerprint())


def create_venv() -> None:
    """Create `.venv`, or create it again if its Python or pip does not run."""
    if sys.version_info < (3, 11):  # noqa: UP036  # run by whatever python3 the machine has
        sys.exit("wordvec needs Python 3.11 or later; this is " + sys.version.split()[0])
    try:
        subprocess.run([PYTHON, "-c", "import pip"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        run(sys.executable, "-m", "venv", "--clear", VENV)


def cpu_index() -> tuple[str, ...]:
    """Return pip's option for PyTorch's CPU build, which is 2 GB smaller than the one for CUDA.

    It is empty on a machine that has NVIDIA's driver or cannot reach PyTorch's index, and outside
    Linux, where the default build is the right one.
    """
    if not sys.platform.startswith("linux") or Path("/proc/driver/nvidia/version").exists():
        return ()
    try:
        urlopen(PYTORCH_CPU_INDEX, timeout=3).close()  # https
    except OSError:
        return ()
    return ("--extra-index-url", PYTORCH_CPU_INDEX)


def fingerprint() -> str:
    """Return a hash of the files that decide what is installed, and the folder of the project."""
    files = (ROOT / "pyproject.toml", CONSTRAINTS)
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return f"{digest} {ROOT}\n"


def run(*command: str | Path, **environment: str) -> None:
    """Print a command, run it in the project's folder, and exit with its code if it fails."""
    words = [str(word) for word in command]
    print("\n$ " + shlex.join(words).replace(f"{BIN}{os.sep}", ""), flush=True)
    result = subprocess.run(words, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if result.returncode:
        sys.exit(result.returncode)
