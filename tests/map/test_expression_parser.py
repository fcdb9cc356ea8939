"""The page reads an expression as the command line does: the same terms, the same errors."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import wordvec
from wordvec.errors import ExpressionError
from wordvec.expression.parser import parse
from wordvec.expression.tree import TokenId
from wordvec.map.page import _marks
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

WEB = Path(wordvec.__file__).parent / "map" / "web"
SOURCES = [
    "王-男+女",
    "男：女＝王：？",
    "＃５２７+#527-王",
    "王÷２+3×女",
    '「C++」-『a b』+"「"-王」',
    "1e-3*王+女/１ｅ−２",
    "a-1e-3*王",
    "1e-3+王",
    "1e-3rd-王",
    "2*1e+2",
    "{-王+{{a",
    r"王\{a+}",
]
WRONG_SOURCES = """
王 男|王-|-|王/0|(王|王)|()|()+王|王*女|王/女|"王|「王|王\\|#12a|#1234567890123|2 王|2(王)|王(女)
男:女=王|男:女=王:|男:女|男:女=王:x|男:女=王:?王|男+女:王=女:?|(男:女)|王++|*王|王+)|(王+)|1e999*王
男:女:王=?|+男:女=王:?|2 "C++"|𠮷 王|王=女|「
"""
WRONG = ["", "  ", "(" * 51, *WRONG_SOURCES.strip().replace("\n", "|").split("|")]
READ = """
const { parse } = await import(process.argv[1]);
const { text } = await import(process.argv[2]);
const { readFileSync } = await import("node:fs");
const sources = JSON.parse(readFileSync(0, "utf8"));
function read(source) {
  try {
    return parse(source).map(({ operand, weight }) => [operand.kind === "id" ? operand.id : operand.text, weight]);
  } catch ({ text: message, start, end, hint }) {
    return [text(...message), start, end, hint && text(...hint)];
  }
}
console.log(JSON.stringify(sources.map(read)));
"""  # noqa: E501  (JavaScript)

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def read_in_javascript(sources: list[str], folder: Path) -> Any:
    """Return the terms of each source, or message, start, end and hint of its error."""
    modules = [folder / "expression_parser.mjs", folder / "strings.mjs"]
    for module in modules:
        shutil.copy(WEB / f"{module.stem}.js", module)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", READ, *(module.as_uri() for module in modules)],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_page_reads_the_terms_that_the_command_line_reads(tmp_path: Path) -> None:
    expected = [
        [
            [
                term.operand.id if isinstance(term.operand, TokenId) else term.operand.text,
                term.weight,
            ]
            for term in parse(source).terms
        ]
        for source in SOURCES
    ]
    assert read_in_javascript(SOURCES, tmp_path) == expected


LOOKUP = """
import { readFileSync } from "node:fs";
const { createLookup } = await import(process.argv[1]);
const [tokens, marks, words] = JSON.parse(readFileSync(0, "utf8"));
const rowOf = createLookup(tokens, { lowercase: false, ...marks });
console.log(JSON.stringify(words.map((text) => rowOf({ kind: "word", text }))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("vocabulary", "words"),
    [
        (Vocabulary(("king", "king</w>", "a"), Scheme.WORD_END), ("king", "king</w>", "a")),
        (
            Vocabulary(("1", "▁1", "2", "▁2", "王", "▁王"), Scheme.SENTENCEPIECE, bare_ids=(0,)),
            ("1", "▁1", "2", "王", "▁王"),
        ),
        (Vocabulary(("王", "▁王"), Scheme.SENTENCEPIECE, marks_start=True), ("王",)),
    ],
)
def test_the_page_finds_the_rows_that_the_command_line_finds(
    tmp_path: Path, vocabulary: Vocabulary, words: tuple[str, ...]
) -> None:
    module = tmp_path / "parser.mjs"
    shutil.copy(WEB / "expression_parser.js", module)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", LOOKUP, module.as_uri()],
        input=json.dumps([vocabulary.tokens, _marks(vocabulary), words]),
        capture_output=True,
        text=True,
        check=True,
    )
    found = [vocabulary.find(word) for word in words]
    assert json.loads(done.stdout) == [match and match.id for match in found]


def test_the_page_marks_and_explains_the_errors_of_the_command_line(tmp_path: Path) -> None:
    expected = []
    for source in WRONG:
        with pytest.raises(ExpressionError, match=r".") as caught:
            parse(source)
        error = caught.value
        expected.append([error.message, error.start, error.end, error.hint])
    assert read_in_javascript(WRONG, tmp_path) == expected


def test_the_page_says_that_it_cannot_read_a_word_in_a_sentence(tmp_path: Path) -> None:
    message = "a word in a sentence cannot be used here"
    hint = "in a terminal, wordvec query reads words in sentences"
    sources = ["男-王{王がいた}", '"王" ｛王', "#5{王}"]
    expected = [[message, 2, 3, hint], [message, 0, 3, hint], [message, 0, 2, hint]]
    assert read_in_javascript(sources, tmp_path) == expected
