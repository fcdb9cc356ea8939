"""The small JSON files beside a model's vocabulary: special and added tokens, the model's type."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wordvec.encoding import guess_encoding
from wordvec.errors import ModelError
from wordvec.foreign import files
from wordvec.foreign.json_data import MOST_SETTINGS, optional, parse_json, typed
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Kind = TypeVar("Kind")

_START = 1024  # bytes in which a web page or a git-lfs pointer is recognised
SETTINGS_FILES = (
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


@dataclass(frozen=True, slots=True)
class TokenizerSettings:
    """The content of `SETTINGS_FILES` in `folder`; an absent file is empty."""

    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    special_map: Mapping[str, Any]
    added: Mapping[str, Any]
    folder: Path = Path()

    @classmethod
    def read(cls, folder: Path) -> TokenizerSettings:
        """Read the settings of the model in `folder`."""
        config, tokenizer, special_map, added = (
            _read_settings(folder / name) for name in SETTINGS_FILES
        )
        return cls(config, tokenizer, special_map, added, folder)

    def of_model(self, key: str, kind: type[Kind]) -> Kind | None:
        """Return a field of config.json, None if it is absent, or raise ModelError."""
        with damaged_file(self.folder / SETTINGS_FILES[0]):
            return optional(self.config, key, kind)

    def of_tokenizer(self, key: str, kind: type[Kind]) -> Kind | None:
        """Return a field of tokenizer_config.json, None if it is absent, or raise ModelError."""
        with damaged_file(self.folder / SETTINGS_FILES[1]):
            return optional(self.tokenizer, key, kind)

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
                    tokens.update(map(_content, _items(value)))
        tokens.update(_content(token) for token in self._decoder.values() if token.get("special"))
        return {token for token in tokens if token is not None}

    @property
    def _decoder(self) -> dict[str, dict[str, Any]]:
        decoder = self.of_tokenizer("added_tokens_decoder", dict) or {}
        with damaged_file(self.folder / SETTINGS_FILES[1]):
            return {row: typed(token, dict, f"token {row}") for row, token in decoder.items()}

    @property
    def added_tokens(self) -> Iterator[tuple[int, str]]:
        """(row, token) of each token that was added to the vocabulary."""
        with damaged_file(self.folder / SETTINGS_FILES[3]):
            for token, row in self.added.items():
                yield typed(row, int, f"the id of {quote(token, 40)}"), token
        with damaged_file(self.folder / SETTINGS_FILES[1]):
            for id_, added in self._decoder.items():
                content = _content(added)
                if content is not None:
                    yield int(id_), content

    def is_of(self, names: tuple[str, ...]) -> bool:
        """Return whether the tokenizer's class or the model's type is one of `names`."""
        named = (settings.get("tokenizer_class") for settings in (self.tokenizer, self.config))
        tokenizer_class = str(next(filter(None, named), ""))
        return tokenizer_class.startswith(names) or self.config.get("model_type") in names


@contextmanager
def damaged_file(file: Path, problem: str = "is damaged") -> Iterator[None]:
    """Raise an OSError or ValueError of the block as a ModelError that names `file`."""
    try:
        yield
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{file} {problem}: {error}") from error


def has_file(file: Path) -> bool:
    """Return whether a model has a file; raise ModelError if it is a folder or a pipe."""
    with damaged_file(file):
        return files.has_file(file)


def check_content(file: Path) -> None:
    """Raise ModelError if a git-lfs pointer or a web page is in place of a model's file."""
    if not has_file(file):
        return
    with damaged_file(file), file.open("rb") as opened:
        start = opened.read(_START)
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ModelError(
            f"{file} is not the file itself, but a git-lfs pointer to it",
            hint="in the folder of the model: git lfs install, then: git lfs pull",
        )
    if start.startswith((b"<!doctype html", b"<?xml version=")) or (
        start.startswith(b"<html") and b"<head" in start  # "<html>" alone may be a token
    ):
        raise ModelError(
            f"{file} is not the file itself, but a web page",
            hint="download it again; the address may need a login",
        )


def _content(value: object) -> str | None:
    """Return a token of the settings: text, or an object with its text as "content"."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _items(value: object) -> Iterable[object]:
    """Return the tokens in a list or an object of them."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _read_settings(file: Path) -> Mapping[str, Any]:
    if not has_file(file):
        return {}
    data = read_json(file)
    if not isinstance(data, dict):
        raise ModelError(f"{file} is not a JSON object")
    return data


def read_json(file: Path) -> Any:
    """Read a JSON file of a model, or raise ModelError."""
    text = read_text(file, MOST_SETTINGS)
    try:
        return parse_json(text)
    except ValueError as error:
        raise ModelError(f"{file} is not valid JSON: {error}") from error


def read_text(file: Path, most: int = files.MOST_TEXT) -> str:
    """Read a UTF-8 file of a model of at most `most` bytes, or raise ModelError."""
    check_content(file)
    data = read_bytes(file, most)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = guess_encoding(data)
        detail = f"it looks like {encoding}" if encoding else str(error)
        raise ModelError(f"{file} is not UTF-8: {detail}") from error


def read_bytes(file: Path, most: int = files.MOST_TEXT) -> bytes:
    """Read a file of a model of at most `most` bytes, or raise ModelError."""
    with damaged_file(file):
        return files.read_file(file, most)
