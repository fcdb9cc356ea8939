"""A map as one HTML file that opens from disk with no network.

The style, the modules and the WebGL library go into the file: the modules through an import map of
`data:` addresses, so that each stays a file of its own here; the library from the package pydeck,
compressed, of which luma.gl is used. A Content-Security-Policy forbids the page any connection.
"""

from __future__ import annotations

import base64
import html
import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path as FilePath
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import MissingExtraError
from wordvec.map.colours import CLASSES, PAINTS
from wordvec.map.packing import in_eight_bits, pack, pack_array, pack_planes, quantised, score_unit
from wordvec.search.settings import Metric
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.map.arrows import Path
    from wordvec.map.build import Layer, Map

_METRICS = {Metric.L2: "L2 distance", Metric.COSINE: "cosine similarity"}


def build_page(the_map: Map, *, vectors: bool = False) -> str:
    """Write a map as HTML. vectors: with the vectors in 8 bit, and a box for any expression."""
    files = resources.files("wordvec.map") / "web"
    modules = {
        f"map/{file.name.removesuffix('.js')}": _address(file.read_bytes())
        for file in sorted(files.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".js")
    }
    packs = "\n".join(
        f'<script type="text/plain" id="pack-{name}">{content}</script>'
        for name, content in _packs(the_map, vectors=vectors)
    )
    template = Template((files / "map.html").read_text("utf-8"))
    return template.substitute(
        title=html.escape(the_map.title),
        label=html.escape(f"{the_map.title}: {len(the_map.rows)} tokens"),
        facts=html.escape(facts(the_map)),
        style=(files / "map.css").read_text("utf-8"),
        about=_json_in_html(_about(the_map)),
        packs=packs,
        imports=_json_in_html({"imports": modules}),
    )


def facts(the_map: Map) -> str:
    """One line on what is shown and how its places were made."""
    tokens = f"{len(the_map.rows):,} of {len(the_map.vocabulary):,} tokens"
    if len(the_map.rows) == len(the_map.vocabulary):
        tokens = f"{len(the_map.rows):,} tokens"
    left_out = f" · {the_map.left_out} without a place left out" if the_map.left_out else ""
    settings = the_map.settings
    return (
        f"{tokens} · {the_map.layers[0].table.dimensions} dimensions · "
        f"{_kind(the_map.layers[0])} · t-SNE of {_METRICS[settings.metric]}, "
        f"perplexity {settings.perplexity:g}, seed {settings.seed}{left_out}"
    )


def vector_bytes(the_map: Map) -> int:
    """How much larger the vectors make the page, about: 8 bit a number, in base64."""
    return sum(layer.table.vectors.size * 4 // 3 for layer in the_map.layers)


def library() -> bytes:
    """The script of deck.gl and luma.gl, from the installed package pydeck."""
    spec = find_spec("pydeck")  # not imported: only a file of it is wanted
    folders = spec.submodule_search_locations if spec else None
    file = FilePath(folders[0]) / "nbextension" / "static" / "index.js" if folders else None
    if file is None or not file.is_file():
        raise MissingExtraError("a map page", extra="map", package="pydeck")
    return file.read_bytes()


def _kind(layer: Layer) -> str:
    return f"{' '.join(layer.table.transforms) or 'raw'} vectors"


def _address(script: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(script).decode('ascii')}"


def _json_in_html(value: object) -> str:
    """JSON inside a script element: no `<` of a token ends it, or opens another."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _about(the_map: Map) -> dict[str, Any]:
    return {
        "classes": [
            {"label": PAINTS[one].label, "light": PAINTS[one].light, "dark": PAINTS[one].dark}
            for one in CLASSES
        ],
        "scheme": the_map.vocabulary.scheme.value,
        "start": {Scheme.SENTENCEPIECE: "▁", Scheme.BYTE_LEVEL: "Ġ"}.get(
            the_map.vocabulary.scheme, ""
        ),
        "lowercase": the_map.vocabulary.lowercase,
        "layers": [_about_layer(layer, the_map.settings.metric) for layer in the_map.layers],
        "expressions": [
            {"source": same[0].source, "layers": [_about_path(path) for path in same]}
            for same in zip(*(layer.paths for layer in the_map.layers), strict=True)
        ],
    }


def _about_layer(layer: Layer, metric: Metric) -> dict[str, Any]:
    _, floor, steps = quantised(layer.places)
    norms = layer.table.norms
    unsearchable = ~np.isfinite(norms) | ((norms == 0) if metric is Metric.COSINE else False)
    return {
        "name": str(layer.table.name),
        "metric": metric.value,
        "facts": f"{layer.table.name}, {_METRICS[metric]}, {_kind(layer)}",
        "floor": floor,
        "steps": steps,
        "unit": score_unit(layer.scores),
        "bad": np.flatnonzero(unsearchable).tolist(),
    }


def _about_path(path: Path) -> dict[str, Any]:
    return {
        "steps": [
            {
                "label": step.label,
                "weights": [list(pair) for pair in zip(step.rows, step.weights, strict=True)],
            }
            for step in path.steps
        ],
        "words": list(path.words),
        "answers": [list(answer) for answer in path.answers],
        "notes": list(path.notes),
    }


def _packs(the_map: Map, *, vectors: bool) -> Iterator[tuple[str, str]]:
    vocabulary = the_map.vocabulary
    shown = [vocabulary.display(row) for row in range(len(vocabulary))]
    yield "tokens", pack(json.dumps(shown, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    yield "rows", pack_array(the_map.rows.astype(np.uint32))
    yield "classes", pack_array(the_map.classes)
    for i, layer in enumerate(the_map.layers):
        whole, _, _ = quantised(layer.places)
        yield f"places-{i}", pack_array(whole)
        yield f"neighbours-{i}", pack_planes(layer.neighbours)
        unit = score_unit(layer.scores)
        yield f"scores-{i}", pack_planes(np.round(np.nan_to_num(layer.scores) * unit))
        if vectors:
            numbers, scales = in_eight_bits(layer.table.vectors)
            yield f"vectors-{i}", pack_array(numbers)
            yield f"scales-{i}", pack_array(scales)
    yield "library", pack(library())
