"""The small JSON files beside a model's vocabulary: special and added tokens, the model's type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wordvec.encoding import guess_encoding
from wordvec.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_START = 1024  # bytes in which a web page or a git-lfs pointer is recognised
SETTINGS_FILES = (
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """The content of `SETTINGS_FILES`; an absent file is empty."""

    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    special_map: Mapping[str, Any]
    added: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> TokenizerSettings:
        """Read the settings of the model in `folder`."""
        return cls(*(_read_settings(folder / name) for name in SETTINGS_FILES))

    def token(self, role: str) -> str | None:
        """Return the token of a role such as "cls" or "pad", if the settings name it."""
        for settings in (self.tokenizer, self.special_map):
            content = _content(settings.get(f"{role}_token"))
            if content is not None:
                return content
        return None

    @property
    def special_tokens(self) -> set[str]:
        """Every token that the settings call special."""
        tokens = set()
        for settings in (self.tokenizer, self.special_map):
            for key, value in settings.items():
                if key.endswith("_token"):
                    tokens.add(_content(value))
                if key in ("additional_special_tokens", "extra_special_tokens"):
                    items = value.values() if isinstance(value, dict) else value or ()
                    tokens.update(map(_content, items))
        decoder = self.tokenizer.get("added_tokens_decoder") or {}
        tokens.update(_content(token) for token in decoder.values() if token.get("special"))
        return {token for token in tokens if token is not None}

    @property
    def added_tokens(self) -> Iterator[tuple[int, str]]:
        """(row, token) of each token that was added to the vocabulary."""
        for token, row in self.added.items():
            yield int(row), token
        for row, token in (self.tokenizer.get("added_tokens_decoder") or {}).items():
            content = _content(token)
            if content is not None:
                yield int(row), content

    def is_of(self, names: tuple[str, ...]) -> bool:
        """Return whether the tokenizer's class or the model's type is one of `names`."""
        named = (settings.get("tokenizer_class") for settings in (self.tokenizer, self.config))
        tokenizer_class = str(next(filter(None, named), ""))
        return tokenizer_class.startswith(names) or self.config.get("model_type") in names


def check_file(file: Path) -> None:
    """Raise ModelError if a git-lfs pointer or a web page is in place of a model's file."""
    try:
        with file.open("rb") as opened:
            start = opened.read(_START)
    except OSError:  # absent, or reading it gives the better error
        return
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ModelError(
            f"{file} is not the file itself, but a git-lfs pointer to it",
            hint=_pointer_hint(file),
        )
    if start.startswith((b"<!doctype html", b"<?xml version=")) or (
        start.startswith(b"<html") and b"<head" in start  # "<html>" alone may be a token
    ):
        raise ModelError(
            f"{file} is not the file itself, but a web page",
            hint="download it again; the address may need a login",
        )


def _pointer_hint(file: Path) -> str:
    cached = next((parent for parent in file.parents if parent.name.startswith("models--")), None)
    if cached is not None:  # the hub's cache is no git repository
        return f"remove the folder {cached} and run the same command again: it is downloaded again"
    return "in the folder of the model: git lfs install, then: git lfs pull"


def _content(value: object) -> str | None:
    """Return a token of the settings: text, or an object with its text as "content"."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _read_settings(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    data = read_json(file)
    if not isinstance(data, dict):
        raise ModelError(f"{file} is not a JSON object")
    return data


def read_json(file: Path) -> Any:
    """Read a JSON file of a model, or raise ModelError."""
    try:
        return json.loads(read_text(file))
    except ValueError as error:
        raise ModelError(f"{file} is not valid JSON: {error}") from error


def read_text(file: Path) -> str:
    """Read a UTF-8 file of a model, or raise ModelError."""
    check_file(file)
    try:
        data = read_bytes(file)
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = guess_encoding(data)
        detail = f"it looks like {encoding}" if encoding else str(error)
        raise ModelError(f"{file} is not UTF-8: {detail}") from error


def read_bytes(file: Path) -> bytes:
    """Read a file of a model, or raise ModelError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from error
