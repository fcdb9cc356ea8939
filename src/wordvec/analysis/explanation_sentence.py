"""Why an answer has its rank: one sentence, made from the figures of an explanation alone.

    女王 ranks 4th, after the query's own 王: 太子 is ahead by 0.0874 in squared distance because
    −男 costs 女王 0.4103 more, although 女 gives 女王 0.4728 more; vector lengths do not matter
    here (rank 4 → 4 at equal length).

A part *costs* an answer where it makes its score worse, and *gives* where it makes it better. The
term named is the one that favours the nearer answer most. Where it is larger than the difference of
the scores, the term that favours the other answer most is named too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec import text
from wordvec.analysis.display import number
from wordvec.analysis.explanation_parts import largest_places
from wordvec.models.bundled import BUNDLED
from wordvec.search.settings import Method, Metric
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.analysis.explanation import Explanation
    from wordvec.analysis.explanation_parts import Competitor, Contribution

_ROUNDING = 1e-9  # relative: a smaller difference of two scores is none
_EQUAL_NORMS = 1.05  # words whose norms differ by less say nothing about the role of lengths


def sentence(explanation: Explanation) -> str:
    """Return the sentence of an explanation."""
    place = _place(explanation)
    lengths = _lengths(explanation)
    if other := explanation.over or explanation.ahead or explanation.behind:
        place += f": {_comparison(explanation, other)}"
    return f"{place}; {lengths}." if lengths else f"{place}."


def _place(explanation: Explanation) -> str:
    """Say the rank, and which words of the query rank higher."""
    if explanation.rank is None:
        return f"{explanation.token} has no rank, as it may not be an answer"
    place = f"{explanation.token} ranks {ordinal(explanation.rank)}"
    own = explanation.own_ahead
    return f"{place}, after the query's own {_listed(own)}" if own else place


@dataclass(frozen=True, slots=True)
class _Term:
    """A part of two scores: how much it favours the nearer answer, and whether it costs both."""

    name: str
    favours: float
    costs: bool

    def phrase(self, nearer: str, farther: str) -> str:
        """Say whom it favours: `−男 costs 女王 0.4103 more`."""
        winner, loser = (nearer, farther) if self.favours >= 0 else (farther, nearer)
        verb, whom = ("costs", loser) if self.costs else ("gives", winner)
        return f"{self.name} {verb} {whom} {number(abs(self.favours))} more"


def _comparison(explanation: Explanation, other: Competitor) -> str:
    """Say which of two answers is nearer, by how much, and because of which term."""
    behind = explanation.is_behind(other)
    tokens = (other.token, explanation.token)
    nearer, farther = tokens if behind else tokens[::-1]
    unit = " in squared distance" if explanation.metric is Metric.L2 else ""
    terms = _terms(explanation, other, behind=behind)
    difference = sum(term.favours for term in terms)
    subject = f"{other.token} is ahead" if behind else f"it is ahead of {other.token}"
    if abs(difference) <= _ROUNDING * sum(abs(term.favours) for term in terms):
        return f"{other.token} is equally near"
    said = f"{subject} by {number(difference)}{unit}"
    if len(terms) == 1:
        return said
    first, *equal = [terms[i] for i in largest_places(term.favours for term in terms)]
    if equal:
        names = _listed([term.name for term in (first, *equal)])
        return f"{said} because {names} each favour {nearer} by {number(first.favours)}"
    said += f" because {first.phrase(nearer, farther)}"
    against = min(terms, key=lambda term: term.favours)
    if first.favours > difference and against.favours < 0:
        said += f", although {against.phrase(nearer, farther)}"
    return said


def _terms(explanation: Explanation, other: Competitor, *, behind: bool) -> list[_Term]:
    """Return the parts of both scores, word by word; under l2 the length of the answer last."""
    sign = -1 if explanation.metric.smaller_is_nearer else 1
    names = [*map(_signed, other.parts), "its own length"]
    own = [part.part for part in explanation.parts]
    own += [] if explanation.own_part is None else [explanation.own_part]
    return [
        _Term(
            name,
            sign * (gain if behind else -gain) + 0.0,
            costs=max(sign * part, sign * (part + gain)) <= 0,
        )
        for name, part, (_, gain) in zip(names, own, explanation.differences(other), strict=False)
    ]


def _lengths(explanation: Explanation) -> str:
    """Say whether the norms of the words matter, if that can be said."""
    if explanation.settings.method is Method.ADD and len(explanation.parts) > 1:
        return "vector lengths cannot matter, as 3CosAdd brings all words to length 1"
    effect, rank = explanation.norm_effect, explanation.rank
    if effect is None or rank is None:
        return ""
    if effect.rank is None:
        return "at equal length, the words add up to nothing"
    compared = f"(rank {rank:,} → {effect.rank:,} at equal length)"
    if effect.rank != rank:
        return f"vector lengths matter here {compared}"
    norms = [part.norm for part in explanation.parts]
    if max(norms) < _EQUAL_NORMS * min(norms):
        lengths = f"{number(min(norms))} to {number(max(norms))}{_as_trained(explanation)}"
        return f"the words have nearly equal lengths ({lengths}), so nothing follows about lengths"
    return f"vector lengths do not matter here {compared}"


def _as_trained(explanation: Explanation) -> str:
    table = explanation.table
    raw = not explanation.settings.all_transforms
    built_in = raw and table.model == BUNDLED and table.mode == Mode.STATIC
    return ", as mini was trained" if built_in else ""


def _signed(part: Contribution) -> str:
    """Write a word with its weight: `女`, `−男`, `2*王`."""
    sign, size = "−" if part.weight < 0 else "", abs(part.weight)
    return f"{sign}{'' if size == 1 else f'{size:g}*'}{text.escape(part.word)}"


def _listed(tokens: Sequence[str]) -> str:
    *most, last = tokens
    return f"{', '.join(most)} and {last}" if most else last


def ordinal(number: int) -> str:
    """Return a rank in words.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 1012, 1021)]
    ['1st', '2nd', '3rd', '4th', '11th', '1,012th', '1,021st']
    """
    teen = number % 100 in (11, 12, 13)
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"
