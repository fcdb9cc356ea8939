"""Bits that change on the disk: an answer is that of the undamaged table, or an error."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.counts import count_faults
from support.tables import table_of
from wordvec.api import OpenTables, Table
from wordvec.errors import DamagedTableError, WordvecError
from wordvec.tables import reading
from wordvec.tables.files import sum_of_rows
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.vocabulary.tokenizer import TokenizerFile, TokenizerKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

NAME = TableName("made", Mode.STATIC)
TOKENS = [chr(0x4E00 + i) for i in range(200)]
SUM = f"{TOKENS[5]}-{TOKENS[50]}+{TOKENS[77]}"


def rows(seed: int) -> dict[str, list[float]]:
    values = np.random.default_rng(seed).normal(size=(200, 12)).astype(np.float32)
    return dict(zip(TOKENS, values.tolist(), strict=True))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.save(table_of(rows(1), special=2))
    return store


def ask(table: Table) -> str:
    """Ask questions that use every file of a table, and most kinds of derived data."""
    answers: list[Any] = [
        *(table.query(SUM, metric=metric).to_dict() for metric in ("l2", "cosine", "dot", "csls")),
        *(
            table.query(SUM, transforms=[transform]).to_dict()
            for transform in ("center", "standardize", "whiten", "abtt:2")
        ),
        table.norms([TOKENS[5]], largest=3, smallest=3).to_dict(),
        table.explain(SUM, TOKENS[90], calibrated=True).to_dict(),
    ]
    return json.dumps(answers, ensure_ascii=False)


def opened(store: Store) -> Table:
    return OpenTables(store).open(str(NAME))


# Flipped bits


def flipped_bits(path: Path, count: int) -> Iterator[None]:
    """Flip one bit of a file after another; the file is whole between them and at the end."""
    whole = path.read_bytes()
    drawn = random.Random(f"{path.name} {count}")  # noqa: S311  # not for secrets
    for bit in drawn.choices(range(8 * len(whole)), k=count):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        count_faults()
        yield
        path.write_bytes(whole)


def ask_after_each_flip(store: Store, file: str, count: int) -> tuple[int, int]:
    """Return how many of the questions were answered, and how many refused."""
    whole = ask(opened(store))
    path = min(store.paths(NAME).table.glob(file))  # the first of those for several questions
    answered = refused = 0
    for _ in flipped_bits(path, count):
        try:
            assert ask(opened(store)) == whole
            answered += 1
        except WordvecError:
            refused += 1
    return answered, refused


DERIVED = ["calibration*", "neighbours*", "*center*", "*standardize*", "*whiten*", "*abtt*"]


@pytest.mark.parametrize("file", ["norms.npy", "vectors.npy", "tokens.json"])
@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_a_table_with_a_flipped_bit_is_refused(store: Store, file: str, count: int) -> None:
    _, refused = ask_after_each_flip(store, file, count)
    assert refused == count


@pytest.mark.parametrize("file", ["manifest.json", *(f"derived/{name}.npz" for name in DERIVED)])
@pytest.mark.parametrize("count", [30, pytest.param(500, marks=pytest.mark.slow)])
def test_a_flipped_bit_changes_no_answer(store: Store, file: str, count: int) -> None:
    answered, refused = ask_after_each_flip(store, file, count)
    assert answered + refused == count
    assert (refused == 0) == (file != "manifest.json")  # derived data is computed again


def test_the_sum_of_rows_changes_with_each_bit() -> None:
    values = np.array([[1.5, -2, 3]], dtype=np.float32)
    assert sum_of_rows(values) == f"{0x3FC00000 + (0xC0000000 << 32) + 0x40400000:016x}"
    for bit in range(8 * values.nbytes):
        damaged = values.copy()
        damaged.view(np.uint8)[0, bit // 8] ^= 1 << bit % 8
        assert sum_of_rows(damaged) != sum_of_rows(values)


def test_large_vectors_are_not_read_when_a_table_is_opened(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = store.paths(NAME).table / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\1")
    with pytest.raises(DamagedTableError, match=r"vectors\.npy: wrong sum of rows") as error:
        store.open(NAME)
    assert error.value.hint == "wordvec extract --mode static --model made --force"
    monkeypatch.setattr(reading, "SUMMED_ON_OPEN", 200 * 12 * 4 - 1)
    assert len(store.open(NAME)) == 200
    assert store.verify(NAME) == ["vectors.npy: wrong checksum"]


def test_a_table_of_an_earlier_version_has_no_sum(store: Store) -> None:
    manifest = store.paths(NAME).table / "manifest.json"
    fields = json.loads(manifest.read_text("utf-8"))
    del fields["sum_of_rows"]
    manifest.write_text(json.dumps(fields), "utf-8")
    assert len(store.open(NAME)) == 200


def test_a_damaged_tokenizer_is_an_error_when_it_is_read(store: Store) -> None:
    table = table_of(rows(1))
    tokenizer = TokenizerFile(TokenizerKind.JAPANESE, lambda: b"{}")
    vocabulary = replace(table.vocabulary, tokenizer=tokenizer)
    store.save(replace(table, vocabulary=vocabulary), force=True)
    (store.paths(NAME).table / TokenizerKind.JAPANESE).write_bytes(b"[]")
    damaged = opened(store)
    ask(damaged)  # without the tokenizer
    with pytest.raises(DamagedTableError, match="wrong checksum") as error:
        damaged.query(TOKENS[3] + TOKENS[4], pieces=True)
    assert error.value.hint is not None
    assert error.value.hint.endswith("wordvec tables --verify")


# Derived data


def change_derived(store: Store, key: str, name: str, values: NDArray[Any]) -> None:
    """Change one array of a derived file; the file itself stays well formed."""
    [path] = store.paths(NAME).table.glob(f"derived/{key}.npz")
    with np.load(path) as saved:
        arrays = {**saved, name: values}
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "values",
    [np.full((200, 10), np.nan, np.float32), np.zeros((200, 10)), np.full((200, 10), "text")],
)
def test_a_graph_with_wrong_values_is_computed_again(store: Store, values: NDArray[Any]) -> None:
    whole = ask(opened(store))
    change_derived(store, "neighbours*", "scores", values)
    assert ask(opened(store)) == whole


def test_derived_data_under_another_key_is_computed_again(store: Store) -> None:
    whole = ask(opened(store))
    folder = store.paths(NAME).table / "derived"
    (folder / "transform%20standardize.npz").replace(folder / "transform%20center.npz")
    assert ask(opened(store)) == whole


def test_derived_data_belongs_to_the_table_in_memory(store: Store) -> None:
    """Another process replaces the table between opening it and asking."""
    new, other = table_of(rows(2), special=2), Store(store.root.parent / "other")
    other.save(new)
    old = opened(store)
    whole = ask(opened(store))
    store.save(new, force=True)
    assert ask(old) == whole  # and what it derives is saved in the folder of the new table
    assert ask(opened(store)) == ask(opened(other))


def test_derived_data_depends_on_the_special_tokens(store: Store) -> None:
    """The same vectors with other special tokens have another sample of random expressions."""
    old = opened(store)
    new, other = table_of(rows(1), special=9), Store(store.root.parent / "other")
    other.save(new)
    store.save(new, force=True)
    ask(old)
    assert ask(opened(store)) == ask(opened(other))
