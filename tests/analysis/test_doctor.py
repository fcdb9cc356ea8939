"""The check-up on planted spaces, beside scipy, scikit-learn, statsmodels and plain numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

import wordvec
from support.tables import table_of, toy_table
from wordvec.analysis import space_measures
from wordvec.analysis.doctor import check_up
from wordvec.analysis.findings import findings, top_components
from wordvec.analysis.space_measures import measure
from wordvec.api import Table
from wordvec.errors import UsageError, WordvecError
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.analysis.findings import Finding


def ball(n: int = 1500, dimensions: int = 16, seed: int = 0) -> NDArray[np.float64]:
    """Make rows of one length in random directions."""
    rows = np.random.default_rng(seed).normal(size=(n, dimensions))
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def found(rows: NDArray[np.float64]) -> dict[str, Finding]:
    """Return the findings that have something to mend."""
    table = table_of(rows)
    return {one.check: one for one in findings(measure(table), table.dimensions) if one.option}


# --- planted spaces -----------------------------------------------------------------------------


def test_an_isotropic_space_is_cleared() -> None:
    assert found(ball()) == {}


def test_a_giant_dimension_with_a_mean_is_found_and_named() -> None:
    rows = ball()
    rows[:, 5] += 3
    shown = found(rows)
    assert {"anisotropy", "dimensions"} <= shown.keys()
    assert shown["dimensions"].figure.startswith("dimension 5 has ")
    assert shown["dimensions"].option == "--transform standardize"
    assert shown["dimensions"].meaning == "One dimension has a large part in every similarity."
    [first, *_] = measure(table_of(rows)).dimensions
    assert first.dimension == 5
    assert first.cosine_share == pytest.approx(1, abs=0.01)


def test_a_giant_dimension_without_a_mean_is_found_and_named() -> None:
    rows = ball()
    rows[:, 5] *= 20
    shown = found(rows)
    assert "anisotropy" not in shown  # two random tokens are alike or opposite
    assert shown["dimensions"].figure.startswith("dimension 5 has 79.9 % of the squared")
    assert shown["components"].option == "--transform abtt:1"


def test_one_hub_is_named() -> None:
    noise = ball(300, 64, seed=1)
    axis = np.zeros(64)
    axis[0] = 1.0
    rows = np.vstack([noise + axis, axis])  # a cone, and its axis, which is near to all
    shown = found(rows)
    assert "the largest: t300 300," in shown["hubs"].figure
    assert shown["hubs"].option == "--metric csls"


def test_norms_that_grow_with_the_row_are_found() -> None:
    rows = ball() * np.linspace(1, 3, 1500)[:, None]
    assert found(rows).keys() == {"norms"}
    assert found(rows)["norms"].meaning.endswith("are longer.")
    assert "ρ with the row +1.00" in found(rows)["norms"].figure
    assert "shorter" in found(rows[::-1])["norms"].meaning


def test_twins_and_subwords_among_neighbours_are_counted() -> None:
    rows = ball(40, 16)
    pairs = np.repeat(rows[:20], 2, axis=0) + ball(40, 16, seed=2) * 0.01
    tokens = tuple(f"{mark}w{i}" for i in range(20) for mark in ("", "##"))
    table = VectorTable.from_vectors(
        Vocabulary(tokens),
        pairs.astype(np.float32),
        Provenance("made", "static"),  # type: ignore[arg-type]
    )
    kinds = measure(table).neighbours
    assert (kinds.with_twin, kinds.twins, kinds.subword_tokens) == (40, 1.0, 0.5)
    cosines = (pairs @ pairs.T) / np.outer(*[np.linalg.norm(pairs, axis=1)] * 2)
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, axis=1)[::2, :10]  # of whole words
    assert kinds.subwords == pytest.approx((near % 2 == 1).mean())


# --- figures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uneven() -> NDArray[np.float64]:
    """Make 700 rows with a mean, unequal dimensions and unequal lengths."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(700, 24)) * rng.uniform(0.2, 2, size=24) + rng.normal(size=24) * 0.4
    return np.asarray(rows * rng.uniform(0.5, 2, size=(700, 1)), dtype=np.float32).astype(float)


def test_cosines_and_dimensions_are_those_of_all_pairs(uneven: NDArray[np.float64]) -> None:
    unit = uneven / np.linalg.norm(uneven, axis=1, keepdims=True)
    one, other = np.triu_indices(len(unit), 1)
    parts = unit[one] * unit[other]  # (pairs, D)
    cosines = parts.sum(axis=1)
    measures = measure(table_of(uneven))
    assert measures.mean_cosine == pytest.approx(cosines.mean(), abs=1e-6)
    assert measures.cosine_deviation == pytest.approx(cosines.std(), abs=1e-6)
    shares = parts.mean(axis=0) / cosines.mean()  # Timkey and van Schijndel 2021
    lengths = (unit**2).mean(axis=0)
    for dimension in measures.dimensions:
        assert dimension.cosine_share == pytest.approx(shares[dimension.dimension], abs=1e-5)
        assert dimension.length_share == pytest.approx(lengths[dimension.dimension], abs=1e-6)
    order = np.argsort(-np.maximum(shares, lengths))[:10]
    assert [dimension.dimension for dimension in measures.dimensions] == order.tolist()


def test_components_are_those_of_scikit_learn(uneven: NDArray[np.float64]) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    shares = decomposition.PCA().fit(uneven).explained_variance_ratio_.cumsum()[:10]
    np.testing.assert_allclose(measure(table_of(uneven)).components, shares, atol=1e-6)


def test_occurrences_are_those_of_scikit_learn_and_scipy(uneven: NDArray[np.float64]) -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    search = neighbors.NearestNeighbors(n_neighbors=10, metric="cosine").fit(uneven)
    counts = np.bincount(search.kneighbors(return_distance=False).ravel(), minlength=700)
    hubness = measure(table_of(uneven)).hubness
    assert hubness.skewness == pytest.approx(stats.skew(counts))
    assert hubness.orphans == (counts == 0).mean()
    assert [(hub.id, hub.occurrences) for hub in hubness.hubs] == [
        (row, counts[row]) for row in np.argsort(-counts, kind="stable")[:10]
    ]


def test_norms_are_those_of_numpy_and_scipy(uneven: NDArray[np.float64]) -> None:
    norms = np.linalg.norm(uneven, axis=1)
    measured = measure(table_of(uneven)).norms
    assert (measured.minimum, measured.median, measured.maximum) == pytest.approx(
        (norms.min(), np.median(norms), norms.max())
    )
    assert measured.variation == pytest.approx(stats.variation(norms))
    assert measured.rank_correlation == pytest.approx(stats.spearmanr(range(700), norms)[0])


def test_special_tokens_and_vectors_without_a_direction_are_left_out() -> None:
    rows = ball(60, 8)
    rows[0] = 1e6
    rows[1], rows[2] = 0, np.nan
    table = table_of(rows, special=1)
    measures = measure(table)
    assert (measures.tokens, measures.measured) == (57, 57)
    assert measures.norms.maximum == pytest.approx(1)
    assert measures.mean_cosine == pytest.approx(measure(table_of(rows[3:])).mean_cosine)


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_any_unit_of_the_vectors_gives_the_same_figures(scale: float) -> None:
    rows = ball(200, 8)
    one, other = measure(table_of(rows)), measure(table_of(rows * scale))
    assert other.mean_cosine == pytest.approx(one.mean_cosine, abs=1e-6)
    assert other.components == pytest.approx(one.components, abs=1e-5)
    assert other.norms.variation == pytest.approx(one.norms.variation, abs=1e-6)


def test_equal_vectors_have_no_variance_and_no_relation_with_the_row() -> None:
    measures = measure(table_of(np.ones((5, 3))))
    assert measures.components == (0, 0, 0)
    assert measures.norms.rank_correlation is None
    assert measures.mean_cosine == pytest.approx(1)
    assert measures.cosine_deviation == pytest.approx(0, abs=1e-6)


def test_too_few_tokens_are_refused() -> None:
    with pytest.raises(WordvecError, match=r"made:static: too few tokens with a direction.*: 2"):
        measure(table_of([[1, 0], [0, 1], [0, 0]]))


def test_of_a_large_table_a_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ball(2000, 8)
    rows[:, 3] += 1
    whole = measure(table_of(rows))
    monkeypatch.setattr(space_measures, "LIMIT", 500)
    table = table_of(rows)
    sample = measure(table)
    assert (sample.tokens, sample.measured) == (2000, 500)
    assert sample == measure(table)
    assert sample.mean_cosine == pytest.approx(whole.mean_cosine, abs=0.05)
    assert sample.dimensions[0].dimension == 3
    # hubs keep the rows of the whole table
    assert all(hub.token == f"t{hub.id}" for hub in sample.hubness.hubs)
    assert max(hub.id for hub in sample.hubness.hubs) > 500


def test_the_components_to_remove_are_a_hundredth_of_the_dimensions() -> None:
    assert [top_components(D) for D in (3, 256, 300, 768)] == [1, 3, 3, 8]


# --- analogies ----------------------------------------------------------------------------------


def analogies(folder: Path, *, pairs: int = 12) -> tuple[Path, NDArray[np.float64], list[str]]:
    """Make pairs with one relation in 12 dimensions, and a loud one that has nothing to do with it.

    Transforms that turn the loud dimension down solve them.
    """
    rng = np.random.default_rng(5)
    words = [f"{side}{i}" for i in range(pairs) for side in "ab"]
    first = rng.normal(size=(pairs, 12))
    relation = rng.normal(size=12)
    rows = np.stack([first, first + relation], axis=1).reshape(2 * pairs, 12)
    rows = np.hstack([rows, rng.normal(size=(2 * pairs, 1)) * 300])
    file = folder / "pairs.tsv"
    file.write_text("".join(f"rule\ta{i}\tb{i}\n" for i in range(pairs)), encoding="utf-8")
    return file, rows, words


def test_the_advice_has_the_figures_of_the_evaluation(tmp_path: Path) -> None:
    file, rows, words = analogies(tmp_path)
    table = Table(table_of(dict(zip(words, rows.tolist(), strict=True))))
    [checked] = table.doctor(file)
    steps = [[], ["center"], ["standardize"], ["abtt:1"], ["whiten"]]
    raw = table.evaluate(file, methods=["sum"], at=[1])[0]
    tried = table.evaluate(file, at=[1], transforms=steps)
    shares = [one.overall.left_out.shares[0] for one in (raw, *tried)]
    assert [one.overall.left_out.shares[0] for one in checked.analogies.combinations] == shares
    assert tried.best is not None
    best = tried.best
    one, other = (some.ranks.left_out == 1 for some in (raw, best))
    before, after = (100 * float(some.mean()) for some in (one, other))
    assert after > before
    p = stats.binomtest(int((other & ~one).sum()), int((other != one).sum())).pvalue
    assert checked.analogies.advice == (
        f"For analogies use --method add --transform {','.join(best.transforms)}: "
        f"{before:.1f} → {after:.1f} % of 132 questions (p = {p:.2g})."
    )


def test_the_comparison_is_that_of_statsmodels(tmp_path: Path) -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    file, rows, words = analogies(tmp_path, pairs=6)
    [checked] = Table(table_of(dict(zip(words, rows.tolist(), strict=True)))).doctor(file)
    raw, best = checked.analogies.combinations[0], checked.analogies.best
    one, other = (some.ranks.left_out == 1 for some in (raw, best))
    counts = [
        [(one & other).sum(), (one & ~other).sum()],
        [(~one & other).sum(), (~one & ~other).sum()],
    ]
    assert checked.analogies.comparison is not None
    assert checked.analogies.comparison.p == pytest.approx(
        tables.mcnemar(counts, exact=True).pvalue
    )


def test_what_may_be_chance_is_not_advised(tmp_path: Path) -> None:
    file, rows, words = analogies(tmp_path)
    rows[:, 12] = 0  # without the loud dimension nothing is to be won
    [checked] = Table(table_of(dict(zip(words, rows.tolist(), strict=True)))).doctor(file)
    assert checked.analogies.advice.startswith("For analogies use the defaults: ")


def test_a_vocabulary_of_another_language_is_not_measured_by_japanese_questions() -> None:
    rows = ball(30, 4)
    [checked] = check_up([(table_of(rows), None)])
    assert checked.analogies.combinations == ()
    assert checked.analogies.advice == (
        "No advice for analogies: the included analogies are Japanese, and no question can be "
        "asked: the vocabulary has too few of the words; name others with --files."
    )
    few = {"父": [1, 0], "母": [0, 1], "兄": [1, 1], "姉": [1, 2]}
    [checked] = check_up([(table_of(few), None)])
    assert (
        "2 of 16,318 questions can be asked; name others with --files" in checked.analogies.advice
    )


def test_the_best_of_several_tables_is_named(tmp_path: Path) -> None:
    file, rows, words = analogies(tmp_path)
    quiet = rows.copy()
    quiet[:, 12] = 0
    noisy = np.random.default_rng(9).normal(size=rows.shape)
    made = [table_of(dict(zip(words, some.tolist(), strict=True))) for some in (noisy, quiet)]
    made[1] = replace(made[1], provenance=replace(made[1].provenance, model="quiet"))
    checked = wordvec.doctor([Table(one) for one in made], file)
    shares = [one.analogies.best.overall.left_out.shares[0] for one in checked]
    assert checked.between.startswith("Of these tables quiet:static is best: with --method sum")
    assert f"it answers {100 * (shares[1] or 0):.1f} %, " in checked.between
    assert repr(checked).endswith(checked.between)


def test_pairs_with_a_score_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scores.tsv"
    file.write_text("王\t女王\t7\n", encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"a check-up takes analogies, and .* has pairs with a score"
    ):
        Table(toy_table()).doctor(file)


def test_progress_ends_at_its_total(tmp_path: Path) -> None:
    file, rows, words = analogies(tmp_path)
    steps: list[tuple[int, int]] = []
    table = Table(table_of(dict(zip(words, rows.tolist(), strict=True))))
    table.doctor(file, progress=lambda done, total: steps.append((done, total)))
    assert {total for _, total in steps} == {24 + 6 * 132}
    assert steps == sorted(steps)
    assert steps[-1] == (24 + 6 * 132, 24 + 6 * 132)
