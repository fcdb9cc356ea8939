"""Extraction from a random model of the reference's size: 12 layers, 768 dimensions.

dynamic     tokens per second of wordvec after its first batch, beside the article's loop (one token
            per forward pass), plain batches of the same model, model2vec's pass over the tokens,
            and the linear layers alone, by F.linear and by oneDNN's packed product: the share of
            the better rate that a whole pass reaches shows how much can still be gained
batches     wordvec with other batch sizes
layers      all layers in one pass, relative to the last one
contextual  sentences of --corpus (a random text without it), beside sentence-transformers
memory      each command once, from --memory tokens, with its peak memory
"""

from __future__ import annotations

import inspect
import random
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import ROOT, Bench
from benchmarks.programs import Command, Program, Worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


PARTS = ("dynamic", "batches", "layers", "contextual", "memory")
MINI = ROOT / "src" / "wordvec" / "data" / "mini"
POSITIONS = 3  # [CLS] token [SEP]
CLS, SEP = 2, 3
LOOP_TOKENS = 24  # of the article's loop; all of them would take half an hour


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tokens", type=int, default=4096, help="of the model, at most 32,000")
    parser.add_argument("--memory", type=int, default=32_000, help="tokens of the part memory")
    parser.add_argument("--size", default="12x768", help="layers x dimensions")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--corpus", type=Path, metavar="FILE", help="text of contextual vectors")
    parser.add_argument("--sentences", type=int, default=500, help="of the corpus")


def measure(bench: Bench) -> None:
    layers, width = map(int, bench.options["size"].split("x"))
    shape = {"layers": layers, "width": width}
    model = made_model(bench, bench.options["tokens"], shape)
    parts = bench.options["parts"].split(",")
    if "dynamic" in parts:
        dtypes = bench.options["dtypes"].split(",")
        times = {dtype: dynamic(bench, model, shape, dtype) for dtype in dtypes}
        float32, other = times.get("float32"), times.get("bfloat16")
        ratio = other / float32 if other and float32 else None
        bench.figure("Extraction", "bfloat16: time / wordvec in float32", ratio, "×")
    if "batches" in parts:
        batches(bench, model)
    if "layers" in parts:
        every_layer(bench, model)
    if "contextual" in parts:
        contextual(bench, made_model(bench, 32_000, shape))
    if "memory" in parts:
        memory_of_commands(bench, made_model(bench, bench.options["memory"], shape))


def dynamic(bench: Bench, model: Path, shape: dict[str, int], dtype: str) -> float | None:
    """Compare the rates of whole passes and of the linear layers; return seconds per token."""
    size = bench.options["batch_size"]
    arguments = {"model": str(model), "dtype": dtype, "size": size}
    alone = shape | {"dtype": dtype, "size": size}
    programs: dict[str, Program] = {
        "wordvec": Worker("extract:by_wordvec", arguments, ours=True),
        "plain batches": Worker("extract:by_batches", arguments),
        "F.linear alone": Worker("extract:linear_alone", alone | {"packed": False}),
        "oneDNN's linear alone": Worker("extract:linear_alone", alone | {"packed": True}),
        "the article's loop (float32)": Worker("extract:by_loop", {"model": str(model)}),
        "model2vec (float32)": Worker("extract:by_model2vec", {"model": str(model)}),
    }
    found = bench.run(f"dynamic vectors, {dtype}, seconds per token", programs)
    peers = {
        "the article's loop in float32": ("the article's loop (float32)", "≥ 20"),
        "plain batches of the same model": ("plain batches", ""),
        "model2vec in float32": ("model2vec (float32)", ""),
    }
    for row, (name, target) in peers.items():
        goal = target if dtype == "float32" else ""
        bench.figure(
            "Extraction", f"{dtype}: speed / {row}", found.ratio(name, "wordvec"), "×", goal
        )
    shares = [
        share
        for name in ("F.linear alone", "oneDNN's linear alone")
        if (share := found.ratio(name, "wordvec")) is not None
    ]
    share = min(shares, default=None)  # of the faster one
    row = f"{dtype}: share of the best rate of the linear layers alone"
    bench.figure("Extraction", row, share, "×", "≥ 0.9" if dtype == "float32" else "")
    seconds = found.median("wordvec")
    bench.figure("Extraction", f"{dtype}: tokens per second", 1 / seconds if seconds else None, "")
    speed = found.ratio("F.linear alone", "oneDNN's linear alone")
    bench.figure("Extraction", f"{dtype}: oneDNN's packed product / F.linear", speed, "×")
    return seconds


def batches(bench: Bench, model: Path) -> None:
    """Compare batch sizes; the speed of each is a share of the best."""
    for dtype in bench.options["dtypes"].split(","):
        sizes = [2**i for i in range(4, 12) if 2**i <= bench.options["tokens"]]
        arguments = {"model": str(model), "dtype": dtype}
        programs: dict[str, Program] = {
            str(size): Worker("extract:by_wordvec", arguments | {"size": size}, ours=True)
            for size in sizes
        }
        found = bench.run(f"tokens per batch, {dtype}, seconds per token", programs)
        times = {size: found.median(str(size)) for size in sizes}
        best = min((time for time in times.values() if time), default=0)
        for size, seconds in times.items():
            row = f"{dtype}, {size:,} tokens per batch: share of the best speed"
            bench.figure("Batch sizes", row, best / seconds if seconds else None, "×")


def every_layer(bench: Bench, model: Path) -> None:
    """Compare the extraction of all layers with that of the last one."""
    arguments = {"model": str(model), "dtype": "float32", "size": bench.options["batch_size"]}
    programs: dict[str, Program] = {
        "last layer": Worker("extract:by_wordvec", arguments, ours=True),
        "all layers": Worker("extract:by_wordvec", arguments | {"layers": "all"}, ours=True),
    }
    found = bench.run("layers, seconds per token", programs)
    ratio = found.ratio("all layers", "last layer")
    bench.figure("Extraction", "float32: time of all layers / last layer", ratio, "×")


def contextual(bench: Bench, model: Path) -> None:
    """Compare contextual vectors with sentence-transformers on the same sentences and model."""
    corpus = bench.folder / "corpus.txt"
    count = bench.options["sentences"]
    given = bench.options["corpus"]
    lines = given.read_text("utf-8").splitlines() if given else random_sentences(count)
    corpus.write_text("\n".join([line for line in lines if line.strip()][:count]), "utf-8")
    bench.options["corpus"] = given and given.name
    arguments = {"model": str(model), "corpus": str(corpus)}
    programs: dict[str, Program] = {
        "wordvec": Worker("extract:contextual_wordvec", arguments, ours=True),
        "sentence-transformers": Worker("extract:by_sentence_transformers", arguments),
    }
    found = bench.run(f"contextual vectors, {count:,} lines", programs)
    speed = found.ratio("sentence-transformers", "wordvec")
    row = "contextual, float32: speed / sentence-transformers"
    bench.figure("Extraction", row, speed, "×", "≥ 1.3")


def memory_of_commands(bench: Bench, model: Path) -> None:
    """Run the command once in each mode."""
    size = f"{bench.options['memory']:,} × {bench.options['size'].split('x')[1]}"
    table = f"Peak memory of each command, {size}"
    for mode in ("static", "dynamic"):
        name = f"extract --mode {mode}"
        command = Command.wordvec("extract", "--mode", mode, "--model", str(model), "--force")
        found = bench.run(f"{name}, {size}", {name: command}, rounds=1, warm_up=False)
        bench.figure(table, name, found.median(name, "peak"), "MB")


def made_model(bench: Bench, tokens: int, shape: dict[str, int]) -> Path:
    """Write a random BERT with the first tokens of mini; more are numbered."""
    folder = bench.folder / f"model-{tokens}"
    if not folder.exists():
        bench.prepare_here("extract:write_model", folder=str(folder), tokens=tokens, **shape)
    return folder


def write_model(folder: str, tokens: int, layers: int, width: int) -> Callable[[int], None]:
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokens, hidden_size=width, num_hidden_layers=layers, intermediate_size=4 * width,
        num_attention_heads=max(1, width // 64),
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    words = (MINI / "vocab.txt").read_text("utf-8").split("\n")[:-1][:tokens]
    words += [f"token{number}" for number in range(tokens - len(words))]
    Path(folder, "vocab.txt").write_text("".join(f"{word}\n" for word in words), "utf-8")
    shutil.copy(MINI / "tokenizer_config.json", folder)
    return lambda _: None


def random_sentences(count: int) -> list[str]:
    """Return sentences of 5 to 40 words of mini's vocabulary."""
    draw = random.Random(0)  # noqa: S311  # no secrets
    words = [w for w in (MINI / "vocab.txt").read_text("utf-8").split() if w[0] not in "[#"]
    return ["".join(draw.choices(words, k=draw.randint(5, 40))) + "。" for _ in range(count)]


def by_wordvec(
    model: str, dtype: str, size: int, layers: str | None = None
) -> Callable[[int], object]:
    from wordvec.extraction.extract import extract
    from wordvec.tables.store import Store

    names = inspect.signature(extract).parameters  # an earlier version has no force_dtype
    forced: dict[str, Any] = {"force_dtype": True} if "force_dtype" in names else {}

    def run(_: int) -> dict[str, float]:
        marks: list[tuple[float, int]] = [(time.perf_counter(), 0)]
        extract(
            model, "dynamic", Store(), dtype=dtype, batch_size=size, layers=layers, force=True,
            progress=lambda done, _: marks.append((time.perf_counter(), done)), **forced,
        )  # fmt: skip
        batches = [mark for mark in marks if mark[1]] or marks
        (start, first), (end, last) = batches[0], batches[-1]
        if last == first:  # one batch, with the loading of the model
            start, first = marks[0]
        return {"seconds": (end - start) / (last - first)}

    return run


def loaded(model: str, dtype: str = "float32") -> Any:
    import torch
    from transformers import BertModel

    return BertModel.from_pretrained(model, dtype=getattr(torch, dtype)).eval()


def by_batches(model: str, dtype: str, size: int) -> Callable[[int], object]:
    import torch

    bert = loaded(model, dtype)
    ids = torch.arange(size).remainder(bert.config.vocab_size)
    batch = torch.stack([torch.full((size,), CLS), ids, torch.full((size,), SEP)], dim=1)

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        with torch.inference_mode():
            bert(input_ids=batch).last_hidden_state[:, 1].float().numpy()
        return {"seconds": (time.perf_counter() - began) / size}

    return run


def by_loop(model: str) -> Callable[[int], object]:
    """Run the article's loop over a few tokens."""
    import torch

    bert = loaded(model)

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        with torch.no_grad():
            for id_ in range(LOOP_TOKENS):
                bert(input_ids=torch.tensor([[CLS, id_, SEP]])).last_hidden_state[0, 1].numpy()
        return {"seconds": (time.perf_counter() - began) / LOOP_TOKENS}

    return run


def by_model2vec(model: str) -> Callable[[int], object]:
    """Run the pass over the tokens that distill begins with."""
    from model2vec.distill.inference import create_embeddings

    bert = loaded(model)
    sentences = [[CLS, id_, SEP] for id_ in range(min(1024, bert.config.vocab_size))]

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        create_embeddings(bert, sentences, "cpu", 0)
        return {"seconds": (time.perf_counter() - began) / len(sentences)}

    return run


def linear_alone(
    layers: int, width: int, dtype: str, size: int, *, packed: bool
) -> Callable[[int], object]:
    """Run the products of the linear layers of one pass, without the rest of the model."""
    import torch
    from torch.nn import functional as F  # noqa: N812  # torch's own convention

    rows, kind, products = POSITIONS * size, getattr(torch, dtype), []
    for (inner, out), count in {
        (width, width): 4,
        (width, 4 * width): 1,
        (4 * width, width): 1,
    }.items():
        x, bias = torch.randn(rows, inner).to(kind), torch.randn(out).to(kind)
        weight = torch.randn(out, inner).to(kind)
        if packed:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, rows)  # noqa: SLF001
        products.append((x, weight, bias, count * layers))

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        with torch.inference_mode():
            for x, weight, bias, count in products:
                for _ in range(count):
                    if packed:
                        torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")  # noqa: SLF001
                    else:
                        F.linear(x, weight, bias)
        return {"seconds": (time.perf_counter() - began) / size}

    return run


def contextual_wordvec(model: str, corpus: str) -> Callable[[int], object]:
    import wordvec

    options: dict[str, Any] = {"per_token": 10**6, "min_count": 1, "workers": 0, "force": True}
    return lambda _: wordvec.extract(model, mode="contextual", corpus=corpus, **options)


def by_sentence_transformers(model: str, corpus: str) -> Callable[[int], object]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    texts = Path(corpus).read_text("utf-8").splitlines()

    def run(_: int) -> None:  # the model is read in each call, as wordvec does
        encoder = Transformer(model, max_seq_length=512)
        pooling = Pooling(encoder.get_embedding_dimension())
        peer = SentenceTransformer(modules=[encoder, pooling], device="cpu")
        peer.encode(texts, show_progress_bar=False)

    return run
