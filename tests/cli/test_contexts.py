"""`wordvec contexts`: keyword in context, compared with a plain loop over sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import wordvec
from support.cli import run
from support.corpora import SENTENCES, plain_tokenizer, write
from wordvec import text
from wordvec.analysis.display import OutputStyle
from wordvec.errors import UsageError, WordvecError
from wordvec.models.bundled import BUNDLED
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def plain_states(model: Path, sentence: str, layer: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return the tokens of a sentence, and their hidden states: (n, D)."""
    import torch
    import transformers

    vocabulary = read_vocabulary(model)
    ids = plain_tokenizer(model)(sentence)
    encoder = transformers.AutoModel.from_pretrained(model).float().eval()
    with torch.no_grad():
        output = encoder(
            input_ids=torch.tensor([[vocabulary.cls_id, *ids, vocabulary.sep_id]]),
            output_hidden_states=True,
        )
    state = output.hidden_states[layer][0, 1:-1]
    return [vocabulary.tokens[id_] for id_ in ids], state.double().numpy()


@pytest.fixture
def table(tiny_bert: Path) -> wordvec.Table:
    """Give the dynamic table of layer 1."""
    wordvec.extract(tiny_bert, mode="dynamic", layers="all")
    return wordvec.open(f"{tiny_bert}:dynamic@1")


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_each_occurrence_has_its_distance_and_its_nearest_tokens(
    metric: str, table: wordvec.Table, tiny_bert: Path, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "text", (*SENTENCES[:4], "王子と王、王"))
    found = table.contexts("王", corpus, metric=metric, k=3)
    own, rows = table["王"].astype(float), table.vectors.astype(float)
    expected = []
    for sentence in (*SENTENCES[:4], "王子と王、王"):
        tokens, states = plain_states(tiny_bert, sentence, 1)
        expected += [states[i] for i, token in enumerate(tokens) if token == "王"]  # noqa: S105
    assert found.found == found.computed == len(found) == len(expected) == 3
    for occurrence, vector in zip(found, expected, strict=True):
        distances = np.linalg.norm(rows - vector, axis=1)
        cosines = rows @ vector / np.linalg.norm(rows, axis=1) / np.linalg.norm(vector)
        keys = distances if metric == "l2" else -cosines
        scores = distances if metric == "l2" else cosines
        row = table.tokens.index("王")
        assert occurrence.score == pytest.approx(
            np.linalg.norm(vector - own)
            if metric == "l2"
            else vector @ own / np.linalg.norm(vector) / np.linalg.norm(own),
            abs=1e-5,
        )
        nearest = [id_ for id_ in np.argsort(keys) if id_ != row][:3]
        assert [near.id for near in occurrence.neighbours] == nearest
        assert [near.score for near in occurrence.neighbours] == pytest.approx(
            scores[nearest], abs=1e-5
        )
    units = [vector / np.linalg.norm(vector) for vector in expected]
    assert found.resultant == pytest.approx(np.linalg.norm(np.mean(units, axis=0)), abs=1e-6)


def test_sorted_by_distance_the_nearest_come_first(table: wordvec.Table, tmp_path: Path) -> None:
    corpus = write(tmp_path / "text", SENTENCES * 3)
    every = table.contexts("王", corpus, n=100)
    nearest = table.contexts("王", corpus, n=4, sort="distance")
    assert nearest.found == every.found == 39
    assert [one.score for one in nearest] == sorted(one.score for one in every)[:4]
    first = table.contexts("王", corpus, n=4)
    assert first.found is None
    assert [one.passage for one in first] == [one.passage for one in every][:4]


def test_of_a_frequent_word_a_random_sample_is_compared(
    table: wordvec.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wordvec import context

    monkeypatch.setattr(context, "SAMPLE", 10)
    corpus = write(tmp_path / "text", SENTENCES * 30)
    found = table.contexts("王", corpus, n=100, sort="distance")
    assert (found.found, found.computed, len(found)) == (390, 10, 10)
    assert len({one.passage.left for one in found}) > 1
    again = table.contexts("王", corpus, n=100, sort="distance")
    assert again.to_dict() == found.to_dict()


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("cells", [80, 40])
def test_the_words_are_below_one_another(cells: int, tiny_bert: Path, tmp_path: Path) -> None:
    corpus = write(tmp_path / "text")
    code, out, _ = run(
        *("contexts", "王", "--model", tiny_bert, "--mode", "dynamic@1", "--corpus", corpus),
        *("-n", "6"),
        style=OutputStyle(cells=cells),
    )
    assert code == 0
    lines = [line for line in out.splitlines() if "  王  " in line]
    assert len(lines) == 6
    assert {text.width(line[: line.index("  王  ")]) for line in lines} == {
        text.width(lines[0][: lines[0].index("  王  ")])
    }
    assert max(map(text.width, out.splitlines()[2:])) <= cells


def test_the_command_prints_what_the_library_returns(
    table: wordvec.Table, tiny_bert: Path, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "text")
    args = ["contexts", "女王", "--model", tiny_bert, "--mode", "dynamic@1", "--corpus", corpus]
    result = table.contexts("女王", corpus)
    assert run(*args) == (0, f"{result!r}\n", "")
    [data] = json.loads(run(*args, "--json")[1])
    assert data == result.to_dict()
    assert data["occurrences"][0]["sentence"] == SENTENCES[0]
    assert (data["occurrences"][0]["left"], data["occurrences"][0]["word"]) == ("王[UNK]", "女王")
    lines = run(*args, "--tsv")[1].splitlines()
    assert lines[0] == "token\tdistance\tleft\tword\tright\tnearest"
    assert len(lines) == 1 + len(result)
    assert "<table>" in result._repr_html_()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mpnet", ("the king of the island", "the ", "king", " of the island")),
        ("roberta", ("the king of the island", "the ", "king", " of the island")),
        ("xlm-roberta", ("王と女王は王国", " 王と", "女王", "は王国")),
        ("albert", ("王国の島", " ", "王", "国の島")),
        ("bert", ("a king 東京 man woman", "[UNK]king", "東京", "man woman")),
    ],
)
def test_the_text_is_what_the_model_reads(
    name: str,
    parts: tuple[str, ...],
    tiny_model: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    sentence, left, word, right = parts
    opened = wordvec.extract(tiny_model(name), mode="dynamic")
    [one] = opened.contexts(word, write(tmp_path / "text", [sentence]))
    passage = one.passage
    assert [passage.left, passage.word, passage.right] == [left, word, right]


@pytest.mark.usefixtures("table")
def test_every_field_is_described(tiny_bert: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "output.md").read_text("utf-8")
    section = page.partition("## `wordvec contexts`")[2].partition("\n## ")[0]
    corpus = write(tmp_path / "text")
    args = ["contexts", "王", "--model", tiny_bert, "--mode", "dynamic@1", "--corpus", corpus]
    [data] = json.loads(run(*args, "--json")[1])
    example = json.loads(section.partition("```json\n")[2].partition("\n```")[0])
    assert list(data) == list(example)
    assert list(data["occurrences"][0]) == list(example["occurrences"][0])
    assert list(data["occurrences"][0]["neighbours"][0]) == ["token", "id", "distance"]
    heading = run(*args, "--tsv")[1].splitlines()[0].replace("\t", " ")
    assert f"TSV: `{heading}`" in section


@pytest.mark.usefixtures("table")
def test_control_characters_of_a_corpus_do_not_reach_the_terminal(
    tiny_bert: Path, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "text", ["\x1b[31m王\u202e\x07女"])
    args = ["contexts", "王", "--model", tiny_bert, "--mode", "dynamic@1", "--corpus", corpus]
    code, out, err = run(*args)
    assert (code, err) == (0, "")
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


def test_a_long_sentence_is_read_around_the_word(
    table: wordvec.Table, tiny_bert: Path, tmp_path: Path
) -> None:
    """The model reads 14 tokens at once."""
    sentence = "女の" * 20 + "王" + "の男" * 20
    [one] = table.contexts("王", write(tmp_path / "text", [sentence]))
    assert (one.passage.left, one.passage.right) == ("の女の女の女の", "の男の男の男")
    _, states = plain_states(tiny_bert, f"{one.passage.left}王{one.passage.right}", 1)
    expected = np.linalg.norm(states[7] - table["王"])
    assert one.score == pytest.approx(expected, abs=1e-5)


NECKS = """
彼は首を振った。
首に布を巻いた。
首が痛い。
長い首を伸ばした。
首を傾げた。
首を左右に振って笑った。
"""
POEMS = """
和歌を百首詠んだ。
和歌一首を詠んだ。
短歌を三首詠んで贈った。
二首の和歌を贈った。
百首の歌集を編んだ。
歌集に八十首の和歌が入る。
"""
CATS = """
猫が鳴いた。
猫を飼う。
白い猫がいる。
猫は寝ている。
猫と犬。
隣の猫が来た。
"""


def test_two_senses_are_separated_and_make_the_resultant_shorter(tmp_path: Path) -> None:
    """A planted corpus: 首 is a neck or the measure word of poems, 猫 has one sense."""
    corpus = write(tmp_path / "text", [*NECKS.split(), *POEMS.split(), *CATS.split()])
    opened = wordvec.extract(BUNDLED, mode="contextual", corpus=corpus, workers=0)
    two, one = (opened.norms([word])[0].resultant for word in ("首", "猫"))
    assert two is not None
    assert one is not None
    assert two < one - 0.02
    assert opened.contexts("首", corpus).resultant == pytest.approx(two, abs=1e-5)
    wordvec.extract(BUNDLED, mode="dynamic", layers=3)
    table = wordvec.open("mini:dynamic@3")
    found = table.contexts("首", corpus, metric="cosine", transforms="center", sort="distance")
    is_neck = [one.passage.sentence in NECKS for one in found]
    of_bodies = {"頸", "前足"}
    assert [
        not of_bodies.isdisjoint(near.token for near in one.neighbours) for one in found
    ] == is_neck
    assert is_neck.count(True) == 6
    assert is_neck[:5] == [True] * 5  # the table's own vector is nearer to a neck


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sort": "x"}, UsageError, "unknown sort 'x': expected corpus or distance"),
        ({"n": 0}, UsageError, "n"),
        ({"metric": "csls"}, WordvecError, "csls"),
    ],
)
def test_a_wrong_option_is_an_error(
    options: dict[str, Any],
    error: type[WordvecError],
    message: str,
    table: wordvec.Table,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=message):
        table.contexts("王", write(tmp_path / "text"), **options)


def test_a_word_that_is_not_there_is_an_error(table: wordvec.Table, tmp_path: Path) -> None:
    corpus = write(tmp_path / "text")
    with pytest.raises(WordvecError, match="騎士 is not in the corpus as a word of the model"):
        table.contexts("騎士", corpus)
    with pytest.raises(WordvecError, match="王 is not in the corpus"):
        table.contexts("王", write(tmp_path / "empty", [""]))


def test_a_static_table_has_no_contexts(tiny_bert: Path, tmp_path: Path) -> None:
    corpus = write(tmp_path / "text")
    wordvec.extract(tiny_bert)
    args = ["contexts", "王", "--model", tiny_bert, "--corpus", corpus, "--mode", "static"]
    assert run(*args) == (
        2,
        "",
        "Error: static vectors do not depend on sentences\nHint: --mode dynamic\n",
    )
    assert run("contexts", "王", "--model", tiny_bert)[::2] == (
        2,
        "Error: contexts needs a corpus\nHint: --corpus FILE\n",
    )
