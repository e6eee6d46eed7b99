"""The robust solver: its loss, its certificate, and agreement with other routes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import least_squares, linprog

from skparietal.scaling_laws import ONE_COLUMN_LAWS
from skparietal.solvers.tails.law_fit import descend, fit_law, huber

Z = np.linspace(-3, 3, 12)[:, None]
WEIGHTS = np.ones(12)
TRUTH = {
    "power": [0.1, 0.4],
    "power_plateau": [0.1, 0.4, -1.0],
    "tail_cut": [0.1, 0.4, 0.3],
    "finite_generator": [0.1, 0.4, 0.3],
    "mixed": [0.1, 0.6, -1.5, -3.5],
}


def noisy(name, scale, seed=0):
    noise = np.random.default_rng(seed).normal(scale=scale, size=12)
    return ONE_COLUMN_LAWS[name].log_value(np.array([TRUTH[name]]), Z)[0][0] + noise


def fit(name, log_y, delta, weights=WEIGHTS):
    return fit_law(
        ONE_COLUMN_LAWS[name],
        Z,
        log_y,
        weights,
        delta=delta,
        n_starts=16,
        rng=np.random.RandomState(0),
    )


def test_huber_is_half_the_square_and_then_linear():
    r = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    assert_allclose(huber(r, 1.0), [2.5, 0.125, 0, 0.125, 2.5])
    assert_allclose(huber(r, np.inf), r**2 / 2)


@pytest.mark.parametrize("name", ONE_COLUMN_LAWS)
def test_exact_data_give_their_law_back(name):
    result = fit(name, noisy(name, 0.0), 1e-3)
    assert_allclose(result.theta, TRUTH[name], atol=1e-4)
    assert result.free.all()


@pytest.mark.parametrize("name", ONE_COLUMN_LAWS)
def test_least_squares_agrees_with_scipy(name):
    law, log_y = ONE_COLUMN_LAWS[name], noisy(name, 0.01)
    result = fit(name, log_y, 10.0)
    other = least_squares(
        lambda theta: law.log_value(theta[None], Z)[0][0] - log_y, TRUTH[name], xtol=1e-14
    )
    assert_allclose(result.objective, other.cost, rtol=1e-6)
    assert result.optimality < 1e-8


def test_a_small_delta_is_the_linear_programme_of_least_absolute_deviations():
    log_y = noisy("power", 0.1)
    # minimise sum (u + v) with A theta + u - v = log_y, u, v >= 0.
    design = np.column_stack([np.ones(12), -Z[:, 0]])
    identity = np.eye(12)
    lp = linprog(
        np.r_[0, 0, np.ones(24)],
        A_eq=np.hstack([design, identity, -identity]),
        b_eq=log_y,
        bounds=[(None, None)] * 2 + [(0, None)] * 24,
    )
    result = fit("power", log_y, 1e-6)
    assert_allclose(np.abs(result.residuals).sum(), lp.fun, rtol=1e-4)


def test_one_gross_error_moves_the_law_little():
    clean = noisy("power_plateau", 0.005)
    spoilt = clean.copy()
    spoilt[5] += 5.0
    robust = fit("power_plateau", spoilt, 1e-3).theta
    assert_allclose(robust, fit("power_plateau", clean, 1e-3).theta, atol=0.05)
    assert (
        np.abs(fit("power_plateau", spoilt, 10.0).theta[:2] - TRUTH["power_plateau"][:2]).max()
        > 0.3
    )


def test_weights_are_repetitions():
    log_y = noisy("tail_cut", 0.02)
    weights = 1.0 + np.arange(12) % 3
    repeated = np.repeat(np.arange(12), weights.astype(int))
    law = ONE_COLUMN_LAWS["tail_cut"]
    rng = np.random.RandomState(0)
    options = {"delta": 0.01, "n_starts": 16, "rng": rng}
    other = fit_law(law, Z[repeated], log_y[repeated], np.ones(len(repeated)), **options)
    assert_allclose(fit("tail_cut", log_y, 0.01, weights).objective, other.objective, rtol=1e-6)


def test_many_problems_side_by_side_are_the_problems_one_by_one():
    law = ONE_COLUMN_LAWS["power_plateau"]
    log_y = np.stack([noisy("power_plateau", 0.02, seed) for seed in range(5)])
    starts = np.repeat([TRUTH["power_plateau"]], 5, axis=0)
    theta, _, _ = descend(law, Z, log_y, WEIGHTS, starts, delta=0.1, max_iter=50)
    for row, data in zip(theta, log_y):
        single, _, _ = descend(law, Z, data, WEIGHTS, starts[:1], delta=0.1, max_iter=50)
        assert_allclose(row, single[0], rtol=1e-9)


def test_a_parameter_that_the_data_leave_open_ends_on_its_bound_and_is_marked():
    # No plateau at all: the constant term sinks to its floor or out of sight.
    result = fit("power_plateau", -0.5 * Z[:, 0], 1e-3)
    assert np.exp(result.theta[2]) < 1e-4 * np.exp((-0.5 * Z[:, 0]).min())
    assert np.abs(result.residuals).max() < 1e-4


@pytest.mark.parametrize("name", ["power_plateau", "tail_cut", "finite_generator", "mixed"])
def test_newtons_step_ends_where_reweighting_would_crawl(name):
    law, log_y = ONE_COLUMN_LAWS[name], np.stack([noisy(name, 0.03, seed) for seed in range(40)])
    starts = np.repeat([TRUTH[name]], 40, axis=0)
    coarse, _, _ = descend(law, Z, log_y, WEIGHTS, starts, delta=0.01, max_iter=15)
    theta, objective, optimality = descend(law, Z, log_y, WEIGHTS, coarse, delta=1e-3, max_iter=20)
    # Of reweighted least squares, with all the weights beyond delta, half to a third are not done.
    assert np.mean(optimality < 1e-8) >= 0.9
    # Minima: no parameter moved by 1e-4 either way lowers the loss by more than the tolerance.
    done = optimality < 1e-8
    for move in np.vstack([np.eye(starts.shape[1]), -np.eye(starts.shape[1])]) * 1e-4:
        loss = huber(law.log_value(theta + move, Z)[0] - log_y, 1e-3) @ WEIGHTS
        assert np.all((loss > (1 - 1e-6) * objective)[done])
