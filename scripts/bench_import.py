#!/usr/bin/env python3
"""Measure how fast vectors in text are read, compared with the readers of other packages.

    python scripts/bench_import.py [--rows 200000] [--dimensions 300] [--rounds 3]

One file has 5 decimals as GloVe has, one the 9 digits that restore each float32. Each reader gives
a matrix of float32 and a list of tokens, in a process of its own, so that none profits from the
memory of another. The readers run in turn, and the median counts. `wordvec import` does more than
they do: it writes the table to the disk and computes norms and checksums. gensim and
numpy.loadtxt read a part of the rows, and their time is scaled to all of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[1] / "src"
FORMATS = {"5 decimals": "%.5f", "9 digits": "%.9g"}
PART = 10  # gensim and numpy.loadtxt read one row of so many

START = """
import sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
path, rows, dimensions, part = sys.argv[1], *map(int, sys.argv[2:5])
"""
END = """
seconds = time.perf_counter() - start
assert (vectors.shape[1], vectors.dtype) == (dimensions, np.float32)
print(seconds * rows / len(vectors))
"""
READERS = {
    "wordvec, reading": """
from pathlib import Path
from wordvec.formats.reading import ReadOptions
from wordvec.formats.word2vec import read_word2vec
start = time.perf_counter()
vectors, tokens, done = np.empty((rows, dimensions), np.float32), [], 0
for block in read_word2vec(Path(path), ReadOptions()).blocks:
    vectors[done : done + len(block.rows)] = block.rows
    tokens += block.tokens
    done += len(block.rows)
""",
    "wordvec import": """
import tempfile, wordvec
with tempfile.TemporaryDirectory() as folder:
    start = time.perf_counter()
    vectors = wordvec.import_vectors(path, "x", store=folder).vectors
""",
    "pandas.read_csv": """
import pandas as pd
start = time.perf_counter()
types = {column: np.float32 for column in range(1, dimensions + 1)}
frame = pd.read_csv(path, sep=" ", header=None, skiprows=1, quoting=3, dtype=types,
                    keep_default_na=False, engine="c")
vectors, tokens = frame.iloc[:, 1:].to_numpy(np.float32), frame[0].tolist()
""",
    "pyarrow.csv": """
import pyarrow as pa
import pyarrow.csv
start = time.perf_counter()
types = {f"f{column}": pa.float32() for column in range(1, dimensions + 1)} | {"f0": pa.string()}
table = pa.csv.read_csv(
    path,
    read_options=pa.csv.ReadOptions(
        autogenerate_column_names=True, skip_rows=1, block_size=1 << 24),
    parse_options=pa.csv.ParseOptions(delimiter=" ", quote_char=False),
    convert_options=pa.csv.ConvertOptions(column_types=types))
vectors = np.column_stack([table.column(i).to_numpy() for i in range(1, dimensions + 1)])
tokens = table.column(0).to_pylist()
""",
    "polars.read_csv": """
import polars as pl
start = time.perf_counter()
types = {f"column_{i}": pl.Float32 for i in range(2, dimensions + 2)} | {"column_1": pl.String}
frame = pl.read_csv(path, separator=" ", has_header=False, skip_rows=1, quote_char=None,
                    schema_overrides=types)
vectors, tokens = frame[:, 1:].to_numpy(), frame[:, 0].to_list()
""",
    "numpy.loadtxt": """
start = time.perf_counter()
vectors = np.loadtxt(path, np.float32, comments=None, skiprows=1, max_rows=rows // part,
                     usecols=range(1, dimensions + 1))
""",
    "gensim": """
from gensim.models import KeyedVectors
start = time.perf_counter()
vectors = KeyedVectors.load_word2vec_format(path, limit=rows // part).vectors
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    readers = {name: code for name, code in READERS.items() if is_installed(name)}
    with tempfile.TemporaryDirectory() as folder:
        for title, number in FORMATS.items():
            path = Path(folder) / "vectors.txt"
            write_file(path, arguments.rows, arguments.dimensions, number)
            size = path.stat().st_size / 1e6
            print(f"\n{title}: {arguments.rows:,} × {arguments.dimensions}, {size:,.0f} MB")
            seconds: dict[str, list[float]] = {name: [] for name in readers}
            for _ in range(arguments.rounds):
                for name, code in readers.items():
                    seconds[name].append(measure(code, path, arguments))
            report({name: statistics.median(times) for name, times in seconds.items()}, size)


def is_installed(reader: str) -> bool:
    package = reader.replace(",", ".").replace(" ", ".").partition(".")[0]
    return package == "wordvec" or find_spec(package) is not None


def write_file(path: Path, rows: int, dimensions: int, number: str) -> None:
    random = np.random.default_rng(0)
    line = " ".join([number] * dimensions)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{rows} {dimensions}\n")
        for row in range(rows):
            values = (random.standard_normal(dimensions) * 0.2).astype(np.float32)
            file.write(f"word{row} {line % tuple(values.tolist())}\n")


def measure(code: str, path: Path, arguments: argparse.Namespace) -> float:
    sizes = [str(size) for size in (arguments.rows, arguments.dimensions, PART)]
    done = subprocess.run(
        [sys.executable, "-c", f"{START}{code}{END}", str(path), *sizes],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def report(seconds: dict[str, float], size: float) -> None:
    fastest = min(time for name, time in seconds.items() if "wordvec" not in name)
    for name, time in sorted(seconds.items(), key=lambda item: item[1]):
        speed = f"{size / time:6.0f} MB/s, {fastest / time:5.2f} × the fastest other reader"
        print(f"{name:18} {time:7.2f} s  {speed}")


if __name__ == "__main__":
    main()
