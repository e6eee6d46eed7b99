"""Generalised Gini welfare: identities, the projection's optimality, the smoothing's bounds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import check_grad

from skparietal.objectives import (
    check_gini_weights,
    generalized_gini,
    gini_weights,
    project_permutohedron,
    smoothed_generalized_gini,
)

VECTORS = st.integers(1, 8).flatmap(lambda n: arrays(float, n, elements=st.floats(-5, 5)))


def gini_index(x):
    """Mean absolute difference over twice the mean, straight from the definition."""
    return np.abs(np.subtract.outer(x, x)).mean() / (2 * x.mean())


def test_default_weights_give_one_minus_the_gini_index():
    x = np.random.default_rng(0).gamma(1.0, size=40)
    expected = x.mean() * (1 - gini_index(x))
    assert generalized_gini(x, gini_weights(40)) == pytest.approx(expected, rel=1e-12)


def test_the_welfare_is_the_least_over_all_permutations_of_the_weights():
    x = np.array([0.3, -1.0, 2.0, 0.3])
    weights = np.array([0.6, 0.3, 0.1, 0.0])
    least = min(np.dot(p, x) for p in itertools.permutations(weights))
    assert generalized_gini(x, weights) == pytest.approx(least, abs=1e-15)


@settings(deadline=None, max_examples=50)
@given(VECTORS)
def test_projection_is_the_closest_point_of_the_permutohedron(z):
    weights = gini_weights(len(z))
    projection = project_permutohedron(z, weights)
    assert projection.sum() == pytest.approx(1.0)
    # Optimality: no vertex makes an acute angle with the residual; the best vertex is sorted.
    residual = z - projection
    best = np.sort(residual)[::-1] @ weights
    assert best <= residual @ projection + 1e-9


@settings(deadline=None, max_examples=50)
@given(VECTORS, st.floats(0.01, 10))
def test_smoothing_lies_within_its_bounds_and_its_gradient_majorises(x, smoothing):
    weights = gini_weights(len(x))
    value, gradient = smoothed_generalized_gini(x, weights, smoothing)
    exact = generalized_gini(x, weights)
    assert exact - 1e-9 <= value <= exact + smoothing * weights @ weights / 2 + 1e-9
    y = np.random.default_rng(0).normal(size=len(x))
    assert generalized_gini(y, weights) <= gradient @ y + 1e-9


@pytest.mark.parametrize("smoothing", [0.05, 0.5, 5.0])
def test_gradient_agrees_with_finite_differences(smoothing):
    x = np.random.default_rng(1).normal(size=9)
    weights = gini_weights(9)
    error = check_grad(
        lambda x: smoothed_generalized_gini(x, weights, smoothing)[0],
        lambda x: smoothed_generalized_gini(x, weights, smoothing)[1],
        x,
    )
    assert error < 1e-6  # forward differences of step 1.5e-8


@pytest.mark.parametrize(
    "weights, message",
    [
        ([0.5, 0.5], r"shape \(3,\)"),
        ([0.2, 0.3, 0.5], "non-increasing"),
        ([0.5, 0.3, -0.1], "non-negative"),
        ([np.inf, 0.3, 0.1], "finite"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_gini_weights(weights, 3)
