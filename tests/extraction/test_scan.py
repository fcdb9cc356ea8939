"""The first pass: what it counts and chooses, and that it resumes where it stopped."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.corpora import SENTENCES, write
from wordvec.errors import StoreError
from wordvec.extraction import corpus as corpus_module
from wordvec.extraction import scan as module
from wordvec.extraction.corpus import Corpus
from wordvec.extraction.scan import Sample, Scan
from wordvec.extraction.settings import Sampling
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

ALL = Sampling(per_token=1000, min_count=1)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "BLOCK_BYTES", 200)


def scan(model: Path, folder: Path, *names: Any, sampling: Sampling = ALL) -> Sample:
    folder.mkdir(exist_ok=True)
    vocabulary = read_vocabulary(model)
    return Scan(Corpus.of(list(names)), sampling, folder, vocabulary).run(model, workers=0)


def occurrences(sample: Sample) -> list[tuple[int, ...]]:
    """Return (token, the ids of its piece, its position) of each chosen occurrence."""
    ends = np.flatnonzero(sample.pieces == 0)
    found = []
    for token, place in zip(sample.tokens.tolist(), sample.places.tolist(), strict=True):
        end = int(ends[np.searchsorted(ends, place)])
        start = int(max(ends[ends < place], default=-1)) + 1
        piece = (sample.pieces[start:end] - 1).tolist()
        assert piece[place - start] == token
        found.append((token, *piece, place - start))
    return found


def test_every_token_of_every_piece_is_chosen_from_a_small_corpus(
    tiny_bert: Path, tmp_path: Path
) -> None:
    sample = scan(tiny_bert, tmp_path / "scan", write(tmp_path / "text"))
    state = sample.state
    assert (state.sentences, state.finished, state.replaced) == (len(SENTENCES), True, 0)
    assert len(sample.tokens) == sample.counts.sum() < state.tokens  # [UNK] is not counted
    assert np.bincount(sample.tokens, minlength=len(sample.counts)).tolist() == (
        sample.counts.tolist()
    )
    assert state.long == 1  # sentence of more than 14 tokens
    assert state.pieces > state.sentences
    occurrences(sample)


def test_rare_tokens_are_counted_and_not_chosen(tiny_bert: Path, tmp_path: Path) -> None:
    sampling = Sampling(per_token=1000, min_count=3)
    sample = scan(tiny_bert, tmp_path / "scan", write(tmp_path / "text"), sampling=sampling)
    assert set(sample.tokens.tolist()) == set(np.flatnonzero(sample.counts >= 3).tolist())
    assert (sample.counts == 1).any()


@pytest.mark.parametrize("sentences", [1, 2, 5, 7, 100])
def test_only_the_first_sentences_are_read(sentences: int, tiny_bert: Path, tmp_path: Path) -> None:
    sampling = Sampling(per_token=1000, min_count=1, sentences=sentences)
    text = write(tmp_path / "text")
    first = scan(tiny_bert, tmp_path / "first", text, sampling=sampling)
    same = scan(tiny_bert, tmp_path / "same", write(tmp_path / "same.txt", SENTENCES[:sentences]))
    assert first.state.sentences == min(sentences, len(SENTENCES))
    assert first.counts.tolist() == same.counts.tolist()
    assert occurrences(first) == occurrences(same)


class StopError(Exception):
    """Stops a scan between two blocks."""


def interrupted(model: Path, folder: Path, text: Path | str, blocks: int, **options: Any) -> None:
    """Run a scan until so many blocks are done, with a checkpoint after each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHECKPOINT_SECONDS", -1.0)
        folder.mkdir(exist_ok=True)
        one = Scan(Corpus.of([text]), ALL, folder, read_vocabulary(model))

        def progress(done: int, total: int) -> None:
            del done, total
            if one.state.blocks > blocks:
                raise StopError

        with pytest.raises(StopError):
            one.run(model, workers=0, progress=progress, **options)


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_scan_resumes_where_it_stopped(blocks: int, tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text", SENTENCES * 3)
    whole = scan(tiny_bert, tmp_path / "whole", text)
    interrupted(tiny_bert, tmp_path / "scan", text, blocks)
    resumed = Scan(Corpus.of([text]), ALL, tmp_path / "scan", read_vocabulary(tiny_bert))
    assert resumed.state.blocks == blocks
    sample = resumed.run(tiny_bert, workers=0)
    assert resumed.restarted is None
    assert occurrences(sample) == occurrences(whole)
    assert sample.state == whole.state


def test_a_finished_scan_of_files_is_not_read_again(tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text")
    whole = scan(tiny_bert, tmp_path / "scan", text)
    corpus = Corpus.of([text])
    text.unlink()
    again = Scan(corpus, ALL, tmp_path / "scan", read_vocabulary(tiny_bert)).run(
        tiny_bert, workers=0
    )
    assert occurrences(again) == occurrences(whole)


def test_another_text_starts_over(tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text", SENTENCES * 2)
    interrupted(tiny_bert, tmp_path / "scan", text, 2)
    write(text, SENTENCES[::-1] * 2)
    changed = Scan(Corpus.of([text]), ALL, tmp_path / "scan", read_vocabulary(tiny_bert))
    sample = changed.run(tiny_bert, workers=0)
    assert changed.restarted == "the corpus has changed"
    assert occurrences(sample) == occurrences(scan(tiny_bert, tmp_path / "other", text))


def test_standard_input_is_compared_when_it_is_read_again(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pipe(sentences: tuple[str, ...]) -> None:
        data = "\n".join(sentences).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))

    pipe(SENTENCES * 2)
    whole = scan(tiny_bert, tmp_path / "whole", "-")
    pipe(SENTENCES * 2)
    interrupted(tiny_bert, tmp_path / "scan", "-", 2)
    pipe(SENTENCES[::-1])
    with pytest.raises(StoreError, match="not that of the interrupted extraction"):
        scan(tiny_bert, tmp_path / "scan", "-")
    pipe(SENTENCES * 2)
    assert occurrences(scan(tiny_bert, tmp_path / "scan", "-")) == occurrences(whole)


@pytest.mark.parametrize("name", ["scan.npz", "pieces.bin"])
def test_a_damaged_checkpoint_starts_over(name: str, tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text", SENTENCES * 2)
    whole = scan(tiny_bert, tmp_path / "whole", text)
    interrupted(tiny_bert, tmp_path / "scan", text, 3)
    file = tmp_path / "scan" / name
    file.write_bytes(file.read_bytes()[:40])
    resumed = Scan(Corpus.of([text]), ALL, tmp_path / "scan", read_vocabulary(tiny_bert))
    assert resumed.state.blocks == 0
    assert occurrences(resumed.run(tiny_bert, workers=0)) == occurrences(whole)


@pytest.mark.parametrize("text", ["", "\n\n", "鯨鮭鰯"])
def test_a_corpus_without_tokens_gives_an_empty_sample(
    text: str, tiny_bert: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text(text, encoding="utf-8")
    sample = scan(tiny_bert, tmp_path / "scan", tmp_path / "text")
    assert (len(sample.tokens), len(sample.pieces), sample.state.finished) == (0, 0, True)
    assert not sample.counts.any()  # [UNK] is not counted
