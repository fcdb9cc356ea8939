"""The sentences in which a token is passed through the model, as ids.

    [CLS] token [SEP]                 without a template
    [CLS] token と いう 言葉 [SEP]     the template "{}という言葉"

The token's id is put in its place: it is not tokenised, and `##王` stays `##王`. The texts before
and after it are cut by the model's own tokenizer, each alone. All tokens thus have the same
sentence, of the same length: there is no padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.errors import ModelError, UsageError
from wordvec.extraction.sentences import exact_tokenizer
from wordvec.tables.name import Mode
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.vocabulary.lookup import Vocabulary
    from wordvec.vocabulary.tokenizer import Tokenizer

_UNKNOWN = ("[UNK]", "<unk>")


@dataclass(frozen=True, slots=True)
class Carrier:
    """The ids before and after the token, which begin with [CLS] and end with [SEP]."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of positions, with that of the token."""
        return len(self.before) + 1 + len(self.after)


def make_carriers(templates: Sequence[str], vocabulary: Vocabulary) -> list[Carrier]:
    """Return the carrier of each template, or that of a token alone if there are none.

    Raises:
        UsageError: the model has no tokens for a part of a template.
        ModelError: the model has no [CLS] and [SEP], or no tokenizer.
        MissingExtraError: its tokenizer needs MeCab, which is not installed.
    """
    cls_id, sep_id = special_ids(vocabulary)
    if not templates:
        return [Carrier((cls_id,), (sep_id,))]
    tokenizer = exact_tokenizer(vocabulary, "a template")
    carriers = []
    for template in templates:
        before, after = template.split("{}")
        # A space before the token belongs to it, as in Ġking.
        ids = [
            _cut(part, template, tokenizer, vocabulary)
            for part in (before.rstrip(), after.rstrip())
        ]
        carriers.append(Carrier((cls_id, *ids[0]), (*ids[1], sep_id)))
    return carriers


def _cut(part: str, template: str, tokenizer: Tokenizer, vocabulary: Vocabulary) -> list[int]:
    tokens = tokenizer.cut(part) if part else []
    ids = [vocabulary.id_of(token) for token in tokens or () if token not in _UNKNOWN]
    known = [id_ for id_ in ids if id_ is not None]
    if tokens is None or len(known) < len(tokens):
        raise UsageError(
            f"template {quote(template)}: the model has no tokens for a part of {quote(part)}",
            hint="use other words",
        )
    return known


def special_ids(vocabulary: Vocabulary, mode: Mode = Mode.DYNAMIC) -> tuple[int, int]:
    """Return the ids of [CLS] and [SEP], or raise ModelError if there are none."""
    if vocabulary.cls_id is None or vocabulary.sep_id is None:
        raise ModelError(
            f"{mode} vectors need the tokens [CLS] and [SEP] (or <s> and </s>), "
            "and this vocabulary does not have them"
        )
    return vocabulary.cls_id, vocabulary.sep_id
