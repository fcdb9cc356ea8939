"""Sharing an extraction between processes that torchrun started: torch.distributed, nothing else.

Rank 0 does all that one process does: it finds the tables, reads the corpus and writes. It sends
the other ranks a plan, and all ranks compute batches in turn. Objects and sums go through gloo.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from wordvec.errors import WordvecError
from wordvec.extraction.checkpoint import one_line
from wordvec.extraction.layer_tables import check_torch_loads, require_torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Value = TypeVar("Value")

_PATIENCE = timedelta(days=30)  # that ranks wait for a corpus to be read; gloo notices a dead rank


class Ranks:
    """The processes of one extraction; without torchrun, this process alone.

    rank: of this process. size: how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self._has_plan = False

    def share_plan(self, plan: Value | None) -> Value | None:
        """Send a plan from rank 0 to all; return it. None: there is nothing to do."""
        if self._has_plan and self.rank == 0:
            return plan
        self._has_plan = True
        return self.broadcast(plan)

    def broadcast(self, value: Value) -> Value:
        """Send a value from rank 0 to all; return it."""
        if self.size == 1:
            return value
        import torch.distributed as dist

        values = [value]
        with _other_ranks():
            dist.broadcast_object_list(values, src=0)
        return values[0]

    def gather(self, value: Value) -> list[Value]:
        """Return the values of all ranks on rank 0, in their order; an empty list elsewhere."""
        if self.size == 1:
            return [value]
        import torch.distributed as dist

        values: list[Value | None] = [None] * self.size
        with _other_ranks():
            dist.gather_object(value, values if self.rank == 0 else None, dst=0)
        return values if self.rank == 0 else []  # type: ignore[return-value]  # all were received

    def add_up(self, tensor: torch.Tensor) -> None:
        """Add the tensors of all ranks to that of rank 0, in place; the others become 0."""
        if self.size == 1:
            return
        import torch.distributed as dist

        with _other_ranks():
            dist.reduce(tensor, dst=0)
        if self.rank:
            tensor.zero_()


@contextmanager
def join_ranks() -> Iterator[Ranks]:
    """Join the other processes that torchrun started, if it did.

    Raises:
        WordvecError: another rank ended.
    """
    size = int(os.environ.get("WORLD_SIZE") or 1)
    if size == 1 or "RANK" not in os.environ:
        yield Ranks()
        return
    require_torch("extracting with torchrun")
    check_torch_loads()
    import torch
    import torch.distributed as dist

    on_gpus = torch.cuda.is_available()
    if on_gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK") or 0))
    with _other_ranks():
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpus else "gloo", timeout=_PATIENCE)
    ranks = Ranks(dist.get_rank(), size)
    yield ranks
    if ranks.rank == 0:
        ranks.share_plan(None)
    dist.destroy_process_group()


@contextmanager
def _other_ranks() -> Iterator[None]:
    """Raise what torch.distributed raises as an error that says what to do."""
    try:
        yield
    except RuntimeError as error:
        raise WordvecError(
            f"another rank of torchrun ended, or cannot be reached ({one_line(error)})",
            hint="run the same command again to resume",
        ) from error
