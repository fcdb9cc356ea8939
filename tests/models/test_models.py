"""From a name to a folder, where no hub is needed."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models import bundled, find, hub
from wordvec.models.find import find_default, find_model
from wordvec.models.local import canonical_name, is_folder

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.models.source import ModelSource


def test_a_folder_is_filed_under_its_absolute_path(
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
def test_what_looks_like_a_path_is_a_folder_and_other_names_are_the_hubs(
    *, name: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_folder(name) is expected


def test_a_plain_name_is_a_folder_where_a_model_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert not is_folder("owner/name")
    (tmp_path / "owner" / "name" / "config.json").write_text("{}")
    assert is_folder("owner/name")


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match=r"^\./nowhere: no such folder$"):
        find_model("./nowhere")


def test_a_folder_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no config\.json, so it is no model"):
        find_model(str(tmp_path))


def test_a_folder_without_weights_says_what_was_expected(tiny_bert: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_bert / "config.json", tmp_path)
    with pytest.raises(ModelError, match=r"holds no weights: expected one of model\.safetensors, "):
        find_model(str(tmp_path))


def test_a_missing_shard_is_named(sharded_bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    shard = min(copy.glob("model-*.safetensors"))
    shard.unlink()
    with pytest.raises(ModelError, match=f"names {shard.name}, which is not there"):
        find_model(str(copy))


@pytest.mark.parametrize("shard", ["../secret.bin", "/etc/passwd", 3])
def test_an_index_that_points_elsewhere_is_refused(
    sharded_bert: Path, tmp_path: Path, shard: object
) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    index = {"weight_map": {"embeddings.word_embeddings.weight": shard}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="which is no file beside it"):
        find_model(str(copy))


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', "{}"])
def test_an_index_that_is_damaged_is_named(
    sharded_bert: Path, tmp_path: Path, content: str
) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    (copy / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelError, match="cannot be read as an index of weights"):
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


def test_an_installation_without_the_bundled_model_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="came without its bundled model, mini"):
        find_model("mini")


@pytest.mark.parametrize(
    "problem",
    [
        ModelUnavailableError("no hub is within reach"),
        MissingExtraError("fetching", extra="extract", package="huggingface_hub"),
    ],
)
def test_the_bundled_model_stands_in_where_the_reference_is_out_of_reach(
    problem: Exception, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(*_: object, **__: object) -> ModelSource:
        raise problem

    monkeypatch.setattr(find, "hub_model", out_of_reach)
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    source = find_default()
    assert (source.name, source.instead_of) == ("mini", str(problem))


def test_a_download_that_breaks_off_is_an_error_and_no_reason_for_another_model(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(*_: object, **__: object) -> ModelSource:
        raise ModelError("the connection broke")

    monkeypatch.setattr(find, "hub_model", breaks_off)
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    with pytest.raises(ModelError, match="the connection broke"):
        find_default()


def test_a_named_model_is_never_swapped(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "bundled_folder", lambda: tiny_bert)
    with pytest.raises(ModelUnavailableError, match="owner/name is not") as caught:
        find_model("owner/name")
    assert "--model mini or --model FOLDER" in str(caught.value.hint)


def test_the_wait_for_an_answer_ends_even_where_asking_never_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forever = threading.Event()
    monkeypatch.setattr(hub, "_probe", lambda *_: forever.wait())
    assert not hub.is_reachable("http://anywhere", seconds=0.05)
    forever.set()
