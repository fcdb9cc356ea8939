"""A report of `doctor` as one HTML page, without scripts and without a network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from wordvec.analysis.display import html_element, table_name
from wordvec.analysis.evaluation_scores import percent
from wordvec.analysis.page import COLOURS, html_page, svg, svg_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.check_up import CheckUp, CheckUps

_BAR, _LABEL, _LENGTH = 18, 240, 400  # height, label and full length of a bar, in pixels


def check_up_page(checked: CheckUps) -> str:
    """Return a report as one HTML page: for each table its findings, and bars of the figures."""
    names = ", ".join(table_name(one.table) for one in checked)
    title = f"Check-up of {names}"
    body = [html_element("h1", title)]
    body += [html_element("p", f"Note: {note}") for note in checked.notes]
    for one in checked:
        body += _section(one)
    if checked.between:
        body.append(html_element("p", checked.between))
    return html_page(title, body)


def _section(one: CheckUp) -> Iterator[str]:
    yield html_element("h2", table_name(one.table))
    yield html_element("p", one.summary)
    heading = "".join(html_element("th", name) for name in ("check", "figure", "meaning", "option"))
    rows = []
    for finding in one.findings:
        cells = [finding.check, finding.figure, finding.meaning, finding.option or ""]
        marked = "" if finding.option is None else ' class="found"'
        first, *others = (escape(cell) for cell in cells)
        rows.append(f"<tr><td{marked}>{first}</td>" + "".join(f"<td>{c}</td>" for c in others))
    yield f'<table class="findings"><tr>{heading}</tr>{"</tr>".join(rows)}</tr></table>'
    yield from _pictures(one)
    yield html_element("p", one.analogies.advice)


def _pictures(one: CheckUp) -> Iterator[str]:
    measures = one.measures
    if one.analogies.combinations:
        yield html_element("h3", "Analogies: right first answers, query words left out")
        shares = [combination.overall.left_out.shares[0] or 0 for combination in
                  one.analogies.combinations]  # fmt: skip
        labels = [
            f"{combination.method_name}, {combination.transforms_name}"
            for combination in one.analogies.combinations
        ]
        yield _bars("accuracy", labels, shares, [percent(share) for share in shares])
    yield html_element("h3", "Share of variance in the first components")
    places = range(1, len(measures.components) + 1)
    yield _bars(
        "components", list(map(str, places)), measures.components,
        [percent(share) for share in measures.components], most=1,
    )  # fmt: skip
    yield html_element("h3", "Largest dimensions: share of the squared lengths")
    lengths = [dimension.length_share for dimension in measures.dimensions]
    labels = [f"dimension {dimension.dimension}" for dimension in measures.dimensions]
    yield _bars("dimensions", labels, lengths, [percent(share) for share in lengths])
    hubness = measures.hubness
    yield html_element("h3", f"Hubs: tokens that have one among their {hubness.k} nearest")
    counts = [hub.occurrences for hub in hubness.hubs]
    yield _bars("hubs", [hub.token for hub in hubness.hubs], counts, list(map(str, counts)))


def _bars(
    kind: str,
    labels: Sequence[str],
    values: Sequence[float],
    shown: Sequence[str],
    *,
    most: float | None = None,
) -> str:
    """Return a bar for each value. most: the value of a full bar; None for the largest."""
    full = most or max(values, default=1) or 1
    parts = []
    for i, (label, value, figure) in enumerate(zip(labels, values, shown, strict=True)):
        top, length = i * _BAR, value / full * _LENGTH
        parts.append(svg_text(_LABEL - 8, top + 13, label, "end"))
        parts.append(
            f'<rect x="{_LABEL}" y="{top + 2}" width="{length:.1f}" height="{_BAR - 4}" '
            f'fill="{COLOURS[0]}"/>'
        )
        parts.append(svg_text(_LABEL + length + 6, top + 13, figure))
    return svg(kind, _LABEL + _LENGTH + 100, len(labels) * _BAR + 4, parts)
