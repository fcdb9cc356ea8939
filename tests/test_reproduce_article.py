"""scripts/reproduce_article.py, with a random model and without a hub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.hub import serving
from wordvec.models.default import REFERENCE

SCRIPT = Path(__file__).parents[1] / "scripts" / "reproduce_article.py"


def reproduce(endpoint: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with the hub at `endpoint`."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "hf"),
        "HF_HUB_OFFLINE": "0",
        "WORDVEC_HOME": str(home / "tables"),
    }
    return subprocess.run(
        [sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )


def test_without_a_hub_the_exit_code_is_3_and_the_error_names_the_hub(tmp_path: Path) -> None:
    done = reproduce("http://127.0.0.1:9", tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"Could not run: {REFERENCE} is not in the cache, and http://127.0.0.1:9 is not reachable\n"
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_different_answers_are_marked_and_the_exit_code_is_1(
    tiny_bert: Path, tmp_path: Path
) -> None:
    with serving({REFERENCE: tiny_bert}) as hub:
        done = reproduce(hub.url, tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("published     wordvec\n") == 7
    assert re.search(r"^  国王 +\S+ +←$", done.stdout, re.MULTILINE)
    assert re.search(r"^  王  1\.0982343  \d\.\d{7}$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("\n0 of 11 as published\n")
