"""The linear layers of a model, replaced by ones that oneDNN runs on weights packed in its order.

Nine tenths of a pass are linear layers. On the machines we measured, oneDNN's matrix product is
faster than what `torch.nn.Linear` calls, in float32 and a little in bfloat16 too, once the weights
lie in the order it wants (docs/extraction.md has the figures). The operations are private to torch:
where they are absent, or the model is not on a CPU, the plain product is used.

In bfloat16 only these layers compute in it; between them everything stays float32. That is as fast
as a model wholly in bfloat16, with half the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    Product = Callable[[torch.Tensor], torch.Tensor]


class FastLinear(nn.Module):
    """Stands in for an `nn.Linear`: takes and gives float32, multiplies in `dtype`.

    rows: how many vectors come at once, for oneDNN to choose its layout by; any number may come.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, rows: int) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.dtype = dtype
        weight = linear.weight.detach().to(dtype)
        bias = None if linear.bias is None else linear.bias.detach().to(dtype)
        self.packed = can_pack(weight)
        if self.packed:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, rows)  # noqa: SLF001
        # Named as in nn.Linear: some models look at `weight.dtype`.
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden: (…, in_features) → (…, out_features), float32."""
        x = hidden.to(self.dtype)
        if self.packed:
            product = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
                x, self.weight, self.bias, "none", [], ""
            )
        else:
            product = nn.functional.linear(x, self.weight, self.bias)
        result: torch.Tensor = product.to(hidden.dtype)
        return result


def can_pack(weight: torch.Tensor) -> bool:
    """Whether oneDNN can take this weight here, found out by trying."""
    if weight.device.type != "cpu":
        return False
    try:
        tiny = torch.zeros((1, weight.shape[1]), dtype=weight.dtype)
        packed = torch.ops.mkldnn._reorder_linear_weight(weight[:1], 1)  # noqa: SLF001
        torch.ops.mkldnn._linear_pointwise(tiny, packed, None, "none", [], "")  # noqa: SLF001
    except (AttributeError, RuntimeError, TypeError):
        return False
    return True


def speed_up(model: nn.Module, dtype: torch.dtype, rows: int) -> int:
    """Replace each plain `nn.Linear` of a model, in place; how many were packed is returned."""
    packed = 0
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:  # a subclass may do more
                fast = FastLinear(child, dtype, rows)
                setattr(module, name, fast)
                packed += fast.packed
    return packed
