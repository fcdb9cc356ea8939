"""Cutting the text of a corpus into sentences, and sentences into the ids of tokens.

    block → lines → sentences (after 。！？) → ids (by the model's own tokenizer) → pieces

A piece is what the model reads at once: a sentence, or an equal part of one that is too long.
This module does not load torch: it runs in processes of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import MissingExtraError, ModelError, StoreError
from wordvec.extraction.corpus import missing_field
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.settings import TokenizerSettings
from wordvec.vocabulary.tokenizer import UNKNOWN, load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.extraction.corpus import Block
    from wordvec.vocabulary.lookup import Vocabulary
    from wordvec.vocabulary.tokenizer import Tokenizer

MAX_CHARS = 2000
"""Characters of the longest sentence; a longer one is cut, if possible after a comma or space."""

DEFAULT_LENGTH = 512
"""Positions of a model whose files do not say how many it has."""

# A sentence ends after 。！？ and the brackets that close after them.
_SENTENCE = re.compile(r"[^。！？]*[。！？]+[」』）】〕〉》”’)\]]*|[^。！？]+")
_PAUSE = re.compile(r"[、,\s]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

# Models whose position embeddings begin after the padding id, as in fairseq.
_SHIFTED_POSITIONS = (
    *("roberta", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm", "camembert", "luke"),
    *("mluke", "mpnet", "longformer", "data2vec-text", "xmod", "ibert", "layoutlmv3", "esm"),
)


@dataclass(frozen=True, slots=True, eq=False)
class CutText:
    """The pieces of some text.

    ids: (n,) int32, the tokens of all pieces, one after the other. lengths: (m,) int32, the number
    of tokens of each piece, at least 1. starts: (m,) bool, whether a piece begins a sentence.
    replaced: how many broken bytes or halves of characters were replaced.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int32]
    starts: NDArray[np.bool_]
    replaced: int = 0

    def first(self, sentences: int) -> CutText:
        """Return the pieces of the first sentences."""
        pieces = int(np.searchsorted(np.cumsum(self.starts), sentences, side="right"))
        tokens = int(self.lengths[:pieces].sum())
        return CutText(
            self.ids[:tokens], self.lengths[:pieces], self.starts[:pieces], self.replaced
        )


class SentenceCutter:
    """Cuts blocks of a corpus as one model reads them.

    vocabulary: of the model. max_tokens: the longest piece, without [CLS] and [SEP].
    """

    def __init__(self, vocabulary: Vocabulary, max_tokens: int) -> None:
        self.vocabulary = vocabulary
        self.max_tokens = max_tokens
        self._tokenizer = exact_tokenizer(vocabulary, "cutting sentences")
        rows = {token: row for row, token in enumerate(vocabulary.tokens)}
        unknown = (rows[name] for name in (UNKNOWN, "<unk>") if name in rows)
        self._rows, self._unknown = rows, next(unknown, None)

    @classmethod
    def load(cls, folder: Path, rows: int) -> SentenceCutter:
        """Load the cutter of the model in `folder`, whose matrix has so many rows."""
        vocabulary = read_vocabulary(folder)
        if rows < len(vocabulary):
            vocabulary = vocabulary.first(rows)
        return cls(vocabulary, longest_text(folder))

    def cut(self, block: Block) -> CutText:
        """Cut a block; a sentence without tokens is left out.

        Raises:
            StoreError: a line is not JSON, or has no text in the field.
        """
        text, replaced = decode_block(block)
        ids, lengths, starts = [], [], []
        for known in self.ids_of(list(split_sentences(text))):
            if known:
                ids += known
                parts = equal_parts(len(known), self.max_tokens)
                lengths += parts
                starts += [True] + [False] * (len(parts) - 1)
        return CutText(
            np.array(ids, dtype=np.int32),
            np.array(lengths, dtype=np.int32),
            np.array(starts, dtype=np.bool_),
            replaced,
        )

    def ids_of(self, sentences: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each sentence; what has no token and no [UNK] is left out."""
        return [
            [id_ for token in tokens if (id_ := self._rows.get(token, self._unknown)) is not None]
            for tokens in self._tokenizer.cut_sentences(sentences)
        ]

    def normalize(self, text: str) -> str:
        """Return a text as the model's own normaliser changes it."""
        return self._tokenizer.normalize(text)


def exact_tokenizer(vocabulary: Vocabulary, what: str) -> Tokenizer:
    """Load a model's tokenizer, or raise if it cannot cut text as the model does.

    what: needs it, for the message.
    """
    if vocabulary.tokenizer is None:
        raise ModelError(f"this model has no tokenizer, which {what} needs")
    tokenizer = load_tokenizer(vocabulary.tokenizer, vocabulary.tokens)
    if not tokenizer.exact:
        raise MissingExtraError(what, extra="ja", package="MeCab with its dictionary")
    return tokenizer


def longest_text(folder: Path) -> int:
    """Return how many tokens a model reads at once, without the tokens around a text.

    >>> from wordvec.models.bundled import bundled_folder
    >>> longest_text(bundled_folder())
    126
    """
    settings = TokenizerSettings.read(folder)
    config = settings.config
    positions = config.get("max_position_embeddings")
    limits = [settings.tokenizer.get("model_max_length"), positions]
    if config.get("model_type") in _SHIFTED_POSITIONS and isinstance(positions, int):
        limits.append(positions - int(config.get("pad_token_id") or 0) - 1)
    known = [int(limit) for limit in limits if isinstance(limit, int | float) and limit > 2]
    return min([*known, MAX_CHARS]) - 2 if known else DEFAULT_LENGTH - 2


def split_sentences(text: str) -> Iterator[str]:
    r"""Split text at the ends of lines and after 。！？; a long sentence is split further.

    >>> list(split_sentences("王がいた。「女王は？」と言う\nはい！！"))
    ['王がいた。', '「女王は？」', 'と言う', 'はい！！']
    """
    for line in text.splitlines():
        for sentence in _SENTENCE.findall(line):
            yield from _short_enough(sentence)


def _short_enough(sentence: str) -> Iterator[str]:
    while len(sentence) > MAX_CHARS:
        pauses = [match.end() for match in _PAUSE.finditer(sentence, 0, MAX_CHARS)]
        end = pauses[-1] if pauses else MAX_CHARS
        yield from filter(None, [sentence[:end].strip()])
        sentence = sentence[end:]
    yield from filter(None, [sentence.strip()])


def equal_parts(length: int, longest: int) -> list[int]:
    """Return the lengths of the fewest parts that are as equal as can be and not too long.

    >>> equal_parts(10, 4), equal_parts(4, 4)
    ([4, 3, 3], [4])
    """
    parts = -(-length // longest)
    short, more = divmod(length, parts)
    return [short + 1] * more + [short] * (parts - more)


def decode_block(block: Block) -> tuple[str, int]:
    """Return the text of a block, and how many broken characters were replaced in it."""
    text = block.data.decode("utf-8", "replace")
    replaced = text.count(_REPLACEMENT) - block.data.count(_REPLACEMENT.encode())
    if block.field is not None:
        lines = text.split("\n")
        text = "\n".join(_fields(lines, block, block.field))
        text, halves = _SURROGATE.subn(_REPLACEMENT, text)
        replaced += halves
    return text.replace("\0", " "), replaced  # MeCab ends a text at NUL


def _fields(lines: list[str], block: Block, field: str) -> Iterator[str]:
    for number, line in enumerate(lines, block.line):
        if line.strip():
            yield _field(line, field, f"{block.source}: line {number}")


def _field(line: str, field: str, where: str) -> str:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise StoreError(f"{where} is not a JSON object")
    text = row.get(field)
    if not isinstance(text, str):
        raise missing_field(where, field, row)
    return text
