"""JSON that other programs wrote: of bounded depth, its fields read by their types.

Python's own reader accepts what no field of ours can have: thousands of nested lists, which later
overflow the stack where they are compared or shown; `Infinity`, `NaN` and `1e999`. Depth is checked
here; a number that must be an id or a size is read as `int`, which these are not.
"""

from __future__ import annotations

import json
import reprlib
from typing import TYPE_CHECKING, Any, TypeVar

from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = TypeVar("Kind")

MOST_SETTINGS = 32 << 20
"""Bytes of a file of settings; its data take up to 24 times as much memory (`{},{},…`)."""
MOST_DEPTH = 64
_MOST_CONTAINERS = 4_000_000  # an empty one takes 72 bytes of memory, and two in the file
_NAMES = {
    str: "text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def parse_json(data: bytes | str) -> Any:
    """Return the content of a JSON file.

    Raises:
        ValueError: It is not JSON, has more than `MOST_DEPTH` levels, or millions of lists.
    """
    if isinstance(data, bytes):  # the surrogates of an undecodable file name are kept
        data = data.decode("utf-8", "surrogatepass")
    if data.count("[") + data.count("{") > _MOST_CONTAINERS:
        raise ValueError(f"it has more than {_MOST_CONTAINERS:,} lists and objects")
    try:
        content = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deeper(content, MOST_DEPTH):
        raise ValueError(f"it has more than {MOST_DEPTH} levels")
    return content


def _is_deeper(content: object, levels: int) -> bool:
    level: list[Any] = [content] if isinstance(content, dict | list) else []
    for _ in range(levels):
        level = [
            item
            for outer in level
            for item in (outer.values() if type(outer) is dict else outer)
            if type(item) is dict or type(item) is list
        ]
    return bool(level)


def parse_object(data: bytes | str) -> dict[str, Any]:
    """Return the content of a JSON file that must be an object.

    Raises:
        ValueError: It is not.
    """
    return typed(parse_json(data), dict, "it")


def required(data: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind:
    """Return a field of an object.

    Raises:
        ValueError: It is missing or has another type; `true` is not an integer.
    """
    value = optional(data, key, kind)
    if value is None:
        raise ValueError(f"{key} is {'null' if key in data else 'missing'}")
    return value


def optional(data: Mapping[str, Any], key: str, kind: type[Kind]) -> Kind | None:
    """Return a field of an object, or None if it is absent or null.

    Raises:
        ValueError: It has another type.
    """
    value = data.get(key)
    if value is None:
        return None
    return typed(value, kind, key)


def typed(value: object, kind: type[Kind], name: str) -> Kind:
    """Return a value that must be of a type; `name` is its name for the error.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} is {_shown(value)}, expected {_NAMES[kind]}")
    return value


def _shown(value: object) -> str:
    return clip(escape(reprlib.repr(value)), 40)
