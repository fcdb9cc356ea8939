"""Ask and change the tables of one store for some time, as one of several processes.

    python -m support.endurance STORE MODEL SEED SECONDS
    python -m support.endurance STORE MODEL expected

The first form prints one JSON object: how often each thing was done, each answer that was got, by
table, and each failure. The second one prints the answers of a store that nobody else uses.
"""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import wordvec
from support.tables import table_of
from wordvec.api import OpenTables
from wordvec.errors import StoreError, TableBusyError, TableNotFoundError
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from wordvec.api import Table
    from wordvec.tables.table import VectorTable

MADE = TableName("made", Mode.STATIC)
MODES = ("static", "dynamic")


def version(number: int) -> VectorTable:
    """Return one of two tables of the same name; they differ in tokens, rows and their number."""
    V = 300 + 40 * number
    rows = np.random.default_rng(number).normal(size=(V, 16)).astype(np.float32)
    tokens = ["王", "男", "女", *(chr(0x4E00 + number + i) for i in range(1000))]
    names = list(dict.fromkeys(tokens))[:V]
    return table_of(dict(zip(names, rows.tolist(), strict=True)), special=1 - number)


def ask(table: Table) -> str:
    """Ask questions that use all files of a table; return a digest of the answers."""
    answers: list[object] = [
        *(table.query("王-男+女", metric=metric).to_dict() for metric in ("l2", "cosine", "csls")),
        table.query("王", transforms=["whiten"]).to_dict(),
        table.query("王-男", transforms=["center", "abtt:2"]).to_dict(),
        table.norms(["王"], largest=5, smallest=5).to_dict(),
        table.explain("王+女", "男", calibrated=True).to_dict(),
    ]
    return sha256(json.dumps(answers, ensure_ascii=False).encode()).hexdigest()


class Process:
    """One process: what it did, and the answers that it got."""

    def __init__(self, store: Store, model: str, seed: int) -> None:
        self.store, self.model = store, model
        self.drawn = random.Random(seed)  # noqa: S311  # not for secrets
        self.open_tables = OpenTables(store)
        self.done: Counter[str] = Counter()
        self.answers: dict[str, set[str]] = defaultdict(set)
        self.failures: list[str] = []

    def run(self, seconds: float) -> None:
        """Do random things until the time is over."""
        until = time.monotonic() + seconds
        steps: list[tuple[Callable[[], None], int]] = [
            (self.ask, 12), (self.replace, 3), (self.extract, 2), (self.remove, 2), (self.look, 1),
        ]  # fmt: skip
        kinds, weights = zip(*steps, strict=True)
        while time.monotonic() < until:
            [step] = self.drawn.choices(kinds, weights)
            try:
                step()
                outcome = "done"
            except TableNotFoundError:
                outcome = "not there"
            except TableBusyError:
                outcome = "busy"
            except Exception as error:  # noqa: BLE001  # the test shows every failure
                outcome = "already there"
                if not isinstance(error, StoreError) or "already exists" not in error.message:
                    outcome = "failed"
                    self.failures.append(traceback.format_exc())
            self.done[f"{step.__name__}: {outcome}"] += 1

    def any_name(self) -> str:
        """Draw the name of a table."""
        return self.drawn.choice([str(MADE), *(f"{self.model}:{mode}" for mode in MODES)])

    def ask(self) -> None:
        """Ask a table that stays open, or one that is opened for it."""
        name = self.any_name()
        tables = self.drawn.choice([self.open_tables, OpenTables(self.store)])
        self.answers[name].add(ask(tables.open(name)))

    def replace(self) -> None:
        """Save one of the two versions over whatever there is."""
        self.store.save(version(self.drawn.randrange(2)), force=True)

    def extract(self) -> None:
        """Extract a table, over whatever there is half of the time."""
        mode, force = self.drawn.choice(MODES), self.drawn.random() < 0.5
        wordvec.extract(self.model, mode=mode, store=self.store, force=force, device="cpu")

    def remove(self) -> None:
        """Remove a table."""
        self.store.remove(wordvec.open(self.any_name(), store=self.store).name)

    def look(self) -> None:
        """List the tables and what is left behind, and clean up."""
        self.store.tables()
        self.store.clean()


def expected(store: Store, model: str) -> dict[str, list[str]]:
    """Return the right answers of each table."""
    answers: dict[str, list[str]] = defaultdict(list)
    for number in range(2):
        store.save(version(number), force=True)
        answers[str(MADE)].append(ask(wordvec.open(str(MADE), store=store)))
    for mode in MODES:
        answers[f"{model}:{mode}"].append(
            ask(wordvec.extract(model, mode=mode, store=store, device="cpu"))
        )
    return answers


if __name__ == "__main__":
    store, model = Store(Path(sys.argv[1])), sys.argv[2]
    if sys.argv[3] == "expected":
        json.dump(expected(store, model), sys.stdout)
    else:
        process = Process(store, model, int(sys.argv[3]))
        process.run(float(sys.argv[4]))
        lists = {name: sorted(answers) for name, answers in process.answers.items()}
        found = {"done": process.done, "answers": lists, "failures": process.failures}
        json.dump(found, sys.stdout)
