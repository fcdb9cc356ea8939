"""`extract` as a whole: arguments, saved tables, interruption and resumption."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wordvec.errors import MissingExtraError, StoreError, UsageError
from wordvec.extraction import dynamic
from wordvec.extraction.extract import extract
from wordvec.models.find import find_model
from wordvec.tables.manifest import Manifest
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import MANIFEST
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from wordvec.extraction.linear import Choice
    from wordvec.extraction.saved import ExtractionResult
    from wordvec.progress import Progress


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


def extract_dynamic(folder: Path, store: Store, **options: Any) -> ExtractionResult:
    return extract(str(folder), "dynamic", store, **options)


def interrupt_at(rows: int) -> Progress:
    """Return a progress callback that raises KeyboardInterrupt once so many rows are done."""

    def progress(done: int, total: int) -> None:
        if done >= min(rows, total):
            raise KeyboardInterrupt

    return progress


def read_settings(result: ExtractionResult) -> dict[str, object]:
    return Manifest.read(result.folder / MANIFEST).settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "dynamics"}, "unknown mode 'dynamics': expected static, dynamic or contextual"),
        ({"device": "gpu"}, "unknown device 'gpu': expected auto, cpu, cuda or mps"),
        ({"dtype": "half"}, "unknown dtype 'half': expected auto, float32 or bfloat16"),
        ({"batch_size": 0}, "batch_size=0: expected a positive integer"),
        ({"batch_size": 1.5}, "batch_size=1.5: expected a positive integer"),
    ],
)
def test_an_argument_of_another_value_is_a_usage_error_that_names_the_choices(
    arguments: dict[str, Any], message: str, tiny_bert: Path, store: Store
) -> None:
    options = {"mode": "static", **arguments}
    with pytest.raises(UsageError, match=message):
        extract(str(tiny_bert), options.pop("mode"), store, **options)


def test_the_name_of_a_table_is_not_a_model(store: Store) -> None:
    for name in ("mini:static", "owner/name@v1:static"):
        with pytest.raises(
            UsageError, match=f"{name} is the name of a table, expected a"
        ) as caught:
            extract(name, "static", store)
        model = name.removesuffix(":static")
        assert caught.value.hint == f"wordvec extract --mode static --model {model}"


def test_the_table_of_a_model_in_shards_is_up_to_date_with_one_shard_too(
    sharded_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(sharded_bert, tmp_path / "copy")
    first, *others = sorted(folder.glob("model-*.safetensors"))
    extract_dynamic(folder, store)  # saves the static table too
    for shard in others:
        shard.unlink()
    assert extract(str(folder), "static", store).existed
    assert extract(str(folder), "static", store, force=True).shape == (82, 32)
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match="of the model, which is now sha256:"):
        extract(str(folder), "static", store)


def test_strings_and_enums_give_the_same_table(tiny_bert: Path, tmp_path: Path) -> None:
    by_enum = extract(str(tiny_bert), Mode.DYNAMIC, Store(tmp_path / "a"))
    by_string = extract(str(tiny_bert), "dynamic", Store(tmp_path / "b"))
    assert by_string.table == by_enum.table
    ours, theirs = ((r.folder / "vectors.npy").read_bytes() for r in (by_string, by_enum))
    assert ours == theirs


def test_an_existing_table_is_left_as_it_is(tiny_bert: Path, store: Store) -> None:
    first = extract_dynamic(tiny_bert, store)
    written = (first.folder / MANIFEST).stat().st_mtime_ns
    second = extract_dynamic(tiny_bert, store)
    assert (first.existed, second.existed) == (False, True)
    assert (second.folder / MANIFEST).stat().st_mtime_ns == written


def test_a_table_of_another_dtype_is_replaced_only_with_force(
    tiny_bert: Path, store: Store
) -> None:
    extract_dynamic(tiny_bert, store)
    with pytest.raises(
        StoreError, match="already exists, but was extracted in float32, not bfloat16"
    ) as caught:
        extract_dynamic(tiny_bert, store, dtype="bfloat16")
    assert caught.value.hint == 'variant="NAME" keeps both; force=True replaces it'
    result = extract_dynamic(tiny_bert, store, dtype="bfloat16", force=True)
    assert store.provenance(result.table).dtype == "bfloat16"


def test_a_table_of_other_weights_is_replaced_only_with_force(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "model")
    extract(str(folder), "static", store)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x00\x01")
    with pytest.raises(StoreError, match="of the model, which is now sha256:"):
        extract(str(folder), "static", store)
    assert not extract(str(folder), "static", store, force=True).existed


def test_the_manifest_records_how_a_table_was_extracted(tiny_bert: Path, store: Store) -> None:
    import torch

    result = extract_dynamic(tiny_bert, store, batch_size=7)
    provenance = store.provenance(result.table)
    assert set(provenance.versions) == {"wordvec", "numpy", "torch", "transformers"}
    assert provenance.revision == find_model(str(tiny_bert)).revision
    settings = read_settings(result)
    assert settings["batch_size"] == 7
    assert settings["threads"] == torch.get_num_threads()
    assert str(settings["device"]).startswith("cpu (")
    assert settings["linear"] == "plain"  # a tiny model is not timed


def test_progress_is_reported_after_each_batch(tiny_bert: Path, store: Store) -> None:
    calls: list[tuple[int, int]] = []
    extract_dynamic(
        tiny_bert, store, batch_size=32, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(0, 82), (32, 82), (64, 82), (82, 82)]


def test_an_interrupted_extraction_resumes_and_gives_the_same_bytes(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    whole = extract_dynamic(tiny_bert, Store(tmp_path / "whole"), batch_size=32)
    with pytest.raises(KeyboardInterrupt):
        extract_dynamic(tiny_bert, store, batch_size=32, progress=interrupt_at(64))
    notes: list[str] = []
    resumed = extract_dynamic(tiny_bert, store, batch_size=32, notify=notes.append)
    assert notes == ["resuming an interrupted extraction at 64 of 82 tokens"]
    for file in ("vectors.npy", "norms.npy", "tokens.json"):
        assert (resumed.folder / file).read_bytes() == (whole.folder / file).read_bytes()


@pytest.mark.parametrize(("first", "second"), [("packed", "plain"), ("plain", "packed")])
def test_an_extraction_resumes_with_the_recorded_product_whatever_is_faster_now(
    first: str, second: str, tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from wordvec.extraction import linear

    if not linear.can_pack(torch.zeros((1, 32))):
        pytest.skip("this torch has no packed product")
    monkeypatch.setattr(linear, "MIN_FLOPS", 0)

    def plant(product: str) -> None:
        times = {
            linear.Way(torch.float32, each): float(each.value != product) + 1
            for each in linear.Product
        }
        monkeypatch.setattr(linear, "time_ways", lambda _: times)

    plant(first)
    with pytest.raises(KeyboardInterrupt):
        extract_dynamic(tiny_bert, store, batch_size=32, progress=interrupt_at(64))
    plant(second)
    notes: list[str] = []
    resumed = extract_dynamic(tiny_bert, store, batch_size=32, notify=notes.append)
    assert notes == ["resuming an interrupted extraction at 64 of 82 tokens"]
    assert read_settings(resumed)["linear"] == first


def test_an_interrupted_extraction_of_another_dtype_does_not_decide_the_product(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[object] = []
    prepare = dynamic.prepare

    def spy(*args: Any, **options: Any) -> Choice:
        recorded.append(options["recorded"])
        return prepare(*args, **options)

    monkeypatch.setattr(dynamic, "prepare", spy)
    for dtype in ("float32", "float32", "bfloat16"):
        with pytest.raises(KeyboardInterrupt):
            extract_dynamic(tiny_bert, store, dtype=dtype, batch_size=32, progress=interrupt_at(32))
    assert recorded == [(None, None), ("float32", "plain"), (None, None)]


def test_an_extraction_with_other_settings_starts_over_and_says_so(
    tiny_bert: Path, store: Store
) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract_dynamic(tiny_bert, store, batch_size=32, progress=interrupt_at(32))
    notes: list[str] = []
    extract_dynamic(tiny_bert, store, batch_size=16, notify=notes.append)
    assert notes == [
        "cannot resume the interrupted extraction (batch_size was 32 and is 16); starting over"
    ]


def test_an_interrupted_replacement_leaves_the_old_table(tiny_bert: Path, store: Store) -> None:
    extract_dynamic(tiny_bert, store)
    name = TableName(str(tiny_bert), Mode.DYNAMIC)
    before = store.open(name).vectors.copy()
    with pytest.raises(KeyboardInterrupt):
        extract_dynamic(
            tiny_bert, store, dtype="bfloat16", batch_size=32, force=True, progress=interrupt_at(64)
        )
    np.testing.assert_array_equal(store.open(name).vectors, before)


def test_without_torch_the_error_says_what_to_install(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="extracting dynamic vectors needs torch") as caught:
        extract_dynamic(tiny_bert, store)
    assert caught.value.hint == "pip install 'wordvec[extract]'"


def test_without_transformers_no_model_is_downloaded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_to_be_called(*_: object, **__: object) -> None:
        pytest.fail("find_model was called")

    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setattr("wordvec.extraction.extract.find_model", not_to_be_called)
    with pytest.raises(MissingExtraError, match="vectors needs transformers, which is not inst"):
        extract("owner/model", "dynamic", store)


def test_a_torch_that_cannot_be_loaded_is_distinguished_from_a_missing_one(
    tiny_bert: Path, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libtorch.so: no such file\\nand more')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "wordvec", "extract", "--mode", "dynamic", "--model", tiny_bert],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: torch is installed, but cannot be loaded: libtorch.so: no such file\n"
        "Hint: pip install --force-reinstall torch\n"
    )
