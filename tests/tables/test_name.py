"""Names of tables, and the folders that they are saved in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.tables import table_of
from wordvec.errors import TableNotFoundError, UsageError
from wordvec.tables.name import Mode, TableName, TableRef
from wordvec.tables.paths import TablePaths, list_folders
from wordvec.tables.resolve import missing_table_hint, resolve_name
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

D = Mode.DYNAMIC
NAMES = {
    "static": TableRef(None, Mode.STATIC),
    "mini:dynamic": TableRef("mini", D),
    "mini:dynamic@0": TableRef("mini", D, None, 0),
    "mini:dynamic@12": TableRef("mini", D, None, 12),
    "mini:dynamic@012": TableRef("mini", D, None, 12),
    "dynamic.short": TableRef(None, D, "short"),
    "mini:dynamic.a-b_1@2": TableRef("mini", D, "a-b_1", 2),
    "mini:static.old": TableRef("mini", Mode.STATIC, "old"),
    "dynamic.青空": TableRef(None, D, "青空"),
    "dynamic.か\u3099": TableRef(None, D, "が"),  # composed
    "owner/name@v1.0:static": TableRef("owner/name@v1.0", Mode.STATIC),
    "owner/name@v1.0:0_Transformer:dynamic@4": TableRef(
        "owner/name@v1.0:0_Transformer", D, None, 4
    ),
    "owner/name:dynamic.x:static": TableRef("owner/name:dynamic.x", Mode.STATIC),
    "owner/name@dynamic:dynamic@1": TableRef("owner/name@dynamic", D, None, 1),
    "C:\\bert.v1@2:dynamic": TableRef("C:\\bert.v1@2", D),
    "/data/a:b@3/c.d:dynamic.e": TableRef("/data/a:b@3/c.d", D, "e"),
}


@pytest.mark.parametrize("written", NAMES)
def test_the_last_colon_separates_the_model_from_mode_variant_and_layer(written: str) -> None:
    assert TableRef.parse(written) == NAMES[written]


@pytest.mark.parametrize("written", NAMES)
def test_a_name_is_read_as_it_is_written(written: str) -> None:
    name = NAMES[written].of_model(NAMES[written].model or "mini")
    assert TableRef.parse(str(name)) == TableRef.of(name)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("mini", "'mini' is not a table name: expected", "wordvec tables"),
        ("mini:dynamics", "'mini:dynamics' is not a table name", "wordvec tables"),
        ("owner/name@static", "'owner/name@static' is not a table name", "wordvec tables"),
        ("mini:dynamic@", "'' is not the number of a layer", "dynamic@0"),
        ("mini:dynamic@-1", "'-1' is not the number of a layer", "dynamic@0"),
        ("mini:dynamic@２", "'２' is not the number of a layer", "dynamic@0"),
        ("dynamic.x@last", "'last' is not the number of a layer", "dynamic.x@0"),
        ("mini:static@0", "'mini:static@0': static vectors have no layers", "static"),
        ("mini:dynamic.", "'' cannot be a variant: expected up to 40 letters", 'variant="short"'),
        ("dynamic.a.b", "'a.b' cannot be a variant", 'variant="short"'),
        ("dynamic.a/b", "'a/b' cannot be a variant", 'variant="short"'),
        ("dynamic." + "x" * 41, "cannot be a variant", 'variant="short"'),
    ],
)
def test_a_name_that_is_none_says_what_is_wrong(written: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        TableRef.parse(written)
    assert message in caught.value.message
    assert caught.value.hint == hint


KINDS = [
    TableName("m", mode, variant, layer)
    for mode in Mode
    for variant in (None, "draft", "new", "old", "A", "青空", "x" * 40, "語" * 40)
    for layer in (None, 0, 12)
]


def test_every_table_has_a_folder_of_its_own(tmp_path: Path) -> None:
    paths = [TablePaths.of(tmp_path, name) for name in KINDS]
    folders = [folder for one in paths for folder in (one.table, one.draft, one.new, one.old)]
    assert len(set(folders)) == len(folders)
    assert len({one.lock for one in paths}) == len(paths)


def test_the_folders_of_a_store_give_back_the_names(tmp_path: Path) -> None:
    names = [name for name in KINDS if name.variant != "語" * 40]  # cut: its manifest has the name
    for name in names:
        TablePaths.of(tmp_path, name).table.mkdir(parents=True)
        TablePaths.of(tmp_path, name).draft.mkdir()
        TablePaths.of(tmp_path, name).new.mkdir()
    found = list_folders(tmp_path)
    assert sorted(str(name) for name, folder in found if folder.suffix != ".draft") == sorted(
        map(str, names)
    )
    assert len(found) == 2 * len(names)
    assert list_folders(tmp_path, "m") == found
    assert list_folders(tmp_path, "n") == []


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Give a store with layers and variants of a model with two layers."""
    store = Store(tmp_path / "store")
    for kind in (("dynamic", None, 0), ("dynamic", None, None), ("dynamic", "short", 1)):
        table = table_of({"王": (1, 0), "女": (0, 1)}, model="made", mode=Mode(kind[0]))
        provenance = replace(table.provenance, variant=kind[1], layer=kind[2], layers=2)
        store.save(replace(table, provenance=provenance))
    return store


def test_tables_of_layers_and_variants_are_saved_side_by_side(store: Store) -> None:
    kinds = ["dynamic", "dynamic.short@1", "dynamic@0"]
    assert sorted(name.kind for name in store.names("made")) == kinds
    for kind in kinds:
        name = TableRef.parse(f"made:{kind}").of_model("made")
        assert store.open(name).name == name
        assert store.verify(name) == []
    infos = store.tables()
    assert [info.name.kind for info in infos] == ["dynamic@0", "dynamic", "dynamic.short@1"]
    assert {info.layers for info in infos} == {2}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("made:dynamic@2", "made:dynamic"), ("made:dynamic@0", "made:dynamic@0"),
     ("made:dynamic@1", "made:dynamic@1")],
)  # fmt: skip
def test_the_number_of_the_last_layer_means_the_table_without_a_number(
    written: str, meant: str, store: Store
) -> None:
    name, notes = resolve_name(TableRef.parse(written), store)
    assert (str(name), notes) == (meant, ())


def test_a_missing_table_is_answered_with_the_command_and_a_similar_name(store: Store) -> None:
    ref = TableRef.parse("made:dynamic.shot@1")
    name, _ = resolve_name(ref, store)
    with pytest.raises(TableNotFoundError, match=r"there is no table made:dynamic\.shot@1 in"):
        store.open(name)
    hint = missing_table_hint(ref, name, store)
    assert hint.splitlines()[:2] == [
        'did you mean table="made:dynamic.short@1"?',
        "wordvec extract --mode dynamic --variant shot --layers 1 --model made",
    ]
