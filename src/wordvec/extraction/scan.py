"""The first pass over a corpus: cut it, count the tokens, and choose the occurrences to compute.

No model runs in this pass. It writes two files to a folder:

    pieces.bin   the ids of every piece with an occurrence that may be chosen, each id plus 1, and
                 a 0 after each piece; later choices do not remove earlier pieces
    scan.npz     the counts, the sample, and how much of the corpus was read: the last checkpoint

The second pass (`contextual`) reads only pieces with chosen occurrences. The corpus itself is read
once, so that it can be a pipe, and the model computes the same number of vectors for a corpus of
any size.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from wordvec.errors import StoreError
from wordvec.extraction.reservoir import Reservoir
from wordvec.extraction.workers import cut_blocks
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.tables.files import read_npz, sync, wrap_os_errors, write_all, write_npz

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

    from wordvec.extraction.corpus import Block, Corpus
    from wordvec.extraction.sentences import CutText
    from wordvec.extraction.settings import Sampling
    from wordvec.vocabulary.lookup import Vocabulary

CHECKPOINT_SECONDS = 120.0
_PIECES, _SCAN = "pieces.bin", "scan.npz"
STATUS_SECONDS = 0.5
_ID = np.dtype("<u4")
_ID_BYTES = _ID.itemsize


@dataclass(slots=True)
class ScanState:
    """How much of a corpus was read, and what was found in it.

    blocks: that were cut. digest: of the text of these blocks. pieces: that were written.
    length: of pieces.bin, in ids. sentences, tokens: their numbers. long: sentences in more than
    one piece. replaced: broken characters. finished: whether the whole corpus was read.
    """

    blocks: int = 0
    digest: str = ""
    pieces: int = 0
    length: int = 0
    sentences: int = 0
    tokens: int = 0
    long: int = 0
    replaced: int = 0
    finished: bool = False

    def add(self, block: Block, text: CutText) -> None:
        """Count a block."""
        self.blocks += 1
        self.digest = chain_digest(self.digest, block)
        self.sentences += int(text.starts.sum())
        self.tokens += len(text.ids)
        self.long += int((text.starts[:-1] & ~text.starts[1:]).sum())
        self.replaced += text.replaced


def chain_digest(before: str, block: Block) -> str:
    """Return a checksum of a block and of all blocks before it."""
    return sha256(before.encode() + sha256(block.data).digest()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The occurrences that were chosen, in the order of the corpus.

    counts: (V,) int64, all occurrences of each token. tokens: (n,) int32, the token of each chosen
    occurrence. places: (n,) int64, its index in `pieces`. pieces: the content of pieces.bin.
    """

    counts: NDArray[np.int64]
    tokens: NDArray[np.int32]
    places: NDArray[np.int64]
    pieces: NDArray[np.uint32]
    state: ScanState


class Scan:
    """A pass over a corpus that can be interrupted and resumed.

    folder: for the two files. vocabulary: special tokens are not counted.
    restarted: why an earlier pass could not be resumed, or None.
    """

    def __init__(
        self, corpus: Corpus, sampling: Sampling, folder: Path, vocabulary: Vocabulary
    ) -> None:
        self.corpus = corpus
        self.sampling = sampling
        self.folder = folder
        self.restarted: str | None = None
        self._vocabulary = vocabulary
        self._start()
        with suppress(OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
            self._load()

    def run(
        self,
        model: Path,
        *,
        workers: int,
        progress: Progress = no_progress,
        status: Notify = ignore_note,
    ) -> Sample:
        """Read the rest of the corpus and return the sample.

        Args:
            model: the folder of the model.
            workers: processes that cut text; 0 cuts in this one.
            progress: called with the bytes of the corpus that were read; the total is 0 if unknown.
            status: called with the number of sentences and of tokens seen often enough.
        """
        blocks = self._blocks_to_do()
        with wrap_os_errors(self.folder), self._open_pieces() as file:
            report = _Report(self, progress, status)
            for block, text in self._cut(blocks, model, workers):
                self._write(file, block, text)
                report(block)
                if time.monotonic() > self._due:
                    self._save(file)
            self.state.finished = True
            self._save(file)
        return self._sample()

    def frequent(self) -> int:
        """Return how many tokens have been seen often enough."""
        return int((self.reservoir.counts >= self.sampling.min_count).sum())

    def _start(self) -> None:
        self.state = ScanState()
        sampling = self.sampling
        self.reservoir = Reservoir(
            len(self._vocabulary), sampling.per_token, sampling.seed, self._vocabulary.special_ids
        )
        self._due = time.monotonic() + CHECKPOINT_SECONDS

    def _load(self) -> None:
        """Load the last checkpoint, if there is one and pieces.bin is as long as it says."""
        arrays = read_npz(self.folder / _SCAN)
        state = ScanState(**json.loads(str(arrays["state"])))
        if (self.folder / _PIECES).stat().st_size >= state.length * _ID_BYTES:
            self.reservoir.restore(arrays)
            self.state = state

    def _blocks_to_do(self) -> Iterator[Block]:
        """Return the blocks that were not cut yet, after comparing the others."""
        if self.state.finished and self.corpus.can_be_read_again:
            return iter(())  # the plan of the draft says that the files are the same
        blocks, digest = self.corpus.blocks(), ""
        for _ in range(self.state.blocks):
            block = next(blocks, None)
            digest = "" if block is None else chain_digest(digest, block)
        if digest == self.state.digest:
            return iter(()) if self.state.finished else blocks
        if not self.corpus.can_be_read_again:
            raise StoreError(
                "the corpus is not that of the interrupted extraction",
                hint="force=True starts over",
            )
        self.restarted = "the corpus has changed"
        self._start()
        return self.corpus.blocks()

    def _cut(
        self, blocks: Iterator[Block], model: Path, workers: int
    ) -> Iterator[tuple[Block, CutText]]:
        """Yield each block and its pieces, up to the last sentence that is wanted."""
        most = self.sampling.sentences
        for block, text in cut_blocks(blocks, model, len(self._vocabulary), workers=workers):
            if most is None or self.state.sentences + int(text.starts.sum()) < most:
                yield block, text
            else:
                yield block, text.first(most - self.state.sentences)
                return

    def _open_pieces(self) -> IO[bytes]:
        """Open pieces.bin after what the last checkpoint counts."""
        path = self.folder / _PIECES
        file = path.open("r+b" if self.state.length else "wb", buffering=0)
        file.truncate(self.state.length * _ID_BYTES)
        file.seek(0, 2)
        return file

    def _write(self, file: IO[bytes], block: Block, text: CutText) -> None:
        """Choose among the tokens of a block, and write the pieces with a chosen one."""
        self.state.add(block, text)
        if not len(text.ids):
            return
        chosen, ranks = self.reservoir.see(text.ids)
        piece = np.repeat(np.arange(len(text.lengths)), text.lengths)  # (n,) of each token
        written = np.bincount(piece, weights=chosen, minlength=len(text.lengths)) > 0
        lengths = np.where(written, text.lengths + 1, 0)  # with the 0 after it
        starts = self.state.length + np.cumsum(lengths) - lengths
        inside = np.arange(len(text.ids)) - np.repeat(
            np.cumsum(text.lengths) - text.lengths, text.lengths
        )
        places = starts[piece] + inside
        self.reservoir.keep(text.ids[chosen], ranks[chosen], places[chosen])
        ids = np.zeros(int(lengths.sum()), dtype=_ID)
        kept = written[piece]
        ids[places[kept] - self.state.length] = text.ids[kept] + 1
        write_all(file, ids.data.cast("B"))
        self.state.length += len(ids)
        self.state.pieces += int(written.sum())

    def _save(self, file: IO[bytes]) -> None:
        sync(file)
        state = np.array(json.dumps(asdict(self.state)))
        write_npz(self.folder / _SCAN, {"state": state, **self.reservoir.arrays()})
        self._due = time.monotonic() + CHECKPOINT_SECONDS

    def _sample(self) -> Sample:
        """Return the sample without the tokens that are too rare."""
        tokens, places = self.reservoir.chosen()
        counts = self.reservoir.counts
        frequent = counts[tokens] >= self.sampling.min_count
        tokens, places = tokens[frequent], places[frequent]
        order = np.argsort(places)
        path = self.folder / _PIECES
        pieces = np.memmap(path, _ID, "r") if self.state.length else np.empty(0, dtype=_ID)
        return Sample(counts, tokens[order], places[order], pieces, self.state)


class _Report:
    """Reports how far a scan is, not more often than a person can read."""

    def __init__(self, scan: Scan, progress: Progress, status: Notify) -> None:
        self.scan, self.progress, self.status = scan, progress, status
        self.began, self.before = time.monotonic(), scan.state.tokens
        self.next = 0.0

    def __call__(self, block: Block) -> None:
        now = time.monotonic()
        self.progress(block.end, self.scan.corpus.size or 0)
        if now < self.next:
            return
        self.next = now + STATUS_SECONDS
        state = self.scan.state
        rate = (state.tokens - self.before) / max(now - self.began, 1e-3)
        share = self.scan.frequent() / len(self.scan.reservoir.counts)
        self.status(
            f"{state.sentences:,} sentences, {rate:,.0f} tokens/s, "
            f"{share:.0%} of vocabulary seen {self.scan.sampling.min_count}×"
        )
