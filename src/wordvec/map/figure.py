"""A map as a picture for print, by matplotlib: points, labels where there is room, a legend.

An expression is drawn as on the page: an arrow for each term, and a star at the end.

Japanese labels need a Japanese font. Without one they are left out, and a note says so.
"""

from __future__ import annotations

import math
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError
from wordvec.map.colours import RAMP, TOKEN_CLASSES
from wordvec.map.token_colours import LIGHT, Categories, Numbers, colour_tokens
from wordvec.tables.files import write_file
from wordvec.text import escape_controls, width

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.map.arrows import PartialSum, TracedExpression
    from wordvec.map.build import MappedTable, TokenMap

JAPANESE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic",
    "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo", "MS Gothic",
    "BIZ UDGothic", "TakaoPGothic", "VL PGothic", "VL Gothic",
    "Noto Serif CJK JP", "IPAexMincho", "Yu Mincho",
)  # fmt: skip
NO_FONT = (
    "no Japanese font was found: labels with Japanese text are left out of the picture "
    "(Debian: apt install fonts-noto-cjk)"
)
_SIZE = (12.0, 9.0)  # inches
DPI = 200  # of a PNG
_LABEL_SIZE, _PART_LABEL_SIZE = 5.0, 8.0  # points; of the whole map, and of a part
_MARK, _INK = "#b3261e", "#1b1c1e"  # as on the page
_LEGEND_ROWS = 30  # categories
_RASTERIZE_ABOVE = 5000  # points; an SVG contains more as one image, to save megabytes


def draw_picture(token_map: TokenMap, file: Path, *, file_format: str) -> tuple[str, ...]:
    """Draw a map and save it. Several tables are drawn side by side. Equal maps give equal files.

    Args:
        token_map: the map.
        file: where it is saved.
        file_format: "png" or "svg".

    Returns:
        Notes for the user.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        StoreError: if the file cannot be written; a former one is as it was.
    """
    count = len(token_map.tables)
    metadata = {"Date": None} if file_format == "svg" else {}
    columns = count if count <= 2 else math.ceil(math.sqrt(count))
    lines = math.ceil(count / columns)
    with new_figure((_SIZE[0] * columns, _SIZE[1] * lines)) as (figure, font):
        for i, mapped in enumerate(token_map.tables, start=1):
            axes = figure.add_subplot(lines, columns, i)
            _draw_table(axes, token_map, mapped, japanese=font is not None)
        with _missing_glyphs() as missing:
            write_file(
                file,
                lambda picture: figure.savefig(
                    picture, format=file_format, dpi=DPI, metadata=metadata
                ),
            )
    notes = () if font else (NO_FONT,)
    return (*notes, _missing_note(missing)) if missing else notes


@contextmanager
def new_figure(size: tuple[float, float]) -> Iterator[tuple[Any, str | None]]:
    """Make a figure of matplotlib, with a Japanese font if there is one; give both.

    size: in inches.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtraError("a picture", extra="map", package="matplotlib") from error
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # needs no screen
    from matplotlib.figure import Figure

    font = find_japanese_font()
    families = [font, "DejaVu Sans"] if font else ["DejaVu Sans"]
    with mpl.rc_context({"font.family": families, "svg.hashsalt": "wordvec"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, font


@contextmanager
def _missing_glyphs() -> Iterator[set[str]]:
    """Collect the characters that no font has, of which matplotlib warns one by one."""
    missing: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield missing
    for warning in caught:
        glyph = re.match(r"Glyph (\d+) .*missing from", str(warning.message))
        if glyph:
            missing.add(chr(int(glyph[1])))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _missing_note(missing: set[str]) -> str:
    """Say how many characters are drawn as boxes, with the first few as code points."""
    codes = [f"U+{ord(char):04X}" for char in sorted(missing)]
    count = "1 character has" if len(codes) == 1 else f"{len(codes)} characters have"
    named = ", ".join(codes[:3]) + (", …" if len(codes) > 3 else "")
    return f"{count} no glyph in the fonts of the picture and a box in their place: {named}"


def find_japanese_font() -> str | None:
    """Return the name of an installed Japanese font, or None."""
    return _known_font() or (_known_font() if _add_new_fonts() else None)


def _known_font() -> str | None:
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in JAPANESE_FONTS if name in installed), None)


def _add_new_fonts() -> bool:
    """Add fonts installed since matplotlib cached its list of fonts; return whether any were."""
    from contextlib import suppress

    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    new = [file for file in font_manager.findSystemFonts() if file not in known]
    for file in new:
        with suppress(Exception):  # a damaged font file can raise anything, and is skipped
            font_manager.fontManager.addfont(file)
    return bool(new)


def _draw_table(axes: Any, token_map: TokenMap, mapped: MappedTable, *, japanese: bool) -> None:
    # a name may contain $
    axes.set_title(escape_controls(str(mapped.table.name)), wrap=True, parse_math=False)
    is_part = token_map.window.around is not None
    axes.set_aspect("equal", adjustable="box" if is_part else "datalim")
    axes.set_axis_off()
    shown = _shown(token_map) & mapped.has
    _draw_points(axes, token_map, mapped, shown)
    for traced in mapped.expressions:
        _draw_expression(axes, token_map, mapped, traced, japanese=japanese)
    low, high = _window(token_map, mapped, shown)
    if is_part:
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
    inside = ((mapped.positions >= low) & (mapped.positions <= high)).all(axis=1) & shown
    points = inside.nonzero()[0]
    size = _PART_LABEL_SIZE if is_part else _LABEL_SIZE
    positions = mapped.positions[points]
    labels = [token_map.vocabulary.display(row) for row in token_map.rows[points].tolist()]
    for i in choose_labels(positions * (_print_scale(high - low) * _LABEL_SIZE / size), labels):
        _write(axes, labels[i], positions[i], japanese=japanese, size=size)


def _print_scale(spans: NDArray[np.float64]) -> float:
    """Return the points of print per unit of the map, from the size of the figure.

    Nothing is drawn yet, so the axes do not know it. spans: (2,), of what is shown.
    """
    width, height = (max(float(span), 1e-6) for span in spans)  # one token alone has no width
    return min(_SIZE[0] * 72 * 0.95 / width, _SIZE[1] * 72 * 0.9 / height)


def _shown(token_map: TokenMap) -> NDArray[np.bool_]:
    """Return which tokens of the map are shown: (N,) bool."""
    import numpy as np

    only = token_map.window.only
    if only is None:
        return np.ones(len(token_map.rows), dtype=np.bool_)
    shown: NDArray[np.bool_] = token_map.classes == TOKEN_CLASSES.index(only)
    return shown


def _window(
    token_map: TokenMap, mapped: MappedTable, shown: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower left and the upper right corner of the part that is shown: (2,) each."""
    import numpy as np

    positions, window = mapped.positions.astype(float), token_map.window
    if window.around is None or not mapped.has[token_map.rows.searchsorted(window.around)]:
        return positions[shown].min(axis=0), positions[shown].max(axis=0)
    centre = positions[token_map.rows.searchsorted(window.around)]
    spans = np.nanmax(positions, axis=0) - np.nanmin(positions, axis=0)
    half = spans / 2 / window.zoom
    return centre - half, centre + half


def _draw_points(
    axes: Any, token_map: TokenMap, mapped: MappedTable, shown: NDArray[np.bool_]
) -> None:
    many = shown.sum() > _RASTERIZE_ABOVE and token_map.window.around is None
    style = {"s": 3.0 if many else 7.0, "linewidths": 0, "rasterized": many}
    coloured = colour_tokens(token_map, mapped)
    if isinstance(coloured, Numbers):
        _draw_numbers(axes, mapped, shown, coloured, style)
    else:
        _draw_categories(axes, mapped, shown, coloured, style)


def _draw_categories(
    axes: Any,
    mapped: MappedTable,
    shown: NDArray[np.bool_],
    coloured: Categories,
    style: dict[str, Any],
) -> None:
    """Draw the points of each category, and a legend of the first of them."""
    for i, (label, colour) in enumerate(zip(coloured.labels, coloured.colours, strict=True)):
        inside = (coloured.category_of == i) & shown
        if not inside.any():
            continue
        # matplotlib leaves a label that begins with _ out of the legend, and reads $ as mathematics
        name = escape_controls(label).replace("$", r"\$").replace("_", " _", label[0] == "_")
        text = f"{name} ({inside.sum():,})" if i < _LEGEND_ROWS else "_"
        axes.scatter(*mapped.positions[inside].T, c=colour, label=text, **style)
    legend = axes.legend(loc="upper left", fontsize=7, markerscale=2, framealpha=0.9)
    legend.set_zorder(8)


def _draw_numbers(
    axes: Any,
    mapped: MappedTable,
    shown: NDArray[np.bool_],
    coloured: Numbers,
    style: dict[str, Any],
) -> None:
    """Draw all points on one scale of colours, and the scale."""
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("ramp", RAMP[LIGHT])
    points = axes.scatter(
        *mapped.positions[shown].T, c=coloured.shares[shown], cmap=ramp, vmin=0, vmax=1, **style
    )
    bar = axes.figure.colorbar(
        points, ax=axes, ticks=[0, 1], label=coloured.label, shrink=0.3, aspect=15, pad=0
    )
    bar.ax.set_yticklabels([coloured.low, coloured.high])


def _write(  # noqa: PLR0913  (one keyword per property of the text)
    axes: Any,
    text: str,
    position: Any,
    *,
    japanese: bool,
    size: float = _LABEL_SIZE,
    offset: float = 2,
) -> None:
    """Write text next to a position, with a white outline that keeps it readable over points.

    japanese: whether there is a font for Japanese; without one, Japanese text is left out.
    """
    from matplotlib.patheffects import withStroke

    if not japanese and max(text, default="") >= "\u2e80":
        return
    axes.annotate(
        escape_controls(text),
        position,
        xytext=(offset, 0),
        textcoords="offset points",
        fontsize=size,
        va="center",
        parse_math=False,  # "$" is an ordinary character in a token
        path_effects=[withStroke(linewidth=size / 4, foreground="white")],
        zorder=3 if size == _LABEL_SIZE else 6,
    )


def _draw_expression(
    axes: Any,
    token_map: TokenMap,
    mapped: MappedTable,
    traced: TracedExpression,
    *,
    japanese: bool,
) -> None:
    """Draw an arrow from each partial sum to the next (dashed for minus), and a star at the end."""
    stops = [_mean_position(token_map, mapped, each) for each in traced.partial_sums]
    for i in range(1, len(stops)):
        label = traced.partial_sums[i].label
        arrow = {
            "arrowstyle": "-|>",
            "linestyle": "--" if label.startswith("-") else "-",
            "color": _INK,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        axes.annotate("", stops[i], xytext=stops[i - 1], arrowprops=arrow, zorder=5)
        _write(axes, label, (stops[i - 1] + stops[i]) / 2, japanese=japanese, size=7)
    axes.scatter(*stops[0], s=40, facecolors="none", edgecolors=_MARK, zorder=5)
    axes.scatter(*stops[-1], s=110, marker="*", c=_MARK, edgecolors="white", zorder=6)
    _write(axes, traced.source, stops[-1], japanese=japanese, size=9, offset=7)


def _mean_position(
    token_map: TokenMap, mapped: MappedTable, partial_sum: PartialSum
) -> NDArray[np.float64]:
    """Return the weighted mean position of a partial sum's rows: (2,)."""
    import numpy as np

    indices = np.searchsorted(token_map.rows, partial_sum.rows)
    weights = np.asarray(partial_sum.weights)
    if not weights.any():  # under cosine, all similarities can be 0 or less
        weights = np.ones_like(weights)
    return np.average(mapped.positions[indices].astype(np.float64), axis=0, weights=weights)


def choose_labels(positions: NDArray[np.float32], labels: list[str]) -> Iterator[int]:
    """Yield the indices of tokens whose labels have room, in vocabulary order.

    A label is a box to the right of its point. Boxes do not overlap.

    positions: (N, 2), in points of print.
    """
    cells: dict[tuple[int, int], list[tuple[float, float, float, float]]] = {}
    for i, (x, y) in enumerate(positions.tolist()):
        box = (
            x,
            y - _LABEL_SIZE * 0.65,
            x + 4 + width(labels[i]) * _LABEL_SIZE * 0.56,
            y + _LABEL_SIZE * 0.65,
        )
        covered = [
            (column, row)
            for column in range(int(box[0] // 40), int(box[2] // 40) + 1)
            for row in range(int(box[1] // 10), int(box[3] // 10) + 1)
        ]
        if any(_overlap(box, other) for cell in covered for other in cells.get(cell, ())):
            continue
        for cell in covered:
            cells.setdefault(cell, []).append(box)
        yield i


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
