"""Colours of the token classes: every pair can be told apart, by everyone, on both backgrounds."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wordvec.map.colours import CLASS_STYLES
from wordvec.text import TokenClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Simulated colour vision in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def test_every_token_class_has_its_own_colour_on_both_backgrounds() -> None:
    assert set(CLASS_STYLES) == set(TokenClass)
    for background in ("light", "dark"):
        colours = {getattr(style, background) for style in CLASS_STYLES.values()}
        assert len(colours) == len(CLASS_STYLES)


def cielab(colour: str, vision: Any) -> NDArray[np.float64]:
    """Convert #rrggbb, as seen with a kind of colour vision, to CIELAB (illuminant D65)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(vision) @ linear, 0, 1)
    x, y, z = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ seen
        / [0.9505, 1, 1.089]
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("background", ["light", "dark"])
def test_every_pair_of_classes_can_be_told_apart(vision: str, background: str) -> None:
    seen = [cielab(getattr(style, background), VISION[vision]) for style in CLASS_STYLES.values()]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 12  # a difference of about 2 is just noticeable
