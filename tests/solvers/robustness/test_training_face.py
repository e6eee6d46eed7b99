"""Exact adversarial training from signs: the minimiser is a fixed point, and certified."""

import numpy as np
import pytest

from skparietal.norms import GroupNorm, LpNorm
from skparietal.solvers.robustness.adversarial_training import minimize_empirical_risk, training_gap
from skparietal.solvers.robustness.training_face import TrainingFaces


def problem(n=40, d=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = X[:, 0] - 0.5 * X[:, 1] + 0.5 * rng.normal(size=n)
    weights = 1.0 + np.arange(n) % 3
    return X - X.mean(axis=0), y, weights / weights.sum()


@pytest.mark.parametrize("p", [1, 2, np.inf])
@pytest.mark.parametrize("shape", [(40, 6), (12, 30)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_rough_solution_becomes_exact(p, shape, fit_intercept):
    X, y, weights = problem(*shape)
    norm = LpNorm(p)
    # Between interpolation and collapse.
    radius = 0.3 * norm.norm((weights * (y - weights @ y)) @ X) / (weights @ np.abs(y))
    found = minimize_empirical_risk(
        X, y, weights, norm, radius, fit_intercept=fit_intercept, tol=1e-12
    )
    assert found.gap <= 1e-12
    # The minimiser's own signs lead back to it.
    residual = y - X @ found.coef - found.intercept
    residual[np.abs(residual) < 1e-9] = 0.0
    coef, intercept, row = TrainingFaces(X, y, weights, norm, radius, fit_intercept).solve(
        residual, found.coef
    )
    np.testing.assert_allclose(coef, found.coef, atol=1e-7)
    np.testing.assert_allclose(intercept, found.intercept, atol=1e-7)
    assert training_gap(X, y, weights, norm, radius, coef, intercept, row, fit_intercept) <= 1e-12


def test_norms_without_faces_and_zero_coefficients_are_refused():
    X, y, weights = problem()
    group = TrainingFaces(X, y, weights, GroupNorm([0, 0, 1, 1, 2, 2]), 0.1, True)
    assert group.solve(y, np.ones(6)) is None
    assert TrainingFaces(X, y, weights, LpNorm(2), 0.1, True).solve(y, np.zeros(6)) is None
