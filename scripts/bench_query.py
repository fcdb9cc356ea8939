#!/usr/bin/env python3
"""Measure the speed of queries on a random table of the reference's size (32,000 × 768).

    python scripts/bench_query.py [--rounds 15] [--parts cold,open,block]

cold   a whole `wordvec query`, compared with importing numpy, faiss and click alone, and with the
       article's method (import torch and transformers, unpickle the vectors, build the index)
open   one query at a time in a running process, compared with gensim's most_similar and bare faiss
block  1,000 lines on standard input, compared with bare faiss and gensim

The methods that are compared run in turn, and the median counts. The results on a random table are
meaningless, but take as long as on a real one.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from wordvec.search.space import Space  # noqa: E402
from wordvec.tables.name import Mode, TableName  # noqa: E402
from wordvec.tables.store import Store  # noqa: E402  (this checkout's, installed or not)
from wordvec.tables.table import Provenance, VectorTable  # noqa: E402
from wordvec.vocabulary.lookup import Vocabulary  # noqa: E402

V, D, LINES = 32_000, 768, 1_000
CALLS = 3  # of each method per turn
NAME = TableName("random", Mode.STATIC)
QUESTION = "王-男+女"

IMPORTS = "import numpy, faiss, click"
ARTICLE = """
import pickle, sys
import faiss, numpy as np, torch
from transformers import BertJapaneseTokenizer, BertModel  # noqa: E402
vectors = pickle.load(open(sys.argv[1], "rb"))
index = faiss.IndexFlatL2(768)
index.add(np.array([vectors[i] for i in range(len(vectors))], dtype=np.float32))
query = vectors[0] - vectors[1] + vectors[2]
print(index.search(query[None], 10))
"""
BARE_BLOCK = """
import sys
import faiss, numpy as np
table, queries = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2])
index = faiss.IndexFlatL2(table.shape[1])
index.add(table)
distances, ids = index.search(queries, 10)
for near, far in zip(ids.tolist(), distances.tolist()):
    print(near, far)
"""
# Runs a command and prints its seconds and its largest resident size. It is a process of its own,
# because a child starts with the size of its parent, and this one has the tables in memory.
TIMER = """
import os, sys, time
start = time.perf_counter()
child = os.fork()
if not child:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - start, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--parts", default="cold,open,block")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.rounds)
        for part in options.parts.split(","):
            {"cold": bench.cold, "open": bench.open, "block": bench.block}[part]()


class Bench:
    """One random table in a store of its own, and the measurements on it."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder = folder
        self.rounds = rounds
        self.store = Store(folder / "store")
        self.store.save(random_table())
        self.table = self.store.open(NAME)
        rng = np.random.default_rng(1)
        named = [rng.choice(V, 3, replace=False) for _ in range(LINES)]
        tokens = self.table.vocabulary.tokens
        self.words = [[tokens[row] for row in rows] for rows in named]
        self.lines = [f"{a}-{b}+{c}" for a, b, c in self.words]
        self.text = "".join(f"{line}\n" for line in self.lines)
        rows = np.asarray(self.table.vectors)
        self.queries = np.stack([rows[a] - rows[b] + rows[c] for a, b, c in named])
        self.env = {**os.environ, "PYTHONPATH": str(SOURCE), "WORDVEC_MODEL": NAME.model}
        self.env["WORDVEC_HOME"] = str(self.store.root)
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has bytecode files

    def cold(self) -> None:
        """Time whole processes that run one query."""
        article = self.folder / "vectors.pickle"
        article.write_bytes(pickle.dumps(dict(enumerate(np.array(self.table.vectors)))))
        ours = [sys.executable, "-m", "wordvec", "query", QUESTION]
        found = self.processes(
            {
                "imports of numpy, faiss, click": [sys.executable, "-c", IMPORTS],
                "wordvec query, l2": ours,
                "wordvec query, cosine": [*ours, "--metric", "cosine"],
                "the article's method": [sys.executable, "-c", ARTICLE, str(article)],
            }
        )
        imports, l2, cosine, theirs = (seconds for seconds, _ in found.values())
        print(f"\na cold query (median of {self.rounds} processes each, in turn)")
        for name, (seconds, resident) in found.items():
            print(f"  {name:<32}{1000 * seconds:8.0f} ms{resident / 2**20:8.0f} MiB resident")
        report("l2 / imports", l2 / imports, "at most 1.4")
        report("cosine / imports", cosine / imports, "at most 1.4")
        report("the article's method / l2", theirs / l2, "at least 15")
        report("resident MB, l2", found["wordvec query, l2"][1] / 1e6, "at most 160")
        report("resident MB, cosine", found["wordvec query, cosine"][1] / 1e6, "at most 200")

    def open(self) -> None:
        """Time one query at a time with an open table."""
        import faiss

        from wordvec.analysis.query import QueryEngine
        from wordvec.expression.parser import parse
        from wordvec.search.settings import Metric, QuerySettings

        keyed = self.keyed_vectors()
        index = self.flat_index()
        rows = np.asarray(self.table.vectors)

        def ours(metric: Metric) -> Callable[[int], object]:
            engine = QueryEngine(Space(self.table), QuerySettings(metric=metric))
            return lambda i: engine.answer([engine.prepare(parse(self.lines[i]))])

        methods: dict[str, Callable[[int], object]] = {
            "wordvec, l2": ours(Metric.L2),
            "wordvec, cosine": ours(Metric.COSINE),
            "gensim most_similar": lambda i: most_similar(keyed, self.words[i]),
            "faiss IndexFlatL2": lambda i: index.search(self.queries[i : i + 1], 10),
            "numpy X @ q": lambda i: rows @ self.queries[i],
        }
        found = alternated(methods, 4 * self.rounds)
        count = 4 * self.rounds * CALLS
        print(f"\none query, open table (median of {count} each, in turn)")
        for name, seconds in found.items():
            print(f"  {name:<32}{1000 * seconds:8.2f} ms")
        gensim = found["gensim most_similar"]
        report("gensim / wordvec, l2", gensim / found["wordvec, l2"], "above 1")
        report("gensim / wordvec, cosine", gensim / found["wordvec, cosine"], "above 1")
        print(f"  (faiss has {faiss.omp_get_max_threads()} threads)")

    def block(self) -> None:
        """Time 1,000 lines: from text to text in a running process, and as whole processes."""
        keyed = self.keyed_vectors()
        index = self.flat_index()
        methods: dict[str, Callable[[int], object]] = {
            "wordvec, lines to printed lines": lambda _: self.answer_lines(),
            "bare faiss, vectors to ids": lambda _: index.search(self.queries, 10),
        }
        found = alternated(methods, self.rounds)
        once = alternated({"gensim": lambda i: most_similar(keyed, self.words[i])}, LINES)
        gensim = once["gensim"] * LINES
        print(f"\n{LINES} queries, open table (median of {self.rounds} each, in turn)")
        for name, seconds in found.items():
            print(f"  {name:<32}{1000 * seconds:8.0f} ms")
        print(f"  {'gensim most_similar, one by one':<32}{1000 * gensim:8.0f} ms")
        ours, bare = found.values()
        report("bare faiss / wordvec", bare / ours, "at least 0.6")
        report("gensim / wordvec", gensim / ours, "at least 5")

        vectors, queries = self.folder / "table.npy", self.folder / "queries.npy"
        np.save(vectors, self.table.vectors)
        np.save(queries, self.queries)
        lines = self.folder / "lines.txt"
        lines.write_text(self.text, encoding="utf-8")
        bare_process = [sys.executable, "-c", BARE_BLOCK, str(vectors), str(queries)]
        whole = self.processes(
            {
                "wordvec query -": [sys.executable, "-m", "wordvec", "query", "-"],
                "a bare script over faiss": bare_process,
            },
            stdin=lines,
        )
        print(f"\n{LINES} lines on standard input, whole processes")
        for name, (seconds, resident) in whole.items():
            print(f"  {name:<32}{1000 * seconds:8.0f} ms{resident / 2**20:8.0f} MiB resident")
        ours, bare = (seconds for seconds, _ in whole.values())
        report("bare / wordvec", bare / ours, "at least 0.6")

    def answer_lines(self) -> str:
        """Run the queries as the command does, from text to text."""
        from io import BytesIO

        from wordvec.analysis.query import QueryEngine
        from wordvec.cli.output import Format
        from wordvec.cli.query import LineAnswers, print_answers
        from wordvec.search.settings import QuerySettings

        out, sys.stdout = sys.stdout, StringIO()
        try:
            engine = QueryEngine(Space(self.table), QuerySettings())
            print_answers(LineAnswers(engine, BytesIO(self.text.encode())), Format.TEXT)
            return sys.stdout.getvalue()
        finally:
            sys.stdout = out

    def flat_index(self) -> Any:
        """Build the article's index."""
        import faiss

        index = faiss.IndexFlatL2(D)
        index.add(np.asarray(self.table.vectors))
        return index

    def keyed_vectors(self) -> Any:
        """Put the same vectors into gensim and compute its norms."""
        from gensim.models import KeyedVectors

        keyed = KeyedVectors(D)
        keyed.add_vectors(list(self.table.vocabulary.tokens), np.array(self.table.vectors))
        keyed.fill_norms()
        return keyed

    def processes(
        self, commands: dict[str, list[str]], *, stdin: Path | None = None
    ) -> dict[str, tuple[float, float]]:
        """Run the commands in turn; return median seconds and resident bytes of each.

        The first turn is not counted.
        """
        times: dict[str, list[float]] = {name: [] for name in commands}
        resident = dict.fromkeys(commands, 0.0)
        for turn in range(self.rounds + 1):
            for name, command in commands.items():
                seconds, size = self.process(command, stdin)
                if turn:
                    times[name].append(seconds)
                    resident[name] = max(resident[name], size)
        return {name: (statistics.median(times[name]), resident[name]) for name in commands}

    def process(self, command: list[str], stdin: Path | None) -> tuple[float, float]:
        with stdin.open("rb") if stdin else Path(os.devnull).open("rb") as source:
            done = subprocess.run(
                [sys.executable, "-S", "-c", TIMER, *command],
                env=self.env, stdin=source, capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            sys.exit(f"{command[:4]} failed:\n{done.stderr}")
        seconds, resident = done.stdout.split()
        return float(seconds), int(resident) * (1 if sys.platform == "darwin" else 1024)


def random_table() -> VectorTable:
    """Return a table with rows of norm about 1, for invented tokens and the three of the query."""
    rng = np.random.default_rng(0)
    vectors: NDArray[np.float32] = rng.standard_normal((V, D), dtype=np.float32) / np.float32(28)
    kana = [chr(code) for code in range(ord("ァ"), ord("ァ") + 80)]
    made = [f"{a}{b}{c}" for a in kana for b in kana for c in kana[:5]]
    vocabulary = Vocabulary(tokens=("王", "男", "女", *made[: V - 3]))
    return VectorTable.from_vectors(vocabulary, vectors, Provenance(NAME.model, NAME.mode))


def most_similar(keyed: Any, words: list[str]) -> object:
    a, b, c = words
    return keyed.most_similar(positive=[a, c], negative=[b], topn=10)


def alternated(methods: dict[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Call the methods in turn, several times each; return the median seconds of each.

    The first call of a turn is not counted: threads of the method before may still be running.
    """
    times: dict[str, list[float]] = {name: [] for name in methods}
    for turn in range(rounds):
        for name, method in methods.items():
            for call in range(CALLS + 1):
                start = time.perf_counter()
                method((turn * CALLS + call) % LINES)
                if call:
                    times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def report(name: str, value: float, target: str) -> None:
    print(f"  {name:<32}{value:8.2f}      (target: {target})")


if __name__ == "__main__":
    main()
