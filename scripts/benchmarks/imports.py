"""The reading of vectors in text, beside the readers of other packages.

One file has 5 decimals as GloVe has, one the 9 digits that restore each float32. Each reader gives
a matrix of float32 and a list of tokens. `wordvec import` does more: it writes the table to the
disk and computes norms and checksums. gensim and numpy.loadtxt read a tenth of the rows, and their
time is scaled to all of them; numpy.loadtxt reads no tokens.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.programs import Program, Worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.harness import Bench


PARTS = ("5 decimals", "9 digits")
NUMBERS = {"5 decimals": "%.5f", "9 digits": "%.9g"}
OTHERS = ("pandas", "pyarrow", "polars", "loadtxt", "gensim")
TENTH = 10  # gensim and numpy.loadtxt read one row of so many


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tokens", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=300)


def measure(bench: Bench) -> None:
    tokens, dimensions = bench.options["tokens"], bench.options["dimensions"]
    for name in bench.options["parts"].split(","):
        file = bench.folder / "vectors.txt"
        write_file(file, tokens, dimensions, NUMBERS[name])
        size = file.stat().st_size / 1e6
        arguments = {"path": str(file), "tokens": tokens, "dimensions": dimensions}
        programs: dict[str, Program] = {
            "wordvec import": Worker("imports:with_import", arguments, ours=True),
            "wordvec, reading": Worker("imports:with_wordvec", arguments, ours=True),
            **{other: Worker(f"imports:with_{other}", arguments) for other in OTHERS},
        }
        found = bench.run(f"{tokens:,} × {dimensions} as text, {name}, {size:,.0f} MB", programs)
        for program in programs:
            seconds = found.median(program)
            rate = size / seconds if seconds else None
            bench.figure("Import", f"{program}, {name}", rate, "MB/s")


def write_file(path: Path, rows: int, dimensions: int, number: str) -> None:
    random = np.random.default_rng(0)
    line = " ".join([number] * dimensions)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{rows} {dimensions}\n")
        for row in range(rows):
            values = (random.standard_normal(dimensions) * 0.2).astype(np.float32)
            file.write(f"word{row} {line % tuple(values.tolist())}\n")


def reader(
    read: Callable[[], NDArray[np.float32]], tokens: int, dimensions: int
) -> Callable[[int], object]:
    """Return a timed reader; the time of a part of the rows is scaled to all of them."""

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        vectors = read()
        seconds = time.perf_counter() - began
        if vectors.shape[1] != dimensions or vectors.dtype != np.float32:
            raise SystemExit(f"read {vectors.shape} {vectors.dtype}")
        return {"seconds": seconds * tokens / len(vectors)}

    return run


def with_import(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    import wordvec

    return reader(lambda: wordvec.import_vectors(path, "x", force=True).vectors, tokens, dimensions)


def with_wordvec(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    from wordvec.formats.reading import ReadOptions
    from wordvec.formats.word2vec import read_word2vec

    def read() -> NDArray[np.float32]:
        vectors, words, done = np.empty((tokens, dimensions), np.float32), [], 0
        for block in read_word2vec(Path(path), ReadOptions()).blocks:
            vectors[done : done + len(block.rows)] = block.rows
            words += block.tokens
            done += len(block.rows)
        return vectors

    return reader(read, tokens, dimensions)


def with_pandas(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    import pandas as pd

    types: Any = dict.fromkeys(range(1, dimensions + 1), np.float32)

    def read() -> NDArray[np.float32]:
        frame = pd.read_csv(
            path, sep=" ", header=None, skiprows=1, quoting=3, dtype=types, keep_default_na=False,
            engine="c",
        )  # fmt: skip
        frame[0].tolist()
        return np.asarray(frame.iloc[:, 1:].to_numpy(np.float32))

    return reader(read, tokens, dimensions)


def with_pyarrow(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    import pyarrow as pa
    from pyarrow import csv

    types = {f"f{i}": pa.float32() for i in range(1, dimensions + 1)} | {"f0": pa.string()}
    options: dict[str, Any] = {
        "read_options": csv.ReadOptions(
            autogenerate_column_names=True, skip_rows=1, block_size=1 << 24
        ),
        "parse_options": csv.ParseOptions(delimiter=" ", quote_char=False),
        "convert_options": csv.ConvertOptions(column_types=types),
    }

    def read() -> NDArray[np.float32]:
        table = csv.read_csv(path, **options)
        table.column(0).to_pylist()
        return np.column_stack([table.column(i).to_numpy() for i in range(1, dimensions + 1)])

    return reader(read, tokens, dimensions)


def with_polars(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    import polars as pl

    types = {f"column_{i}": pl.Float32 for i in range(2, dimensions + 2)} | {"column_1": pl.String}

    def read() -> NDArray[np.float32]:
        frame: Any = pl.read_csv(
            path, separator=" ", has_header=False, skip_rows=1, quote_char=None,
            schema_overrides=types,
        )  # fmt: skip
        frame[:, 0].to_list()
        return np.asarray(frame[:, 1:].to_numpy())

    return reader(read, tokens, dimensions)


def with_loadtxt(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    def read() -> NDArray[np.float32]:
        return np.loadtxt(
            path, np.float32, comments=None, skiprows=1, max_rows=tokens // TENTH,
            usecols=range(1, dimensions + 1), ndmin=2,
        )  # fmt: skip

    return reader(read, tokens, dimensions)


def with_gensim(path: str, tokens: int, dimensions: int) -> Callable[[int], object]:
    from gensim.models import KeyedVectors

    def read() -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = KeyedVectors.load_word2vec_format(
            path, limit=tokens // TENTH
        ).vectors
        return vectors

    return reader(read, tokens, dimensions)
