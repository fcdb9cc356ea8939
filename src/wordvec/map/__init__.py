"""The map: the vocabulary of one or two tables on a page that a person can walk through.

    tables ─survey→ Map ─page→ one HTML file that needs no network
                        ─figure→ PNG or SVG, without a browser

`survey` gathers all that is shown (places, neighbours, expressions as arrows), `page` and `figure`
only draw it.
"""

from wordvec.map.figure import draw
from wordvec.map.page import build_page, vector_bytes
from wordvec.map.survey import Layer, Map, survey

__all__ = ["Layer", "Map", "build_page", "draw", "survey", "vector_bytes"]
