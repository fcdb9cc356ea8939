"""The colours of the points of a picture: the same as those of the page on a light background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.map.colours import CLASS_STYLES, NO_CATEGORY, PALETTE, ColourBy
from wordvec.map.packing import norm_range, quantise_norms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from wordvec.map.build import MappedTable, TokenMap

LIGHT = 0  # of the pairs of colours
_NAMED = 3  # tokens in the name of a region, as on the page


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A category of each token. category_of: (N,), an index into labels and colours (#rrggbb)."""

    labels: tuple[str, ...]
    colours: tuple[str, ...]
    category_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A number of each token. shares: (N,) from 0 to 1. low, high: the ends of the scale."""

    label: str
    shares: NDArray[np.float64]
    low: str
    high: str


def default_colour(token_map: TokenMap) -> ColourBy:
    """Return what a page or a picture is coloured by if nothing else is chosen."""
    if token_map.window.colour is not None:
        return token_map.window.colour
    if token_map.labels is not None:
        return ColourBy.LABELS
    return ColourBy.TABLES if token_map.is_joint else ColourBy.CLASS


def colour_tokens(token_map: TokenMap, mapped: MappedTable) -> Categories | Numbers:
    """Return the colours of the N tokens in one table of the map."""
    return _COLOURINGS[default_colour(token_map)](token_map, mapped)


def _classes(token_map: TokenMap, _mapped: MappedTable) -> Categories:
    styles = CLASS_STYLES.values()
    return Categories(
        tuple(style.label for style in styles),
        tuple(style.light for style in styles),
        token_map.classes.astype(np.int64),
    )


def _regions(token_map: TokenMap, mapped: MappedTable) -> Categories:
    level = mapped.regions[0]
    names = [
        " ".join(
            token_map.vocabulary.display(row)
            for row in token_map.rows[points[points >= 0]].tolist()
        )
        for points in level.typical[:, :_NAMED]
    ]
    return _many(names, "in no region", level.region_of, mapped.region_colours)


def _labels(token_map: TokenMap, mapped: MappedTable) -> Categories:
    labels = token_map.labels
    if labels is None:
        return _classes(token_map, mapped)
    names = labels.names
    return _many(names, "no label", labels.label_of[token_map.rows], np.arange(len(names)))


def _many(
    names: list[str] | tuple[str, ...],
    none: str,
    category_of: NDArray[np.int32],
    numbers: NDArray[np.int64],
) -> Categories:
    """Return many categories and one for tokens without. numbers: of their colours."""
    colours = (PALETTE[number % len(PALETTE)][LIGHT] for number in numbers.tolist())
    return Categories(
        (*names, none),
        (*colours, NO_CATEGORY[LIGHT]),
        np.where(category_of < 0, len(names), category_of).astype(np.int64),
    )


def _tables(token_map: TokenMap, _mapped: MappedTable) -> Categories:
    patterns, pattern_of = token_map.table_patterns()
    labels = [
        "in every table"
        if all(pattern)
        else "in "
        + ", ".join(
            str(mapped.table.name)
            for mapped, has in zip(token_map.tables, pattern, strict=True)
            if has
        )
        for pattern in patterns.tolist()
    ]
    colours = tuple(PALETTE[i % len(PALETTE)][LIGHT] for i in range(len(labels)))
    return Categories(tuple(labels), colours, pattern_of)


def _rows(token_map: TokenMap, _mapped: MappedTable) -> Numbers:
    first, last = int(token_map.rows[0]), int(token_map.rows[-1])
    shares = (token_map.rows - first) / max(last - first, 1)
    return Numbers("row", shares, f"{first:,}", f"{last:,}")


def _norms(_token_map: TokenMap, mapped: MappedTable) -> Numbers:
    norms = mapped.table.norms[mapped.rows[mapped.has]]
    shares = np.zeros(len(mapped.rows))
    shares[mapped.has] = quantise_norms(norms) / 255
    low, high = norm_range(norms)
    return Numbers("vector norm", shares, f"{low:.4g}", f"{high:.4g}")


def _moved(token_map: TokenMap, _mapped: MappedTable) -> Numbers:
    """Return the distance moved from table to table, up to its 99th percentile."""
    places = np.stack([mapped.positions.astype(float) for mapped in token_map.tables])
    moved = np.nansum(np.linalg.norm(np.diff(places, axis=0), axis=2), axis=0)
    most = float(np.sort(moved)[int(len(moved) * 0.99)]) or 1.0
    return Numbers("distance moved", np.minimum(moved / most, 1), "0", f"{most:.3g}")


_COLOURINGS: dict[ColourBy, Callable[[TokenMap, MappedTable], Categories | Numbers]] = {
    ColourBy.CLASS: _classes,
    ColourBy.REGION: _regions,
    ColourBy.ROW: _rows,
    ColourBy.NORM: _norms,
    ColourBy.MOVED: _moved,
    ColourBy.LABELS: _labels,
    ColourBy.TABLES: _tables,
}
