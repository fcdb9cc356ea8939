"""The bundled model, with its real weights: its files, and the figures of its model card."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from wordvec.extraction.extract import extract
from wordvec.extraction.static import read_static_vectors
from wordvec.models.bundled import bundled_folder
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MINI = bundled_folder()
CARD = MINI / "README.md"
MATRIX = "bert.embeddings.word_embeddings.weight"
JOYO = Path(__file__).parents[2] / "scripts" / "train_mini" / "joyo.txt"
BLOCK = 512


@cache
def tokens() -> list[str]:
    """Read the tokens, one per line."""
    return (MINI / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]


@cache
def card_figures() -> dict[str, Any]:
    """Read the figures of the model card, as its script wrote them."""
    figures: dict[str, Any] = json.loads((MINI / "measures.json").read_text(encoding="utf-8"))
    return figures


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    """Return the dynamic vectors, extracted by the package."""
    store = Store(tmp_path_factory.mktemp("store"))
    outcome = extract("mini", "dynamic", store)
    return np.array(store.open(outcome.table).vectors)


def static_matrix() -> NDArray[np.float32]:
    """Read the embedding matrix from its file."""
    return np.asarray(load_file(MINI / "model.safetensors")[MATRIX], dtype=np.float32)


def questions() -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield (category, (Q, 4) rows): all pairs of pairs whose answer is not a query word."""
    row_of = {token: row for row, token in enumerate(tokens())}
    pairs: dict[str, list[tuple[int, int]]] = {}
    for line in (MINI.parent / "analogies.tsv").read_text(encoding="utf-8").splitlines():
        category, a, b = line.split("\t")
        pairs.setdefault(category, []).append((row_of[a], row_of[b]))
    for category, members in pairs.items():
        rows = [
            (*p, *q) for p in members for q in members if p[0] != q[0] and q[1] not in (*p, q[0])
        ]
        yield category, np.array(rows)


def accuracies(table: NDArray[np.float32]) -> dict[str, tuple[float, float]]:
    """Return category → accuracy at 1 and at 10, by 3CosAdd in plain numpy."""
    units = table / np.linalg.norm(table, axis=1, keepdims=True)
    found = {}
    for category, rows in questions():
        ranks = []
        for start in range(0, len(rows), BLOCK):
            a, b, c, d = rows[start : start + BLOCK].T
            scores = (units[b] - units[a] + units[c]) @ units.T
            here = np.arange(len(a))
            scores[here[:, None], np.stack([a, b, c], axis=1)] = -np.inf
            ranks.append((scores > scores[here, d][:, None]).sum(axis=1))
        rank = np.concatenate(ranks)
        found[category] = (float((rank < 1).mean()), float((rank < 10).mean()))
    return found


def assert_matches_card(found: dict[str, tuple[float, float]], mode: str, within: float) -> None:
    stated = card_figures()[mode]
    assert found.keys() == stated.keys()
    for category, (first, ten) in found.items():
        assert (first, ten) == pytest.approx(tuple(stated[category][:2]), abs=within), category


def test_the_checksum_of_the_weights_is_that_of_the_card() -> None:
    stated = re.search(
        r"SHA-256 of `model\.safetensors`:\s+`([0-9a-f]{64})`", CARD.read_text("utf-8")
    )
    assert stated is not None
    assert hashlib.sha256((MINI / "model.safetensors").read_bytes()).hexdigest() == stated[1]


def test_the_folder_is_smaller_than_30_mb() -> None:
    assert (MINI / "model.safetensors").stat().st_size < 24_000_000
    assert (
        sum(path.stat().st_size for path in MINI.parent.rglob("*") if path.is_file()) < 30_000_000
    )


def test_the_vocabulary_has_the_form_of_the_reference_models() -> None:
    every = tokens()
    assert len(every) == len(set(every)) == 32_000
    assert every[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    kana = [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC)]
    joyo = JOYO.read_text(encoding="utf-8").replace("\n", "")
    assert len(joyo) == 2_136
    assert set(every) >= {*kana, *joyo, *(f"##{character}" for character in (*kana, *joyo))}


def test_special_tokens_have_the_same_rows_as_in_the_reference_model() -> None:
    vocabulary = read_vocabulary(MINI)
    assert (vocabulary.cls_id, vocabulary.sep_id) == (2, 3)


def test_transformers_loads_it_without_warnings_and_with_tied_weights(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from transformers import AutoModelForMaskedLM
    from transformers.utils import logging

    logging.enable_propagation()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, report = AutoModelForMaskedLM.from_pretrained(MINI, output_loading_info=True)
    logging.disable_propagation()
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert model.cls.predictions.bias is model.cls.predictions.decoder.bias


def test_its_tokenizer_uses_ipadic_and_the_same_rows() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MINI)
    assert tokenizer("国王と女王").input_ids == [2, *map(tokens().index, ("国王", "と", "女王")), 3]
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 4, 31_999]) == [*tokens()[:5], tokens()[-1]]


def test_the_static_table_is_the_files_tensor() -> None:
    table = read_static_vectors(MINI, read_vocabulary(MINI)).vectors
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, static_matrix())


def test_dynamic_vectors_equal_one_forward_pass_per_token(dynamic: NDArray[np.float32]) -> None:
    import torch
    from transformers import AutoModelForMaskedLM

    encoder = AutoModelForMaskedLM.from_pretrained(MINI).float().eval().bert
    for row in (0, 5, 100, 1_000, 10_000, 31_999):
        with torch.no_grad():
            hidden = encoder(input_ids=torch.tensor([[2, row, 3]])).last_hidden_state
        np.testing.assert_allclose(dynamic[row], hidden[0, 1].numpy(), atol=1e-4)


def test_the_accuracy_of_static_vectors_is_that_of_the_card() -> None:
    assert_matches_card(accuracies(static_matrix()), "static", within=0.002)


def test_the_accuracy_of_dynamic_vectors_is_that_of_the_card(dynamic: NDArray[np.float32]) -> None:
    assert_matches_card(accuracies(dynamic), "dynamic", within=0.01)


def test_the_analogy_set_is_large_and_its_words_are_single_tokens() -> None:
    import fugashi
    import ipadic

    tagger = fugashi.GenericTagger(f"{ipadic.MECAB_ARGS} -Owakati")
    lines = (MINI.parent / "analogies.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    sizes = {category: sum(row[0] == category for row in rows) for category, _, _ in rows}
    assert len(sizes) >= 20
    assert len(rows) == len({tuple(row) for row in rows}) >= 400
    assert min(sizes.values()) >= 15
    cut = {word for _, a, b in rows for word in (a, b) if tagger.parse(word).strip() != word}
    assert cut == set()
    assert {word for _, a, b in rows for word in (a, b)} <= set(tokens())
