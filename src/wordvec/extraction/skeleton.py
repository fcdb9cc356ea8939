"""An encoder without numbers, built to compare config.json with the headers of the weights.

A configuration can ask for a billion layers, or for sizes that the weights do not have. Nothing is
allocated here, and building stops at a number of parts that the weights cannot fill.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.modules import module as registration

from wordvec.errors import ModelError
from wordvec.models.embedding import plain_name
from wordvec.models.folder import CONFIG
from wordvec.text import escape
from wordvec.vocabulary.settings import TokenizerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wordvec.extraction.checkpoint import StoredTensor

_LAYERS = 256  # that a model may have more than tensors, if its layers share them (ALBERT)
_LAYER_COUNTS = ("num_hidden_layers", "num_layers", "n_layers")
_LABELS = 100_000  # transformers makes a name for each
_PARTS, _PARTS_PER_TENSOR = 4_000, 20  # modules and parameters; a layer of BERT has 36 for 16


def check_counts(folder: Path, tensors: Sequence[StoredTensor]) -> None:
    """Check the fields of config.json that transformers counts to before it builds anything.

    Raises:
        ModelError: There are no layers or more than tensors, or far too many labels.
    """
    config = TokenizerSettings.read(folder).config
    inner = [value for value in config.values() if isinstance(value, dict)]
    for key, value in (item for fields in (config, *inner) for item in fields.items()):
        if key in _LAYER_COUNTS and type(value) is int and value < 1:
            raise ModelError(f"{folder / CONFIG}: {key} is {value}, expected at least 1")
        most = _LABELS if "label" in key else max(_LAYERS, len(tensors))
        if type(value) is int and value > most and ("layer" in key or "label" in key):
            raise ModelError(
                f"{folder / CONFIG}: {escape(key)} is {value:,}, "
                f"but the weights have {len(tensors):,} tensors"
            )


def build_skeleton(config: Any, tensors: Sequence[StoredTensor]) -> torch.nn.Module:
    """Build the model of a configuration on torch's device "meta", where numbers take no memory.

    Raises:
        ValueError: It has far more parts than there are tensors.
        Exception: Whatever transformers raises for a configuration that makes no sense.
    """
    import transformers

    most = _PARTS + _PARTS_PER_TENSOR * len(tensors)
    with _at_most(most), torch.device("meta"):
        model: torch.nn.Module = transformers.AutoModel.from_config(config)
    return model


@contextmanager
def _at_most(most: int) -> Iterator[None]:
    """Raise ValueError in the block when more modules and parameters are made."""
    made = 0

    def count(*_: object) -> None:
        nonlocal made
        made += 1
        if made > most:
            raise ValueError(f"it has more than {most:,} parts")

    hooks = (
        registration.register_module_parameter_registration_hook(count),
        registration.register_module_module_registration_hook(count),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def check_tensors(model: torch.nn.Module, tensors: Sequence[StoredTensor]) -> None:
    """Check that the tensors of a model have floating-point numbers in the shapes that it needs.

    Raises:
        ModelError: One does not; it is named.
    """
    own = dict(model.named_parameters())
    for tensor in tensors:
        parts = split_name(plain_name(tensor.name), own.keys())
        if parts is None:
            continue
        tensor.check_is_float()
        expected = tuple(own[parts[1]].shape)
        if tensor.shape != expected:
            raise ModelError(
                f"{tensor.path}: {escape(tensor.name)} has shape {tensor.shape}, "
                f"but the model of {CONFIG} needs {expected}"
            )


def split_name(name: str, own: Any) -> tuple[str, str] | None:
    """Split a stored name into what precedes the model's own name, and that name.

    >>> split_name("model.bert.pooler.weight", {"pooler.weight"})
    ('model.bert.', 'pooler.weight')
    """
    starts = [0, *(match.end() for match in re.finditer(r"\.", name))]
    return next(((name[:start], name[start:]) for start in starts if name[start:] in own), None)
