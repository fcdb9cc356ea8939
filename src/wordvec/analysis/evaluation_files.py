"""Read the files that tables are measured with: analogies, and pairs of words with a score.

The form is known by content:

- questions: a line `: category`, and four words a line, as word2vec's questions-words.txt
  (Mikolov et al. 2013);
- pairs by category: category, word and word, with tabs;
- pairs of one category: word and word, with a tab or a space; right answers of the second word are
  separated by `/`, as in a file of BATS (Gladkova, Drozd and Matsuoka 2016). A folder is read file
  by file, and each file is a category;
- similarity: two words and a number, with tabs, commas or spaces, as MEN and WordSim-353; or with
  a heading that names the columns, as SimLex-999 and JWSD (JSIM);
- questions with a heading: word1, word2, word3, target, and type for the category, with commas.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.encoding import read_text
from wordvec.errors import WordvecError, as_path
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Line = tuple[int, list[str]]  # its number from 1, and its cells
    Pair = tuple[str, tuple[str, ...]]  # a word, and its right answers, the first of which is b

# Columns of files with a heading, in lower case. Of two scores, the first in this list counts.
_FIRST, _SECOND = ("word1", "word 1", "word_1"), ("word2", "word 2", "word_2")
_SCORES = (
    "simlex999", "mean", "human (mean)", "score", "similarity", "gold",
    "mean(remove_extreme_annotator)",
)  # fmt: skip
_TAGGED = re.compile(r".+-[nvja]")  # a lemma of MEN with its part of speech: sun-n


@dataclass(frozen=True, slots=True)
class Category:
    """Pairs of words with one relation, and the questions a:b=c:? that they make.

    pairs: a word and its right answers; the first answer is b of a question.
    questions: for each question the places in `pairs` of (a, b) and of (c, d); None for every
    ordered two of the pairs.
    """

    pairs: Sequence[Pair]
    questions: Sequence[tuple[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class AnalogySet:
    """Analogies of a file or folder, by category."""

    name: str
    categories: dict[str, Category]


@dataclass(frozen=True, slots=True)
class SimilaritySet:
    """Pairs of words, and how similar people find them."""

    name: str
    pairs: Sequence[tuple[str, str]]
    scores: Sequence[float]


TestSet = AnalogySet | SimilaritySet


def bundled_analogies() -> Path:
    """Return the file of Japanese analogies that is part of the package."""
    return Path(str(files("wordvec").joinpath("data", "analogies.tsv")))


def read_test_sets(files: str | Path | Sequence[str | Path] = ()) -> list[TestSet]:
    """Read one file, several, or the bundled analogies if there are none."""
    paths = [files] if isinstance(files, str | Path) else list(files)
    return [read_test_set(as_path(path, "files")) for path in paths or [bundled_analogies()]]


def read_test_set(path: Path) -> TestSet:
    """Read a file, or a folder of files of pairs, of one of the forms above.

    Raises:
        WordvecError: for a file that is empty or not UTF-8, or a line that cannot be read.
    """
    if path.is_dir():
        return _read_folder(path)
    written = read_text(path).split("\n")
    lines = [(number, line.strip("\r ")) for number, line in enumerate(written, 1)]
    lines = [(number, line) for number, line in lines if line.strip() and line[:2] != "# "]
    if not lines:
        raise WordvecError(f"{path} is empty")
    if lines[0][1].lstrip()[0] == ":":
        return AnalogySet(path.name, _questions(path, lines))
    cells = list(_cells(lines))
    heading = [cell.strip().lower() for cell in cells[0][1]]
    if {"word1", "word2", "word3", "target"} <= set(heading):
        return AnalogySet(path.name, _questions_with_heading(path, heading, cells[1:]))
    if columns := _similarity_columns(heading):
        return _similarities(path, columns, cells[1:])
    if all(len(row) == 3 and _is_number(row[2]) for _, row in cells):
        return _similarities(path, (0, 1, 2), cells)
    return AnalogySet(path.name, _pairs(path, cells))


def _read_folder(path: Path) -> AnalogySet:
    categories: dict[str, Category] = {}
    found = sorted(file for file in path.rglob("*.txt") if not file.name.startswith("."))
    for file in found:
        read = read_test_set(file)
        if isinstance(read, SimilaritySet):
            raise WordvecError(f"{file} has pairs with a score: a folder has files of analogies")
        for name, category in read.categories.items():
            known = name in categories  # files of one name in two folders
            categories[str(file.relative_to(path).with_suffix("")) if known else name] = category
    if not categories:
        raise WordvecError(f"{path} has no .txt files", hint="name a file, or a folder of BATS")
    return AnalogySet(path.name, categories)


def _cells(lines: Sequence[tuple[int, str]]) -> Iterator[Line]:
    """Split lines at tabs, else at commas if the first one has two of them, else at spaces."""
    first = lines[0][1]
    if "\t" in first:
        yield from ((number, [cell.strip() for cell in line.split("\t")]) for number, line in lines)
    elif first.count(",") >= 2:
        rows = csv.reader(line for _, line in lines)
        yield from ((number, row) for (number, _), row in zip(lines, rows, strict=False))
    else:
        yield from ((number, line.split()) for number, line in lines)


def _is_number(cell: str) -> bool:
    try:
        return isfinite(float(cell))
    except ValueError:
        return False


def _questions(path: Path, lines: Iterable[tuple[int, str]]) -> dict[str, Category]:
    questions: list[tuple[str, list[str]]] = []
    name = ""
    for number, written in lines:
        line = written.strip()
        if line[0] == ":":
            name = line[1:].strip()
            continue
        words = line.split()
        if len(words) != 4:
            raise _bad_line(path, number, line, "four words, or a colon and a category")
        questions.append((name, words))
    return _by_category(questions)


def _questions_with_heading(
    path: Path, heading: Sequence[str], rows: Iterable[Line]
) -> dict[str, Category]:
    places = [heading.index(name) for name in ("word1", "word2", "word3", "target")]
    kind = next((heading.index(name) for name in ("type", "category") if name in heading), None)
    questions = []
    for number, row in rows:
        if len(row) != len(heading) or not all(row[place].strip() for place in places):
            raise _bad_line(path, number, ",".join(row), f"{len(heading)} cells as in the heading")
        name = path.stem if kind is None else row[kind].strip()
        questions.append((name, [row[place].strip() for place in places]))
    return _by_category(questions)


def _by_category(questions: Iterable[tuple[str, list[str]]]) -> dict[str, Category]:
    """Return the questions by category, each pair once; `/` separates right answers."""
    places: dict[str, dict[Pair, int]] = {}
    asked: dict[str, list[tuple[int, int]]] = {}
    for name, (a, b, c, d) in questions:
        known = places.setdefault(name, {})
        two = [known.setdefault((one, (other,)), len(known)) for one, other in ((a, b), (c, d))]
        asked.setdefault(name, []).append((two[0], two[1]))
    return {name: Category(list(places[name]), some) for name, some in asked.items()}


def _pairs(path: Path, rows: Sequence[Line]) -> dict[str, Category]:
    if len(rows[0][1]) == 2:
        return {path.stem: _pairs_of_file(path, rows)}
    pairs: dict[str, list[Pair]] = {}
    for number, row in rows:
        if len(row) != 3 or not all(row):
            expected = "category, word and word, separated by tabs"
            raise _bad_line(path, number, "\t".join(row), expected)
        pairs.setdefault(row[0], []).append((row[1], _answers(row[2])))
    return {name: Category(some) for name, some in pairs.items()}


def _pairs_of_file(path: Path, rows: Iterable[Line]) -> Category:
    pairs = []
    for number, row in rows:
        if len(row) != 2 or not all(row):
            raise _bad_line(path, number, "\t".join(row), "two words, separated by a tab")
        pairs.append((row[0], _answers(row[1])))
    return Category(pairs)


def _answers(cell: str) -> tuple[str, ...]:
    """Split right answers at `/`; a cell of slashes alone is one."""
    return tuple(answer for answer in cell.split("/") if answer) or (cell,)


def _similarity_columns(heading: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the places of two words and a score, if a heading names them."""
    found = [
        next((heading.index(name) for name in names if name in heading), None)
        for names in (_FIRST, _SECOND, _SCORES)
    ]
    one, other, score = found
    return None if one is None or other is None or score is None else (one, other, score)


def _similarities(path: Path, columns: tuple[int, int, int], rows: Sequence[Line]) -> SimilaritySet:
    pairs, scores = [], []
    for number, row in rows:
        cells = [row[place].strip() if place < len(row) else "" for place in columns]
        if not all(cells) or not _is_number(cells[2]):
            raise _bad_line(path, number, " ".join(row), "two words and a number")
        pairs.append((cells[0], cells[1]))
        scores.append(float(cells[2]))
    if pairs and all(_TAGGED.fullmatch(word) for pair in pairs for word in pair):
        pairs = [(one[:-2], other[:-2]) for one, other in pairs]
    return SimilaritySet(path.name, pairs, scores)


def _bad_line(path: Path, number: int, line: str, expected: str) -> WordvecError:
    return WordvecError(f"{path}, line {number}: expected {expected}, got {clip(escape(line), 40)}")
