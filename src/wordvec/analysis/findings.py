"""What the measures of a space mean, each in one sentence, and the option that mends it.

The limits below are ours: they mark what one notices in a list of neighbours. The figures stand
beside each sentence, so that a reader can set other limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wordvec.analysis.display import number
from wordvec.analysis.evaluation_scores import percent
from wordvec.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.space_measures import SpaceMeasures

MEAN_COSINE = 0.1  # of two random tokens
FIRST_COMPONENTS = 0.2  # of the variance, in the first three
ONE_DIMENSION = 0.1  # of the mean cosine or of the squared lengths, and 5 × an equal share
NORM_VARIATION = 0.1  # deviation/mean
NORM_RANK = 0.2  # Spearman's ρ of norm and row
SKEWNESS = 1.5  # of the k-occurrence
SUBWORDS, TWINS = 0.1, 0.25  # of the neighbours of words; of the tokens with a twin
NAMED = 5  # hubs and dimensions


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its figure, what it means, and the option that mends it; None if all is well."""

    check: str
    figure: str
    meaning: str
    option: str | None

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {name: getattr(self, name) for name in self.__slots__}


def findings(measures: SpaceMeasures, dimensions: int) -> tuple[Finding, ...]:
    """Return the findings of every check. dimensions: D."""
    return (
        _anisotropy(measures),
        _components(measures, dimensions),
        _dimensions(measures, dimensions),
        _norms(measures),
        _hubs(measures),
        *_neighbours(measures),
    )


def top_components(dimensions: int) -> int:
    """Return how many components `abtt` should remove: D/100 (Mu and Viswanath 2018, section 2)."""
    return max(round(dimensions / 100), 1)


def _anisotropy(m: SpaceMeasures) -> Finding:
    figure = (
        f"two random tokens have a cosine of {m.mean_cosine:.3f} ± {m.cosine_deviation:.3f} "
        "(all pairs)"
    )
    if m.mean_cosine < MEAN_COSINE:
        meaning = "Random tokens are not similar: a cosine is read against 0."
        return Finding("anisotropy", figure, meaning, None)
    meaning = (
        f"All vectors share a direction: a cosine is read against {m.mean_cosine:.2f}, not against "
        "0."
    )
    return Finding("anisotropy", figure, meaning, "--transform center")


def _components(m: SpaceMeasures, dimensions: int) -> Finding:
    places = [place for place in (1, 3, 10) if place <= len(m.components)]
    shares = ", ".join(percent(m.components[place - 1]) for place in places)
    figure = f"the first {', '.join(map(str, places))} have {shares} of the variance"
    three = m.components[min(3, len(m.components)) - 1]
    if three <= max(FIRST_COMPONENTS, 5 * min(3, dimensions) / dimensions):
        meaning = "The variance is spread over many directions."
        return Finding("components", figure, meaning, None)
    meaning = (
        "A few directions, in which unrelated tokens agree, have a large part of the variance."
    )
    remove = min(top_components(dimensions), dimensions - 1)
    return Finding("components", figure, meaning, f"--transform abtt:{remove}")


def _dimensions(m: SpaceMeasures, dimensions: int) -> Finding:
    least = max(ONE_DIMENSION, min(5 / dimensions, 0.9))
    rogue = [one for one in m.dimensions if max(one.cosine_share or 0, one.length_share) >= least]
    shown = rogue[:NAMED] or m.dimensions[:1]
    parts = []
    for one in shown:
        cosine = (
            [] if one.cosine_share is None else [f"{percent(one.cosine_share)} of the mean cosine"]
        )
        shares = " and ".join([*cosine, f"{percent(one.length_share)} of the squared lengths"])
        parts.append(f"dimension {one.dimension} has {shares}")
    figure = f"{'; '.join(parts)} ({percent(1 / dimensions)} if all were equal)"
    if not rogue:
        meaning = "No dimension has a large part in every similarity."
        return Finding("dimensions", figure, meaning, None)
    few = "One dimension has" if len(rogue) == 1 else "A few dimensions have"
    meaning = f"{few} a large part in every similarity."
    return Finding("dimensions", figure, meaning, "--transform standardize")


def _norms(m: SpaceMeasures) -> Finding:
    n = m.norms
    rho = "" if n.rank_correlation is None else f", ρ with the row {n.rank_correlation:+.2f}"
    figure = (
        f"{number(n.minimum)} to {number(n.maximum)}, median {number(n.median)}, "
        f"deviation {percent(n.variation)} of the mean{rho}"
    )
    if n.variation < NORM_VARIATION:
        meaning = "Norms hardly differ: they decide little under any metric."
        return Finding("norms", figure, meaning, None)
    meaning = (
        "Norms differ: L2 distance and inner product depend on them, cosine similarity does not."
    )
    if n.rank_correlation is not None and abs(n.rank_correlation) >= NORM_RANK:
        longer = "longer" if n.rank_correlation > 0 else "shorter"
        meaning += f" Tokens of later rows, which are rarer in most vocabularies, are {longer}."
    return Finding("norms", figure, meaning, "--unit")


def _hubs(m: SpaceMeasures) -> Finding:
    h = m.hubness
    named = ", ".join(f"{clip(one.token, 16)} {one.occurrences}" for one in h.hubs[:NAMED])
    figure = (
        f"the {h.k}-occurrence has a skewness of {h.skewness:.2f}; the largest: {named}; "
        f"{percent(h.orphans)} are the neighbour of no token"
    )
    if h.skewness < SKEWNESS:
        return Finding("hubs", figure, "No token is a neighbour of too many others.", None)
    meaning = f"Hubs are near to many tokens, whatever these mean (the mean is {h.k})."
    return Finding("hubs", figure, meaning, "--metric csls")


def _neighbours(m: SpaceMeasures) -> Iterator[Finding]:
    n = m.neighbours
    if n.subwords is not None and n.subword_tokens > 0:
        figure = (
            f"{percent(n.subwords)} of the neighbours of whole words are subwords "
            f"({percent(n.subword_tokens)} of the tokens)"
        )
        if n.subwords < SUBWORDS:
            yield Finding("subwords", figure, "Neighbours of words are words.", None)
        else:
            meaning = "Lists of neighbours have parts of words among them."
            yield Finding("subwords", figure, meaning, "--only word")
    if n.twins is not None:
        figure = (
            f"{percent(n.twins)} of {n.with_twin:,} tokens with a twin (as 王 and ##王) have it "
            f"among their {m.hubness.k} nearest"
        )
        if n.twins < TWINS:
            yield Finding("twins", figure, "Twins are seldom neighbours.", None)
        else:
            meaning = "Twins take the places of other neighbours."
            yield Finding("twins", figure, meaning, "--merge-twins")
