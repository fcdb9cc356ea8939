"""Run every command shown in the README and docs and write its real output under it.

A block that begins with ```console is a session: each line `$ command` is run, and what it prints
on standard output stands below it. `--check` changes nothing and fails where a page is out of date;
the tests call it so. A last digit may be off by two there: dynamic vectors are the same on every
machine only up to the rounding of float32. A session's commands see the bundled model alone, with
both of its tables: a store of their own, no hub, 80 columns.
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
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Rewrite the pages, or with `--check` say which are out of date."""
    check = "--check" in sys.argv[1:]
    stale = [page for page in pages() if not update(page, check=check)]
    if check and stale:
        sys.exit(
            f"out of date: {', '.join(page.name for page in stale)}; run {Path(__file__).name}"
        )


def pages() -> list[Path]:
    """The README and every page of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def update(page: Path, *, check: bool) -> bool:
    """Bring one page up to date; whether it was."""
    old = page.read_text(encoding="utf-8")
    new = rendered(old)
    if new == old or (check and alike(old, new)):
        return True
    if check:
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), page.name, "now", n=1)
        print("\n".join(lines))
    else:
        page.write_text(new, encoding="utf-8")
    return False


def alike(old: str, new: str) -> bool:
    """Whether two texts differ in the last digit of decimals alone, and there by two at most."""
    if DECIMAL.sub("", old) != DECIMAL.sub("", new):
        return False
    pairs = zip(DECIMAL.findall(old), DECIMAL.findall(new), strict=True)
    return all(
        len(a) == len(b) and abs(int(a.replace(".", "")) - int(b.replace(".", ""))) <= 2
        for a, b in pairs
    )


def rendered(text: str) -> str:
    """`text` with the output of every session made anew."""
    with tempfile.TemporaryDirectory() as store:
        environment = session_environment(store)
        output("wordvec extract --mode dynamic --model mini", environment)
        return SESSION.sub(
            lambda match: f"```console\n{''.join(session(match[1], environment))}```", text
        )


def session_environment(store: str) -> dict[str, str]:
    """An environment in which only the bundled model answers, the same everywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORDVEC_")}
    folder = str(Path(sys.executable).parent)
    return kept | {
        "PATH": folder + os.pathsep + kept.get("PATH", ""),
        "WORDVEC_HOME": store,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": f"{store}/hub",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def session(block: str, environment: dict[str, str]) -> Iterator[str]:
    """The lines of one session: each command, then what it printed, blank lines kept between."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    for number, command in enumerate(commands):
        if number:
            yield "\n"
        yield f"{command}\n"
        yield output(command.removeprefix("$ "), environment)


def output(command: str, environment: dict[str, str]) -> str:
    """What a command prints on standard output; a failing one must print its error there too."""
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
