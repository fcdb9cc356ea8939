"""The files that contain a model's tokens, and how to read each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError
from wordvec.vocabulary.settings import read_json, read_text
from wordvec.vocabulary.spelling import Scheme, guess_scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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

# fairseq puts its own tokens before those of SentencePiece, and a mask after them.
_XLM_R_LIKE = ("XLMRoberta", "MLuke", "xlm-roberta", "xlm-roberta-xl", "xmod")
_XLM_R_FIRST = ("<s>", "<pad>", "</s>", "<unk>")  # replace the first three pieces
_CAMEMBERT_LIKE = ("Camembert", "camembert")
_CAMEMBERT_FIRST = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED")  # replace one
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


def read_token_file(file: Path, settings: TokenizerSettings) -> TokenFile:
    """Read one of `VOCABULARY_FILES`."""
    if file.name == "tokenizer.json":
        return _read_tokenizer_json(read_json(file))
    if file.name == "vocab.txt":
        return _read_vocab_txt(file)
    if file.name == "vocab.json":
        return _read_vocab_json(file)
    return _read_sentencepiece(file, settings)


def _read_tokenizer_json(data: Mapping[str, Any]) -> TokenFile:
    """Read the format of the `tokenizers` library: model, added tokens, normalizer, template."""
    vocab = data["model"]["vocab"]
    if isinstance(vocab, list):  # Unigram: [piece, score] in row order
        tokens = {row: str(piece[0]) for row, piece in enumerate(vocab)}
    else:
        tokens = {int(row): str(token) for token, row in vocab.items()}
    added = data.get("added_tokens") or ()
    tokens |= {int(token["id"]): str(token["content"]) for token in added}
    special = frozenset(str(token["content"]) for token in added if token.get("special"))
    cls, sep = _template(data.get("post_processor"))
    return TokenFile(
        tokens, _scheme_of(data), special, cls, sep, _lowercases(data.get("normalizer"))
    )


def _scheme_of(data: Mapping[str, Any]) -> Scheme:
    model = data["model"]
    if _parts(data.get("pre_tokenizer"), "ByteLevel") or _parts(data.get("decoder"), "ByteLevel"):
        return Scheme.BYTE_LEVEL
    if isinstance(model["vocab"], list):
        return Scheme.SENTENCEPIECE
    if model.get("type") in ("WordPiece", "WordLevel"):
        return Scheme.WORDPIECE
    return _scheme_by_marks(model["vocab"])


def _parts(component: Any, kind: str) -> list[Mapping[str, Any]]:
    """Return the parts of one type in a normalizer or similar, which may be a nested sequence."""
    if isinstance(component, list):
        return [part for item in component for part in _parts(item, kind)]
    if not isinstance(component, dict):
        return []
    parts = [part for value in component.values() for part in _parts(value, kind)]
    return [component, *parts] if component.get("type") == kind else parts


def _lowercases(normalizer: Any) -> bool:
    bert = _parts(normalizer, "BertNormalizer")
    return bool(_parts(normalizer, "Lowercase")) or any(part.get("lowercase") for part in bert)


def _template(processor: Any) -> tuple[str | None, str | None]:
    """Return the tokens that a post-processor puts before and after a text."""
    for kind in ("BertProcessing", "RobertaProcessing"):
        for part in _parts(processor, kind):
            return str(part["cls"][0]), str(part["sep"][0])
    for part in _parts(processor, "TemplateProcessing"):
        pieces = [next(iter(piece.items())) for piece in part["single"]]
        if [kind for kind, _ in pieces] == ["SpecialToken", "Sequence", "SpecialToken"]:
            return str(pieces[0][1]["id"]), str(pieces[2][1]["id"])
    return None, None


def _read_vocab_txt(file: Path) -> TokenFile:
    r"""Read one token per line, in row order. Lines end at `\n` only, and nothing is stripped.

    Python's own splitlines would also split at U+0085 and U+2028, which are tokens.
    """
    lines = read_text(file).split("\n")
    if lines[-1] == "":
        lines.pop()  # the end of the last line
    if lines and all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]  # a checkout with Windows line endings
    return TokenFile(dict(enumerate(lines)), _scheme_by_marks(lines))


def _read_vocab_json(file: Path) -> TokenFile:
    tokens = {int(row): str(token) for token, row in read_json(file).items()}
    scheme = _scheme_by_marks(tokens.values())
    if scheme is Scheme.WORDPIECE and (file.parent / "merges.txt").is_file():
        scheme = Scheme.BYTE_LEVEL
    return TokenFile(tokens, scheme)


def _scheme_by_marks(tokens: Iterable[str]) -> Scheme:
    scheme = guess_scheme(tokens)
    return Scheme.WORDPIECE if scheme is Scheme.WORDS else scheme


def _read_sentencepiece(file: Path, settings: TokenizerSettings) -> TokenFile:
    """Read a SentencePiece model; some models shift its ids."""
    try:
        import sentencepiece  # an extra: only models without a simpler file need it
    except ImportError as error:
        raise MissingExtraError(file.name, extra="extract", package="sentencepiece") from error

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.Load(str(file))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{file} is not a SentencePiece model ({error})") from error
    rows = range(processor.GetPieceSize())
    pieces = [str(processor.IdToPiece(row)) for row in rows]
    special = frozenset(
        pieces[row]
        for row in rows
        if processor.IsControl(row) or processor.IsUnknown(row) or processor.IsUnused(row)
    )
    tokens = _in_row_order(pieces, file, settings)
    return TokenFile(dict(enumerate(tokens)), Scheme.SENTENCEPIECE, special)


def _in_row_order(pieces: list[str], file: Path, settings: TokenizerSettings) -> list[str]:
    """Return the tokens in the order of the model's rows."""
    if settings.is_of(_XLM_R_LIKE):
        return [*_XLM_R_FIRST, *pieces[3:], "<mask>"]
    if settings.is_of(_CAMEMBERT_LIKE):
        return [*_CAMEMBERT_FIRST, *pieces[1:], "<mask>"]
    if settings.is_of(("DebertaV2", "deberta-v2")) and "[MASK]" not in pieces:
        return [*pieces, "[MASK]"]
    if file.name == "sentencepiece.bpe.model" or settings.is_of(_OTHER_SHIFTS):
        raise ModelError(
            f"{file} does not determine the rows: models of this type shift SentencePiece's ids",
            hint="save its tokenizer once with transformers, which writes a tokenizer.json",
        )
    return pieces
