"""Every seed of the fuzzer, and every input that once made it fail, is read or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.counts import count_inputs
from support.fuzzing import READERS, SEEDS, TARGETS, VOCABULARIES, run

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(path for path in SEEDS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SEEDS)))
def test_every_seed_is_read_or_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)  # the shell has a folder of its own
    count_inputs()
    run(path.parent.name, path.read_bytes())


def test_every_target_has_seeds_for_all_that_it_reads() -> None:
    assert {path.name for path in SEEDS.iterdir()} == set(TARGETS)
    for name, choices in (("formats", READERS), ("vocabulary", VOCABULARIES)):
        chosen = {path.read_bytes()[0] % len(choices) for path in (SEEDS / name).iterdir()}
        assert chosen == set(range(len(choices)))
