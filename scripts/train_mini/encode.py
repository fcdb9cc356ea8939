"""Step 4, encode: turn cut text into arrays of token ids, two bytes each.

    python encode.py RUN

reads RUN/cut, RUN/heldout/cut and RUN/vocab.txt, writes RUN/ids/NAME-0000.npy and
RUN/heldout/ids/…: (N,) uint16, one [SEP] after every line.
"""

from __future__ import annotations

import argparse
from array import array
from functools import cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from files import parts_of, whole
from tqdm import tqdm
from wordpiece import SEP, pieces


@cache
def rows(vocab: Path) -> dict[str, int]:
    """Return token → id."""
    tokens = vocab.read_text(encoding="utf-8").split("\n")[:-1]
    return {token: row for row, token in enumerate(tokens)}


class Encoder:
    """Converts words to ids; each word is cut once."""

    def __init__(self, vocab: Path) -> None:
        self.row_of = rows(vocab)
        self.known: dict[str, list[int]] = {}

    def word(self, word: str) -> list[int]:
        found = self.known.get(word)
        if found is None:
            found = [self.row_of[piece] for piece in pieces(word, self.row_of)]
            self.known[word] = found
        return found

    def lines(self, text: str) -> array[int]:
        ids = array("H")
        for line in text.splitlines():
            for word in line.split(" "):
                ids.extend(self.word(word))
            ids.append(SEP)
        return ids


@cache
def encoder(vocab: Path) -> Encoder:
    return Encoder(vocab)


def encode_part(job: tuple[Path, Path, Path]) -> int:
    vocab, source, target = job
    ids = np.asarray(encoder(vocab).lines(source.read_text(encoding="utf-8")), dtype=np.uint16)
    with whole(target) as beside, beside.open("wb") as file:
        np.save(file, ids)
    return len(ids)


def jobs(run: Path) -> list[tuple[Path, Path, Path]]:
    """Return (vocabulary, source, target) of parts missing or older than the vocabulary."""
    vocab = run / "vocab.txt"
    found = []
    for folder in (run, run / "heldout"):
        for source in parts_of(folder / "cut", ".txt"):
            target = folder / "ids" / f"{source.stem}.npy"
            if not target.exists() or target.stat().st_mtime < vocab.stat().st_mtime:
                found.append((vocab, source, target))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    todo = jobs(arguments.run)
    with Pool(arguments.processes) as pool:
        encoded = pool.imap_unordered(encode_part, todo)
        total = sum(tqdm(encoded, total=len(todo), desc="encode", unit="part"))
    print(f"{total:,} tokens")


if __name__ == "__main__":
    main()
