"""What the map calls each class of token, and paints it: colours that the colour-blind tell apart.

Okabe and Ito's eight (2008) and a grey, moved until each pair stays apart on either ground for
every kind of colour vision (a test measures it): the yellow is an olive on light ground.
"""

from __future__ import annotations

from dataclasses import dataclass

from wordvec.text import TokenClass


@dataclass(frozen=True, slots=True)
class Paint:
    """A class of tokens as the legend has it: `light` and `dark` are the grounds, #rrggbb."""

    label: str
    light: str
    dark: str


PAINTS = {
    TokenClass.KANJI: Paint("kanji, one character", "#d55e00", "#e8742a"),
    TokenClass.KANJI_WORD: Paint("kanji words", "#e69f00", "#e69f00"),
    TokenClass.HIRAGANA: Paint("hiragana", "#009e73", "#17b287"),
    TokenClass.KATAKANA: Paint("katakana", "#0072b2", "#3d94d6"),
    TokenClass.LATIN: Paint("latin", "#cc79a7", "#d68ab4"),
    TokenClass.NUMBER: Paint("numbers", "#84783c", "#f0e442"),
    TokenClass.SUBWORD: Paint("subwords", "#56b4e9", "#8ccdf2"),
    TokenClass.SPECIAL: Paint("special", "#000000", "#ffffff"),
    TokenClass.OTHER: Paint("other", "#5f5f5f", "#686868"),
}
CLASSES = tuple(PAINTS)
