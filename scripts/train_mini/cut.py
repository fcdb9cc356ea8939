"""Step 2, cut: split lines into words by MeCab with the IPADIC dictionary.

The words are those that BertJapaneseTokenizer makes with `mecab_kwargs={"mecab_dic": "ipadic"}`.

    python cut.py RUN [--processes 2]

reads RUN/clean and RUN/heldout/clean, writes RUN/cut and RUN/heldout/cut, part by part; existing
parts are kept.
"""

from __future__ import annotations

import argparse
from functools import cache
from multiprocessing import Pool
from pathlib import Path

import fugashi
import ipadic
from files import parts_of, whole
from tqdm import tqdm


@cache
def tagger() -> fugashi.GenericTagger:
    return fugashi.GenericTagger(f"{ipadic.MECAB_ARGS} -Owakati")


def cut_line(line: str) -> str:
    """Return one line as words separated by spaces."""
    return str(tagger().parse(line)).strip()


def cut_part(job: tuple[Path, Path]) -> None:
    source, target = job
    lines = source.read_text(encoding="utf-8").splitlines()
    with whole(target) as beside:
        beside.write_text("".join(f"{cut_line(line)}\n" for line in lines), encoding="utf-8")


def jobs(run: Path) -> list[tuple[Path, Path]]:
    """Return (source, target) of the parts that are not cut yet."""
    found = []
    for folder in (run, run / "heldout"):
        for source in parts_of(folder / "clean", ".txt"):
            target = folder / "cut" / source.name
            if not target.exists():
                found.append((source, target))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    todo = jobs(arguments.run)
    with Pool(arguments.processes) as pool:
        for _ in tqdm(pool.imap(cut_part, todo), total=len(todo), desc="cut", unit="part"):
            pass


if __name__ == "__main__":
    main()
