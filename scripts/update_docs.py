"""Run every command shown in README.md and docs/, and write its real output below it.

A block that begins with ```console is a session: each line `$ command` is run, and the lines below
it are replaced by its standard output. `--check` changes nothing and fails if a page is out of
date; the tests use it. It accepts a difference of two in the last digit of a decimal, because
dynamic vectors are the same on every machine only up to the rounding of float32. The commands see
only the bundled model, with all of its layers: a store of their own, no hub, 80 columns.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DECIMAL = re.compile(r"[0-9]+\.[0-9]+")
COUNT = re.compile(r"solves [0-9,]+ more (of [0-9,]+ than \S+) \(p = \S+\)")
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Update the pages, or with `--check` list those that are out of date."""
    check = "--check" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as store:
        environment = session_environment(store)
        run("wordvec extract --mode dynamic --layers all --model mini", environment)
        stale = [page for page in list_pages() if not update(page, environment, check=check)]
    if check and stale:
        names = ", ".join(page.name for page in stale)
        sys.exit(f"out of date: {names}; run {Path(__file__).name}")


def list_pages() -> list[Path]:
    """Return the README and every page of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def update(page: Path, environment: dict[str, str], *, check: bool) -> bool:
    """Update a page, or with `check` print the differences; return whether it was up to date."""
    old = page.read_text(encoding="utf-8")
    new = render(old, environment)
    if new == old or (check and is_close(old, new)):
        return True
    if check:
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), page.name, "now", n=1)
        print("\n".join(lines))
    else:
        page.write_text(new, encoding="utf-8")
    return False


def is_close(old: str, new: str) -> bool:
    """Return whether texts differ only in counts of answers, or by two in a last decimal."""
    # one answer more or less, where dynamic vectors are rounded in another way, is another p
    old, new = COUNT.sub(r"solves more \1", old), COUNT.sub(r"solves more \1", new)
    if DECIMAL.sub("", old) != DECIMAL.sub("", new):
        return False
    pairs = zip(DECIMAL.findall(old), DECIMAL.findall(new), strict=True)
    return all(
        len(a) == len(b) and abs(int(a.replace(".", "")) - int(b.replace(".", ""))) <= 2
        for a, b in pairs
    )


def render(text: str, environment: dict[str, str]) -> str:
    """Return `text` with the present output of every session."""
    return SESSION.sub(
        lambda match: f"```console\n{''.join(run_session(match[1], environment))}```", text
    )


def session_environment(store: str) -> dict[str, str]:
    """Return an environment that is the same everywhere and has only the bundled model."""
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("WORDVEC_")}
    folder = str(Path(sys.executable).parent)
    return inherited | {
        "PATH": folder + os.pathsep + inherited.get("PATH", ""),
        "WORDVEC_HOME": store,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": f"{store}/hub",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def run_session(block: str, environment: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a session: each command and its output, with empty lines between."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    for number, command in enumerate(commands):
        if number:
            yield "\n"
        yield f"{command}\n"
        yield run(command.removeprefix("$ "), environment)


def run(command: str, environment: dict[str, str]) -> str:
    """Run a command and return its standard output, with its error if it fails."""
    result = subprocess.run(
        shlex.split(command),
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=environment["WORDVEC_HOME"],
        check=False,
    )
    if result.returncode not in (0, 1):
        sys.exit(f"{command}: exit code {result.returncode}\n{result.stderr}")
    shown = result.stdout if not result.returncode else result.stdout + result.stderr
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


if __name__ == "__main__":
    main()
