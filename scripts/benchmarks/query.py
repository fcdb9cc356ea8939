"""Queries: a new process, an open table, blocks of queries, and the memory of each command.

cold    a whole `wordvec query`, relative to imports, and to the article's program (which imports
        torch and transformers, unpickles the vectors and builds the index)
open    one query at a time in a running process, beside numpy's product on the same mapped rows
        with argpartition, gensim's most_similar and faiss alone
block   blocks of vectors, and of lines, beside faiss alone with vectors and gensim
memory  each command once, with its peak memory, on the last of the sizes
"""

from __future__ import annotations

import io
import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.made import QUESTION, made_questions, made_tokens, write_table
from benchmarks.programs import Command, Program, Worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.harness import Bench


PARTS = ("cold", "open", "block", "memory")
METRICS = ("l2", "cosine", "dot")
K = 10
IMPORTS, CLICK = "import numpy, faiss, click", "import click"
ARTICLE = """
import pickle, sys
import faiss, numpy as np, torch
from transformers import BertJapaneseTokenizer, BertModel
vectors = pickle.load(open(sys.argv[1], "rb"))
rows = np.array([vectors[i] for i in range(len(vectors))], dtype=np.float32)
index = faiss.IndexFlatL2(rows.shape[1])
index.add(rows)
print(index.search((vectors[0] - vectors[1] + vectors[2])[None], 10))
"""
BARE_BLOCK = """
import sys
import faiss, numpy as np
table, queries = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2])
distances, ids = faiss.knn(queries, table, 10)
for near, far in zip(ids.tolist(), distances.tolist()):
    print(near, far)
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", default="32000x768,250000x384", help="tokens x dimensions")
    parser.add_argument("--large", action="store_true", help="2000000x300 too: open and memory")
    parser.add_argument("--blocks", default="1000,20000", help="queries in a block")


def measure(bench: Bench) -> None:
    sizes = [tuple(map(int, size.split("x"))) for size in bench.options["sizes"].split(",")]
    large = [(2_000_000, 300)] if bench.options["large"] else []
    parts = bench.options["parts"].split(",")
    for size in [*sizes, *large]:
        table = MadeTable(bench, *size)
        if "cold" in parts and size in sizes:
            cold(table, with_article=size == sizes[0])
        if "open" in parts:
            open_table(table)
        if "block" in parts and size in sizes:
            for count in map(int, bench.options["blocks"].split(",")):
                block(table, count)
        if "memory" in parts and size in (sizes[-1], *large):
            memory_of_commands(table)
        table.file.unlink()


class MadeTable:
    """A random table in the store of each version, and a file with the same rows."""

    def __init__(self, bench: Bench, tokens: int, dimensions: int) -> None:
        self.bench, self.tokens = bench, tokens
        self.size = f"{tokens:,} × {dimensions}"
        self.file = bench.folder / f"{tokens}x{dimensions}.npy"
        write_table(self.file, tokens, dimensions)
        bench.prepare("made:save_table", file=str(self.file))

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the workers."""
        return {"file": str(self.file)}

    def lines(self, count: int) -> Path:
        """Return a file with so many queries."""
        file = self.bench.folder / "lines.txt"
        file.write_text("\n".join(made_lines(self.tokens, count)) + "\n", encoding="utf-8")
        return file


def cold(table: MadeTable, *, with_article: bool) -> None:
    """Time whole processes that run one query."""
    bench, ours = table.bench, Command.wordvec
    programs: dict[str, Program] = {
        "imports of numpy, faiss, click": Command(IMPORTS),
        "import of click": Command(CLICK),
        "wordvec --help": ours("--help"),
        "wordvec query, l2": ours("query", QUESTION),
        "wordvec query, cosine": ours("query", QUESTION, "--metric", "cosine"),
        "wordvec query, unknown word": ours("query", "パンケーキ", exit_code=1),
    }
    if with_article:
        pickled = bench.folder / "vectors.pickle"
        pickled.write_bytes(pickle.dumps(dict(enumerate(np.load(table.file)))))
        programs["the article's program"] = Command(ARTICLE, (str(pickled),))
    found = bench.run(f"new processes, {table.size}", programs)
    limit = "≤ 1.4" if table.tokens < 100_000 else "≤ 2"
    imports = "imports of numpy, faiss, click"
    for name in ("l2", "cosine", "unknown word"):
        row = f"new process, {table.size}, {name}: time / imports"
        value = found.ratio(f"wordvec query, {name}", imports)
        bench.figure("Queries", row, value, "×", limit)
    bench.figure(
        "Queries", "wordvec --help: time / `import click`",
        found.ratio("wordvec --help", "import of click"), "×", "≤ 1.5",
    )  # fmt: skip
    row = f"new process, {table.size}: speed / the article's program"
    value = found.ratio("the article's program", "wordvec query, l2")
    bench.figure("Queries", row, value, "×", "≥ 15")
    for kind, target in (("anonymous", "≤ 60"), ("mapped", "")):
        mine = found.median("wordvec query, l2", kind)
        others = found.median(imports, kind)
        beyond = None if mine is None or others is None else mine - others
        row = f"new process, {table.size}: {kind} memory beyond the imports"
        bench.figure("Queries", row, beyond, "MB", target)


def open_table(table: MadeTable) -> None:
    """Time one query at a time with an open table."""
    bench, arguments = table.bench, table.arguments
    ours: dict[str, dict[str, Any]] = {
        **{metric: {"metric": metric} for metric in METRICS},
        "cosine, filtered": {"metric": "cosine", "exclude": True, "match": "^[ァ-ノ]"},
    }
    programs: dict[str, Program] = {
        "numpy, X @ q and argpartition": Worker("query:ask_numpy", arguments),
        "gensim most_similar": Worker("query:ask_gensim", arguments),
        "faiss.knn": Worker("query:ask_faiss", arguments),
    }
    for name, options in ours.items():
        programs[f"wordvec, {name}"] = Worker("query:ask_wordvec", arguments | options, ours=True)
    rounds = 4 * bench.rounds if table.tokens < 1_000_000 else bench.rounds
    found = bench.run(f"one query, table open, {table.size}", programs, calls=3, rounds=rounds)
    for name in ours:
        row = f"one query, {table.size}, {name}"
        time = found.ratio(f"wordvec, {name}", "numpy, X @ q and argpartition")
        bench.figure("Queries", f"{row}: time / numpy's product", time, "×", "≤ 1.1")
        speed = found.ratio("gensim most_similar", f"wordvec, {name}")
        bench.figure("Queries", f"{row}: speed / gensim", speed, "×", "> 1")
    speed = found.ratio("faiss.knn", "wordvec, l2")
    bench.figure("Queries", f"one query, {table.size}, l2: speed / faiss", speed, "×")


def block(table: MadeTable, count: int) -> None:
    """Time a block of queries: vectors, lines in a running process, and a process for all."""
    bench = table.bench
    arguments = table.arguments | {"count": count}
    programs: dict[str, Program] = {
        "faiss.knn": Worker("query:block_faiss", arguments),
        "wordvec, vectors": Worker("query:block_wordvec", arguments, ours=True),
        "wordvec, lines": Worker("query:lines_wordvec", arguments, ours=True),
    }
    rounds = bench.rounds if count < 5000 else max(1, bench.rounds // 5)  # they take half a minute
    found = bench.run(f"{count:,} queries, table open, {table.size}", programs, rounds=rounds)
    row = f"{count:,} queries, {table.size}"
    for kind, target in (("vectors", "≥ 0.9"), ("lines", "≥ 0.65")):
        speed = found.ratio("faiss.knn", f"wordvec, {kind}")
        bench.figure("Queries", f"{row}, {kind}: speed / faiss with vectors", speed, "×", target)
    mine = found.median("wordvec, lines")
    gensim = bench.run(
        f"one query by gensim, {table.size}", {"gensim": Worker("query:ask_gensim", arguments)}
    ).median("gensim")
    speed = count * gensim / mine if mine and gensim else None
    bench.figure("Queries", f"{row}, lines: speed / gensim, one by one", speed, "×", "≥ 5")
    queries = bench.folder / "queries.npy"
    np.save(queries, query_vectors(table.file, count))
    found = bench.run(
        f"{count:,} lines on standard input, new processes, {table.size}",
        {
            "faiss.knn": Command(BARE_BLOCK, (str(table.file), str(queries))),
            "wordvec query -": Command.wordvec("query", "-", stdin=table.lines(count)),
        },
        rounds=rounds,
    )
    speed = found.ratio("faiss.knn", "wordvec query -")
    bench.figure("Queries", f"{row}, new processes, lines: speed / faiss", speed, "×", "≥ 0.6")


def memory_of_commands(table: MadeTable) -> None:
    """Run each command once and report its peak memory and seconds."""
    words = made_tokens(40)
    questions = table.bench.folder / "questions.txt"
    lines = [" ".join(words[i : i + 4]) for i in range(3, 36)] * 79
    questions.write_text("\n".join([": made", *lines[:2595]]), encoding="utf-8")
    commands = {
        "query": ["query", QUESTION],
        "query, unknown word": ["query", "パンケーキ"],
        "query -, 1,000 lines": ["query", "-"],
        "explain": ["explain", QUESTION],
        "norms": ["norms", "王", "男"],
        "similar": ["similar", "王", "男", "女"],
        "odd": ["odd", "王", "男", "女"],
        "compare, two tables": ["compare", QUESTION, "--tables", "made:static,made:static.other"],
        "evaluate, 2,595 questions": ["evaluate", str(questions)],
        "map --tokens 3000": ["map", "--tokens", "3000", "-o", "map.html"],
        "export, word2vec text": ["export", "static", "-o", "vectors.txt"],
        "import, .npy": ["import", str(table.file), "--name", "imported"],
        "tables --verify": ["tables", "--verify"],
    }
    table.bench.prepare("made:save_table", file=str(table.file), variants=["other"])
    lines_file = table.lines(1000)
    for name, arguments in commands.items():
        stdin = lines_file if "-" in arguments else None
        case = f"{name}, {table.size}"
        program = Command.wordvec(*arguments, stdin=stdin, exit_code=int("unknown" in name))
        found = table.bench.run(case, {name: program}, rounds=1, warm_up=False)
        rows = f"Peak memory of each command, {table.size}", f"Time of each command, {table.size}"
        table.bench.figure(rows[0], name, found.median(name, "peak"), "MB")
        table.bench.figure(rows[1], name, found.median(name), "s")


@cache
def made_lines(tokens: int, count: int) -> list[str]:
    """Return queries such as "a-b+c"."""
    words = made_tokens(tokens)
    return [f"{words[a]}-{words[b]}+{words[c]}" for a, b, c in made_questions(tokens, count)]


def query_vectors(file: str | Path, count: int) -> NDArray[np.float32]:
    """Return the vectors of the queries, (Q, D)."""
    rows = np.load(file, mmap_mode="r")
    a, b, c = made_questions(len(rows), count).T
    queries: NDArray[np.float32] = rows[a] - rows[b] + rows[c]
    return queries


def mapped_rows() -> NDArray[np.float32]:
    """Return the rows that wordvec searches, mapped, (V, D)."""
    import wordvec

    return wordvec.open("made:static").vectors


def ask_wordvec(file: str, **options: Any) -> Callable[[int], object]:
    import wordvec

    table = wordvec.open("made:static")
    engine = table.engine(k=K, **options)
    lines = made_lines(len(np.load(file, mmap_mode="r")), 1000)
    return lambda i: engine.answer([engine.prepare(wordvec.parse(lines[i % 1000]))])


def ask_numpy(file: str) -> Callable[[int], object]:
    rows, queries = mapped_rows(), query_vectors(file, 1000)

    def run(i: int) -> object:
        scores = rows @ queries[i % 1000]
        best = np.argpartition(scores, -K)[-K:]
        return best[np.argsort(-scores[best])]

    return run


def ask_gensim(file: str, count: int = 0) -> Callable[[int], object]:
    """Ask one query per call, whatever the count of a block."""
    from gensim.models import KeyedVectors

    del count
    rows = np.load(file)
    keyed = KeyedVectors(rows.shape[1])
    words = made_tokens(len(rows))
    keyed.add_vectors(words, rows)
    keyed.fill_norms()
    questions = made_questions(len(rows), 1000)

    def run(i: int) -> object:
        a, b, c = questions[i % 1000]
        return keyed.most_similar(positive=[words[a], words[c]], negative=[words[b]], topn=K)

    return run


def ask_faiss(file: str) -> Callable[[int], object]:
    import faiss

    rows, queries = mapped_rows(), query_vectors(file, 1000)
    return lambda i: faiss.knn(queries[i % 1000][None], rows, K)


def block_faiss(file: str, count: int) -> Callable[[int], object]:
    import faiss

    rows, queries = mapped_rows(), query_vectors(file, count)
    return lambda _: faiss.knn(queries, rows, K)


def block_wordvec(file: str, count: int) -> Callable[[int], object]:
    import wordvec
    from wordvec.search.settings import Metric

    queries = query_vectors(file, count).astype(np.float64)
    engine = wordvec.open("made:static").engine(k=K).engine
    return lambda _: engine.search(queries, K, metric=Metric.L2)


def lines_wordvec(file: str, count: int) -> Callable[[int], object]:
    """Answer lines as the command does, from bytes to printed text."""
    from click.testing import CliRunner

    from wordvec.cli import group

    rows = len(np.load(file, mmap_mode="r"))
    text = "".join(f"{line}\n" for line in made_lines(rows, count)).encode()

    def run(_: int) -> None:
        done = CliRunner().invoke(group, ["query", "-"], input=io.BytesIO(text))
        if done.exit_code:
            raise SystemExit(done.output[-200:])

    return run
