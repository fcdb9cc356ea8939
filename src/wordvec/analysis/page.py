"""Reports as one HTML page, without scripts and without a network: the shell and its pictures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#f0e442", "#000000")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; text-align: right }
th:first-child, td:first-child { text-align: left }
th { font-weight: 600 } caption { text-align: left; color: #666; padding-bottom: .3rem }
.heat td { min-width: 4rem } .best { outline: 2px solid #d55e00; font-weight: 600 }
.findings td, .findings th { text-align: left; vertical-align: top }
.findings td:last-child { white-space: nowrap } .found { font-weight: 600; color: #b34700 }
svg { display: block; margin: .5rem 0 1.5rem; max-width: 100% } svg text { font-size: 12px }
"""


def html_page(title: str, body: Iterable[str]) -> str:
    """Return a page with a title and elements."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def svg_text(x: float, y: float, shown: str, anchor: str = "start", *, colour: str = "#222") -> str:
    """Return a text at a place of a picture, in pixels."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(shown)}</text>"


def svg(kind: str, width: int, height: int, parts: Iterable[str]) -> str:
    """Return a picture of a size in pixels; kind is its class."""
    return (
        f'<svg class="{kind}" role="img" xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
    )
