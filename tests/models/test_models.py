"""Finding the folder of a model by name, without a hub."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models import bundled, hub
from wordvec.models.default import REFERENCE, default_model, find_default_model, named_model
from wordvec.models.find import find_model
from wordvec.models.local import canonical_name, is_folder

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.models.source import ModelSource


def test_the_canonical_name_of_a_folder_is_its_absolute_path(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_bert.parent)
    for name in ("./bert", "bert", "../models0/bert", str(tiny_bert)):
        if name.startswith("../") and tiny_bert.parent.name != "models0":
            continue
        assert find_model(name).name == str(tiny_bert.resolve()) == canonical_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mini", False),
        ("./mini", True),
        ("../bert", True),
        ("~/bert", True),
        ("/data/bert", True),
        (".", True),
        ("bert-base-uncased", False),
        ("owner/name", False),
    ],
)
def test_a_name_written_as_a_path_means_a_folder(
    *, name: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_folder(name) is expected


def test_a_plain_name_means_a_folder_if_it_contains_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert not is_folder("owner/name")
    (tmp_path / "owner" / "name" / "config.json").write_text("{}")
    assert is_folder("owner/name")


def test_the_error_for_a_missing_folder_names_it() -> None:
    with pytest.raises(ModelError, match=r"^\./nowhere: no such folder$"):
        find_model("./nowhere")


def test_a_folder_without_a_config_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json, so it is not a Hugging Face model"):
        find_model(str(tmp_path))


def test_the_error_for_missing_weights_names_the_expected_files(
    tiny_bert: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny_bert / "config.json", tmp_path)
    with pytest.raises(ModelError, match=r"has no weights: expected one of model\.safetensors, "):
        find_model(str(tmp_path))


def test_the_error_for_a_missing_shard_names_it(sharded_bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    shard = min(copy.glob("model-*.safetensors"))
    shard.unlink()
    with pytest.raises(
        ModelError, match=f"{shard.name} is missing; model.safetensors.index.json names it"
    ):
        find_model(str(copy))


@pytest.mark.parametrize("shard", ["../secret.bin", "/etc/passwd", 3])
def test_an_index_that_names_files_in_other_folders_is_refused(
    sharded_bert: Path, tmp_path: Path, shard: object
) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    index = {"weight_map": {"embeddings.word_embeddings.weight": shard}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="which is not a file in its folder"):
        find_model(str(copy))


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', "{}"])
def test_the_error_for_a_damaged_index_names_it(
    sharded_bert: Path, tmp_path: Path, content: str
) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    (copy / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelError, match="is not a readable index of weights"):
        find_model(str(copy))


def test_the_revision_of_a_folder_changes_with_its_weights(tiny_bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    before = find_model(str(copy)).revision
    assert before == find_model(str(tiny_bert)).revision
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert find_model(str(copy)).revision != before


def test_the_bundled_model_is_a_folder_of_the_package(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    source = find_model("mini")
    assert (source.name, source.folder) == ("mini", tiny_bert)


def test_the_error_without_a_bundled_model_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match='does not include the bundled model "mini"'):
        find_model("mini")


@pytest.mark.parametrize(
    "problem",
    [
        ModelUnavailableError("the hub is not reachable"),
        MissingExtraError("downloading", extra="extract", package="huggingface_hub"),
    ],
)
def test_the_bundled_model_replaces_an_unavailable_reference_model(
    problem: Exception, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> ModelSource:
        raise problem

    monkeypatch.setattr(hub, "hub_model", unavailable)
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    source = find_default_model()
    assert (source.name, source.fallback_reason) == ("mini", str(problem))


def test_the_bundled_model_does_not_replace_an_incomplete_download(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> ModelSource:
        raise ModelError("the connection was lost")

    monkeypatch.setattr(hub, "hub_model", fail)
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    with pytest.raises(ModelError, match="the connection was lost"):
        find_default_model()


def test_a_named_model_is_never_replaced(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    with pytest.raises(
        ModelUnavailableError, match="owner/name is missing or incomplete in the cache"
    ) as caught:
        find_model("owner/name")
    assert 'model="mini" or model="FOLDER"' in str(caught.value.hint)


def test_is_reachable_returns_even_if_the_request_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forever = threading.Event()
    monkeypatch.setattr(hub, "_probe", lambda *_: forever.wait())
    assert not hub.is_reachable("http://anywhere", seconds=0.05)
    forever.set()


def test_named_model_returns_the_argument_or_else_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert named_model() is None
    monkeypatch.setenv("WORDVEC_MODEL", "")
    assert named_model() is None
    monkeypatch.setenv("WORDVEC_MODEL", "owner/name")
    assert named_model() == "owner/name"
    assert named_model("other/name") == "other/name"


def test_the_default_is_the_reference_model_if_saved_or_else_the_bundled_one(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    assert default_model(reference_is_saved=False) == "mini"
    assert default_model(reference_is_saved=True) == REFERENCE
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tmp_path)  # not included
    assert default_model(reference_is_saved=False) == REFERENCE
