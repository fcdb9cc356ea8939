"""Cutting the blocks of a corpus in several processes, in order."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from wordvec.errors import WordvecError
from wordvec.extraction.sentences import SentenceCutter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from wordvec.extraction.corpus import Block
    from wordvec.extraction.sentences import CutText

MAX_WORKERS = 32
_FEW_BLOCKS = 4  # are cut here: starting processes takes longer
_AHEAD = 3  # blocks per process that are read and cut before they are asked for

_cutter: SentenceCutter | None = None  # of a process that cuts


def default_workers() -> int:
    """Return how many processes cut text unless the user says: one for each core."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(MAX_WORKERS, len(affinity(0)) if affinity else os.cpu_count() or 1)


def cut_blocks(
    blocks: Iterable[Block], folder: Path, rows: int, *, workers: int
) -> Iterator[tuple[Block, CutText]]:
    """Yield each block with its pieces, in the order of the corpus.

    Args:
        blocks: of the corpus.
        folder: of the model.
        rows: of its matrix.
        workers: processes; 0 cuts in this one. Their number changes nothing but the speed.

    Raises:
        WordvecError: a block cannot be read, or a process ended.
    """
    blocks = iter(blocks)
    cutter = SentenceCutter.load(folder, rows)
    for block in islice(blocks, _FEW_BLOCKS if workers else None):
        yield block, cutter.cut(block)
    following = next(blocks, None)
    if following is not None:
        yield from _cut_in_processes(chain([following], blocks), folder, rows, workers)


def _cut_in_processes(
    blocks: Iterable[Block], folder: Path, rows: int, workers: int
) -> Iterator[tuple[Block, CutText]]:
    from multiprocessing import get_context

    # "spawn": a fork would copy the locks of other threads, such as those of torch

    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(folder, rows)
    )
    queue: deque[tuple[Block, Future[CutText]]] = deque()
    try:
        for block in blocks:
            queue.append((block, pool.submit(_cut, block)))
            if len(queue) > _AHEAD * workers:
                yield _result(*queue.popleft())
        while queue:
            yield _result(*queue.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(block: Block, future: Future[CutText]) -> tuple[Block, CutText]:
    try:
        return block, future.result()
    except BrokenProcessPool as error:
        raise WordvecError(
            "a process that cuts the text ended",
            hint="run the same command again to resume, with fewer processes: workers=1\n"
            'a Python script that extracts needs: if __name__ == "__main__":',
        ) from error


def _start(folder: Path, rows: int) -> None:
    global _cutter  # noqa: PLW0603  # one per process
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the threads
    _cutter = SentenceCutter.load(folder, rows)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the first process ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it was killed."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _cut(block: Block) -> CutText:
    if _cutter is None:
        raise RuntimeError("the process was not initialised")
    return _cutter.cut(block)
