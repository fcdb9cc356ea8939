"""A report of `evaluate` as one HTML page, without scripts and without a network.

A heat map of tables × transforms for each method; a curve over layers for tables whose names differ
only in `@LAYER`; bars by category for the best combination of each table.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from wordvec.analysis.display import html_element, table_name
from wordvec.analysis.evaluation import Evaluation
from wordvec.analysis.evaluation_scores import goodness, percent
from wordvec.analysis.page import COLOURS, html_page, svg, svg_text
from wordvec.errors import check_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wordvec.analysis.evaluation_scores import Combination

_LAYER = re.compile(r"(.*)@(\d+)")
_WIDTH, _HEIGHT = 640, 260  # of a curve, in pixels
_BAR, _LABEL, _LENGTH = 16, 220, 480  # height, label and full length of a bar


def evaluation_page(evaluation: Evaluation) -> str:
    """Return a report as one HTML page: heat maps, curves over layers, bars by category."""
    check_type(evaluation, Evaluation, "evaluation")
    title = f"Evaluation on {', '.join(evaluation.files)}"
    body = [
        html_element("h1", title),
        evaluation._repr_html_(),  # as a notebook shows it
        *_heat_maps(evaluation),
        *_curves(evaluation),
        *_categories(evaluation),
    ]
    return html_page(title, body)


def _score(one: Combination) -> float | None:
    return one.overall.left_out.shares[0]


def _heat_maps(evaluation: Evaluation) -> Iterator[str]:
    """Yield a table of tables × transforms for each method."""
    if len(evaluation.combinations) < 2:
        return
    scores = [score for one in evaluation if (score := _score(one)) is not None]
    most = max(scores, default=1) or 1
    yield html_element("h2", f"top-{evaluation.at[0]} by table and transforms")
    for method in dict.fromkeys(one.method_name for one in evaluation):
        chosen = [one for one in evaluation if one.method_name == method]
        columns = list(dict.fromkeys(one.transforms_name for one in chosen))
        found = {(table_name(one.table), one.transforms_name): one for one in chosen}
        lines = [html_element("caption", method)]
        heading = "".join(html_element("th", name) for name in ("table", *columns))
        lines.append(f"<tr>{heading}</tr>")
        for table in dict.fromkeys(table for table, _ in found):
            cells = [
                _heat_cell(found.get((table, steps)), most, evaluation.best) for steps in columns
            ]
            lines.append(f"<tr>{html_element('td', table)}{''.join(cells)}</tr>")
        yield f'<table class="heat">{"".join(lines)}</table>'


def _heat_cell(one: Combination | None, most: float, best: Combination | None) -> str:
    score = None if one is None else _score(one)
    if one is None or score is None:
        return "<td>–</td>"
    strength = score / most
    colour = "#fff" if strength > 0.6 else "#222"
    marked = ' class="best"' if one is best else ""
    return (
        f'<td{marked} style="background:rgba(0,114,178,{strength:.3f});color:{colour}">'
        f"{percent(score)}</td>"
    )


def _curves(evaluation: Evaluation) -> Iterator[str]:
    """Yield a picture with a line for each method and transforms, for tables of several layers."""
    by_model: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for one in evaluation:
        name, score = _LAYER.fullmatch(table_name(one.table)), _score(one)
        if name is not None and score is not None:
            line = f"{one.method_name}, {one.transforms_name}"
            lines = by_model.setdefault(name[1], {})
            lines.setdefault(line, []).append((int(name[2]), score))
    for model, lines in by_model.items():
        if max(len(points) for points in lines.values()) > 1:
            yield html_element("h2", f"top-{evaluation.at[0]} by layer of {model}")
            yield _curve({name: sorted(points) for name, points in lines.items()})


def _curve(lines: dict[str, list[tuple[int, float]]]) -> str:
    layers = sorted({layer for points in lines.values() for layer, _ in points})
    most = max(score for points in lines.values() for _, score in points) or 1
    step = (_WIDTH - 60) / max(layers[-1] - layers[0], 1)

    def place(layer: int, score: float) -> tuple[float, float]:
        return 50 + (layer - layers[0]) * step, 10 + (_HEIGHT - 40) * (1 - score / most)

    parts = [
        svg_text(place(layer, 0)[0], _HEIGHT - 12, str(layer), anchor="middle") for layer in layers
    ]
    parts += [svg_text(44, place(0, share)[1] + 4, percent(share), "end") for share in (0, most)]
    for i, (name, points) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        placed = [place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (layer, score) in zip(placed, points, strict=True):
            shown = escape(f"{name}, layer {layer}: {percent(score)}")
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">'
                f"<title>{shown}</title></circle>"
            )
        parts.append(svg_text(_WIDTH + 10, 20 + 18 * i, name, colour=colour))
    return svg("curve", _WIDTH + 260, max(_HEIGHT, 30 + 18 * len(lines)), parts)


def _categories(evaluation: Evaluation) -> Iterator[str]:
    """Yield bars for the categories, one for the best combination of each table."""
    best: dict[str, Combination] = {}
    for one in evaluation:
        name = table_name(one.table)
        if name not in best or goodness(one) > goodness(best[name]):
            best[name] = one
    chosen = [one for one in best.values() if one.overall.questions]
    if not chosen:
        return
    yield html_element("h2", f"top-{evaluation.at[0]} by category")
    names = dict.fromkeys(part.name for one in chosen for part in one.categories)
    yield _bars([evaluation.label(one) for one in chosen], names, chosen)


def _bars(labels: Sequence[str], names: Iterable[str], chosen: Sequence[Combination]) -> str:
    parts = []
    for i, label in enumerate(labels):
        parts.append(svg_text(_LABEL, 16 + 18 * i, label, colour=COLOURS[i % len(COLOURS)]))
    top = 18 * len(labels) + 12
    for name in names:
        parts.append(svg_text(_LABEL - 8, top + 12, name, "end"))
        for i, one in enumerate(chosen):
            for part in one.categories:
                share = part.left_out.shares[0]
                if part.name == name and share is not None:
                    parts.append(
                        f'<rect x="{_LABEL}" y="{top}" width="{share * _LENGTH:.1f}" '
                        f'height="{_BAR - 2}" fill="{COLOURS[i % len(COLOURS)]}"/>'
                    )
                    shown = f"{percent(share)} of {part.questions:,}"
                    parts.append(svg_text(_LABEL + share * _LENGTH + 6, top + 12, shown))
            top += _BAR
        top += 6
    return svg("bars", _LABEL + _LENGTH + 160, top, parts)
