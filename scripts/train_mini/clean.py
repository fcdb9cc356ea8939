"""Step 1, clean: turn a folder of text files into numbered parts of normalised lines.

Reads every `*.txt` and `*.txt.xz` in a folder. A line is kept, NFKC-normalised, if it is long
enough and has kana in it (which drops tables, bare names, Chinese and English). The last of every
HELD_OUT_CYCLE blocks of lines is held out: it goes into `heldout/`, and only the step that measures
reads it.

    python clean.py TEXTS RUN

writes RUN/clean/NAME-0000.txt … and RUN/heldout/clean/NAME-0000.txt …
"""

from __future__ import annotations

import argparse
import lzma
import re
import unicodedata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from files import whole
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PART_LINES = 20_000
BLOCK_LINES = 200
HELD_OUT_CYCLE = 100
SHORTEST = 10  # characters

KANA = re.compile(r"[ぁ-ゖァ-ヺ]")
SPACES = re.compile(r"\s+")


def cleaned(line: str) -> str:
    """Return the normalised line, or an empty string if it is not Japanese prose.

    >>> cleaned("  ＡＢＣ　と言うのは、何の略だろうか。 ")
    'ABC と言うのは、何の略だろうか。'
    >>> cleaned("子曰學而時習之不亦說乎")
    ''
    """
    line = SPACES.sub(" ", unicodedata.normalize("NFKC", line)).strip()
    return line if len(line) >= SHORTEST and KANA.search(line) else ""


def opened(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def cleaned_lines(path: Path) -> Iterator[str]:
    with opened(path) as lines:
        yield from filter(None, map(cleaned, lines))


def batched(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of `size` items, the last one shorter (in itertools from Python 3.12)."""
    left = iter(lines)
    while batch := list(islice(left, size)):
        yield batch


def split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return (kept, held out): the last block of every HELD_OUT_CYCLE is held out.

    A short part holds out its last block too, if it has two or more.
    """
    blocks = list(batched(lines, BLOCK_LINES))
    kept: list[str] = []
    held: list[str] = []
    for number, block in enumerate(blocks, start=1):
        last_of_cycle = number % HELD_OUT_CYCLE == 0
        last_of_short = number == len(blocks) > 1 and len(blocks) < HELD_OUT_CYCLE
        (held if last_of_cycle or last_of_short else kept).extend(block)
    return kept, held


def write(path: Path, lines: list[str]) -> None:
    if not lines:
        return
    with whole(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def clean_file(path: Path, run: Path) -> int:
    """Clean one file into parts, unless it is done already; return the number of lines."""
    name = path.name.removesuffix(".xz").removesuffix(".txt")
    done = run / "clean" / f".{name}.done"
    if done.exists():
        return 0
    count = 0
    parts = batched(cleaned_lines(path), PART_LINES)
    for number, lines in enumerate(tqdm(parts, desc=f"clean {name}", unit="part")):
        kept, held = split(lines)
        write(run / "clean" / f"{name}-{number:04}.txt", kept)
        write(run / "heldout" / "clean" / f"{name}-{number:04}.txt", held)
        count += len(kept) + len(held)
    done.touch()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", type=Path, help="folder with *.txt or *.txt.xz")
    parser.add_argument("run", type=Path, help="folder that the run writes to")
    arguments = parser.parse_args()
    found = sorted([*arguments.texts.glob("*.txt"), *arguments.texts.glob("*.txt.xz")])
    if not found:
        raise SystemExit(f"no *.txt or *.txt.xz in {arguments.texts}")
    for path in found:
        print(f"{path.name}: {clean_file(path, arguments.run):,} lines")


if __name__ == "__main__":
    main()
