"""Labels and colours of the token classes on a map.

The colours are the eight of Okabe and Ito (2008) and a grey, adjusted until every pair can be told
apart on both backgrounds, with normal vision and with each kind of colour blindness. A test
measures this. On a light background the yellow is therefore an olive.
"""

from __future__ import annotations

from dataclasses import dataclass

from wordvec.text import TokenClass


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
