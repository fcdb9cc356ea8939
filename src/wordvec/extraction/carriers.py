"""The sentences in which a token is passed through the model, as ids.

    [CLS] token [SEP]                 without a template
    [CLS] token と いう 言葉 [SEP]     the template "{}という言葉"

The token's id is put in its place: it is not tokenised, and `##王` stays `##王`. What stands around
it is cut by the model's own tokenizer, with the mask token in the place of the token. All tokens
thus have the same sentence, of the same length: there is no padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError
from wordvec.extraction.checkpoint import first_line
from wordvec.tables.name import Mode
from wordvec.text import quote
from wordvec.vocabulary.settings import TokenizerSettings
from wordvec.vocabulary.tokenizer import JapaneseSettings, TokenizerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wordvec.models.source import ModelSource
    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True)
class Carrier:
    """The ids before and after the token, which begin with [CLS] and end with [SEP]."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of positions, with that of the token."""
        return len(self.before) + 1 + len(self.after)


def make_carriers(
    templates: Sequence[str],
    source: ModelSource,
    vocabulary: Vocabulary,
    *,
    notify: Callable[[str], None],
) -> list[Carrier]:
    """Return the carrier of each template, or that of a token alone if there are none.

    notify: called with a note about a template of which the model does not know a part.

    Raises:
        ModelError: the model has no [CLS] and [SEP], or its tokenizer cannot be loaded.
        MissingExtraError: its tokenizer needs MeCab, which is not installed.
    """
    cls_id, sep_id = special_ids(vocabulary)
    if not templates:
        return [Carrier((cls_id,), (sep_id,))]
    tokenizer = load_sentence_tokenizer(source, vocabulary)
    carriers = []
    for template in templates:
        ids, place = _cut(template, tokenizer, source.name)
        unknown = sum(id_ == tokenizer.unk_token_id for id_ in (*ids[:place], *ids[place + 1 :]))
        if unknown:
            parts = "1 part" if unknown == 1 else f"{unknown} parts"
            notify(f"template {quote(template)}: {parts} of it are read as {tokenizer.unk_token}")
        carriers.append(Carrier((cls_id, *ids[:place]), (*ids[place + 1 :], sep_id)))
    return carriers


def _cut(template: str, tokenizer: Any, model: str) -> tuple[list[int], int]:
    """Return the ids of a template, and the place of the token among them."""
    mask = tokenizer.mask_token
    if mask is None:
        raise ModelError(f"a template needs a mask token, and {model} has none")
    before, after = template.split("{}")
    ids = list(tokenizer(f"{before}{mask}{after}", add_special_tokens=False)["input_ids"])
    places = [place for place, id_ in enumerate(ids) if id_ == tokenizer.mask_token_id]
    return ids, places[before.count(mask)]


def special_ids(vocabulary: Vocabulary, mode: Mode = Mode.DYNAMIC) -> tuple[int, int]:
    """Return the ids of [CLS] and [SEP], or raise ModelError if there are none."""
    if vocabulary.cls_id is None or vocabulary.sep_id is None:
        raise ModelError(
            f"{mode} vectors need the tokens [CLS] and [SEP] (or <s> and </s>), "
            "and this vocabulary does not have them"
        )
    return vocabulary.cls_id, vocabulary.sep_id


def load_sentence_tokenizer(source: ModelSource, vocabulary: Vocabulary) -> Any:
    """Load a model's own tokenizer with transformers.

    MeCab is given the dictionary in the model's settings, or else IPADIC, as the reference model
    was trained; transformers would use unidic-lite.

    Raises:
        ModelError: it cannot be loaded.
        MissingExtraError: it needs MeCab, which is not installed.
    """
    import transformers

    options: dict[str, Any] = {}
    config = TokenizerSettings.read(source.folder).tokenizer
    japanese = JapaneseSettings.of(config)
    file = vocabulary.tokenizer
    if file is not None and file.kind is TokenizerKind.JAPANESE and japanese.words == "mecab":
        mecab = config.get("mecab_kwargs") or {}
        options["mecab_kwargs"] = {**mecab, "mecab_dic": japanese.dictionary}
    try:
        return transformers.AutoTokenizer.from_pretrained(
            source.folder, local_files_only=True, trust_remote_code=False, **options
        )
    except ImportError as error:
        raise MissingExtraError(
            f"cutting text for {source.name}", extra="ja", package="fugashi or its dictionary"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{source.name}: transformers cannot load its tokenizer: {first_line(error)}"
        ) from error
