"""A model's folder → its vocabulary, from the files that the model came with.

The tokens come from the first of `tokenizer.json`, `vocab.txt`, `vocab.json` and a SentencePiece
model; then tokens that were added later; then which of them are special, by the model's own
settings, and by the usual names only where it has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import BEGINS, CONTINUES, SPACE, Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VOCABULARY_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
SETTINGS_FILES = (
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""Together: every file that a vocabulary is read from."""

_USUAL_SPECIALS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
)
_USUAL_CLS = ("[CLS]", "<s>")
_USUAL_SEP = ("[SEP]", "</s>")
_WIDEST_GAP = 100_000  # ids without a token; a larger one is a damaged file, not a model

# fairseq put its own tokens before SentencePiece's, and a mask after them.
_XLM_R_KIN = ("XLMRoberta", "MLuke", "xlm-roberta", "xlm-roberta-xl", "xmod")
_XLM_R_FIRST = ("<s>", "<pad>", "</s>", "<unk>")  # in place of the model's first three
_CAMEMBERT_KIN = ("Camembert", "camembert")
_CAMEMBERT_FIRST = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED")  # of one
# Others move SentencePiece's ids too, in ways of their own.
_OTHER_SHIFTS = (
    *("MBart", "mbart", "Nllb", "M2M100", "m2m_100", "SeamlessM4T", "seamless_m4t"),
    *("Pegasus", "pegasus", "XGLM", "xglm"),
)


@dataclass(slots=True)
class _Found:
    """What one file says of the vocabulary. `tokens`: row → token."""

    tokens: dict[int, str]
    scheme: Scheme
    special: set[str] = field(default_factory=set)
    cls: str | None = None
    sep: str | None = None
    lowercase: bool | None = None


@dataclass(frozen=True, slots=True)
class _Settings:
    """The small JSON files beside the vocabulary; an absent one is empty."""

    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    special_map: Mapping[str, Any]
    added: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> _Settings:
        return cls(*(_read_settings(folder / name) for name in SETTINGS_FILES))

    def token(self, role: str) -> str | None:
        """Give the token of a role: "cls", "pad"."""
        for settings in (self.tokenizer, self.special_map):
            content = _content(settings.get(f"{role}_token"))
            if content is not None:
                return content
        return None

    @property
    def specials(self) -> set[str]:
        """Every token that the settings call special."""
        named = set()
        for settings in (self.tokenizer, self.special_map):
            for key, value in settings.items():
                if key.endswith("_token"):
                    named.add(_content(value))
                if key in ("additional_special_tokens", "extra_special_tokens"):
                    items = value.values() if isinstance(value, dict) else value or ()
                    named.update(map(_content, items))
        decoder = self.tokenizer.get("added_tokens_decoder") or {}
        named.update(_content(token) for token in decoder.values() if token.get("special"))
        return {token for token in named if token is not None}

    @property
    def added_tokens(self) -> Iterator[tuple[int, str]]:
        """Tokens that were added to the vocabulary: (row, token)."""
        for token, row in self.added.items():
            yield int(row), token
        for row, token in (self.tokenizer.get("added_tokens_decoder") or {}).items():
            content = _content(token)
            if content is not None:
                yield int(row), content

    @property
    def kind(self) -> tuple[str, str]:
        """The tokenizer's class and the model's type, as far as they are known."""
        return (
            str(self.tokenizer.get("tokenizer_class") or ""),
            str(self.config.get("model_type") or ""),
        )

    def is_of(self, names: tuple[str, ...]) -> bool:
        tokenizer_class, model_type = self.kind
        return tokenizer_class.startswith(names) or model_type in names


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the vocabulary of the model in `folder`."""
    file = next((folder / name for name in VOCABULARY_FILES if (folder / name).is_file()), None)
    if file is None:
        raise ModelError(
            f"{folder} holds no vocabulary: there is none of {', '.join(VOCABULARY_FILES)}"
        )
    try:
        settings = _Settings.of(folder)
        found = _read_file(file, settings)
        found.tokens.update(settings.added_tokens)
        return _assemble(found, settings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"the vocabulary of {folder} cannot be read: {file.name} or a file beside it "
            f"is damaged or of an unknown form ({error!r})"
        ) from error


def _read_file(file: Path, settings: _Settings) -> _Found:
    if file.name == "tokenizer.json":
        return _read_tokenizer_json(_read_json(file))
    if file.name == "vocab.txt":
        return _read_vocab_txt(file)
    if file.name == "vocab.json":
        return _read_vocab_json(file)
    return _read_sentencepiece(file, settings)


def _read_tokenizer_json(data: Mapping[str, Any]) -> _Found:
    """Read the format of the `tokenizers` library: model, added tokens, normalizer, template."""
    vocab = data["model"]["vocab"]
    if isinstance(vocab, list):  # Unigram: [piece, score] in row order
        tokens = {row: str(piece[0]) for row, piece in enumerate(vocab)}
    else:
        tokens = {int(row): str(token) for token, row in vocab.items()}
    found = _Found(tokens, _scheme_of(data))
    for added in data.get("added_tokens") or ():
        tokens[int(added["id"])] = str(added["content"])
        if added.get("special"):
            found.special.add(str(added["content"]))
    found.lowercase = _lowercases(data.get("normalizer"))
    found.cls, found.sep = _template(data.get("post_processor"))
    return found


def _scheme_of(data: Mapping[str, Any]) -> Scheme:
    model = data["model"]
    if _parts(data.get("pre_tokenizer"), "ByteLevel") or _parts(data.get("decoder"), "ByteLevel"):
        return Scheme.BYTE_LEVEL
    if isinstance(model["vocab"], list):
        return Scheme.SENTENCEPIECE
    if model.get("type") in ("WordPiece", "WordLevel"):
        return Scheme.WORDPIECE
    return _guess(model["vocab"])


def _parts(part: Any, kind: str) -> list[Mapping[str, Any]]:
    """Give the parts of one type in a normalizer or the like, which may be a nested sequence."""
    if isinstance(part, list):
        return [inner for item in part for inner in _parts(item, kind)]
    if not isinstance(part, dict):
        return []
    inner = [found for value in part.values() for found in _parts(value, kind)]
    return [part, *inner] if part.get("type") == kind else inner


def _lowercases(normalizer: Any) -> bool:
    bert = _parts(normalizer, "BertNormalizer")
    return bool(_parts(normalizer, "Lowercase")) or any(part.get("lowercase") for part in bert)


def _template(processor: Any) -> tuple[str | None, str | None]:
    """Give what BERT's or RoBERTa's post-processor puts before and after a text."""
    for kind in ("BertProcessing", "RobertaProcessing"):
        for part in _parts(processor, kind):
            return str(part["cls"][0]), str(part["sep"][0])
    for part in _parts(processor, "TemplateProcessing"):
        pieces = [next(iter(piece.items())) for piece in part["single"]]
        if [kind for kind, _ in pieces] == ["SpecialToken", "Sequence", "SpecialToken"]:
            return str(pieces[0][1]["id"]), str(pieces[2][1]["id"])
    return None, None


def _read_vocab_txt(file: Path) -> _Found:
    r"""One token a line, its row the line's place: cut at `\n` alone, nothing stripped.

    Python's own splitlines would cut at U+0085 and U+2028 too, which are tokens.
    """
    lines = _read_text(file).split("\n")
    if lines[-1] == "":
        lines.pop()  # the end of the last line
    if lines and all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]  # a checkout that wrote Windows line ends
    return _Found(dict(enumerate(lines)), _guess(lines))


def _read_vocab_json(file: Path) -> _Found:
    tokens = {int(row): str(token) for token, row in _read_json(file).items()}
    scheme = _guess(tokens.values())
    if scheme is Scheme.WORDPIECE and (file.parent / "merges.txt").is_file():
        scheme = Scheme.BYTE_LEVEL
    return _Found(tokens, scheme)


def _guess(tokens: Any) -> Scheme:
    """Tell the scheme by the mark that the most tokens carry; WordPiece if none does."""
    tokens = list(tokens)
    marks = {
        Scheme.WORDPIECE: CONTINUES,
        Scheme.SENTENCEPIECE: BEGINS,
        Scheme.BYTE_LEVEL: SPACE,
    }
    return max(marks, key=lambda scheme: sum(token.startswith(marks[scheme]) for token in tokens))


def _read_sentencepiece(file: Path, settings: _Settings) -> _Found:
    """Read a SentencePiece model: its rows are the model's, but for fairseq's kin."""
    try:
        import sentencepiece  # of the extra: only models without a plainer file need it
    except ImportError as error:
        raise MissingExtraError(file.name, extra="extract", package="sentencepiece") from error

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.Load(str(file))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{file} is no SentencePiece model ({error})") from error
    rows = range(processor.GetPieceSize())
    pieces = [str(processor.IdToPiece(row)) for row in rows]
    special = {
        pieces[row]
        for row in rows
        if processor.IsControl(row) or processor.IsUnknown(row) or processor.IsUnused(row)
    }
    tokens = _in_row_order(pieces, file, settings)
    return _Found(dict(enumerate(tokens)), Scheme.SENTENCEPIECE, special)


def _in_row_order(pieces: list[str], file: Path, settings: _Settings) -> list[str]:
    """Put the pieces in the order of the model's rows."""
    if settings.is_of(_XLM_R_KIN):
        return [*_XLM_R_FIRST, *pieces[3:], "<mask>"]
    if settings.is_of(_CAMEMBERT_KIN):
        return [*_CAMEMBERT_FIRST, *pieces[1:], "<mask>"]
    if settings.is_of(("DebertaV2", "deberta-v2")) and "[MASK]" not in pieces:
        return [*pieces, "[MASK]"]
    if file.name == "sentencepiece.bpe.model" or settings.is_of(_OTHER_SHIFTS):
        raise ModelError(
            f"{file} does not tell its rows: models of this kind shift SentencePiece's ids",
            hint="save its tokenizer once with transformers, which writes a tokenizer.json",
        )
    return pieces


def _assemble(found: _Found, settings: _Settings) -> Vocabulary:
    tokens, missing = _without_gaps(found.tokens)
    first = dict(zip(reversed(tokens), range(len(tokens) - 1, -1, -1), strict=True))
    special = found.special | settings.specials
    if not special & first.keys():
        special = set(_USUAL_SPECIALS)
    cls_id = _row(first, settings.token("cls"), found.cls, settings.config.get("cls_token_id"))
    sep_id = _row(first, settings.token("sep"), found.sep, settings.config.get("sep_token_id"))
    cls_id = cls_id if cls_id is not None else _row(first, *_USUAL_CLS)
    sep_id = sep_id if sep_id is not None else _row(first, *_USUAL_SEP)
    ids = {first[token] for token in special if token in first} | missing
    return Vocabulary(
        tokens=tokens,
        scheme=found.scheme,
        special_ids=tuple(sorted(ids | {row for row in (cls_id, sep_id) if row is not None})),
        cls_id=cls_id,
        sep_id=sep_id,
        lowercase=_lowercase(found, settings, ids),
    )


def _without_gaps(tokens: dict[int, str]) -> tuple[tuple[str, ...], set[int]]:
    """Put tokens in row order; a row that no token claims gets a name, and counts as special."""
    if not tokens:
        raise ValueError("no tokens")
    rows = max(tokens) + 1
    if min(tokens) < 0 or rows - len(tokens) > _WIDEST_GAP:
        raise ValueError(f"ids from {min(tokens)} to {max(tokens)} for {len(tokens)} tokens")
    missing = set(range(rows)) - tokens.keys()
    return tuple(tokens.get(row, f"[row{row}]") for row in range(rows)), missing


def _row(first: Mapping[str, int], *candidates: object) -> int | None:
    """Give the row of the first candidate that there is: a token, or an id."""
    for candidate in candidates:
        if isinstance(candidate, str) and candidate in first:
            return first[candidate]
        if type(candidate) is int and 0 <= candidate < len(first):
            return candidate
    return None


def _lowercase(found: _Found, settings: _Settings, special: set[int]) -> bool:
    """Tell whether the model lower-cases: by its settings, else by having no upper case."""
    stated = settings.tokenizer.get("do_lower_case")
    if stated is not None:
        return bool(stated)
    if found.lowercase is not None:
        return found.lowercase
    ordinary = (token for row, token in found.tokens.items() if row not in special)
    return not any("A" <= char <= "Z" for token in ordinary for char in token)


def _content(value: object) -> str | None:
    """Read a token in settings, which is text or has it under "content"."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _read_settings(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    data = _read_json(file)
    if not isinstance(data, dict):
        raise ModelError(f"{file} holds no JSON object")
    return data


def _read_json(file: Path) -> Any:
    try:
        return json.loads(_read_text(file))
    except ValueError as error:
        raise ModelError(f"{file} is no JSON: {error}") from error


def _read_text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{file} is not UTF-8: {error}") from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
