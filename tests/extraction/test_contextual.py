"""Contextual vectors, compared with a plain loop over sentences and a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from support.corpora import SENTENCES, PlainLoop, write
from wordvec.extraction import contextual as module
from wordvec.extraction.contextual import Batches, Sums, add_occurrences, batch_bounds
from wordvec.extraction.corpus import Corpus
from wordvec.extraction.encoder import load_encoder
from wordvec.extraction.scan import Sample, Scan
from wordvec.extraction.sentences import longest_text
from wordvec.extraction.settings import Sampling
from wordvec.models.find import find_model
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = (0, 1, 2)
WIDTHS = dict.fromkeys(LAYERS, 32)


def take(model: Path, folder: Path, text: Path, sampling: Sampling) -> Sample:
    folder.mkdir()
    vocabulary = read_vocabulary(model)
    return Scan(Corpus.of([text]), sampling, folder, vocabulary).run(model, workers=0)


def add(model: Path, sample: Sample, folder: Path, positions: int = 64) -> Sums:
    encoder = load_encoder(find_model(str(model)))
    vocabulary = read_vocabulary(model)
    batches = Batches.of(sample, positions)
    return add_occurrences(encoder, vocabulary, batches, WIDTHS, folder, last=2)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("name", ["bert", "roberta", "electra", "deberta-v2", "modernbert"])
def test_the_vectors_are_those_of_a_plain_loop(
    name: str, size: int, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    """Tokens at every position, pieces of the model's length, a reservoir that overflows."""
    model = tiny_model(name)
    sampling = Sampling(per_token=size, min_count=1, seed=5)
    sample = take(model, tmp_path / "scan", write(tmp_path / "text"), sampling)
    sums = add(model, sample, tmp_path / "scan")
    plain = PlainLoop(model, seed=5).read(SENTENCES, longest_text(model))
    numbers = np.minimum(sample.counts, size)
    assert {id_: len(one) for id_, one in plain.occurrences.items()} == {
        id_: count for id_, count in enumerate(sample.counts.tolist()) if count
    }
    for layer in LAYERS:
        means, resultants = sums.means(layer, numbers), sums.resultants(layer, numbers)
        for id_ in plain.occurrences:
            mean, resultant = plain.vector(id_, layer, size)
            assert np.abs(means[id_] - mean).max() <= 1e-5
            assert abs(resultants[id_] - resultant) <= 1e-5


def test_a_token_with_one_occurrence_does_not_move(tiny_bert: Path, tmp_path: Path) -> None:
    sampling = Sampling(per_token=10, min_count=1)
    sample = take(tiny_bert, tmp_path / "scan", write(tmp_path / "text"), sampling)
    resultants = add(tiny_bert, sample, tmp_path / "scan").resultants(2, sample.counts)
    assert resultants[sample.counts == 1] == pytest.approx(1, abs=1e-6)
    assert np.nanmin(resultants) < 0.999
    assert np.isnan(resultants[sample.counts == 0]).all()


def test_batches_have_little_padding_and_every_piece_once(tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text", SENTENCES * 20)
    sample = take(tiny_bert, tmp_path / "scan", text, Sampling(per_token=40, min_count=1))
    batches = Batches.of(sample, 64)
    used = total = 0
    found = []
    for batch in range(len(batches)):
        ids, mask = batches.inputs(batch, 2, 3)
        rows, tokens = batches.occurrences(batch, ids.shape[1])
        assert ids.numel() <= 64
        assert (ids.flatten()[rows] == tokens).all()
        assert mask.flatten()[rows].all()
        found += tokens.tolist()
        used += int(mask.sum())
        total += mask.numel()
    assert sorted(found) == sorted(sample.tokens.tolist())
    assert used / total > 0.95


def test_a_piece_longer_than_a_batch_is_alone() -> None:
    assert batch_bounds(np.array([20, 9, 3, 3, 3, 3]), 10) == [0, 1, 2, 5, 6]
    assert batch_bounds(np.array([], dtype=np.int64), 10) == [0]


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_sums_resume_to_the_same_bits(
    stop: int, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(tmp_path / "text", SENTENCES * 3)
    sample = take(tiny_bert, tmp_path / "scan", text, Sampling(per_token=10, min_count=1))
    (tmp_path / "whole").mkdir()
    whole = add(tiny_bert, sample, tmp_path / "whole")
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", -1.0)
    encoder = load_encoder(find_model(str(tiny_bert)))
    batches = Batches.of(sample, 64)
    reports = 0

    def progress(done: int, total: int) -> None:
        nonlocal reports
        del done, total
        reports += 1
        if reports > stop + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_occurrences(
            encoder, read_vocabulary(tiny_bert), batches, WIDTHS, tmp_path / "scan",
            last=2, progress=progress,
        )  # fmt: skip
    saved = Sums(len(sample.counts), WIDTHS, torch.device("cpu"))
    saved.load(tmp_path / "scan")
    assert saved.done == stop
    resumed = add(tiny_bert, sample, tmp_path / "scan")
    assert all(torch.equal(resumed.hidden[one], whole.hidden[one]) for one in LAYERS)
    assert all(torch.equal(resumed.directions[one], whole.directions[one]) for one in LAYERS)


def test_a_form_with_two_senses_moves_more_than_one_with_a_single_sense(tmp_path: Path) -> None:
    """橋 and 箸 are both written はし here; 王 stands in one kind of sentence only."""
    bridge = ["川にかかるはしを渡った。", "古いはしの上から川を見た。", "はしを渡って町へ行く。"]
    chopsticks = ["はしでご飯を食べた。", "はしと茶碗を並べた。", "竹のはしで魚を食べる。"]
    king = ["川にかかる王を渡った。", "古い王の上から川を見た。", "王を渡って町へ行く。"]
    from wordvec.models.bundled import bundled_folder

    model = bundled_folder()
    vocabulary = read_vocabulary(model)
    encoder = load_encoder(find_model("mini"))
    resultants = []
    for name, sentences in (("two", bridge + chopsticks), ("one", bridge * 2)):
        text = write(tmp_path / f"{name}.txt", sentences + king)
        sampling = Sampling(per_token=100, min_count=1)
        sample = take(model, tmp_path / name, text, sampling)
        batches = Batches.of(sample, 512)
        sums = add_occurrences(encoder, vocabulary, batches, {4: 256}, tmp_path / name, last=4)
        id_ = vocabulary.id_of("はし")
        assert sample.counts[id_] == 6
        resultants.append(sums.resultants(4, sample.counts)[id_])
    assert resultants[0] < resultants[1] - 0.05
