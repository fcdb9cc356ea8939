"""Which model of the hub a name may mean that is not one: without its owner, or misspelled."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wordvec.models.bundled import BUNDLED
from wordvec.models.hub_name import HubName

_OF_TOHOKU = (  # the hub knows them by the old and by the new name of the group
    "bert-base-japanese",
    "bert-base-japanese-v2",
    "bert-base-japanese-v3",
    "bert-base-japanese-whole-word-masking",
    "bert-base-japanese-char",
    "bert-base-japanese-char-v2",
    "bert-base-japanese-char-v3",
    "bert-base-japanese-char-whole-word-masking",
    "bert-large-japanese",
    "bert-large-japanese-v2",
    "bert-large-japanese-char",
)
WELL_KNOWN = (
    *(f"{owner}/{name}" for name in _OF_TOHOKU for owner in ("cl-tohoku", "tohoku-nlp")),
    "ku-nlp/deberta-v2-base-japanese",
    "ku-nlp/deberta-v3-base-japanese",
    "line-corporation/line-distilbert-base-japanese",
    "llm-jp/llm-jp-modernbert-base",
    "nlp-waseda/roberta-base-japanese",
    "rinna/japanese-roberta-base",
    "sbintuitions/modernbert-ja-130m",
    "sbintuitions/modernbert-ja-310m",
    "studio-ousia/luke-japanese-base",
    "google-bert/bert-base-uncased",
    "google-bert/bert-base-cased",
    "google-bert/bert-large-uncased",
    "google-bert/bert-large-cased",
    "google-bert/bert-base-multilingual-cased",
    "google-bert/bert-base-multilingual-uncased",
    "google-bert/bert-base-chinese",
    "google-bert/bert-base-german-cased",
    "distilbert/distilbert-base-uncased",
    "distilbert/distilbert-base-multilingual-cased",
    "distilbert/distilroberta-base",
    "FacebookAI/roberta-base",
    "FacebookAI/roberta-large",
    "FacebookAI/xlm-roberta-base",
    "FacebookAI/xlm-roberta-large",
    "albert/albert-base-v2",
    "answerdotai/ModernBERT-base",
    "answerdotai/ModernBERT-large",
    "google/electra-base-discriminator",
    "google-t5/t5-base",
    "microsoft/deberta-v3-base",
    "microsoft/mdeberta-v3-base",
    "intfloat/multilingual-e5-base",
    "openai-community/gpt2",
    "sentence-transformers/all-MiniLM-L6-v2",
)
MIN_SIMILARITY = 0.8  # of difflib, 0 to 1


def similar_models(name: str, *, n: int = 2) -> list[str]:
    """Return up to n names of models like `name`, the closest first; none if `name` is known.

    Known are the bundled model, those of `WELL_KNOWN` and those in the hub's cache. A name without
    an owner is compared with names without their owners. Revision and subfolder are kept.

    >>> similar_models("bert-base-uncased", n=1)
    ['google-bert/bert-base-uncased']
    """
    from difflib import get_close_matches

    asked = HubName.parse(name)
    known = dict.fromkeys((BUNDLED, *_cached(), *WELL_KNOWN))
    if asked.repository in known:
        return []
    with_owner = "/" in asked.repository
    by_name: dict[str, list[str]] = {}
    for one in known:
        by_name.setdefault((one if with_owner else one.rpartition("/")[2]).lower(), []).append(one)
    close = get_close_matches(asked.repository.lower(), by_name, n, MIN_SIMILARITY)
    found = [one for match in close for one in by_name[match]][:n]
    return [str(replace(asked, repository=one)) for one in found]


def _cached() -> list[str]:
    """Return the names of the models in the hub's cache, complete or not."""
    try:
        from huggingface_hub import constants
    except ImportError:
        return []
    with suppress(OSError):
        folders = sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*"))
        return [folder.name.removeprefix("models--").replace("--", "/", 1) for folder in folders]
    return []
