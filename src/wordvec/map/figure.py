"""A map as a picture for papers, by matplotlib: points, names where there is room, a legend.

Expressions are arrows from term to term, as on the page, and a star where the query is.

It needs a font with Japanese in it; where the machine has none, it says so and leaves those names
out rather than draw empty boxes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError
from wordvec.map.colours import CLASSES, PAINTS
from wordvec.text import width

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.map.arrows import Path as Route
    from wordvec.map.arrows import Step
    from wordvec.map.build import Layer, Map

JAPANESE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic",
    "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo", "MS Gothic",
    "BIZ UDGothic", "TakaoPGothic", "VL PGothic", "VL Gothic",
    "Noto Serif CJK JP", "IPAexMincho", "Yu Mincho",
)  # fmt: skip
NO_FONT = (
    "no Japanese font is on this machine: names with Japanese in them are left out of the "
    "picture (Debian: apt install fonts-noto-cjk)"
)
_SIZE = (12.0, 9.0)  # inches
_DPI = 200  # of a PNG
_NAME_SIZE = 5.0  # points
_MARK, _INK = "#b3261e", "#1b1c1e"  # as on the page
_MANY = 5000  # points drawn as one image inside an SVG, which would take megabytes one by one


def draw(the_map: Map, file: Path, *, form: str) -> tuple[str, ...]:
    """Write a picture; `form` is png or svg. What its reader should know is given back."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtraError("a picture", extra="map", package="matplotlib") from error
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # draws with no screen
    from matplotlib.figure import Figure

    font = japanese_font()
    families = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    # one salt and no date: the same map gives the same file
    with mpl.rc_context({"font.family": families, "svg.hashsalt": "wordvec"}):
        count = len(the_map.layers)
        figure = Figure(figsize=(_SIZE[0] * count, _SIZE[1]), layout="constrained")
        FigureCanvasAgg(figure)
        for place, layer in enumerate(the_map.layers, start=1):
            axes = figure.add_subplot(1, count, place)
            _draw_layer(axes, the_map, layer, can_write_japanese=font is not None)
        figure.savefig(
            file, format=form, dpi=_DPI, metadata={"Date": None} if form == "svg" else {}
        )
    if font:
        return ()
    return (NO_FONT,)


def japanese_font() -> str | None:
    """A font with Japanese that is on this machine, or None."""
    return _known_font() or (_known_font() if _look_for_new_fonts() else None)


def _known_font() -> str | None:
    from matplotlib import font_manager

    there = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in JAPANESE_FONTS if name in there), None)


def _look_for_new_fonts() -> bool:
    """Add fonts installed since matplotlib made the list that it keeps; whether there were any."""
    from contextlib import suppress

    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    new = [file for file in font_manager.findSystemFonts() if file not in known]
    for file in new:
        with suppress(Exception):  # whatever a broken font file raises: it is not for us
            font_manager.fontManager.addfont(file)
    return bool(new)


def _draw_layer(axes: Any, the_map: Map, layer: Layer, *, can_write_japanese: bool) -> None:
    axes.set_title(str(layer.table.name))
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()
    size = 3.0 if len(the_map.rows) > _MANY else 7.0
    for i, one in enumerate(CLASSES):
        of_class = the_map.classes == i
        if not of_class.any():
            continue
        axes.scatter(
            *layer.places[of_class].T,
            s=size,
            c=PAINTS[one].light,
            linewidths=0,
            label=f"{PAINTS[one].label} ({of_class.sum():,})",
            rasterized=len(the_map.rows) > _MANY,
        )
    axes.legend(loc="upper left", fontsize=7, markerscale=2, framealpha=0.9)
    for route in layer.paths:
        _draw_route(axes, the_map, layer, route, can_write_japanese=can_write_japanese)
    # the plane's unit in points: the canvas has not been drawn yet, so by the figure's own size
    spans = layer.places.max(axis=0) - layer.places.min(axis=0)
    per_unit = min(_SIZE[0] * 72 * 0.95 / spans[0], _SIZE[1] * 72 * 0.9 / spans[1])
    names = [the_map.vocabulary.display(int(row)) for row in the_map.rows]
    for slot in named(layer.places * per_unit, names):
        if can_write_japanese or _has_no_japanese(names[slot]):
            _write(axes, names[slot], layer.places[slot])


def _has_no_japanese(name: str) -> bool:
    return max(name) < "\u2e80"


def _write(axes: Any, name: str, place: Any, *, size: float = _NAME_SIZE, away: float = 2) -> None:
    """Write a name beside a place, with an edge of white that keeps it readable over points."""
    from matplotlib.patheffects import withStroke

    axes.annotate(
        name,
        place,
        xytext=(away, 0),
        textcoords="offset points",
        fontsize=size,
        va="center",
        parse_math=False,  # a $ in a token is a dollar
        path_effects=[withStroke(linewidth=size / 4, foreground="white")],
        zorder=3 if size == _NAME_SIZE else 6,
    )


def _draw_route(
    axes: Any, the_map: Map, layer: Layer, route: Route, *, can_write_japanese: bool
) -> None:
    """Arrows from each partial sum to the next (dashed: minus), the query as a star."""
    stops = [_place(the_map, layer, step) for step in route.steps]
    for i in range(1, len(stops)):
        dashed = route.steps[i].label.startswith("-")
        arrow = {
            "arrowstyle": "-|>",
            "linestyle": "--" if dashed else "-",
            "color": _INK,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        axes.annotate("", stops[i], xytext=stops[i - 1], arrowprops=arrow, zorder=5)
        if can_write_japanese or _has_no_japanese(route.steps[i].label):
            _write(axes, route.steps[i].label, (stops[i - 1] + stops[i]) / 2, size=7)
    axes.scatter(*stops[0], s=40, facecolors="none", edgecolors=_MARK, zorder=5)
    axes.scatter(*stops[-1], s=110, marker="*", c=_MARK, edgecolors="white", zorder=6)
    if can_write_japanese or _has_no_japanese(route.source):
        _write(axes, route.source, stops[-1], size=9, away=7)


def _place(the_map: Map, layer: Layer, step: Step) -> NDArray[np.float64]:
    """The weighted mean place of a step's rows, all of which are on the map."""
    import numpy as np

    slots = np.searchsorted(the_map.rows, step.rows)
    weights = np.asarray(step.weights)
    if not weights.any():  # by cosine, no neighbour that points its way
        weights = np.ones_like(weights)
    return np.average(layer.places[slots].astype(np.float64), axis=0, weights=weights)


def named(places: NDArray[np.float32], names: list[str]) -> Iterator[int]:
    """Which tokens have room for their name, in order of the vocabulary.

    places: (N, 2), in points of print. A name is a box beside its point, and boxes never overlap.
    """
    cells: dict[tuple[int, int], list[tuple[float, float, float, float]]] = {}
    for slot, (x, y) in enumerate(places.tolist()):
        box = (
            x,
            y - _NAME_SIZE * 0.65,
            x + 4 + width(names[slot]) * _NAME_SIZE * 0.56,
            y + _NAME_SIZE * 0.65,
        )
        around = [
            (column, line)
            for column in range(int(box[0] // 40), int(box[2] // 40) + 1)
            for line in range(int(box[1] // 10), int(box[3] // 10) + 1)
        ]
        if any(_overlap(box, other) for cell in around for other in cells.get(cell, ())):
            continue
        for cell in around:
            cells.setdefault(cell, []).append(box)
        yield slot


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
