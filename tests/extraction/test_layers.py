"""Layers, pools and templates, compared with transformers' own hidden states and with model2vec."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wordvec.errors import MissingExtraError, StoreError, UsageError
from wordvec.extraction.carriers import make_carriers
from wordvec.extraction.extract import extract
from wordvec.extraction.settings import ExtractionSettings, Layers
from wordvec.models.bundled import bundled_folder
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.progress import Progress

    TinyModel = Callable[[str], Path]

ENCODERS = ["bert", "distilbert", "electra", "roberta", "albert", "deberta-v2", "modernbert",
            "xlm-roberta", "luke", "mpnet"]  # fmt: skip


def hidden_states(folder: Path, sentences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return transformers' hidden states of each sentence alone: (sentences, layers, T, D).

    The last ones are the model's output: some versions have a norm between them and the last layer.
    """
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).float().eval()
    with torch.no_grad():
        outputs = [
            model(input_ids=torch.tensor([list(ids)]), output_hidden_states=True)
            for ids in sentences
        ]
    return np.stack(
        [
            torch.cat([*output.hidden_states[:-1], output.last_hidden_state]).numpy()
            for output in outputs
        ]
    )


def extract_rows(
    folder: Path, store: Store, kinds: Sequence[str] = ("dynamic",), **options: Any
) -> list[NDArray[np.float32]]:
    """Extract and return the vectors of the tables with these names."""
    result = extract(str(folder), "dynamic", store, **options)
    assert [table.name.kind for table in result.tables] == list(kinds)
    return [store.open(table.name).vectors for table in result.tables]


def assert_close(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
    """|Δ| ≤ 1e-5 + 1e-4 × the row's largest absolute value, in every row."""
    limit = 1e-5 + 1e-4 * np.abs(theirs).max(axis=1, keepdims=True)
    assert ours.shape == theirs.shape
    assert np.all(np.abs(ours - theirs) <= limit)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store")


@pytest.mark.parametrize("name", ENCODERS)
def test_each_layer_has_the_hidden_states_that_transformers_returns(
    name: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    vocabulary = read_vocabulary(folder)
    alone = [
        (vocabulary.cls_id or 0, row, vocabulary.sep_id or 0) for row in range(len(vocabulary))
    ]
    theirs = hidden_states(folder, alone)[:, :, 1]
    assert theirs.shape[1] == 3  # the embedding block and two layers
    ours = extract_rows(folder, store, ["dynamic@0", "dynamic@1", "dynamic"], layers="all",
                        batch_size=16)  # fmt: skip
    for layer, rows in enumerate(ours):
        assert_close(rows, theirs[:, layer])
    assert not np.allclose(ours[0], ours[1])
    assert not np.allclose(ours[1], ours[2])


def test_one_pass_over_all_layers_gives_the_bytes_of_passes_for_each(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    together = extract_rows(tiny_bert, store, ["dynamic@0", "dynamic@1", "dynamic"], layers="all")
    other = Store(tmp_path / "other")
    kinds = {0: "dynamic@0", 1: "dynamic@1", 2: "dynamic"}
    for layer, rows in enumerate(together):
        [alone] = extract_rows(tiny_bert, other, [kinds[layer]], layers=layer)
        np.testing.assert_array_equal(rows, alone)


def test_the_last_layer_is_the_table_without_a_number(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    [by_number] = extract_rows(tiny_bert, store, layers="2")
    [by_default] = extract_rows(tiny_bert, Store(tmp_path / "other"))
    np.testing.assert_array_equal(by_number, by_default)
    provenance = store.provenance(TableName(str(tiny_bert), Mode.DYNAMIC))
    assert (provenance.layer, provenance.layers) == (None, 2)


def test_only_the_missing_layers_are_extracted(tiny_bert: Path, store: Store) -> None:
    extract(str(tiny_bert), "dynamic", store, layers=[1])
    result = extract(str(tiny_bert), "dynamic", store, layers="all")
    assert [table.existed for table in result.tables] == [False, True, False]
    assert not result.existed
    assert extract(str(tiny_bert), "dynamic", store, layers="all").existed
    again = extract(str(tiny_bert), "dynamic", store, layers="0,2", force=True)
    assert [table.existed for table in again.tables] == [False, False]


def test_layers_that_exist_without_the_last_one_are_left_as_they_are(
    tiny_bert: Path, store: Store
) -> None:
    for existed in (False, True):
        result = extract(str(tiny_bert), "dynamic", store, layers="0,1")
        assert [table.name.kind for table in result.tables] == ["dynamic@0", "dynamic@1"]
        assert [table.existed for table in result.tables] == [existed, existed]


def test_existing_layers_are_found_without_loading_the_model(
    tiny_bert: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract(str(tiny_bert), "dynamic", store, layers="all")
    monkeypatch.setattr("wordvec.extraction.dynamic_tables.extract_dynamic", None)
    for layers in (None, "all", "0,1", 2):
        assert extract(str(tiny_bert), "dynamic", store, layers=layers).existed


def test_a_layer_that_the_model_does_not_have_is_refused(tiny_bert: Path, store: Store) -> None:
    with pytest.raises(UsageError, match="has no layer 3: its layers are 0 to 2") as caught:
        extract(str(tiny_bert), "dynamic", store, layers="0,3")
    assert caught.value.hint == 'layers="all"'
    assert store.tables() == []


@pytest.mark.parametrize(
    ("written", "layers"),
    [
        (None, Layers()),
        ("all", Layers(every=True)),
        ("12,0, 4", Layers((0, 4, 12))),
        ("0、1", Layers((0, 1))),
        (4, Layers((4,))),
        ([4, 0, 4], Layers((0, 4))),
    ],
)
def test_layers_are_read_as_typed(written: Any, layers: Layers) -> None:
    assert Layers.of(written) == layers


@pytest.mark.parametrize("written", ["", "last", "-1", "1.5", "0-4", [], [-1], 1.5])
def test_layers_that_are_no_numbers_are_refused(written: Any) -> None:
    with pytest.raises(UsageError, match="expected all, or numbers with commas between them"):
        Layers.of(written)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "all"}, "layers are not for static vectors"),
        ({"pool": "mean"}, "pool and templates are not for static vectors"),
        ({"templates": ["{}です"]}, "pool and templates are not for static vectors"),
    ],
)
def test_static_vectors_have_no_layers_pools_and_templates(
    options: dict[str, Any], message: str, tiny_bert: Path, store: Store
) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        extract(str(tiny_bert), "static", store, **options)


def test_a_killed_pass_over_several_layers_resumes_and_gives_the_same_bytes(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    def stop_at(rows: int) -> Progress:
        def progress(done: int, total: int) -> None:
            if rows <= done < total:
                raise KeyboardInterrupt

        return progress

    kinds = ["dynamic@0", "dynamic@1", "dynamic"]
    whole = Store(tmp_path / "whole")
    theirs = extract_rows(tiny_bert, whole, kinds, layers="all", batch_size=16)
    with pytest.raises(KeyboardInterrupt):
        extract(str(tiny_bert), "dynamic", store, layers=0, batch_size=16, progress=stop_at(32))
    with pytest.raises(KeyboardInterrupt):
        extract(str(tiny_bert), "dynamic", store, layers="all", batch_size=16, progress=stop_at(1))
    # layer 0 is ahead of the others
    assert [info.done for info in store.tables() if info.done is not None] == [32, 16, 16]
    notes: list[str] = []
    ours = extract_rows(tiny_bert, store, kinds, layers="all", batch_size=16, notify=notes.append)
    assert notes == ["resuming an interrupted extraction at 16 of 82 tokens"]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


# tokenizer.json defines the whole tokenizer; transformers' own classes build another one from it
FAST = ("roberta", "luke", "modernbert")
SENTENCES = {"bert": ("{}の女", "王の{}、"), "roberta": ("{} of the island", "王{}と女王")}
CASES = [(name, pool) for name in SENTENCES for pool in ("token", "mean", "mean-all", "cls")]


def masked(folder: Path, name: str, template: str) -> tuple[list[int], int]:
    """Return the ids that transformers gives to a template with a mask, and its place."""
    import transformers

    kind = transformers.PreTrainedTokenizerFast if name in FAST else transformers.AutoTokenizer
    tokenizer = kind.from_pretrained(folder)
    vocabulary = read_vocabulary(folder)
    text = template.format(tokenizer.mask_token)
    inner = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in inner
    ids = [vocabulary.cls_id, *inner, vocabulary.sep_id]
    return ids, ids.index(tokenizer.mask_token_id)


@pytest.mark.parametrize(("name", "pool"), CASES)
def test_a_template_puts_the_id_into_the_sentence_that_the_tokenizer_makes(
    name: str, pool: str, tiny_model: TinyModel, store: Store
) -> None:
    folder = tiny_model(name)
    V = len(read_vocabulary(folder))
    theirs = np.zeros((V, 32))
    for template in SENTENCES[name]:
        ids, place = masked(folder, name, template)
        assert 0 < place < len(ids) - 1
        states = hidden_states(
            folder, [[*ids[:place], row, *ids[place + 1 :]] for row in range(V)]
        )[:, 2]
        pooled = {
            "token": states[:, place],
            "mean": states[:, 1:-1].mean(axis=1),
            "mean-all": states.mean(axis=1),
            "cls": states[:, 0],
        }
        theirs += pooled[pool] / 2
    [ours] = extract_rows(folder, store, templates=SENTENCES[name], pool=pool)
    assert_close(ours, theirs.astype(np.float32))


@pytest.mark.parametrize("name", ["bert", "distilbert", "electra", "mpnet", "xlm-roberta", *FAST])
def test_a_template_is_cut_as_transformers_cuts_it_around_a_mask(
    name: str, tiny_model: TinyModel
) -> None:
    folder = tiny_model(name)
    for template in ("王の{}", "{}の王", "女{}の女王", "{} king"):
        ids, place = masked(folder, name, template)
        [carrier] = make_carriers([template], read_vocabulary(folder))
        assert [*carrier.before, ids[place], *carrier.after] == ids, template


@pytest.mark.parametrize(
    ("name", "file"), [("albert", "spiece.model"), ("deberta-v2", "spm.model")]
)
def test_a_template_is_cut_as_sentencepiece_cuts_each_side(
    name: str, file: str, tiny_model: TinyModel
) -> None:
    import sentencepiece

    folder = tiny_model(name)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / file))
    [carrier] = make_carriers(["王の{}と女"], read_vocabulary(folder))
    assert [*carrier.before[1:]] == theirs.encode("王の")
    assert [*carrier.after[:-1]] == theirs.encode("と女")


def test_the_space_before_the_token_belongs_to_the_token(tiny_model: TinyModel) -> None:
    vocabulary = read_vocabulary(tiny_model("roberta"))
    with_space, without = make_carriers(["the {} of", "the{} of"], vocabulary)
    assert with_space == without


def test_a_template_of_the_token_alone_gives_the_table_without_a_template(
    tiny_bert: Path, tmp_path: Path, store: Store
) -> None:
    [plain] = extract_rows(tiny_bert, store)
    [templated] = extract_rows(tiny_bert, Store(tmp_path / "other"), templates=["{}"])
    np.testing.assert_array_equal(plain, templated)


def model2vec_inference() -> Any:
    """Load the module of model2vec that computes vectors; its package needs more libraries."""
    import importlib.util

    import model2vec

    path = Path(model2vec.__file__).parent / "distill" / "inference.py"
    spec = importlib.util.spec_from_file_location("model2vec_inference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_mean_over_all_positions_is_that_of_model2vec(tiny_bert: Path, store: Store) -> None:
    import transformers

    inference = model2vec_inference()

    vocabulary = read_vocabulary(tiny_bert)
    model = transformers.AutoModel.from_pretrained(tiny_bert)
    theirs = inference.create_embeddings(
        model=model,
        tokenized=[[2, row, 3] for row in range(len(vocabulary))],
        device="cpu",
        pad_token_id=0,
        pooling=inference.PoolingMode.MEAN,
    )
    [ours] = extract_rows(tiny_bert, store, pool="mean-all")
    assert_close(ours, theirs)


@pytest.mark.parametrize("template", ["という言葉", "{}と{}", "{0}", ""])
def test_a_template_has_one_place_for_the_token(template: str) -> None:
    with pytest.raises(UsageError, match=r"expected one \{\}, where the token is put"):
        ExtractionSettings(templates=(template,))


def test_full_width_braces_are_read_as_braces() -> None:
    assert ExtractionSettings(templates=("｛｝という言葉",)).templates == ("{}という言葉",)


def test_a_template_that_the_model_cannot_read_is_refused(tiny_bert: Path, store: Store) -> None:
    with pytest.raises(UsageError, match="has 19 positions, more than the model can read"):
        extract(str(tiny_bert), "dynamic", store, templates=["の" + "、" * 15 + "{}"])


def test_a_template_with_unknown_parts_is_refused(tiny_bert: Path) -> None:
    message = "template '王の{} 鬱': the model has no tokens for a part of ' 鬱'"
    with pytest.raises(UsageError, match=re.escape(message)):
        make_carriers(["王の{} 鬱"], read_vocabulary(tiny_bert))


def test_the_bundled_model_cuts_a_template_with_mecab_and_ipadic() -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(bundled_folder())
    vocabulary = read_vocabulary(bundled_folder())
    [carrier] = make_carriers(["昔、{}という言葉があった。"], vocabulary)
    ids = tokenizer("昔、[MASK]という言葉があった。")["input_ids"]
    assert [*carrier.before, tokenizer.mask_token_id, *carrier.after] == ids


def test_without_mecab_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fugashi", None)
    with pytest.raises(MissingExtraError, match="a template needs MeCab") as caught:
        make_carriers(["{}という言葉"], read_vocabulary(bundled_folder()))
    assert caught.value.hint == "pip install 'wordvec[ja]'"


OTHER_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"pool": "mean-all"}, "with pool token, not mean-all"),
    ({"templates": ["{}の"]}, "with template none, not '{}の'"),
    ({"dtype": "bfloat16"}, "in float32, not bfloat16"),
]


@pytest.mark.parametrize(("options", "difference"), OTHER_SETTINGS)
def test_other_settings_never_replace_a_table_unless_told_to(
    options: dict[str, Any], difference: str, tiny_bert: Path, store: Store
) -> None:
    [before] = extract_rows(tiny_bert, store)
    before = before.copy()
    with pytest.raises(StoreError) as caught:
        extract(str(tiny_bert), "dynamic", store, layers="all", **options)
    assert caught.value.message == (
        f"{tiny_bert}:dynamic already exists, but was extracted {difference}"
    )
    assert caught.value.hint == 'variant="NAME" keeps both; force=True replaces it'
    assert [info.name.kind for info in store.tables()] == ["dynamic", "static"]
    np.testing.assert_array_equal(
        store.open(TableName(str(tiny_bert), Mode.DYNAMIC)).vectors, before
    )
    [beside] = extract_rows(tiny_bert, store, ["dynamic.other"], variant="other", **options)
    assert not np.array_equal(beside, before)
    [replaced] = extract_rows(tiny_bert, store, force=True, **options)
    np.testing.assert_array_equal(replaced, beside)


def test_the_manifest_says_what_made_a_table(tiny_bert: Path, store: Store) -> None:
    options: dict[str, Any] = {"pool": "mean", "templates": ["{}の", "の{}"]}
    extract(str(tiny_bert), "dynamic", store, variant="v", layers=[1], **options)
    provenance = store.provenance(TableName(str(tiny_bert), Mode.DYNAMIC, "v", 1))
    assert (provenance.variant, provenance.layer, provenance.layers) == ("v", 1, 2)
    assert provenance.parameters == {"pool": "mean", "template": ["{}の", "の{}"]}


def test_a_damaged_table_is_answered_with_the_command_that_made_it(
    tiny_bert: Path, store: Store
) -> None:
    extract(str(tiny_bert), "dynamic", store, variant="v", layers=[1], templates=["{}の 女"])
    name = TableName(str(tiny_bert), Mode.DYNAMIC, "v", 1)
    (store.paths(name).table / "vectors.npy").write_bytes(b"")
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.open(name)
    assert caught.value.hint == (
        "wordvec extract --mode dynamic --pool token --template '{}の 女' --variant v --layers 1 "
        f"--model {tiny_bert} --force"
    )


def test_a_variant_of_static_vectors_stands_beside_them(tiny_bert: Path, store: Store) -> None:
    for variant in (None, "kept"):
        extract(str(tiny_bert), "static", store, variant=variant)
    assert [info.name.kind for info in store.tables()] == ["static", "static.kept"]
