"""The sentence of an explanation says what its figures say: read again here from the JSON alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import table_of
from wordvec.analysis.display import number
from wordvec.analysis.explain import explain
from wordvec.analysis.query import QueryEngine
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.models.bundled import BUNDLED
from wordvec.search.settings import QuerySettings
from wordvec.search.space import Space

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable

TABLE = table_of({
    "王": [3, 0, 4], "女": [0, 2, 0], "男": [1, 0, 0], "女王": [2, 2, 4], "神": [9, 0, 0],
    "##王": [3, 0, 5],
})  # fmt: skip
LENGTHS = table_of({"長": [10, 0], "短": [0, 1], "東": [9, 1], "間": [5, 5]})
EVEN: dict[str, list[float]] = {
    "王": [1, 0],
    "女": [0, 1.01],
    "男": [0.6, 0.8],
    "犬": [0.8, 0.6],
    "猫": [-1, 0],
}
CASES = [
    (  # squared distances 0 and 69 = 81 − 12, of which ‖x‖² makes 81 − 24
        (TABLE, "王-男+女", "女王", {}),
        ("女王 ranks 1st: it is ahead of 神 by 69.0000 in squared distance because its own length "
        "costs 神 57.0000 more; vector lengths matter here (rank 1 → 2 at equal length)."),
    ),
    (  # without its own words
        (TABLE, "男:女=王:?", None, {}),
        ("女王 ranks 1st: it is ahead of 神 by 69.0000 in squared distance because its own length "
        "costs 神 57.0000 more; vector lengths do not matter here (rank 1 → 1 at equal length)."),
    ),
    (  # 王·神 = 27, 王·男 = 3; 王·##王 = 29 is no competitor; one word, so no other reason
        (TABLE, "王", "男", {"metric": "dot"}),
        "男 ranks 5th, after the query's own ##王 and 王: 神 is ahead by 24.0000.",
    ),
    (  # a word of the query; cosines 1 and 22/√600
        (TABLE, "王", "王", {"metric": "cosine"}),
        "王 ranks 1st: it is ahead of 女王 by 0.1019.",
    ),
    (  # (12, 0, 4) and 女王: 22/(√160 √24), 18/(√160 √24), against 3 and 9 of √160
        (TABLE, "王+神", "女王", {"metric": "cosine"}),
        ("女王 ranks 5th, after the query's own 神, 王 and ##王: 男 is ahead by 0.3032 because 神 "
        "gives 男 0.4210 more, although 王 gives 女王 0.1179 more; vector lengths do not matter "
        "here (rank 5 → 5 at equal length)."),
    ),
    (
        (LENGTHS, "長+短", "間", {"metric": "cosine"}),
        ("間 ranks 3rd, after the query's own 長: 東 is ahead by 0.2260 because 長 gives 東 0.2854 "
        "more, although 短 gives 間 0.0594 more; vector lengths matter here (rank 3 → 1 at equal "
        "length)."),
    ),
    (  # 猫·女 = 0 and 犬·女 = 0.606; 猫·男 = −0.6 and 犬·男 = 0.96
        (table_of(EVEN), "女-男", "猫", {"metric": "dot"}),
        ("猫 ranks 1st: it is ahead of 犬 by 0.9540 because −男 gives 猫 "
        "1.5600 more, although 女 gives 犬 0.6060 more; the words have nearly equal lengths "
        "(1.0000 to 1.0100), so nothing follows about lengths."),
    ),
    (
        (table_of(EVEN, model=BUNDLED), "女-男", "犬", {"metric": "dot", "exclude": True}),
        ("犬 ranks 2nd: 猫 is ahead by 0.9540 because −男 gives 猫 1.5600 more, although 女 gives "
        "犬 0.6060 more; the words have nearly equal lengths (1.0000 to 1.0100, as mini was "
        "trained), so nothing follows about lengths."),
    ),
    (  # q = (0.6, 2, 0.8): 4.4/√24 + 4/√24 of √5 against 0.6
        (TABLE, "王+2*女", "神", {"method": "add"}),
        ("神 ranks 6th, after the query's own 女, 王 and ##王: 女王 is ahead by 0.4985 because "
        "2*女 gives 女王 0.3651 more; vector lengths cannot matter, as 3CosAdd brings all words to "
        "length 1."),
    ),
    (
        (TABLE, "王-男+女", "男", {"exclude": True}),
        "男 has no rank, as it may not be an answer.",
    ),
    (
        (TABLE, "王-男+女", "女王", {"over": "王", "metric": "dot"}),
        ("女王 ranks 2nd, after the query's own ##王: it is ahead of 王 by 2.0000 because 女 gives "
        "女王 4.0000 more, although 王 gives 王 3.0000 more; vector lengths matter here (rank 2 → "
        "1 at equal length)."),
    ),
]  # fmt: skip


def explained(table: VectorTable, source: str, token: str | None, how: Any) -> dict[str, Any]:
    """Return the JSON of an explanation."""
    asked = QuerySettings.of(**{name: value for name, value in how.items() if name != "over"})
    engine = QueryEngine(Space(table, asked.all_transforms), asked)
    return explain(engine, parse(source), token, over=how.get("over")).to_dict()


@pytest.mark.parametrize(("case", "expected"), CASES)
def test_the_sentence(case: Any, expected: str) -> None:
    data = explained(*case)
    assert data["sentence"] == expected
    check(data)


def check(data: dict[str, Any]) -> None:
    """Compare every claim of the sentence with the figures in the JSON."""
    place, _, rest = data["sentence"].removesuffix(".").partition(": ")
    comparison, _, lengths = rest.partition("; ")
    if not rest:
        place, _, lengths = place.partition("; ")
    check_place(place, data)
    other = data.get("over") or data["ahead"] or data["behind"]
    assert bool(other) == bool(comparison)
    if other:
        check_comparison(comparison, data, other)
    check_lengths(lengths, data)


def check_place(place: str, data: dict[str, Any]) -> None:
    if data["rank"] is None:
        assert place == f"{data['token']} has no rank, as it may not be an answer"
        return
    found = re.fullmatch(
        r"(\S+) ranks ([\d,]+)(st|nd|rd|th)(?:, after the query's own (.*))?", place
    )
    assert found
    assert found[1] == data["token"]
    assert int(found[2].replace(",", "")) == data["rank"]
    assert (found[4] or "").replace(" and ", ", ") == ", ".join(data["own_ahead"])


def scores(data: dict[str, Any], other: dict[str, Any]) -> tuple[float, float, int]:
    """Return both scores, those of l2 squared, and 1 if larger is nearer, else −1."""
    if "distance" in data:
        return data["distance"] ** 2, other["distance"] ** 2, -1
    return data["similarity"], other["similarity"], 1


def weighted(part: dict[str, Any]) -> str:
    sign, size = "−" if part["weight"] < 0 else "", abs(part["weight"])
    return f"{sign}{'' if size == 1 else f'{size:g}*'}{part['word']}"


def check_comparison(said: str, data: dict[str, Any], other: dict[str, Any]) -> None:
    own, others, sign = scores(data, other)
    if said == f"{other['token']} is equally near":
        assert own == pytest.approx(others)
        return
    ahead = sign * (others - own) > 0
    nearer, farther = (other, data) if ahead else (data, other)
    begin, _, reason = said.partition(" because ")
    unit = " in squared distance" if sign < 0 else ""
    subject = "{} is ahead" if ahead else "it is ahead of {}"
    found = re.fullmatch(re.escape(subject.format(other["token"])) + r" by (\S+)" + unit, begin)
    assert found
    assert float(found[1]) == pytest.approx(abs(others - own), rel=1e-3, abs=1e-4)
    terms = {
        weighted(part): (sign * part["part"], sign * rival["part"])
        for part, rival in zip(data["parts"], other["parts"], strict=True)
    }
    if sign < 0:
        terms["its own length"] = (-data["own_part"], -other["own_part"])
    favours = {name: (b - a if ahead else a - b) for name, (a, b) in terms.items()}
    most = max(favours.values())
    if not reason:
        assert len(terms) == 1
        return
    if each := re.fullmatch(r"(.*) each favour (\S+) by (\S+)", reason):
        assert each[2] == nearer["token"]
        named = each[1].replace(" and ", ", ").split(", ")
        assert len(named) > 1
        assert [favours[name] for name in named] == pytest.approx([most] * len(named), rel=1e-5)
        return
    because, _, although = reason.partition(", although ")
    check_term(because, terms, favours, nearer["token"], farther["token"])
    assert favours[because.split(" gives ")[0].split(" costs ")[0]] == most
    least = min(favours.values())
    total = sum(favours.values())
    assert bool(although) == (most > total and least < 0)
    if although:
        check_term(although, terms, favours, nearer["token"], farther["token"])
        assert favours[although.split(" gives ")[0].split(" costs ")[0]] == least


def check_term(
    said: str,
    terms: dict[str, tuple[float, float]],
    favours: dict[str, float],
    nearer: str,
    farther: str,
) -> None:
    """Check `−男 costs 女王 0.4103 more`."""
    found = re.fullmatch(r"(.+) (costs|gives) (\S+) (\S+) more", said)
    assert found
    name, verb, whom, amount = found.groups()
    assert amount == number(abs(favours[name]))
    winner, loser = (nearer, farther) if favours[name] >= 0 else (farther, nearer)
    assert whom == (loser if verb == "costs" else winner)
    if abs(max(terms[name])) > 1e-9:  # a part of 0 is of either sign, by rounding
        assert (max(terms[name]) < 0) == (verb == "costs")


def check_lengths(said: str, data: dict[str, Any]) -> None:
    rank = data["rank"]
    if data["method"] == "add" and len(data["parts"]) > 1:
        assert said == "vector lengths cannot matter, as 3CosAdd brings all words to length 1"
        return
    if data["lengths"] is None or rank is None:
        assert not said
        return
    equal = data["lengths"]["rank_with_equal_norms"]
    if equal is None:
        assert said == "at equal length, the words add up to nothing"
        return
    if found := re.fullmatch(
        r"the words have nearly equal lengths \((\S+) to ([^ ,]+)(, as mini was trained)?\), so "
        r"nothing follows about lengths",
        said,
    ):
        norms = [part["norm"] for part in data["parts"]]
        assert (found[1], found[2]) == (number(min(norms)), number(max(norms)))
        assert max(norms) < 1.05 * min(norms)
        assert equal == rank
        return
    verb = "matter" if equal != rank else "do not matter"
    assert said == f"vector lengths {verb} here (rank {rank:,} → {equal:,} at equal length)"


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([("sum", "l2"), ("sum", "cosine"), ("sum", "dot"), ("add", "cosine")]),
    st.tuples(
        st.sampled_from(["#0-#1+#2", "#0:#1=#2:?", "#3", "2*#1-#0", "#0+#1+#2+#3-4*#5"]),
        st.integers(0, 7),
    ),
    st.fixed_dictionaries({
        "over": st.none() | st.integers(0, 7),
        "transforms": st.sampled_from([(), ("unit",)]),
    }),
)  # fmt: skip
def test_every_claim_is_made_from_the_figures(
    seed: int, how: tuple[str, str], asked: tuple[str, int], options: dict[str, Any]
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, (8, 3)) if seed % 2 else rng.normal(size=(8, 3))  # with ties, or not
    options |= {"method": how[0], "metric": how[1]}
    try:
        data = explained(table_of(rows), asked[0], f"#{asked[1]}", options)
    except (UsageError, WordvecError):
        return  # a zero vector; or the token over itself
    check(data)
