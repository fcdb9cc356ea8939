"""Token ↔ row, and how to find a word that a vocabulary spells in another form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, ModelError
from wordvec.foreign.json_data import optional, required, typed
from wordvec.text import TokenClass, classify, name_change, nfkc, without_invisible
from wordvec.vocabulary import hints, spelling
from wordvec.vocabulary.spelling import Scheme
from wordvec.vocabulary.tokenizer import GreedyCutter, cut_alone, load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wordvec.vocabulary.tokenizer import Tokenizer, TokenizerFile


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """The token that a word was found as.

    form: How it differs from the word ("NFKC", "lower case"); None if the word is unchanged.
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
    marks_start: Whether it puts the mark of a word's start before any text, as in `▁` + `王`.
    bare_ids: The rows without the mark that it cuts a word into, though a row with the mark exists.
    tokenizer: The model's tokenizer; None for words of another program.
    rare: The rows without a vector in a contextual table, and how often their tokens were seen.
    """

    tokens: tuple[str, ...]
    scheme: Scheme = Scheme.WORDPIECE
    special_ids: tuple[int, ...] = ()
    cls_id: int | None = None
    sep_id: int | None = None
    lowercase: bool = False
    marks_start: bool = False
    bare_ids: tuple[int, ...] = ()
    tokenizer: TokenizerFile | None = field(default=None, compare=False, repr=False)
    rare: Mapping[int, int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        named = (*self.special_ids, *(i for i in (self.cls_id, self.sep_id) if i is not None))
        if any(not 0 <= id_ < len(self.tokens) for id_ in named):
            raise ModelError(
                f"expected special ids below {len(self.tokens)}, got {sorted(set(named))}"
            )

    @classmethod
    def from_json(cls, data: object, tokenizer: TokenizerFile | None = None) -> Self:
        """Return the vocabulary that `to_json` encoded, or raise DamagedTableError."""
        try:
            return cls._from_fields(typed(data, dict, "it"), tokenizer)
        except (ValueError, ModelError) as error:
            raise DamagedTableError(f"tokens.json is not a valid vocabulary: {error}") from error

    @classmethod
    def _from_fields(cls, data: Mapping[str, Any], tokenizer: TokenizerFile | None) -> Self:
        tokens = tuple(required(data, "tokens", list))
        if not set(map(type, tokens)) <= {str}:
            raise ValueError("a token is not text")
        special_ids = required(data, "special_ids", list)
        return cls(
            tokens=tokens,
            scheme=Scheme(required(data, "scheme", str)),
            special_ids=tuple(typed(id_, int, "a special id") for id_ in special_ids),
            cls_id=optional(data, "cls_id", int),
            sep_id=optional(data, "sep_id", int),
            lowercase=required(data, "lowercase", bool),
            marks_start=optional(data, "marks_start", bool)
            or False,  # absent before 0.2, as the next
            bare_ids=tuple(
                typed(id_, int, "a bare id") for id_ in optional(data, "bare_ids", list) or ()
            ),
            tokenizer=tokenizer,
        )

    def to_json(self) -> dict[str, object]:
        """Return the content of tokens.json."""
        return {
            "scheme": str(self.scheme),
            "special_ids": list(self.special_ids),
            "cls_id": self.cls_id,
            "sep_id": self.sep_id,
            "lowercase": self.lowercase,
            "marks_start": self.marks_start,
            "bare_ids": list(self.bare_ids),
            "tokens": list(self.tokens),
        }

    def __len__(self) -> int:
        return len(self.tokens)

    def first(self, rows: int) -> Vocabulary:
        """Return the vocabulary of the first rows; special ids after them are dropped."""

        def kept(id_: int | None) -> int | None:
            return id_ if id_ is not None and id_ < rows else None

        return replace(
            self,
            tokens=self.tokens[:rows],
            special_ids=tuple(id_ for id_ in self.special_ids if id_ < rows),
            bare_ids=tuple(id_ for id_ in self.bare_ids if id_ < rows),
            cls_id=kept(self.cls_id),
            sep_id=kept(self.sep_id),
        )

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: row for row, token in enumerate(self.tokens)}

    @cached_property
    def _special(self) -> frozenset[int]:
        return frozenset(self.special_ids)

    @cached_property
    def unused_ids(self) -> tuple[int, ...]:
        """The rows that no token has; they are special too, and never an answer."""
        return tuple(id_ for id_ in self.special_ids if self.tokens[id_] == unused_token(id_))

    @property
    def ids_without_vector(self) -> tuple[int, ...]:
        """The rows that are never an answer: those without a token, and those of rare tokens."""
        return (*self.unused_ids, *self.rare)

    @cached_property
    def _loaded_tokenizer(self) -> Tokenizer | None:
        return None if self.tokenizer is None else load_tokenizer(self.tokenizer, self.tokens)

    def id_of(self, token: str) -> int | None:
        """Return the row of a token in the model's own spelling; the last of equal tokens.

        The model itself is fed the last one: transformers reads its files into a dict.
        """
        return self._index.get(token)

    def find(self, word: str) -> TokenMatch | None:
        """Find the token that the model reads a word as.

        A word that stands alone is a whole word: `king` is `▁king`, `Ġking` or `king</w>` where
        there is such a token, and the piece `king`, which is only a part of a word, where there is
        not, or where the model itself cuts off the mark (`▁` + `1`). A token can be named as the
        model spells it, with its mark. A word that is not found is tried without invisible
        characters, then as the model's own normaliser changes it (lower case, without accents), and
        under NFKC.
        """
        for form, text in self._forms(word):
            found = self._find_unchanged(text)
            if found is not None:
                id_, position = found
                note = f"{form}, {position}" if form and position else form or position
                return TokenMatch(id_, self.tokens[id_], note or None)
        return None

    def has(self, word: str) -> bool:
        """Return whether a word is found as typed; the model's tokenizer is not loaded for it."""
        return self._find_unchanged(word) is not None

    def _find_unchanged(self, text: str) -> tuple[int, str] | None:
        if self.scheme in (Scheme.WORDPIECE, Scheme.WORDS):  # a whole word has no mark
            id_ = self._index.get(text)
            return None if id_ is None else (id_, self._duplicates_note(id_))
        for position, spelled in self._spellings(text):
            id_ = self.id_of(spelled)
            if id_ is not None:
                return id_, position or self._duplicates_note(id_)
        return None

    def _duplicates_note(self, id_: int) -> str:
        if len(self._index) == len(self.tokens):  # nearly always
            return ""
        rows = [row for row, token in enumerate(self.tokens) if token == self.tokens[id_]]
        return f"the last of rows {' '.join(f'#{row}' for row in rows)}" if len(rows) > 1 else ""

    def _forms(self, word: str) -> Iterator[tuple[str, str]]:
        """Yield the forms of a word that are looked up, each with its name for a note."""
        yield "", word
        seen = {word}
        visible = without_invisible(word)
        for text in (
            visible,
            self._normalize(visible),
            nfkc(visible),
            self._normalize(nfkc(visible)),
        ):
            if text and text not in seen:
                seen.add(text)
                yield name_change(word, text), text

    def _normalize(self, text: str) -> str:
        """Return a text as the model's own normaliser changes it; a mark that was typed is kept."""
        if self._loaded_tokenizer is None:
            return nfkc(text).lower() if self.lowercase else text
        stem = spelling.without_mark(text, self.scheme)
        normal = self._loaded_tokenizer.normalize(stem).strip(" ")
        if self.scheme is Scheme.SENTENCEPIECE and spelling.WORD_START not in {stem[:1], stem[-1:]}:
            normal = normal.strip(spelling.WORD_START)
        typed = len(text) - len(stem)
        if spelling.marks_end(self.scheme):
            return normal + text[len(stem) :]
        return text[:typed] + normal

    def _spellings(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield how the vocabulary may spell a word, and what a note says about it."""
        if self.scheme is Scheme.BYTE_LEVEL and not spelling.is_spelled_in_bytes(text):
            yield "", text  # an added token; "é" must not find the byte that é is the letter of
        bare = spelling.spell(text, self.scheme)
        marked = spelling.spell_word(text, self.scheme)
        if marked is None or spelling.has_mark(text, self.scheme):
            yield "", bare
            return
        bare_id = self.id_of(bare)
        if bare_id in self._special:
            yield "", bare
        if not self._has_marks(text):
            yield "", bare
            yield "word-start form", marked
        elif bare_id in self.bare_ids:
            yield self._note_on_bare(None), bare
        else:
            yield self._note_on_marked(), marked
            yield self._note_on_bare(marked), bare

    def _has_marks(self, text: str) -> bool:
        """Return whether a word alone has the mark of a whole word in this vocabulary."""
        return (
            self.marks_start
            or spelling.marks_end(self.scheme)
            or not spelling.is_unspaced(text[:1])
        )

    def _note_on_marked(self) -> str:
        puts_mark = self.marks_start or spelling.marks_end(self.scheme)
        return "" if puts_mark or self.tokenizer is None else "as after a space"

    def _note_on_bare(self, missing: str | None) -> str:
        """Return the note on a token without the mark. missing: the token with it."""
        mark = spelling.mark(self.scheme)
        if self.marks_start:
            return f"without the {mark} that the model puts before it"
        if spelling.marks_end(self.scheme):
            return f"without the {mark} at the end of a word"
        if missing is None or self.tokenizer is None:
            return ""
        return f"there is no {spelling.display(missing, self.scheme)}"

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

    @property
    def cuts_exactly(self) -> bool:
        """Whether `pieces` cuts a word as the model does; false without its tokenizer."""
        return self._loaded_tokenizer is not None and self._loaded_tokenizer.exact

    def pieces(self, word: str) -> list[int] | None:
        """Cut a word into tokens as the model does; return None if it would read [UNK].

        Without the model's tokenizer, it is cut into the longest tokens from left to right.
        """
        tokens = self._cut(word)
        ids = [self.id_of(token) for token in tokens or ()]
        known = [id_ for id_ in ids if id_ is not None and id_ not in self._special]
        return known if known and len(known) == len(ids) else None

    def _cut(self, word: str) -> list[str] | None:
        if self._loaded_tokenizer is None:
            return self._cut_greedily(word)
        return cut_alone(self._loaded_tokenizer, word, self.scheme, marks_start=self.marks_start)

    def _cut_greedily(self, word: str) -> list[str] | None:
        if self.scheme is Scheme.WORDS:
            return None
        continuation = spelling.CONTINUATION if self.scheme is Scheme.WORDPIECE else ""
        ordinary = frozenset(self._index) - {self.tokens[id_] for id_ in self.special_ids}
        cutter = GreedyCutter(ordinary, continuation=continuation)
        for _, text in self._forms(word):
            spelled = spelling.spell(text, self.scheme)
            whole_word = spelling.spell_word(text, self.scheme)
            cuts = [cutter.cut_word(form) for form in (whole_word, spelled) if form is not None]
            if whole := list(filter(None, cuts)):
                return min(whole, key=len)
        return None

    def closest(self, word: str, n: int = 3) -> list[str]:
        """Return up to n tokens spelled most like `word`, as displayed, the closest first."""
        return hints.closest(word, self.tokens, self.scheme, self.special_ids, n)


def unused_token(row: int) -> str:
    """Return the name of a row that no token has."""
    return f"[row{row}]"
