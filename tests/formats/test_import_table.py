"""Pickled vectors saved as a table of a model."""

from __future__ import annotations

import pickle
import tracemalloc
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import wordvec
from support.killed import killed_at_each_step
from support.tables import table_of
from wordvec.errors import StoreError, UsageError
from wordvec.formats.import_table import (
    ImportResult,
    check_name,
    import_pickle,
    import_vectors,
    name_of_file,
)
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import nfc
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pickle_becomes_a_table_with_the_vocabulary_of_its_model(
    tiny_bert: Path, tmp_path: Path
) -> None:
    vocabulary = read_vocabulary(tiny_bert)
    rows = np.arange(len(vocabulary) * 3, dtype=np.float32).reshape(-1, 3)
    (tmp_path / "x").write_bytes(pickle.dumps(dict(enumerate(rows))))
    table = import_pickle(tmp_path / "x", str(tiny_bert), Mode.STATIC, Store())
    assert table.vectors.tobytes() == rows.tobytes()
    assert table.vocabulary == vocabulary
    assert (table.provenance.source, table.name.mode) == ("import", Mode.STATIC)


def test_an_existing_table_is_replaced_only_with_force(tiny_bert: Path, tmp_path: Path) -> None:
    store, V = Store(), len(read_vocabulary(tiny_bert))
    for value in (1, 2):
        rows = np.full((V, 3), value, dtype=np.float32)
        (tmp_path / f"{value}").write_bytes(pickle.dumps(dict(enumerate(rows))))
    import_pickle(tmp_path / "1", str(tiny_bert), Mode.STATIC, store)
    with pytest.raises(StoreError, match=r":static already exists$") as error:
        import_pickle(tmp_path / "2", str(tiny_bert), Mode.STATIC, store)
    assert error.value.hint == "force=True replaces it"
    table = import_pickle(tmp_path / "2", str(tiny_bert), Mode.STATIC, store, force=True)
    assert set(table.vectors.flat) == {2}


# Vectors with tokens


def imported(data: bytes, tmp_path: Path, file: str = "x.txt", **options: Any) -> ImportResult:
    """Import a file with this content."""
    (tmp_path / file).write_bytes(data)
    return import_vectors(tmp_path / file, Store(), **options)


def test_a_table_of_words_has_the_vocabulary_of_words(tmp_path: Path) -> None:
    result = imported(b"the 1 2\n</s> 3 4\nking 5 6\n", tmp_path, "my words.vec")
    assert str(result.table.name) == "my-words:static"
    assert result.table.vocabulary == Vocabulary(
        ("the", "</s>", "king"), scheme=Scheme.WORDS, lowercase=True
    )
    assert result.table.provenance.source == "import"
    [info] = Store().tables()
    assert (info.name, info.shape, info.source) == (result.table.name, (3, 2), "import")
    assert Store().verify(result.table.name) == []


def test_a_table_of_pieces_has_its_special_tokens(tmp_path: Path) -> None:
    vocabulary = imported(
        "[PAD] 1\n[CLS] 2\n王 3\n##王 4\nA 5\n".encode(), tmp_path
    ).table.vocabulary
    assert vocabulary.scheme is Scheme.WORDPIECE
    assert vocabulary.special_ids == (0, 1)
    assert not vocabulary.lowercase
    pieces = "<s> 1\n</s> 2\n▁the 3\n▁a 4\n".encode()
    assert imported(pieces, tmp_path, "y").table.vocabulary.special_ids == (0, 1)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("cc.ja.300.vec.gz", "cc.ja.300"),
        ("glove.6B.300d.txt", "glove.6B.300d"),
        ("GoogleNews-vectors-negative300.bin", "GoogleNews-vectors-negative300"),
        ("my vectors (1).csv", "my-vectors-1"),
        ("単語.tsv", "単語"),
        ("-.txt", "vectors"),
        ("..txt", "vectors"),
        ("a:b@c,d.pkl", "a-b-c-d"),
    ],
)
def test_the_name_of_a_file_becomes_the_name_of_a_table(
    file: str, expected: str, tmp_path: Path
) -> None:
    assert name_of_file(tmp_path / file) == expected
    assert check_name(expected) == expected


@pytest.mark.parametrize(
    "name", ["", "a:b", "a/b", "./a", "../a", "~a", "-a", "a b", "a@1", "a,b", "\\a"]
)
def test_a_name_that_means_something_else_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a table: expected letters"):
        import_vectors(tmp_path / "x.txt", Store(), name=name)


def test_the_bundled_models_name_and_a_saved_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='"mini" is the name of the bundled model'):
        imported(b"a 1 2\n", tmp_path, "mini.txt")
    imported(b"a 1 2\n", tmp_path)
    with pytest.raises(StoreError, match=r"^x:static already exists$") as error:
        imported(b"b 1 2\n", tmp_path)
    assert error.value.hint == "force=True replaces it"
    assert imported(b"b 1 2\n", tmp_path, force=True).table.vocabulary.tokens == ("b",)


def test_a_saved_table_wins_over_a_folder_and_the_default_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chive").mkdir()
    (tmp_path / "chive/config.json").touch()
    (tmp_path / "x.txt").write_text("王 1 2\n女 3 4\n", encoding="utf-8")
    table = wordvec.import_vectors("x.txt", "chive")
    assert repr(table) == "chive:static · 2 × 2"
    assert wordvec.open("chive:static").tokens == ["王", "女"]
    monkeypatch.setenv("WORDVEC_MODEL", "chive")
    assert str(wordvec.open("static").name) == "chive:static"


def test_a_pickle_of_words_is_read(tmp_path: Path) -> None:
    rows = {"王": np.array([1, 2], np.float32), "女": np.array([3, 4], np.float64)}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        result = imported(pickle.dumps(rows, protocol), tmp_path, "x.pkl", force=True)
        assert result.table.vocabulary.tokens == ("王", "女")
        assert result.table.vectors.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(
        StoreError, match=r'x.pkl: "b" has an array of shape \(1,\): expected \(2,\)'
    ):
        imported(pickle.dumps({"a": np.ones(2), "b": np.ones(1)}), tmp_path, "x.pkl", force=True)
    with pytest.raises(StoreError, match=r"x.pkl: a key of the dict is a number, not a token"):
        imported(pickle.dumps({"a": np.ones(2), 7: np.ones(2)}), tmp_path, "x.pkl", force=True)


def test_an_exported_pickle_has_its_tokens_beside_it(tmp_path: Path) -> None:
    table = wordvec.Table(table_of({"王": [1, 2], "a\nb": [3, 4], "": [5, 6]}))
    assert table.export(tmp_path / "x.pickle").tokens_path == tmp_path / "x.pickle.tokens.txt"
    back = wordvec.import_vectors(tmp_path / "x.pickle")
    assert back.tokens == ["王", "a\nb", ""]
    assert back.vectors.tobytes() == table.vectors.tobytes()


def test_rows_of_other_widths_and_empty_files_save_nothing(tmp_path: Path) -> None:
    for data, message in ((b"a 1 2\nb 1\n", "line 2 is not"), (b"3 2\n", "has no vectors")):
        with pytest.raises(StoreError, match=message):
            imported(data, tmp_path)
    assert Store().tables() == []
    assert [path.name for path in Store().root.rglob("*.new")] == []


def test_an_unknown_format_and_a_wrong_limit_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown file format 'hdf5': expected word2vec, glove"):
        imported(b"a 1 2\n", tmp_path, file_format="hdf5")
    with pytest.raises(UsageError, match="expected a limit of at least 1, got 0"):
        imported(b"a 1 2\n", tmp_path, limit=0)
    with pytest.raises(UsageError, match=r"model='mini' is for a pickled {id: vector}, not for w"):
        imported(b"a 1 2\n", tmp_path, model="mini")


def test_few_rows_at_a_time_are_in_memory(tmp_path: Path) -> None:
    line = b" ".join([b"0.125"] * 500)
    with (tmp_path / "x.txt").open("wb") as file:
        for row in range(60_000):
            file.write(b"w%d %b\n" % (row, line))
    tracemalloc.start()
    try:
        table = import_vectors(tmp_path / "x.txt", Store()).table
        assert tracemalloc.get_traced_memory()[1] < table.vectors.nbytes / 2
    finally:
        tracemalloc.stop()
    assert set(table.vectors[::999].flat) == {0.125}


IMPORT = """
from pathlib import Path
from wordvec.formats.import_table import import_vectors
from wordvec.tables.store import Store
import_vectors(Path(argument) / "new.txt", Store(Path(argument) / "store"), name="x", force=True)
"""


def test_a_killed_import_leaves_the_old_or_the_new_table(tmp_path: Path) -> None:
    stores = [tmp_path / str(i) for i in range(80)]
    for folder in stores:
        folder.mkdir()
        (folder / "new.txt").write_text("b 3 4\nc 5 6\n", encoding="utf-8")
        (folder / "old.txt").write_text("a 1 2\n", encoding="utf-8")
        import_vectors(folder / "old.txt", Store(folder / "store"), name="x")
    killed = killed_at_each_step(IMPORT, [str(folder) for folder in stores])
    assert killed > 10
    found = []
    for folder in stores[: killed + 1]:
        store = Store(folder / "store")
        name = TableName("x", Mode.STATIC)
        found.append(store.open(name).vocabulary.tokens)
        assert store.verify(name) == []
        again = import_vectors(folder / "new.txt", store, name="x", force=True)
        assert again.table.vocabulary.tokens == ("b", "c")
        assert list((folder / "store").rglob("*.new")) == []
    assert found[0] == ("a",)
    assert found[-1] == ("b", "c")
    assert set(found) == {("a",), ("b", "c")}


def test_a_damaged_imported_table_has_the_command_to_import_it_again(tmp_path: Path) -> None:
    name = imported(b"a 1 2\n", tmp_path).table.name
    (Store().paths(name).table / "norms.npy").unlink()
    with pytest.raises(StoreError, match=r"x:static is damaged: norms.npy is missing") as error:
        Store().open(name)
    assert error.value.hint == "wordvec import FILE --name x --force"


def test_vectors_by_id_have_the_name_of_their_model(tiny_bert: Path, tmp_path: Path) -> None:
    rows = np.ones((len(read_vocabulary(tiny_bert)), 2), np.float32)
    data = pickle.dumps(dict(enumerate(rows)))
    for options in ({"name": "x"}, {"limit": 3}):
        with pytest.raises(UsageError, match=r"x.pkl has vectors by id: the table has the name of"):
            imported(data, tmp_path, "x.pkl", model=str(tiny_bert), **options)


@pytest.mark.parametrize("name", ["static", "dynamic"])
def test_a_mode_cannot_be_the_name_of_a_table(name: str) -> None:
    with pytest.raises(UsageError, match=f'^table="{name}" means the {name} table of the default'):
        check_name(name)


def test_combining_marks_are_parts_of_letters(tmp_path: Path) -> None:
    for name in ("हिन्दी", "ไทย", "Việt", "か\u3099"):
        assert check_name(name) == name_of_file(tmp_path / f"{name}.vec") == nfc(name)
    assert check_name(unicodedata.normalize("NFD", "Việt")) == "Việt"
    for name in ("", "a b", "a/b", "x" * 101, ".x", "-x"):
        with pytest.raises(UsageError, match="cannot be the name of a table"):
            check_name(name)


def test_a_link_names_the_table_as_typed(tmp_path: Path) -> None:
    (tmp_path / "3f2a9c").write_text("king 1 2\nqueen 2 3\n")
    (tmp_path / "glove.txt").symlink_to(tmp_path / "3f2a9c")
    assert str(import_vectors(tmp_path / "glove.txt", Store()).table.name) == "glove:static"
    assert name_of_file(tmp_path / "x" / "..") == name_of_file(tmp_path)
