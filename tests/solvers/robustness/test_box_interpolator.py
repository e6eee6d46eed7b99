"""Interpolator of least largest coefficient: linear programming, the box path, and refusals."""

import numpy as np
import pytest
from scipy.optimize import linprog

from skparietal.adversarial_risk import SurrogateRisk
from skparietal.norms import LpNorm
from skparietal.solvers.robustness.adversarial_least_squares import (
    frontier_path,
    minimize_adversarial_risk,
)
from skparietal.solvers.robustness.box_interpolator import interpolate_in_box
from skparietal.solvers.robustness.frontier import frontier_point
from skparietal.solvers.robustness.quadratic_loss import RowLoss


def rows(n, d, seed=0, *, centred=True):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, d)) * np.exp(0.3 * rng.normal(size=d)), rng.normal(size=n)
    return (X - X.mean(axis=0), y - y.mean()) if centred else (X, y)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [(3, 5), (10, 12), (15, 60), (30, 200)])
def test_it_solves_the_linear_program(shape, centred):
    # max tau over X v = tau y, |v| <= 1; then w = v / tau.
    X, y = rows(*shape, seed=sum(shape), centred=centred)
    coef, limit, _ = interpolate_in_box(RowLoss(X, y))
    program = linprog(
        np.append(np.zeros(len(X.T)), -1.0),
        A_eq=np.column_stack([X, -y]),
        b_eq=np.zeros(len(y)),
        bounds=[(-1, 1)] * len(X.T) + [(0, None)],
    )
    # HiGHS is feasible to 1e-7.
    np.testing.assert_allclose(np.abs(coef).max(), 1 / program.x[-1], rtol=1e-6)
    np.testing.assert_allclose(X @ coef, y, atol=1e-11)
    # The certificate: z'w is the largest coefficient times the sum of |z|, and z'S^-1 z is 1.
    z, square, reach = limit
    np.testing.assert_allclose(z @ coef, np.abs(coef).max() * np.abs(z).sum(), rtol=1e-10)
    np.testing.assert_allclose(reach, z @ coef, rtol=1e-10)
    np.testing.assert_allclose(z @ np.linalg.pinv(X.T @ X) @ z, square, rtol=1e-8)


def test_it_is_the_end_of_the_box_path():
    X, y = rows(20, 90, seed=1)
    loss = RowLoss(X, y)
    path = frontier_path(loss, LpNorm(1))
    end = path.coef(np.array(path.ends))[1]
    np.testing.assert_allclose(interpolate_in_box(loss)[0], end, atol=1e-10 * np.abs(end).max())


def test_a_larger_attack_than_interpolation_allows_is_left_to_the_path():
    X, y = rows(20, 90, seed=2)
    loss, norm = RowLoss(X, y), LpNorm(1)
    coef, limit, _ = interpolate_in_box(loss)
    radius = np.abs(limit[0]).sum()
    below, above = (
        frontier_point(loss, norm, SurrogateRisk(factor * radius), coef, limit=limit)
        for factor in (0.999, 1.1)
    )
    assert below.gap <= 1e-12
    assert above.gap > 1e-4
    assert minimize_adversarial_risk(loss, norm, SurrogateRisk(1.1 * radius)).solver == "box_path"


def test_rows_that_contradict_each_other_have_no_interpolator():
    X, y = rows(10, 40, seed=3, centred=False)
    X, y = np.vstack([X, X[:2]]), np.append(y, y[:2] + 1.0)
    loss, norm = RowLoss(X, y), LpNorm(1)
    point = minimize_adversarial_risk(loss, norm, SurrogateRisk(1.0))
    assert point.solver == "box_path"
    assert point.gap <= 1e-10


def test_copies_of_columns_are_left_to_the_path_or_solved():
    # Rounding decides whether the edges between the copies are told apart.
    X, y = rows(10, 40, seed=4)
    X[:, 20:] = X[:, :20]
    coef = interpolate_in_box(RowLoss(X, y))[0]
    if coef is not None:
        np.testing.assert_allclose(X @ coef, y, atol=1e-10)
    assert minimize_adversarial_risk(RowLoss(X, y), LpNorm(1), SurrogateRisk(0.1)).gap <= 1e-9
