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
from wordvec.map.colours import CLASS_STYLES, TOKEN_CLASSES
from wordvec.map.packing import (
    pack,
    pack_array,
    pack_byte_planes,
    quantise_positions,
    quantise_vectors,
    score_multiplier,
)
from wordvec.map.projection import UNPLACEABLE
from wordvec.search.settings import Metric
from wordvec.text import escape_controls
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.map.arrows import TracedExpression
    from wordvec.map.build import MappedTable, TokenMap

_METRIC_NAMES = {Metric.L2: "L2 distance", Metric.COSINE: "cosine similarity"}
_WORD_START = {Scheme.SENTENCEPIECE: "▁", Scheme.BYTE_LEVEL: "Ġ"}


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
        label=html.escape(escape_controls(f"{token_map.title}: {len(token_map.rows)} tokens")),
        summary=html.escape(summarise(token_map)),
        style=(files / "map.css").read_text("utf-8"),
        metadata=_json_for_script(_metadata(token_map)),
        packed=packed,
        imports=_json_for_script({"imports": modules}),
    )


def summarise(token_map: TokenMap) -> str:
    """Describe in one line what the map shows and how the positions were computed."""
    settings, first = token_map.settings, token_map.tables[0]
    shown, total = f"{len(token_map.rows):,}", f"{len(token_map.vocabulary):,}"
    left_out = f" · {left_out_text(token_map)}" if token_map.left_out else ""
    return (
        f"{shown if shown == total else f'{shown} of {total}'} tokens · "
        f"{first.table.dimensions} dimensions · {_vector_kind(first)} · "
        f"t-SNE of {_METRIC_NAMES[settings.metric]}, "
        f"perplexity {settings.perplexity:g}, seed {settings.seed}{left_out}"
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


def _vector_kind(mapped: MappedTable) -> str:
    return f"{' '.join(mapped.table.transforms) or 'raw'} vectors"


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
    vocabulary, metric = token_map.vocabulary, token_map.settings.metric
    styles = [CLASS_STYLES[token_class] for token_class in TOKEN_CLASSES]
    traced = zip(*(mapped.expressions for mapped in token_map.tables), strict=True)
    return {
        "classes": [
            {"label": style.label, "light": style.light, "dark": style.dark} for style in styles
        ],
        "wordStart": _WORD_START.get(vocabulary.scheme, ""),
        "marksStart": vocabulary.marks_start,
        "lowercase": vocabulary.lowercase,
        "tables": [_table_metadata(mapped, metric) for mapped in token_map.tables],
        "expressions": [
            {"source": same[0].source, "tables": [_expression_data(traced) for traced in same]}
            for same in traced
        ],
    }


def _table_metadata(mapped: MappedTable, metric: Metric) -> dict[str, Any]:
    _, minimum, steps = quantise_positions(mapped.positions)
    norms = mapped.table.norms
    unsearchable = ~np.isfinite(norms) | ((norms == 0) if metric is Metric.COSINE else False)
    return {
        "name": str(mapped.table.name),
        "metric": metric.value,
        "summary": f"{mapped.table.name}, {_METRIC_NAMES[metric]}, {_vector_kind(mapped)}",
        "minimum": minimum,
        "steps": steps,
        "scoreMultiplier": score_multiplier(mapped.scores),
        "unsearchable": np.flatnonzero(unsearchable).tolist(),
    }


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
    yield "rows", pack_array(token_map.rows.astype(np.uint32))
    yield "classes", pack_array(token_map.classes)
    for i, mapped in enumerate(token_map.tables):
        positions, _, _ = quantise_positions(mapped.positions)
        yield f"positions-{i}", pack_array(positions)
        yield f"neighbours-{i}", pack_byte_planes(mapped.neighbours)
        multiplier = score_multiplier(mapped.scores)
        yield f"scores-{i}", pack_byte_planes(np.round(np.nan_to_num(mapped.scores) * multiplier))
        if vectors:
            values, scales = quantise_vectors(mapped.table.vectors)
            yield f"vectors-{i}", pack_array(values)
            yield f"scales-{i}", pack_array(scales)
    yield "library", pack(_read_webgl_library())
