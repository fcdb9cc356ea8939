"""The page reads an expression as the command line does: the same terms from the same text."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import wordvec
from wordvec.expression.parser import parse
from wordvec.expression.tree import TokenId
from wordvec.map.page import _marks
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

PARSER = Path(wordvec.__file__).parent / "map" / "web" / "expression_parser.js"
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
]
SCRIPT = """
import { readFileSync } from "node:fs";
const { parse } = await import(process.argv[1]);
const sources = JSON.parse(readFileSync(0, "utf8"));
const read = ({ operand, weight }) => [operand.kind === "id" ? operand.id : operand.text, weight];
console.log(JSON.stringify(sources.map((source) => parse(source).map(read))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_page_reads_the_terms_that_the_command_line_reads(tmp_path: Path) -> None:
    module = tmp_path / "parser.mjs"
    shutil.copy(PARSER, module)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT, module.as_uri()],
        input=json.dumps(SOURCES),
        capture_output=True,
        text=True,
        check=True,
    )
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
    assert json.loads(done.stdout) == expected


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
    shutil.copy(PARSER, module)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", LOOKUP, module.as_uri()],
        input=json.dumps([vocabulary.tokens, _marks(vocabulary), words]),
        capture_output=True,
        text=True,
        check=True,
    )
    found = [vocabulary.find(word) for word in words]
    assert json.loads(done.stdout) == [match and match.id for match in found]
