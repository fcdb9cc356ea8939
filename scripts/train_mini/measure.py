"""Step 8, measure: compute the figures of the model card from the exported folder.

    python measure.py RUN FOLDER --analogies analogies.tsv [--card]

prints them as Markdown, writes FOLDER/measures.json with --card, and puts the Markdown between the
two marks of FOLDER/README.md. Held-out text is RUN/heldout; the unigram and the bigram model are
counted on RUN/ids.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from analogies import Pairs, accuracy, mean, read, unit
from batches import choose, continues, words_of
from files import parts_of, whole
from tqdm import tqdm
from transformers import BertForMaskedLM
from wordpiece import CLS, MASK, SEP

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Scores = dict[str, tuple[float, float, int]]

BATCH = 256
WINDOW = 64
WINDOWS = 4000
HIDDEN = 0.15  # of the words of a held-out window
BEGIN, END = "<!-- measures -->", "<!-- end of measures -->"
QUESTIONS = (("王", "男", "女", "女王"), ("国王", "男", "女", "女王"))  # a - b + c, expected


@dataclass(frozen=True, slots=True)
class Guesses:
    """Shares of masked words predicted right, in all their pieces."""

    words: int
    model: float
    unigram: float
    bigram: float


@dataclass(frozen=True, slots=True)
class Rank:
    """The rank of the expected word; 1 is the nearest."""

    table: str
    question: str
    metric: str
    words_in: int
    words_out: int


@dataclass(frozen=True, slots=True)
class Measures:
    """All figures of the card."""

    static: Scores
    dynamic: Scores
    ranks: list[Rank]
    guesses: Guesses


@torch.inference_mode()
def dynamic_table(model: BertForMaskedLM, size: int) -> Floats:
    """Return the last hidden state of every token in [CLS] token [SEP]: (V, D)."""
    rows = []
    for start in tqdm(range(0, size, BATCH), desc="dynamic", unit="batch"):
        ids = torch.arange(start, min(start + BATCH, size))
        batch = torch.stack([torch.full_like(ids, CLS), ids, torch.full_like(ids, SEP)], dim=1)
        rows.append(model.bert(batch.to(model.device)).last_hidden_state[:, 1].float().cpu())
    return torch.cat(rows).numpy()


def static_table(model: BertForMaskedLM) -> Floats:
    weight: torch.Tensor = model.get_input_embeddings().weight
    return weight.detach().float().cpu().numpy()


def places(scores: npt.NDArray[np.float64], row: int, words: list[int]) -> tuple[int, int]:
    """Return (rank among all tokens, rank without the query words) of a row; larger is better."""
    before = scores > scores[row]
    return 1 + int(before.sum()), 1 + int(before.sum() - before[words].sum())


def ranks(name: str, table: Floats, row_of: dict[str, int]) -> list[Rank]:
    """Return the ranks of the expected words, by L2 of raw and by cosine of unit vectors."""
    raw = table.astype(np.float64)
    units = unit(raw).astype(np.float64)
    found = []
    for a, b, c, hoped in QUESTIONS:
        words = [row_of[word] for word in (a, b, c)]
        for metric, vectors in (("L2", raw), ("cosine", units)):
            asked = vectors[words[0]] - vectors[words[1]] + vectors[words[2]]
            scores = vectors @ asked
            if metric == "L2":
                scores = -np.linalg.norm(vectors - asked, axis=1)
            inside, outside = places(scores, row_of[hoped], words)
            found.append(Rank(name, f"{a}-{b}+{c} → {hoped}", metric, inside, outside))
    return found


def held_out_windows(folder: Path) -> Ids:
    """Return disjoint windows spread evenly over the held-out text: (WINDOWS, WINDOW)."""
    text = np.concatenate([np.load(part) for part in parts_of(folder, ".npy")]).astype(np.int64)
    body = WINDOW - 2
    count = min(WINDOWS, len(text) // body)
    begins = np.linspace(0, len(text) - body, count).astype(np.int64)
    batch = np.full((count, WINDOW), SEP, dtype=np.int64)
    batch[:, 0] = CLS
    batch[:, 1:-1] = text[begins[:, None] + np.arange(body)]
    return batch


@torch.inference_mode()
def guess(model: BertForMaskedLM, seen: Ids, chosen: npt.NDArray[np.bool_]) -> Ids:
    """Return the predictions of the model at the chosen positions, in order: (M,)."""
    guesses = []
    for start in tqdm(range(0, len(seen), BATCH), desc="guess", unit="batch"):
        block = slice(start, start + BATCH)
        where = torch.from_numpy(chosen[block])
        hidden = model.bert(torch.from_numpy(seen[block]).to(model.device)).last_hidden_state
        guesses.append(model.cls(hidden[where.to(model.device)]).argmax(dim=1).cpu())
    return torch.cat(guesses).numpy()


def next_by_count(folder: Path, size: int) -> tuple[int, Ids]:
    """Return the most frequent token, and the most frequent token after each: (V,)."""
    total = np.zeros(size, dtype=np.int64)
    keys: list[npt.NDArray[np.uint32]] = []
    for part in tqdm(parts_of(folder, ".npy"), desc="bigram", unit="part"):
        ids = np.load(part).astype(np.uint32)
        total += np.bincount(ids, minlength=size)
        keys.append(ids[:-1] * np.uint32(size) + ids[1:])
    pairs, counts = np.unique(np.concatenate(keys), return_counts=True)
    total[SEP] = 0  # the ends of lines are never predicted
    counts[pairs % size == SEP] = 0
    best = np.full(size, int(total.argmax()), dtype=np.int64)
    rising = np.argsort(counts, kind="stable")  # the most frequent is written last
    best[pairs[rising] // size] = pairs[rising] % size
    return int(total.argmax()), best


def share_right(right: npt.NDArray[np.bool_], words: Ids) -> float:
    """Return the share of words right in every piece. words: (M,), the word of each position."""
    _, word = np.unique(words, return_inverse=True)
    wrong = np.bincount(word, weights=~right)
    return float((wrong == 0).mean())


def guesses(model: BertForMaskedLM, run: Path, tokens: list[str]) -> Guesses:
    true = held_out_windows(run / "heldout" / "ids")
    continuing = continues(tokens)
    chosen = choose(true, continuing, HIDDEN, np.random.default_rng(0))
    numbered = words_of(true, continuing) + WINDOW * np.arange(len(true))[:, None]
    words, target = numbered[chosen], true[chosen]
    unigram, after = next_by_count(run / "ids", len(tokens))
    left = np.roll(true, 1, axis=1)[chosen]
    left[left == CLS] = SEP  # the window begins in the middle of a text
    guessed = guess(model, np.where(chosen, MASK, true), chosen)
    return Guesses(
        words=len(np.unique(words)),
        model=share_right(guessed == target, words),
        unigram=share_right(target == unigram, words),
        bigram=share_right(after[left] == target, words),
    )


def measure(run: Path, folder: Path, pairs: Pairs, device: str) -> Measures:
    tokens = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    row_of = {token: row for row, token in enumerate(tokens)}
    model = BertForMaskedLM.from_pretrained(folder).to(device).eval()
    static, dynamic = static_table(model), dynamic_table(model, len(tokens))
    return Measures(
        static=accuracy(static, tokens, pairs),
        dynamic=accuracy(dynamic, tokens, pairs),
        ranks=[*ranks("static", static, row_of), *ranks("dynamic", dynamic, row_of)],
        guesses=guesses(model, run, tokens),
    )


def analogy_lines(measures: Measures) -> list[str]:
    lines = [
        "| Category | Questions | Static top 1 | top 10 | Dynamic top 1 | top 10 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for category, (first, ten, count) in measures.static.items():
        later_first, later_ten, _ = measures.dynamic[category]
        shares = " | ".join(f"{100 * share:.1f}" for share in (first, ten, later_first, later_ten))
        lines.append(f"| {category} | {count} | {shares} |")
    total = sum(count for _, _, count in measures.static.values())
    means = (*mean(measures.static), *mean(measures.dynamic))
    shares = " | ".join(f"**{100 * share:.1f}**" for share in means)
    return [*lines, f"| **mean over categories** | {total} | {shares} |"]


def rank_lines(measures: Measures) -> list[str]:
    lines = [
        "| Table | Query | Metric | Rank | Rank without the words of the query |",
        "|---|---|---|---:|---:|",
    ]
    for rank in measures.ranks:
        cells = (rank.table, rank.question, rank.metric, rank.words_in, rank.words_out)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def guess_lines(measures: Measures) -> list[str]:
    found = measures.guesses
    better = max(found.unigram, found.bigram)
    return [
        "| Model | Masked words predicted correctly |",
        "|---|---:|",
        f"| mini | {100 * found.model:.1f} % |",
        f"| unigram: always the most frequent token | {100 * found.unigram:.1f} % |",
        f"| bigram: the most frequent after the left neighbour | {100 * found.bigram:.1f} % |",
        "",
        f"{found.words:,} masked words; mini relative to the better: {found.model / better:.2f}.",
    ]


def markdown(measures: Measures) -> str:
    return "\n".join(
        [
            "Analogies (3CosAdd, words of the question excluded), right answers in %:",
            "",
            *analogy_lines(measures),
            "",
            "Rank of the expected word (1 is the nearest):",
            "",
            *rank_lines(measures),
            "",
            "Masked words on held-out text:",
            "",
            *guess_lines(measures),
        ]
    )


def put_into_card(card: Path, text: str) -> None:
    """Replace the text between the two marks."""
    before, _, rest = card.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    with whole(card) as beside:
        beside.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--analogies", type=Path, required=True)
    parser.add_argument("--card", action="store_true", help="write into the folder too")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    pairs = read(arguments.analogies)
    measures = measure(arguments.run, arguments.folder, pairs, arguments.device)
    text = markdown(measures)
    print(text)
    if arguments.card:
        with whole(arguments.folder / "measures.json") as beside:
            content = json.dumps(asdict(measures), ensure_ascii=False, indent=1)
            beside.write_text(f"{content}\n", encoding="utf-8")
        put_into_card(arguments.folder / "README.md", text)


if __name__ == "__main__":
    main()
