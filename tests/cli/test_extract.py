"""`wordvec extract`, as a user runs it: killed, run twice, out of disk, without torch."""

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

import pytest

from support import models as models_on_disk
from wordvec.cli import group
from wordvec.models import bundled as models
from wordvec.models.default import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDE = (*models_on_disk.JAPANESE, *(f"語{row}" for row in range(718)))  # 800 tokens


@pytest.fixture(scope="session")
def wide_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a BERT with so many tokens that its extraction can be caught half-way."""
    return models_on_disk.japanese_bert(tmp_path_factory.mktemp("wide") / "bert", vocabulary=WIDE)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the store that the commands write to."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    return tmp_path / "tables"


def run_here(*args: str) -> int:
    """Run a command in this process; its exit code."""
    with pytest.raises(SystemExit) as stop:
        group.main(list(args), prog_name="wordvec")
    return int(stop.value.code or 0)


@contextmanager
def running(*args: str, limit: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, killed at the end if it still runs.

    limit: how many bytes a file that it writes can have.
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
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # threads in plenty only wait for one another
        preexec_fn=before,  # noqa: PLW1509  # it takes no lock that a thread could hold
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(*args: str, limit: int | None = None) -> tuple[int, str, str]:
    """Run a command in a process of its own: exit code, stdout, stderr."""
    with running(*args, limit=limit) as process:
        stdout, stderr = process.communicate(timeout=100)
    return process.returncode, stdout, stderr


def dynamic(model: Path, *args: str) -> tuple[str, ...]:
    """The command that makes the dynamic table of a model."""
    return ("extract", "--mode", "dynamic", "--model", str(model), *args)


def draft_of(home: Path) -> Path:
    """Where a dynamic extraction grows, once it does."""
    return next(iter(home.glob("*/dynamic.draft")), home / "none")


def wait_for_rows(home: Path, rows: int, process: subprocess.Popen[str]) -> None:
    """Wait until a running extraction has so many rows safe."""
    deadline = time.monotonic() + 60
    while rows_done(home) < rows:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def rows_done(home: Path) -> int:
    """How many rows an unfinished extraction promises."""
    record = draft_of(home) / "progress.json"
    try:
        return int(json.loads(record.read_text("utf-8"))["done"])
    except FileNotFoundError:
        return 0


def masked(text: str, **names: Path) -> str:
    """Text with folders, times and sizes put in the same words everywhere."""
    for name, path in names.items():
        text = text.replace(str(path), name.upper())
    return re.sub(r"in \d+\.\d s \(1\d\.\d kB\)", "in SECONDS (SIZE)", text)


def test_one_line_says_what_was_written_where(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here("extract", "--model", str(tiny_bert)) == 0
    out, err = capsys.readouterr()
    folder = next(home.glob("*/static"))
    assert masked(out, folder=folder, model=tiny_bert) == (
        "MODEL:static: 82 × 32 written to FOLDER in SECONDS (SIZE)\n"
    )
    assert err == ""


def test_the_dynamic_table_brings_the_static_one(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*dynamic(tiny_bert)) == 0
    out, err = capsys.readouterr()
    folder = next(home.glob("*/dynamic"))
    assert masked(out, folder=folder, model=tiny_bert) == (
        "MODEL:dynamic: 82 × 32 written to FOLDER in SECONDS (SIZE); MODEL:static beside it\n"
    )
    assert err == ""
    assert (folder.parent / "static" / "manifest.json").exists()


def test_a_table_that_is_there_takes_one_line_and_is_no_failure(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_here("extract", "--model", str(tiny_bert))
    capsys.readouterr()
    assert run_here("extract", "--model", str(tiny_bert)) == 0
    out, err = capsys.readouterr()
    folder = next(home.glob("*/static"))
    assert masked(out, folder=folder, model=tiny_bert) == (
        "MODEL:static is there already: 82 × 32 in FOLDER\n"
    )
    assert err == ""


def test_progress_is_drawn_on_stderr_when_asked_for(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*dynamic(tiny_bert, "--progress", "--batch-size", "41")) == 0
    out, err = capsys.readouterr()
    assert home.exists()
    assert out.count("\n") == 1
    assert re.search(r"  0% .* 0/82, \? tokens/s, \? left", err)


def test_vectors_that_are_no_numbers_are_counted(
    home: Path, tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "nan")
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][[8, 9], 3] = float("nan"), float("inf")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert run_here("extract", "--model", str(folder)) == 0
    assert capsys.readouterr().err == "Warning: 2 of 82 vectors hold a NaN or an infinity\n"
    assert home.exists()


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_batch_of_no_tokens_is_wrong_usage(
    value: str, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*dynamic(tiny_bert, "--batch-size", value)) == 2
    assert "--batch-size" in capsys.readouterr().err


def test_a_model_named_by_the_environment_is_taken(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDVEC_MODEL", str(tiny_bert))
    assert run_here("extract") == 0
    assert capsys.readouterr().out.startswith(f"{tiny_bert}:static: 82 × 32 written to ")
    assert home.exists()


def test_without_hub_and_name_the_bundled_model_is_taken_and_said_first_and_last(
    home: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    for _ in range(2):  # made, and then there already
        assert run_here("extract", "--mode", "dynamic") == 0
        out, err = capsys.readouterr()
        assert err == (
            f"Note: {REFERENCE} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set; "
            'using the bundled model "mini"\n'
        )
        first, last = out.splitlines()
        assert first.startswith("mini:dynamic")
        assert last == (
            "This is mini; for the reference model: "
            f"wordvec extract --mode dynamic --model {REFERENCE}"
        )
    assert (home / "mini" / "static" / "manifest.json").exists()


def test_a_named_model_out_of_reach_is_an_error_that_offers_the_bundled_one(
    tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "bundled_folder", lambda: tiny_bert)
    assert run_here("extract", "--model", REFERENCE) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"Error: {REFERENCE} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set\n"
        "Hint: unset HF_HUB_OFFLINE, or use --model mini or --model FOLDER\n"
    )


def test_static_vectors_are_extracted_where_only_the_core_is_installed(
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
from transformers import AutoModel, BertModel  # imported once: each child begins from here
from wordvec.cli import group

command, home = json.loads(sys.argv[1]), Path(sys.argv[2])

def done():
    try:
        return json.loads(next(home.glob("*/dynamic.draft/progress.json")).read_text())["done"]
    except (StopIteration, FileNotFoundError):
        return 0

def run(until):
    until = max(until, done() + 1)  # at least one batch more: a busy machine kills late
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

print([run(rows) for rows in (1, 150, 151, 400, 10**9)])
os.environ["WORDVEC_HOME"] = str(home / "undisturbed")
print(run(10**9))
"""


@pytest.mark.timeout(300)  # six extractions, on a machine that may be busy
def test_killed_again_and_again_it_comes_out_the_same_to_the_last_bit(
    home: Path, wide_bert: Path
) -> None:
    command = json.dumps(dynamic(wide_bert, "--batch-size", "1"))
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AND_RESUMED, command, str(home)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    said = done.stdout.splitlines()
    assert said[1] == "[-9, -9, -9, -9, 0]", done.stderr
    assert said[3] == "0"
    taken_up = re.findall(r"resuming an interrupted extraction at (\d+) of 800", done.stderr)
    assert [int(rows) for rows in taken_up] == sorted(map(int, taken_up))
    assert len(taken_up) == 4
    ours, theirs = next(home.glob("*/dynamic")), next(home.glob("undisturbed/*/dynamic"))
    for file in ("vectors.npy", "norms.npy", "tokens.json"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_ctrl_c_exits_130_and_says_what_is_kept(home: Path, wide_bert: Path) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1")) as process:
        wait_for_rows(home, 5, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"Note: stopped at \d+ of 800; the same command goes on from there\n", err)
    assert "Traceback" not in err


def test_ctrl_c_takes_the_bar_off_the_screen_before_it_says_what_is_kept(
    home: Path, wide_bert: Path
) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1", "--progress")) as process:
        wait_for_rows(home, 5, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    bar, note = [line for line in err.splitlines() if line.strip()][-2:]
    assert bar.endswith(" left")
    assert re.fullmatch(r"Note: stopped at \d+ of 800; .* goes on from there", note)


def test_a_second_extraction_of_the_same_table_is_refused(
    home: Path, wide_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(*dynamic(wide_bert, "--batch-size", "1")) as process:
        wait_for_rows(home, 1, process)
        assert run_here(*dynamic(wide_bert, "--batch-size", "1")) == 1
    assert "another process is writing" in capsys.readouterr().err


def test_a_full_disk_is_told_and_leaves_no_table(home: Path, wide_bert: Path) -> None:
    code, out, err = run(*dynamic(wide_bert), limit=100_000)  # 800 × 32 × 4 do not fit
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    assert not list(home.glob("*/dynamic"))
    assert run(*dynamic(wide_bert))[0] == 0
