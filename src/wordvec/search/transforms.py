"""What can be done to a table's rows before anything is asked of them.

    unit         every row at length 1
    center       the mean row taken off
    standardize  each dimension at mean 0 and standard deviation 1 (Timkey and van Schijndel 2021,
                 "All Bark and No Bite", section 4.4)
    abtt:N       all-but-the-top: the mean and the N strongest principal components taken off
                 (Mu and Viswanath 2018, algorithm 1)
    whiten       the mean taken off, and every direction brought to variance 1, by the symmetric
                 square root (ZCA), so that dimension d stays the one nearest to dimension d

Several work in order, each fitted on the rows that the ones before it left. Fits are in float64,
over the finite rows. Kept beside the table are a fit's numbers and not its rows: 6 kB for a mean
and 5 MB for a whitening matrix at D = 768, where every set of rows of 32,000 tokens would be 98 MB
more; to apply them is one pass over the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

import numpy as np

from wordvec.errors import UsageError
from wordvec.tables.table import VectorTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.tables.derived import Derived

    Floats = NDArray[np.float64]
    Fit = dict[str, Floats]

ROWS_AT_ONCE = 2048

# A direction that varies less than this part of the strongest is rounding: it becomes 0.
_NEGLIGIBLE = 1e-6


class Kind(StrEnum):
    """What is done to the rows."""

    UNIT = "unit"
    CENTER = "center"
    STANDARDIZE = "standardize"
    ABTT = "abtt"
    WHITEN = "whiten"


@dataclass(frozen=True, slots=True)
class Transform:
    """One step. components: how many `abtt` takes off; None for the others."""

    kind: Kind
    components: int | None = None

    def __str__(self) -> str:
        return self.kind.value if self.components is None else f"{self.kind}:{self.components}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `unit`, `center`, `standardize`, `abtt:N` or `whiten`."""
        if match := re.fullmatch(r"abtt:(\d+)", text, re.ASCII):
            if int(match[1]) < 1:
                raise UsageError("abtt:0 takes nothing off; expected abtt:N with N of 1 or more")
            return cls(Kind.ABTT, int(match[1]))
        if text == Kind.ABTT:
            raise UsageError("abtt needs a number of components", hint="--transform abtt:3")
        if text not in tuple(Kind):
            raise UsageError(
                f"{text!r} is no transform: expected unit, center, standardize, abtt:N or whiten"
            )
        return cls(Kind(text))


def transform(
    table: VectorTable, transforms: Sequence[Transform | str], *, derived: Derived | None = None
) -> VectorTable:
    """The table with its rows transformed, in order; what was done stands in `.transforms`.

    derived: what is kept beside the raw table; fits are read from there, or left there.
    """
    steps = [Transform.parse(step) if isinstance(step, str) else step for step in transforms]
    if not steps:
        return table
    done: list[tuple[Transform, Fit]] = []
    for step in steps:
        done.append((step, _fit_kept(table, done, step, derived)))
    rows = np.full(table.vectors.shape, np.nan, dtype=np.float32)  # rows not finite stay NaN
    for ids, block in _blocks(table, done):
        rows[ids] = block
    changed = VectorTable.from_vectors(table.vocabulary, rows, table.provenance)
    return replace(changed, transforms=(*table.transforms, *map(str, steps)))


def _blocks(
    table: VectorTable, steps: Sequence[tuple[Transform, Fit]]
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Finite rows after some steps, block by block: ids (B,), rows (B, D) float64."""
    finite = np.isfinite(table.norms)
    for start in range(0, len(table), ROWS_AT_ONCE):
        ids = start + np.flatnonzero(finite[start : start + ROWS_AT_ONCE])
        block = table.vectors[ids].astype(np.float64)
        for step, fit in steps:
            block = _apply(step, fit, block)
        yield ids, block


def _apply(step: Transform, fit: Fit, rows: Floats) -> Floats:
    if step.kind is Kind.UNIT:
        lengths = np.sqrt(np.einsum("vd,vd->v", rows, rows))
        lengths[lengths == 0] = 1
        unit: Floats = rows / lengths[:, None]
        return unit
    centred: Floats = rows - fit["mean"]
    if step.kind is Kind.STANDARDIZE:
        centred *= fit["scale"]
    elif step.kind is Kind.ABTT:
        # The paper prints u·v with v as it was; with the mean off, as here, what is left is
        # centred, and differs by one constant vector.
        centred -= (centred @ fit["components"].T) @ fit["components"]
    elif step.kind is Kind.WHITEN:
        centred = centred @ fit["matrix"]
    return centred


def _fit_kept(
    table: VectorTable,
    before: Sequence[tuple[Transform, Fit]],
    step: Transform,
    derived: Derived | None,
) -> Fit:
    D = table.dimensions
    if step.components is not None and step.components >= D:
        raise UsageError(f"{step} would take off everything: the vectors have {D} dimensions")
    shapes = _shapes(step, D)
    if not shapes:
        return {}
    key = " ".join(["transform", *table.transforms, *(str(s) for s, _ in before), str(step)])
    kept = derived.load(key) if derived is not None else None
    if kept is not None and {name: array.shape for name, array in kept.items()} == shapes:
        return kept
    fit = _fit(table, before, step)
    if derived is not None:
        derived.save(key, fit)
    return fit


def _shapes(step: Transform, dimensions: int) -> dict[str, tuple[int, ...]]:
    """What a fit is made of; the mean is taken off first."""
    D = dimensions
    match step.kind:
        case Kind.UNIT:
            return {}
        case Kind.CENTER:
            return {"mean": (D,)}
        case Kind.STANDARDIZE:
            return {"mean": (D,), "scale": (D,)}
        case Kind.ABTT:
            return {"mean": (D,), "components": (step.components or 0, D)}
        case Kind.WHITEN:
            return {"mean": (D,), "matrix": (D, D)}


def _fit(table: VectorTable, before: Sequence[tuple[Transform, Fit]], step: Transform) -> Fit:
    D, n = table.dimensions, int(np.isfinite(table.norms).sum())
    mean = sum((rows.sum(axis=0) for _, rows in _blocks(table, before)), np.zeros(D)) / max(n, 1)
    if step.kind is Kind.CENTER:
        return {"mean": mean}
    if step.kind is Kind.STANDARDIZE:
        square = np.zeros(D)
        for _, rows in _blocks(table, before):
            square += ((rows - mean) ** 2).sum(axis=0)
        return {"mean": mean, "scale": _inverse(np.sqrt(square / max(n, 1)), mean)}
    covariance = np.zeros((D, D))
    for _, rows in _blocks(table, before):
        centred = rows - mean
        covariance += centred.T @ centred
    strength, directions = np.linalg.eigh(covariance / max(n, 1))  # weakest first; columns
    if step.kind is Kind.ABTT:
        return {"mean": mean, "components": directions.T[::-1][: step.components].copy()}
    scale = _inverse(np.sqrt(np.maximum(strength, 0)))
    return {"mean": mean, "matrix": (directions * scale) @ directions.T}


def _inverse(deviation: Floats, mean: Floats | float = 0.0) -> Floats:
    """1 / deviation, and 0 where a deviation is only rounding."""
    rounding = np.abs(mean) * 1e-12  # float32 rows that differ at all differ by more
    varies = deviation > np.maximum(rounding, _NEGLIGIBLE * deviation.max(initial=0))
    return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
