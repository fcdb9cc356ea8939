"""How a model cuts text: its own tokenizer, saved beside a table and loaded when it is needed.

    tokenizer.json    read by the `tokenizers` library: WordPiece, Unigram, BPE
    tokenizer.model   read by `sentencepiece`
    albert.json       the same, after what ALBERT, XLNet and DeBERTa-v2 do to a text first
    japanese.json     BertJapanese: MeCab cuts the words, WordPiece or characters cut each word

A tokenizer gives tokens in the model's own spelling, without [CLS] and [SEP].
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from wordvec.errors import MissingExtraError, ModelError, WordvecError
from wordvec.foreign.json_data import optional, parse_object, required
from wordvec.text import clip, escape, nfkc
from wordvec.vocabulary.spelling import CONTINUATION, is_unspaced, mark, marks_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wordvec.vocabulary.settings import TokenizerSettings
    from wordvec.vocabulary.spelling import Scheme

UNKNOWN = "[UNK]"
MAX_WORD = 100  # characters: WordPiece reads a longer word as [UNK]
_CACHED_WORDS = 1 << 17  # a text has far fewer different words than words


class TokenizerKind(StrEnum):
    """What reads a tokenizer; the value is the name of its file."""

    TOKENIZERS = "tokenizer.json"
    SENTENCEPIECE = "tokenizer.model"
    NORMALISED_SENTENCEPIECE = "albert.json"
    JAPANESE = "japanese.json"


@dataclass(frozen=True, slots=True, eq=False)
class TokenizerFile:
    """A tokenizer that has not been loaded. read: returns the content of its file."""

    kind: TokenizerKind
    read: Callable[[], bytes]


class Tokenizer(Protocol):
    """Cuts text as a model does.

    exact: whether the model itself cuts this way; false if a part of its tokenizer is missing here.
    """

    @property
    def exact(self) -> bool:
        """Whether the model itself cuts text this way."""

    def normalize(self, text: str) -> str:
        """Return the text as the model's normaliser changes it."""

    def cut(self, text: str) -> list[str] | None:
        """Cut a text into tokens; return None if that fails or a part has no token."""

    def cut_sentences(self, sentences: Sequence[str]) -> list[list[str]]:
        """Cut sentences; what has no token is `UNKNOWN`, or the model's own token for it."""


def load_tokenizer(file: TokenizerFile, vocabulary: Iterable[str]) -> Tokenizer:
    """Load a tokenizer.

    Args:
        file: the tokenizer.
        vocabulary: the model's tokens, for a file that does not contain them.

    Raises:
        ModelError: the file is damaged.
        MissingExtraError: sentencepiece is needed and not installed.
    """
    data = file.read()
    match file.kind:
        case TokenizerKind.TOKENIZERS:
            return _FastTokenizer(data)
        case TokenizerKind.SENTENCEPIECE:
            return _SentencePiece(data)
        case TokenizerKind.NORMALISED_SENTENCEPIECE:
            return _NormalisedSentencePiece(data)
        case TokenizerKind.JAPANESE:
            return _BertJapanese(data, frozenset(vocabulary))


def cut_alone(
    tokenizer: Tokenizer, word: str, scheme: Scheme, *, marks_start: bool
) -> list[str] | None:
    """Cut a word that stands alone, as it would be cut in a text.

    If the model puts no mark before a text (GPT-2, Gemma), that is after a space, except in scripts
    without spaces.
    """
    alone = tokenizer.cut(word)
    if marks_start or marks_end(scheme) or mark(scheme) == CONTINUATION or is_unspaced(word[:1]):
        return alone
    after_space = tokenizer.cut(f" {word}")
    return after_space if after_space and after_space[0] != mark(scheme) else alone


class _FastTokenizer:
    """A tokenizer of the `tokenizers` library."""

    exact = True

    def __init__(self, data: bytes) -> None:
        self._tokenizer = parse_tokenizer(data)
        self._unknown = _unknown_id(self._tokenizer, data)

    def normalize(self, text: str) -> str:
        normalizer = self._tokenizer.normalizer
        if normalizer is None:
            return text
        with suppress(ModelError), tokenizers_errors("cannot normalise"):
            return str(normalizer.normalize_str(text))
        return text

    def cut(self, text: str) -> list[str] | None:
        with suppress(ModelError), tokenizers_errors("there is no token for unknown text"):
            encoded = self._tokenizer.encode(text, add_special_tokens=False)
            return None if self._unknown in encoded.ids else list(encoded.tokens)
        return None

    def cut_sentences(self, sentences: Sequence[str]) -> list[list[str]]:
        with tokenizers_errors("the model's tokenizer cannot cut a sentence"):
            encoded = self._tokenizer.encode_batch(list(sentences), add_special_tokens=False)
        return [one.tokens for one in encoded]


def parse_tokenizer(data: bytes, name: str = TokenizerKind.TOKENIZERS) -> Any:
    """Return the `tokenizers.Tokenizer` in a tokenizer.json, or raise ModelError."""
    import tokenizers

    with tokenizers_errors(f"{name} is damaged or has an unknown format"):
        tokenizer = tokenizers.Tokenizer.from_buffer(data)
    tokenizer.no_padding()  # of a billion tokens, perhaps
    tokenizer.no_truncation()
    return tokenizer


@contextmanager
def tokenizers_errors(problem: str) -> Iterator[None]:
    """Raise what the `tokenizers` library raises as ModelError: plain Exceptions, Rust's panics."""
    try:
        yield
    except WordvecError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ModelError(f"{problem} ({clip(escape(str(error)[:400]), 200)})") from error


def _unknown_id(tokenizer: Any, data: bytes) -> int | None:
    """Return the id that text without a token gets; it need not be that of a special token."""
    model = tokenizer.model
    if not hasattr(model, "unk_token"):  # Unigram; the library does not give its attribute
        return cast("int | None", json.loads(data)["model"].get("unk_id"))
    return None if model.unk_token is None else model.token_to_id(model.unk_token)


class _SentencePiece:
    """A tokenizer of the `sentencepiece` library."""

    exact = True

    def __init__(self, data: bytes) -> None:
        self._processor = parse_sentencepiece(data)

    def normalize(self, text: str) -> str:
        return str(self._processor.normalize(text))

    def cut(self, text: str) -> list[str]:
        return list(map(str, self._processor.encode(text, out_type=str)))

    def cut_sentences(self, sentences: Sequence[str]) -> list[list[str]]:
        return [self.cut(sentence) for sentence in sentences]


@dataclass(frozen=True, slots=True)
class SentencePieceSettings:
    """What a model does to a text before SentencePiece; the content of albert.json.

    lowercase: lower-cases it. strip_accents: decomposes it (NFKD) and drops accents.
    plain_quotes: writes `` and '' as one quotation mark.
    """

    lowercase: bool = False
    strip_accents: bool = False
    plain_quotes: bool = False

    @classmethod
    def of(cls, settings: TokenizerSettings) -> SentencePieceSettings:
        """Read them from a tokenizer_config.json, with the defaults of transformers."""
        lowercase = settings.tokenizer.get("do_lower_case")
        if settings.is_of(("DebertaV2", "deberta-v2")):
            return cls(lowercase=bool(lowercase))
        is_albert = settings.is_of(("Albert", "albert"))
        if not is_albert and not settings.is_of(("XLNet", "xlnet")):
            return cls()
        return cls(
            lowercase=is_albert if lowercase is None else bool(lowercase),
            strip_accents=not settings.tokenizer.get("keep_accents"),
            plain_quotes=True,
        )

    @property
    def changes_text(self) -> bool:
        """Whether any of them is set."""
        return self.lowercase or self.strip_accents or self.plain_quotes

    def to_bytes(self, model: bytes) -> bytes:
        """Return the content of albert.json: these settings and a SentencePiece model."""
        settings = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**settings, "model": b64encode(model).decode()}).encode()

    @property
    def normalizer(self) -> Any:
        """The normaliser of the `tokenizers` library that does this, as transformers builds it."""
        from tokenizers import normalizers

        steps: list[Any] = []
        if self.plain_quotes:
            steps += [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        if self.strip_accents:
            steps += [normalizers.NFKD(), normalizers.StripAccents()]
        if self.lowercase:
            steps.append(normalizers.Lowercase())
        return normalizers.Sequence(steps)


class _NormalisedSentencePiece(_SentencePiece):
    """A SentencePiece model of ALBERT, XLNet or DeBERTa-v2."""

    def __init__(self, data: bytes) -> None:
        try:
            content = json.loads(data)
            model = b64decode(content.pop("model"))
            self._before = SentencePieceSettings(**content).normalizer
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ModelError(
                f"{TokenizerKind.NORMALISED_SENTENCEPIECE} is damaged ({error})"
            ) from error
        super().__init__(model)

    def normalize(self, text: str) -> str:
        return super().normalize(self._before.normalize_str(text))

    def cut(self, text: str) -> list[str]:
        return super().cut(self._before.normalize_str(text))


def parse_sentencepiece(data: bytes, name: str = TokenizerKind.SENTENCEPIECE) -> Any:
    """Return the SentencePieceProcessor of a model, or raise ModelError."""
    try:
        import sentencepiece  # an extra: only models without a simpler file need it
    except ImportError as error:
        raise MissingExtraError(
            name.rpartition("/")[2], extra="extract", package="sentencepiece"
        ) from error

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(data)
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{name} is not a SentencePiece model ({error})") from error
    return processor


class GreedyCutter:
    """WordPiece: cuts a word into the longest tokens, from left to right (Schuster, Nakajima 2012).

    Without `##`, the same for a vocabulary that marks the starts of words.
    """

    def __init__(self, vocabulary: frozenset[str], *, continuation: str = CONTINUATION) -> None:
        self._vocabulary = vocabulary
        self._continuation = continuation

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._vocabulary), default=0)

    def cut_word(self, word: str) -> list[str] | None:
        """Return the tokens of a word, or None if a part of it is not in the vocabulary."""
        tokens: list[str] = []
        start = 0
        while start < len(word):
            mark = self._continuation if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                if mark + word[start:end] in self._vocabulary:
                    break
            else:
                return None
            tokens.append(mark + word[start:end])
            start = end
        return tokens


@dataclass(frozen=True, slots=True)
class JapaneseSettings:
    """What BertJapaneseTokenizer is configured with; the content of japanese.json.

    words: how words are cut: "mecab" or "basic". dictionary: of MeCab. option: of MeCab.
    subwords: "wordpiece" or "character".
    """

    words: str = "mecab"
    subwords: str = "wordpiece"
    dictionary: str = "ipadic"
    option: str = ""
    lowercase: bool = False
    normalize: bool = True

    @classmethod
    def of(cls, settings: TokenizerSettings) -> JapaneseSettings:
        """Read them from a tokenizer_config.json.

        Without a dictionary it is ipadic, the default when the reference model was made;
        transformers 5 has another default.
        """
        mecab = settings.of_tokenizer("mecab_kwargs", dict) or {}
        return cls(
            words=settings.of_tokenizer("word_tokenizer_type", str) or "mecab",
            subwords=settings.of_tokenizer("subword_tokenizer_type", str) or "wordpiece",
            dictionary=optional(mecab, "mecab_dic", str) or "ipadic",
            option=optional(mecab, "mecab_option", str) or "",
            lowercase=settings.of_tokenizer("do_lower_case", bool) or False,
            normalize=optional(mecab, "normalize_text", bool) is not False,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> JapaneseSettings:
        """Read the content of japanese.json, or raise ValueError."""
        saved = parse_object(data)
        return cls(
            words=required(saved, "words", str),
            subwords=required(saved, "subwords", str),
            dictionary=required(saved, "dictionary", str),
            option=required(saved, "option", str),
            lowercase=required(saved, "lowercase", bool),
            normalize=required(saved, "normalize", bool),
        )

    def to_bytes(self) -> bytes:
        """Return the content of japanese.json."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode()


class _BertJapanese:
    """Words by MeCab, then WordPiece or characters (transformers' BertJapaneseTokenizer)."""

    def __init__(self, data: bytes, vocabulary: frozenset[str]) -> None:
        try:
            self._settings = JapaneseSettings.from_bytes(data)
        except ValueError as error:
            raise ModelError(f"{TokenizerKind.JAPANESE} is damaged ({error})") from error
        self._vocabulary = vocabulary
        self._greedy = GreedyCutter(vocabulary)
        self._known_word = lru_cache(_CACHED_WORDS)(self._cut_known_word)

    @property
    def exact(self) -> bool:
        return self._tagger is not None

    def normalize(self, text: str) -> str:
        text = nfkc(text) if self._settings.normalize else text
        return text.lower() if self._settings.lowercase else text

    def cut(self, text: str) -> list[str] | None:
        tokens: list[str] = []
        for word in self._cut_into_words(text):
            cut = self._cut_word(word)
            if cut is None:
                return None
            tokens += cut
        return tokens

    def cut_sentences(self, sentences: Sequence[str]) -> list[list[str]]:
        return [
            [token for word in self._cut_into_words(sentence) for token in self._known_word(word)]
            for sentence in sentences
        ]

    def _cut_into_words(self, text: str) -> list[str]:
        if self._tagger is None:
            return [self.normalize(text)]
        text = nfkc(text) if self._settings.normalize else text
        text = self._tagger.parse(text)  # words with spaces between them
        return (text.lower() if self._settings.lowercase else text).split()

    def _cut_word(self, word: str) -> list[str] | None:
        if self._settings.subwords == "character":
            return list(word) if self._vocabulary.issuperset(word) else None
        return None if len(word) > MAX_WORD else self._greedy.cut_word(word)

    def _cut_known_word(self, word: str) -> tuple[str, ...]:
        """Return the tokens of a word, with `UNKNOWN` for what has none."""
        cut = self._cut_word(word)
        if cut is not None:
            return tuple(cut)
        if self._settings.subwords != "character":
            return (UNKNOWN,)
        return tuple(char if char in self._vocabulary else UNKNOWN for char in word)

    @cached_property
    def _tagger(self) -> Any:
        """MeCab with the model's dictionary, or None if they are not installed."""
        if self._settings.words != "mecab":
            return None
        try:
            import fugashi

            return fugashi.GenericTagger(f"{_mecab_arguments(self._settings)} -Owakati")
        except (ImportError, RuntimeError, OSError):
            return None


def _mecab_arguments(settings: JapaneseSettings) -> str:
    """Return the arguments of MeCab that find its dictionary, an installed package."""
    if settings.dictionary == "ipadic":
        import ipadic

        return f"{ipadic.MECAB_ARGS} {settings.option}"
    if settings.dictionary not in ("unidic_lite", "unidic"):
        raise ImportError(settings.dictionary)
    folder = import_module(settings.dictionary).DICDIR
    return f'-d "{folder}" -r "{folder}/mecabrc" {settings.option}'
