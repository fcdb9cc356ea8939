"""A map as one HTML file that opens from disk, without a network.

The file contains the style sheet, the JavaScript modules and the WebGL library. The modules are
`data:` URLs in an import map, so that each can be a source file here. The library is deck.gl with
luma.gl, from the package pydeck, compressed. A Content-Security-Policy forbids every connection.
"""

from __future__ import annotations

import base64
import html
import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import MissingExtraError
from wordvec.map.colours import CLASS_STYLES, NO_CATEGORY, PALETTE, RAMP, ColourBy
from wordvec.map.packing import (
    norm_range,
    pack,
    pack_array,
    pack_byte_planes,
    quantise_norms,
    quantise_positions,
    quantise_vectors,
    score_multiplier,
    score_steps,
)
from wordvec.map.projection import UNPLACEABLE
from wordvec.map.token_colours import default_colour
from wordvec.search.settings import Metric
from wordvec.text import escape_controls
from wordvec.vocabulary import spelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from wordvec.map.arrows import TracedExpression
    from wordvec.map.build import MappedTable, TokenMap
    from wordvec.vocabulary.lookup import Vocabulary


def build_page(token_map: TokenMap, *, vectors: bool = False) -> str:
    """Return a map as HTML.

    Args:
        token_map: the map.
        vectors: include the vectors, in 8 bits per number, and an input for expressions.

    Raises:
        MissingExtraError: if pydeck is not installed.
    """
    files = resources.files("wordvec.map") / "web"
    modules = {
        f"map/{file.name.removesuffix('.js')}": _data_url(file.read_bytes())
        for file in sorted(files.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".js")
    }
    packed = "\n".join(
        f'<script type="text/plain" id="pack-{name}">{content}</script>'
        for name, content in _packed_data(token_map, vectors=vectors)
    )
    template = Template((files / "map.html").read_text("utf-8"))
    return template.substitute(
        title=html.escape(escape_controls(token_map.title)),
        style=(files / "map.css").read_text("utf-8"),
        metadata=_json_for_script(_metadata(token_map)),
        packed=packed,
        imports=_json_for_script({"imports": modules}),
    )


def left_out_text(token_map: TokenMap) -> str:
    """Say how many tokens have no position, and why."""
    count, why = token_map.left_out, UNPLACEABLE[token_map.settings.metric]
    return f"{'1 token' if count == 1 else f'{count:,} tokens'} left out (vector {why})"


def estimate_vector_bytes(token_map: TokenMap) -> int:
    """Return about how many bytes `vectors=True` adds to the page: base64 of one byte a number."""
    return sum(mapped.table.vectors.size * 4 // 3 for mapped in token_map.tables)


def _read_webgl_library() -> bytes:
    spec = find_spec("pydeck")  # not imported: only one of its files is used
    folders = spec.submodule_search_locations if spec else None
    file = Path(folders[0]) / "nbextension" / "static" / "index.js" if folders else None
    if file is None or not file.is_file():
        raise MissingExtraError("a map page", extra="map", package="pydeck")
    return file.read_bytes()


def _data_url(script: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(script).decode('ascii')}"


def _json_for_script(value: object) -> str:
    """Write JSON for a script element, to be shown.

    Without `<`, a token can neither end the element nor open another. Control characters and
    overrides of direction are escaped twice, so that the page shows their escapes.
    """
    text = json.dumps(_shown(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _shown(value: Any) -> Any:
    """Return a JSON value with all of its texts as they are shown."""
    if isinstance(value, str):
        return escape_controls(value)
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return value


def _metadata(token_map: TokenMap) -> dict[str, Any]:
    vocabulary, settings = token_map.vocabulary, token_map.settings
    traced = zip(*(mapped.expressions for mapped in token_map.tables), strict=True)
    return {
        "method": settings.method.value,
        "perplexity": float(f"{settings.perplexity:g}"),
        "seed": settings.seed,
        "start": _start(token_map),
        "leftOut": token_map.left_out,
        "isJoint": token_map.is_joint,
        "classes": [
            {"name": token_class.value, "light": style.light, "dark": style.dark}
            for token_class, style in CLASS_STYLES.items()
        ],
        "palette": [{"light": light, "dark": dark} for light, dark in PALETTE],
        "noCategory": dict(zip(("light", "dark"), NO_CATEGORY, strict=True)),
        "ramp": dict(zip(("light", "dark"), RAMP, strict=True)),
        **_marks(vocabulary),
        "lowercase": vocabulary.lowercase,
        "labels": token_map.labels.names if token_map.labels else [],
        "tables": [_table_metadata(mapped, settings.metric) for mapped in token_map.tables],
        "expressions": [
            {"source": same[0].source, "tables": [_expression_data(traced) for traced in same]}
            for same in traced
        ],
    }


def _marks(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return how words are spelled, for the page's own look-up."""
    mark, at_end = spelling.mark(vocabulary.scheme), spelling.marks_end(vocabulary.scheme)
    return {
        "wordStart": "" if at_end or mark == spelling.CONTINUATION else mark,
        "wordEnd": mark if at_end else "",
        "marksStart": vocabulary.marks_start,
        "bareIds": vocabulary.bare_ids,
    }


def _start(token_map: TokenMap) -> dict[str, Any]:
    """Return what the page shows if its address says nothing, under the names of the address."""
    window = token_map.window
    start: dict[str, Any] = {}
    if window.around is not None:
        start |= {"t": f"#{window.around}", "z": window.zoom}
    if window.colour is not None:
        start["colour"] = window.colour.value
    if window.only is not None:
        start["only"] = window.only.value
        if default_colour(token_map) is not ColourBy.CLASS:
            start["colour"] = ColourBy.CLASS.value
    return start


def _table_metadata(mapped: MappedTable, metric: Metric) -> dict[str, Any]:
    _, minimum, steps = quantise_positions(mapped.positions[mapped.has])
    return {
        "name": str(mapped.table.name),
        "dimensions": mapped.table.dimensions,
        "metric": metric.value,
        "transforms": mapped.table.transforms,
        "minimum": minimum,
        "steps": steps,
        "scoreMultiplier": score_multiplier(mapped.scores),
        "norms": norm_range(_norms(mapped)),
        "regionColours": mapped.region_colours.tolist(),
        "regions": [level.typical.tolist() for level in mapped.regions],
    }


def _norms(mapped: MappedTable) -> NDArray[np.float64]:
    """Return the norms of the tokens on the map that the table has."""
    return mapped.table.norms[mapped.rows[mapped.has]]


def _expression_data(traced: TracedExpression) -> dict[str, Any]:
    return {
        "partialSums": [
            {
                "label": partial_sum.label,
                "weights": list(zip(partial_sum.rows, partial_sum.weights, strict=True)),
            }
            for partial_sum in traced.partial_sums
        ],
        "queryRows": traced.query_rows,
        "neighbours": traced.neighbours,
        "notes": traced.notes,
    }


def _packed_data(token_map: TokenMap, *, vectors: bool) -> Iterator[tuple[str, str]]:
    """Yield name and content of each packed part, which `web/page_data.js` unpacks."""
    vocabulary = token_map.vocabulary
    tokens = [vocabulary.display(row) for row in range(len(vocabulary))]
    yield "tokens", pack(json.dumps(tokens, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    yield "rows", pack_byte_planes(np.diff(token_map.rows, prepend=0))
    yield "classes", pack_array(token_map.classes)
    if token_map.labels:
        yield "labels", pack_array(token_map.labels.label_of[token_map.rows])
    for i, mapped in enumerate(token_map.tables):
        for name, content in _packed_table(mapped):
            yield f"{name}-{i}", content
        if vectors:
            for name, content in _packed_vectors(
                mapped, len(vocabulary), token_map.settings.metric
            ):
                yield f"{name}-{i}", content
    yield "library", pack(_read_webgl_library())


def _packed_table(mapped: MappedTable) -> Iterator[tuple[str, str]]:
    """Yield the arrays of a table, for the tokens on the map that it has."""
    has = mapped.has
    if not has.all():
        yield "has", pack_array(has.astype(np.uint8))  # (N,)
    positions, _, _ = quantise_positions(mapped.positions[has])
    yield "positions", pack_array(positions)
    yield "neighbours", pack_byte_planes(mapped.neighbours[has])
    yield "scores", pack_byte_planes(score_steps(mapped.scores[has]))
    yield "norms", pack_array(quantise_norms(_norms(mapped)))
    for level, regions in enumerate(mapped.regions):
        yield f"regions-{level}", pack_byte_planes(regions.region_of[has] + 1)


def _packed_vectors(mapped: MappedTable, rows: int, metric: Metric) -> Iterator[tuple[str, str]]:
    """Yield the vectors in 8 bits, in the order of the rows of the map, zeros for missing ones."""
    table = mapped.table
    own_values, own_scales = quantise_vectors(table.vectors)
    values = np.zeros((rows, table.dimensions), dtype=np.int8)
    scales = np.zeros(rows, dtype=np.float32)
    values[mapped.map_rows], scales[mapped.map_rows] = own_values, own_scales
    searchable = np.zeros(rows, dtype=np.uint8)
    usable = np.isfinite(table.norms) & ((table.norms > 0) | (metric is not Metric.COSINE))
    searchable[mapped.map_rows] = usable
    yield "vectors", pack_array(values)
    yield "scales", pack_array(scales)
    yield "searchable", pack_array(searchable)
