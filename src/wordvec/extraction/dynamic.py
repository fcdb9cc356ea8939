"""Dynamic vectors: each token of the vocabulary run through the model between its two specials.

    [CLS] token [SEP]  →  the last hidden state at position 1

Ids are fed, not text: no tokenizer, no padding, no mask; `##王` stays `##王`.
"""

from __future__ import annotations

import platform
from contextlib import contextmanager
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch

from wordvec.errors import ModelError, UsageError
from wordvec.extraction.checkpoint import first_line, refused
from wordvec.extraction.linear import speed_up
from wordvec.models.folder import weight_files
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.models.source import ModelSource
    from wordvec.vocabulary.lookup import Vocabulary

POSITIONS = 3  # [CLS] token [SEP]


def load_encoder(source: ModelSource) -> torch.nn.Module:
    """The encoder of a model, in float32 on the CPU, whatever it was saved in.

    Its heads are left out, and nothing is said about them; a weight that is missing elsewhere is an
    error, where transformers would draw it at random and print a table.
    """
    import transformers

    with _quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(source.folder, **_LOCAL)
            _refuse_other_than_encoders(config, source.name)
            model, report = transformers.AutoModel.from_pretrained(
                source.folder, output_loading_info=True, **_LOCAL
            )
        except UnpicklingError as error:
            raise refused(weight_files(source.folder)[0], error) from error
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            raise ModelError(
                f"{source.name}: transformers cannot load it: {first_line(error)}"
            ) from error
    # The pooler (a layer over position 0) has no part in the hidden states.
    missing = sorted(key for key in report["missing_keys"] if "pooler." not in key)
    if missing:
        raise ModelError(
            f"{source.name}: its files lack {len(missing)} weights of the encoder ({missing[0]} …)"
        )
    encoder: torch.nn.Module = model.eval().to(torch.float32)
    return encoder


# No code that comes with a model is run; nothing is fetched here (models.py has done that).
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def _refuse_other_than_encoders(config: Any, name: str) -> None:
    """Stop at a model that has no [CLS] token [SEP]: a decoder, or an encoder and a decoder."""
    from transformers.models.auto import modeling_auto as auto

    kind = config.model_type
    if config.is_encoder_decoder:
        what = "an encoder and a decoder"
    elif getattr(config, "is_decoder", False) or (
        kind in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and kind not in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    ):
        what = "a decoder, which sees no token after the one it reads"
    else:
        return
    raise ModelError(
        f"dynamic vectors need an encoder such as BERT; {name} ({kind}) is {what}",
        hint=f"its static vectors: {extract_command(TableName(name, Mode.STATIC))}",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bars and its report on unused heads off the screen."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the first there is of cuda, mps, cpu."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(device for device, is_there in there.items() if is_there))
    if not there.get(name, False):
        raise UsageError(
            f"--device {name}: torch finds no such device here", hint="--device auto takes the best"
        )
    return torch.device(name)


def circumstances(device: torch.device) -> dict[str, object]:
    """What the vectors depend on to the last bit, besides the model and the batches."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {"device": f"{device.type} ({name})", "threads": torch.get_num_threads()}


def prepare(
    model: torch.nn.Module, device: torch.device, dtype: str, batch_size: int
) -> torch.nn.Module:
    """Make a model fast, in place: on its device, its linear layers in `dtype` and packed."""
    model = model.to(device)
    speed_up(model, getattr(torch, dtype), POSITIONS * batch_size)
    return model


def width(model: torch.nn.Module) -> int:
    """D, the width of a model's hidden states."""
    config: Any = model.config
    return int(config.hidden_size)


def extract_from(
    model: torch.nn.Module, vocabulary: Vocabulary, *, batch_size: int, start: int = 0
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield row numbers and the vectors from there on: start and (B, D) float32, then the next.

    start: where an earlier call stopped. Batches lie on one grid from row 0 on, so that a row is
    always computed among the same others, and comes out the same to the last bit.
    """
    cls_id, sep_id = _specials(vocabulary)
    V = len(vocabulary)
    device = next(model.parameters()).device
    for first in range(start - start % batch_size, V, batch_size):
        ids = torch.arange(first, min(first + batch_size, V))
        batch = torch.empty((len(ids), POSITIONS), dtype=torch.long)  # (B, 3)
        batch[:, 0] = cls_id
        batch[:, 1] = ids
        batch[:, 2] = sep_id
        with torch.inference_mode():  # within: a generator must not leave it on for its caller
            hidden = model(input_ids=batch.to(device)).last_hidden_state  # (B, 3, D)
            rows = hidden[:, 1].to("cpu", torch.float32)
        yield first, rows.numpy()


def _specials(vocabulary: Vocabulary) -> tuple[int, int]:
    if vocabulary.cls_id is None or vocabulary.sep_id is None:
        raise ModelError(
            "this vocabulary has no tokens that stand before and after a sentence "
            "([CLS] and [SEP], or <s> and </s>), so there are no dynamic vectors",
        )
    return vocabulary.cls_id, vocabulary.sep_id
