"""Gradient descent in closed form: against the iteration, against ridge, in other variables."""

import numpy as np
import pytest

from skparietal.norms import LpNorm, MahalanobisNorm
from skparietal.solvers.robustness.gradient_flow import GradientFlow
from skparietal.theory import early_stopping_bound

TIMES = np.array([0.0, 0.1, 1.0, 10.0, np.inf])


def problem(d=5, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    return root @ root.T / d, rng.normal(size=d)


def test_the_flow_is_the_limit_of_small_steps():
    gram, correlation = problem()
    flow, w, step = GradientFlow(gram, correlation), np.zeros(5), 1e-4
    for _ in range(10_000):
        w = w + step * (correlation - gram @ w)
    # Euler's method is off by the order of its step.
    np.testing.assert_allclose(flow.coef(np.array([1.0]))[0], w, atol=1e-3)


def test_ends_errors_and_degrees_of_freedom():
    gram, correlation = problem()
    flow = GradientFlow(gram, correlation)
    coef = flow.coef(TIMES)
    center = np.linalg.solve(gram, correlation)
    np.testing.assert_array_equal(coef[0], np.zeros(5))
    np.testing.assert_allclose(coef[-1], center)
    np.testing.assert_allclose(flow.explained, center @ correlation)
    gaps = coef - center
    np.testing.assert_allclose(flow.excess(TIMES), np.sum((gaps @ gram) * gaps, axis=1), atol=1e-12)
    np.testing.assert_allclose(flow.degrees_of_freedom(TIMES)[[0, -1]], [0, 5])


@pytest.mark.parametrize("shape", ["vector", "matrix"])
def test_a_preconditioner_is_descent_on_transformed_features(shape):
    gram, correlation = problem()
    rng = np.random.default_rng(1)
    root = rng.uniform(0.5, 2, 5) if shape == "vector" else rng.normal(size=(5, 5)) + 2 * np.eye(5)
    matrix = np.diag(root) if shape == "vector" else root
    flow = GradientFlow(gram, correlation, root)
    plain = GradientFlow(matrix.T @ gram @ matrix, matrix.T @ correlation)
    np.testing.assert_allclose(
        flow.coef(TIMES), plain.coef(TIMES) @ matrix.T, rtol=1e-9, atol=1e-12
    )


def test_the_flow_has_less_error_than_ridge_and_not_much_more_norm():
    # At time t, ridge with penalty 1/t: the two facts behind the bound 1.6859.
    for seed in range(20):
        gram, correlation = problem(seed=seed)
        flow, center = GradientFlow(gram, correlation), np.linalg.solve(gram, correlation)
        for time in np.geomspace(1e-2, 1e3, 30):
            ridge = np.linalg.solve(gram + np.eye(5) / time, correlation)
            w = flow.coef(np.array([time]))[0]
            errors = [(v - center) @ gram @ (v - center) for v in (w, ridge)]
            assert errors[0] <= errors[1] * (1 + 1e-9)
            bound = np.sqrt(early_stopping_bound()) * np.linalg.norm(ridge)
            assert np.linalg.norm(w) <= bound * (1 + 1e-6)


@pytest.mark.parametrize(
    ("n_steps", "factor"),
    [(1, 2.0), (2, 1.5625), (3, 1.46), (5, 1.39), (10, 1.34), (100, 1.303)],
)
def test_large_steps_loosen_the_bound(n_steps, factor):
    # Independent directions of all variances up to the largest, and steps of one over it: the
    # share that is learned over that of ridge with penalty 1 / time.
    values = np.linspace(1e-3, 1, 2000)
    flow = GradientFlow(np.diag(values), values, learning_rate=1.0)
    learned = flow.coef(np.array([float(n_steps)]))[0]
    ridge = values / (values + 1 / n_steps)
    np.testing.assert_allclose(np.max(learned / ridge), factor, atol=6e-3)


def test_a_tenth_of_the_largest_step_keeps_the_bound():
    values = np.linspace(1e-3, 1, 2000)
    flow = GradientFlow(np.diag(values), values, learning_rate=0.1)
    for n_steps in (1, 5, 10, 18, 30, 100):
        learned, time = flow.coef(np.array([0.1 * n_steps]))[0], 0.1 * n_steps
        # 1.2984 of the flow, and at most the 5 % that Euler's method adds to it.
        assert np.max(learned * (values + 1 / time) / values) <= 1.05 * 1.298426


def test_grids_are_of_whole_steps_and_end_at_convergence():
    gram, correlation = problem()
    flow = GradientFlow(gram, correlation)
    grid = flow.grid(50, 10)
    assert grid[0] == 0
    assert np.isinf(grid[-1])
    assert len(grid) == 52
    np.testing.assert_allclose(flow.coef(grid[-2:])[0], flow.coef(grid[-2:])[1], rtol=1e-12)
    steps = GradientFlow(gram, correlation, learning_rate=0.1).grid(50, 1000)[:-1] / 0.1
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert steps[-1] == pytest.approx(1000)
    empty = GradientFlow(np.zeros((3, 3)), np.zeros(3))
    np.testing.assert_array_equal(empty.grid(50, 10), [0, np.inf])
    np.testing.assert_array_equal(empty.coef(np.array([1.0, np.inf])), np.zeros((2, 3)))
    assert empty.ridge_time(LpNorm(2), 0.1, 0.0) == 0


def test_the_time_of_theory_is_one_over_the_ridge_penalty():
    gram, correlation = problem()
    matrix = np.diag([1.0, 2.0, 0.5, 3.0, 1.5])
    for norm, root in ((LpNorm(2), None), (MahalanobisNorm(matrix), np.sqrt(np.diag(matrix)))):
        flow = GradientFlow(gram, correlation, root)
        time = flow.ridge_time(norm, 0.1, 1.0)
        penalties = np.geomspace(1e-3, 1e3, 20_001)
        shrunk = flow.basis.values / (flow.basis.values + penalties[:, None])
        inner = flow.coordinates / flow.basis.values
        clean = np.sqrt(((1 - shrunk) * inner) ** 2 @ flow.basis.values + 1.0)
        attack = 0.1 * np.linalg.norm(shrunk * inner, axis=1)
        risk = clean**2 + attack**2 + 2 * np.sqrt(2 / np.pi) * clean * attack
        # The grid of penalties has steps of .07 percent.
        np.testing.assert_allclose(1 / time, penalties[np.argmin(risk)], rtol=1e-3)
