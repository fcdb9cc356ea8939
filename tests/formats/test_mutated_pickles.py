"""Mutated pickles, 100,000 of them: each is a table or a StoreError, in little time and memory."""

from __future__ import annotations

import os
import pickle
import pickletools
import random
import time
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.counts import count_inputs
from support.pickles import DTYPE, EMPTY_ARRAY, ROW, ROWS, by_id, read_or_refuse
from wordvec.text import width

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS_WIDE = np.tile(ROWS, 10)  # 160 bytes each, so that some mutations change numbers alone
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
OPCODES = [code.code.encode("latin1") for code in pickletools.opcodes]
PARTS = [
    *OPCODES,
    *(DTYPE, EMPTY_ARRAY, ROW),
    b"cos\nsystem\n",
    b"cos\nmkdir\n(X\x01\x00\x00\x00xtR",  # makes a folder where it runs
    b"\x8c\x02os\x8c\x05mkdir\x93\x8c\x01x\x85R",
    b"(ios\nmkdir\n",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00" * 8,
]


def seeds() -> list[bytes]:
    """Return pickles of each protocol, by numpy 1 and 2, with several dtypes and types of key."""
    dicts = [
        by_id(ROWS_WIDE),
        by_id(ROWS_WIDE.astype(">f8")),
        {np.int64(row): vector for row, vector in enumerate(ROWS_WIDE.astype("i2"))},
    ]
    plain = [pickle.dumps(vectors, protocol) for vectors in dicts for protocol in PROTOCOLS]
    optimised = [pickletools.optimize(data) for data in plain]
    old = [  # the names of numpy 1; frames would need another length
        data.replace(b"cnumpy._core.", b"cnumpy.core.") for data in plain
    ]
    return plain + optimised + old


def flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice([*PARTS, rng.randbytes(rng.randint(1, 6))])


def delete(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice([1, 1, 2, 4, 20])]


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]
    if rng.random() < 0.5:
        data += b"."


def copy_a_part(data: bytearray, rng: random.Random) -> None:
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    data[at:at] = data[start : start + rng.randint(1, 60)]


def swap_an_opcode(data: bytearray, rng: random.Random) -> None:
    try:
        starts = [start for _, _, start in pickletools.genops(bytes(data))]
    except (ValueError, DeprecationWarning):  # an earlier mutation damaged it
        return flip_bits(data, rng)
    at = rng.choice(starts) or 0
    data[at : at + 1] = rng.choice(OPCODES)
    return None


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    flip_bits, insert, delete, truncate, copy_a_part, swap_an_opcode, swap_an_opcode,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_mutated_pickle_is_read_or_refused(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read 10,000 files of up to 3,000 bytes, each in 200 kB and 5 s; no folder is made."""
    monkeypatch.chdir(tmp_path)
    rng, valid, read = random.Random(seed), seeds(), 0  # noqa: S311  # not for secrets
    width("À")  # imports wcwidth, whose tables take 1 MB
    tracemalloc.start()
    try:
        for _ in range(10_000):
            data = bytearray(rng.choice(valid))
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                if data:
                    rng.choice(MUTATIONS)(data, rng)
            count_inputs()
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
            read += read_or_refuse(bytes(data), tmp_path / "file")
            assert time.perf_counter() - start < 5
            assert tracemalloc.get_traced_memory()[1] - before < 200_000, bytes(data)
    finally:
        tracemalloc.stop()
    assert os.listdir() == ["file"]  # noqa: PTH208  # the names alone
    assert 200 < read < 9800  # both results occur
