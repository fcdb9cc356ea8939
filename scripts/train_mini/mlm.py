"""Step 6, masked words: train the transformer to predict masked words, within a time budget.

    python mlm.py RUN --minutes 60 --weight kyoto=3 --weight jaquad=3

reads RUN/ids, RUN/vocab.txt, RUN/counts.npy and RUN/embeddings.npy, writes RUN/mlm.pt every few
minutes and at the end, and resumes from it. The learning rates increase during the first 2 % of the
budget and decrease to zero at its end. Most of the run computes the loss on a sample of the
vocabulary; the last EXACT_SHARE uses all of it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from architecture import build
from batches import ALONE, Text, alone, choose, continues, hide, length
from files import whole
from softmax import exact, sampled
from torch import Tensor
from tqdm import tqdm
from weights import Weights, add_weight_option
from wordpiece import SPECIALS

if TYPE_CHECKING:
    from transformers import BertForMaskedLM

Floats = npt.NDArray[np.float32]

WARM_UP = 0.02
EXACT_SHARE = 0.15
CLIP = 1.0
LONGEST_STEP = 5.0  # seconds; a longer step means that the process was stopped (SIGSTOP)


def scaled(table: Floats, power: float) -> Floats:
    """Return word vectors with norms raised to `power` (0: all equal), with mean norm 1."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    changed = table * norms ** (power - 1)
    return np.asarray(changed / np.linalg.norm(changed, axis=1).mean(), dtype=np.float32)


def log_frequency(counts: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(np.log((counts + 0.5) / counts.sum()), dtype=np.float32)


def logits_input(model: BertForMaskedLM, seen: Tensor, where: Tensor) -> Tensor:
    """Return the inputs of the output layer at the chosen positions: (M, D)."""
    hidden = model.bert(input_ids=seen).last_hidden_state
    transformed: Tensor = model.cls.predictions.transform(hidden[where])
    return transformed


@dataclass
class Progress:
    """The state of a checkpoint besides the weights."""

    spent: float = 0.0  # seconds
    tokens: int = 0
    steps: int = 0


class Halves:
    """A model computed in bfloat16 and stepped in float32.

    Every parameter has a float32 master; the model's own are its bfloat16 images. (Autocast keeps
    activations in float32 between the matrix products: a fifth of the time went into casts.)
    """

    def __init__(self, model: BertForMaskedLM) -> None:
        self.masters = {
            name: parameter.detach().float().clone() for name, parameter in model.named_parameters()
        }
        self.model = model.bfloat16()
        self.images = dict(self.model.named_parameters())

    def hand_over(self) -> list[Tensor]:
        """Move the gradients to the float32 copies; return the copies that have one."""
        moved = []
        for name, image in self.images.items():
            master = self.masters[name]
            master.grad = None if image.grad is None else image.grad.float()
            image.grad = None
            if master.grad is not None:
                moved.append(master)
        return moved

    @torch.no_grad()
    def renew(self, *, all_of_them: bool = False) -> None:
        """Update the bfloat16 parameters from the float32 copies that were stepped."""
        for name, master in self.masters.items():
            if all_of_them or master.grad is not None:
                self.images[name].copy_(master)

    def state(self) -> dict[str, Tensor]:
        return self.masters

    def load(self, state: dict[str, Tensor]) -> None:
        for name, master in self.masters.items():
            master.copy_(state[name])
        self.renew(all_of_them=True)


@dataclass
class Trainer:
    """One run over the budget; `halves` and `optimizer` are saved in checkpoints."""

    model: BertForMaskedLM
    text: Text
    continuing: npt.NDArray[np.bool_]
    settings: argparse.Namespace
    device: torch.device
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng()
        embeddings = self.model.bert.embeddings
        embeddings.position_embeddings.weight.requires_grad_(requires_grad=False)  # sinusoids stay
        self.table = embeddings.word_embeddings.weight
        self.halves = Halves(self.model.to(self.device).train())
        self.optimizer = torch.optim.AdamW(self.groups(), betas=(0.9, 0.98), eps=1e-7, fused=True)

    def groups(self) -> list[dict[str, Any]]:
        """Return parameter groups (matrices, vectors, embeddings), each with its rate and decay."""
        masters = dict(self.halves.masters)
        table = masters.pop("bert.embeddings.word_embeddings.weight")
        others = list(masters.values())
        rate = self.settings.rate
        return [
            {"params": [p for p in others if p.ndim > 1], "peak": rate, "weight_decay": 0.01},
            {"params": [p for p in others if p.ndim <= 1], "peak": rate, "weight_decay": 0.0},
            {"params": [table], "peak": self.settings.table_rate, "weight_decay": 0.0},
        ]

    @property
    def share(self) -> float:
        """Return the share of the budget that is spent."""
        return self.progress.spent / (60 * float(self.settings.minutes))

    def set_rates(self) -> None:
        factor = min(self.share / WARM_UP, (1 - self.share) / (1 - WARM_UP))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(factor, 0.001)

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return (input ids, chosen positions, true ids there)."""
        size = length(self.random)
        count = self.settings.batch_tokens // size
        if size == ALONE:  # there is no context: the token stays visible and must be recognised
            seen = true = alone(count, len(self.continuing), self.random)
            chosen = true >= len(SPECIALS)
        else:
            true = self.text.windows(count, size, self.random)
            chosen = choose(true, self.continuing, self.settings.mask, self.random)
            seen = hide(true, chosen, len(self.continuing), self.random)
        on = [torch.from_numpy(array).to(self.device) for array in (seen, chosen, true)]
        return on[0], on[1], on[2][on[1]]

    def loss(self) -> Tensor:
        seen, where, target = self.batch()
        self.progress.tokens += seen.numel()
        loss_of = exact if self.share > 1 - EXACT_SHARE else sampled
        head = self.model.cls.predictions
        hidden = logits_input(self.model, seen, where)
        return loss_of(hidden, head.decoder.weight, head.bias, target)

    def step(self) -> float:
        """Do one step and return the loss. The embedding table is stepped less often."""
        self.set_rates()
        self.table.requires_grad_(self.progress.steps % self.settings.table_every == 0)
        loss = self.loss()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.halves.hand_over(), CLIP)
        self.optimizer.step()
        self.halves.renew()
        self.progress.steps += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        state = {
            "model": self.halves.state(),
            "optimizer": self.optimizer.state_dict(),
            "progress": vars(self.progress),
        }
        with whole(path) as beside:
            torch.save(state, beside)

    def resume(self, path: Path) -> None:
        if not path.exists():
            return
        state = torch.load(path, weights_only=True, map_location=self.device)
        self.halves.load(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])


def run(trainer: Trainer, path: Path) -> None:
    """Train until the budget is spent, with a checkpoint every few minutes."""
    progress, settings = trainer.progress, trainer.settings
    saved = progress.spent
    with tqdm(total=60 * settings.minutes, initial=round(saved), unit="s") as bar:
        loss = 0.0
        while trainer.share < 1:
            began = time.monotonic()
            now = trainer.step()
            progress.spent += min(time.monotonic() - began, LONGEST_STEP)
            loss = now if not loss else 0.98 * loss + 0.02 * now
            bar.update(round(progress.spent) - bar.n)
            bar.set_postfix(tokens=f"{progress.tokens:,}", loss=f"{loss:.3f}")
            if progress.spent - saved > 60 * settings.save_minutes:
                trainer.save(path)
                saved = progress.spent
    trainer.save(path)


def start(folder: Path, power: float) -> tuple[BertForMaskedLM, list[str]]:
    """Return the model with its initial word vectors, and the tokens."""
    tokens = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    table = scaled(np.load(folder / "embeddings.npy"), power)
    return build(table, log_frequency(np.load(folder / "counts.npy"))), tokens


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--save-minutes", type=float, default=3.0)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--mask", type=float, default=0.3, help="share of the words hidden")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--table-rate", type=float, default=1e-4, help="of the embedding table")
    parser.add_argument("--table-every", type=int, default=4, help="steps between its steps")
    parser.add_argument("--norm-power", type=float, default=0.0, help="0: word vectors of one norm")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add_weight_option(parser)
    return parser


def main() -> None:
    arguments = options().parse_args()
    torch.manual_seed(0)
    model, tokens = start(arguments.run, arguments.norm_power)
    text = Text.read(arguments.run / "ids", Weights.parse(arguments.weight))
    trainer = Trainer(model, text, continues(tokens), arguments, torch.device(arguments.device))
    path = arguments.run / "mlm.pt"
    trainer.resume(path)
    run(trainer, path)
    print(f"{trainer.progress.tokens:,} tokens in {trainer.progress.steps:,} steps")


if __name__ == "__main__":
    main()
