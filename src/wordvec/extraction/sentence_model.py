"""A model that computes the hidden states of single sentences, loaded at the first of them."""

from __future__ import annotations

import sys
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from wordvec.errors import WordvecError
from wordvec.extraction.carriers import special_ids
from wordvec.extraction.layer_tables import check_torch_loads, require_torch
from wordvec.extraction.sentences import SentenceCutter, longest_text
from wordvec.extraction.settings import BATCH_SIZE, POSITIONS, Device
from wordvec.models.find import find_model
from wordvec.progress import Notify, Progress, ignore_note, no_progress
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from wordvec.extraction.word_search import FoundWord
    from wordvec.models.source import ModelSource
    from wordvec.vocabulary.lookup import Vocabulary

_KEPT = 32  # sentences: the tables of all layers ask for the same ones
_VOCABULARIES = 2  # of one model: an earlier version of a table may have other tokens


class SentenceModel:
    """Computes hidden states of sentences.

    name: of the model. status: called with what is being loaded. cutter: returns what cuts
    sentences into tokens of a vocabulary of the model.
    """

    def __init__(self, name: str, *, status: Notify = ignore_note) -> None:
        self.name = name
        self._status = status
        self._kept = lru_cache(_KEPT)(self._compute)
        self.cutter = lru_cache(_VOCABULARIES)(self._load_cutter)

    @cached_property
    def source(self) -> ModelSource:
        """The model's files."""
        return find_model(self.name)

    def _load_cutter(self, vocabulary: Vocabulary) -> SentenceCutter:
        return SentenceCutter(vocabulary, longest_text(self.source.folder))

    def states(self, ids: list[int], vocabulary: Vocabulary) -> list[NDArray[np.float32]]:
        """Return the hidden states of a sentence at each layer: (n, D) float32 each.

        Layer 0 is the output of the embedding block.

        Args:
            ids: the tokens of the sentence, (n,), without [CLS] and [SEP].
            vocabulary: of the model.
        """
        cls_id, sep_id = special_ids(vocabulary, Mode.DYNAMIC)
        return self._kept((cls_id, *ids, sep_id))

    def word_states(
        self,
        words: Sequence[FoundWord],
        vocabulary: Vocabulary,
        layer: int | None,
        *,
        progress: Progress = no_progress,
    ) -> NDArray[np.float64]:
        """Return the hidden state of each word at a layer, or the mean of its tokens': (n, D).

        layer: None for the last. progress: called with numbers of words.
        """
        encoder = self._encoder
        import numpy as np
        import torch

        from wordvec.extraction.contextual import batch_bounds
        from wordvec.extraction.dynamic import hidden_states

        cls_id, sep_id = special_ids(vocabulary, Mode.DYNAMIC)
        order = sorted(range(len(words)), key=lambda i: -len(words[i].ids))
        lengths = np.array([len(words[i].ids) + 2 for i in order])
        vectors: list[NDArray[np.float64]] = [np.empty(0)] * len(words)
        bounds = batch_bounds(lengths, POSITIONS * BATCH_SIZE)
        for first, end in pairwise(bounds):
            batch = [words[i] for i in order[first:end]]
            ids = np.full((end - first, lengths[first]), sep_id)
            for row, word in zip(ids, batch, strict=True):
                row[: len(word.ids) + 1] = [cls_id, *word.ids]
            mask = torch.from_numpy(
                (np.arange(lengths[first]) < lengths[first:end, None]).astype(int)
            )
            states = hidden_states(encoder, torch.from_numpy(ids), mask, every=layer is not None)
            chosen = states[-1 if layer is None else layer].float().cpu().numpy().astype("float64")
            for i, state, word in zip(order[first:end], chosen, batch, strict=True):
                vectors[i] = state[1 + word.place.start : 1 + word.place.stop].mean(axis=0)
            progress(end, len(words))
        return np.stack(vectors)

    def _compute(self, ids: tuple[int, ...]) -> list[NDArray[np.float32]]:
        encoder = self._encoder  # before torch is imported here
        import torch

        from wordvec.extraction.dynamic import hidden_states

        states = hidden_states(encoder, torch.tensor([ids]), every=True)
        return [state[0, 1:-1].float().cpu().numpy() for state in states]

    @cached_property
    def _encoder(self) -> torch.nn.Module:
        require_torch("a word in a sentence")
        if sys.platform == "darwin" and "faiss" in sys.modules:  # each has its own OpenMP
            raise WordvecError(
                "on macOS, torch cannot be loaded after faiss, which an earlier question has used",
                hint="ask about words in sentences in a new process",
            )
        try:
            self._status("loading torch")
            check_torch_loads()
            from wordvec.extraction.encoder import find_device, load_encoder

            self._status(f"loading {self.name}")
            return load_encoder(self.source).to(find_device(Device.AUTO))
        finally:
            self._status("")
