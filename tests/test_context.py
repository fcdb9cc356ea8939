"""Words in sentences, compared with transformers' own hidden states."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import wordvec
from support.cli import run
from support.corpora import plain_tokenizer, write
from support.tables import toy_table
from wordvec.context import ContextModels
from wordvec.errors import ExpressionError, WordvecError
from wordvec.expression.parser import parse
from wordvec.search.resolve import resolve
from wordvec.table import Table
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.models.source import ModelSource

KINGS = "the king and the queen of the island"


def extracted(model: Path, **options: Any) -> Table:
    return wordvec.extract(model, **{"mode": "dynamic", "layers": "all", **options})


def layer_table(model: Path, layer: int) -> Table:
    return wordvec.open(f"{model}:dynamic@{layer}")


def plain_states(model: Path, sentence: str) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the tokens of a sentence, and their hidden states at each layer: (n, D) each."""
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
    states = [*output.hidden_states[:-1], output.last_hidden_state]
    return list(map(vocabulary.display, ids)), [one[0, 1:-1].double().numpy() for one in states]


def vector_of(table: Table, expression: str) -> Any:
    vectors: NDArray[np.float64] = table.engine().prepare(parse(expression)).vectors
    return vectors[0]


@pytest.mark.parametrize(
    ("name", "expression", "tokens", "first"),
    [
        ("bert", "女王{王と女王は王国の島に住む。}", ["女王"], 2),
        ("bert", "女騎士{王の女騎士}", ["女", "騎士"], 2),
        ("mpnet", f"king{{{KINGS}}}", ["king"], 1),
        ("roberta", f"king{{{KINGS}}}", ["Ġking"], 1),
        ("roberta", "kingdom{a kingdom of kings}", ["Ġking", "d", "o", "m"], 1),
        ("modernbert", f"the{{{KINGS}}}#2", ["Ġthe"], 3),
        ("albert", "king{the king}", ["k", "i", "n", "g"], 5),
        ("albert", "王{王と女王は王国の島に住む。}#2", ["王"], 3),
        ("deberta-v2", "王国{王と女王は王国の島に住む。}", ["王", "国"], 5),
        ("xlm-roberta", "女王｛王と女王は王国の島に住む。｝", ["女王"], 3),
        ("xlm-roberta", f"queen{{{KINGS}}}", ["▁queen"], 7),
    ],
)
def test_the_vector_is_the_hidden_state_at_the_word(
    name: str,
    expression: str,
    tokens: list[str],
    first: int,
    tiny_model: Callable[[str], Path],
) -> None:
    model = tiny_model(name)
    extracted(model)
    sentence = expression.partition("{")[2] or expression.partition("｛")[2]
    cut, states = plain_states(model, sentence.rpartition("}")[0] or sentence[:-1])
    place = slice(first, first + len(tokens))
    assert cut[place] == tokens
    for layer, state in enumerate(states):
        found = vector_of(layer_table(model, layer), expression)
        assert np.abs(found - state[place].mean(axis=0)).max() <= 1e-5


def test_a_contextual_table_has_sentences_at_its_layer(tiny_bert: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text")
    extracted(tiny_bert, mode="contextual", corpus=text, min_count=3, workers=0)
    table = wordvec.open(f"{tiny_bert}:contextual@1")
    _, states = plain_states(tiny_bert, "女王と王")
    rare = "女王{女王と王}"  # the table itself has no vector for it
    assert np.abs(vector_of(table, rare) - states[1][0]).max() <= 1e-5
    assert [neighbour.token for neighbour in table.query(rare, exclude=True)]


def test_a_word_in_a_sentence_is_a_term_like_any_other(tiny_bert: Path) -> None:
    table = extracted(tiny_bert)
    _, states = plain_states(tiny_bert, "王の女")
    king = states[2][0]
    vectors = table.vectors.astype(np.float64)
    expected = 2 * king - vectors[table._row("男")]
    assert np.abs(vector_of(table, "2*王{王の女}-男") - expected).max() <= 1e-5
    answer = table.query("2*王{王の女}-男", k=3)
    order = np.argsort(np.linalg.norm(vectors - expected, axis=1))[:3]
    assert [neighbour.id for neighbour in answer] == order.tolist()
    marked = table.query("王{王の女}", k=len(table))
    assert [one.token for one in marked if one.in_query] == ["王"]
    assert "王" not in [one.token for one in table.query("王{王の女}", k=82, exclude=True)]


@pytest.mark.parametrize("steps", ["center", "unit", "standardize,abtt:1", "whiten"])
def test_transforms_are_applied_to_it_too(steps: str, tiny_bert: Path) -> None:
    """A token alone between [CLS] and [SEP] is the row of the table, after every transform."""
    table = extracted(tiny_bert)
    space = table.space(steps)
    row = table._row("女王")
    found = table.engine(transforms=steps).prepare(parse("女王{女王}"))
    assert np.abs(found.vectors[0] - space.engine.rows([row])[0]).max() <= 1e-4


@pytest.mark.parametrize("method", ["mul", "direction", "add"])
def test_every_method_takes_it(method: str, tiny_bert: Path) -> None:
    table = extracted(tiny_bert)
    alone = table.query("男:女=王:?", method=method)
    same = table.query("男{男}:女=王{王}:?", method=method)
    assert [one.id for one in same] == [one.id for one in alone]
    other = table.query("男{男の王国}:女=王{王の島}:?", method=method)
    assert [one.score for one in other] != [one.score for one in alone]


def test_csls_counts_its_own_row_as_a_neighbour(tiny_bert: Path) -> None:
    """A word in a sentence is not a row of the table."""
    table = extracted(tiny_bert)
    question = table.engine(metric="csls").prepare(parse("王{王の島}"))
    alone = table.engine(metric="csls").prepare(parse("王"))
    engine = table.engine(metric="csls")
    assert engine.ranking(question).score(np.arange(9)) != pytest.approx(
        engine.ranking(alone).score(np.arange(9))
    )
    cosines = np.sort(table.engine(metric="cosine").ranking(question).score(np.arange(len(table))))
    r = table.space().mean_neighbour_similarity()
    expected = 2 * table.engine(metric="cosine").ranking(question).score(np.array([8]))
    expected = expected - cosines[-10:].mean() - r[8]
    assert engine.ranking(question).score(np.array([8])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("王{女と男}", "王 is not a word of this sentence", "the model cuts it into: 女 [UNK] 男"),
        (
            "王{王と王国の王}-男",
            "王 is in this sentence twice",
            "王{王と王国の王}#1 or 王{王と王国の王}#2",
        ),
        (
            "王{王の王の王}",
            "王 is in this sentence 3 times",
            "王{王の王の王}#1 or 王{王の王の王}#2",
        ),
        ("王{王の女}#2", "王 is in this sentence only once", None),
        (
            "王{王の王の王の王の王の王の王の王}",
            "the sentence has 15 tokens, and the model reads 14",
            "use a shorter one",
        ),
        ('"[MASK]"{王[MASK]}', "[MASK] is not a word of this sentence", None),
    ],
)
def test_an_error_marks_the_word(
    source: str, message: str, hint: str | None, tiny_bert: Path
) -> None:
    table = extracted(tiny_bert)
    with pytest.raises(ExpressionError) as caught:  # compared below
        table.query(f"男+{source}")
    error = caught.value
    assert error.message == message
    assert (error.start, error.end) == (2, 2 + len(source.partition("{")[0]))
    if hint is not None:
        assert error.hint == hint


def test_a_word_is_not_found_inside_another(tiny_model: Callable[[str], Path]) -> None:
    table = extracted(tiny_model("roberta"))
    with pytest.raises(ExpressionError, match="king is not a word of this sentence"):
        table.query("king{a kingdom}")
    assert table.query("king{a kingdom of the king}").notes == ()


def test_several_pieces_are_noted(tiny_bert: Path) -> None:
    table = extracted(tiny_bert)
    note = "女騎士 in its sentence is the mean of 女 + 騎士"
    assert table.query("女騎士{王の女騎士}-男").notes == (note,)


def test_a_static_table_ignores_the_sentence_and_says_so(tiny_bert: Path) -> None:
    table = wordvec.extract(tiny_bert)
    answer = table.query("王{女の島}-男")
    note = "王{女の島} is the static vector of 王: static vectors do not depend on sentences"
    assert answer.notes == (note,)
    assert [one.score for one in answer] == [one.score for one in table.query("王-男")]


def test_an_imported_table_has_no_model_to_read_with(tmp_path: Path) -> None:
    file = tmp_path / "v.txt"
    file.write_text("2 2\n王 1 0\n女 0 1\n", "utf-8")
    table = wordvec.import_vectors(file, "toy", mode="dynamic")
    message = r"^toy:dynamic was imported: there is no model that reads sentences$"
    with pytest.raises(ExpressionError, match=message) as caught:
        table.query("王{王がいた}-女")
    assert caught.value.hint == "the word alone: 王"
    assert len(table.query("王-女")) == 2


def test_a_model_that_has_changed_is_not_read(tiny_bert: Path, tmp_path: Path) -> None:
    import shutil

    model = shutil.copytree(tiny_bert, tmp_path / "model")
    table = extracted(model)
    with (model / "config.json").open("a") as file:
        file.write(" ")
    with pytest.raises(WordvecError, match=r"was extracted from revision .* which is now") as error:
        table.query("王{王の女}")
    assert "--force" in str(error.value.hint)


def test_the_map_takes_words_alone() -> None:
    with pytest.raises(ExpressionError, match="a word in a sentence cannot be used here"):
        resolve(parse("王{王がいた}"), toy_table().vocabulary)


def test_the_model_is_loaded_once_for_all_tables(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wordvec.extraction import encoder

    extracted(tiny_bert)
    loaded: list[str] = []
    load = encoder.load_encoder

    def counted(source: ModelSource) -> Any:
        loaded.append(source.name)
        return load(source)

    monkeypatch.setattr(encoder, "load_encoder", counted)
    traced = wordvec.trace("王{王の女}-男", "女王", model=str(tiny_bert))
    assert [point.rank is None for point in traced] == [False] * 4
    assert loaded == [str(tiny_bert)]


def test_torch_is_loaded_only_for_a_sentence(tiny_bert: Path) -> None:
    extracted(tiny_bert)
    code = (
        (
            "import sys, wordvec\n"
            f"table = wordvec.open({str(tiny_bert) + ':dynamic'!r})\n"
            "table.query('王-男', k=3)\n"
            "print('torch' in sys.modules)\n"
            "table.query('王{{王の女}}-男', k=3)\n"
            "print('torch' in sys.modules)\n"
        )
        .replace("{{", "{")
        .replace("}}", "}")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_on_macos_torch_is_not_loaded_beside_faiss(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted(tiny_bert)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "faiss", sys)
    with pytest.raises(WordvecError, match="torch cannot be loaded after faiss"):
        wordvec.open(f"{tiny_bert}:dynamic").query("王{王の女}")


def test_the_status_says_what_is_loaded(tiny_bert: Path) -> None:
    said: list[str] = []
    table = Table(extracted(tiny_bert).data, models=ContextModels(said.append))
    table.query("王{王の女}")
    assert said == ["loading torch", f"loading {tiny_bert}", ""]


def test_the_commands_take_words_in_sentences(tiny_bert: Path) -> None:
    extracted(tiny_bert)
    common = ["--model", tiny_bert]
    for command in (
        ["query", "王{王の女}-男", "-k", "2", "--mode", "dynamic"],
        ["compare", "王{王の女}-男", "-k", "2"],
        ["explain", "王{王の女}-男", "女王", "--mode", "dynamic@1"],
        ["trace", "王{王の女}-男", "女王"],
    ):
        code, out, err = run(*command, *common)
        assert code == 0, err
        assert "王{王の女}-男" in out
        assert ("static vector of 王" in err) == (command[0] in ("compare", "trace"))


def test_in_the_shell_a_sentence_may_have_spaces(tiny_model: Callable[[str], Path]) -> None:
    model = tiny_model("roberta")
    extracted(model)
    lines = "king{the king of - the island}\n:explain king{the  king}#1 man\n:k 1\n"
    code, out, err = run(
        "shell", "--model", model, "--mode", "dynamic", stdin=lines + "king{a king} - king\n"
    )
    assert code == 0, err
    assert "king{the king of - the island}" in out
    assert "king{the  king}#1" in out
