"""`wordvec shell`: lines, completion, and whole sessions in a pseudo-terminal."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.cli import run
from support.tables import table_of
from wordvec.cli.arguments import DashCommand
from wordvec.cli.commands import COMMANDS
from wordvec.cli.shell.completion import Suggestion, suggest
from wordvec.cli.shell.session import Session, split_expressions
from wordvec.cli.shell.tokens import MAX_TOKENS, PartialWord, TokenIndex, partial_word
from wordvec.tables.name import Mode, TableName, TableRef
from wordvec.tables.reading import read_table
from wordvec.tables.store import Store
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme, spell_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.cli import Result
    from wordvec.tables.table import VectorTable

pexpect = pytest.importorskip("pexpect")

ROWS = {
    "[UNK]": (9, 9, 9),
    "王": (1, 0, 3),
    "男": (1, 0, 0),
    "女": (0, 1, 0),
    "女王": (0, 1, 3),
    "女性": (0, 2, 0),
    "##王": (1, 1, 3),
    "勢力": (5, 0, 5),
    "C++": (0, 0, 6),
    "王子": (2, 0, 3),
}
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a static and a dynamic table of one toy model."""
    store = Store(tmp_path_factory.mktemp("made"))
    store.save(table_of(ROWS, model="toy", special=1))
    turned = {token: tuple(reversed(row)) for token, row in ROWS.items()}
    store.save(table_of(turned, model="toy", mode=Mode.DYNAMIC, special=1))
    return store.root


@pytest.fixture
def store(made: Path) -> Store:
    """Give the test its own copy of the tables, in the store of the commands."""
    store = Store()
    shutil.copytree(made, store.root)
    return store


@pytest.fixture
def session(store: Store) -> Session:
    return Session(TableRef("toy", Mode.STATIC), store)


def shell(lines: str | bytes) -> Result:
    return run("shell", "--model", "toy", stdin=lines)


@pytest.mark.usefixtures("store")
def test_pieces_is_an_option_of_the_shell_too() -> None:
    assert run("shell", "--model", "toy", stdin="王王子王").code == 1
    done = run("shell", "--model", "toy", "--pieces", stdin="王子王\n:pieces")
    assert (done.code, done.out.splitlines()[-1]) == (0, "pieces: off")
    assert "王子王 is read as the mean of 王子 + ##王" in done.err


# --- lines ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("王-男+女", ["query", "王-男+女"]),
        ("  王 - 男 + 女 ", ["query", "王 - 男 + 女"]),
        ("-男", ["query", "-男"]),
        (":query -k 2 王 - 男 女王", ["query", "-k", "2", "王 - 男", "女王"]),
        (':query --json "王"', ["query", "--json", '"王"']),
        (":query --mode dynamic 王", ["query", "--table", "toy:dynamic", "王"]),
        (":query --table toy:dynamic 王", ["query", "--table", "toy:dynamic", "王"]),
        ("：ＮＯＲＭＳ 王 C++", ["norms", "王", "C++"]),
        (":norms --largest 2", ["norms", "--largest", "2"]),
        (":compare 王 - 男 + 女", ["compare", "王 - 男 + 女"]),
        (":compare --tables dynamic,static 王", ["compare", "--tables", "dynamic,static", "王"]),
        (":explain 王 - 男 + 女 女王", ["explain", "王 - 男 + 女", "女王"]),
        (":explain --tables dynamic,static 王", ["explain", "--tables", "dynamic,static", "王"]),
        (':explain 王 "C++" --metric cosine', ["explain", "王", "C++", "--metric", "cosine"]),
        (":similar 王 女 C++", ["similar", "王", "女", "C++"]),
        (":odd 王 女王 女", ["odd", "王", "女王", "女"]),
        (":query 「C++」 - 「王」÷2 『王』", ["query", "「C++」 - 「王」÷2", "『王』"]),
        (":norms 「C++」 『王』 ＃１", ["norms", "C++", "王", "＃１"]),
        (":tables", ["tables"]),
    ],
)
def test_a_line_is_answered_as_by_its_command(line: str, args: list[str]) -> None:
    table = [] if "--table" in args or args == ["tables"] else ["--model", "toy"]
    outside = run(args[0], *table, *args[1:])
    inside = shell(line)
    assert outside.code == 0
    assert outside.out
    assert (inside.out, inside.err, inside.code) == (outside.out, "", 0)


@pytest.fixture
def _repeating_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `wordvec explain` by a command that prints its arguments."""

    @click.command(cls=DashCommand)
    @click.argument("expression")
    @click.argument("token", required=False)
    @click.option("--metric")
    @click.option("--only", multiple=True)
    @click.option("--top", type=int)
    def explain(**given: object) -> None:
        values = [given[name] for name in ("expression", "token", "metric", "only", "top")]
        click.echo(" ".join(str(value) for value in values if value not in (None, ())))

    monkeypatch.setitem(COMMANDS, "explain", ("repeating", "Repeat."))
    monkeypatch.setitem(sys.modules, "wordvec.cli.repeating", SimpleNamespace(command=explain))


@pytest.mark.usefixtures("store", "_repeating_explain")
@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (":explain 王 - 男 + 女 女王", "王 - 男 + 女 女王"),
        (":explain --top 3 男:女=王:?", "男:女=王:? 3"),
        (":query -k1 王 - 男\n:explain", "王 - 男"),
        ("王\n:explain 女\n:explain", "女"),
        (":metric cosine\n:k 2\n:explain 王", "王 cosine"),  # it has no -k
        (":metric cosine\n:explain --metric=l2 王", "王 l2"),
        (":only kanji word\n:explain 王", "王 ('kanji', 'word')"),
        (":only kanji word\n:explain --only number 王", "王 ('number',)"),
    ],
)
def test_a_command_gets_its_options_the_settings_and_the_last_expression(
    lines: str, printed: str
) -> None:
    assert shell(lines).out.splitlines()[-1] == printed


@pytest.mark.usefixtures("store", "_repeating_explain")
def test_explain_without_a_last_expression_is_an_error() -> None:
    assert "Missing argument 'EXPRESSION'" in shell(":explain").err


@pytest.mark.usefixtures("store")
def test_settings_apply_to_all_lines_that_follow() -> None:
    by_hand = [
        run("query", "--model", "toy", "-k", "2", "王"),
        run("query", "--model", "toy", "-k", "2", "--metric", "cosine", "--exclude", "王"),
        run("query", "--model", "toy", "王"),
    ]
    printed = [
        "k: 2\n",
        "metric: cosine\nexclude: on\n",
        "all settings are reset to their defaults\n",
    ]
    inside = shell(":k 2\n王\n:metric cosine\n:exclude\n王\n:reset\n王\n")
    expected = "".join(text + answer.out for text, answer in zip(printed, by_hand, strict=True))
    assert (inside.out, inside.code) == (expected, 0)


@pytest.mark.usefixtures("store")
def test_an_option_of_a_command_replaces_the_setting() -> None:
    inside = shell(":k 2\n:query -k3 王\n")
    assert inside.out == "k: 2\n" + run("query", "--model", "toy", "-k3", "王").out


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (":k 5\n:k\n", "k: 5\nk: 5\n"),
        (":k\n", "k: 10\n"),
        (":k 5\n:k off\n", "k: 5\nk: 10\n"),
        (":metric\n:match\n:unit on\n", "metric: default\nmatch: off\nunit: on\n"),
        (":only kanji word\n:only off\n", "only: kanji word\nonly: off\n"),
        (":match '^女 *'\n", "match: ^女 *\n"),
        (":exclude\n:exclude\n", "exclude: on\nexclude: off\n"),
        (":exclude on\n:exclude on\n:exclude off\n", "exclude: on\nexclude: on\nexclude: off\n"),
        (":table dynamic\n:mode static\n", "table: toy:dynamic\ntable: toy:static\n"),
        (":table\n", "table: toy:static\n"),
        (":model\n:mode\n", "model: toy\nmode: static\n"),
        (":model toy\n", "table: toy:static\n"),
    ],
)  # fmt: skip
def test_the_value_of_a_setting_is_printed(lines: str, printed: str) -> None:
    result = shell(lines)
    assert (result.out, result.err, result.code) == (printed, "", 0)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("line", "error", "code"),
    [
        ("王 男", "Error: expected + or - between two words\n  王 男\n     ^^\nHint: ", 1),
        ("王 + 犬", 'Error: "犬" is not in this vocabulary\n  王 + 犬\n       ^^\n', 1),
        ("-", "Error: expected a word after -\n  -\n  ^\n", 1),
        (':query 王 - "C', 'Error: this quote is not closed\n  王 - "C\n       ^\n', 1),
        (":", "Error: expected a command after :\nHint: :help\n", 2),
        (":norm 王", "Error: there is no :norm\nHint: :norms\n", 2),
        (":xyzzy", "Error: there is no :xyzzy\nHint: :help\n", 2),
        (":help xyzzy", "Error: there is no :xyzzy\nHint: :help\n", 2),
        (":extract", ("Error: extract cannot run inside the shell\n"
                     "Hint: in another terminal: wordvec extract\n"), 2),
        (":tables rm toy:static", ("Error: :tables only lists the tables\n"
                                  "Hint: in another terminal: wordvec tables rm toy:static\n"), 2),
        (":k 0", "Error: Invalid value for '-k': 0 is not in the range x>=1.\n", 2),
        (":exclude maybe", "Error: :exclude takes on or off, not 'maybe'\nHint: :exclude on\n", 2),
        (":mode both", ("Error: unknown mode 'both': expected static or dynamic or contextual\n"
                       "Hint: :mode dynamic\n"), 2),
        (":table king", "Error: 'king' is not a table name: expected [MODEL:]static", 2),
        (":query", ("Usage: :query [OPTIONS] EXPR...\nTry ':query --help' for help.\n\n"
                   "Error: Missing argument 'EXPR...'.\n"), 2),
    ],
)  # fmt: skip
def test_after_an_error_the_next_line_is_answered(line: str, error: str, code: int) -> None:
    result = shell(f"{line}\n王\n")
    assert result.err.startswith(error)
    assert result.out == run("query", "--model", "toy", "王").out
    assert result.code == code


@pytest.mark.usefixtures("store")
def test_a_line_that_is_not_utf_8_is_an_error_and_the_next_is_answered() -> None:
    result = shell(b"\xef\xbb\xbf:k 2\r\n\xff\n:k\n")
    assert (result.out, result.err) == ("k: 2\nk: 2\n", "Error: this line is not UTF-8\n")
    assert result.code == 1


@pytest.mark.usefixtures("store")
def test_another_encoding_is_named_once_and_no_line_ends_the_session() -> None:
    for encoding in ("UTF-16", "EUC-JP"):
        result = shell(":k 2\n王\n女\n".encode(encoding) + b"\n:k 3\n")
        assert result.err.startswith(
            f"Error: standard input looks like {encoding}, not UTF-8\n"
            f"Hint: convert it: iconv -f {encoding} -t UTF-8\n"
            "Error: this line "
        )
        assert result.err.count("looks like") == 1
        assert result.out.endswith("k: 3\n")
        assert result.code == 1
    result = shell(b"\0" * 99 + b"\n:k 3\n")
    assert result.err == "Error: standard input is not text: it contains NUL bytes\n"
    assert result.out == "k: 3\n"
    assert shell("王\n".encode() + "女\n".encode("cp932")).err == "Error: this line is not UTF-8\n"


@pytest.mark.usefixtures("store")
def test_ctrl_c_stops_the_lines_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Session, source: str) -> int:
        del self, source
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "_query", interrupted)
    result = shell(":k 2\n王\n:k\n")
    assert (result.out, result.code) == ("k: 2\n", 130)


@pytest.mark.usefixtures("store")
def test_a_refused_value_does_not_change_the_setting() -> None:
    result = shell(":k 3\n:k many\n:k\n")
    assert result.out == "k: 3\nk: 3\n"
    assert "'many' is not a valid integer" in result.err


@pytest.mark.usefixtures("store")
def test_lines_after_quit_are_not_answered() -> None:
    assert shell(":q\n王\n").out == ""


@pytest.mark.usefixtures("store")
def test_help_lists_all_commands_and_settings() -> None:
    listed = shell(":help\n").out
    for name in (":query", ":norms", ":tables", ":table", ":k", ":metric", ":exclude", ":quit"):
        assert f"  {name} " in listed
    assert shell(":help norms\n").out.startswith("Usage: :norms ")
    assert shell(":? k\n").out == ":k  Number of neighbours.\n"


@pytest.mark.usefixtures("store")
def test_settings_are_shown_in_a_table() -> None:
    lines = shell(":k 3\n:settings\n").out.splitlines()
    assert lines[1].split() == ["setting", "value"]
    assert ["table", "toy:static"] in [line.split() for line in lines]
    assert ["k", "3"] in [line.split() for line in lines]
    assert ["unit", "off"] in [line.split() for line in lines]
    assert ["exclude", "default"] in [line.split() for line in lines]


@pytest.mark.usefixtures("store")
def test_exclude_is_on_off_or_the_default_of_the_expression() -> None:
    lines = ":k 1\n女:男=女性:?\n:exclude off\n女:男=女性:?\n:exclude\n女:男=女性:?\n"
    found = [line.split()[1] for line in shell(lines).out.splitlines() if line.startswith("   1")]
    assert found == ["##王", "男", "##王"]
    inside = shell(":exclude off\n:query --exclude -k1 女:男=女性:?\n").out
    assert inside == "exclude: off\n" + run("query", "--model", "toy", "-k1", "女:男=女性:?").out


def test_a_missing_table_is_an_error_before_the_first_line() -> None:
    result = run("shell", "--model", "nowhere", stdin="王\n")
    assert (result.code, result.out) == (1, "")
    assert "there is no table nowhere:static" in result.err


def test_tables_stay_open_until_they_change_on_disk(
    store: Store,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read: list[str] = []

    def counted(folder: Path, name: TableName) -> VectorTable:
        read.append(str(name))
        return read_table(folder, name)

    monkeypatch.setattr("wordvec.tables.store.read_table", counted)
    for line in ("王", "女", ":table dynamic", "王", ":table static", "王", ":norms 王"):
        assert session.answer(line) == 0
    assert read == ["toy:dynamic"]  # the static one was opened with the session

    swapped = {**ROWS, "王": ROWS["男"], "男": ROWS["王"]}
    store.save(table_of(swapped, model="toy", special=1), force=True)
    capsys.readouterr()
    assert session.answer("王") == 0
    assert read == ["toy:dynamic", "toy:static"]
    assert capsys.readouterr().out == run("query", "--model", "toy", "王").out


def test_the_prompt_is_the_short_name_of_the_table(store: Store) -> None:
    for model, prompt in [
        ("cl-tohoku/bert-base-japanese-whole-word-masking", "static> "),
        ("/models/a very long name indeed", "a very long name in…:static> "),
    ]:
        store.save(table_of(ROWS, model=model))
        assert Session(TableRef(model, Mode.STATIC), store).prompt == prompt


@pytest.mark.parametrize(
    ("source", "cut"),
    [
        ("", []),
        ("王", ["王"]),
        ("王 - 男 + 女 女王", ["王 - 男 + 女", "女王"]),
        ("2 * 王 女 #12 (王)", ["2 * 王", "女", "#12", "(王)"]),
        ("男:女=王:? 女王", ["男:女=王:?", "女王"]),
        ('"C++" - 王  "a b"', ['"C++" - 王', '"a b"']),
        ("「C++」 - 王÷2  『a b』", ["「C++」 - 王÷2", "『a b』"]),
    ],
)
def test_text_is_split_between_expressions(source: str, cut: list[str]) -> None:
    assert split_expressions(source) == cut


@pytest.fixture(scope="module")
def lasting(made: Path) -> Session:
    """Give one session for all examples of hypothesis."""
    return Session(TableRef("toy", Mode.STATIC), Store(made))


WORDS = [*":：", ":k", ":k2", ":exclude", ":table", ":only", ":query", ":norms", ":help", ":match"]
TYPED = st.one_of(
    st.text(max_size=12),
    st.lists(st.sampled_from([*WORDS, *"王女x-+*/()=?\"'\\,", "--json", "-k", " "])).map("".join),
    st.tuples(st.sampled_from(WORDS), st.text('王女kC#12+-()=:?"\\, ')).map(" ".join),
)


@settings(deadline=None, max_examples=200)
@given(TYPED)
@example(":norms \x1b]0;title\x07")
@example("\ud800")
@example(":\ud800")
def test_any_line_can_be_answered_or_refused_and_completed(lasting: Session, line: str) -> None:
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        assert lasting.answer(line) in (0, 1, 2)
        assert all(0 <= offer.start <= len(line) for offer in suggest(line, lasting))
    assert "\x1b" not in printed.getvalue()
    assert "Traceback" not in printed.getvalue()


# --- Tab --------------------------------------------------------------------------------------

TOKENS = st.text(alphabet="ab王女#", max_size=4)


@given(st.lists(TOKENS, unique=True, max_size=30), TOKENS, st.integers(1, 10))
def test_tokens_are_found_by_prefix_the_lowest_id_first(
    tokens: list[str], prefix: str, most: int
) -> None:
    begun = [token for token in tokens if prefix and token.startswith(prefix)]
    quoted = [
        f'"{token}"' if token[:1] == "#" and token[1:2].isdigit() else token for token in begun
    ]
    assert TokenIndex(Vocabulary(tuple(tokens))).words(prefix, most) == quoted[:most]


@pytest.mark.parametrize(
    ("scheme", "tokens", "prefix", "words"),
    [
        (Scheme.WORDPIECE, ("王", "##王", "王子"), "王", ["王", "王子"]),
        (Scheme.WORDPIECE, ("王", "##王", "##王子"), "##", ["##王", "##王子"]),
        (Scheme.WORDPIECE, ("C", "C++", "C-3"), "C", ["C", '"C++"', '"C-3"']),
        (Scheme.WORDPIECE, ("#1", "#a"), "#", ['"#1"', "#a"]),
        (Scheme.WORDPIECE, ("king",), "ｋｉ", ["king"]),
        (Scheme.WORDPIECE, ("a\u200b", "ab"), "a", ["a\u200b", "ab"]),
        (Scheme.SENTENCEPIECE, ("▁王", "王", "▁女"), "王", ["▁王", "王"]),
        (Scheme.SENTENCEPIECE, ("▁王", "王", "▁女"), "女", ["女"]),
        (Scheme.SENTENCEPIECE, ("▁王", "王", "▁女"), "▁", ["▁王", "▁女"]),
        (Scheme.BYTE_LEVEL, (spell_bytes(" 王"), "king"), "王", ["王"]),
        (Scheme.BYTE_LEVEL, ("Ġki", "king", "Ġkin"), "ki", ["ki", "king", "kin"]),
        (Scheme.WORDPIECE, ("王",), "", []),
    ],
)
def test_a_suggested_word_is_spelled_so_that_it_is_found(
    scheme: Scheme, tokens: tuple[str, ...], prefix: str, words: list[str]
) -> None:
    assert TokenIndex(Vocabulary(tokens, scheme)).words(prefix) == words


def test_lower_case_is_tried_if_the_tokenizer_lowers() -> None:
    assert TokenIndex(Vocabulary(("king",), lowercase=True)).words("Ki") == ["king"]
    assert TokenIndex(Vocabulary(("king",))).words("Ki") == []


def test_a_vocabulary_of_32000_is_searched_in_less_than_five_milliseconds() -> None:
    index = TokenIndex(Vocabulary(tuple(f"##{i}" for i in range(32_000))))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert len(index.words("##")) == MAX_TOKENS
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.005


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("女", PartialWord("女", 0)),
        ("王-女", PartialWord("女", 2)),
        ("(王＋女", PartialWord("女", 3)),
        ("2*女", PartialWord("女", 2)),
        ("男:女=王", PartialWord("王", 4)),
        ("王 - ##", PartialWord("##", 4)),
        ('王 - "C+', PartialWord("C+", 4)),
        ("王 - 「C+", PartialWord("C+", 4)),
        ("王 - 『C+", PartialWord("C+", 4)),
        ("王 - C\\+", PartialWord("C+", 4)),
        ("", None),
        ("王 - ", None),
        ("王 ", None),
        ("#12", None),
        ("#1a", None),
        ('王 - "', None),
    ],
)
def test_the_word_before_the_cursor_is_read_by_the_tokenizer_of_the_grammar(
    before: str, word: PartialWord | None
) -> None:
    assert partial_word(before) == word


@pytest.mark.parametrize(
    ("before", "start", "texts"),
    [
        ("王 - 女", 4, ["女", "女王", "女性"]),
        ("  王", 2, ["王", "王子"]),
        ("王+C", 2, ['"C++"']),
        ('王+"C', 2, ['"C++"']),
        ("王+犬", None, []),
        (":norms 女", 7, ["女", "女王", "女性"]),
        (":query -k 3 王 - 女王", 16, ["女王"]),
        (":query --me", 7, ["--metric", "--method"]),
        (":query --metric c", 16, ["cosine", "csls"]),
        (":norm", 0, [":norms"]),
        ("：ｎｏｒｍ", 0, [":norms"]),
        (":metric l", 8, ["l2"]),
        (":only kanji,ka", 6, ["kanji,kanji", "kanji,katakana", "kanji,kannada"]),
        (":only word kat", 11, ["katakana"]),
        (":metric o", 8, ["off"]),
        (":exclude o", 9, ["on", "off"]),
        (":table toy", 7, ["toy:dynamic", "toy:static"]),
        (":table d", 7, ["dynamic"]),
        (":model to", 7, ["toy"]),
        (":mode d", 6, ["dynamic"]),
        (":help norm", 6, ["norms"]),
        (":reset 王", None, []),
        (":xyzzy 王", None, []),
    ],
)
def test_tab_completes_the_text_before_the_cursor(
    session: Session, before: str, start: int | None, texts: list[str]
) -> None:
    found = suggest(before, session)
    assert [offer.text for offer in found if "--" not in before or offer.text in texts] == texts
    assert {offer.start for offer in found} == (set() if start is None else {start})


def test_files_are_completed_folder_by_folder(session: Session, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "王族.txt").touch()
    (tmp_path / ".hidden").touch()
    for typed, texts in {
        "": ["lists/"],
        "li": ["lists/"],
        "lists/": ["lists/王族.txt"],
        "x/": [],
    }.items():
        if typed == "":
            (tmp_path / "wordvec-home").rename(tmp_path / ".home")
        before = f":vocab {tmp_path}/{typed}"
        assert [offer.text for offer in suggest(before, session)] == [
            f"{tmp_path}/{text}" for text in texts
        ]


def test_a_command_is_suggested_with_its_help(session: Session) -> None:
    assert suggest(":k", session) == [Suggestion(0, ":k", "Number of neighbours.")]


# --- the whole, in a pseudo-terminal ----------------------------------------------------------


class Terminal:
    """A shell in a pseudo-terminal of 80 columns, without colours."""

    def __init__(self, root: Path, *args: str, columns: int = 80) -> None:
        env = {
            **os.environ,
            "PROMPT_TOOLKIT_NO_CPR": "1",  # no answer to questions for the cursor position
            "PYTHONPATH": str(SOURCE),
            "WORDVEC_HOME": str(root),
            "NO_COLOR": "1",
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        }
        env.pop("COLUMNS", None)
        command = [sys.executable, "-m", "wordvec", "shell", "--model", "toy", *args]
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            env=env,
            encoding="utf-8",
            dimensions=(24, columns),
            timeout=60,
        )
        self.prompt()

    def prompt(self, name: str = "toy:static") -> str:
        """Wait for the prompt, and return what was printed before it."""
        self.see(f"{name}>")  # the space after it can be a cursor movement
        return str(self.child.before)

    def type(self, keys: str) -> None:
        self.child.send(keys)

    def see(self, text: str) -> None:
        self.child.expect_exact(text)

    def enter(self, line: str, *, sees: str, prompt: str = "toy:static") -> None:
        """Type a line, and wait for some of its answer and the next prompt."""
        self.type(f"{line}\r")
        self.see(sees.replace("\n", "\r\n"))
        self.prompt(prompt)

    def leave(self) -> str:
        """Press Ctrl-D, and return what is printed."""
        self.type("\x04")
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert (self.child.exitstatus, self.child.signalstatus) == (0, None)
        return str(self.child.before)


@pytest.fixture
def terminal(store: Store) -> Iterator[Terminal]:
    opened = Terminal(store.root)
    yield opened
    opened.child.close(force=True)


def test_a_session_in_a_terminal(terminal: Terminal, store: Store) -> None:
    terminal.enter("王-男+女", sees=run("query", "--model", "toy", "王-男+女").out)
    terminal.enter("王 男", sees="expected + or - between two words\n  王 男\n     ^^\nHint: ")

    terminal.type("王-男")
    terminal.see("男")
    terminal.type("\x03")  # Ctrl-C cancels the line
    terminal.prompt()
    terminal.enter(":k 2", sees="k: 2\n")
    terminal.enter(":table dynamic", sees="table: toy:dynamic\n", prompt="toy:dynamic")
    terminal.type("\x1b[A\x1b[A")  # back in the history
    terminal.see(":k")
    terminal.enter("", sees="k: 2\n", prompt="toy:dynamic")

    left = terminal.leave()
    assert "Traceback" not in left
    assert "Warning" not in left
    history = store.root / ".shell-history"
    kept = [line[1:] for line in history.read_text("utf-8").splitlines() if line[:1] == "+"]
    assert kept == ["王-男+女", "王 男", ":k 2", ":table dynamic", ":k 2"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_tab_completes_a_token_inside_an_expression(terminal: Terminal) -> None:
    terminal.type("王-勢\t")
    terminal.see("力")  # of the only token that starts with 勢
    terminal.enter("", sees="\n王-勢力\n")

    terminal.type("王-女\t")
    terminal.see("女性")  # the last of the menu
    terminal.type("\t\t")
    terminal.enter("", sees="\n王-女王\n")  # the second of it
    terminal.leave()


def test_the_history_is_kept_for_the_next_session(store: Store) -> None:
    (store.root / ".shell-history").write_text("\n# 2026-01-01 00:00:00\n+女王-王\n", "utf-8")
    terminal = Terminal(store.root, columns=40)
    terminal.type("\x1b[A")
    terminal.see("女王-王")
    terminal.enter("", sees="\n女王-王\n")
    terminal.leave()


def test_lines_are_answered_if_no_history_can_be_saved(store: Store) -> None:
    (store.root / ".shell-history").mkdir()
    terminal = Terminal(store.root)
    assert "the history of this session will not be saved" in terminal.child.before
    terminal.enter("王", sees="\n王\n")
    terminal.leave()


def test_prompt_toolkit_is_loaded_only_for_a_terminal(store: Store) -> None:
    code = (
        "import sys\n"
        "from contextlib import suppress\n"
        "from wordvec.cli import group\n"
        "for args in ['query', '王'], ['shell']:\n"
        "    with suppress(SystemExit):\n"
        "        group.main([*args, '--model', 'toy'], prog_name='wordvec')\n"
        "print('prompt_toolkit' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "WORDVEC_HOME": str(store.root)},
        input="王\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    answer = run("query", "--model", "toy", "王").out
    assert done.stdout == f"{answer}{answer}False\n"
