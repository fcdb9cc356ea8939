#!/usr/bin/env python3
"""Measure the speed of dynamic extraction on a random model of the reference's size (12 × 768).

    .venv/bin/python scripts/bench_extract.py [--rounds 5] [--dtype float32 bfloat16] [--no-loop]

One run alternates between the article's loop (one token per forward pass), plain batches of the
same model, and wordvec. For comparison it times the products of the linear layers alone (768→768,
768→3072, 3072→768, with the rows of a batch), by `F.linear` and by oneDNN in the same dtype: the
share of the better rate that a whole pass reaches shows how much can still be gained. `--sweep`
tries other batch sizes. `--layers MODEL` times whole extractions instead: the table of the last
layer, and those of all layers in one pass. `--corpus FILE` times contextual vectors of real
sentences: wordvec's two passes, sentence-transformers' `encode` on the same sentences and model,
and the products of the linear layers alone for the same positions.
"""

from __future__ import annotations

import argparse
import copy
import os
import platform
import shutil
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812  # torch's own convention
from transformers import BertConfig, BertModel

from wordvec.extraction.carriers import Carrier
from wordvec.extraction.contextual import Batches, add_occurrences
from wordvec.extraction.corpus import Corpus
from wordvec.extraction.dynamic import compute_blocks, prepare
from wordvec.extraction.extract import extract
from wordvec.extraction.linear import can_pack
from wordvec.extraction.scan import Sample, Scan
from wordvec.extraction.sentences import split_sentences
from wordvec.extraction.settings import BATCH_SIZE, Device, Dtype, ExtractionSettings, Sampling
from wordvec.models.bundled import bundled_folder
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALONE = Carrier((2,), (3,))  # [CLS] token [SEP]
POSITIONS = len(ALONE)
V, LAYERS, D, INNER = 32_000, 12, 768, 3072
_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
SHAPES = {(D, D): 4, (D, INNER): 1, (INNER, D): 1}  # (in, out) → how many per layer
FLOPS_PER_TOKEN = 2 * POSITIONS * LAYERS * sum(n * i * o for (i, o), n in SHAPES.items())
LOOP_TOKENS = 24  # of the article's loop; all of them would take half an hour


def cpu(dtype: str) -> ExtractionSettings:
    """Return the settings of an extraction on the CPU, whatever is faster."""
    return ExtractionSettings(Device.CPU, Dtype(dtype), force_dtype=True)


class Clock:
    """The time in seconds: of the wall, or that this process has used."""

    def __init__(self) -> None:
        self._now: Callable[[], float] = time.perf_counter

    def __call__(self) -> float:
        return self._now()

    def use(self, now: Callable[[], float]) -> None:
        self._now = now


clock = Clock()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run, in turn")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--no-loop", action="store_true", help="leave out the article's loop")
    parser.add_argument("--sweep", nargs="*", type=int, help="try these batch sizes, wordvec only")
    parser.add_argument("--layers", metavar="MODEL", help="time one table and one for each layer")
    parser.add_argument("--corpus", metavar="FILE", help="time contextual vectors of this text")
    parser.add_argument("--sentences", type=int, default=500, help="of the corpus")
    parser.add_argument(
        "--cpu-seconds", action="store_true", help="one thread, CPU seconds: for a busy machine"
    )
    options = parser.parse_args()
    if options.cpu_seconds:
        torch.set_num_threads(1)
        clock.use(time.process_time)
    print(describe_machine())
    other_load = OtherLoad()
    began = time.monotonic()
    torch.manual_seed(0)
    if options.layers:
        compare_layers(options.layers, options.rounds)
        print(f"\n{time.monotonic() - began:.0f} s in all; {other_load}")
        return
    model = BertModel(BertConfig(vocab_size=V)).eval()
    if options.corpus:
        compare_contextual(model, options.corpus, options.sentences, options.rounds)
        print(f"\n{time.monotonic() - began:.0f} s in all; {other_load}")
        return
    if options.sweep is not None:
        sweep(model, options.sweep or [64, 128, 256, 512, 1024], options.dtype, options.rounds)
    else:
        for dtype in options.dtype:
            compare(model, dtype, options.batch_size, options.rounds, loop=not options.no_loop)
    print(f"\n{time.monotonic() - began:.0f} s in all; {other_load}")


def compare(
    model: BertModel, dtype: str, batch_size: int, rounds: int, *, loop: bool = True
) -> None:
    """Time the article's loop, plain batches and wordvec in turn, and print the rates."""
    fast = copy.deepcopy(model)
    began = clock()
    product = prepare(fast, cpu(dtype), POSITIONS * batch_size).way.product
    preparation = clock() - began
    plain = copy.deepcopy(model).to(getattr(torch, dtype))
    products = Products(getattr(torch, dtype), POSITIONS * batch_size)
    runs: dict[str, Callable[[], float]] = {
        "plain batches of the model": lambda: seconds_per_token(plain, batch_size),
        "wordvec": lambda: seconds_per_token(fast, batch_size),
        "F.linear alone": lambda: products.seconds("F.linear") / batch_size,
        "oneDNN's linear alone": lambda: products.seconds("oneDNN") / batch_size,
    }
    if loop:
        runs["the article's loop (float32)"] = lambda: run_articles_loop(model) / LOOP_TOKENS
    timed = run_in_turn(runs, rounds)
    best = min(timed["F.linear alone"], timed["oneDNN's linear alone"])
    print(f"\n{dtype}, {batch_size} tokens per batch, medians of {rounds} rounds in turn")
    print(f"  prepared in {preparation:.2f} s, linear layers: {product}")
    for name, seconds in timed.items():
        if name.endswith("alone"):
            print(f"  {name:30} {FLOPS_PER_TOKEN / seconds / 1e9:8.0f} GFLOP/s")
        else:
            print(
                f"  {name:30} {1 / seconds:8.1f} tokens/s, {seconds * V:6.0f} s for {V:,} tokens, "
                f"{best / seconds:.2f} of the best linear rate"
            )


def sweep(model: BertModel, sizes: Sequence[int], dtypes: Sequence[str], rounds: int) -> None:
    """Time wordvec alone with several batch sizes, in turn."""
    for dtype in dtypes:
        runs: dict[str, Callable[[], float]] = {}
        for size in sizes:
            fast = copy.deepcopy(model)
            prepare(fast, cpu(dtype), POSITIONS * size)
            runs[str(size)] = partial(seconds_per_token, fast, size)
        for name, seconds in run_in_turn(runs, rounds).items():
            print(f"{dtype}  {name:>5} tokens per batch  {1 / seconds:8.1f} tokens/s")


def compare_layers(model: str, rounds: int) -> None:
    """Time whole extractions of the last layer and of all layers, in turn."""

    def run(layers: str | None) -> float:
        with tempfile.TemporaryDirectory() as folder:
            return extract(model, "dynamic", Store(folder), layers=layers).seconds

    timed = run_in_turn({"the last layer": lambda: run(None), "all": lambda: run("all")}, rounds)
    one = timed["the last layer"]
    print(f"\n{model}, medians of {rounds} rounds in turn")
    for name, seconds in timed.items():
        print(f"  {name:16} {seconds:6.2f} s  {100 * (seconds / one - 1):+.1f} %")


def compare_contextual(model: BertModel, corpus: str, sentences: int, rounds: int) -> None:
    """Time contextual vectors of real sentences, with the tokenizer of `mini`."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    positions = POSITIONS * BATCH_SIZE
    fast = copy.deepcopy(model)
    product = prepare(fast, cpu("float32"), positions).way.product
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model.save_pretrained(folder)
        for name in ("vocab.txt", "tokenizer_config.json"):
            shutil.copy(bundled_folder() / name, folder)
        encoder = Transformer(str(folder), max_seq_length=512)
        peer = SentenceTransformer(modules=[encoder, Pooling(D)], device="cpu")
        source = Corpus.of([corpus])
        texts: list[str] = []
        for block in source.blocks():
            texts += split_sentences(block.data.decode())
            if len(texts) >= sentences:
                break
        texts = texts[:sentences]
        vocabulary = read_vocabulary(folder)
        sampling = Sampling(per_token=10**6, min_count=1, sentences=sentences)

        def scan() -> Sample:
            target = Path(tempfile.mkdtemp(dir=folder))
            return Scan(source, sampling, target, vocabulary).run(folder, workers=0)

        def compute(sample: Sample) -> None:
            target = Path(tempfile.mkdtemp(dir=folder))
            batches = Batches.of(sample, positions)
            add_occurrences(fast, vocabulary, batches, {LAYERS: D}, target, last=LAYERS)

        sample = scan()
        batches = Batches.of(sample, positions)
        used = int(batches.lengths.sum()) + 2 * len(batches.lengths)
        products = Products(torch.float32, positions)
        timed = run_in_turn(
            {
                "wordvec, both passes": lambda: timed_run(lambda: compute(scan())),
                "wordvec, the model's pass": lambda: timed_run(lambda: compute(sample)),
                "sentence-transformers": lambda: timed_run(
                    lambda: peer.encode(texts, show_progress_bar=False)
                ),
                "F.linear alone": lambda: products.seconds("F.linear") * used / positions,
                "oneDNN's linear alone": lambda: products.seconds("oneDNN") * used / positions,
            },
            rounds,
        )
    best = min(timed["F.linear alone"], timed["oneDNN's linear alone"])
    print(
        f"\ncontextual, float32, {len(texts)} sentences, {used} positions with [CLS] and [SEP], "
        f"medians of {rounds} rounds in turn, linear layers: {product}"
    )
    for name, seconds in timed.items():
        print(
            f"  {name:26} {seconds:7.2f} s  {len(texts) / seconds:8.1f} sentences/s  "
            f"{best / seconds:.2f} of the best linear rate"
        )


def timed_run(run: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = clock()
    run()
    return clock() - began


def run_in_turn(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run each once to warm up, then all of them in turn; return the median of each."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seconds[name].append(run())
    return {name: statistics.median(times) for name, times in seconds.items()}


def run_articles_loop(model: BertModel) -> float:
    """Run the article's loop over a few tokens and return its seconds."""
    began = clock()
    with torch.no_grad():
        for id_ in range(LOOP_TOKENS):
            model(input_ids=torch.tensor([[2, id_, 3]])).last_hidden_state[0, 1].numpy()
    return clock() - began


def seconds_per_token(model: torch.nn.Module, batch_size: int) -> float:
    """Run one batch through wordvec's own code and return its seconds per token."""
    began = clock()
    for _ in compute_blocks(model, [ALONE], batch_size, batch_size=batch_size):
        pass
    return (clock() - began) / batch_size


class Products:
    """The products of the linear layers of one pass, without the rest of the model."""

    def __init__(self, dtype: torch.dtype, rows: int) -> None:
        self.cases = [
            (
                torch.randn(rows, i).to(dtype),
                torch.randn(o, i).to(dtype),
                torch.randn(o).to(dtype),
                count * LAYERS,
            )
            for (i, o), count in SHAPES.items()
        ]
        self.packable = can_pack(self.cases[0][1])

    def seconds(self, kind: str) -> float:
        """Return the seconds of all products of one batch; infinity if oneDNN is missing."""
        if kind == "oneDNN" and not self.packable:
            return float("inf")
        total = 0.0
        with torch.inference_mode():
            for x, weight, bias, count in self.cases:
                if kind == "oneDNN":
                    packed = torch.ops.mkldnn._reorder_linear_weight(weight, len(x))  # noqa: SLF001
                began = clock()
                for _ in range(count):
                    if kind == "oneDNN":
                        torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")  # noqa: SLF001
                    else:
                        F.linear(x, weight, bias)
                total += clock() - began
        return total


def describe_machine() -> str:
    """Return the processor, the threads and torch's version in one line."""
    cpu = platform.processor() or platform.machine()
    if _CPUINFO.exists():
        lines = _CPUINFO.read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    threads = torch.get_num_threads()
    return f"{os.cpu_count()} cores of {cpu}, {threads} threads, torch {torch.__version__}"


class OtherLoad:
    """The CPU time that other processes use during the measurement; Linux only."""

    def __init__(self) -> None:
        self.before = self._ticks()

    def __str__(self) -> str:
        if self.before is None or (now := self._ticks()) is None:
            return "the load of other processes is unknown"
        total, own = (after - before for after, before in zip(now, self.before, strict=True))
        seconds = max(total - own, 0) / os.sysconf("SC_CLK_TCK")
        return f"other processes used {seconds:.1f} CPU seconds"

    @staticmethod
    def _ticks() -> tuple[int, float] | None:
        if not _STAT.exists():
            return None
        user, nice, system, _, _, irq, softirq, steal = map(int, _STAT.read_text().split()[1:9])
        own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")
        return user + nice + system + irq + softirq + steal, own


if __name__ == "__main__":
    main()
