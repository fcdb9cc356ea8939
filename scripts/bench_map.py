#!/usr/bin/env python3
"""Measure the speed and quality of the map, compared with scikit-learn's TSNE as in the article.

    .venv/bin/python scripts/bench_map.py [--table mini:static | --random] [--parts large]

place  seconds, trustworthiness and neighbour recall of our positions for 3,000, 10,000 and 32,000
       tokens, and of scikit-learn's for 3,000 and 10,000 of the same (`--full`: 32,000 too)
page   the size of the page, and its frame times while 32,000 points are panned in headless Chromium
large  the same for a made map of 250,000 tokens, and the time until it is shown

Quality is measured against the ten nearest neighbours in the original space (L2). Recall is the
share of them that are among the ten nearest on the map; trustworthiness (Venna and Kaski 2001) is
reduced for each of the ten nearest on the map by its true rank beyond ten. Both are computed
exactly, in float64 and in blocks; of more than 10,000 tokens a fixed sample of 10,000 is compared
with all others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from wordvec.api import OpenTables  # noqa: E402
from wordvec.map.build import MappedTable, TokenMap, build_map  # noqa: E402
from wordvec.map.colours import TOKEN_CLASSES  # noqa: E402
from wordvec.map.page import build_page  # noqa: E402  (this checkout's, installed or not)
from wordvec.map.projection import Projection, ProjectionSettings, project  # noqa: E402
from wordvec.map.regions import NEIGHBOURS, find_regions  # noqa: E402
from wordvec.tables.name import Mode  # noqa: E402
from wordvec.tables.store import Store  # noqa: E402
from wordvec.tables.table import Provenance, VectorTable  # noqa: E402
from wordvec.vocabulary.lookup import Vocabulary  # noqa: E402

OURS, ARTICLE = (3_000, 10_000, 32_000), (3_000, 10_000)  # tokens, from id 0
K = 10
SAMPLE, BLOCK = 10_000, 256  # rows compared at most, and how many at once
LARGE = 250_000  # tokens
V, D, GROUPS = 32_000, 256, 500  # of the random table
SCREEN = {"width": 1280, "height": 800}
SECONDS = 5  # of panning
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]  # no GPU: rendered in software
# Pan in a circle, one step per frame, so that the points move and stay in view.
PAN = """([seconds, zoom]) => new Promise(done => {
    const { view, redraw } = wordvecMap, frames = [];
    view.show({ ...view.wholeMap(), scale: view.fitScale * zoom });
    let start = null, before = null;
    const step = now => {
        start ??= now;
        if (before !== null) frames.push(now - before);
        before = now;
        const angle = (now - start) / 400;
        view.pan(9 * Math.cos(angle), 9 * Math.sin(angle));
        redraw();
        if (now - start < 1000 * seconds) requestAnimationFrame(step);
        else done(frames);
    };
    requestAnimationFrame(step);
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--table", default="mini:static", metavar="MODEL:MODE")
    which.add_argument("--random", action="store_true", help=f"a random table of {V:,} x {D}")
    parser.add_argument("--parts", default="place,page,large")
    parser.add_argument("--full", action="store_true", help="scikit-learn on 32,000 too, minutes")
    options = parser.parse_args()
    table = made_table() if options.random else stored_table(options.table)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(table, Path(folder), OURS if options.full else ARTICLE)
        print(f"{bench.table.name}: {len(bench.table):,} tokens x {bench.table.dimensions}")
        print(f"{os.cpu_count()} cores; load before: {os.getloadavg()[0]:.1f}")
        for part in options.parts.split(","):
            {"place": bench.place, "page": bench.page, "large": bench.large}[part]()


@dataclass(frozen=True)
class Placed:
    """The result of one method on the first `tokens` rows."""

    tokens: int
    seconds: float
    trustworthiness: float
    recall: float


class Bench:
    """One table in a store of its own, with nothing computed from it yet."""

    def __init__(self, table: VectorTable, folder: Path, article: tuple[int, ...]) -> None:
        self.folder = folder
        self.article = article
        store = Store(folder / "store")
        store.save(table)
        self.table = store.open(table.name)
        self.derived = store.derived(self.table)

    def place(self) -> None:
        """Time both methods and measure their quality, small maps first."""
        import sklearn

        print(
            f"\npositions: seconds from vectors to positions, with our neighbour search included\n"
            f"  scikit-learn {sklearn.__version__}: TSNE(n_components=2), otherwise its defaults "
            "(as in the article; L2, perplexity 30,\n  initialised by PCA, 1,000 iterations of "
            "Barnes-Hut), random_state=0, n_jobs=-1\n"
            f"{'':28}{'tokens':>8}{'seconds':>10}{'trustworthiness':>18}{f'recall at {K}':>14}"
        )
        for way in (self.our_places, self.their_places):
            way(np.arange(200))  # imports, of which some are shared
        ours = {n: self.placed("wordvec", n, self.our_places) for n in self.counts(OURS)}
        theirs = {
            n: self.placed("scikit-learn", n, self.their_places) for n in self.counts(self.article)
        }
        for n, other in theirs.items():
            trust = ours[n].trustworthiness - other.trustworthiness
            recall = ours[n].recall - other.recall
            report(f"trustworthiness at {n:,}, ours - theirs", trust, "at least 0")
            report(f"recall at {n:,}, ours - theirs", recall, "at least 0")
        most, fewer = max(ours), max(self.counts(ARTICLE))
        ratio = theirs[fewer].seconds / ours[most].seconds
        report(f"seconds, scikit-learn {fewer:,} / ours {most:,}", ratio, "above 1")
        trust = ours[most].trustworthiness - theirs[fewer].trustworthiness
        report(f"trustworthiness, ours {most:,} - theirs {fewer:,}", trust, "at least 0")
        print("  (recall falls with the number of tokens: compare it at the same number)")

    def counts(self, wanted: tuple[int, ...]) -> list[int]:
        """Limit numbers of tokens to those that this table has."""
        return sorted({min(n, len(self.table)) for n in wanted})

    def placed(self, name: str, n: int, way: Callable[[NDArray[np.int64]], Projection]) -> Placed:
        """Run one method on the first n tokens and measure its quality."""
        start = time.perf_counter()
        found = way(np.arange(n))
        seconds = time.perf_counter() - start
        trust, recall = quality(self.table.vectors[found.rows], found.positions)
        print(f"  {name:<26}{n:>8,}{seconds:>10.1f}{trust:>18.4f}{recall:>14.4f}", flush=True)
        return Placed(n, seconds, trust, recall)

    def our_places(self, rows: NDArray[np.int64]) -> Projection:
        return project(self.table, rows, derived=self.derived)  # saved: the page uses them

    def their_places(self, rows: NDArray[np.int64]) -> Projection:
        from sklearn.manifold import TSNE

        vectors = np.array(self.table.vectors[rows])
        return Projection(
            rows, TSNE(n_components=2, random_state=0, n_jobs=-1).fit_transform(vectors)
        )

    def page(self) -> None:
        """Print the sizes of two pages and pan the larger one."""
        print("\npages, without vectors")
        for n, wanted in ((3_000, 4), (32_000, 8)):
            file = self.folder / f"{n}.html"
            file.write_text(build_page(build_map([self.table], tokens=n, derived=[self.derived])))
            report(f"MB for {n:,} tokens", file.stat().st_size / 1e6, f"under {wanted}")
        self.pan(file)

    def large(self) -> None:
        """Print the size of a large page and pan it."""
        print(f"\n{LARGE:,} tokens, without vectors")
        file = self.folder / "large.html"
        file.write_text(build_page(large_map(LARGE)))
        report("MB", file.stat().st_size / 1e6, "stated")
        self.pan(file)

    def pan(self, file: Path) -> None:
        """Open a page, pan it at three zooms and print its frame times."""
        if browser_program() is None:
            print("\ncannot pan: Chromium is not installed (apt install chromium fonts-noto-cjk)")
            return
        seconds, frames = open_and_pan(file)
        print(f"\nopened and panned for {SECONDS} s at {SCREEN['width']} x {SCREEN['height']}")
        report("seconds until the map is shown", seconds, "under 3")
        for zoom, times in frames.items():
            report(f"ms a frame, median, zoom {zoom}", statistics.median(times), "under 33")
            worst = statistics.quantiles(times, n=20)[-1]
            print(f"    ({len(times)} frames; 95 % of them under {worst:.0f} ms)")


def browser_program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def open_and_pan(file: Path, tries: int = 3) -> tuple[float, dict[int, list[float]]]:
    """Return the least seconds until the map is shown, and the milliseconds of each frame by zoom.

    The page is opened several times, as other programs on the machine only make it slower.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), args=FLAGS)
        seconds = []
        for _ in range(tries):
            start = time.perf_counter()
            page = opened(browser, file)
            seconds.append(time.perf_counter() - start)
        page.wait_for_selector("html[data-ready]")
        frames = {zoom: page.evaluate(PAN, [SECONDS, zoom]) for zoom in (1, 4, 16)}
        browser.close()
    return min(seconds), frames


def opened(browser: Browser, file: Path) -> Page:
    """Open a page from disk, with the network off, and wait until the map is shown."""
    page = browser.new_context(viewport=SCREEN, offline=True).new_page()  # type: ignore[arg-type]
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-shown]")
    return page


def quality(vectors: NDArray[np.float32], places: NDArray[np.float32]) -> tuple[float, float]:
    """Return trustworthiness and recall at K of a map, for at most SAMPLE of its N rows.

    vectors: (N, D). places: (N, 2).
    """
    N = len(vectors)
    wide = vectors.astype(np.float64)
    squares = np.einsum("nd,nd->n", wide, wide)
    rows = np.sort(np.random.default_rng(0).permutation(N)[:SAMPLE])
    near = nearest_on_map(places, rows)
    penalty = kept = 0
    for begin in range(0, len(rows), BLOCK):
        some = rows[begin : begin + BLOCK]
        distances = squares - 2 * wide[some] @ wide.T  # (B, N), without the row's own square
        distances[np.arange(len(some)), some] = np.inf  # a row is not its own neighbour
        ranks = ranks_of(near[begin : begin + BLOCK], distances)
        penalty += int(np.maximum(ranks - K, 0).sum())
        kept += int((ranks <= K).sum())
    trust = 1 - 2 * penalty / (len(rows) * K * (2 * N - 3 * K - 1))
    return trust, kept / (len(rows) * K)


def nearest_on_map(places: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the K nearest other rows on the map: (R, K) for R rows."""
    from scipy.spatial import cKDTree

    _, ids = cKDTree(places).query(places[rows], K + 1)
    others = ids != rows[:, None]
    others[others.all(axis=1), -1] = False  # a row with duplicates may not find itself
    found: NDArray[np.int64] = ids[others].reshape(len(rows), K)
    return found


def ranks_of(ids: NDArray[np.int64], distances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the true ranks, from 1, of ids (B, K) in rows of distances (B, N)."""
    own = np.take_along_axis(distances, ids, axis=1)
    return np.stack(
        [1 + (distances < own[:, [k]]).sum(axis=1) for k in range(ids.shape[1])], axis=1
    )


def stored_table(name: str) -> VectorTable:
    opened = OpenTables(Store()).open(name)
    for note in opened.notes:
        print(f"Note: {note}")
    return opened.data


def made_table() -> VectorTable:
    """Return groups of very different sizes, each spread in twelve directions, with noise."""
    rng = np.random.default_rng(0)
    group = np.minimum(rng.geometric(0.004, V), GROUPS) - 1  # (V,)
    spread = rng.standard_normal((GROUPS, 12, D)) / 5
    rows = rng.standard_normal((GROUPS, D))[group] * 0.6 + rng.standard_normal((V, D)) * 0.35
    for one in range(GROUPS):
        mine = group == one
        rows[mine] += rng.standard_normal((int(mine.sum()), 12)) @ spread[one]
    kana = [chr(code) for code in range(ord("ァ"), ord("ァ") + 80)]
    tokens = tuple(f"{a}{b}{c}" for a in kana for b in kana for c in kana[:5])
    vectors = (rows / np.sqrt(D)).astype(np.float32)
    return VectorTable.from_vectors(Vocabulary(tokens), vectors, Provenance("random", Mode.STATIC))


def large_map(N: int) -> TokenMap:  # noqa: N803  (tokens)
    """Make a map of N tokens in 400 groups on the plane, whose neighbours are those on the map."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    kana = [chr(code) for code in range(ord("ァ"), ord("ァ") + 80)]
    words = [f"{a}{b}{c}" for a in kana for b in kana for c in kana][:N]
    vocabulary = Vocabulary(tuple(rng.permutation(words).tolist()))
    group, rows = rng.integers(0, 400, N), np.arange(N)
    centres, widths = rng.normal(size=(400, 2)) * 60, rng.uniform(2, 8, 400)
    places = (centres[group] + rng.normal(size=(N, 2)) * widths[group, None]).astype(np.float32)
    distances, ids = cKDTree(places).query(places, NEIGHBOURS + 1)
    ids = ids[:, 1:].astype(np.int64)
    regions = find_regions(ids, np.zeros(N, dtype=np.bool_))
    vectors = rng.normal(size=(N, 8)).astype(np.float32)
    table = VectorTable.from_vectors(vocabulary, vectors, Provenance("made", Mode.STATIC))
    mapped = MappedTable(
        table, rows, rows, places, ids[:, :K], distances[:, 1 : K + 1],
        regions, np.arange(len(regions[0].typical)), (),
    )  # fmt: skip
    classes = [TOKEN_CLASSES.index(vocabulary.token_class(row)) for row in range(N)]
    return TokenMap(
        vocabulary, ProjectionSettings(), rows, np.array(classes, dtype=np.uint8), (mapped,)
    )


def report(name: str, value: float, target: str) -> None:
    print(f"  {name:<44}{value:8.3f}      (target: {target})", flush=True)


if __name__ == "__main__":
    main()
