"""Packing: what is packed can be read back, within the precision that is promised."""

from __future__ import annotations

import base64
import gzip

import numpy as np
import pytest

from wordvec.map.packing import (
    norm_range,
    pack,
    pack_array,
    pack_byte_planes,
    quantise_norms,
    quantise_positions,
    quantise_vectors,
    score_multiplier,
    score_steps,
)


def unpack(packed: str) -> bytes:
    return gzip.decompress(base64.b85decode(packed.translate(str.maketrans(",.", "<&"))))


def test_packed_bytes_can_be_unpacked_and_are_reproducible() -> None:
    assert unpack(pack("女王".encode())) == "女王".encode()
    assert pack(b"a" * 100) == pack(b"a" * 100)
    noise = np.random.default_rng(0).bytes(100_000)
    assert unpack(pack(noise)) == noise
    assert not {"<", "&"} & set(pack(noise))  # it is the text of an HTML element


def test_byte_planes_have_the_lowest_bytes_first() -> None:
    assert unpack(pack_byte_planes(np.array([1, 258, -1]))) == bytes(
        [1, 2, 255, 0, 1, 255, 0, 0, 255, 0, 0, 255]
    )


def test_columns_are_packed_one_after_the_other() -> None:
    rows = np.array([[1, 2], [3, 4]])
    assert pack_byte_planes(rows) == pack_byte_planes(np.array([1, 3, 2, 4]))


def test_scores_are_stored_as_steps_from_one_neighbour_to_the_next() -> None:
    scores = np.array([[0.5, 0.75, 1.0], [0.25, np.nan, np.nan]])
    assert score_steps(scores).tolist() == [[5000, 2500, 2500], [2500, 0, 0]]


def test_norms_are_steps_between_their_first_and_last_percentile() -> None:
    norms = np.concatenate([np.linspace(1, 2, 101), [np.nan]])
    low, high = norm_range(norms)
    assert [low, high] == pytest.approx([1.01, 1.99])
    steps = quantise_norms(norms)
    assert steps[[0, 1, 50, 99, 100, 101]].tolist() == [0, 0, 128, 255, 255, 0]
    assert quantise_norms(np.ones(4)).tolist() == [0, 0, 0, 0]


def test_arrays_are_little_endian() -> None:
    assert unpack(pack_array(np.array([1, 2], dtype=">u2"))) == b"\x01\x00\x02\x00"


def test_positions_are_within_half_a_step() -> None:
    positions = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32) * 70
    counts, minimum, steps = quantise_positions(positions)
    restored = counts.reshape(2, -1).T * np.array(steps) + np.array(minimum)
    assert (np.abs(restored - positions) <= np.array(steps) * 0.51).all()


def test_a_map_of_zero_width_can_be_packed() -> None:
    counts, _, _ = quantise_positions(np.ones((3, 2), dtype=np.float32))
    assert counts.tolist() == [0] * 6


@pytest.mark.parametrize(
    ("largest", "multiplier"), [(20.0, 1e4), (1.0, 1e4), (0.02, 1e6), (1e7, 1e2), (0.0, 1e4)]
)
def test_scores_keep_four_decimals_and_small_scores_more(largest: float, multiplier: float) -> None:
    found = score_multiplier(np.array([[largest, np.nan]]))
    assert found == pytest.approx(multiplier)
    assert largest * found < 2**31


def test_8_bit_vectors_are_within_half_a_step_of_each_row() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)
    rows[3] = 0
    rows[4, 2] = np.nan
    values, scales = quantise_vectors(rows)
    restored = values * scales[:, None]
    finite = [i for i in range(20) if i != 4]
    assert (np.abs(restored - rows)[finite] <= scales[finite, None] * 0.501).all()
    assert not values[[3, 4]].any()
