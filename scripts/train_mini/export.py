"""Step 7, export: write the checkpoint as a folder in Hugging Face's layout, in float16.

    python export.py RUN FOLDER

reads RUN/mlm.pt (or RUN/embeddings.npy alone if there is none yet) and RUN/vocab.txt, writes
config.json, model.safetensors, vocab.txt and tokenizer_config.json. The config sets float32: only
the file is float16, not the arithmetic.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from files import whole
from mlm import start
from safetensors.torch import save_file
from wordpiece import SPECIALS

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import BertForMaskedLM

TOKENIZER = {
    "tokenizer_class": "BertJapaneseTokenizer",
    "do_lower_case": False,
    "word_tokenizer_type": "mecab",
    "subword_tokenizer_type": "wordpiece",
    "mecab_kwargs": {"mecab_dic": "ipadic"},
    "pad_token": SPECIALS[0],
    "unk_token": SPECIALS[1],
    "cls_token": SPECIALS[2],
    "sep_token": SPECIALS[3],
    "mask_token": SPECIALS[4],
}
# tied copies of the same tensors: the file holds each once
TIED = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}


def trained(run: Path) -> BertForMaskedLM:
    """Return the model of the last checkpoint."""
    model, _ = start(run, power=1.0)
    path = run / "mlm.pt"
    if path.exists():
        state = torch.load(path, weights_only=True, map_location="cpu")
        model.load_state_dict(state["model"], strict=False)
    return model


def halves(model: BertForMaskedLM) -> dict[str, Tensor]:
    """Return the tensors to write, without tied copies."""
    state = model.state_dict()
    kept = {name: tensor for name, tensor in state.items() if name not in TIED}
    return {name: tensor.detach().half().contiguous() for name, tensor in kept.items()}


def write_json(path: Path, content: dict[str, object]) -> None:
    with whole(path) as beside:
        text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
        beside.write_text(f"{text}\n", encoding="utf-8")


def export(model: BertForMaskedLM, run: Path, folder: Path) -> None:
    config = model.config.to_diff_dict() | {
        "architectures": ["BertForMaskedLM"],
        "dtype": "float32",
        "model_type": "bert",
        "tie_word_embeddings": True,
    }
    config.pop("_attn_implementation", None)
    limit = {"model_max_length": model.config.max_position_embeddings}
    write_json(folder / "config.json", config)
    write_json(folder / "tokenizer_config.json", TOKENIZER | limit)
    with whole(folder / "vocab.txt") as beside:
        shutil.copyfile(run / "vocab.txt", beside)
    with whole(folder / "model.safetensors") as beside:
        save_file(halves(model), beside, metadata={"format": "pt"})
        beside.chmod(0o644)  # save_file makes it readable by its owner only


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    export(trained(arguments.run), arguments.run, arguments.folder)


if __name__ == "__main__":
    main()
