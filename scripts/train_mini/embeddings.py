"""Step 5, embeddings: word2vec (CBOW) over the token ids gives the initial input vectors.

The strongest directions only separate frequent tokens from rare ones and old text from new; they
are removed (all-but-the-top, Mu and Viswanath 2018, with D / 100 components).

    python embeddings.py RUN --weight kyoto=3 --weight jaquad=3 [--passes 6] [--threads 2]

reads RUN/ids and RUN/vocab.txt, writes RUN/stream.txt (ids as words, one line of text per line),
RUN/word2vec-1.npz … after every pass (a later run resumes from the last) and RUN/embeddings.npy:
(V, 256) float32.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
from files import parts_of, whole
from gensim.models import Word2Vec
from tqdm import tqdm
from weights import Weights, add_weight_option, source_of
from wordpiece import CONTINUES, SEP, SPECIALS

Floats = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

FIRST_RATE = 0.05
LAST_RATE = 0.0005
FEW = 20  # a token seen less often is moved towards its twin (`X` and `##X`)
SHORTEST_LINE = 3  # tokens


def order(parts: list[Path], weights: Weights) -> list[Path]:
    """Return the parts in random order, each repeated by the rounded weight of its source."""
    repeated = [part for part in parts for _ in range(round(weights.of(source_of(part))))]
    random.Random(0).shuffle(repeated)  # noqa: S311 - no secret
    return repeated


def lines_of(ids: npt.NDArray[np.uint16]) -> list[npt.NDArray[np.uint16]]:
    """Yield the ids between one [SEP] and the next."""
    ends = np.flatnonzero(ids == SEP)
    return [line[line != SEP] for line in np.split(ids, ends)]


def write_stream(run: Path, weights: Weights, size: int) -> Counts:
    """Write the stream as text for gensim's reader; return the count of each id."""
    counts = np.zeros(size, dtype=np.int64)
    names = [str(row) for row in range(size)]
    with whole(run / "stream.txt") as beside, beside.open("w", encoding="ascii") as stream:
        for part in tqdm(order(parts_of(run / "ids", ".npy"), weights), desc="stream", unit="part"):
            ids = np.load(part)
            counts += np.bincount(ids, minlength=size)
            for line in lines_of(ids):
                if len(line) >= SHORTEST_LINE:
                    stream.write(" ".join([names[row] for row in line.tolist()]) + "\n")
    counts[: len(SPECIALS)] = 0  # the stream has no specials
    with whole(run / "counts.npy") as beside, beside.open("wb") as file:
        np.save(file, counts)
    return counts


def stream_counts(run: Path, weights: Weights, size: int) -> Counts:
    """Return the counts of the stream; write it unless it is newer than the vocabulary."""
    written = run / "counts.npy"
    if written.exists() and written.stat().st_mtime > (run / "vocab.txt").stat().st_mtime:
        return np.asarray(np.load(written))
    return write_stream(run, weights, size)


def fresh(counts: Counts, settings: argparse.Namespace) -> Word2Vec:
    model = Word2Vec(
        vector_size=settings.width,
        window=settings.window,
        negative=settings.negative,
        sg=0,
        sample=settings.sample,
        min_count=1,
        workers=settings.threads,
        seed=1,
    )
    seen = {str(row): int(counts[row]) for row in np.flatnonzero(counts)}
    model.build_vocab_from_freq(seen, corpus_count=1)
    return model


def save(model: Word2Vec, path: Path) -> None:
    with whole(path) as beside, beside.open("wb") as file:
        np.savez(file, rows=rows_of(model), inner=model.wv.vectors, outer=model.syn1neg)


def rows_of(model: Word2Vec) -> Counts:
    """Return the id of each vector: gensim orders them by decreasing frequency."""
    return np.array([int(name) for name in model.wv.index_to_key])


def resume(model: Word2Vec, run: Path, passes: int) -> int:
    """Load the last pass into the model; return how many are done."""
    for done in range(passes, 0, -1):
        path = run / f"word2vec-{done}.npz"
        if path.exists():
            with np.load(path) as saved:
                place = np.argsort(saved["rows"])[np.argsort(np.argsort(rows_of(model)))]
                model.wv.vectors[:] = saved["inner"][place]
                model.syn1neg[:] = saved["outer"][place]
            return done
    return 0


def rate(done: int, passes: int) -> float:
    """Return the learning rate after some passes; it decreases linearly."""
    return FIRST_RATE + (LAST_RATE - FIRST_RATE) * done / passes


def train(model: Word2Vec, run: Path, counts: Counts, passes: int) -> None:
    stream = run / "stream.txt"
    with stream.open("rb") as lines:
        length = sum(1 for _ in lines)
    start = resume(model, run, passes)
    for done in tqdm(range(start, passes), initial=start, total=passes, desc="word2vec"):
        model.train(
            corpus_file=str(stream),
            total_examples=length,
            total_words=int(counts.sum()),
            epochs=1,
            start_alpha=rate(done, passes),
            end_alpha=rate(done + 1, passes),
        )
        save(model, run / f"word2vec-{done + 1}.npz")


def by_row(model: Word2Vec, size: int) -> Floats:
    """Return the vectors by id: (V, D); unseen tokens get the mean, specials random vectors."""
    table = np.tile(model.wv.vectors.mean(axis=0), (size, 1)).astype(np.float32)
    table[rows_of(model)] = model.wv.vectors
    specials = np.random.default_rng(0).normal(size=(len(SPECIALS), table.shape[1]))
    table[: len(SPECIALS)] = specials * model.wv.vectors.std()
    return table


def lean_on_twins(table: Floats, tokens: list[str], counts: Counts) -> Floats:
    """Move tokens seen fewer than FEW times towards their twin, `X` towards `##X` and back."""
    row_of = {token: row for row, token in enumerate(tokens)}
    drawn = table.copy()
    for row, token in enumerate(tokens):
        bare = token.removeprefix(CONTINUES)
        twin = row_of.get(bare if bare != token else CONTINUES + token)
        if counts[row] < FEW and twin is not None and counts[twin] > counts[row]:
            share = counts[row] / FEW
            drawn[row] = share * table[row] + (1 - share) * table[twin]
    return drawn


def without_top(table: Floats) -> Floats:
    """Return unit vectors without their mean and their D / 100 strongest directions."""
    units = table / np.linalg.norm(table, axis=1, keepdims=True)
    centred = units - units.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # in ascending order
    top = directions[:, -round(table.shape[1] / 100) :]  # (D, D / 100)
    return np.asarray(centred - centred @ top @ top.T, dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--window", type=int, default=6)
    parser.add_argument("--negative", type=int, default=10)
    parser.add_argument("--sample", type=float, default=1e-4)
    add_weight_option(parser)
    arguments = parser.parse_args()
    run = arguments.run
    tokens = (run / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    counts = stream_counts(run, Weights.parse(arguments.weight), len(tokens))
    model = fresh(counts, arguments)
    train(model, run, counts, arguments.passes)
    table = lean_on_twins(by_row(model, len(tokens)), tokens, counts)
    with whole(run / "embeddings.npy") as beside, beside.open("wb") as file:
        np.save(file, without_top(table))


if __name__ == "__main__":
    main()
