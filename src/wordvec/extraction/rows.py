"""Do a model's vocabulary and its matrix belong together? One row per token, more or less.

A matrix may have rows that no token uses: their number is rounded up to a multiple of 64, 128 or
more, or rows are reserved for later. The largest share that we know of is 2.4 %, and 125 rows in a
small vocabulary:

    model               rows      tokens   source
    DeepSeek-MoE 16B    102,400   100,015  github.com/deepseek-ai/DeepSeek-MoE/issues/14
    CodeGen, phi-2      51,200    50,295   config.json, and the tokenizer's length
    mDeBERTa-v3         251,000   250,102  config.json, and the tokenizer's length
    Qwen1.5 14B         152,064   151,646  github.com/QwenLM/Qwen3/issues/885
    MPT-30B             50,432    50,279   github.com/mosaicml/llm-foundry/issues/590
    T5 v1.1             32,128    32,100   github.com/deep-floyd/IF/issues/119
    ByT5                384       259      config.json, and the tokenizer's length

Tokens without a row are those that were added to the tokenizer but not to the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wordvec.errors import ModelError
from wordvec.vocabulary.settings import TokenizerSettings, has_file, read_bytes
from wordvec.vocabulary.tokenizer import parse_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.vocabulary.lookup import Vocabulary

PADDING_ROWS = 256  # that a vocabulary may have without a token, but not more than it has tokens;
PADDING_SHARE = 20  # or a twentieth of its tokens
_SHOWN = 3  # tokens named in the note


@dataclass(frozen=True, slots=True)
class FittedVocabulary:
    """A vocabulary that has one row of the matrix per token, and what the user should know."""

    vocabulary: Vocabulary
    notes: tuple[str, ...] = ()


def most_padding(size: int) -> int:
    """Return how many rows without a token a vocabulary of this size may have.

    >>> most_padding(32_000), most_padding(1_000), most_padding(3)
    (1600, 256, 3)
    """
    return max(min(PADDING_ROWS, size), size // PADDING_SHARE)


def fit_vocabulary(vocabulary: Vocabulary, rows: int, folder: Path) -> FittedVocabulary:
    """Leave out the tokens that have no row in the matrix.

    Args:
        vocabulary: as read from the model's files.
        rows: number of rows of the word-embedding matrix.
        folder: of the model.

    Raises:
        ModelError: the vocabulary and the matrix, or config.json, are not of the same model.
    """
    settings = TokenizerSettings.read(folder)
    counts = {f"its word-embedding matrix has {rows:,} rows": rows}
    size = _vocab_size(settings.config)
    if size is not None:
        counts[f"vocab_size in its config.json is {size:,}"] = size
    V = len(vocabulary)
    added = _added_rows(settings, folder) if min(counts.values()) < V else set()
    for what, count in counts.items():
        beyond = sum(row not in added for row in range(count, V))
        if count - V > most_padding(V) or beyond > most_padding(count):
            raise ModelError(
                f"{folder}: the vocabulary has {V:,} tokens, but {what}",
                hint="one of the files is incomplete or of another model: download them again",
            )
    if rows >= V:
        return FittedVocabulary(vocabulary)
    return FittedVocabulary(cut(vocabulary, rows), (_note(vocabulary, rows),))


def _vocab_size(config: Any) -> int | None:
    """Return `vocab_size` of a config.json; a model of text and images has it one level deeper."""
    inner = config.get("text_config")
    for settings in (config, inner if isinstance(inner, dict) else {}):
        size = settings.get("vocab_size")
        if type(size) is int and size > 0:
            return size
    return None


def _added_rows(settings: TokenizerSettings, folder: Path) -> set[int]:
    """Return the ids of the tokens that were added to the vocabulary after training."""
    rows = {row for row, _ in settings.added_tokens}
    file = folder / "tokenizer.json"
    if has_file(file):
        rows.update(parse_tokenizer(read_bytes(file), str(file)).get_added_tokens_decoder())
    return rows


def cut(vocabulary: Vocabulary, rows: int) -> Vocabulary:
    """Return the vocabulary of the first rows; special ids after them are dropped."""

    def kept(id_: int | None) -> int | None:
        return id_ if id_ is not None and id_ < rows else None

    return replace(
        vocabulary,
        tokens=vocabulary.tokens[:rows],
        special_ids=tuple(id_ for id_ in vocabulary.special_ids if id_ < rows),
        cls_id=kept(vocabulary.cls_id),
        sep_id=kept(vocabulary.sep_id),
    )


def _note(vocabulary: Vocabulary, rows: int) -> str:
    V = len(vocabulary)
    shown = ", ".join(vocabulary.display(id_) for id_ in range(rows, min(V, rows + _SHOWN)))
    more = ", …" if rows + _SHOWN < V else ""
    count = "1 token has" if V - rows == 1 else f"{V - rows:,} tokens have"
    return (
        f"{count} no vector, because the model's matrix has only {rows:,} rows for {V:,} tokens: "
        f"left out from id {rows} on ({shown}{more})"
    )
