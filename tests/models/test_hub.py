"""A real download, over a real connection, from a small hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support.hub import Hub, serving
from wordvec.models.find import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "somebody/tiny-bert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tiny_bert: Path) -> Iterator[Hub]:
    """A hub with one model, a tiny BERT."""
    with serving({NAME: tiny_bert}) as running:
        yield running


def wordvec(*args: str, endpoint: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, against that hub."""
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
    """`wordvec extract` of the static table."""
    return wordvec("extract", "--mode", "static", *args, endpoint=hub.url, home=home, **more)


def test_a_model_is_fetched_file_by_file_and_only_what_is_read(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.stdout.startswith(f"{NAME}:static: 82 × 32 written to "), run.stderr
    assert (run.returncode, run.stderr) == (0, "")
    assert hub.fetched() == [
        "config.json",
        "tokenizer_config.json",
        "vocab.txt",
        "model.safetensors",
    ]


def test_the_commit_is_kept_as_the_revision(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    manifest = tmp_path / "tables" / "somebody%2Ftiny-bert" / "static" / "manifest.json"
    assert f'"revision": "{COMMIT}"' in manifest.read_text("utf-8")


def test_a_cached_model_is_taken_without_asking_the_hub(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    hub.asked.clear()
    run = extract(hub, tmp_path, "--model", NAME, "--force")
    assert (run.returncode, hub.asked) == (0, [])


def test_a_cached_model_is_taken_offline(hub: Hub, tmp_path: Path) -> None:
    extract(hub, tmp_path, "--model", NAME)
    run = extract(hub, tmp_path, "--model", NAME, "--force", HF_HUB_OFFLINE="1")
    assert (run.returncode, run.stderr) == (0, "")


def test_offline_and_not_cached_says_which_switch_it_is(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", NAME, HF_HUB_OFFLINE="1")
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {NAME} is not (or not wholly) in the cache, and HF_HUB_OFFLINE is set\n"
        "Hint: unset HF_HUB_OFFLINE, or take "
    )
    assert hub.asked == []


def test_a_model_that_the_hub_does_not_have_is_named(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", "somebody/tiny-bart")
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {hub.url} has no model named somebody/tiny-bart, or it is private\n"
        "Hint: check the spelling, or take "
    )


@pytest.mark.parametrize("name", ["a/b/c", "with space/x", "owner/..name"])
def test_a_name_that_no_hub_could_have_is_refused_unasked(
    hub: Hub, tmp_path: Path, name: str
) -> None:
    run = extract(hub, tmp_path, "--model", name)
    assert run.stderr.startswith(
        f"Error: {name!r} is neither a folder here nor a name such as the hub has (OWNER/NAME)\n"
    )
    assert (run.returncode, hub.asked) == (1, [])


def test_a_gated_model_says_where_its_terms_are(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add(NAME)
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: {NAME} is given only to those who accepted its terms\n"
        f"Hint: accept them at {hub.url}/{NAME}, then: hf auth login\n"
    )


def test_a_repository_without_weights_is_no_model(
    hub: Hub, tiny_bert: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in ("config.json", "vocab.txt"):
        (bare / file).write_bytes((tiny_bert / file).read_bytes())
    hub.models["somebody/bare"] = bare
    run = extract(hub, tmp_path, "--model", "somebody/bare")
    assert run.returncode == 1
    assert run.stderr.startswith(
        "Error: somebody/bare has no weights that wordvec reads: none of model.safetensors, "
        "model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json\n"
    )


def test_a_repository_without_a_configuration_is_no_model(hub: Hub, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    hub.models["somebody/data"] = empty
    run = extract(hub, tmp_path, "--model", "somebody/data")
    assert run.returncode == 1
    assert run.stderr.startswith("Error: somebody/data has no config.json, so it is no model")


def test_a_connection_that_breaks_off_leaves_no_table_and_can_be_taken_up(
    hub: Hub, tmp_path: Path
) -> None:
    hub.cut.add("model.safetensors")
    broken = extract(hub, tmp_path, "--model", NAME)
    assert broken.returncode == 1
    assert broken.stderr.endswith(
        f"Error: {hub.url}: the connection broke while fetching model.safetensors of {NAME}\n"
        "Hint: the same command again: what arrived whole is kept\n"
    )
    assert not (tmp_path / "tables").exists()
    hub.cut.clear()
    hub.asked.clear()
    assert extract(hub, tmp_path, "--model", NAME).returncode == 0
    assert hub.fetched() == ["model.safetensors"]


def test_a_sharded_model_is_fetched_shard_by_shard(
    hub: Hub, sharded_bert: Path, tmp_path: Path
) -> None:
    hub.models["somebody/sharded"] = sharded_bert
    run = extract(hub, tmp_path, "--model", "somebody/sharded")
    assert run.returncode == 0, run.stderr
    shards = sorted(path.name for path in sharded_bert.glob("*.safetensors"))
    assert len(shards) > 1
    assert hub.fetched()[-len(shards) :] == shards


def test_that_nothing_listens_is_known_within_five_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    run = wordvec("extract", "--model", NAME, endpoint="http://127.0.0.1:9", home=tmp_path)
    assert time.monotonic() - began < 5
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: {NAME} is not in the cache, and no hub is within reach at http://127.0.0.1:9\n"
        "Hint: check the connection (HF_ENDPOINT, HTTPS_PROXY), or take "
    )


def test_that_a_hub_takes_the_call_and_stays_silent_is_known_within_five_seconds(
    tmp_path: Path,
) -> None:
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as silent:  # never accepts
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        run = wordvec("extract", "--model", NAME, endpoint=url, home=tmp_path)
    assert time.monotonic() - began < 6  # 4, and the start of two interpreters
    assert f"no hub is within reach at {url}" in run.stderr


def test_a_hub_that_is_down_counts_as_none(hub: Hub, tmp_path: Path) -> None:
    hub.down = True
    run = extract(hub, tmp_path, "--model", NAME)
    assert run.returncode == 1
    assert f"{NAME} is not in the cache, and no hub is within reach at {hub.url}" in run.stderr


def test_what_answers_and_is_no_hub_is_told_apart(tmp_path: Path) -> None:
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        run = wordvec("extract", "--model", NAME, endpoint=url, home=tmp_path)
        server.shutdown()
    assert run.stderr.startswith(
        f"Error: {NAME} is not in the cache, and what answers at {url} is no hub\n"
    )


def test_the_reference_is_taken_from_the_hub_where_nobody_named_a_model(
    hub: Hub, tiny_bert: Path, tmp_path: Path
) -> None:
    hub.models[REFERENCE] = tiny_bert
    run = extract(hub, tmp_path)
    assert run.stdout.startswith(f"{REFERENCE}:static: 82 × 32 written to "), run.stderr
    assert run.stdout.count("\n") == 1
    again = extract(hub, tmp_path)
    assert again.stdout.startswith(f"{REFERENCE}:static is there already: 82 × 32 in ")
