"""The project's virtual environment: made, repaired and filled by plain Python, again and again.

`scripts/quickstart` and `scripts/test` both begin here. Only the standard library is used, and the
syntax stays readable to old Pythons down to the version check, so that they get a sentence and not
a traceback.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
WORDVEC = BIN / ("wordvec.exe" if os.name == "nt" else "wordvec")
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def install(extra: str | None = None) -> None:
    """Install the project, editable, with `extra` and the tested versions; nothing if it is."""
    make_venv()
    stamp = VENV / f".installed-{extra or 'core'}"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing wordvec{f'[{extra}]' if extra else ''} into .venv")
    if extra is not None:
        install_cpu_torch()
    target = f".[{extra}]" if extra else "."
    pip("install", "--editable", target, "--constraint", str(CONSTRAINTS))
    stamp.write_text(wanted)


def make_venv() -> None:
    """Make `.venv`, or make it anew where it is broken or of a Python that is gone."""
    if sys.version_info < (3, 11):  # noqa: UP036 - run by whatever python3 the machine has
        sys.exit(f"wordvec needs Python 3.11 or later; this is {sys.version.split()[0]}")
    if PYTHON.exists() and succeeds(PYTHON, "-c", "import pip"):
        return
    say("making .venv")
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out of python3
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"Python {version} has no working venv module here; on Debian and Ubuntu:\n"
            f"  sudo apt install python{version}-venv"
        )
    venv.create(VENV, with_pip=True, clear=True)


def install_cpu_torch() -> None:
    """Take PyTorch's CPU build where no NVIDIA driver could use the other (2 GB less to fetch)."""
    if not sys.platform.startswith("linux") or has_nvidia_driver():
        return
    if succeeds(PYTHON, "-c", "import torch") or not answers(PYTORCH_CPU_INDEX):
        return
    pip("install", "torch", "--index-url", PYTORCH_CPU_INDEX, "--constraint", str(CONSTRAINTS))


def has_nvidia_driver() -> bool:
    """Whether the kernel has NVIDIA's driver loaded."""
    return Path("/proc/driver/nvidia/version").exists()


def answers(url: str, *, seconds: float = 3.0) -> bool:
    """Whether a server answers at `url` at all."""
    try:
        with urlopen(Request(url, method="HEAD"), timeout=seconds):  # noqa: S310 - https, above
            return True
    except (URLError, OSError):
        return False


def fingerprint() -> str:
    """What the installed set depends on: the project's file, the pins, and where they lie."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), CONSTRAINTS.read_bytes()]
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return f"{digest} {ROOT}\n"


def pip(*arguments: str) -> None:
    """Run pip, quiet but for its warnings; stop where it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    result = subprocess.run(command, cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(f"failed: {' '.join(command)}")


def run(*command: str | Path) -> None:
    """Show a command, run it at the top of the project, stop where it fails."""
    shown = " ".join(quoted(str(word)) for word in command)
    say(shown.replace(f"{BIN}{os.sep}", ""), prefix="$")
    result = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(result.returncode)


def succeeds(*command: str | Path) -> bool:
    """Whether a command ends well; its output goes nowhere."""
    try:
        return not subprocess.run(
            [str(word) for word in command], cwd=ROOT, check=False, capture_output=True
        ).returncode
    except OSError:
        return False


def quoted(word: str) -> str:
    """`word` in double quotes where a shell would take its characters for something else."""
    return word if all(c.isalnum() or c in "-_./=:" for c in word) else f'"{word}"'


def say(text: str, *, prefix: str = "#") -> None:
    """One line about what goes on."""
    print(f"\n{prefix} {text}", flush=True)
