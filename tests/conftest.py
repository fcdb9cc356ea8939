"""Fixtures that many tests share."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.browser import chromium, context
from support.counts import pytest_runtest_call, pytest_terminal_summary

if TYPE_CHECKING:
    from collections.abc import Callable

# One Chromium for the pages of all folders; the counts of faults and inputs.
__all__ = ["chromium", "context", "pytest_runtest_call", "pytest_terminal_summary"]

# One pytest process loads both torch and faiss, which no command does: on macOS each brings its
# own OpenMP, and the second one to come would abort.
os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
# Read when huggingface_hub is imported: no test in this process asks a hub, or finds what the
# user has in the cache.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = str(Path(tempfile.gettempdir()) / "wordvec-tests-have-no-model-cache")
# A shell starts what runs in the background with SIGINT ignored, nohup with SIGHUP, and children
# inherit that: the tests of signals hold however the suite was started.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the folder of a tiny random model by name ("bert", "albert", …), made once a session."""
    from support import models as models_on_disk

    root = tmp_path_factory.mktemp("models")

    def folder_of(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            models_on_disk.MAKERS[name](folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def tiny_bert(tiny_model: Callable[[str], Path]) -> Path:
    """Give the folder of a tiny random BERT with a Japanese vocabulary."""
    return tiny_model("bert")


@pytest.fixture(scope="session")
def sharded_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a tiny random BERT whose weights lie in several files."""
    from support import models as models_on_disk

    return models_on_disk.sharded(tmp_path_factory.mktemp("models") / "sharded")


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep every test away from the user's store, model cache and settings."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "wordvec-home"))
    for name in ("WORDVEC_MODEL", "HF_ENDPOINT", "HF_HUB_CACHE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out syncs, which cost minutes on a busy disk: no test outlives a power cut."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
