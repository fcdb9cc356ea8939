"""Load an encoder with transformers, and prepare it for the device on which it will run."""

from __future__ import annotations

import platform
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from wordvec.errors import ModelError, UsageError, WordvecError
from wordvec.extraction.checkpoint import list_tensors, load_tensors, one_line
from wordvec.extraction.settings import Device
from wordvec.extraction.skeleton import build_skeleton, check_counts, check_tensors, split_name
from wordvec.models.embedding import find_matrix, is_head, plain_name
from wordvec.models.folder import CONFIG, weight_files
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from wordvec.models.source import ModelSource

# No code that comes with a model is run, and nothing is downloaded here: find_model does that.
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load_encoder(source: ModelSource) -> torch.nn.Module:
    """Load a model's encoder in float32 on the CPU, whatever its weights were saved in.

    Raises:
        ModelError: the model is not an encoder, cannot be loaded, or lacks weights. transformers
            would fill missing weights with random numbers.
    """
    folder = source.folder
    tensors = [tensor for path in weight_files(folder) for tensor in list_tensors(path)]
    check_counts(folder, tensors)
    with _quiet_transformers():
        with _loading(folder / CONFIG):
            config = _read_config(folder)
            _check_is_encoder(config, source.name)
            skeleton = build_skeleton(config, tensors)
        check_tensors(skeleton, tensors)
        with _loading(folder):
            model, missing = _load(folder, config, type(skeleton))
            if missing:
                state = matching_state(model, folder)
                if state is not None:
                    model, missing = _load_state(type(model), config, state)
    if missing:
        raise ModelError(
            f"{source.name}: {len(missing)} weights of the encoder are missing ({missing[0]} …)"
        )
    encoder: torch.nn.Module = model.eval().to(torch.float32)
    return encoder


def _read_config(folder: Path) -> Any:
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, **_LOCAL)
    config.return_dict = True  # else the hidden states are in a tuple
    return config


def _load(folder: Path, config: Any, kind: Any) -> tuple[Any, list[str]]:
    """Load a model of class `kind` and return it with the names of its missing weights."""
    paths = weight_files(folder)
    if any(path.suffix == ".bin" for path in paths):  # transformers trusts more of them
        state: dict[str, torch.Tensor] = {}
        for path in paths:
            state |= load_tensors(path)
        return _load_state(kind, config, state)
    model, report = kind.from_pretrained(folder, config=config, output_loading_info=True, **_LOCAL)
    return model, _missing(report)


def _load_state(kind: Any, config: Any, state: Mapping[str, torch.Tensor]) -> tuple[Any, list[str]]:
    model, report = kind.from_pretrained(
        None, config=config, state_dict=dict(state), output_loading_info=True
    )
    return model, _missing(report)


def _missing(report: Mapping[str, Any]) -> list[str]:
    # The pooler (a layer over position 0) does not affect the hidden states.
    return sorted(key for key in report["missing_keys"] if "pooler." not in key)


def matching_state(model: Any, folder: Path) -> dict[str, torch.Tensor] | None:
    """Load the weights under the names that the model has for them, or None if none match.

    What training tools put around names is removed, and whatever precedes the model's own names,
    such as "model.bert.". A word-embedding matrix that is stored as the output layer is renamed.
    """
    loaded: dict[str, torch.Tensor] = {}
    for path in weight_files(folder):
        loaded |= load_tensors(path)
    expected, stored = _matrix_name(model), find_matrix(loaded)
    if expected is None or stored is None:
        return None
    tensors = {plain_name(name): tensor for name, tensor in loaded.items()}
    matrix = plain_name(stored)
    from_head = is_head(stored)
    prefix = _usual_prefix(model, tensors) if from_head else matrix.removesuffix(expected)
    state = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    if from_head and getattr(model.config, "tie_word_embeddings", True) is not False:
        state[expected] = tensors[matrix]
    return state if expected in state else None


def _usual_prefix(model: Any, names: Iterable[str]) -> str:
    """Return what precedes the model's own names in most of the stored names."""
    own = {name for name, _ in model.named_parameters()}
    found = Counter(own_part[0] for name in names if (own_part := split_name(name, own)))
    return max(found, key=lambda prefix: found[prefix], default="")


def _matrix_name(model: Any) -> str | None:
    matrix = model.get_input_embeddings().weight
    return next((name for name, weight in model.named_parameters() if weight is matrix), None)


@contextmanager
def _loading(place: Path) -> Iterator[None]:
    """Raise whatever transformers raises in the block as a ModelError that names `place`."""
    try:
        yield
    except WordvecError:
        raise
    except Exception as error:  # of any kind, for fields of config.json that make no sense
        raise ModelError(f"{place}: transformers cannot load it: {one_line(error)}") from error


def _check_is_encoder(config: Any, name: str) -> None:
    """Raise if the model does not read `[CLS] token [SEP]` as an encoder does."""
    from transformers.models.auto import modeling_auto as auto

    kind = config.model_type
    if config.is_encoder_decoder:
        what = "an encoder-decoder"
    elif getattr(config, "is_decoder", False) or (
        kind in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and kind not in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    ):
        what = "a decoder, in which a token does not see the tokens after it"
    else:
        return
    raise ModelError(
        f"dynamic vectors need an encoder such as BERT; {name} ({kind}) is {what}",
        hint=f"for its static vectors: {extract_command(TableName(name, Mode.STATIC))}",
    )


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Hide transformers' progress bars and its report on unused heads.

    Warnings of torch about odd weights are hidden too: these are refused.
    """
    import warnings

    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def matrix_rows(model: torch.nn.Module) -> int:
    """Return the number of rows of a model's word-embedding matrix."""
    encoder: Any = model
    return int(encoder.get_input_embeddings().weight.shape[0])


def find_device(device: Device) -> torch.device:
    """Return torch's device; `auto` is the first available of cuda, mps and cpu."""
    available = {
        Device.CUDA: torch.cuda.is_available(),
        Device.MPS: torch.backends.mps.is_available(),
        Device.CPU: True,
    }
    if device is Device.AUTO:
        return torch.device(next(name for name, usable in available.items() if usable))
    if not available[device]:
        raise UsageError(
            f'device="{device}" is not available here', hint='device="auto" uses the best available'
        )
    return torch.device(device)


def describe_device(device: torch.device) -> dict[str, object]:
    """Return the hardware and the number of threads, which the last bits of vectors depend on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {"device": f"{device.type} ({name})", "threads": torch.get_num_threads()}
