"""Downloads over a real connection from a small hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support.hub import Hub, serving
from wordvec.models.default import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "somebody/tiny-bert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tiny_bert: Path) -> Iterator[Hub]:
    """Start a hub with one model, a tiny BERT."""
    with serving({NAME: tiny_bert}) as running:
        yield running


def wordvec(*args: str, endpoint: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, with that hub."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "hf"),
        "HF_HUB_OFFLINE": "0",
        "WORDVEC_HOME": str(home / "tables"),
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "wordvec", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=60,
        check=False,
    )


def extract(hub: Hub, home: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Extract the static table of a model."""
    return wordvec("extract", "--mode", "static", *args, endpoint=hub.url, home=home, **more)


def test_only_the_files_that_are_read_are_downloaded(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.stdout.startswith(f"{NAME}:static: 82 × 32 written to "), run.stderr
    assert (run.returncode, run.stderr) == (0, "")
    assert hub.downloaded() == [
        "config.json",
        "tokenizer_config.json",
        "vocab.txt",
        "model.safetensors",
    ]


def test_the_commit_is_recorded_as_the_revision(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    manifest = tmp_path / "tables" / "somebody%2Ftiny-bert" / "static" / "manifest.json"
    assert f'"revision": "{COMMIT}"' in manifest.read_text("utf-8")


def test_a_cached_model_needs_no_request(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    hub.requests.clear()
    run = extract(hub, tmp_path, "--model", NAME, "--force")
    assert (run.returncode, hub.requests) == (0, [])


def test_a_cached_model_can_be_used_offline(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    run = extract(hub, tmp_path, "--model", NAME, "--force", HF_HUB_OFFLINE="1")
    assert (run.returncode, run.stderr) == (0, "")


def test_the_error_for_an_uncached_model_offline_names_the_variable(
    hub: Hub, tmp_path: Path
) -> None:
    run = extract(hub, tmp_path, "--model", NAME, HF_HUB_OFFLINE="1")
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {NAME} is missing or incomplete in the cache, and HF_HUB_OFFLINE is set\n"
        "Hint: unset HF_HUB_OFFLINE, or use "
    )
    assert hub.requests == []


def test_the_error_for_an_unknown_model_names_it(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", "somebody/tiny-bart")
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {hub.url} has no model named somebody/tiny-bart, or it is private\n"
        "Hint: check the spelling, or use "
    )


@pytest.mark.parametrize("name", ["a/b/c", "with space/x", "owner/..name"])
def test_an_invalid_name_is_refused_without_a_request(hub: Hub, tmp_path: Path, name: str) -> None:
    run = extract(hub, tmp_path, "--model", name)
    assert run.stderr.startswith(
        f"Error: {name!r} is neither a folder nor a model name of the form OWNER/NAME\n"
    )
    assert (run.returncode, hub.requests) == (1, [])


def test_the_error_for_a_gated_model_links_to_its_terms(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add(NAME)
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: {NAME} can be downloaded only after its terms are accepted\n"
        f"Hint: accept them at {hub.url}/{NAME}, then: hf auth login\n"
    )


def test_a_repository_without_weights_is_refused(hub: Hub, tiny_bert: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in ("config.json", "vocab.txt"):
        (bare / file).write_bytes((tiny_bert / file).read_bytes())
    hub.models["somebody/bare"] = bare
    run = extract(hub, tmp_path, "--model", "somebody/bare")
    assert run.returncode == 1
    assert run.stderr.startswith(
        "Error: somebody/bare has no weights that wordvec can read: expected one of "
        "model.safetensors, model.safetensors.index.json, pytorch_model.bin, "
        "pytorch_model.bin.index.json\n"
    )


def test_a_repository_without_a_config_json_is_refused(hub: Hub, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    hub.models["somebody/data"] = empty
    run = extract(hub, tmp_path, "--model", "somebody/data")
    assert run.returncode == 1
    assert run.stderr.startswith(
        "Error: somebody/data has no config.json, so it is not a Hugging Face model"
    )


def test_an_interrupted_download_leaves_no_table_and_can_be_resumed(
    hub: Hub, tmp_path: Path
) -> None:
    hub.truncated.add("model.safetensors")
    broken = extract(hub, tmp_path, "--model", NAME)
    assert broken.returncode == 1
    assert broken.stderr.endswith(
        f"Error: {hub.url}: the connection was lost while downloading model.safetensors of {NAME}\n"
        "Hint: run the same command again: complete files are kept\n"
    )
    assert not (tmp_path / "tables").exists()
    hub.truncated.clear()
    hub.requests.clear()
    assert extract(hub, tmp_path, "--model", NAME).returncode == 0
    assert hub.downloaded() == ["model.safetensors"]


def test_all_shards_of_a_model_are_downloaded(hub: Hub, sharded_bert: Path, tmp_path: Path) -> None:
    hub.models["somebody/sharded"] = sharded_bert
    run = extract(hub, tmp_path, "--model", "somebody/sharded")
    assert run.returncode == 0, run.stderr
    shards = sorted(path.name for path in sharded_bert.glob("*.safetensors"))
    assert len(shards) > 1
    assert hub.downloaded()[-len(shards) :] == shards


def test_a_closed_port_is_an_error_within_five_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    run = wordvec("extract", "--model", NAME, endpoint="http://127.0.0.1:9", home=tmp_path)
    assert time.monotonic() - began < 5
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {NAME} is not in the cache, and http://127.0.0.1:9 is not reachable\n"
        "Hint: check the connection (HF_ENDPOINT, HTTPS_PROXY), or use "
    )


def test_a_server_that_never_answers_is_an_error_within_five_seconds(
    tmp_path: Path,
) -> None:
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as silent:  # never accepts
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        run = wordvec("extract", "--model", NAME, endpoint=url, home=tmp_path)
    assert time.monotonic() - began < 6  # 4, and the start of two interpreters
    assert f"{url} is not reachable" in run.stderr


def test_a_hub_that_is_down_is_not_reachable(hub: Hub, tmp_path: Path) -> None:
    hub.down = True
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.returncode == 1
    assert f"{NAME} is not in the cache, and {hub.url} is not reachable" in run.stderr


def test_a_server_that_is_not_a_hub_is_an_error(tmp_path: Path) -> None:
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        run = wordvec("extract", "--model", NAME, endpoint=url, home=tmp_path)
        server.shutdown()
    assert run.stderr.startswith(
        f"Error: {NAME} is not in the cache, and {url} is not a model hub\n"
    )


def test_the_reference_model_is_downloaded_if_no_model_is_named(
    hub: Hub, tiny_bert: Path, tmp_path: Path
) -> None:
    hub.models[REFERENCE] = tiny_bert
    run = extract(hub, tmp_path)
    assert run.stdout.startswith(f"{REFERENCE}:static: 82 × 32 written to "), run.stderr
    assert run.stdout.count("\n") == 1
    again = extract(hub, tmp_path)
    assert again.stdout.startswith(f"{REFERENCE}:static already exists: 82 × 32 in ")
