"""Token ↔ row, and how to find a word that a vocabulary spells in another form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, ModelError
from wordvec.text import TokenClass, classify, nfkc
from wordvec.vocabulary import hints, spelling
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """The token that a word was found as.

    form: The form of the word that was found ("NFKC", "lower case"); None if it is unchanged.
    """

    id: int
    token: str
    form: str | None


@dataclass(frozen=True)  # not slotted: the index is a cached property
class Vocabulary:
    """The tokens of a model in row order.

    tokens: row → token in the model's own spelling; V of them.
    special_ids: The rows of the special tokens, sorted.
    cls_id, sep_id: The rows of the tokens before and after a text, if the model has them.
    lowercase: Whether the model's own tokenizer lower-cases its input.
    """

    tokens: tuple[str, ...]
    scheme: Scheme = Scheme.WORDPIECE
    special_ids: tuple[int, ...] = ()
    cls_id: int | None = None
    sep_id: int | None = None
    lowercase: bool = False

    def __post_init__(self) -> None:
        named = (*self.special_ids, *(i for i in (self.cls_id, self.sep_id) if i is not None))
        if any(not 0 <= id_ < len(self.tokens) for id_ in named):
            raise ModelError(
                f"expected special ids below {len(self.tokens)}, got {sorted(set(named))}"
            )

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Return the vocabulary that `to_json` encoded, or raise DamagedTableError."""
        try:
            return cls._from_fields(data)
        except (KeyError, TypeError, ValueError, ModelError) as error:
            raise DamagedTableError(f"tokens.json is not a valid vocabulary ({error!r})") from error

    @classmethod
    def _from_fields(cls, data: Any) -> Self:
        tokens = tuple(data["tokens"])
        if not set(map(type, tokens)) <= {str}:
            raise TypeError("tokens must be text")
        return cls(
            tokens=tokens,
            scheme=Scheme(data["scheme"]),
            special_ids=tuple(map(int, data["special_ids"])),
            cls_id=None if data["cls_id"] is None else int(data["cls_id"]),
            sep_id=None if data["sep_id"] is None else int(data["sep_id"]),
            lowercase=bool(data["lowercase"]),
        )

    def to_json(self) -> dict[str, object]:
        """Return the content of tokens.json."""
        return {
            "scheme": str(self.scheme),
            "special_ids": list(self.special_ids),
            "cls_id": self.cls_id,
            "sep_id": self.sep_id,
            "lowercase": self.lowercase,
            "tokens": list(self.tokens),
        }

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _index(self) -> dict[str, int]:
        return first_rows(self.tokens)

    @cached_property
    def _special(self) -> frozenset[int]:
        return frozenset(self.special_ids)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.tokens), default=0)

    def id_of(self, token: str) -> int | None:
        """Return the row of a token in the model's own spelling; the first of equal tokens."""
        return self._index.get(token)

    def find(self, word: str) -> TokenMatch | None:
        """Find a word: unchanged, at the start of a word, after NFKC, or in lower case.

        Lower case is tried only if the model's own tokenizer lower-cases.
        """
        for normalisation, text in self._forms(word):
            for position, spelled in self._spellings(text):
                id_ = self.id_of(spelled)
                if id_ is not None:
                    form = ", ".join(filter(None, (normalisation, position)))
                    return TokenMatch(id_, self.tokens[id_], form or None)
        return None

    def _forms(self, word: str) -> Iterator[tuple[str, str]]:
        yield "", word
        normal = nfkc(word)
        if normal != word:
            yield "NFKC", normal
        if self.lowercase and normal.lower() != normal:
            yield "lower case", normal.lower()

    def _spellings(self, text: str) -> Iterator[tuple[str, str]]:
        yield "", spelling.spell(text, self.scheme)
        if self.scheme is Scheme.BYTE_LEVEL and not spelling.is_spelled_in_bytes(text):
            yield "", text  # an added token; "é" must not find the byte that é is the letter of
        word_start = spelling.spell_word_start(text, self.scheme)
        if word_start is not None:
            yield "word-start form", word_start

    def surface(self, id_: int) -> str:
        """Return a token's text without `##`, `▁` or `Ġ`, its bytes decoded."""
        token = self.tokens[id_]
        return token if id_ in self._special else spelling.surface(token, self.scheme)

    def display(self, id_: int) -> str:
        """Return a token for display: marks kept, bytes decoded, invisible characters escaped."""
        return spelling.display(self.tokens[id_], self.scheme)

    def is_subword(self, id_: int) -> bool:
        """Return whether a token occurs only inside a word."""
        token = self.tokens[id_]
        return id_ not in self._special and spelling.continues_word(token, self.scheme)

    def is_special(self, id_: int) -> bool:
        """Return whether a token is special and has no text, such as [CLS] and <pad>."""
        return id_ in self._special

    def token_class(self, id_: int) -> TokenClass:
        """Return the class of a token: its script, special, subword."""
        return classify(
            self.surface(id_), subword=self.is_subword(id_), special=self.is_special(id_)
        )

    def pieces(self, word: str) -> list[int] | None:
        """Split a word into tokens, the longest match first; return None if that fails.

        WordPiece splits this way. Other models score their pieces and may split differently.
        """
        for _, text in self._forms(word):
            splits = [split for split in self._splits(text) if split]
            if splits:
                return min(splits, key=len)
        return None

    def _splits(self, text: str) -> Iterator[list[int] | None]:
        word_start = spelling.spell_word_start(text, self.scheme)
        if word_start is not None:
            yield self._split(word_start)
        yield self._split(spelling.spell(text, self.scheme))

    def _split(self, text: str) -> list[int] | None:
        """Take the longest token at each position; return None where there is none."""
        if self.scheme is Scheme.WORDS:
            return None
        continuation = spelling.CONTINUATION if self.scheme is Scheme.WORDPIECE else ""
        ids: list[int] = []
        start = 0
        while start < len(text):
            mark = continuation if start else ""
            for end in range(min(len(text), start + self._longest), start, -1):
                id_ = self.id_of(mark + text[start:end])
                if id_ is not None and id_ not in self._special:
                    break
            else:
                return None
            ids.append(id_)
            start = end
        return ids

    def closest(self, word: str, n: int = 3) -> list[str]:
        """Return up to n tokens spelled most like `word`, as displayed, the closest first."""
        return hints.closest(word, self.tokens, self.scheme, self.special_ids, n)


def first_rows(tokens: tuple[str, ...]) -> dict[str, int]:
    """Return token → row; the first row of equal tokens."""
    return dict(zip(reversed(tokens), range(len(tokens) - 1, -1, -1), strict=True))
