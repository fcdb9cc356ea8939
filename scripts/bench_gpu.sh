#!/usr/bin/env bash
# Measure extractions on a GPU: the vocabulary of a BERT-base, and a corpus of a million sentences, in
# float32 and bfloat16. Prints one line for each: seconds, tokens a second, and the share of the card's
# matrix rate, which a product of the same type is timed for.
#
#     scripts/bench_gpu.sh MODEL CORPUS
#
# MODEL: a BERT-base, a folder or a name on the hub. CORPUS: text with a million sentences.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
model=${1:?usage: scripts/bench_gpu.sh MODEL CORPUS}
corpus=${2:?usage: scripts/bench_gpu.sh MODEL CORPUS}
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT

"$python" - "$model" "$corpus" "$store" <<'PYTHON'
import sys
import time

import torch

from wordvec.extraction.encoder import load_encoder
from wordvec.extraction.extract import extract
from wordvec.models.find import find_model
from wordvec.tables.store import Store

model, corpus, folder = sys.argv[1:]
if not torch.cuda.is_available():
    sys.exit("no GPU: torch.cuda.is_available() is False")
print(torch.cuda.get_device_name(), "torch", torch.__version__)


def matrix_rate(dtype: torch.dtype, size: int = 8192, repeats: int = 20) -> float:
    """Return the operations per second of a square product."""
    a = torch.randn(size, size, device="cuda", dtype=dtype)
    a @ a
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(repeats):
        a @ a
    torch.cuda.synchronize()
    return repeats * 2 * size**3 / (time.perf_counter() - began)


modules = load_encoder(find_model(model)).modules()
linears = [module for module in modules if isinstance(module, torch.nn.Linear)]
weights = sum(one.weight.numel() for one in linears)
for dtype in ("float32", "bfloat16"):
    rate = matrix_rate(getattr(torch, dtype))
    # every occurrence is chosen, so that every sentence is computed
    reading = {"corpus": corpus, "sentences": 1_000_000, "per_token": 10**9}
    for mode, options in (("dynamic", {}), ("contextual", reading)):
        began = time.perf_counter()
        result = extract(
            model, mode, Store(folder), variant=dtype, dtype=dtype, device="cuda",
            batch_size=4096, **options,
        )
        seconds = time.perf_counter() - began
        tokens = 3 * result.shape[0] if mode == "dynamic" else result.corpus.tokens
        share = 2 * weights * tokens / seconds / rate
        print(f"{mode} {dtype}: {seconds:.1f} s, {tokens / seconds:,.0f} tokens/s, {share:.0%}")
PYTHON
