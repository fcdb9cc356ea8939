"""Vectors against the article's own way of getting them: one forward pass a token."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support import models as models_on_disk
from wordvec.errors import MissingExtraError, ModelError, StoreError, UsageError
from wordvec.extraction.extract import Dtype, Settings, extract
from wordvec.extraction.static import static_vectors
from wordvec.models.find import find_model
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.progress import Progress

    TinyModel = Callable[[str], Path]

SPECIALS = {
    "bert": (2, 3),
    "distilbert": (2, 3),
    "electra": (2, 3),
    "roberta": (0, 2),
    "albert": (2, 3),
    "deberta-v2": (2, 3),
    "modernbert": (1, 2),
}
"""[CLS] and [SEP] of each tiny model, as its maker in models_on_disk.py numbers them."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


def articles_loop(folder: Path, cls_id: int, sep_id: int) -> NDArray[np.float32]:
    """The article's way: one forward pass for each id, the hidden state at position 1."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).float().eval()
    rows = []
    with torch.no_grad():
        for id_ in range(len(read_vocabulary(folder))):
            hidden = model(input_ids=torch.tensor([[cls_id, id_, sep_id]])).last_hidden_state
            rows.append(hidden[0, 1].numpy())
    return np.stack(rows)


def assert_close(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
    """|Δ| ≤ 1e-5 + 1e-4 × the row's largest absolute value, in every row."""
    limit = 1e-5 + 1e-4 * np.abs(theirs).max(axis=1, keepdims=True)
    assert ours.shape == theirs.shape
    assert np.all(np.abs(ours - theirs) <= limit)


def top10(vectors: NDArray[np.float32], query: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(np.linalg.norm(vectors - query, axis=1), kind="stable")[:10]


@pytest.mark.parametrize("name", SPECIALS)
def test_dynamic_vectors_are_those_of_the_articles_loop(
    name: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    table = _extracted(folder, Mode.DYNAMIC, store, batch_size=16)
    assert_close(table, articles_loop(folder, *SPECIALS[name]))


def test_analogies_have_the_same_ten_neighbours_as_by_the_articles_loop(
    tiny_bert: Path, store: Store
) -> None:
    ours = _extracted(tiny_bert, Mode.DYNAMIC, store)
    theirs = articles_loop(tiny_bert, *SPECIALS["bert"])
    for a, b, c in np.random.default_rng(0).integers(0, len(ours), (1000, 3)):
        queries = [(rows[a] - rows[b] + rows[c]).astype(np.float64) for rows in (ours, theirs)]
        assert list(top10(ours, queries[0])) == list(top10(theirs, queries[1]))


@pytest.mark.parametrize("name", [*SPECIALS, "gpt2", "t5"])
def test_static_vectors_are_the_models_input_embeddings(name: str, tiny_model: TinyModel) -> None:
    import transformers

    folder = tiny_model(name)
    vocabulary = read_vocabulary(folder)
    matrix = transformers.AutoModel.from_pretrained(folder).get_input_embeddings().weight
    expected = matrix.detach().float().numpy()[: len(vocabulary)]
    np.testing.assert_array_equal(static_vectors(folder, vocabulary), expected)


def test_static_and_dynamic_widths_may_differ(tiny_model: TinyModel, store: Store) -> None:
    outcome = extract(str(tiny_model("albert")), Mode.DYNAMIC, store)
    assert outcome.also is not None
    static, dynamic = store.open(outcome.also), store.open(outcome.table)
    assert (static.dimensions, dynamic.dimensions) == (16, 32)
    assert len(static) == len(dynamic)


def test_a_matrix_padded_with_rows_gives_one_row_a_token(tmp_path: Path, store: Store) -> None:

    folder = models_on_disk.japanese_bert(tmp_path / "padded", rows=88)
    assert len(models_on_disk.JAPANESE) == 82
    assert _extracted(folder, Mode.STATIC, store).shape == (82, 32)
    assert _extracted(folder, Mode.DYNAMIC, store).shape == (82, 32)


def test_a_matrix_with_fewer_rows_than_tokens_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "short")
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("もう一つ\n")
    with pytest.raises(ModelError, match=r"expected \(83, D\) word embeddings, got \(82, 32\) in "):
        static_vectors(folder, read_vocabulary(folder))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_matrix_kept_in_another_precision_becomes_float32(
    dtype: str, tiny_bert: Path, tmp_path: Path
) -> None:
    import torch
    import transformers

    folder = shutil.copytree(tiny_bert, tmp_path / dtype)
    model = transformers.BertModel.from_pretrained(folder).to(getattr(torch, dtype))
    model.save_pretrained(folder)
    expected = model.get_input_embeddings().weight.detach().float().numpy()
    vectors = static_vectors(folder, read_vocabulary(folder))
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, expected)


def test_a_model_kept_in_float16_is_computed_in_float32(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    import transformers

    folder = shutil.copytree(tiny_bert, tmp_path / "half")
    transformers.BertModel.from_pretrained(folder).half().save_pretrained(folder)
    ours = _extracted(folder, Mode.DYNAMIC, store)
    assert_close(ours, articles_loop(folder, 2, 3))  # which widens the weights first
    assert len(np.unique(ours)) > len(np.unique(ours.astype(np.float16)))


def test_bfloat16_is_off_by_about_a_hundredth(tiny_bert: Path, store: Store) -> None:
    exact = _extracted(tiny_bert, Mode.DYNAMIC, store)
    settings = Settings(dtype=Dtype.BFLOAT16)
    outcome = extract(str(tiny_bert), Mode.DYNAMIC, store, settings=settings, force=True)
    rough = store.open(outcome.table).vectors
    error = np.linalg.norm(rough - exact) / np.linalg.norm(exact)
    assert 1e-4 < error < 0.02
    assert store.provenance(outcome.table).dtype == "bfloat16"


@pytest.mark.parametrize("kind", ["sharded", "in_pytorch_format"])
def test_weights_in_shards_or_in_pytorchs_format_give_the_same_vectors(
    kind: str, tiny_bert: Path, tmp_path: Path, store: Store
) -> None:

    folder = getattr(models_on_disk, kind)(tmp_path / kind)
    assert not (folder / "model.safetensors").exists()
    other = Store(tmp_path / "other")
    for mode in Mode:
        np.testing.assert_array_equal(
            _extracted(folder, mode, store), _extracted(tiny_bert, mode, other)
        )


def test_a_pytorch_file_that_holds_more_than_weights_is_refused_and_nothing_runs(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    import torch

    folder = shutil.copytree(tiny_bert, tmp_path / "evil")
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": _Trap(tmp_path)}, folder / "pytorch_model.bin")
    for mode in Mode:
        with pytest.raises(
            ModelError, match=r"was refused: it holds more than weights \(GLOBAL io\.open\)"
        ):
            extract(str(folder), mode, store)
    assert not (tmp_path / "sprung").exists()


class _Trap:
    """Unpickled carelessly, it leaves a file behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.folder / "sprung"), "w"))


@pytest.mark.parametrize("keep", [4, 1000, -8])
def test_truncated_weights_are_named(keep: int, tiny_bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"model\.safetensors is truncated or damaged"):
        static_vectors(folder, read_vocabulary(folder))


@pytest.mark.parametrize("form", ["archive", "legacy"])  # torch 1.6 brought archives
def test_a_pytorch_file_is_read_once_and_damage_to_it_named(
    form: str, tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    folder = models_on_disk.in_pytorch_format(tmp_path / "bin")
    weights, vocabulary = folder / "pytorch_model.bin", read_vocabulary(folder)
    state = torch.load(weights, weights_only=True)
    torch.save(state, weights, _use_new_zipfile_serialization=form == "archive")
    loads: list[Path] = []
    load = torch.load

    def counted(path: Path, **options: Any) -> object:
        loads.append(path)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", counted)
    vectors = static_vectors(folder, vocabulary)
    np.testing.assert_array_equal(vectors, static_vectors(tiny_bert, vocabulary))
    assert loads == [weights]
    weights.write_bytes(weights.read_bytes()[:-5000])
    with pytest.raises(ModelError, match=r"pytorch_model\.bin (is truncated or damaged|was ref)"):
        static_vectors(folder, vocabulary)


def test_a_model_that_lacks_weights_is_refused_rather_than_drawn_at_random(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "holes")
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError,
        match=r"its files lack 1 weights of the encoder \(encoder.layer.1.output.dense.weight …\)",
    ):
        extract(str(folder), Mode.DYNAMIC, store)


def test_a_quantised_matrix_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny_bert, tmp_path / "int8")
    tensors = load_file(folder / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    tensors[name] = tensors[name].astype(np.int8)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=f"{name} is kept as I8, not as BF16, F16, F32, F64"):
        static_vectors(folder, read_vocabulary(folder))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("gpt2", "is a decoder, which sees no token after the one it reads"),
        ("t5", "is an encoder and a decoder"),
    ],
)
def test_a_model_that_is_no_encoder_has_no_dynamic_vectors(
    name: str, what: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    with pytest.raises(ModelError, match=what) as caught:
        extract(str(folder), Mode.DYNAMIC, store)
    assert caught.value.hint == (
        f"its static vectors: wordvec extract --mode static --model {folder}"
    )


def test_a_model_with_code_of_its_own_is_refused_and_the_code_not_run(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "own-code")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": "novel", "auto_map": {"AutoConfig": "code.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    with pytest.raises(ModelError, match="transformers cannot load it"):
        extract(str(folder), Mode.DYNAMIC, store)
    assert not (tmp_path / "sprung").exists()


def test_a_device_that_is_not_there_is_wrong_usage(tiny_bert: Path, store: Store) -> None:
    import torch

    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(UsageError, match=f"--device {absent}: torch finds no such device here"):
        extract(str(tiny_bert), Mode.DYNAMIC, store, settings=Settings(device=absent))


def test_a_table_that_is_there_is_left_as_it_is(tiny_bert: Path, store: Store) -> None:
    first = extract(str(tiny_bert), Mode.DYNAMIC, store)
    made = (first.folder / "manifest.json").stat().st_mtime_ns
    second = extract(str(tiny_bert), Mode.DYNAMIC, store)
    assert (first.existed, second.existed) == (False, True)
    assert (second.folder / "manifest.json").stat().st_mtime_ns == made


def test_a_table_in_another_precision_is_replaced_only_by_force(
    tiny_bert: Path, store: Store
) -> None:
    extract(str(tiny_bert), Mode.DYNAMIC, store)
    rough = Settings(dtype=Dtype.BFLOAT16)
    with pytest.raises(
        StoreError, match="there already, but was made in float32, not bfloat16"
    ) as caught:
        extract(str(tiny_bert), Mode.DYNAMIC, store, settings=rough)
    assert caught.value.hint == "--force makes it anew in its place"


def test_a_table_of_other_weights_is_replaced_only_by_force(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "model")
    extract(str(folder), Mode.STATIC, store)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x00\x01")
    with pytest.raises(StoreError, match="of the model, which is sha256:"):
        extract(str(folder), Mode.STATIC, store)
    assert not extract(str(folder), Mode.STATIC, store, force=True).existed


def test_what_a_table_was_made_with_stands_in_its_manifest(tiny_bert: Path, store: Store) -> None:
    import torch

    outcome = extract(str(tiny_bert), Mode.DYNAMIC, store, settings=Settings(batch_size=7))
    provenance = store.provenance(outcome.table)
    assert set(provenance.versions) == {"wordvec", "numpy", "torch", "transformers"}
    assert provenance.revision == find_model(str(tiny_bert)).revision
    manifest = json.loads((store.paths(outcome.table).table / "manifest.json").read_text("utf-8"))
    settings = manifest["settings"]
    assert settings["batch_size"] == 7
    assert settings["threads"] == torch.get_num_threads()
    assert str(settings["device"]).startswith("cpu (")


def test_progress_is_told_batch_by_batch(tiny_bert: Path, store: Store) -> None:
    told: list[tuple[int, int]] = []
    extract(
        str(tiny_bert),
        Mode.DYNAMIC,
        store,
        settings=Settings(batch_size=32),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 82), (32, 82), (64, 82), (82, 82)]


def test_an_extraction_that_broke_off_goes_on_and_comes_out_the_same_to_the_last_bit(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    settings = Settings(batch_size=32)
    whole = extract(str(tiny_bert), Mode.DYNAMIC, Store(tmp_path / "whole"), settings=settings)
    with pytest.raises(KeyboardInterrupt):
        extract(
            str(tiny_bert), Mode.DYNAMIC, store, settings=settings, progress=_interrupting_at(64)
        )
    told: list[str] = []
    resumed = extract(str(tiny_bert), Mode.DYNAMIC, store, settings=settings, tell=told.append)
    assert told == ["taken up where an earlier call stopped: 64 of 82 tokens"]
    assert resumed.resumed_from == 64
    for file in ("vectors.npy", "norms.npy", "tokens.json"):
        assert (resumed.folder / file).read_bytes() == (whole.folder / file).read_bytes()


def test_an_extraction_with_other_settings_begins_anew_and_says_so(
    tiny_bert: Path, store: Store
) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract(
            str(tiny_bert),
            Mode.DYNAMIC,
            store,
            settings=Settings(batch_size=32),
            progress=_interrupting_at(32),
        )
    told: list[str] = []
    outcome = extract(
        str(tiny_bert), Mode.DYNAMIC, store, settings=Settings(batch_size=16), tell=told.append
    )
    assert outcome.resumed_from == 0
    assert told == [
        "an unfinished extraction cannot be taken up (batch_size was 32 and is 16): beginning anew"
    ]


def test_an_interrupted_replacement_leaves_the_old_table(tiny_bert: Path, store: Store) -> None:
    extract(str(tiny_bert), Mode.DYNAMIC, store)
    name = TableName(str(tiny_bert), Mode.DYNAMIC)
    before = store.open(name).vectors.copy()
    with pytest.raises(KeyboardInterrupt):
        extract(
            str(tiny_bert),
            Mode.DYNAMIC,
            store,
            settings=Settings(dtype=Dtype.BFLOAT16, batch_size=32),
            force=True,
            progress=_interrupting_at(64),
        )
    np.testing.assert_array_equal(store.open(name).vectors, before)


def test_without_torch_dynamic_vectors_name_what_to_install(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="extracting dynamic vectors needs torch") as caught:
        extract(str(tiny_bert), Mode.DYNAMIC, store)
    assert caught.value.hint == "pip install 'wordvec[extract]'"


def test_without_torch_no_model_is_fetched_in_vain(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setattr("wordvec.extraction.extract.find_model", _not_to_be_called)
    with pytest.raises(MissingExtraError, match="vectors needs transformers, which is not inst"):
        extract("owner/model", Mode.DYNAMIC, store)


def test_a_torch_that_cannot_be_loaded_is_told_apart_from_none(
    tiny_bert: Path, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libtorch.so: no such file\\nand more')")
    done = subprocess.run(
        [sys.executable, "-m", "wordvec", "extract", "--mode", "dynamic", "--model", tiny_bert],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: torch is installed, but cannot be loaded: libtorch.so: no such file\n"
        "Hint: pip install --force-reinstall torch\n"
    )


def _not_to_be_called(*_: object, **__: object) -> None:
    pytest.fail("a model was looked for")


def _extracted(
    folder: Path, mode: Mode, store: Store, *, batch_size: int = 512
) -> NDArray[np.float32]:
    outcome = extract(str(folder), mode, store, settings=Settings(batch_size=batch_size))
    return store.open(outcome.table).vectors


def _interrupting_at(rows: int) -> Progress:
    """Ctrl-C, as soon as so many rows are done."""

    def progress(done: int, total: int) -> None:
        if done >= min(rows, total):
            raise KeyboardInterrupt

    return progress
