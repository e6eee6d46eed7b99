import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skparietal.estimators.bandits._reward_models import (
    BLOCK,
    DisjointRidge,
    SharedRidge,
    inverse_gap_weighting,
    update_ridge,
)


@given(
    arrays(float, (3, 5), elements=st.floats(-100, 100)),
    st.floats(0, 1e6),
)
def test_inverse_gap_weighting_is_a_distribution_that_prefers_the_best(scores, gamma):
    proba = inverse_gap_weighting(scores, gamma)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert proba.min() >= 0
    best = np.take_along_axis(proba, scores.argmax(axis=1)[:, None], axis=1)
    assert (best >= proba.max(axis=1, keepdims=True) - 1e-12).all()


def test_inverse_gap_weighting_without_greed_is_uniform():
    np.testing.assert_allclose(inverse_gap_weighting(np.array([[3.0, 1.0, 2.0]]), 0.0), 1 / 3)


@pytest.mark.parametrize("n", [1, 2, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_update_equals_solving_the_normal_equations(n):
    rng = np.random.default_rng(n)
    X, R = rng.normal(size=(n, 6)), rng.normal(size=(n, 3))
    inverse, coef = update_ridge(np.eye(6) / 0.3, np.zeros((6, 3)), X, R)
    design = 0.3 * np.eye(6) + X.T @ X
    np.testing.assert_allclose(inverse @ design, np.eye(6), atol=1e-10)
    np.testing.assert_allclose(coef, np.linalg.solve(design, X.T @ R), atol=1e-11)


def test_update_leaves_its_operands_alone():
    inverse, coef = np.eye(2), np.zeros((2, 1))
    update_ridge(inverse, coef, np.ones((1, 2)), np.ones((1, 1)))
    np.testing.assert_array_equal(inverse, np.eye(2))
    np.testing.assert_array_equal(coef, 0)


def test_shared_model_on_the_same_features_is_the_disjoint_one_of_a_single_action():
    rng = np.random.default_rng(0)
    X, R, g = rng.normal(size=(30, 4)), rng.normal(size=(30, 2)), np.array([0.3, 0.9])
    one, shared = DisjointRidge(1, 4, 2, reg=0.5), SharedRidge(4, 2, reg=0.5)
    one.absorb(X, np.zeros(30, dtype=int), R)
    shared.absorb(X[:, None], np.zeros(30, dtype=int), R)
    np.testing.assert_allclose(one.mean(X, g), shared.mean(X[:, None], g), rtol=1e-10)
    np.testing.assert_allclose(one.variance(X), shared.variance(X[:, None]), rtol=1e-10)
