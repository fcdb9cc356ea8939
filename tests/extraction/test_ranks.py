"""An extraction by two processes that torchrun starts gives what one process gives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.corpora import SENTENCES, write

if TYPE_CHECKING:
    from pathlib import Path

# The command, in a process that may be killed when it talks to the other rank.
RANK = """
import os, signal, sys
from wordvec.extraction import contextual
from wordvec.extraction.ranks import Ranks

os.fsync = lambda _: None
contextual.CHECKPOINT_SECONDS = 0.0
left = int(os.environ.get("TALKS", "-1"))

def dying(talk):
    def count(self, value):
        global left
        left -= self.rank
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return talk(self, value)
    return count

if left > 0:
    Ranks.gather, Ranks.broadcast = dying(Ranks.gather), dying(Ranks.broadcast)
from wordvec.cli import main
main()
"""
ALONE = [sys.executable]
TWO = [*ALONE, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def command(tmp_path: Path, tiny_bert: Path) -> list[str]:
    """Give the arguments of an extraction with many batches."""
    (tmp_path / "rank.py").write_text(RANK, "utf-8")
    return [str(tmp_path / "rank.py"), "extract", "--model", str(tiny_bert), "--batch-size", "3"]


def extract(
    home: Path, start: list[str], command: list[str], talks: int = -1
) -> tuple[int, str, str]:
    """Run the command. talks: after how many messages rank 1 is killed; -1 for never."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "WORDVEC_HOME": str(home), "TALKS": str(talks)}
    done = subprocess.run([*start, *command], capture_output=True, text=True, env=env, check=False)
    return done.returncode, done.stdout, done.stderr


def rows(home: Path, table: str) -> bytes:
    [file] = home.glob(f"*/{table}/vectors.npy")
    return file.read_bytes()


@pytest.mark.timeout(400)  # each run starts two processes, on a machine that may be busy
def test_two_ranks_give_the_same_bits_also_after_one_was_killed(
    command: list[str], tmp_path: Path
) -> None:
    command += ["--mode", "dynamic", "--layers", "0,2"]
    assert extract(tmp_path / "one", ALONE, command)[0] == 0
    code, _, err = extract(tmp_path / "two", TWO, command, talks=6)
    assert code != 0
    assert re.search(r"another rank of torchrun ended|SIGKILL", err)
    assert not list((tmp_path / "two").glob("*/dynamic/"))
    code, out, err = extract(tmp_path / "two", TWO, command)
    assert code == 0, err
    assert re.search(r"resuming an interrupted extraction at \d+ of 82 tokens", err)
    assert len(re.findall("82 × 32 written", out)) == 2  # by rank 0 alone
    for table in ("dynamic", "dynamic@0"):
        assert rows(tmp_path / "one", table) == rows(tmp_path / "two", table)
    code, out, _ = extract(tmp_path / "two", TWO, command)
    assert (code, len(re.findall("already exists", out))) == (0, 2)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_ranks_add_up_the_same_sums_also_after_one_was_killed(
    command: list[str], tmp_path: Path
) -> None:
    corpus = write(tmp_path / "text", SENTENCES * 3)
    command += ["--mode", "contextual", "--corpus", str(corpus), "--layers", "0,2"]
    command += ["--min-count", "2", "--workers", "0"]
    assert extract(tmp_path / "one", ALONE, command)[0] == 0
    code, _, err = extract(tmp_path / "two", TWO, command, talks=6)
    assert code != 0
    assert re.search(r"another rank of torchrun ended|SIGKILL", err)
    assert list((tmp_path / "two").glob("*/contextual.draft/checkpoint/sums.npz"))
    code, out, err = extract(tmp_path / "two", TWO, command)
    assert code == 0, err
    assert len(re.findall("82 × 32 written", out)) == 2
    for table in ("contextual", "contextual@0"):
        one, two = (
            np.load(next((tmp_path / home).glob(f"*/{table}/vectors.npy")))
            for home in ("one", "two")
        )
        np.testing.assert_allclose(two, one, atol=1e-5)
    [one_file] = (tmp_path / "one").glob("*/contextual/counts.npy")
    [two_file] = (tmp_path / "two").glob("*/contextual/counts.npy")
    assert one_file.read_bytes() == two_file.read_bytes()


@pytest.mark.timeout(200)
def test_an_error_of_rank_0_ends_the_other(command: list[str], tmp_path: Path) -> None:
    code, _, err = extract(tmp_path, TWO, [*command, "--mode", "dynamic", "--layers", "9"])
    assert code != 0
    assert "has no layer 9" in err
