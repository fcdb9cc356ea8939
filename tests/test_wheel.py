"""The wheel, installed alone in an empty environment."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
BIN = "Scripts" if os.name == "nt" else "bin"


def run(*command: str | Path, **environment: str) -> str:
    result = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_alone_answers_the_first_query(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / BIN
    run(programs / "python", "-m", "pip", "wheel", "--no-deps", "-w", tmp_path, ROOT)
    [wheel] = tmp_path.glob("wordvec-*.whl")
    assert wheel.stat().st_size < 30_000_000
    run(programs / "python", "-m", "pip", "install", wheel, "--constraint", CONSTRAINTS)
    assert "torch" not in run(programs / "python", "-m", "pip", "list")
    query: list[str | Path] = [programs / "wordvec", "query", "国王-男+女", "-k", "5", "--tsv"]
    answer = run(*query, WORDVEC_HOME=str(tmp_path / "store"))
    tokens = [line.split("\t")[2] for line in answer.splitlines()[1:]]
    assert len(tokens) == 5
    assert {"国王", "女王"} <= set(tokens)
