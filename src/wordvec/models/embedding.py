"""Which tensor of a model is its word-embedding matrix, by name.

Names are compared without what training tools put around them:

    module.bert.…                                        torch's DataParallel
    _orig_mod.bert.…                                     torch.compile
    ….embed_tokens.modules_to_save.default.weight        PEFT, a layer that was trained in full
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The matrix's name in each architecture; a prefix such as "bert." may precede it.
MATRIX_NAMES = (
    "embeddings.word_embeddings.weight",  # BERT, RoBERTa, ALBERT, DistilBERT, ELECTRA, DeBERTa
    "embeddings.tok_embeddings.weight",  # ModernBERT
    "word_embeddings.weight",  # BLOOM
    "wte.weight",  # GPT-2
    "shared.weight",  # T5, BART
    "embed_tokens.weight",  # Llama and related models
    "tok_embeddings.weight",  # Llama in its authors' own files
    "token_embedding.weight",  # CLIP, Whisper in its authors' own files
    "word_embedding.weight",  # XLNet
    "embed_in.weight",  # GPT-NeoX
    "embeddings.weight",  # XLM
)
# The output layer, which many models share with the input embeddings ("tied"). A file that contains
# shared tensors once, as safetensors' save_model writes it, may name them after the output layer.
HEAD_NAMES = (
    "lm_head.weight",  # GPT-2, Llama and related models
    "lm_head.decoder.weight",  # RoBERTa
    "cls.predictions.decoder.weight",  # BERT, DeBERTa
    "predictions.decoder.weight",  # ALBERT
    "vocab_projector.weight",  # DistilBERT
    "generator_lm_head.weight",  # ELECTRA
    "decoder.weight",  # ModernBERT
    "lm_loss.weight",  # XLNet
    "pred_layer.proj.weight",  # XLM
)

_WRAPPER = re.compile(r"(?:^|(?<=\.))_orig_mod\.")
_PARALLEL = re.compile(r"^(?:module\.)+")
_TRAINED_COPY = re.compile(r"\.modules_to_save\.[^.]+(?=\.)")


def plain_name(name: str) -> str:
    """Return a tensor's name without what training tools put around it.

    >>> plain_name("module._orig_mod.bert.embeddings.word_embeddings.weight")
    'bert.embeddings.word_embeddings.weight'
    """
    return _PARALLEL.sub("", _WRAPPER.sub("", _TRAINED_COPY.sub("", name)))


def find_matrix(names: Iterable[str]) -> str | None:
    """Return the name of the word-embedding matrix among those of a model's tensors."""
    plain = {name: plain_name(name) for name in names}
    for known in (*MATRIX_NAMES, *HEAD_NAMES):
        matches = [
            name for name, short in plain.items() if short == known or short.endswith(f".{known}")
        ]
        if matches:  # an encoder-decoder may have two; the encoder's has the shorter name
            return min(matches, key=lambda name: (len(name), name))
    return None


def is_head(name: str) -> bool:
    """Return whether a tensor is an output layer, not the input embeddings.

    >>> is_head("module.lm_head.weight"), is_head("bert.embeddings.word_embeddings.weight")
    (True, False)
    """
    return any(f".{plain_name(name)}".endswith(f".{known}") for known in HEAD_NAMES)
