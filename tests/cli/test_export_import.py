"""`wordvec export` and `wordvec import`, as a user runs them."""

from __future__ import annotations

import os
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest

from support.cli import Result, run
from support.tables import table_of
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

ONLY = "only dicts, ints and numpy arrays are read"
WHICH = "check that the vectors were made with this model"
ROWS = {"王": [1.0, -0.1], "a b": [0.0, 2.0], "": [3.0, 4e-9]}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give the store of the commands, with one table, and run in an empty folder."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    store = Store()
    store.save(table_of(ROWS))
    return store


@pytest.fixture
def pickled(tiny_bert: Path, store: Store) -> Path:
    """Give a pickle as in the article, with the vocabulary of the tiny model."""
    assert store.tables()  # the working folder is set
    V = len(read_vocabulary(tiny_bert))
    rows = np.arange(V * 3, dtype=np.float32).reshape(V, 3)
    Path("vectors.pickle").write_bytes(pickle.dumps(dict(enumerate(rows))))
    return Path("vectors.pickle")


def run_here(*args: str | Path) -> Result:
    """Run `wordvec ARGS`, and mask the current folder."""
    return run(*args).masked(here=Path.cwd())


def test_a_table_is_exported_as_a_pickle_as_in_the_article(store: Store) -> None:
    assert run_here("export", "made:static", "-o", "x.pickle") == (
        0,
        f"made:static: 3 × 2 written to HERE/x.pickle ({Path('x.pickle').stat().st_size} B)\n",
        "Note: the tokens are in HERE/x.pickle.tokens.txt\n",
    )
    assert Path("x.pickle.tokens.txt").read_text("utf-8") == "王\na b\n\n"
    vectors = pickle.loads(Path("x.pickle").read_bytes())  # noqa: S301  # our own
    assert list(vectors) == [0, 1, 2]
    table = store.open(TableName("made", Mode.STATIC))
    assert np.array_equal(np.stack(list(vectors.values())), table.vectors)


def test_a_table_is_exported_as_a_numpy_array(store: Store) -> None:
    assert run_here("export", "made:static", "-o", "x.npy")[0] == 0
    table = store.open(TableName("made", Mode.STATIC))
    assert np.load("x.npy", allow_pickle=False).tobytes() == table.vectors.tobytes()


@pytest.mark.usefixtures("store")
def test_a_table_is_exported_as_word2vec_text() -> None:
    code, _, err = run_here("export", "made:static", "-o", "x.txt")
    assert (code, err) == (
        0,
        (
            "Note: 2 tokens are respelled, because word2vec cannot hold spaces, line breaks or an "
            'empty token: #1 "a b" as a\\u0020b, #2 "" as \\empty\n'
        ),
    )
    assert Path("x.txt").read_text("utf-8") == (
        "3 2\n王 1 -0.100000001\na\\u0020b 0 2\n\\empty 3 3.99999989e-09\n"
    )


def test_gensim_reads_the_word2vec_text(store: Store) -> None:
    from gensim.models import KeyedVectors

    rows = np.random.default_rng(0).standard_normal((300, 7)).astype(np.float32)
    table = table_of({f"語{i}": row for i, row in enumerate(rows)}, model="random")
    store.save(table)
    assert run_here("export", "random:static", "-o", "x.txt")[0] == 0
    vectors = KeyedVectors.load_word2vec_format("x.txt")
    assert tuple(vectors.index_to_key) == table.vocabulary.tokens
    assert vectors.vectors.tobytes() == rows.tobytes()  # nine digits restore each float


@pytest.mark.usefixtures("store")
def test_an_existing_file_is_replaced_only_with_force() -> None:
    Path("x.txt").write_text("mine", encoding="utf-8")
    assert run_here("export", "made:static", "-o", "x.txt") == (
        1,
        "",
        "Error: HERE/x.txt already exists\nHint: --force replaces it\n",
    )
    assert Path("x.txt").read_text("utf-8") == "mine"
    assert run_here("export", "made:static", "-o", "x.txt", "--force")[0] == 0
    assert Path("x.txt").read_bytes().startswith(b"3 2\n")
    assert os.listdir() == ["x.txt"]  # noqa: PTH208  # names only


@pytest.mark.usefixtures("store")
def test_links_and_devices_are_not_replaced() -> None:
    Path("target").touch()
    Path("link.csv").symlink_to("target")
    assert run_here("export", "made:static", "-o", "link.csv", "--force")[0] == 0
    assert Path("link.csv").is_symlink()
    assert Path("target").stat().st_size > 0
    null = ("/dev/null", "--format", "csv", "--force")
    code, _, err = run_here("export", "made:static", "-o", *null)
    assert (code, err) == (1, "Error: /dev/null is not a file\n")


@pytest.mark.usefixtures("store")
def test_a_missing_folder_is_an_error() -> None:
    assert run_here("export", "made:static", "-o", "a b/x.txt") == (
        1,
        "",
        "Error: the folder HERE/a b does not exist\nHint: mkdir -p 'HERE/a b'\n",
    )


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("form", ["pickle", "npy", "word2vec"])
def test_on_a_full_disk_the_old_file_stays(form: str) -> None:
    Path("x.y").write_text("mine", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        code, _, err = run_here("export", "made:static", "-o", "x.y", "--force", "--format", form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 1
    assert err.startswith("Error: no space left to write x.y (File too large)\nHint: free some sp")
    assert "store" not in err
    assert Path("x.y").read_text("utf-8") == "mine"
    assert os.listdir() == ["x.y"]  # noqa: PTH208  # names only


@pytest.mark.usefixtures("store")
def test_a_missing_table_is_an_error_with_the_command_to_extract_it() -> None:
    code, _, err = run_here("export", "made:dynamic", "-o", "x")
    assert code == 1
    assert "\nHint: wordvec extract --mode dynamic --model made\n" in err
    assert run_here("export", "made", "-o", "x")[0] == 2
    assert run_here("export", "made:static")[0] == 2
    assert os.listdir() == []  # noqa: PTH208  # names only


# Import


def test_a_pickle_is_imported_with_the_vocabulary_of_the_model(
    store: Store, pickled: Path, tiny_bert: Path
) -> None:
    vocabulary = read_vocabulary(tiny_bert)
    assert run_here("import", pickled, "--model", tiny_bert) == (
        0,
        f"{tiny_bert}:dynamic: {len(vocabulary)} × 3 imported from vectors.pickle\n",
        "",
    )
    table = store.open(TableName(str(tiny_bert), Mode.DYNAMIC))
    assert table.vocabulary == vocabulary
    assert table.vectors.tolist() == np.arange(len(vocabulary) * 3).reshape(-1, 3).tolist()
    assert table.provenance.source == "import"


def test_an_exported_table_can_be_imported(store: Store, pickled: Path, tiny_bert: Path) -> None:
    name = f"{tiny_bert}:dynamic"
    run_here("import", pickled, "--model", tiny_bert)
    before = store.open(TableName(str(tiny_bert), Mode.DYNAMIC)).vectors.tobytes()
    assert run_here("export", name, "-o", "again.pickle")[0] == 0
    run_here("tables", "rm", "--yes", name)
    assert run_here("import", "again.pickle", "--model", tiny_bert)[0] == 0
    assert store.open(TableName(str(tiny_bert), Mode.DYNAMIC)).vectors.tobytes() == before


def test_an_existing_table_is_replaced_only_with_force(
    store: Store, pickled: Path, tiny_bert: Path
) -> None:
    arguments = ("import", pickled, "--model", tiny_bert, "--mode", "static")
    assert run_here(*arguments)[0] == 0
    assert run_here(*arguments) == (
        1,
        "",
        f"Error: {tiny_bert}:static already exists\nHint: --force replaces it\n",
    )
    pickled.write_bytes(b"cos\nsystem\n.")
    code, _, err = run_here(*arguments, "--force")
    assert (code, err) == (
        1,
        f"Error: vectors.pickle: it contains os.system: {ONLY}\n",
    )
    assert store.verify(TableName(str(tiny_bert), Mode.STATIC)) == []


@pytest.mark.usefixtures("store")
def test_a_wrong_model_is_detected_by_the_ids(tiny_bert: Path) -> None:
    Path("x").write_bytes(pickle.dumps({0: np.ones(3), 5: np.ones(3)}))
    V = len(read_vocabulary(tiny_bert))
    assert run_here("import", "x", "--model", tiny_bert) == (
        1,
        "",
        f"Error: x: {V - 2} of {V} ids have no vector: 1, 2, 3, 4, 6, …\nHint: {WHICH}\n",
    )


@pytest.mark.usefixtures("store")
def test_rows_that_are_not_finite_are_counted(tiny_bert: Path) -> None:
    V = len(read_vocabulary(tiny_bert))
    rows = np.ones((V, 2))
    rows[3, 1], rows[5, 0] = np.nan, 1e300
    Path("x").write_bytes(pickle.dumps(dict(enumerate(rows))))
    code, _, err = run_here("import", "x", "--model", tiny_bert)
    assert (code, err) == (
        0,
        f"Warning: 2 of {V} rows contain NaN or infinity: no search returns them\n",
    )


@pytest.mark.usefixtures("store")
def test_a_pickle_of_ids_needs_a_model_or_tokens(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_here("import", "x") == (
        1,
        "",
        "Error: cannot read x (No such file or directory)\n",
    )
    rows = np.ones((len(read_vocabulary(tiny_bert)), 2))
    Path("x").write_bytes(pickle.dumps(dict(enumerate(rows))))
    code, _, err = run_here("import", "x")
    assert code == 2
    assert err.startswith("Error: x has vectors by id, without tokens\nHint: name the model that")
    monkeypatch.setenv("WORDVEC_MODEL", str(tiny_bert))
    assert run_here("import", "x")[0] == 0


# Vectors of other programs


@pytest.mark.usefixtures("store")
def test_imported_vectors_are_a_table_like_any_other() -> None:
    lines = ["王 1 0 1", "男 1 0 0", "女 0 1 0", "女王 0 1 1", "王 9 9 9"]
    Path("chive.txt").write_text("\n".join(lines), encoding="utf-8")
    assert run_here("import", "chive.txt") == (
        0,
        "chive:static: 4 × 3 imported from chive.txt\n",
        'Note: 1 vectors are left out, because their tokens occur before: "王"\n',
    )
    code, out, _ = run_here(
        "compare", "王-男+女", "--tables", "chive:static,mini:static", "-k", "1"
    )
    assert code == 0
    assert ["1", "女王", "0.0000", "4", "王", "*", "0.6187", "3"] in map(
        str.split, out.splitlines()
    )
    assert "女王" in run_here("query", "王-男+女", "--model", "chive", "-k", "1").out
    code, out, _ = run_here("tables")
    assert [line.split()[-1] for line in out.splitlines()] == ["state", "imported", "now", "now"]
    assert run_here("tables", "rm", "--yes", "chive:static")[0] == 0


@pytest.mark.usefixtures("store")
def test_vectors_are_read_from_standard_input_and_written_to_standard_output() -> None:
    written = run_here("export", "made:static", "-o", "-", "--format", "word2vec")
    assert written.out == "3 2\n王 1 -0.100000001\na\\u0020b 0 2\n\\empty 3 3.99999989e-09\n"
    assert written.err.startswith("Note: 2 tokens are respelled")
    result = run("import", "-", "--name", "back", stdin=written.out)
    assert result.out == "back:static: 3 × 2 imported from -\n"
    assert run("export", "back:static", "-o", "-", "--format", "word2vec").out == written.out
    assert run("import", "-", stdin=written.out) == (
        2,
        "",
        "Error: vectors from a pipe have no file name\nHint: --name chive\n",
    )


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("export", "made:static", "-o", "x.foo"),
            2,
            "Error: the suffix of x.foo is that of no fo",
        ),
        (
            ("export", "made:static", "-o", "x.npy", "--format", "csv"),
            2,
            "Error: x.npy has the suf",
        ),
        (
            ("export", "made:static", "-o", "-"),
            2,
            "Error: standard output has no suffix that names",
        ),
        (
            ("import", "bad.txt"),
            1,
            'Error: bad.txt: line 2 is not a token and 2 numbers: "b 1"\nHi',
        ),
        (("import", "page.txt"), 1, "Error: page.txt looks like an HTML page\nHint: was the downl"),
        (("import", "bad.txt", "--name", "a:b"), 2, "Error: 'a:b' cannot be the name of a table: "),
        (("import", "."), 1, "Error: . is a folder without vectors that wordvec can read\n"),
    ],
)
def test_requests_that_fail_say_why(arguments: tuple[str, ...], code: int, message: str) -> None:
    Path("bad.txt").write_text("a 1 2\nb 1\nc 3 4\n", encoding="utf-8")
    Path("page.txt").write_text("<html>", encoding="utf-8")
    result = run_here(*arguments)
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith(message)
    assert run_here("import", "bad.txt", "--skip-bad").err == (
        "Note: 1 lines are left out: they are not a token and 2 numbers (the first is line 2)\n"
    )


@pytest.mark.usefixtures("store")
def test_a_read_only_folder_is_an_error_about_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wordvec.formats.export.write_atomically", refuse)
    assert run_here("export", "made:static", "-o", "x.txt") == (
        1,
        "",
        "Error: permission denied: x.txt\nHint: check its permissions\n",
    )
