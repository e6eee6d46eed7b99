"""Both ways of solving the normal equations against each other and against their definition."""

import numpy as np
import pytest

from skparietal.solvers.collapse.mixed_normal_equations import (
    explained_by_cholesky,
    explained_by_rows,
    solve_by_eigenvectors,
    solve_by_rows,
)

ALPHAS = np.array([0.05, 2.0, 100.0])


@pytest.fixture
def equations():
    rng = np.random.default_rng(0)
    diagonal = np.r_[0.0, rng.uniform(0, 5, 11)]
    factor, right = rng.standard_normal((5, 12)), rng.standard_normal((12, 2))
    combination = rng.uniform(0.5, 1, 4), 0.3
    rows = combination[0][:, None] * factor[:-1] + combination[1] * factor[-1]
    return diagonal, factor, right, combination, rows


def test_both_ways_agree(equations):
    diagonal, factor, right, combination, rows = equations
    gram = np.diag(diagonal) + factor.T @ factor
    by_rows = solve_by_rows(diagonal, factor, right, combination, ALPHAS)
    by_eigenvectors = solve_by_eigenvectors(gram.copy(), right, rows, ALPHAS)
    for one, two in zip(by_rows, by_eigenvectors):
        np.testing.assert_allclose(one, two, rtol=1e-9)


def test_solution_satisfies_the_definitions(equations):
    diagonal, factor, right, combination, rows = equations
    gram = np.diag(diagonal) + factor.T @ factor
    solution = solve_by_rows(diagonal, factor, right, combination, ALPHAS)
    for i, alpha in enumerate(ALPHAS):
        inverse = np.linalg.inv(gram + alpha * np.eye(12))
        np.testing.assert_allclose(solution.coef[i], inverse @ right, rtol=1e-9)
        leverage = np.diag(rows @ inverse @ rows.T)
        np.testing.assert_allclose(solution.leverage[i], leverage, rtol=1e-9)
        assert solution.df[i] == pytest.approx(np.trace(inverse @ gram))
        assert solution.log_det[i] == pytest.approx(-np.linalg.slogdet(inverse)[1])
        for explained, log_det in (
            explained_by_rows(diagonal, factor, right, alpha),
            explained_by_cholesky(gram.copy(), right, alpha),
        ):
            np.testing.assert_allclose(explained, np.diag(right.T @ inverse @ right), rtol=1e-9)
            assert log_det == pytest.approx(solution.log_det[i])
