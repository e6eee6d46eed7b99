"""Moments: exact identities of the merge."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.moments import Moments

FIELDS = ("weight", "x_mean", "y_mean", "xx", "xy", "yy")


def table(n, d=3, k=2, seed=0, offset=100.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + offset, rng.normal(size=(n, k)) - offset


def assert_same(one, two, rtol=1e-9):
    for field in FIELDS:
        np.testing.assert_allclose(getattr(one, field), getattr(two, field), rtol=rtol)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 39), min_size=1, max_size=5, unique=True))
def test_any_split_merges_to_the_moments_of_the_whole(cuts):
    X, y = table(40)
    bounds = [0, *sorted(cuts), 40]
    parts = [Moments.of(X[a:b], y[a:b]) for a, b in itertools.pairwise(bounds)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    # Centred sums lose no digits to the offset of 100: 1e-9 is far above rounding.
    assert_same(merged, Moments.of(X, y))


def test_integer_weights_are_repetitions():
    X, y = table(30)
    weights = np.arange(30) % 4
    repeated = np.repeat(np.arange(30), weights)
    assert_same(Moments.of(X, y, weights.astype(float)), Moments.of(X[repeated], y[repeated]))


def test_moments_about_the_origin_are_plain_products():
    X, y = table(30, offset=2.0)
    raw = Moments.of(X, y).about_origin()
    np.testing.assert_allclose(raw.xx, X.T @ X)
    np.testing.assert_allclose(raw.xy, X.T @ y)
    np.testing.assert_allclose(raw.yy, (y**2).sum(axis=0))
    assert not raw.x_mean.any()
    assert not raw.y_mean.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_floating_type_of_x_is_kept(dtype):
    X, y = table(10)
    moments = Moments.of(X.astype(dtype), y.astype(dtype), np.ones(10))
    assert moments.xx.dtype == moments.xy.dtype == moments.x_mean.dtype == dtype


def test_a_flat_target_is_one_column():
    X, y = table(10, k=1)
    assert_same(Moments.of(X, y[:, 0]), Moments.of(X, y))
