"""Every input is answered or refused with a message, never with a traceback."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from support.cli import run
from support.tables import toy_table
from wordvec.expression.parser import parse
from wordvec.tables.store import Store

TYPED = st.one_of(
    st.text(max_size=12),
    st.text('王女男kC#123+-−*/()=?:：？"\\ー \u3000', max_size=12),
)
OPTIONS = st.lists(
    st.sampled_from(["--unit", "--exclude", "--pieces", "--metric=cosine", "-k2"]), max_size=2
)


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(toy_table())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["query", "norms"]), st.lists(TYPED, min_size=1, max_size=3), OPTIONS)
@example("query", ["\ud800"], [])
@example("query", ["\x1b]0;title\x07"], [])
@example("query", ["", "-", "--"], [])
def test_any_arguments_are_answered_or_refused(
    command: str, typed: list[str], options: list[str]
) -> None:
    code, out, err = run(command, *options, *typed)
    assert code in (0, 1, 2)
    assert err or code == 0
    assert "\x1b" not in out + err


@settings(deadline=None, max_examples=150)
@given(TYPED, OPTIONS)
def test_after_two_dashes_everything_except_a_lone_dash_is_an_expression(
    typed: str, options: list[str]
) -> None:
    assume(typed != "-")  # means standard input
    code, out, err = run("query", "--json", *options, "--", typed)
    assert code in (0, 1)
    if code == 0:
        [answer] = json.loads(out)
        assert parse(answer["query"]) == parse(typed)
    else:
        assert err.startswith("Error: ")


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.lists(TYPED).map(lambda it: "\n".join(it).encode("utf-8", "replace")),
    )
)
@example(b"\xff\n\n\xe7\x8e\x8b\r\n\x00")
def test_any_bytes_on_standard_input_are_answered_line_by_line(stdin: bytes) -> None:
    code, _, err = run("query", "--jsonl", "-", stdin=stdin)
    assert code in (0, 1)
    assert err or code == 0
