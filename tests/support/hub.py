"""A model hub on this machine, for the tests: only the requests that huggingface_hub makes.

It serves HEAD and GET of /{owner}/{name}/resolve/{revision}/{file} from a folder, with the headers
that the client needs, and lists a folder's files. It can simulate failures.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RESOLVE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_TREE = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/tree/")


@dataclass
class Hub:
    """The models of the server, its failures, and the requests that it received.

    tags: tag or branch → commit, besides main. Each commit has the same files.
    truncated: files whose GET stops half-way. down: every response is 503. gated: models whose
    terms are not accepted. requests: (method, file) of each request, in order.
    """

    models: dict[str, Path]
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    tags: dict[str, str] = field(default_factory=dict)
    truncated: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    down: bool = False
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def downloaded(self) -> list[str]:
        """Return the files that were downloaded."""
        return [file for method, file in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    commit = ""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        listed = _TREE.match(self.path)
        if listed is not None and listed["name"] in self.hub.models:
            return self._list(self.hub.models[listed["name"]])
        match = _RESOLVE.fullmatch(self.path)
        if match is None:
            return self._refuse(404)
        self.hub.requests.append((self.command, match["file"]))
        revision = unquote(match["revision"])
        commits = {"main": self.hub.commit, **self.hub.tags}
        self.commit = commits.get(revision, revision)
        refusal = self._refusal(match["name"], revision)
        if refusal is not None:
            return self._refuse(*refusal)
        path = self.hub.models[match["name"]] / match["file"]
        return self._serve(path) if path.is_file() else self._refuse(404, "EntryNotFound")

    def _list(self, folder: Path) -> None:
        entries = [
            {
                "type": "file",
                "path": path.relative_to(folder).as_posix(),
                "size": path.stat().st_size,
                "oid": "0",
            }
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]
        content = json.dumps(entries).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refusal(self, name: str, revision: str) -> tuple[int, str | None] | None:
        """Return the status and error code of a request that is refused."""
        if self.hub.down:
            return 503, None
        if name not in self.hub.models:
            return 401, "RepoNotFound"
        if name in self.hub.gated:
            return 403, "GatedRepo"
        commits = (self.hub.commit, *self.hub.tags.values())
        if revision not in ("main", *self.hub.tags, *commits):
            return 404, "RevisionNotFound"
        return None

    def _serve(self, path: Path) -> None:
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            truncated = path.name in self.hub.truncated
            self.wfile.write(content[: len(content) // 2] if truncated else content)
            if truncated:
                self.close_connection = True

    def _refuse(self, status: int, code: str | None = None) -> None:
        self.send_response(status)
        if code is not None:
            self.send_header("X-Error-Code", code)
            if code == "EntryNotFound":
                self.send_header("X-Repo-Commit", self.commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def serving(models: dict[str, Path]) -> Iterator[Hub]:
    """Run a hub that serves these folders under these names during the block."""
    hub = Hub(models)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
