"""Small corpora, and contextual vectors as a plain loop computes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wordvec.extraction.reservoir import priorities
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SENTENCES = (
    "王と女王は王国の島に住む。",
    "男と女と子供がいる。",
    "国王の息子は王子、娘は王女である。",
    "東京は日本の首都、パリはフランスの首都だ。",
    "王は王であり、王の王は王の王の王である、と王は王の男に言い、王の女は王の王に言った。",
    "the king and the queen",
    "猫！",
)


@dataclass
class PlainLoop:
    """Contextual vectors by one forward pass per piece, and a dictionary of all occurrences.

    occurrences: token id → (priority, hidden states at each layer) of each occurrence.
    """

    folder: Path
    seed: int = 0
    occurrences: dict[int, list[tuple[int, NDArray[np.float64]]]] = field(default_factory=dict)

    def read(self, sentences: Iterable[str], longest: int) -> PlainLoop:
        """Run transformers' own tokenizer and model over sentences, in pieces of equal length."""
        import torch
        import transformers

        encode = plain_tokenizer(self.folder)
        model = transformers.AutoModel.from_pretrained(self.folder).float().eval()
        vocabulary = read_vocabulary(self.folder)
        cls_id, sep_id = vocabulary.cls_id, vocabulary.sep_id
        place = 0
        for sentence in sentences:
            ids = encode(sentence)
            parts = -(-len(ids) // longest) or 1
            for piece in np.array_split(np.array(ids, dtype=int), parts):
                with torch.no_grad():
                    output = model(
                        input_ids=torch.tensor([[cls_id, *piece, sep_id]]),
                        output_hidden_states=True,
                    )
                states = [*output.hidden_states[:-1], output.last_hidden_state]
                for position, id_ in enumerate(piece.tolist()):
                    rank = int(priorities(self.seed, place, 1)[0])
                    hidden = np.stack([s[0, position + 1].double().numpy() for s in states])
                    if id_ not in vocabulary.special_ids:
                        self.occurrences.setdefault(id_, []).append((rank, hidden))
                    place += 1
        return self

    def vector(self, id_: int, layer: int, size: int) -> tuple[NDArray[np.float64], float]:
        """Return the mean over the `size` occurrences of lowest priority, and its resultant."""
        chosen = sorted(self.occurrences[id_], key=lambda one: one[0])[:size]
        rows = np.stack([hidden[layer] for _, hidden in chosen])
        directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.mean(axis=0), float(np.linalg.norm(directions.mean(axis=0)))


def plain_tokenizer(folder: Path) -> Callable[[str], list[int]]:
    """Return transformers' tokenizer of a model, or sentencepiece's own of its file."""
    import transformers

    if (models := [*folder.glob("*.model")]) and not (folder / "tokenizer.json").is_file():
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_file=str(models[0]))
        return lambda text: list(processor.encode(text))
    has_file = (folder / "tokenizer.json").is_file()
    kind = transformers.PreTrainedTokenizerFast if has_file else transformers.AutoTokenizer
    tokenizer = kind.from_pretrained(folder)
    return lambda text: list(tokenizer(text, add_special_tokens=False)["input_ids"])


def write(path: Path, sentences: Sequence[str] = SENTENCES) -> Path:
    """Write one sentence a line."""
    path.write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")
    return path
