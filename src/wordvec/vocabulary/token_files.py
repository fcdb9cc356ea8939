"""The files that contain a model's tokens, and how to read each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import ModelError
from wordvec.foreign.json_data import optional, parse_object, required, typed
from wordvec.text import quote
from wordvec.vocabulary.settings import damaged_file, has_file, read_bytes, read_json, read_text
from wordvec.vocabulary.spelling import CONTINUATION, Scheme, guess_scheme
from wordvec.vocabulary.tokenizer import (
    MAX_WORD,
    JapaneseSettings,
    TokenizerFile,
    TokenizerKind,
    parse_sentencepiece,
    parse_tokenizer,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from wordvec.vocabulary.settings import TokenizerSettings

VOCABULARY_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""In the order of preference; all but the first three are SentencePiece models."""

MOST_UNUSED_ROWS = 100_000  # more rows without a token mean that the file is damaged
_MOST_TOKENS = 5_000_000  # the largest vocabulary that we know has 262,144

# fairseq puts its own tokens before those of SentencePiece, and a mask after them.
_XLM_R_LIKE = ("XLMRoberta", "MLuke", "xlm-roberta", "xlm-roberta-xl", "xmod")
_XLM_R_FIRST = ("<s>", "<pad>", "</s>", "<unk>")  # replace the first three pieces
_CAMEMBERT_LIKE = ("Camembert", "camembert")
_CAMEMBERT_FIRST = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED")  # replace one
_T5_LIKE = ("T5", "t5", "longt5", "switch_transformers")
_T5_EXTRA = (
    100  # <extra_id_99> to <extra_id_0>, after the pieces, unless the settings say otherwise
)
_MOST_EXTRA = 100_000
# These shift the ids of SentencePiece in other ways.
_OTHER_SHIFTS = (
    *("MBart", "mbart", "Nllb", "M2M100", "m2m_100", "SeamlessM4T", "seamless_m4t"),
    *("Pegasus", "pegasus", "XGLM", "xglm"),
)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """What a file says about the vocabulary.

    tokens: row → token. special: tokens that the file marks as special. cls, sep: the tokens before
    and after a text. lowercase: whether text is lower-cased. None: the file does not say.
    """

    tokens: dict[int, str]
    scheme: Scheme
    special: frozenset[str] = frozenset()
    cls: str | None = None
    sep: str | None = None
    lowercase: bool | None = None
    tokenizer: TokenizerFile | None = None


def read_token_file(file: Path, settings: TokenizerSettings) -> TokenFile:
    """Read one of `VOCABULARY_FILES`."""
    if file.name == "tokenizer.json":
        return _read_tokenizer_json(file, settings)
    if file.name == "vocab.txt":
        return _read_vocab_txt(file, settings)
    if file.name == "vocab.json":
        return _read_vocab_json(file, settings)
    return _read_sentencepiece(file, settings)


def _read_tokenizer_json(file: Path, settings: TokenizerSettings) -> TokenFile:
    """Read the format of the `tokenizers` library: model, added tokens, normalizer, template."""
    data = read_bytes(file)
    with damaged_file(file, "is damaged or has an unknown format"):
        _check_tokenizer_json(parse_object(data))
    tokenizer = parse_tokenizer(data, str(file))
    _apply_bert_settings(tokenizer, settings)
    tokens = {row: token for token, row in tokenizer.get_vocab(with_added_tokens=True).items()}
    added = tokenizer.get_added_tokens_decoder().values()
    cls, sep = _template(tokenizer)
    return TokenFile(
        tokens,
        _scheme_of(tokenizer, tokens.values()),
        frozenset(token.content for token in added if token.special),
        cls,
        sep,
        _lowercases(tokenizer),
        _saved(tokenizer),
    )


def _check_tokenizer_json(data: Mapping[str, Any]) -> None:
    """Check what the `tokenizers` library does not: it hangs or aborts the process.

    Raises:
        ValueError: An id is far beyond the number of tokens, or a merge of BPE gives a part without
            the prefix that it must have.
    """
    model = required(data, "model", dict)
    vocab = model.get("vocab")
    added = optional(data, "added_tokens", list) or []
    ids = [*vocab.values()] if isinstance(vocab, dict) else []
    ids += [typed(token, dict, "an added token").get("id") for token in added]
    most = len(ids) + (len(vocab) if isinstance(vocab, list) else 0) + MOST_UNUSED_ROWS
    wrong = [id_ for id_ in ids if type(id_) is not int or not 0 <= id_ < most]
    if wrong:
        raise ValueError(f"an id is {quote(wrong[0], 40)}, expected 0 to {most - 1:,}")
    prefix = optional(model, "continuing_subword_prefix", str)
    if prefix:
        for merge in optional(model, "merges", list) or ():
            parts = merge.split(" ", 1) if isinstance(merge, str) else typed(merge, list, "a merge")
            if not (parts and typed(parts[-1], str, "a part of a merge").startswith(prefix)):
                raise ValueError(f"a merge has a part without {quote(prefix, 40)}")


def _saved(tokenizer: Any) -> TokenizerFile:
    data = tokenizer.to_str().encode()
    return TokenizerFile(TokenizerKind.TOKENIZERS, lambda: data)


def _apply_bert_settings(tokenizer: Any, settings: TokenizerSettings) -> None:
    """Let tokenizer_config.json decide about case and accents, as transformers does."""
    from tokenizers import normalizers

    if not isinstance(tokenizer.normalizer, normalizers.BertNormalizer):
        return
    for setting, name in (
        ("do_lower_case", "lowercase"),
        ("strip_accents", "strip_accents"),
        ("tokenize_chinese_chars", "handle_chinese_chars"),
    ):
        value = settings.of_tokenizer(setting, bool)
        if value is not None or (setting == "strip_accents" and setting in settings.tokenizer):
            setattr(tokenizer.normalizer, name, value)


def _scheme_of(tokenizer: Any, tokens: Iterable[str]) -> Scheme:
    parts = (tokenizer.pre_tokenizer, tokenizer.decoder)
    if any(b"ByteLevel" in part.__getstate__() for part in parts if part is not None):
        return Scheme.BYTE_LEVEL
    match type(tokenizer.model).__name__:
        case "Unigram":
            return Scheme.SENTENCEPIECE
        case "WordPiece" | "WordLevel":
            return Scheme.WORDPIECE
    return _scheme_by_marks(tokens)


def _lowercases(tokenizer: Any) -> bool:
    normalizer = tokenizer.normalizer
    return normalizer is not None and "a" in normalizer.normalize_str("A")


def _template(tokenizer: Any) -> tuple[str | None, str | None]:
    """Return the tokens that are put before and after a text, if there is one on each side."""
    around = tokenizer.encode("").tokens
    return (around[0], around[1]) if len(around) == 2 else (None, None)


def _read_vocab_txt(file: Path, settings: TokenizerSettings) -> TokenFile:
    r"""Read one token per line, in row order. Lines end at `\n` only, and nothing is stripped.

    Python's own splitlines would also split at U+0085 and U+2028, which are tokens.
    """
    text = read_text(file).removeprefix("\ufeff")  # a BOM is no token
    if text.count("\n") > _MOST_TOKENS:
        raise ModelError(f"{file} has more than {_MOST_TOKENS:,} lines, one for each token")
    *lines, last = text.split("\n")
    if lines and all(line.endswith("\r") for line in lines):
        lines = [line.removesuffix("\r") for line in lines]  # a checkout with Windows line endings
    if last:
        lines.append(last)
    scheme = _scheme_by_marks(lines)
    tokenizer = None
    if settings.is_of(("BertJapanese",)) or "word_tokenizer_type" in settings.tokenizer:
        data = JapaneseSettings.of(settings).to_bytes()
        tokenizer = TokenizerFile(TokenizerKind.JAPANESE, lambda: data)
    elif scheme is Scheme.WORDPIECE:
        tokenizer = _bert_tokenizer(lines, settings)
    return TokenFile(dict(enumerate(lines)), scheme, tokenizer=tokenizer)


def _bert_tokenizer(tokens: Sequence[str], settings: TokenizerSettings) -> TokenizerFile:
    """Return transformers' BertTokenizer for these tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    vocab = {token: row for row, token in enumerate(tokens)}
    tokenizer = Tokenizer(
        models.WordPiece(
            vocab,
            unk_token=settings.token("unk") or "[UNK]",
            max_input_chars_per_word=MAX_WORD,
            continuing_subword_prefix=CONTINUATION,
        )
    )
    lowercase = not any(
        "A" <= char <= "Z" for token in tokens if token[:1] != "[" for char in token
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _apply_bert_settings(tokenizer, settings)
    return _saved(tokenizer)


def _read_vocab_json(file: Path, settings: TokenizerSettings) -> TokenFile:
    with damaged_file(file):
        vocab = {
            token: typed(row, int, f"the id of {quote(token, 40)}")
            for token, row in typed(read_json(file), dict, "it").items()
        }
    merges = file.parent / "merges.txt"
    scheme = _scheme_by_marks(vocab)
    if not has_file(merges):
        return TokenFile({row: token for token, row in vocab.items()}, scheme)
    if scheme is Scheme.WORDPIECE:
        scheme = Scheme.BYTE_LEVEL
    tokenizer = _byte_level_tokenizer(vocab, read_text(merges), settings)
    return TokenFile({row: token for token, row in vocab.items()}, scheme, tokenizer=tokenizer)


def _byte_level_tokenizer(
    vocab: dict[str, int], merges: str, settings: TokenizerSettings
) -> TokenizerFile | None:
    """Return transformers' GPT2Tokenizer for a vocabulary, or None if its merges do not fit."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    pairs = [
        (line.split(" ")[0], line.split(" ")[1])
        for line in merges.split("\n")
        if line.count(" ") == 1 and not line.startswith("#version")
    ]
    try:
        tokenizer = Tokenizer(models.BPE(vocab, pairs))
    except Exception:  # noqa: BLE001  # it raises plain Exceptions
        return None
    prefix = settings.of_tokenizer("add_prefix_space", bool) or False
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    return _saved(tokenizer)


def _scheme_by_marks(tokens: Iterable[str]) -> Scheme:
    scheme = guess_scheme(tokens)
    return Scheme.WORDPIECE if scheme is Scheme.WORDS else scheme


def _read_sentencepiece(file: Path, settings: TokenizerSettings) -> TokenFile:
    """Read a SentencePiece model; some models shift its ids."""
    data = read_bytes(file)
    processor = parse_sentencepiece(data, str(file))
    rows = range(processor.GetPieceSize())
    pieces = [str(processor.IdToPiece(row)) for row in rows]
    special = frozenset(
        pieces[row]
        for row in rows
        if processor.IsControl(row) or processor.IsUnknown(row) or processor.IsUnused(row)
    )
    tokens = _in_row_order(pieces, file, settings)
    special |= {token for token in tokens[len(pieces) :] if token.startswith("<extra_id_")}
    tokenizer = TokenizerFile(TokenizerKind.SENTENCEPIECE, lambda: data)
    return TokenFile(dict(enumerate(tokens)), Scheme.SENTENCEPIECE, special, tokenizer=tokenizer)


def _in_row_order(pieces: list[str], file: Path, settings: TokenizerSettings) -> list[str]:
    """Return the tokens in the order of the model's rows."""
    if settings.is_of(_XLM_R_LIKE):
        return [*_XLM_R_FIRST, *pieces[3:], "<mask>"]
    if settings.is_of(_CAMEMBERT_LIKE):
        return [*_CAMEMBERT_FIRST, *pieces[1:], "<mask>"]
    if settings.is_of(("DebertaV2", "deberta-v2")) and "[MASK]" not in pieces:
        return [*pieces, "[MASK]"]
    if settings.is_of(_T5_LIKE) and "<extra_id_0>" not in pieces:
        rows = settings.of_model("vocab_size", int) or len(pieces) + _T5_EXTRA
        extra = settings.of_tokenizer("extra_ids", int)
        count = min(_T5_EXTRA if extra is None else extra, rows - len(pieces))
        if count > _MOST_EXTRA:
            raise ValueError(f"extra_ids is {extra:,}, expected at most {_MOST_EXTRA:,}")
        return [*pieces, *(f"<extra_id_{i}>" for i in reversed(range(count)))]
    if file.name == "sentencepiece.bpe.model" or settings.is_of(_OTHER_SHIFTS):
        raise ModelError(
            f"{file} does not determine the rows: models of this type shift SentencePiece's ids",
            hint="save its tokenizer once with transformers, which writes a tokenizer.json",
        )
    return pieces
