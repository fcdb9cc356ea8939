"""Step 3, vocabulary: specials, characters, words and `##` pieces, as in the reference model.

A vocabulary of V tokens has the five specials; every kana, every joyo kanji and every character
seen at least CHARACTER_COUNT times, alone and as a `##` piece; the `##` pieces of two to four
characters that shorten the remaining words most; and the most frequent words. All but the specials
are ordered by their frequency in the text as cut by the vocabulary. `--include` names words that
are added at any frequency: the cells of a TSV file without its first column (the category of a
question).

    python vocabulary.py RUN --weight kyoto=3 --weight jaquad=3 --include analogies.tsv

reads RUN/cut, writes RUN/vocab.txt and RUN/words.tsv (word, weighted count). The weight of a
source multiplies its counts; use the same weights in the later steps.
"""

from __future__ import annotations

import argparse
from collections import Counter
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

from files import parts_of, whole
from tqdm import tqdm
from weights import Weights, add_weight_option, source_of
from wordpiece import CONTINUES, SPECIALS, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

CHARACTER_COUNT = 400  # weighted occurrences that give a character its own tokens
LONG_PIECES = 2_500  # `##` pieces of more than one character
LONGEST_PIECE = 4
RARE = 3  # words seen less often are ignored

KANA = [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC)]


def joyo() -> list[str]:
    """Return the 2,136 kanji of the joyo list (Cabinet notice of 2010)."""
    return list(Path(__file__).with_name("joyo.txt").read_text(encoding="utf-8").replace("\n", ""))


def count_part(path: Path) -> tuple[str, Counter[str]]:
    return source_of(path), Counter(path.read_text(encoding="utf-8").split())


def count_words(parts: list[Path], weights: Weights, processes: int) -> Counter[str]:
    """Return word → count, weighted by source."""
    by_source: dict[str, Counter[str]] = {}
    with Pool(processes) as pool:
        counted = pool.imap_unordered(count_part, parts)
        for source, counts in tqdm(counted, total=len(parts), desc="count", unit="part"):
            by_source.setdefault(source, Counter()).update(counts)
    total: Counter[str] = Counter()
    for source, counts in by_source.items():
        for word, count in counts.items():
            total[word] += round(count * weights.of(source))
    return total


def characters(words: Counter[str]) -> list[str]:
    """Return kana, joyo kanji and other frequent characters, without repetition."""
    seen: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            seen[character] += count
    frequent = [character for character, count in seen.items() if count >= CHARACTER_COUNT]
    return list(dict.fromkeys([*KANA, *joyo(), *frequent]))


def long_pieces(words: Iterable[tuple[str, int]], vocabulary: set[str]) -> list[str]:
    """Return the `##` pieces that shorten words most, by count × characters saved.

    words: (word, count), words of the vocabulary left out.
    """
    saved: Counter[str] = Counter()
    for word, count in words:
        first = len(pieces(word, vocabulary)[0])
        for end in range(first + 2, min(len(word), first + LONGEST_PIECE) + 1):
            saved[CONTINUES + word[first:end]] += count * (end - first - 1)
    return [piece for piece, _ in saved.most_common(LONG_PIECES)]


def included(tables: list[Path]) -> set[str]:
    """Return the words of TSV files, all columns but the first."""
    rows = (row for table in tables for row in table.read_text(encoding="utf-8").splitlines())
    return {word for row in rows for word in row.split("\t")[1:]}


def build(words: Counter[str], size: int, wanted: set[str]) -> list[str]:
    """Return the vocabulary: `size` tokens in their final order."""
    single = characters(words)
    base = {*SPECIALS, *wanted, *single, *(CONTINUES + character for character in single)}
    ranked = [(word, count) for word, count in words.most_common() if count >= RARE]
    whole_words = [word for word, _ in ranked if word not in base]
    room = size - len(base) - LONG_PIECES
    if room < 0 or room > len(whole_words):
        raise SystemExit(f"{len(base)} characters and {len(whole_words)} words do not make {size}")
    vocabulary = base | set(whole_words[:room])
    left_out = [(word, count) for word, count in ranked if word not in vocabulary]
    vocabulary |= set(long_pieces(left_out, vocabulary))
    vocabulary |= set(whole_words[room : room + size - len(vocabulary)])
    return [*SPECIALS, *by_frequency(vocabulary - set(SPECIALS), words)]


def by_frequency(tokens: set[str], words: Counter[str]) -> list[str]:
    """Return tokens by their count in the cut text, ties in the order of their characters."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for piece in pieces(word, tokens):
            counts[piece] += count
    return sorted(tokens, key=lambda token: (-counts[token], token))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--size", type=int, default=32_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--include", type=Path, action="append", default=[], metavar="TSV")
    add_weight_option(parser)
    arguments = parser.parse_args()
    weights = Weights.parse(arguments.weight)
    words = count_words(parts_of(arguments.run / "cut", ".txt"), weights, arguments.processes)
    with whole(arguments.run / "words.tsv") as beside:
        rows = (f"{word}\t{count}\n" for word, count in words.most_common())
        beside.write_text("".join(rows), encoding="utf-8")
    vocabulary = build(words, arguments.size, included(arguments.include))
    with whole(arguments.run / "vocab.txt") as beside:
        beside.write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    print(f"{sum(words.values()):,} words, {len(words):,} different; {len(vocabulary):,} tokens")


if __name__ == "__main__":
    main()
