"""`wordvec extract --mode contextual`, and commands that ask its tables."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.corpora import SENTENCES, PlainLoop, write
from wordvec.errors import StoreError, UnknownWordError, UsageError
from wordvec.extraction import corpus as corpus_module
from wordvec.extraction.extract import extract
from wordvec.extraction.sentences import longest_text
from wordvec.table import Table
from wordvec.tables.manifest import Manifest
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import MANIFEST
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from wordvec.extraction.saved import ExtractionResult

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


def take(model: Path, store: Store, *corpus: Path | str, **options: Any) -> ExtractionResult:
    return extract(
        str(model), "contextual", store, corpus=corpus, workers=0, **{"min_count": 2, **options}
    )


def test_the_tables_of_all_layers_are_those_of_a_plain_loop(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    result = take(tiny_bert, store, write(tmp_path / "text"), layers="all", per_token=3, seed=1)
    plain = PlainLoop(tiny_bert, seed=1).read(SENTENCES, longest_text(tiny_bert))
    assert [table.name.layer for table in result.tables] == [0, 1, None]
    for layer, saved in enumerate(result.tables):
        table = store.open(saved.name)
        assert table.occurrences is not None
        for id_, occurrences in plain.occurrences.items():
            assert table.occurrences.counts[id_] == len(occurrences)
            if len(occurrences) < 2:
                assert np.isnan(table.norms[id_])
                continue
            mean, resultant = plain.vector(id_, layer, 3)
            assert np.abs(table.vectors[id_] - mean).max() <= 1e-5
            assert abs(table.occurrences.resultants[id_] - resultant) <= 1e-5
        assert store.verify(saved.name) == []


def test_the_manifest_says_what_made_a_table(tiny_bert: Path, tmp_path: Path, store: Store) -> None:
    text = write(tmp_path / "text")
    result = take(tiny_bert, store, text, sentences=5)
    manifest = Manifest.read(result.folder / MANIFEST)
    assert manifest.provenance.parameters == {
        "corpus": [str(text)],
        "field": None,
        "per_token": 100,
        "min_count": 2,
        "sentences": 5,
        "seed": 0,
    }
    assert manifest.settings["sentences_read"] == 5
    assert str(manifest.settings["text"]).startswith("sha256:")


def test_rare_tokens_are_no_answers_and_a_query_says_how_often_they_were_seen(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    result = take(tiny_bert, store, write(tmp_path / "text"))
    table = Table(store.open(result.table))
    answers = {one.token for one in table.query("王", k=100)}
    counts = table.data.occurrences
    assert counts is not None
    frequent = {table.tokens[id_] for id_ in np.flatnonzero(counts.counts >= 2)}
    assert answers == {table.data.vocabulary.display(table.tokens.index(t)) for t in frequent}
    for word, times in (("猫", "seen once"), ("犬", "never seen")):
        with pytest.raises(UnknownWordError, match=f"^{word} was {times} in the corpus"):
            table.query(f"王-{word}+女")
        with pytest.raises(UnknownWordError, match=f"{word} was {times}"):
            table.similarity("王", word)
        with pytest.raises(UnknownWordError, match=f"{word} was {times}"):
            table.norm(word)
        id_ = table.tokens.index(word)
        with pytest.raises(UnknownWordError, match=f"{word} was {times}"):
            table.query(f"#{id_}")
    assert table.query("王").notes == ()


def test_another_seed_and_another_corpus_are_never_mixed(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    text = write(tmp_path / "text")
    take(tiny_bert, store, text)
    with pytest.raises(StoreError, match="was extracted with seed 0, not 1") as caught:
        take(tiny_bert, store, text, seed=1)
    assert caught.value.hint == 'variant="NAME" keeps both; force=True replaces it'
    other = take(tiny_bert, store, text, seed=1, variant="one")
    assert other.table == TableName(str(tiny_bert), Mode.CONTEXTUAL, "one")
    assert take(tiny_bert, store, text).existed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"corpus": ()}, "contextual vectors need a corpus"),
        ({"corpus": "x", "per_token": 0}, "per_token=0: expected a positive integer"),
        ({"corpus": "x", "min_count": 1.5}, "min_count=1.5: expected a whole number"),
        ({"corpus": "x", "workers": -1}, "workers=-1: expected 0 or a positive integer"),
        ({"corpus": "x", "seed": "a"}, "seed='a': expected a whole number"),
        ({"corpus": "x", "pool": "cls"}, "pool and templates are not for contextual vectors"),
        ({"mode": "dynamic", "corpus": "x"}, "corpus, field, .* are not for dynamic vectors"),
        ({"mode": "static", "seed": 1}, "corpus, field, .* are not for static vectors"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(
    options: dict[str, Any], message: str, tiny_bert: Path, store: Store
) -> None:
    mode = options.pop("mode", "contextual")
    with pytest.raises(UsageError, match=message):
        extract(str(tiny_bert), mode, store, **options)


@pytest.mark.parametrize(
    ("text", "min_count", "message"),
    [
        ("", 1, "the corpus has no token of this vocabulary"),
        ("鯨鮭鰯", 1, "the corpus has no token of this vocabulary"),
        ("王女。猫", 2, "no token is in the corpus 2 times: the most frequent one is there 1"),
    ],
)
def test_a_corpus_without_frequent_tokens_is_an_error_that_leaves_nothing(
    text: str, min_count: int, message: str, tiny_bert: Path, store: Store
) -> None:
    file = store.root.with_name("text")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=message):
        take(tiny_bert, store, file, min_count=min_count)
    assert store.names() == []


def test_a_corpus_that_ends_in_the_middle_of_a_character_is_read_and_reported(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "text").write_bytes("王と女。王と女。王".encode()[:-1])
    result = take(tiny_bert, store, tmp_path / "text")
    assert result.corpus is not None
    assert (result.corpus.replaced, result.corpus.sentences) == (1, 3)


def test_a_line_of_10_mb_is_extracted(tiny_bert: Path, tmp_path: Path, store: Store) -> None:
    (tmp_path / "text").write_text("王と女" * 1_100_000, encoding="utf-8")
    result = take(tiny_bert, store, tmp_path / "text", per_token=5)
    assert result.corpus is not None
    assert result.corpus.tokens > 2_000_000  # MeCab joins some of the 3,300,000 characters
    assert result.corpus.occurrences < 50


def test_any_number_of_workers_gives_the_same_bytes(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "BLOCK_BYTES", 300)
    text = write(tmp_path / "text", SENTENCES * 10)
    vectors = []
    for workers in (0, 1, 2):
        store = Store(tmp_path / f"store{workers}")
        result = extract(
            str(tiny_bert), "contextual", store, corpus=text, per_token=7, workers=workers
        )
        vectors.append((result.folder / "vectors.npy").read_bytes())
    assert vectors[0] == vectors[1] == vectors[2]


_EXTRACT = """
import os, sys
import torch, transformers
from wordvec.extraction import contextual, corpus, scan
from wordvec.extraction.extract import extract
from wordvec.tables.store import Store

corpus.BLOCK_BYTES = 300
scan.CHECKPOINT_SECONDS = contextual.CHECKPOINT_SECONDS = -1.0
model, text, root = sys.argv[1:]
steps = 0

def killing(call):
    def counted(*args, **kwargs):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), 9)
        return call(*args, **kwargs)
    return counted

os.fsync = killing(lambda _: None)  # the disk keeps what a killed process wrote
for name in ("replace", "rename", "unlink"):
    setattr(os, name, killing(getattr(os, name)))

def run(folder, most):
    global steps
    child = os.fork()
    if not child:
        steps = most
        extract(model, "contextual", Store(os.path.join(root, folder)), corpus=text, per_token=5,
                layers="0,2", workers=0, batch_size=30, min_count=2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(run("whole", 0), flush=True)
for number in range(40):  # later each time: every moment is one of the deaths
    code = run("killed", 8 + 2 * number)
    print(code, flush=True)
    if code == 0:
        break
"""


def test_killed_at_ten_moments_and_more_it_ends_with_the_same_tables(
    tiny_bert: Path, tmp_path: Path
) -> None:
    text = write(tmp_path / "text", SENTENCES * 8)
    done = subprocess.run(
        [sys.executable, "-c", _EXTRACT, str(tiny_bert), str(text), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    whole, *codes, last = [int(code) for code in done.stdout.split()]
    assert (whole, last) == (0, 0), done.stderr
    assert set(codes) == {-signal.SIGKILL}
    assert len(codes) >= 10
    for kind in ("contextual", "contextual@0"):
        for name in ("vectors.npy", "counts.npy", "resultants.npy"):
            [expected] = (tmp_path / "whole").rglob(f"{kind}/{name}")
            [resumed] = (tmp_path / "killed").rglob(f"{kind}/{name}")
            assert expected.read_bytes() == resumed.read_bytes()
    assert not [*(tmp_path / "whole").rglob("checkpoint")]


def test_the_processes_end_when_the_first_is_killed(tiny_bert: Path, tmp_path: Path) -> None:
    """A process that cuts text does not outlive the one that started it."""
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from wordvec.extraction.corpus import Block\n"
        "from wordvec.extraction.workers import cut_blocks\n"
        "def blocks():\n"
        "    for number in range(10**6):\n"
        "        yield Block('王と女。'.encode(), 'x', number, None, 0)\n"
        "if __name__ == '__main__':\n"
        "    for n, _ in enumerate(cut_blocks(blocks(), Path(sys.argv[1]), 82, workers=1)):\n"
        "        if n == 6:\n"
        "            import multiprocessing\n"
        "            print(*[c.pid for c in multiprocessing.active_children()], flush=True)\n"
        "            time.sleep(60)\n"
    )
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tiny_bert)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        children = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert children
    for _ in range(100):
        if not any(_is_running(pid) for pid in children):
            return
        time.sleep(0.1)
    pytest.fail("a process is still running")


def _is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def run(*arguments: str, store: Store, data: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "wordvec", *arguments, "--store", str(store.root)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        input=data,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_the_command_reads_several_files_and_standard_input_and_says_what_it_found(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    one, two = write(tmp_path / "one", SENTENCES[:3]), write(tmp_path / "two", SENTENCES[3:])
    options = ("--mode", "contextual", "--model", str(tiny_bert), "--min-count", "2")
    done = run("extract", *options, "--corpus", str(one), str(two), store=store)
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first.startswith(f"{tiny_bert}:contextual: 82 × 32 written to ")
    assert lines == [
        "37 occurrences in 7 sentences (88 tokens)",
        "76 of 82 tokens have no vector: 15 were seen fewer than 2 times, 61 never",
        "1 sentences were longer than the model reads, and cut into parts",
    ]
    text = "".join(f"{sentence}\n" for sentence in SENTENCES).encode()
    piped = run("extract", *options, "--corpus", "-", "--variant", "pipe", store=store, data=text)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout.splitlines()[1:] == lines
    files, pipe = (
        store.open(TableName(str(tiny_bert), Mode.CONTEXTUAL, variant)).vectors
        for variant in (None, "pipe")
    )
    assert np.array_equal(files, pipe)


def test_norms_shows_counts_and_resultant_lengths(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    take(tiny_bert, store, write(tmp_path / "text"))
    done = run("norms", "王", "--table", f"{tiny_bert}:contextual", "--json", store=store)
    [answer] = json.loads(done.stdout)
    [norm] = answer["norms"]
    table = store.open(TableName(str(tiny_bert), Mode.CONTEXTUAL))
    assert table.occurrences is not None
    assert norm["count"] == table.occurrences.counts[norm["id"]] == 13
    assert norm["resultant"] == table.occurrences.resultants[norm["id"]]
    shown = run("norms", "王", "--table", f"{tiny_bert}:contextual", store=store).stdout
    assert shown.splitlines()[2].split() == [
        "token", "id", "norm", "rank", "percentile", "count", "resultant",
    ]  # fmt: skip


def test_a_stray_argument_is_wrong_usage(store: Store) -> None:
    done = run("extract", "--mode", "dynamic", "stray", store=store)
    assert (done.returncode, "unexpected argument: stray" in done.stderr) == (2, True)
