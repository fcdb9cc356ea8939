"""Models from the Hugging Face hub, one file at a time, into the hub's own cache.

A model that is whole in the cache is taken from there and no one is asked; that no hub is within
reach is known within seconds, because one short request is made before the hub's client begins its
retries.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models.bundled import elsewhere
from wordvec.models.folder import CONFIG, WEIGHTS, shard_names, weight_files
from wordvec.models.source import ModelSource
from wordvec.vocabulary.folder import SETTINGS_FILES, VOCABULARY_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEWEST = "main"
PROBE_SECONDS = 4.0
"""How long the hub has to say anything at all."""


def hub_model(name: str, *, bars: bool) -> ModelSource:
    """Give a model of the hub: from its cache if it is whole there, else downloaded."""
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
            raise ModelUnavailableError(
                f"{self.name} is not (or not wholly) in the cache, and HF_HUB_OFFLINE is set",
                hint=f"unset HF_HUB_OFFLINE, or take {elsewhere()}",
            )
        if not is_reachable(hf_hub_url(self.name, CONFIG)):
            raise ModelUnavailableError(
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
            for shard in shard_names(weights):
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
            raise ModelUnavailableError(
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
            return ModelUnavailableError(
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


def is_reachable(url: str, *, seconds: float = PROBE_SECONDS) -> bool:
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
