"""`wordvec extract`: killed, run twice, on a full disk, without torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from support import models as models_on_disk
from support.cli import run
from wordvec.models import bundled as models
from wordvec.models.default import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDE = (*models_on_disk.JAPANESE, *(f"語{row}" for row in range(718)))  # 800 tokens


@pytest.fixture(scope="session")
def wide_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a BERT with so many tokens that its extraction can be interrupted."""
    return models_on_disk.japanese_bert(tmp_path_factory.mktemp("wide") / "bert", vocabulary=WIDE)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the folder of the store that the commands write to."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    return tmp_path / "tables"


@contextmanager
def running(*args: str, limit: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command in another process, which is killed at the end if it still runs.

    limit: the largest file, in bytes, that it can write.
    """

    def before() -> None:
        if limit is not None:
            import resource  # not on Windows

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    with subprocess.Popen(
        [sys.executable, "-m", "wordvec", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # more threads are slower here
        preexec_fn=before,  # noqa: PLW1509  # it takes no lock
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run_process(*args: str, limit: int | None = None) -> tuple[int, str, str]:
    """Run a command in another process: exit code, stdout, stderr."""
    with running(*args, limit=limit) as process:
        stdout, stderr = process.communicate(timeout=100)
    return process.returncode, stdout, stderr


def dynamic(model: Path, *args: str) -> tuple[str, ...]:
    """Return the command that extracts the dynamic table of a model."""
    return ("extract", "--mode", "dynamic", "--model", str(model), *args)


def draft_of(home: Path) -> Path:
    """Return the folder of the unfinished dynamic extraction, if there is one."""
    return next(iter(home.glob("*/dynamic.draft")), home / "none")


def wait_for_rows(home: Path, rows: int, process: subprocess.Popen[str]) -> None:
    """Wait until a running extraction has saved so many rows."""
    deadline = time.monotonic() + 60
    while rows_done(home) < rows:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def rows_done(home: Path) -> int:
    """Return how many rows an unfinished extraction has saved."""
    record = draft_of(home) / "progress.json"
    try:
        return int(json.loads(record.read_text("utf-8"))["done"])
    except FileNotFoundError:
        return 0


def without_measures(text: str) -> str:
    """Replace times and sizes, which differ from run to run."""
    return re.sub(r"in \d+\.\d s \(1\d kB\)", "in SECONDS (SIZE)", text)


def test_one_line_says_what_was_written_where(home: Path, tiny_bert: Path) -> None:
    result = run("extract", "--model", tiny_bert)
    code, out, err = result.masked(folder=next(home.glob("*/static")), model=tiny_bert)
    assert (code, err) == (0, "")
    assert without_measures(out) == "MODEL:static: 82 × 32 written to FOLDER in SECONDS (SIZE)\n"


def test_the_dynamic_extraction_saves_the_static_table_too(home: Path, tiny_bert: Path) -> None:
    result = run(*dynamic(tiny_bert))
    folder = next(home.glob("*/dynamic"))
    code, out, err = result.masked(folder=folder, model=tiny_bert)
    assert (code, err) == (0, "")
    assert without_measures(out) == (
        "MODEL:dynamic: 82 × 32 written to FOLDER in SECONDS (SIZE); also saved: MODEL:static\n"
    )
    assert (folder.parent / "static" / "manifest.json").exists()


def test_each_layer_has_a_line(home: Path, tiny_bert: Path) -> None:
    extract = dynamic(tiny_bert, "--layers", "0,2", "--template", "{}の女", "--variant", "v")
    code, out, err = run(*extract)
    assert (code, err) == (0, "")
    lines = re.sub(r"\d+\.\d s|1\d kB", "#", out.replace(str(tiny_bert), "MODEL")).splitlines()
    folder = next(home.glob("*/static")).parent
    assert lines == [
        f"MODEL:dynamic.v@0: 82 × 32 written to {folder / 'dynamic+v@0'} (#)",
        f"MODEL:dynamic.v: 82 × 32 written to {folder / 'dynamic+v'} (#)",
        "2 tables in #; also saved: MODEL:static",
    ]
    code, _, err = run(*extract, "--pool", "cls")
    assert code == 1
    assert err == (
        f"Error: {tiny_bert}:dynamic.v@0 already exists, but was extracted with pool token, "
        "not cls\n"
        "Hint: --variant NAME keeps both; --force replaces it\n"
    )


def test_an_existing_table_is_not_an_error(home: Path, tiny_bert: Path) -> None:
    run("extract", "--model", tiny_bert)
    result = run("extract", "--model", tiny_bert)
    assert result.masked(folder=next(home.glob("*/static")), model=tiny_bert) == (
        0,
        "MODEL:static already exists: 82 × 32 in FOLDER\n",
        "",
    )


def test_progress_draws_a_bar_on_stderr(home: Path, tiny_bert: Path) -> None:
    code, out, err = run(*dynamic(tiny_bert, "--progress", "--batch-size", "41"))
    assert code == 0
    assert home.exists()
    assert out.count("\n") == 1
    assert re.search(r"  0% .* 0/82, \? tokens/s, \? left", err)


def test_vectors_that_are_not_finite_are_counted(
    home: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "nan")
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][[8, 9], 3] = float("nan"), float("inf")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    code, _, err = run("extract", "--model", folder)
    assert (code, err) == (0, "Warning: 2 of 82 vectors contain NaN or infinity\n")
    assert home.exists()


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_batch_size_below_one_is_wrong_usage(value: str, tiny_bert: Path) -> None:
    code, _, err = run(*dynamic(tiny_bert, "--batch-size", value))
    assert code == 2
    assert "--batch-size" in err


def test_the_model_can_be_named_in_the_environment(
    home: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDVEC_MODEL", str(tiny_bert))
    code, out, _ = run("extract")
    assert code == 0
    assert out.startswith(f"{tiny_bert}:static: 82 × 32 written to ")
    assert home.exists()


def test_without_hub_and_name_the_bundled_model_is_used_with_a_note(
    home: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    for _ in range(2):  # the second time, the table exists
        code, out, err = run("extract", "--mode", "dynamic")
        assert code == 0
        assert err == (
            f"Note: {REFERENCE} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set; "
            'using the bundled model "mini"\n'
        )
        first, last = out.splitlines()
        assert first.startswith("mini:dynamic")
        assert last == (
            f"To extract the reference model: wordvec extract --mode dynamic --model {REFERENCE}"
        )
    assert (home / "mini" / "static" / "manifest.json").exists()


def test_an_unreachable_model_is_an_error_that_suggests_the_bundled_one(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    code, out, err = run("extract", "--model", REFERENCE)
    assert code == 1
    assert out == ""
    assert err == (
        f"Error: {REFERENCE} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set\n"
        "Hint: unset HF_HUB_OFFLINE, or use --model mini or --model FOLDER\n"
    )


def test_static_vectors_are_extracted_if_only_the_core_is_installed(
    home: Path, tiny_bert: Path
) -> None:
    blocked = "import sys\n" + "".join(
        f"sys.modules[{name!r}] = None\n"
        for name in ("torch", "transformers", "huggingface_hub", "sentencepiece", "tokenizers")
    )
    code = f"{blocked}from wordvec.cli import main\nmain()\n"
    done = subprocess.run(
        [sys.executable, "-c", code, "extract", "--model", str(tiny_bert)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert next(home.glob("*/static")).is_dir()


def test_extraction_never_loads_faiss(home: Path, tiny_bert: Path) -> None:
    code = (
        "import sys\nfrom wordvec.cli import group\n"
        "try:\n    group.main(sys.argv[1:])\n"
        "except SystemExit:\n"
        "    print([name for name in ('torch', 'faiss') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *dynamic(tiny_bert)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert home.exists()
    assert done.stdout.splitlines()[-1] == "['torch']"


KILLED_AND_RESUMED = """
import json, os, signal, sys, time
from pathlib import Path
from transformers import AutoModel, BertModel  # imported once, for all children
from wordvec.cli import group

command, home = json.loads(sys.argv[1]), Path(sys.argv[2])

def done():
    try:
        return json.loads(next(home.glob("*/dynamic.draft/progress.json")).read_text())["done"]
    except (StopIteration, FileNotFoundError):
        return 0

def run(until):
    until = max(until, done() + 1)  # every child computes at least one row
    child = os.fork()
    if child == 0:
        group.main(command)
    ended = 0
    while not ended and done() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.001)
    if not ended:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)

print("codes", [run(rows) for rows in (1, 150, 151, 400, 10**9)])
os.environ["WORDVEC_HOME"] = str(home / "undisturbed")
print("codes", run(10**9))
"""


@pytest.mark.timeout(300)  # six extractions, on a machine that may be busy
@pytest.mark.parametrize(
    ("options", "kinds"),
    [((), ["dynamic"]), (("--layers", "all"), ["dynamic", "dynamic@0", "dynamic@1"])],
)
def test_an_extraction_that_was_killed_several_times_gives_the_same_bits(
    options: tuple[str, ...], kinds: list[str], home: Path, wide_bert: Path
) -> None:
    command = json.dumps(dynamic(wide_bert, "--batch-size", "1", *options))
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AND_RESUMED, command, str(home)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    codes = re.findall("^codes (.*)$", done.stdout, re.MULTILINE)
    assert codes == ["[-9, -9, -9, -9, 0]", "0"], done.stderr
    resumed = re.findall(r"(\d+) of 800", done.stderr)
    assert [int(rows) for rows in resumed] == sorted(map(int, resumed))
    assert len(resumed) == 4, done.stderr
    for kind in kinds:
        ours, theirs = next(home.glob(f"*/{kind}")), next(home.glob(f"undisturbed/*/{kind}"))
        for file in ("vectors.npy", "norms.npy", "tokens.json"):
            assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_ctrl_c_exits_130_and_notes_what_is_saved(home: Path, wide_bert: Path) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1")) as process:
        wait_for_rows(home, 5, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"Note: stopped at \d+ of 800; run the same command again to resume\n", err)
    assert "Traceback" not in err


def test_ctrl_c_erases_the_bar_before_it_notes_what_is_saved(home: Path, wide_bert: Path) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1", "--progress")) as process:
        wait_for_rows(home, 5, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    bar, note = [line for line in err.splitlines() if line.strip()][-2:]
    assert bar.endswith(" left")
    assert re.fullmatch(r"Note: stopped at \d+ of 800; .* again to resume", note)


def test_a_second_extraction_of_the_same_table_is_refused(home: Path, wide_bert: Path) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1")) as process:
        wait_for_rows(home, 1, process)
        with patch("wordvec.extraction.dynamic_tables.load_model", None):  # it takes seconds
            code, _, err = run(*dynamic(wide_bert, "--batch-size", "1"))
    assert code == 1
    assert err == (
        f"Error: another process is writing {wide_bert}:dynamic\n"
        "Hint: wait until it ends, or stop it: an extraction resumes where it stopped\n"
    )


def test_a_full_disk_is_an_error_and_leaves_no_table(home: Path, wide_bert: Path) -> None:
    code, out, err = run_process(*dynamic(wide_bert), limit=100_000)  # 800 × 32 × 4 do not fit
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    assert not list(home.glob("*/dynamic"))
    assert run_process(*dynamic(wide_bert))[0] == 0
