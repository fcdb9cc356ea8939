"""Downloads over a real connection from a small hub on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from support.hub import Hub, serving
from wordvec.models.default import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "somebody/tiny-bert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAGGED = "89abcdef0123456789abcdef0123456789abcdef"


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


def test_static_vectors_need_only_the_shard_with_the_matrix(
    hub: Hub, sharded_bert: Path, tmp_path: Path
) -> None:
    hub.models["somebody/sharded"] = sharded_bert
    run = extract(hub, tmp_path, "--model", "somebody/sharded")
    assert run.returncode == 0, run.stderr
    shards = sorted(path.name for path in sharded_bert.glob("*.safetensors"))
    assert len(shards) > 1
    assert hub.downloaded()[-2:] == ["model.safetensors.index.json", shards[0]]
    hub.requests.clear()
    run = extract(hub, tmp_path, "--model", "somebody/sharded", "--force")
    assert (run.returncode, hub.requests) == (0, [])
    dynamic = ("extract", "--mode", "dynamic", "--model", "somebody/sharded")
    run = wordvec(*dynamic, endpoint=hub.url, home=tmp_path)
    assert run.returncode == 0, run.stderr
    assert hub.downloaded() == shards[1:]


def test_a_cache_that_another_program_filled_can_be_used_offline(hub: Hub, tmp_path: Path) -> None:
    fill_cache(tmp_path, NAME, hub.models[NAME])
    run = extract(hub, tmp_path, "--model", NAME, HF_HUB_OFFLINE="1")
    assert run.stdout.startswith(f"{NAME}:static: 82 × 32 written to "), run.stderr
    assert (run.returncode, run.stderr, hub.requests) == (0, "", [])
    elsewhere = wordvec(
        "extract", "--force", "--model", NAME, endpoint="http://127.0.0.1:9", home=tmp_path
    )
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")


def test_optional_files_that_nobody_asked_for_are_downloaded_once(hub: Hub, tmp_path: Path) -> None:
    fill_cache(tmp_path, NAME, hub.models[NAME])
    assert extract(hub, tmp_path, "--model", NAME).returncode == 0
    assert hub.downloaded() == ["tokenizer_config.json"]
    hub.requests.clear()
    run = extract(hub, tmp_path, "--model", NAME, "--force")
    assert (run.returncode, hub.requests) == (0, [])


def test_a_cache_without_the_weights_is_incomplete(hub: Hub, tmp_path: Path) -> None:
    fill_cache(tmp_path, NAME, hub.models[NAME], files=("config.json", "vocab.txt"))
    run = extract(hub, tmp_path, "--model", NAME, HF_HUB_OFFLINE="1")
    assert run.returncode == 1
    assert run.stderr.startswith(f"Error: {NAME} is missing or incomplete in the cache")


def test_the_error_says_what_the_cache_lacks(hub: Hub, tmp_path: Path) -> None:
    model = hub.models[NAME]
    fill_cache(tmp_path, "a/unnamed", model)
    cache = tmp_path / "hf" / "hub"
    (cache / "models--a--unnamed" / "refs" / "main").unlink()
    fill_cache(tmp_path, "a/weightless", model, files=("config.json", "vocab.txt"))
    fill_cache(tmp_path, "a/wordless", model, files=("config.json", "model.safetensors"))
    fill_cache(tmp_path, "a/nested", model, files=())
    inner = cache / "models--a--nested" / "snapshots" / COMMIT / "0_Transformer"
    shutil.copytree(model, inner)
    for name, problem, hint in (
        (
            "a/unnamed",
            "without the revision 'main'",
            f"Hint: in the cache: --model a/unnamed@{COMMIT}\n",
        ),
        ("a/unnamed@v9", "without the revision 'v9'", "Hint: in the cache: --model a/unnamed@"),
        ("a/weightless", "without its weights", ""),
        ("a/wordless", "without its vocabulary", ""),
        (
            "a/nested",
            "without its config.json",
            "Hint: a subfolder has one: use --model a/nested:0_Transformer\n",
        ),
        (
            "a/nested:1_Pooling",
            "without the folder 1_Pooling",
            "Hint: a subfolder has one: use --model a/nested:0_Transformer\n",
        ),
    ):
        run = extract(hub, tmp_path, "--model", name, HF_HUB_OFFLINE="1")
        assert run.stderr.startswith(
            f"Error: {name} is missing or incomplete in the cache ({problem}), and HF_HUB_OFFLINE"
        )
        assert hint in run.stderr
        closed = "http://127.0.0.1:9"
        run = wordvec("extract", "--model", name, endpoint=closed, home=tmp_path)
        assert run.stderr.startswith(
            f"Error: {name} is in the cache {problem}, and {closed} is not reachable\n"
        )
    found = extract(hub, tmp_path, "--model", f"a/unnamed@{COMMIT}", HF_HUB_OFFLINE="1")
    assert found.returncode == 0


def fill_cache(
    home: Path,
    name: str,
    model: Path,
    files: tuple[str, ...] = ("config.json", "vocab.txt", "model.safetensors"),
) -> None:
    """Put files of a model into the hub's cache, without records of the files that it lacks."""
    cache = home / "hf" / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = cache / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for file in files:
        (snapshot / file).write_bytes((model / file).read_bytes())
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)


@pytest.mark.parametrize("revision", ["v1.0", "pull/7", TAGGED])
def test_a_revision_is_a_model_of_its_own(hub: Hub, tmp_path: Path, revision: str) -> None:
    hub.tags = {"v1.0": TAGGED, "pull/7": TAGGED}
    name = f"{NAME}@{revision}"
    run = extract(hub, tmp_path, "--model", name)
    assert run.stdout.startswith(f"{name}:static: 82 × 32 written to "), run.stderr
    manifest = next((tmp_path / "tables").glob("*/static/manifest.json"))
    assert f'"revision": "{TAGGED}"' in manifest.read_text("utf-8")
    hub.requests.clear()
    run = extract(hub, tmp_path, "--model", name, "--force")
    assert (run.returncode, hub.requests) == (0, [])


def test_the_error_for_an_unknown_revision_names_it(hub: Hub, tmp_path: Path) -> None:
    run = extract(hub, tmp_path, "--model", f"{NAME}@v9")
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: {NAME} has no branch, tag or commit 'v9'\n"
        f"Hint: for the newest commit: --model {NAME}\n"
        f"Hint: its branches and tags: {hub.url}/{NAME}/tree/main\n"
    )


@pytest.fixture
def nested(hub: Hub, tiny_bert: Path, tmp_path: Path) -> str:
    """Give the name of a model of the hub that keeps its encoder in a subfolder."""
    folder = tmp_path / "nested"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    shutil.copytree(tiny_bert, folder / "Transformer")
    hub.models["somebody/nested"] = folder
    hub.tags = {"v1.0": TAGGED}
    return "somebody/nested"


@pytest.mark.parametrize("part", [":Transformer", "@v1.0:Transformer"])
def test_a_model_in_a_subfolder_can_be_named_extracted_listed_and_queried(
    hub: Hub, nested: str, tmp_path: Path, part: str
) -> None:
    name = nested + part
    run = extract(hub, tmp_path, "--model", name + "/")
    assert run.stdout.startswith(f"{name}:static: 82 × 32 written to "), run.stderr
    assert "Transformer/model.safetensors" in hub.downloaded()
    hub.requests.clear()
    again = extract(hub, tmp_path, "--model", name, "--force", HF_HUB_OFFLINE="1")
    assert (again.returncode, hub.requests) == (0, [])
    here = partial(wordvec, endpoint=hub.url, home=tmp_path)
    assert name in here("tables").stdout
    found = here("query", "王", "-k", "1", "--table", f"{name}:static")
    assert found.returncode == 0, found.stderr
    assert here("query", "王", "-k", "1", "--model", name).stdout == found.stdout
    removed = here("tables", "rm", "--yes", f"{name}:static")
    assert removed.stdout.startswith(f"removed {name}:static")


def test_the_error_without_a_config_json_points_to_a_subfolder_of_the_repository(
    hub: Hub, nested: str, tmp_path: Path
) -> None:
    run = extract(hub, tmp_path, "--model", f"{nested}@v1.0")
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: {nested}@v1.0 has no config.json, so it is not a Hugging Face model\n"
        f"Hint: a subfolder has one: use --model {nested}@v1.0:Transformer\n"
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("tf_model.h5", "tf_model.h5 (TensorFlow)"),
        ("flax_model.msgpack", "flax_model.msgpack (Flax)"),
        ("onnx/model.onnx", "onnx/model.onnx (ONNX)"),
        ("model-q8.gguf", "model-q8.gguf (GGUF)"),
    ],
)
def test_the_error_for_weights_in_another_format_on_the_hub_names_them(
    hub: Hub, tiny_bert: Path, tmp_path: Path, file: str, message: str
) -> None:
    other = tmp_path / "other"
    (other / file).parent.mkdir(parents=True)
    for name in ("config.json", "vocab.txt"):
        (other / name).write_bytes((tiny_bert / name).read_bytes())
    (other / file).write_bytes(b"?")
    hub.models["somebody/other"] = other
    run = extract(hub, tmp_path, "--model", "somebody/other")
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Error: somebody/other has no weights that wordvec can read, only {message}\nHint: "
    )


def test_a_name_without_its_owner_suggests_the_model_that_is_meant(
    hub: Hub, tmp_path: Path
) -> None:
    for offline in ("0", "1"):
        run = extract(hub, tmp_path, "--model", "bert-base-japanese", HF_HUB_OFFLINE=offline)
        assert run.returncode == 1
        assert "\nHint: did you mean --model cl-tohoku/bert-base-japanese " in run.stderr


def test_a_model_in_the_cache_is_suggested_too(hub: Hub, tmp_path: Path) -> None:
    fill_cache(tmp_path, NAME, hub.models[NAME])
    run = extract(hub, tmp_path, "--model", "somebody/tinybert", HF_HUB_OFFLINE="1")
    assert f"Hint: did you mean --model {NAME}?\n" in run.stderr


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
