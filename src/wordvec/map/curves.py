"""The curves of a trace as a picture, by matplotlib: rank and similarity by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wordvec.map.figure import DPI, NO_FONT, new_figure
from wordvec.tables.files import write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wordvec.analysis.trace import Trace, TracePoint

_SIZE = (9.0, 4.0)  # inches


def draw_trace(trace: Trace, file: Path) -> tuple[str, ...]:
    """Draw the curves of a trace and save them as a PNG. A single table is a dashed line.

    Returns:
        Notes for the user.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    title = f"{trace.query} → {trace.token}"
    with new_figure(_SIZE) as (figure, font):
        if font is not None or title.replace("→", "").isascii():
            figure.suptitle(title, parse_math=False)
        ranks, similarities = figure.subplots(1, 2)
        _draw(ranks, trace, lambda point: point.rank)
        ranks.set_yscale("log")
        ranks.yaxis.set_major_formatter("{x:.0f}")
        ranks.yaxis.set_minor_formatter("{x:.0f}")
        ranks.invert_yaxis()  # the best rank is at the top
        ranks.set_ylabel("rank")
        _draw(similarities, trace, similarity_of)
        similarities.set_ylabel("similarity")
        similarities.legend(fontsize=8)
        write_file(file, lambda opened: figure.savefig(opened, format="png", dpi=DPI))
    return () if font else (NO_FONT,)


def similarity_of(point: TracePoint) -> float | None:
    """Return the cosine similarity, or the score of a method that has no query vector."""
    return point.score if point.cosine is None else point.cosine


def _draw(axes: Any, trace: Trace, value: Callable[[TracePoint], float | None]) -> None:
    """Draw one curve for each series. A missing number is a gap."""
    for i, (name, points) in enumerate(trace.series):
        values = [value(point) for point in points]
        plain = [float("nan") if number is None else number for number in values]
        colour = f"C{i % 10}"
        if len(points) == 1:
            axes.axhline(plain[0], linestyle="--", color=colour, label=name)
            continue
        layers = [i if point.layer is None else point.layer for i, point in enumerate(points)]
        axes.plot(layers, plain, marker="o", color=colour, label=name)
    axes.set_xlabel("layer")
    axes.xaxis.get_major_locator().set_params(integer=True)
