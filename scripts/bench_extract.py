#!/usr/bin/env python3
"""How fast dynamic extraction is, on a random model of the reference's size (12 layers × 768).

    .venv/bin/python scripts/bench_extract.py [--rounds 5] [--dtype float32 bfloat16]

In one run, by turns: the article's loop (one token a forward pass), plain batches of the same
model, and ours. Beside them the best rate at which the linear layers' products run by themselves
(768→768, 768→3072, 3072→768 with the batch's rows; the better of `F.linear` and oneDNN, in the same
precision): the share of it that a whole pass reaches says what is left to gain. `--sweep` tries
other batch sizes.
"""

from __future__ import annotations

import argparse
import copy
import os
import platform
import statistics
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812  # as everybody calls it
from transformers import BertConfig, BertModel

from wordvec.extraction.dynamic import extract_from, prepare
from wordvec.extraction.extract import BATCH_SIZE
from wordvec.extraction.linear import can_pack
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

V, LAYERS, D, INNER = 32_000, 12, 768, 3072
POSITIONS = 3
_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
SHAPES = {(D, D): 4, (D, INNER): 1, (INNER, D): 1}  # (in, out) → how many a layer
FLOPS_A_TOKEN = 2 * POSITIONS * LAYERS * sum(n * i * o for (i, o), n in SHAPES.items())
LOOP_TOKENS = 24  # of the article's loop; the whole of it would take half an hour


def main() -> None:
    """Measure, and print what was measured."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rounds", type=int, default=5, help="times each is run, by turns")
    arguments.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    arguments.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"])
    arguments.add_argument("--sweep", nargs="*", type=int, help="try these batch sizes, ours only")
    chosen = arguments.parse_args()
    print(machine())
    others = Others()
    began = time.monotonic()
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=V)).eval()
    if chosen.sweep is not None:
        sweep(model, chosen.sweep or [64, 128, 256, 512, 1024], chosen.dtype, chosen.rounds)
    else:
        for dtype in chosen.dtype:
            compare(model, dtype, chosen.batch_size, chosen.rounds)
    print(f"\n{time.monotonic() - began:.0f} s in all; meanwhile {others}")


def compare(model: BertModel, dtype: str, batch_size: int, rounds: int) -> None:
    """The article's loop, plain batches and ours, by turns."""
    fast = prepare(copy.deepcopy(model), torch.device("cpu"), dtype, batch_size)
    plain = copy.deepcopy(model).to(getattr(torch, dtype))
    products = Products(getattr(torch, dtype), POSITIONS * batch_size)
    timed = by_turns(
        {
            "loop": lambda: articles_loop(model) / LOOP_TOKENS,
            "plain": lambda: seconds_a_token(plain, batch_size),
            "ours": lambda: seconds_a_token(fast, batch_size),
            "linear": lambda: products.seconds("F.linear") / batch_size,
            "onednn": lambda: products.seconds("oneDNN") / batch_size,
        },
        rounds,
    )
    best = min(timed["linear"], timed["onednn"])
    loop, ours = timed["loop"], timed["ours"]
    print(f"\n{dtype}, {batch_size} tokens a batch, medians of {rounds} rounds by turns")
    print(f"  the article's loop (float32)   {1 / loop:8.1f} tokens/s")
    for name in ("plain", "ours"):
        label = {"plain": "plain batches of the model", "ours": "wordvec"}[name]
        print(
            f"  {label:30} {1 / timed[name]:8.1f} tokens/s  {loop / timed[name]:5.1f} × the loop"
            f"  {best / timed[name]:.2f} of the best linear rate"
        )
    for name, label in (("linear", "F.linear alone"), ("onednn", "oneDNN's linear alone")):
        print(f"  {label:30} {FLOPS_A_TOKEN / timed[name] / 1e9:8.0f} GFLOP/s")
    print(f"  {V:,} tokens: {ours * V:.0f} s by wordvec, {loop * V / 60:.0f} min by the loop")


def sweep(model: BertModel, sizes: Sequence[int], dtypes: Sequence[str], rounds: int) -> None:
    """Ours alone, in batches of several sizes, by turns."""
    for dtype in dtypes:
        runs: dict[str, Callable[[], float]] = {}
        for size in sizes:
            fast = prepare(copy.deepcopy(model), torch.device("cpu"), dtype, size)
            runs[str(size)] = partial(seconds_a_token, fast, size)
        for name, seconds in by_turns(runs, rounds).items():
            print(f"{dtype}  {name:>5} tokens a batch  {1 / seconds:8.1f} tokens/s")


def by_turns(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run each once to warm up, then all of them in turn; the median of each."""
    for run in runs.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(run())
    return {name: statistics.median(times) for name, times in taken.items()}


def articles_loop(model: BertModel) -> float:
    """Seconds of the article's loop over a few tokens."""
    began = time.perf_counter()
    with torch.no_grad():
        for id_ in range(LOOP_TOKENS):
            model(input_ids=torch.tensor([[2, id_, 3]])).last_hidden_state[0, 1].numpy()
    return time.perf_counter() - began


def seconds_a_token(model: torch.nn.Module, batch_size: int) -> float:
    """Seconds a token, in one batch through the extractor's own code."""
    tokens = tuple(map(str, range(batch_size)))
    vocabulary = Vocabulary(tokens, Scheme.WORDPIECE, special_ids=(2, 3), cls_id=2, sep_id=3)
    began = time.perf_counter()
    for _ in extract_from(model, vocabulary, batch_size=batch_size):
        pass
    return (time.perf_counter() - began) / batch_size


class Products:
    """The linear layers' products of one pass, by themselves."""

    def __init__(self, dtype: torch.dtype, rows: int) -> None:
        self.cases = [
            (
                torch.randn(rows, i).to(dtype),
                torch.randn(o, i).to(dtype),
                torch.randn(o).to(dtype),
                times * LAYERS,
            )
            for (i, o), times in SHAPES.items()
        ]
        self.packed = can_pack(self.cases[0][1])

    def seconds(self, kind: str) -> float:
        """Seconds of all the products of one batch; infinite where oneDNN is absent."""
        if kind == "oneDNN" and not self.packed:
            return float("inf")
        total = 0.0
        with torch.inference_mode():
            for x, weight, bias, times in self.cases:
                if kind == "oneDNN":
                    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, len(x))  # noqa: SLF001
                began = time.perf_counter()
                for _ in range(times):
                    if kind == "oneDNN":
                        torch.ops.mkldnn._linear_pointwise(x, laid_out, bias, "none", [], "")  # noqa: SLF001
                    else:
                        F.linear(x, weight, bias)
                total += time.perf_counter() - began
        return total


def machine() -> str:
    """The machine in words."""
    cpu = platform.processor() or platform.machine()
    if _CPUINFO.exists():
        lines = _CPUINFO.read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    threads = torch.get_num_threads()
    return f"{os.cpu_count()} cores of {cpu}, {threads} threads, torch {torch.__version__}"


class Others:
    """How much of the machine others took meanwhile (Linux tells; elsewhere it is not known)."""

    def __init__(self) -> None:
        self.before = self._ticks()

    def __str__(self) -> str:
        if self.before is None or (now := self._ticks()) is None:
            return "what else ran is not known"
        everything, ours = (after - before for after, before in zip(now, self.before, strict=True))
        return f"others took {max(everything - ours, 0) / os.sysconf('SC_CLK_TCK'):.1f} CPU seconds"

    @staticmethod
    def _ticks() -> tuple[int, float] | None:
        if not _STAT.exists():
            return None
        user, nice, system, _, _, irq, softirq, steal = map(int, _STAT.read_text().split()[1:9])
        own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")
        return user + nice + system + irq + softirq + steal, own


if __name__ == "__main__":
    main()
