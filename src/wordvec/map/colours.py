"""What the points of a map are coloured by, and the colours, on a light and on a dark background.

The colours of the token classes are the eight of Okabe and Ito (2008) and a grey, adjusted until
every pair can be told apart on both backgrounds, with normal vision and with each kind of colour
blindness. A test measures this. On a light background the yellow is therefore an olive.
"""

from __future__ import annotations

from colorsys import hls_to_rgb
from dataclasses import dataclass
from enum import StrEnum

from wordvec.text import TokenClass


class ColourBy(StrEnum):
    """What the points are coloured by."""

    CLASS = "class"
    REGION = "region"
    ROW = "row"
    NORM = "norm"
    MOVED = "moved"
    LABELS = "labels"
    TABLES = "tables"


@dataclass(frozen=True, slots=True)
class ClassStyle:
    """Label of a token class, and its colour (#rrggbb) on a light and on a dark background."""

    label: str
    light: str
    dark: str


CLASS_STYLES = {
    TokenClass.KANJI: ClassStyle("single kanji", "#d55e00", "#e8742a"),
    TokenClass.KANJI_WORD: ClassStyle("kanji words", "#e69f00", "#e69f00"),
    TokenClass.HIRAGANA: ClassStyle("hiragana", "#009e73", "#17b287"),
    TokenClass.KATAKANA: ClassStyle("katakana", "#0072b2", "#3d94d6"),
    TokenClass.LATIN: ClassStyle("Latin letters", "#cc79a7", "#d68ab4"),
    TokenClass.NUMBER: ClassStyle("numbers", "#84783c", "#f0e442"),
    TokenClass.SUBWORD: ClassStyle("subwords", "#56b4e9", "#8ccdf2"),
    TokenClass.SPECIAL: ClassStyle("special tokens", "#000000", "#ffffff"),
    TokenClass.OTHER: ClassStyle("other", "#5f5f5f", "#686868"),
}
TOKEN_CLASSES = tuple(CLASS_STYLES)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(
        f"{round(255 * part):02x}" for part in hls_to_rgb(hue % 1, lightness, saturation)
    )


PALETTE = tuple(
    (
        _hex((i * 137.508 + 20) / 360, 0.5 if i % 2 else 0.36, 0.7),  # the golden angle
        _hex((i * 137.508 + 20) / 360, 0.74 if i % 2 else 0.62, 0.65),
    )
    for i in range(128)
)
"""Colours of many categories, for light and dark; neighbouring numbers have distant hues."""
NO_CATEGORY = ("#b5b5b0", "#4a4d52")
RAMP = (
    ("#b9c3cf", "#5b8db8", "#6a3d9a", "#7a0046"),
    ("#46505c", "#4f86b8", "#d07ab0", "#ffe08a"),
)
"""Colours of numbers from low to high, for light and dark; each end stands out."""
