"""The map: seconds and quality beside scikit-learn's TSNE, as in the article, and the page.

place  seconds, trustworthiness and neighbour recall of our positions for each number of tokens,
       and of scikit-learn's for the same, up to --most
page   the size of the page and its memory, and the time of a frame while the points are panned in
       headless Chromium
large  the same for a made map of --large tokens, and the time until it is shown

Quality is measured against the ten nearest neighbours in the original space (L2). Recall is the
share of them that are among the ten nearest on the map; trustworthiness (Venna and Kaski 2001) is
reduced for each of the ten nearest on the map by its true rank beyond ten. Both are computed
exactly, in float64 and in blocks; of more than 10,000 tokens a fixed sample of 10,000 is compared
with all others.
"""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.made import made_tokens
from benchmarks.programs import Command, Worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page

    from benchmarks.harness import Bench
    from wordvec.map.build import TokenMap

PARTS = ("place", "page", "large")
K = 10
SAMPLE, BLOCK = 10_000, 256  # rows compared at most, and how many at once
SCREEN: Any = {"width": 1280, "height": 800}
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


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--table", default="mini:static", metavar="MODEL:MODE")
    parser.add_argument("--tokens", default="3000,10000,32000", help="numbers, from id 0")
    parser.add_argument("--most", type=int, default=32_000, help="tokens placed by scikit-learn")
    parser.add_argument("--large", type=int, default=250_000, help="tokens of the part large")


def measure(bench: Bench) -> None:
    counts = sorted(map(int, bench.options["tokens"].split(",")))
    parts = bench.options["parts"].split(",")
    if "place" in parts:
        place(bench, counts)
    if "page" in parts:
        page(bench, counts)
    if "large" in parts:
        large(bench)


def place(bench: Bench, counts: list[int]) -> None:
    """Time both programs and measure their quality."""
    table = bench.options["table"]
    ours, theirs = {}, {}
    for n in counts:
        arguments = {"table": table, "tokens": n}
        programs = {"wordvec": Worker("map:by_wordvec", arguments, ours=True)}
        if n <= bench.options["most"]:
            programs["scikit-learn"] = Worker("map:by_sklearn", arguments)
        found = bench.run(f"positions of {n:,} tokens", dict(programs), warm_up=False)
        ours[n], theirs[n] = found.median("wordvec"), found.median("scikit-learn")
        speed = found.ratio("scikit-learn", "wordvec")
        bench.figure("Map", f"{n:,} tokens: speed / scikit-learn", speed, "×", "> 1")
        for measure in ("trustworthiness", "recall"):
            for program in programs:
                value = found.median(program, measure)
                bench.figure("Map", f"{n:,} tokens: {measure}, {program}", value, "")
    fewer = max((n for n in counts[:-1] if theirs[n]), default=None)
    mine, other = ours[counts[-1]], theirs[fewer] if fewer else None
    row = f"time for {counts[-1]:,} tokens / scikit-learn's for {fewer:,}" if fewer else ""
    bench.figure("Map", row, mine / other if mine and other else None, "×", "< 1")


def page(bench: Bench, counts: list[int]) -> None:
    """Measure two pages and pan the larger one."""
    limits = {3_000: "< 4", 32_000: "< 8"}
    for n in {counts[0], counts[-1]}:
        file = bench.folder / f"{n}.html"
        options = ["map", "--tables", bench.options["table"], "--tokens", str(n), "-o", str(file)]
        command = Command.wordvec(*options, "--force")
        found = bench.run(f"page of {n:,} tokens", {"wordvec map": command}, warm_up=False)
        if found.median("wordvec map") is not None:
            row, size = f"page of {n:,} tokens", file.stat().st_size / 1e6
            bench.figure("Map", f"{row}: size without vectors", size, "MB", limits.get(n, ""))
            peak = found.median("wordvec map", "peak")
            bench.figure("Map", f"{row}: peak memory of the command", peak, "MB")
    if (file := bench.folder / f"{counts[-1]}.html").exists():
        pan(bench, file, counts[-1])


def large(bench: Bench) -> None:
    """Measure the page of a made map."""
    tokens, file = bench.options["large"], bench.folder / "large.html"
    bench.prepare_here("map:write_large_page", file=str(file), tokens=tokens)
    size = file.stat().st_size / 1e6
    bench.figure("Map", f"page of {tokens:,} tokens: size without vectors", size, "MB", "< 20")
    pan(bench, file, tokens)


def pan(bench: Bench, file: Path, tokens: int) -> None:
    """Open a page and pan it at three zooms."""
    if browser_program() is None:
        print("  cannot pan: Chromium is not installed (apt install chromium fonts-noto-cjk)")
        return
    seconds, frames = open_and_pan(file)
    bench.figure("Map", f"{tokens:,} points: until the page shows them", seconds, "s", "< 3")
    for zoom, times in frames.items():
        row = f"one frame while {tokens:,} points are panned, zoom {zoom}"
        bench.figure("Map", row, statistics.median(times), "ms", "< 33")


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
            began = time.perf_counter()
            page = opened(browser, file)
            seconds.append(time.perf_counter() - began)
        page.wait_for_selector("html[data-ready]")
        frames = {zoom: page.evaluate(PAN, [SECONDS, zoom]) for zoom in (1, 4, 16)}
        browser.close()
    return min(seconds), frames


def opened(browser: Browser, file: Path) -> Page:
    """Open a page from disk, with the network off, and wait until the map is shown."""
    page = browser.new_context(viewport=SCREEN, offline=True).new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-shown]")
    return page


def write_large_page(file: str, tokens: int) -> Callable[[int], None]:
    from wordvec.map.page import build_page

    Path(file).write_text(build_page(large_map(tokens)), "utf-8")
    return lambda _: None


def large_map(N: int) -> TokenMap:  # noqa: N803  (tokens)
    """Return a map of N tokens in 400 groups; their neighbours are those on the map."""
    from scipy.spatial import cKDTree

    from wordvec.map.build import MappedTable, TokenMap
    from wordvec.map.colours import TOKEN_CLASSES
    from wordvec.map.projection import ProjectionSettings
    from wordvec.map.regions import NEIGHBOURS, find_regions
    from wordvec.tables.name import Mode
    from wordvec.tables.table import Provenance, VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

    rng = np.random.default_rng(0)
    vocabulary = Vocabulary(tuple(rng.permutation(made_tokens(N)).tolist()))
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


def by_wordvec(table: str, tokens: int) -> Callable[[int], object]:
    import wordvec
    from wordvec.map.projection import project

    data = wordvec.open(table).data
    rows = np.arange(min(tokens, len(data)))
    project(data, rows[:200])  # imports

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        found = project(data, rows)
        seconds = time.perf_counter() - began
        return {"seconds": seconds} | quality(data.vectors[found.rows], found.positions)

    return run


def by_sklearn(table: str, tokens: int) -> Callable[[int], object]:
    """Run the article's TSNE: the defaults of scikit-learn, with a seed and all cores."""
    from sklearn.manifold import TSNE

    import wordvec

    vectors = np.array(wordvec.open(table).vectors[:tokens])
    tsne = TSNE(n_components=2, random_state=0, n_jobs=-1)
    tsne.fit_transform(vectors[:200])  # imports

    def run(_: int) -> dict[str, float]:
        began = time.perf_counter()
        positions = tsne.fit_transform(vectors)
        seconds = time.perf_counter() - began
        return {"seconds": seconds} | quality(vectors, positions)

    return run


def quality(vectors: NDArray[np.float32], places: NDArray[np.float32]) -> dict[str, float]:
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
    return {"trustworthiness": trust, "recall": kept / (len(rows) * K)}


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
