"""Words on an axis as a picture, by matplotlib: dots by word, or a scatter on two axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.map.figure import DPI, NO_FONT, new_figure
from wordvec.tables.files import write_file
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.analysis.axis_report import AxisReport

_SIDE = 6.0  # inches of a scatter
_CLOUD = 20_000  # tokens behind a scatter, at most


def draw_axis(report: AxisReport, file: Path, *, file_format: str) -> tuple[str, ...]:
    """Draw the words of a report and save the picture. Equal reports give equal files.

    With one axis, each word is a line with a dot for each table at its z. With two, each table is a
    scatter, on the cloud of all its tokens.

    Args:
        report: the words and their places.
        file: where it is saved.
        file_format: "png" or "svg".

    Returns:
        Notes for the user.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        StoreError: if the file cannot be written.
    """
    count = len(report.columns)
    size = (_SIDE * count, _SIDE) if len(report.axes) > 1 else (8.0, 1.2 + 0.25 * len(report))
    with new_figure(size) as (figure, font):
        if len(report.axes) > 1:
            for i, axes in enumerate(figure.subplots(1, count, squeeze=False)[0]):
                _scatter(axes, report, i, japanese=font is not None)
        else:
            _dots(figure.subplots(), report, japanese=font is not None)
        metadata = {"Date": None} if file_format == "svg" else {}
        write_file(
            file,
            lambda picture: figure.savefig(picture, format=file_format, dpi=DPI, metadata=metadata),
        )
    return () if font else (NO_FONT,)


def _label(written: str, *, japanese: bool) -> str:
    """Return a text as it can be drawn: nothing for Japanese without a font."""
    shown = clip(escape(written), 40)
    return shown if japanese or max(shown, default="") < "\u2e80" else ""


def _ends(poles: tuple[str, str]) -> str:
    left, right = poles
    return f"{left} ← → {right}" if left else f"→ {right}"


def _dots(axes: Any, report: AxisReport, *, japanese: bool) -> None:
    """Draw a line for each word with a dot for each table, the highest word at the top."""
    words = list(reversed(report.words))
    for line, word in enumerate(words):
        z = [places[0].z for places in word.places if places is not None]
        known = [one for one in z if one is not None]
        axes.plot(known, [line] * len(known), color="#bbb", zorder=1)
    for i, name in enumerate(report.names):
        places = [
            (place.z, line)
            for line, word in enumerate(words)
            if (of_table := word.places[i]) is not None and (place := of_table[0]).z is not None
        ]
        axes.scatter(*np.array(places).reshape(-1, 2).T, label=name, zorder=2)
    axes.axvline(0, color="#888", linewidth=0.8)
    axes.set_yticks(range(len(words)), [_label(word.token, japanese=japanese) for word in words])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_xlabel("standard deviations from the mean of all tokens")
    axes.set_title(_label(_ends(report.poles[0]), japanese=japanese), parse_math=False)
    axes.legend(fontsize=8)


def _scatter(axes: Any, report: AxisReport, i: int, *, japanese: bool) -> None:
    """Draw the words of one table, and a part of all tokens as a cloud."""
    column = report.columns[i]
    cloud = column.scores[:, np.isfinite(column.scores).all(axis=0)]
    cloud = cloud[:, :: 1 + cloud.shape[1] // _CLOUD]
    axes.scatter(*cloud, s=2, c="#d5d9de", linewidths=0, rasterized=True, zorder=0)
    for x, one in zip((axes.axvline, axes.axhline), column.axes, strict=True):
        x(one.mean, color="#888", linewidth=0.8, zorder=1)
    for word in report.words:
        if (places := word.places[i]) is None:
            continue
        x, y = (place.score(report.settings.metric) for place in places)
        colour = "#888" if word.in_axis else "#0b57d0"
        axes.scatter([x], [y], s=18, c=colour, zorder=2)
        axes.annotate(
            _label(word.token, japanese=japanese), (x, y), xytext=(4, 2),
            textcoords="offset points", fontsize=9, parse_math=False, zorder=3,
        )  # fmt: skip
    x_poles, y_poles = (_label(_ends(poles), japanese=japanese) for poles in report.poles)
    axes.set_xlabel(f"{report.score_name}: {x_poles}", parse_math=False)
    axes.set_ylabel(f"{report.score_name}: {y_poles}", parse_math=False)
    axes.set_title(escape(report.names[i]), parse_math=False, wrap=True)
