"""Token ↔ row, and the ways in which a typed word may stand in a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from wordvec.errors import DamagedTableError, ModelError
from wordvec.text import TokenClass, classify, nfkc
from wordvec.vocabulary import spelling
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTLIST = 60  # tokens that share the most characters; only they are compared in full
_COMPARED = 100  # characters of a word that closest() looks at


@dataclass(frozen=True, slots=True)
class Found:
    """Where a word was found. `how` names the form that was taken: None, as it stands."""

    id: int
    token: str
    how: str | None


@dataclass(frozen=True)  # not slotted: the index is built when it is first asked for, and kept
class Vocabulary:
    """The tokens of a model in row order.

    tokens: row → token, spelled as the model spells it; V of them.
    special_ids: every special token, in order.
    cls_id, sep_id: what goes before and after a token in the dynamic pass, if the model has it.
    lowercase: whether the model's own tokenizer lower-cases its input.
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
                f"special ids {sorted(set(named))} do not fit {len(self.tokens)} tokens"
            )

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Make a vocabulary of what `to_json` gave."""
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
        """Give plain lists, numbers and text, for tokens.json."""
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
        # from the last row to the first, so that the first of doubles is kept
        return dict(zip(reversed(self.tokens), range(len(self.tokens) - 1, -1, -1), strict=True))

    @cached_property
    def _special(self) -> frozenset[int]:
        return frozenset(self.special_ids)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.tokens), default=0)

    def id_of(self, token: str) -> int | None:
        """Give the row of a token spelled exactly so; the first one, if several are."""
        return self._index.get(token)

    def find(self, word: str) -> Found | None:
        """OutputStyle a word up as it stands, at a word's start, after NFKC, and in lower case.

        Lower case is tried only where the model's own tokenizer lower-cases.
        """
        id_ = self.id_of(spelling.retype(word, self.scheme))
        if id_ is not None:  # nearly every word
            return Found(id_, self.tokens[id_], None)
        for form, text in self._forms(word):
            for place, spelled in self._spellings(text):
                id_ = self.id_of(spelled)
                if id_ is not None:
                    how = ", ".join(filter(None, (form, place)))
                    return Found(id_, self.tokens[id_], how or None)
        return None

    def _forms(self, word: str) -> Iterator[tuple[str, str]]:
        yield "", word
        normal = nfkc(word)
        if normal != word:
            yield "NFKC", normal
        if self.lowercase and normal.lower() != normal:
            yield "lower case", normal.lower()

    def _spellings(self, text: str) -> Iterator[tuple[str, str]]:
        yield "", spelling.retype(text, self.scheme)
        if self.scheme is Scheme.BYTE_LEVEL and not spelling.is_spelled_in_bytes(text):
            yield "", text  # an added token; é alone must not find the byte that é stands for
        begun = spelling.begin(text, self.scheme)
        if begun is not None:
            yield "word-start form", begun

    def surface(self, id_: int) -> str:
        """Give a token's text without `##`, `▁` or `Ġ`, its bytes read."""
        token = self.tokens[id_]
        return token if id_ in self._special else spelling.surface(token, self.scheme)

    def display(self, id_: int) -> str:
        """Write a token as people see it: `##` and `▁` kept, bytes read, what is hidden escaped."""
        return spelling.display(self.tokens[id_], self.scheme)

    def is_subword(self, id_: int) -> bool:
        """Say whether a token can only stand inside a word."""
        token = self.tokens[id_]
        return id_ not in self._special and spelling.continues_word(token, self.scheme)

    def is_special(self, id_: int) -> bool:
        """Say whether a token stands for no text: [CLS], <pad>."""
        return id_ in self._special

    def token_class(self, id_: int) -> TokenClass:
        """Say what kind of writing a token is."""
        return classify(
            self.surface(id_), subword=self.is_subword(id_), special=self.is_special(id_)
        )

    def pieces(self, word: str) -> list[int] | None:
        """Cut a word into tokens, the longest first; None where the vocabulary cannot.

        This is how WordPiece cuts; other models weigh their pieces and may cut otherwise.
        """
        for _, text in self._forms(word):
            cuts = [cut for cut in self._cuts(text) if cut]
            if cuts:
                return min(cuts, key=len)
        return None

    def _cuts(self, text: str) -> Iterator[list[int] | None]:
        if self.scheme is Scheme.WORDPIECE:
            yield self._cut(text, "", spelling.CONTINUES)
            return
        begun = spelling.begin(text, self.scheme)
        if begun is not None:
            yield self._cut(begun, "", "")
        yield self._cut(spelling.retype(text, self.scheme), "", "")

    def _cut(self, text: str, first: str, rest: str) -> list[int] | None:
        """Take the longest token again and again, `first` before it at the start, else `rest`."""
        ids: list[int] = []
        at = 0
        while at < len(text):
            mark = rest if at else first
            for end in range(min(len(text), at + self._longest), at, -1):
                id_ = self.id_of(mark + text[at:end])
                if id_ is not None and id_ not in self._special:
                    break
            else:
                return None
            ids.append(id_)
            at = end
        return ids

    def closest(self, word: str, n: int = 3) -> list[str]:
        """Give up to n tokens spelled most like `word`, for a message: best first, as displayed."""
        from difflib import SequenceMatcher  # only where a word is unknown

        target = nfkc(word).lower()[:_COMPARED]
        letters = {*target, *word}  # in either case: the rough pass takes tokens as they are
        matcher = SequenceMatcher(autojunk=False, b=target)

        def likeness(id_: int) -> float:
            matcher.set_seq1(nfkc(self.surface(id_)).lower())
            return matcher.ratio()

        rough = [
            (shared / (len(letters) + len(token)), -id_)
            for id_, token in enumerate(map(self.surface, range(len(self))))
            if (shared := len(letters.intersection(token))) and id_ not in self._special
        ]
        rough.sort(reverse=True)
        shortlist = [-negated for _, negated in rough[:_SHORTLIST]]
        shortlist.sort(key=lambda id_: (-likeness(id_), self.is_subword(id_), id_))
        return [self.display(id_) for id_ in shortlist[:n]]
