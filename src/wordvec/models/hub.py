"""Models from the Hugging Face hub, downloaded file by file to the hub's own cache.

A model whose configuration, vocabulary and weights are in the cache needs no connection. Optional
files that nobody asked the hub for are downloaded if it is reachable. Before a download, one short
request checks that the hub is reachable: the hub's client would retry for minutes.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models.bundled import model_alternatives
from wordvec.models.folder import CONFIG, WEIGHTS, shard_names
from wordvec.models.hub_cache import NEWEST, look_in_cache
from wordvec.models.hub_name import HubName
from wordvec.models.other_formats import missing_weights, other_format
from wordvec.models.source import ModelSource
from wordvec.text import escape, quote
from wordvec.vocabulary.settings import SETTINGS_FILES
from wordvec.vocabulary.token_files import VOCABULARY_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.models.hub_cache import CachedModel

PROBE_SECONDS = 4.0
"""The time that the hub has for its first answer."""


def hub_model(name: str, *, show_progress: bool, static_only: bool = False) -> ModelSource:
    """Return a model of the hub, from the cache if it is complete there, else downloaded.

    static_only: Only the weights that static vectors need.
    """
    try:
        from huggingface_hub import errors, utils
    except ImportError:
        raise MissingExtraError(
            f"downloading {name} from the hub", extra="extract", package="huggingface_hub"
        ) from None
    parsed = HubName.parse(name)
    try:
        utils.validate_repo_id(parsed.repository)
    except errors.HFValidationError as error:
        raise ModelError(
            f"{quote(name)} is neither a folder nor a model name of the form OWNER/NAME",
            hint=f"use {model_alternatives()}",
        ) from error
    parsed.check()
    cached = look_in_cache(parsed, static_only=static_only)
    folder = cached.folder
    download = _Download(parsed, static_only=static_only)
    with _progress_bars(shown=show_progress):
        if folder is None:
            folder = download.run(cached)
        elif not _is_known(parsed):
            download.complete(folder)
    return ModelSource(str(parsed), folder, _commit(folder, parsed))


def _is_known(name: HubName) -> bool:
    """Return whether the cache has each settings file, or the record that the model lacks it.

    There is no record if another program filled the cache and did not ask for the file.
    """
    from huggingface_hub import try_to_load_from_cache

    revision = name.revision or NEWEST
    return all(
        try_to_load_from_cache(name.repository, name.path_of(file), revision=revision) is not None
        for file in SETTINGS_FILES
    )


def _commit(folder: Path, name: HubName) -> str:
    """Return the commit that the folder of a model in the cache is named after."""
    return folder.parents[len(name.folders) - 1].name if name.folders else folder.name


class _Download:
    """The download of one model, file by file, all of one commit."""

    def __init__(self, name: HubName, *, static_only: bool) -> None:
        from huggingface_hub import constants

        self.name = name
        self.static_only = static_only
        self.endpoint: str = constants.ENDPOINT
        self.commit: str | None = None

    def run(self, cached: CachedModel) -> Path:
        """Download the files that are not in the cache yet, and return their folder.

        cached: What is in the cache.
        """
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE:
            problem = f" ({cached.problem})" if cached.problem else ""
            raise self._unavailable(
                f"is missing or incomplete in the cache{problem}, and HF_HUB_OFFLINE is set",
                cached,
                "unset HF_HUB_OFFLINE",
            )
        if not self._is_reachable():
            place = f"in the cache {cached.problem}" if cached.problem else "not in the cache"
            raise self._unavailable(
                f"is {place}, and {self.endpoint} is not reachable",
                cached,
                "check the connection (HF_ENDPOINT, HTTPS_PROXY)",
            )
        return self._fetch_all()

    def _unavailable(self, problem: str, cached: CachedModel, remedy: str) -> ModelUnavailableError:
        hints = [*filter(None, [cached.hint]), f"{remedy}, or use {model_alternatives()}"]
        return ModelUnavailableError(f"{self.name} {problem}", hint="\n".join(hints))

    def complete(self, folder: Path) -> None:
        """Download the optional files of a model in the cache, if the hub is reachable."""
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE or not self._is_reachable():
            return
        self.commit = _commit(folder, self.name)
        with suppress(ModelError):  # the files in the cache are enough
            for file in SETTINGS_FILES:
                self._fetch_if_present(file)

    def _is_reachable(self) -> bool:
        from huggingface_hub import hf_hub_url

        return is_reachable(hf_hub_url(self.name.repository, CONFIG))

    def _fetch_all(self) -> Path:
        config = self._fetch_if_present(CONFIG)
        if config is None:
            raise self._no_config_error()
        folder = config.parent
        self.commit = _commit(folder, self.name)  # all other files are taken from it
        for file in SETTINGS_FILES:
            self._fetch_if_present(file)
        if self._fetch_first_of(VOCABULARY_FILES) is None:
            raise ModelError(
                f"{self.name} has no vocabulary that wordvec can read: "
                f"expected one of {', '.join(VOCABULARY_FILES)}",
                hint=f"use {model_alternatives()}",
            )
        weights = self._fetch_first_of(WEIGHTS)
        if weights is None:
            raise missing_weights(str(self.name), self._list_files(), WEIGHTS)
        if weights.name.endswith(".index.json"):
            for shard in shard_names(weights, static_only=self.static_only):
                if self._fetch_if_present(shard) is None:
                    raise ModelError(
                        f"{self.name} has no {escape(shard)}, which {weights.name} names"
                    )
        return folder

    def _fetch_first_of(self, files: tuple[str, ...]) -> Path | None:
        return next(filter(None, map(self._fetch_if_present, files)), None)

    def _no_config_error(self) -> ModelError:
        files = set(self._list_files())
        folders = sorted(file.removesuffix(f"/{CONFIG}") for file in files if f"/{CONFIG}" in file)
        with_weights = [
            folder for folder in folders if any(f"{folder}/{file}" in files for file in WEIGHTS)
        ]
        other = None if folders else other_format(str(self.name), sorted(files), f"no {CONFIG}")
        if other is not None:
            return other
        hint = f"use {model_alternatives()}"
        if folders:  # a sentence-transformers model has some without weights
            subfolder = "/".join((*self.name.folders, *(with_weights or folders)[:1]))
            inner = escape(str(replace(self.name, subfolder=subfolder)))
            hint = f'a subfolder has one: use model="{inner}"'
        return ModelError(
            f"{self.name} has no {CONFIG}, so it is not a Hugging Face model", hint=hint
        )

    def _list_files(self) -> list[str]:
        """List the model's files for an error message; an empty list if the hub does not say."""
        from huggingface_hub import list_repo_files

        prefix = self.name.path_of("")
        try:
            files = list_repo_files(
                self.name.repository, revision=self.commit or self.name.revision
            )
        except Exception:  # noqa: BLE001  # the error to be raised matters more
            return []
        return sorted(file.removeprefix(prefix) for file in files if file.startswith(prefix))

    def _fetch_if_present(self, file: str) -> Path | None:
        """Download one file, or return None if the model has no such file."""
        from huggingface_hub import errors, hf_hub_download

        try:
            return Path(
                hf_hub_download(
                    self.name.repository,
                    self.name.path_of(file),
                    revision=self.commit or self.name.revision or NEWEST,
                )
            )
        except errors.LocalEntryNotFoundError as error:  # no answer
            raise self._connection_error(file) from error
        except errors.EntryNotFoundError:
            return None
        except errors.HfHubHTTPError as error:
            raise self._refusal(error, file) from error
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

    def _refusal(self, error: Exception, file: str) -> ModelError:
        """Return the error for a request that the hub refused."""
        from huggingface_hub import errors

        repository = self.name.repository
        if isinstance(error, errors.RevisionNotFoundError):
            newest = replace(self.name, revision=None)
            return ModelError(
                f"{repository} has no branch, tag or commit {self.name.revision or NEWEST!r}",
                hint=f'for the newest commit: model="{newest}"\n'
                f"its branches and tags: {self.endpoint}/{repository}/tree/main",
            )
        if isinstance(error, errors.GatedRepoError):
            return ModelError(
                f"{self.name} can be downloaded only after its terms are accepted",
                hint=f"accept them at {self.endpoint}/{repository}, then: hf auth login",
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return ModelUnavailableError(
                f"{self.endpoint} has no model named {repository}, or it is private",
                hint=f"check the spelling, or use {model_alternatives()}",
            )
        return self._connection_error(file, f"HTTP status {_status(error)}")

    def _connection_error(self, file: str, reason: str = "the connection was lost") -> ModelError:
        if self.commit is None:  # no file has been received
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
