"""Models from the Hugging Face hub, downloaded file by file to the hub's own cache.

A model that is complete in the cache needs no connection. Before a download, one short request
checks that the hub is reachable: the hub's client would retry for minutes.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models.bundled import model_alternatives
from wordvec.models.folder import CONFIG, WEIGHTS, shard_names, weight_files
from wordvec.models.source import ModelSource
from wordvec.text import quote
from wordvec.vocabulary.settings import SETTINGS_FILES
from wordvec.vocabulary.token_files import VOCABULARY_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEWEST = "main"
PROBE_SECONDS = 4.0
"""The time that the hub has for its first answer."""


def hub_model(name: str, *, show_progress: bool) -> ModelSource:
    """Return a model of the hub, from the cache if it is complete there, else downloaded."""
    try:
        from huggingface_hub import errors, utils
    except ImportError:
        raise MissingExtraError(
            f"downloading {name} from the hub", extra="extract", package="huggingface_hub"
        ) from None
    try:
        utils.validate_repo_id(name)
    except errors.HFValidationError as error:
        raise ModelError(
            f"{quote(name)} is neither a folder nor a model name of the form OWNER/NAME",
            hint=f"use {model_alternatives()}",
        ) from error
    folder = _cached_folder(name) or _Download(name).run(show_progress=show_progress)
    return ModelSource(name, folder, folder.name)


def _cached_folder(name: str) -> Path | None:
    """Return the folder of a model that is complete in the hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, CONFIG)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    # The cache also records which files the hub lacks; None means that the hub was not asked.
    known = all(try_to_load_from_cache(name, file) is not None for file in SETTINGS_FILES)
    if not known or not any((folder / file).is_file() for file in VOCABULARY_FILES):
        return None
    try:
        weight_files(folder)
    except ModelError:
        return None
    return folder


class _Download:
    """The download of one model, file by file, all of one commit."""

    def __init__(self, name: str) -> None:
        from huggingface_hub import constants

        self.name = name
        self.endpoint: str = constants.ENDPOINT
        self.revision = _NEWEST

    def run(self, *, show_progress: bool) -> Path:
        """Download the files that are not in the cache yet, and return their folder."""
        from huggingface_hub import constants, hf_hub_url

        if constants.HF_HUB_OFFLINE:
            raise ModelUnavailableError(
                f"{self.name} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set",
                hint=f"unset HF_HUB_OFFLINE, or use {model_alternatives()}",
            )
        if not is_reachable(hf_hub_url(self.name, CONFIG)):
            raise ModelUnavailableError(
                f"{self.name} is not in the cache, and {self.endpoint} is not reachable",
                hint="check the connection (HF_ENDPOINT, HTTPS_PROXY), "
                f"or use {model_alternatives()}",
            )
        with _progress_bars(shown=show_progress):
            return self._fetch_all()

    def _fetch_all(self) -> Path:
        folder = self._fetch(CONFIG).parent
        self.revision = folder.name  # the commit: all other files are taken from it
        for file in SETTINGS_FILES:
            self._fetch_if_present(file)
        self._fetch_first_of(VOCABULARY_FILES, "vocabulary")
        weights = self._fetch_first_of(WEIGHTS, "weights")
        if weights.name.endswith(".index.json"):
            for shard in shard_names(weights):
                self._fetch(shard)
        return folder

    def _fetch_first_of(self, files: tuple[str, ...], content: str) -> Path:
        for file in files:
            path = self._fetch_if_present(file)
            if path is not None:
                return path
        raise ModelError(
            f"{self.name} has no {content} that wordvec can read: "
            f"expected one of {', '.join(files)}",
            hint=f"use {model_alternatives()}",
        )

    def _fetch(self, file: str) -> Path:
        path = self._fetch_if_present(file)
        if path is None:
            raise ModelError(
                f"{self.name} has no {file}, so it is not a Hugging Face model",
                hint=f"use {model_alternatives()}",
            )
        return path

    def _fetch_if_present(self, file: str) -> Path | None:
        """Download one file, or return None if the model has no such file."""
        from huggingface_hub import errors, hf_hub_download

        try:
            return Path(hf_hub_download(self.name, file, revision=self.revision))
        except errors.LocalEntryNotFoundError as error:  # no answer
            raise self._connection_error(file) from error
        except errors.EntryNotFoundError:
            return None
        except errors.GatedRepoError as error:
            raise ModelError(
                f"{self.name} can be downloaded only after its terms are accepted",
                hint=f"accept them at {self.endpoint}/{self.name}, then: hf auth login",
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise ModelUnavailableError(
                f"{self.endpoint} has no model named {self.name}, or it is private",
                hint=f"check the spelling, or use {model_alternatives()}",
            ) from error
        except errors.HfHubHTTPError as error:
            raise self._connection_error(file, f"HTTP status {_status(error)}") from error
        except OSError as error:
            if error.errno is not None:  # of this machine's disk: full, read-only
                raise ModelError(
                    f"cannot write {error.filename or file}: {error.strerror}"
                ) from error
            raise self._connection_error(file) from error
        except Exception as error:
            if _is_http_client_error(error):
                raise self._connection_error(file) from error
            raise

    def _connection_error(self, file: str, reason: str = "the connection was lost") -> ModelError:
        if self.revision == _NEWEST:  # no file has been received
            return ModelUnavailableError(
                f"{self.name} is not in the cache, and {self.endpoint} is not a model hub",
                hint=f"check HF_ENDPOINT and the proxy, or use {model_alternatives()}",
            )
        return ModelError(
            f"{self.endpoint}: {reason} while downloading {file} of {self.name}",
            hint="run the same command again: complete files are kept",
        )


def _status(error: Any) -> str:
    response = getattr(error, "response", None)
    return str(getattr(response, "status_code", None) or error)


def _is_http_client_error(error: Exception) -> bool:
    """Return whether an error is of httpx, httpx2 or requests, whichever the hub's client uses."""
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "requests")


@contextmanager
def _progress_bars(*, shown: bool) -> Iterator[None]:
    """Hide the progress bars of the hub's client during the block, unless `shown`."""
    from huggingface_hub import utils

    hide = not shown and not utils.are_progress_bars_disabled()
    if hide:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        if hide:
            utils.enable_progress_bars()


def is_reachable(url: str, *, seconds: float = PROBE_SECONDS) -> bool:
    """Return whether a server at `url` answers within `seconds`, whatever its answer is.

    The request is made by the hub's client, with its proxies and certificates, and on a thread,
    because looking up a host name has no time limit.
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
    except Exception:  # noqa: BLE001  # whatever it is, there was no answer
        return False
    return int(response.status_code) not in (502, 503, 504)  # of a proxy without a hub behind it
