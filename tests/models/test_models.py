"""Finding the folder of a model by name, without a hub."""

from __future__ import annotations

import json
import re
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from wordvec.errors import MissingExtraError, ModelError, ModelUnavailableError
from wordvec.models import bundled, hub
from wordvec.models.default import REFERENCE, default_model, find_default_model, named_model
from wordvec.models.find import find_model
from wordvec.models.hub_name import HubName
from wordvec.models.local import canonical_name, is_folder
from wordvec.models.suggest import similar_models

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
    with pytest.raises(ModelError, match=r"can read: expected one of model\.safetensors, "):
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


@pytest.mark.parametrize("content", ["[]", '{"weight_map": 3}', "{}", '{"weight_map": [[1, "x"]]}'])
def test_the_error_for_a_damaged_index_names_it(
    sharded_bert: Path, tmp_path: Path, content: str
) -> None:
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    (copy / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelError, match="is not a readable index of weights"):
        find_model(str(copy))


def test_the_shard_with_the_matrix_is_enough_for_static_vectors(
    sharded_bert: Path, tmp_path: Path
) -> None:
    whole = find_model(str(sharded_bert))
    copy = shutil.copytree(sharded_bert, tmp_path / "copy")
    first, *others = sorted(copy.glob("model-*.safetensors"))
    for shard in others:
        shard.unlink()
    alone = find_model(str(copy), static_only=True)
    assert alone.revision == alone.static_revision == whole.static_revision != whole.revision
    with pytest.raises(ModelError, match=f"{others[0].name} is missing") as caught:
        find_model(str(copy))
    assert caught.value.hint == f'download it, or use mode="static", which needs {first.name} only'
    first.unlink()
    with pytest.raises(ModelError, match=f"{first.name} is missing"):
        find_model(str(copy), static_only=True)


def test_weights_in_one_file_have_one_revision(tiny_bert: Path) -> None:
    source = find_model(str(tiny_bert))
    assert source.revision == source.static_revision
    assert find_model(str(tiny_bert), static_only=True) == source


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 12345\n"
PAGE = "<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>\n"


@pytest.mark.parametrize(
    "file",
    [
        *("config.json", "tokenizer_config.json", "added_tokens.json", "vocab.txt"),
        *("tokenizer.json", "spiece.model", "model.safetensors"),
    ],
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POINTER, "a git-lfs pointer to it"),
        (PAGE, "a web page"),
        ("\ufeff\n<html lang=ja>\n<head>", "a web page"),
        ('<?xml version="1.0"?><Error/>', "a web page"),
    ],
)
def test_a_file_that_is_only_a_pointer_or_a_web_page_is_named(
    file: str, content: str, message: str, tiny_bert: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / file).write_text(content, "utf-8")
    with pytest.raises(ModelError, match=f"/{file} is not the file itself, but {message}") as error:
        find_model(str(copy), static_only=True)
    hint = "git lfs pull" if content == POINTER else "download it again"
    assert hint in str(error.value.hint)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.safetensors.index.json"])
def test_a_pointer_in_place_of_other_weights_is_named(
    file: str, tiny_bert: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    (copy / file).write_text(POINTER)
    with pytest.raises(ModelError, match=f"/{file} is not the file itself, but a git-lfs"):
        find_model(str(copy))


def test_a_vocabulary_may_begin_with_an_html_tag(tiny_bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / "vocab.txt").write_text("<html>\n<b>\n")
    assert find_model(str(copy)).name == str(copy)


def test_the_error_for_a_folder_points_to_the_subfolder_with_a_model(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "st" / "0_Pooling").mkdir(parents=True)
    (tmp_path / "st" / "0_Pooling" / "config.json").write_text("{}")
    shutil.copytree(tiny_bert, tmp_path / "st" / "1_Transformer")
    monkeypatch.chdir(tmp_path)
    for name, shown in (
        ("./st", "./st/1_Transformer"),
        (str(tmp_path / "st"), str(tmp_path / "st" / "1_Transformer")),
    ):
        with pytest.raises(ModelError, match=r"has no config\.json") as caught:
            find_model(name)
        assert caught.value.hint == f'a subfolder has one: use model="{shown}"'
    with pytest.raises(ModelError, match="st:1_Transformer: no such folder") as caught:
        find_model("./st:1_Transformer")
    assert caught.value.hint == 'use model="./st/1_Transformer"'
    with pytest.raises(ModelUnavailableError) as caught:
        find_model("st")
    assert str(caught.value.hint).startswith(
        'the folder st has no config.json; a subfolder has one: use model="./st/1_Transformer"\n'
    )


@pytest.mark.parametrize(
    ("file", "what", "hint"),
    [
        ("tf_model.h5", "TensorFlow", "from_tf=True"),
        ("flax_model.msgpack", "Flax", "from_flax=True"),
        ("onnx/model_quantized.onnx", "ONNX", "the model that they were exported from"),
        ("model.onnx", "ONNX", "the model that they were exported from"),
        ("bert-q8.gguf", "GGUF", 'gguf_file="bert-q8.gguf"'),
        ("openvino_model.bin", "OpenVINO", "the model that they were exported from"),
        ("bert_model.ckpt.index", "a checkpoint of TensorFlow 1", "transformers 4"),
        ("model.fp16.safetensors", "safetensors", 'copy it to "model.safetensors"'),
        ("model-00001-of-00002.safetensors", "one of several files", "download the index"),
        ("checkpoint.pt", "PyTorch", 'copy it to "pytorch_model.bin"'),
        ("adapter_model.safetensors", "a PEFT adapter", "merge_and_unload"),
    ],
)
def test_the_error_for_weights_in_another_format_says_how_to_convert_them(
    file: str, what: str, hint: str, tiny_bert: Path, tmp_path: Path
) -> None:
    for name in ("config.json", "vocab.txt"):
        shutil.copy(tiny_bert / name, tmp_path)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b"?")
    (tmp_path / "training_args.bin").write_bytes(b"?")
    with pytest.raises(ModelError) as caught:
        find_model(str(tmp_path))
    assert caught.value.message == (
        f"{tmp_path} has no weights that wordvec can read, only {file} ({what})"
    )
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("owner/name", ("owner/name", None, None)),
        ("owner/name@v1", ("owner/name", "v1", None)),
        ("owner/name@refs/pr/1:a/b/", ("owner/name", "refs/pr/1", "a/b")),
        ("owner/name:a@b", ("owner/name", None, "a@b")),
    ],
)
def test_the_name_of_a_hub_model_has_three_parts(name: str, parts: tuple[str | None, ...]) -> None:
    parsed = HubName.parse(name)
    assert (parsed.repository, parsed.revision, parsed.subfolder) == parts
    parsed.check()
    assert canonical_name(name) == str(parsed) == name.rstrip("/")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owner/name@", "'' cannot be a branch, a tag or a commit"),
        ("owner/name@../../x", "'../../x' cannot be a branch"),
        ("owner/name@/etc/passwd", "'/etc/passwd' cannot be a branch"),
        ("owner/name@a b", "'a b' cannot be a branch"),
        ("owner/name:", "'' cannot be a subfolder"),
        ("owner/name:../other", "'../other' cannot be a subfolder"),
        ("owner/name:/etc", "'/etc' cannot be a subfolder"),
        (r"owner/name:a\b", "cannot be a subfolder"),
    ],
)
def test_a_revision_or_subfolder_that_cannot_exist_is_refused(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=re.escape(message)):
        find_model(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert-base-uncased", ["google-bert/bert-base-uncased", "google-bert/bert-base-cased"]),
        (
            "bert-base-japanese",
            ["cl-tohoku/bert-base-japanese", "tohoku-nlp/bert-base-japanese"],
        ),
        ("bert-base-japanes@v1:sub", "cl-tohoku/bert-base-japanese@v1:sub"),
        ("modernbert-base", "answerdotai/ModernBERT-base"),
        ("tohoku-nlp/bert-base-japanese", []),
        ("cl-tohuku/bert-base-japanese-whole-word-maskin", REFERENCE),
        ("no-such-model-at-all", []),
        (REFERENCE, []),
    ],
)
def test_the_closest_known_models_are_suggested(name: str, expected: str | list[str]) -> None:
    similar = similar_models(name)
    assert similar == expected if isinstance(expected, list) else similar[0] == expected


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


@pytest.mark.parametrize(
    ("files", "what", "hint"),
    [
        (["model-Q4.gguf"], "model-Q4.gguf (GGUF)", 'gguf_file="model-Q4.gguf"'),
        (["model.onnx"], "model.onnx (ONNX)", "the model that they were exported from"),
        (
            ["bert_config.json", "checkpoint", "bert_model.ckpt.index"],
            "bert_model.ckpt.index (a checkpoint of TensorFlow 1)",
            "transformers 4",
        ),
        (
            ["bert_config.json", "bert_model.ckpt.data-00000-of-00001"],
            "bert_model.ckpt.data-00000-of-00001 (a checkpoint of TensorFlow 1)",
            "transformers 4",
        ),
        (["adapter_model.safetensors"], "adapter_model.safetensors (a PEFT adapter)", "merge"),
    ],
)
def test_a_folder_with_another_format_and_no_config_json_says_how_to_convert_it(
    files: list[str], what: str, hint: str, tmp_path: Path
) -> None:
    for file in files:
        (tmp_path / file).write_bytes(b"?")
    with pytest.raises(ModelError) as caught:
        find_model(str(tmp_path))
    assert caught.value.message == f"{tmp_path} has no config.json, only {what}"
    assert hint in str(caught.value.hint)


def test_weights_of_hugging_face_without_a_config_json_need_no_conversion(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"?")
    with pytest.raises(ModelError, match=r"has no config\.json, so it is not a Hugging Face model"):
        find_model(str(tmp_path))


def test_the_error_for_a_file_names_its_folder(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_bert.parent)
    for start, folder in (
        ("./", "./"),
        ("", "./"),
        (f"{tiny_bert.parent}/", f"{tiny_bert.parent}/"),
    ):
        name = f"{start}{tiny_bert.name}/model.safetensors"
        with pytest.raises(ModelError) as caught:
            find_model(name)
        assert caught.value.message == f"{name} is a file, expected the folder of a model"
        assert caught.value.hint == f'use model="{folder}{tiny_bert.name}"'


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://huggingface.co/google-bert/bert-base-uncased", "google-bert/bert-base-uncased"),
        ("http://hf.co/owner/name/", "owner/name"),
        ("https://huggingface.co/owner/name/tree/main", "owner/name"),
        ("https://huggingface.co/owner/name/tree/v1.0/a/b", "owner/name@v1.0:a/b"),
        ("https://huggingface.co/owner/name/blob/main/config.json?x=1", "owner/name"),
        ("https://huggingface.co/owner/name/resolve/v1/sub/vocab.txt", "owner/name@v1:sub"),
    ],
)
def test_the_error_for_an_address_names_the_model(address: str, name: str) -> None:
    with pytest.raises(ModelError, match="is an address, expected the name of a model") as caught:
        find_model(address)
    assert caught.value.hint == f'use model="{name}"'


def test_the_bundled_model_is_suggested_for_its_name_in_capitals() -> None:
    assert similar_models("Mini", n=1) == ["mini"]


def test_a_pointer_in_the_cache_of_the_hub_is_downloaded_again(
    tiny_bert: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "models--owner--name"
    copy = shutil.copytree(tiny_bert, repository / "snapshots" / "0123")
    (copy / "model.safetensors").write_text(POINTER)
    with pytest.raises(ModelError, match="a git-lfs pointer to it") as caught:
        find_model(str(copy))
    assert caught.value.hint == (
        f"remove the folder {repository} and run the same command again: it is downloaded again"
    )
