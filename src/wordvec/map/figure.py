"""A map as a picture for print, by matplotlib: points, labels where there is room, a legend.

An expression is drawn as on the page: an arrow for each term, and a star at the end.

Japanese labels need a Japanese font. Without one they are left out, and a note says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError
from wordvec.map.colours import CLASS_STYLES, TOKEN_CLASSES
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
_LABEL_SIZE = 5.0  # points
_MARK, _INK = "#b3261e", "#1b1c1e"  # as on the page
_RASTERIZE_ABOVE = 5000  # points; an SVG contains more as one image, to save megabytes


def draw_picture(token_map: TokenMap, file: Path, *, file_format: str) -> tuple[str, ...]:
    """Draw a map and save it. Two tables are drawn side by side. Equal maps give equal files.

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
    with new_figure((_SIZE[0] * count, _SIZE[1])) as (figure, font):
        for i, mapped in enumerate(token_map.tables, start=1):
            axes = figure.add_subplot(1, count, i)
            _draw_table(axes, token_map, mapped, japanese=font is not None)
        write_file(
            file,
            lambda picture: figure.savefig(picture, format=file_format, dpi=DPI, metadata=metadata),
        )
    return () if font else (NO_FONT,)


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
    axes.set_title(escape_controls(str(mapped.table.name)))
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()
    _draw_points(axes, token_map, mapped)
    axes.legend(loc="upper left", fontsize=7, markerscale=2, framealpha=0.9)
    for traced in mapped.expressions:
        _draw_expression(axes, token_map, mapped, traced, japanese=japanese)
    # points of print per unit of the map: from the size of the figure, as nothing is drawn yet
    spans = mapped.positions.max(axis=0) - mapped.positions.min(axis=0)
    per_unit = min(_SIZE[0] * 72 * 0.95 / spans[0], _SIZE[1] * 72 * 0.9 / spans[1])
    labels = [token_map.vocabulary.display(row) for row in token_map.rows.tolist()]
    for i in choose_labels(mapped.positions * per_unit, labels):
        _write(axes, labels[i], mapped.positions[i], japanese=japanese)


def _draw_points(axes: Any, token_map: TokenMap, mapped: MappedTable) -> None:
    many = len(token_map.rows) > _RASTERIZE_ABOVE
    for i, token_class in enumerate(TOKEN_CLASSES):
        in_class = token_map.classes == i
        if not in_class.any():
            continue
        style = CLASS_STYLES[token_class]
        axes.scatter(
            *mapped.positions[in_class].T,
            s=3.0 if many else 7.0,
            c=style.light,
            linewidths=0,
            label=f"{style.label} ({in_class.sum():,})",
            rasterized=many,
        )


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
