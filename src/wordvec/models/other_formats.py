"""Weights in formats that wordvec does not read: what they are, and how to convert them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from wordvec.errors import ModelError
from wordvec.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

_RENAME = 'copy it to "{target}", the name that Hugging Face gives the weights of a whole model'
_EXPORTED = (
    "such files are exported from a model and have no names for its tensors; "
    "use the model that they were exported from"
)
# transformers 5 ignores from_tf and from_flax, see PreTrainedModel.from_pretrained there.
_CONVERT = (
    "convert it in an environment of its own (transformers 5 cannot): "
    "pip install 'transformers[torch]<5' {package}\n"
    "then in Python: from transformers import AutoModel; "
    'AutoModel.from_pretrained("{place}", {argument}=True).save_pretrained("converted")'
)


@dataclass(frozen=True, slots=True)
class _Format:
    """A format of weights.

    patterns: Of the names of its files. name: What it is. hint: What to do; {file} and {place} are
    replaced. same_folder: Files in subfolders are of something else. own: Read under another name.
    """

    patterns: tuple[str, ...]
    name: str
    hint: str
    same_folder: bool = False
    own: bool = False


_FORMATS = (
    _Format(
        ("adapter_model.safetensors", "adapter_model.bin"),
        "a PEFT adapter",
        "merge it into its model with PEFT: model.merge_and_unload().save_pretrained(FOLDER)",
        same_folder=True,
    ),
    _Format(
        ("*-?????-of-?????.safetensors", "*-?????-of-?????.bin"),
        "one of several files",
        'download the index of these files too: "model.safetensors.index.json" or '
        '"pytorch_model.bin.index.json"',
        same_folder=True,
        own=True,
    ),
    _Format(
        ("*.safetensors",),
        "safetensors",
        _RENAME.format(target="model.safetensors"),
        same_folder=True,
        own=True,
    ),
    _Format(
        ("*.bin", "*.pt", "*.pth", "*.ckpt"),
        "PyTorch",
        _RENAME.format(target="pytorch_model.bin"),
        same_folder=True,
        own=True,
    ),
    _Format(
        ("tf_model*.h5", "*.h5"),
        "TensorFlow",
        _CONVERT.format(package="tensorflow tf-keras", argument="from_tf", place="{place}"),
    ),
    _Format(
        ("flax_model*.msgpack", "*.msgpack"),
        "Flax",
        _CONVERT.format(package="flax", argument="from_flax", place="{place}"),
    ),
    _Format(
        ("*.ckpt.index", "*.ckpt-*.index", "*.ckpt.data-*", "*.ckpt-*.data-*"),
        "a checkpoint of TensorFlow 1",
        "convert it with transformers 4: "
        "transformers.models.bert.convert_bert_original_tf_checkpoint_to_pytorch",
    ),
    _Format(
        ("*.gguf",),
        "GGUF",
        "convert it (pip install gguf accelerate), in Python: from transformers import AutoModel; "
        'AutoModel.from_pretrained("{place}", gguf_file="{file}").save_pretrained("converted")\n'
        "and copy the files of its tokenizer there",
    ),
    _Format(("*.onnx",), "ONNX", _EXPORTED),
    _Format(("openvino_*.xml", "openvino_*.bin"), "OpenVINO", _EXPORTED),
)
_NOT_WEIGHTS = ("training_args.bin", "optimizer.*", "scheduler.*", "rng_state*", "openvino_*.bin")


def missing_weights(place: str, files: Iterable[str], expected: Iterable[str]) -> ModelError:
    """Return the error for a model without weights that wordvec can read.

    Args:
        place: The folder or the name of the model.
        files: The paths of its files, relative to it.
        expected: The names that were looked for.
    """
    nothing = "no weights that wordvec can read"
    return other_format(place, files, nothing, own=True) or ModelError(
        f"{place} has {nothing}: expected one of {', '.join(expected)}",
        hint="use a model with weights in safetensors format",
    )


def other_format(
    place: str, files: Iterable[str], nothing: str, *, own: bool = False
) -> ModelError | None:
    """Return the error for weights of another program, or None if there are none.

    Args:
        place: The folder or the name of the model.
        files: The paths of its files, relative to it.
        nothing: What the model does not have, for the message.
        own: Whether Hugging Face's own formats are looked for too, under other names.
    """
    found = sorted(files, key=lambda file: (file.count("/"), file))
    for kind in _FORMATS:
        for file in found:
            if (own or not kind.own) and _is_of(file, kind):
                return ModelError(
                    f"{place} has {nothing}, only {escape(file)} ({kind.name})",
                    hint=kind.hint.replace("{place}", place).replace("{file}", escape(file)),
                )
    return None


def _is_of(file: str, kind: _Format) -> bool:
    name = PurePosixPath(file).name
    if kind.same_folder and (
        "/" in file or any(fnmatch(name, pattern) for pattern in _NOT_WEIGHTS)
    ):
        return False
    return any(fnmatch(name, pattern) for pattern in kind.patterns)
