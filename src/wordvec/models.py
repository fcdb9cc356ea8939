"""From a model's name to a folder on this machine: the bundled model, a local folder, or the hub.

    mini                       the model inside the package
    ./bert  ~/bert  /data/bert  bert (a folder with a config.json)   a folder
    owner/name                 the hub's, one file at a time, into the hub's own cache

The rest of the code sees a folder in Hugging Face's layout. A model that is whole in the hub's
cache is taken from there and no one is asked; that no hub is within reach is known within seconds,
because one short request is made before the hub's client begins its retries.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError
from wordvec.vocabulary.folder import SETTINGS_FILES, VOCABULARY_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = "cl-tohoku/bert-base-japanese-whole-word-masking"
MINI = "mini"

CONFIG = "config.json"
# The first of each line that a model has is enough: they say the same in several formats.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_NEWEST = "main"
PROBE_SECONDS = 4.0
"""How long the hub has to say anything at all."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model on this machine.

    name: what its tables are filed under. revision: the hub's commit, else the checksum of the
    files that make its vectors (a folder's weights can change under the same name).
    instead_of: why this model was taken though nobody named it and the reference was meant.
    """

    name: str
    folder: Path
    revision: str | None = None
    instead_of: str | None = None


class ModelNotAtHandError(ModelError):
    """A model that may well exist, but is neither on this machine nor within reach of it."""


def default_model() -> str | None:
    """The model that `WORDVEC_MODEL` names, if it names one."""
    return os.environ.get("WORDVEC_MODEL") or None


def bundled_folder() -> Path:
    """Where the bundled model lies inside the package."""
    return Path(__file__).parent / "data" / MINI


def has_bundled() -> bool:
    """Whether this installation brought the bundled model."""
    return (bundled_folder() / CONFIG).is_file()


def is_folder(name: str) -> bool:
    """Whether a name means a folder: it looks like a path, or a model lies there.

    >>> is_folder("./bert"), is_folder("mini"), is_folder("owner/name")
    (True, False, False)
    """
    if name == MINI:
        return False
    if name in (".", "..") or name.startswith(("./", "../", "~", ".\\", "..\\")):
        return True
    return Path(name).is_absolute() or (Path(name) / CONFIG).is_file()


def is_on_disk(name: str) -> bool:
    """Whether a model needs no hub: the bundled one, or a folder."""
    return name == MINI or is_folder(name)


def filed_as(name: str) -> str:
    """What a model's tables are filed under: its name, or a folder's absolute path.

    `--model ./bert` thus means the same table from every working directory.
    """
    return str(_path(name)) if is_folder(name) else name


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser().resolve()
    except RuntimeError as error:  # ~nobody
        raise ModelError(f"{name}: {error}") from error


def find_model(name: str, *, bars: bool = False) -> ModelSource:
    """The model of that name, fetched from the hub if it must be.

    bars: let the hub's client draw its bars for what it downloads.
    """
    if name == MINI:
        return _bundled()
    if is_folder(name):
        return _local(name)
    return _hub_model(name, bars=bars)


def find_default(*, bars: bool = False) -> ModelSource:
    """The reference model; or the bundled one, where the reference cannot be had here.

    Only for a user who named no model: one that was named is never swapped for another.
    """
    try:
        return find_model(REFERENCE, bars=bars)
    except (ModelNotAtHandError, MissingExtraError) as error:
        if not has_bundled():
            raise
        return replace(_bundled(), instead_of=error.message)


def _bundled() -> ModelSource:
    if not has_bundled():
        raise ModelError(
            f"this installation of wordvec came without its bundled model, {MINI}",
            hint="name another: --model FOLDER or --model OWNER/NAME",
        )
    return ModelSource(MINI, bundled_folder(), fingerprint(bundled_folder()))


def _local(name: str) -> ModelSource:
    folder = _path(name)
    if not folder.is_dir():
        raise ModelError(f"{name}: no such folder", hint=elsewhere())
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"{name} holds no {CONFIG}, so it is no model in Hugging Face's layout",
            hint=elsewhere(),
        )
    return ModelSource(str(folder), folder, fingerprint(folder))


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files that hold a model's weights: one, or the shards that its index names.

    Safetensors come before PyTorch's own format.
    """
    for name in WEIGHTS:
        if not (folder / name).is_file():
            continue
        if not name.endswith(".index.json"):
            return (folder / name,)
        shards = tuple(folder / shard for shard in _shards(folder / name))
        missing = [shard.name for shard in shards if not shard.is_file()]
        if missing:
            raise ModelError(f"{folder}: {name} names {missing[0]}, which is not there")
        return shards
    raise ModelError(f"{folder} holds no weights: expected one of {', '.join(WEIGHTS)}")


def _shards(index: Path) -> list[str]:
    """The files that an index of weights names; each must lie beside it."""
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of weights") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise ModelError(f"{index} names {name!r}, which is no file beside it")
    return names


def fingerprint(folder: Path) -> str:
    """A checksum of what a model's vectors are made of: `sha256:` and 16 hexadecimal digits."""
    import hashlib

    digest = hashlib.sha256()
    others = (*SETTINGS_FILES, *VOCABULARY_FILES)
    for path in (*weight_files(folder), *(folder / name for name in others)):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:16]}"


def elsewhere() -> str:
    """What else to name where a model cannot be had."""
    return f"--model {MINI} or --model FOLDER" if has_bundled() else "--model FOLDER"


def _hub_model(name: str, *, bars: bool) -> ModelSource:
    try:
        from huggingface_hub import errors, utils
    except ImportError:
        raise MissingExtraError(
            f"fetching {name} from the hub", extra="extract", package="huggingface_hub"
        ) from None
    try:
        utils.validate_repo_id(name)
    except errors.HFValidationError as error:
        raise ModelError(
            f"{name!r} is neither a folder here nor a name such as the hub has (OWNER/NAME)",
            hint=elsewhere(),
        ) from error
    folder = _from_cache(name) or _Hub(name, bars=bars).fetch()
    return ModelSource(name, folder, folder.name)


def _from_cache(name: str) -> Path | None:
    """The folder of a model that is whole in the hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, CONFIG)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    # What the hub lacks is remembered too: a file about which nothing is known must be asked for.
    known = all(try_to_load_from_cache(name, file) is not None for file in SETTINGS_FILES)
    if not known or not any((folder / file).is_file() for file in VOCABULARY_FILES):
        return None
    try:
        weight_files(folder)
    except ModelError:
        return None
    return folder


class _Hub:
    """One model on the hub, fetched file by file at one commit."""

    def __init__(self, name: str, *, bars: bool) -> None:
        from huggingface_hub import constants

        self.name = name
        self.bars = bars
        self.endpoint: str = constants.ENDPOINT
        self.revision = _NEWEST

    def fetch(self) -> Path:
        """Download what is needed and is not in the cache yet; give its folder."""
        from huggingface_hub import constants, hf_hub_url

        if constants.HF_HUB_OFFLINE:
            raise ModelNotAtHandError(
                f"{self.name} is not (or not wholly) in the cache, and HF_HUB_OFFLINE is set",
                hint=f"unset HF_HUB_OFFLINE, or take {elsewhere()}",
            )
        if not answers(hf_hub_url(self.name, CONFIG)):
            raise ModelNotAtHandError(
                f"{self.name} is not in the cache, and no hub is within reach at {self.endpoint}",
                hint=f"check the connection (HF_ENDPOINT, HTTPS_PROXY), or take {elsewhere()}",
            )
        with _bars(shown=self.bars):
            return self._fetch_files()

    def _fetch_files(self) -> Path:
        folder = self._get(CONFIG).parent
        self.revision = folder.name  # the commit: what follows cannot be of another
        for file in SETTINGS_FILES:
            self._try(file)
        self._first_of(VOCABULARY_FILES, "vocabulary")
        weights = self._first_of(WEIGHTS, "weights")
        if weights.name.endswith(".index.json"):
            for shard in _shards(weights):
                self._get(shard)
        return folder

    def _first_of(self, files: tuple[str, ...], what: str) -> Path:
        for file in files:
            path = self._try(file)
            if path is not None:
                return path
        raise ModelError(
            f"{self.name} has no {what} that wordvec reads: none of {', '.join(files)}",
            hint=elsewhere(),
        )

    def _get(self, file: str) -> Path:
        path = self._try(file)
        if path is None:
            raise ModelError(
                f"{self.name} has no {file}, so it is no model in Hugging Face's layout",
                hint=elsewhere(),
            )
        return path

    def _try(self, file: str) -> Path | None:
        """One file of the model, or None if the hub says that there is none."""
        from huggingface_hub import errors, hf_hub_download

        try:
            return Path(hf_hub_download(self.name, file, revision=self.revision))
        except errors.LocalEntryNotFoundError as error:  # the hub went silent
            raise self._broken(file) from error
        except errors.EntryNotFoundError:
            return None
        except errors.GatedRepoError as error:
            raise ModelError(
                f"{self.name} is given only to those who accepted its terms",
                hint=f"accept them at {self.endpoint}/{self.name}, then: hf auth login",
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise ModelNotAtHandError(
                f"{self.endpoint} has no model named {self.name}, or it is private",
                hint=f"check the spelling, or take {elsewhere()}",
            ) from error
        except errors.HfHubHTTPError as error:
            raise self._broken(file, f"the hub answered {_status(error)}") from error
        except OSError as error:
            if error.errno is not None:  # our own disk: full, read-only
                where = error.filename or file
                raise ModelError(f"cannot keep {where}: {error.strerror}") from error
            raise self._broken(file) from error
        except Exception as error:
            if _is_from_the_wire(error):
                raise self._broken(file) from error
            raise

    def _broken(self, file: str, why: str = "the connection broke") -> ModelError:
        if self.revision == _NEWEST:  # nothing has come from there yet
            return ModelNotAtHandError(
                f"{self.name} is not in the cache, and what answers at {self.endpoint} is no hub",
                hint=f"check HF_ENDPOINT and the proxy, or take {elsewhere()}",
            )
        return ModelError(
            f"{self.endpoint}: {why} while fetching {file} of {self.name}",
            hint="the same command again: what arrived whole is kept",
        )


def _status(error: Any) -> str:
    response = getattr(error, "response", None)
    return str(getattr(response, "status_code", None) or error)


def _is_from_the_wire(error: Exception) -> bool:
    """Whether an error is the HTTP client's: httpx, httpx2 or requests, whichever the hub has."""
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "requests")


@contextmanager
def _bars(*, shown: bool) -> Iterator[None]:
    """The hub's own progress bars, shown or not for a while."""
    from huggingface_hub import utils

    change = not shown and not utils.are_progress_bars_disabled()
    if change:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        if change:
            utils.enable_progress_bars()


def answers(url: str, *, seconds: float = PROBE_SECONDS) -> bool:
    """Whether anything answers at `url` within `seconds`, whatever it says.

    The hub's own client is asked, so that its proxies and certificates are used; on a thread,
    because looking up a name knows no time limit.
    """
    from queue import Empty, Queue
    from threading import Thread

    answer: Queue[bool] = Queue()
    Thread(target=lambda: answer.put(_probe(url, seconds)), daemon=True).start()
    try:
        return answer.get(timeout=seconds)
    except Empty:
        return False


def _probe(url: str, seconds: float) -> bool:
    from huggingface_hub.utils import get_session

    try:
        response = get_session().head(url, timeout=seconds)
    except Exception:  # noqa: BLE001  # whatever it is, no hub has answered
        return False
    return int(response.status_code) not in (502, 503, 504)  # a proxy with nobody behind it
