"""Each transform beside plain numpy on all rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import drawn_rows, table_of
from wordvec.errors import UsageError
from wordvec.search.settings import Transform
from wordvec.search.transforms import transform
from wordvec.tables.derived import Derived

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = ["unit", "center", "standardize", "abtt:1", "whiten"]


def plainly(rows: Floats, step: str) -> Floats:
    """Do one step to all rows by another road than ours: by singular values, not covariances."""
    centred: Floats = rows - rows.mean(axis=0)
    if step == "center":
        return centred
    if step in ("unit", "standardize"):
        by = np.linalg.norm(rows, axis=1, keepdims=True) if step == "unit" else rows.std(axis=0)
        over = rows if step == "unit" else centred
        scaled: Floats = np.divide(over, by, out=np.zeros_like(rows), where=by > 1e-9)
        return scaled
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    if step == "abtt:1":
        return centred - np.outer(centred @ vt[0], vt[0])
    kept = s > 1e-6 * s.max(initial=0)
    white: Floats = (u[:, kept] * np.sqrt(len(rows))) @ vt[kept]
    return white


def test_a_square_is_centred_and_normalised() -> None:
    table = table_of({"王": [0, 0], "女": [2, 0], "男": [0, 2], "神": [2, 2]})
    centred = transform(table, ["center"])
    assert centred.vectors.tolist() == [[-1, -1], [1, -1], [-1, 1], [1, 1]]
    assert centred.norms.tolist() == pytest.approx([2**0.5] * 4)
    assert centred.transforms == ("center",)
    unit = transform(centred, ["unit"])
    assert unit.transforms == ("center", "unit")
    assert unit.vectors[0].tolist() == pytest.approx([-(2**-0.5), -(2**-0.5)])


def test_the_strongest_component_is_removed_first() -> None:
    table = table_of([[10, 1, 0], [-10, 1, 0], [0, 2, 0], [0, 0, 0]])
    left = transform(table, ["abtt:1"]).vectors
    assert left.tolist() == pytest.approx(np.array([[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, -1, 0]]))
    assert np.abs(transform(table, ["abtt:2"]).vectors).max() < 1e-6


@settings(deadline=None, max_examples=200)
@given(drawn_rows(), st.lists(st.sampled_from(STEPS), min_size=1, max_size=3))
def test_each_transform_equals_plain_numpy(rows: NDArray[np.float32], steps: list[str]) -> None:
    D = rows.shape[1]
    steps = [step for step in steps if step != "abtt:1" or D > 1] or ["center"]
    expected = rows.astype(np.float64)
    for step in steps:
        before, expected = expected, plainly(expected, step)
        deviations = np.linalg.svd(before - before.mean(axis=0), compute_uv=False)
        strongest = deviations.max(initial=0)
        if strongest < 1e-5 * max(np.abs(rows).max(), 1e-30):
            return  # all rows alike: nothing but rounding is left
        if step == "abtt:1" and deviations[1] > 0.999 * deviations[0]:
            return  # two directions as strong as each other: either may go
        if step == "standardize" and 0 < before.std(axis=0).min() < 1e-5 * before.std(axis=0).max():
            return  # a dimension of rounding only
        if (
            step == "whiten"
            and ((deviations > 1e-9 * strongest) & (deviations < 1e-4 * strongest)).any()
        ):
            return  # likewise a direction
    if np.abs(expected).max() < 1e-5 * np.abs(rows).max():
        return  # nothing but rounding is left
    changed = transform(table_of(rows), steps)
    np.testing.assert_allclose(
        changed.vectors, expected, rtol=1e-5, atol=1e-5 * max(np.abs(expected).max(), 1e-30)
    )
    np.testing.assert_allclose(changed.norms, np.linalg.norm(changed.vectors, axis=1), rtol=1e-5)


def test_whitened_rows_have_the_identity_as_covariance() -> None:
    rows = np.random.default_rng(0).normal(size=(3000, 6)) @ np.diag([9, 3, 1, 1, 0.1, 0.01])
    white = transform(table_of(rows + 5), ["whiten"]).vectors.astype(np.float64)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(6), atol=1e-4)
    assert np.corrcoef(white[:, 0], rows[:, 0])[0, 1] > 0.99  # dimension 0 is still dimension 0


def test_a_dimension_that_does_not_vary_becomes_zero() -> None:
    table = table_of([[1, 0.1], [2, 0.1], [4, 0.1]])
    assert (transform(table, ["standardize"]).vectors[:, 1] == 0).all()
    assert (transform(table, ["center", "standardize"]).vectors[:, 1] == 0).all()
    assert np.abs(transform(table, ["whiten"]).vectors[:, 1]).max() < 1e-6


def test_rows_that_are_not_finite_are_ignored() -> None:
    table = table_of({"王": [1, 0], "女": [np.nan, 9], "男": [3, 0], "神": [np.inf, 0]})
    centred = transform(table, ["center"])
    assert centred.vectors[[0, 2]].tolist() == [[-1, 0], [1, 0]]
    assert np.isnan(centred.vectors[[1, 3]]).all()
    assert centred.provenance.non_finite_rows == (1, 3)


def test_a_zero_row_stays_zero() -> None:
    assert transform(table_of([[0, 0], [3, 4]]), ["unit"]).vectors[0].tolist() == [0, 0]


def test_without_transforms_the_table_is_returned_unchanged() -> None:
    table = table_of([[1, 2]])
    assert transform(table, []) is table


def test_the_block_size_does_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4))
    whole = transform(table_of(rows), ["standardize", "abtt:1"]).vectors
    monkeypatch.setattr("wordvec.search.transforms.ROWS_AT_ONCE", 7)
    cut = transform(table_of(rows), ["standardize", "abtt:1"]).vectors
    np.testing.assert_allclose(cut, whole, rtol=1e-5, atol=1e-6)


def test_fits_are_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    table = table_of(np.random.default_rng(0).normal(size=(50, 4)))
    steps = ["unit", "center", "abtt:2", "whiten"]
    first = transform(table, steps, derived=derived)
    names = sorted(path.name for path in derived.folder.iterdir())
    assert len(names) == 3  # unit has nothing to keep
    monkeypatch.setattr("wordvec.search.transforms._fit", None)  # not called again
    again = transform(table, steps, derived=derived)
    np.testing.assert_array_equal(again.vectors, first.vectors)
    transform(table, steps[:3], derived=derived)  # a beginning of it is kept as well


def test_a_saved_fit_of_another_shape_is_recomputed(tmp_path: Path) -> None:
    derived = Derived(tmp_path / "derived", "sha256:1")
    derived.save("transform center", {"mean": np.zeros(3)})
    assert transform(table_of([[1, 1], [3, 3]]), ["center"], derived=derived).vectors.tolist() == [
        [-1, -1],
        [1, 1],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("centre", "unknown transform 'centre': expected unit, center, standardize, abtt:N or"),
        ("abtt", "abtt needs a number of components"),
        ("abtt:0", "abtt:0 removes nothing"),
        ("abtt:-1", "unknown transform 'abtt:-1'"),
        ("whiten:2", "unknown transform 'whiten:2'"),
    ],
)
def test_an_unknown_transform_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Transform.parse(text)


def test_removing_every_component_is_refused() -> None:
    with pytest.raises(UsageError, match=r"abtt:2 would remove everything: .* have 2 dimensions"):
        transform(table_of([[1, 2], [3, 4]]), ["abtt:2"])


@pytest.mark.parametrize("text", ["unit", "center", "standardize", "abtt:12", "whiten"])
def test_a_transform_is_printed_as_it_is_typed(text: str) -> None:
    assert str(Transform.parse(text)) == text
