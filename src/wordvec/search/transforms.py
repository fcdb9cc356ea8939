"""Transforms of a table's rows, applied before anything is searched.

    unit         normalise every row to unit length
    center       subtract the mean row
    standardize  scale each dimension to mean 0 and standard deviation 1 (Timkey and van Schijndel
                 2021, "All Bark and No Bite", section 4.4)
    abtt:N       all-but-the-top: subtract the mean and the N strongest principal components
                 (Mu and Viswanath 2018, algorithm 1)
    whiten       subtract the mean and scale every direction to variance 1, by the symmetric square
                 root (ZCA), which keeps dimension d closest to the original dimension d

Several are applied in order, each fitted on the output of those before it, in float64 and over the
finite rows. The fit is kept beside the table, not the rows: 6 kB for a mean and 5 MB for a
whitening matrix at D = 768, where the rows of 32,000 tokens take 98 MB. Applying a fit is one pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import UsageError
from wordvec.search.settings import Transform, TransformKind, as_transforms
from wordvec.tables.table import VectorTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from wordvec.search.ranking import Floats
    from wordvec.tables.derived import Derived

    Fit = dict[str, Floats]
    FittedStep = tuple[Transform, Fit]

ROWS_AT_ONCE = 2048

# A direction that varies less than this share of the strongest is rounding: it becomes 0.
_NEGLIGIBLE = 1e-6


def transform(
    table: VectorTable,
    transforms: str | Iterable[str | Transform],
    *,
    derived: Derived | None = None,
) -> VectorTable:
    """Return a table with its rows transformed, in order; its `.transforms` names them.

    Args:
        transforms: names such as "center" or "abtt:3", or one string with commas.
        derived: what is kept beside the raw table; fits are read from it, or saved to it.

    Raises:
        UsageError: for an unknown transform, or one that would remove every dimension.
    """
    return apply_steps(table, fit_steps(table, transforms, derived=derived))


def fit_steps(
    table: VectorTable,
    transforms: str | Iterable[str | Transform],
    *,
    derived: Derived | None = None,
) -> Sequence[FittedStep]:
    """Fit transforms to a table, in order, as `transform` does."""
    done: list[FittedStep] = []
    for step in [Transform.parse(name) for name in as_transforms(transforms)]:
        done.append((step, _fit_kept(table, done, step, derived)))
    return done


def apply_steps(table: VectorTable, steps: Sequence[FittedStep]) -> VectorTable:
    """Return a table with its rows transformed by steps that were fitted to it."""
    if not steps:
        return table
    rows = np.full(
        table.vectors.shape, np.nan, dtype=np.float32
    )  # rows that are not finite stay NaN
    for ids, block in _blocks(table, steps):
        rows[ids] = block
    changed = VectorTable.from_vectors(table.vocabulary, rows, table.provenance, table.occurrences)
    names = (str(step) for step, _ in steps)
    return replace(changed, transforms=(*table.transforms, *names))


def transform_rows(rows: Floats, steps: Sequence[FittedStep]) -> Floats:
    """Transform other vectors of the same space, such as those of words in sentences: (n, D)."""
    for step, fit in steps:
        rows = _apply(step, fit, rows)
    return rows


def _blocks(
    table: VectorTable, steps: Sequence[FittedStep]
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Yield the finite rows after some steps, in blocks: ids (B,), rows (B, D) float64."""
    finite = np.isfinite(table.norms)
    for start in range(0, len(table), ROWS_AT_ONCE):
        ids = start + np.flatnonzero(finite[start : start + ROWS_AT_ONCE])
        yield ids, transform_rows(table.vectors[ids].astype(np.float64), steps)


def _apply(step: Transform, fit: Fit, rows: Floats) -> Floats:
    if step.kind is TransformKind.UNIT:
        lengths = np.sqrt(np.einsum("vd,vd->v", rows, rows))
        lengths[lengths == 0] = 1
        unit: Floats = rows / lengths[:, None]
        return unit
    centred: Floats = rows - fit["mean"]
    if step.kind is TransformKind.STANDARDIZE:
        centred *= fit["scale"]
    elif step.kind is TransformKind.ABTT:
        # The paper projects the vectors as they were; projecting the centred ones, as here,
        # gives a centred result, which differs by one constant vector.
        centred -= (centred @ fit["components"].T) @ fit["components"]
    elif step.kind is TransformKind.WHITEN:
        centred = centred @ fit["matrix"]
    return centred


def _fit_kept(
    table: VectorTable,
    before: Sequence[FittedStep],
    step: Transform,
    derived: Derived | None,
) -> Fit:
    D = table.dimensions
    if step.components is not None and step.components >= D:
        raise UsageError(f"{step} would remove everything: the vectors have {D} dimensions")
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
    """Return the arrays of a fit by name, and their shapes."""
    D = dimensions
    match step.kind:
        case TransformKind.UNIT:
            return {}
        case TransformKind.CENTER:
            return {"mean": (D,)}
        case TransformKind.STANDARDIZE:
            return {"mean": (D,), "scale": (D,)}
        case TransformKind.ABTT:
            return {"mean": (D,), "components": (step.components or 0, D)}
        case TransformKind.WHITEN:
            return {"mean": (D,), "matrix": (D, D)}


def _fit(table: VectorTable, before: Sequence[FittedStep], step: Transform) -> Fit:
    D, n = table.dimensions, int(np.isfinite(table.norms).sum())
    mean = sum((rows.sum(axis=0) for _, rows in _blocks(table, before)), np.zeros(D)) / max(n, 1)
    if step.kind is TransformKind.CENTER:
        return {"mean": mean}
    if step.kind is TransformKind.STANDARDIZE:
        square = np.zeros(D)
        for _, rows in _blocks(table, before):
            square += ((rows - mean) ** 2).sum(axis=0)
        return {"mean": mean, "scale": _inverse(np.sqrt(square / max(n, 1)), mean)}
    covariance = np.zeros((D, D))
    for _, rows in _blocks(table, before):
        centred = rows - mean
        covariance += centred.T @ centred
    strength, directions = np.linalg.eigh(covariance / max(n, 1))  # weakest first; columns
    if step.kind is TransformKind.ABTT:
        return {"mean": mean, "components": directions.T[::-1][: step.components].copy()}
    scale = _inverse(np.sqrt(np.maximum(strength, 0)))
    return {"mean": mean, "matrix": (directions * scale) @ directions.T}


def _inverse(deviation: Floats, mean: Floats | float = 0.0) -> Floats:
    """Return 1 / deviation, or 0 where a deviation is only rounding."""
    rounding = np.abs(mean) * 1e-12  # float32 rows that differ at all differ by more
    varies = deviation > np.maximum(rounding, _NEGLIGIBLE * deviation.max(initial=0))
    return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
