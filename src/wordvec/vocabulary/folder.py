"""Reading the vocabulary of a model from the files in its folder.

The tokens come from the first of `VOCABULARY_FILES` that exists. Then come the tokens that were
added later. Which tokens are special is taken from the model's own settings; the usual names are
used only if the settings name none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.vocabulary.lookup import Vocabulary, unused_token
from wordvec.vocabulary.settings import TokenizerSettings, has_file
from wordvec.vocabulary.spelling import MARKS, Scheme
from wordvec.vocabulary.token_files import MOST_UNUSED_ROWS, VOCABULARY_FILES, read_token_file
from wordvec.vocabulary.tokenizer import load_tokenizer, tokenizers_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wordvec.vocabulary.token_files import TokenFile

USUAL_SPECIALS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
)
_USUAL_CLS = ("[CLS]", "<s>")
_USUAL_SEP = ("[SEP]", "</s>")


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the vocabulary of the model in `folder`.

    Raises:
        ModelError: There is no vocabulary, or its files are damaged.
        MissingExtraError: The vocabulary is a SentencePiece model; that package is not installed.
    """
    file = next((folder / name for name in VOCABULARY_FILES if has_file(folder / name)), None)
    if file is None:
        raise ModelError(
            f"{folder} has no vocabulary: expected one of {', '.join(VOCABULARY_FILES)}"
        )
    problem = (
        f"cannot read the vocabulary of {folder}: {file.name} or a file beside it "
        f"is damaged or has an unknown format"
    )
    with tokenizers_errors(problem):
        settings = TokenizerSettings.read(folder)
        return _assemble(read_token_file(file, settings), settings)


def _assemble(file: TokenFile, settings: TokenizerSettings) -> Vocabulary:
    tokens, unused = _fill_gaps(file.tokens | dict(settings.added_tokens))
    rows = {token: row for row, token in enumerate(tokens)}
    special = file.special | settings.special_tokens
    if not special & rows.keys():
        special = frozenset(USUAL_SPECIALS)
    config = settings.config
    cls_id = _find_row(
        rows, settings.token("cls"), file.cls, config.get("cls_token_id"), *_USUAL_CLS
    )
    sep_id = _find_row(
        rows, settings.token("sep"), file.sep, config.get("sep_token_id"), *_USUAL_SEP
    )
    ids = {rows[token] for token in special if token in rows} | unused
    return Vocabulary(
        tokens=tokens,
        scheme=file.scheme,
        special_ids=tuple(sorted(ids | {row for row in (cls_id, sep_id) if row is not None})),
        cls_id=cls_id,
        sep_id=sep_id,
        lowercase=_lowercases(file, settings, tokens, ids),
        marks_start=_marks_start(file),
        tokenizer=file.tokenizer,
    )


def _fill_gaps(tokens: dict[int, str]) -> tuple[tuple[str, ...], set[int]]:
    """Return the tokens in row order, and the rows without one, which are named `[row7]`."""
    if not tokens:
        raise ValueError("no tokens")
    rows = max(tokens) + 1
    if min(tokens) < 0 or rows - len(tokens) > MOST_UNUSED_ROWS:
        raise ValueError(f"ids from {min(tokens)} to {max(tokens)} for {len(tokens)} tokens")
    unused = set(range(rows)) - tokens.keys()
    return tuple(tokens.get(row, unused_token(row)) for row in range(rows)), unused


def _find_row(rows: Mapping[str, int], *candidates: object) -> int | None:
    """Return the row of the first candidate that exists: a token, or an id."""
    for candidate in candidates:
        if isinstance(candidate, str) and candidate in rows:
            return rows[candidate]
        if type(candidate) is int and 0 <= candidate < len(rows):
            return candidate
    return None


def _marks_start(file: TokenFile) -> bool:
    """Return whether the tokenizer puts the mark of a word's start before any text."""
    mark = MARKS.get(file.scheme)
    if file.tokenizer is None or mark is None or file.scheme is Scheme.WORDPIECE:
        return False
    tokens = load_tokenizer(file.tokenizer, file.tokens.values()).cut("a")
    return tokens is not None and tokens[:1] != [] and tokens[0].startswith(mark)


def _lowercases(
    file: TokenFile, settings: TokenizerSettings, tokens: tuple[str, ...], special: set[int]
) -> bool:
    """Return whether the model lower-cases: by its settings, else if it has no upper case."""
    setting = settings.of_tokenizer("do_lower_case", bool)
    if setting is not None:
        return setting
    if file.lowercase is not None:
        return file.lowercase
    ordinary = (token for row, token in enumerate(tokens) if row not in special)
    return not any("A" <= char <= "Z" for token in ordinary for char in token)
