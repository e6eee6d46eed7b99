"""Laws of the learning curve: derivatives, limits, and agreement with the theory of tails."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skparietal.scaling_laws import ONE_COLUMN_LAWS, AdditiveLaw, CallableLaw
from skparietal.theory import tails

Z = np.linspace(-3, 4, 9)[:, None]
THETA = {
    "power": [0.1, 0.4],
    "power_plateau": [0.1, 0.4, -2.0],
    "tail_cut": [0.1, 0.4, 0.3],
    "finite_generator": [0.1, 0.4, 0.3],
    "mixed": [0.1, 0.4, -1.0, -2.0],
}


def log_law(name, theta, z=Z):
    return ONE_COLUMN_LAWS[name].log_value(np.array([theta]), z)[0][0]


def numerical_jacobian(law, theta, z):
    step = 1e-5
    columns = []
    for i in range(theta.shape[1]):
        move = step * (np.arange(theta.shape[1]) == i)
        ends = [law.log_value(theta + sign * move, z)[0] for sign in (-1, 1)]
        columns.append((ends[1] - ends[0]) / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", ONE_COLUMN_LAWS)
def test_derivatives_are_those_of_the_value(name):
    theta = np.array([THETA[name], np.array(THETA[name]) + 0.2])
    law = ONE_COLUMN_LAWS[name]
    _, jacobian = law.log_value(theta, Z)
    # Central differences of step 1e-5 carry an error of about 1e-10.
    assert_allclose(jacobian, numerical_jacobian(law, theta, Z), atol=1e-7)


def test_derivatives_of_several_columns():
    rng = np.random.default_rng(0)
    law, z, theta = AdditiveLaw(3), rng.normal(size=(8, 3)), rng.normal(size=(2, 7))
    _, jacobian = law.log_value(theta, z)
    assert_allclose(jacobian, numerical_jacobian(law, theta, z), atol=1e-8)
    terms = np.exp(theta[0, :3] - theta[0, 3:6] * z).sum(axis=1) + np.exp(theta[0, 6])
    assert_allclose(law.log_value(theta, z)[0][0], np.log(terms))


def test_callable_law_differentiates_the_function():
    law = CallableLaw(lambda X, t: t[0] * X[:, 0] ** -t[1], [(0.1, 5), (0, 2)], np.zeros(1))
    value, jacobian = law.log_value(np.array([[2.0, 0.5]]), Z)
    assert_allclose(value[0], np.log(2) - 0.5 * Z[:, 0])
    assert_allclose(jacobian[0], np.column_stack([np.full(9, 0.5), -Z[:, 0]]), atol=1e-6)


@pytest.mark.parametrize("name", ["tail_cut", "finite_generator", "mixed"])
def test_bent_laws_begin_as_the_power_law(name):
    theta = np.array(THETA[name])
    early = np.array([[-12.0], [-10.0]])
    # A real share of e^-2 leaves the early law on all rows.
    assert_allclose(log_law(name, theta, early), theta[0] - theta[1] * early[:, 0], atol=0.02)


@pytest.mark.parametrize("name", ["power_plateau", "tail_cut", "finite_generator"])
def test_plateau_is_the_limit_of_the_law(name):
    law, theta = ONE_COLUMN_LAWS[name], np.array(THETA[name])
    plateau = law.plateau(law.natural(theta, np.array([2.0])))
    assert_allclose(log_law(name, theta, np.array([[80.0]])), np.log(plateau), rtol=1e-6)


def test_a_mixture_ends_as_the_real_rows_alone():
    theta = np.array(THETA["mixed"])
    late = 12.0
    real_rows_only = theta[0] - theta[1] * (late + theta[3])
    assert_allclose(log_law("mixed", theta, np.array([[late]])), real_rows_only, atol=1e-6)


def test_laws_with_free_constants_contain_the_theory_of_tails():
    beta, cut, size, share = 1.5, 200, 5_000.0, 0.01
    n = np.geomspace(1e3, 1e7, 9)
    c, z = 1 - 1 / beta, np.log(n)[:, None]
    constant = np.log(tails.clean_error(1e12, beta) * 1e12**c)
    kept = 1 - tails.tail_mass(beta, cut)
    knee = np.log(1 / (cut + 0.5) ** -beta * tails.zeta(beta))
    # 1e-3: the corrections of order 1/n, and tail sums against integrals.
    generator = log_law("finite_generator", [constant, c, np.log(size)], z)
    assert_allclose(generator, np.log(tails.generator_error(n, beta, size)), atol=1e-3)
    cut_law = log_law("tail_cut", [constant + c * np.log(kept), c, knee + np.log(kept)], z)
    assert_allclose(cut_law, np.log(tails.cut_error(n, beta, cut)), atol=1e-3)
    head = share + (1 - share) / kept
    theta = [constant - c * np.log(head), c, knee - np.log(head), np.log(share / head)]
    mixed = log_law("mixed", theta, z)
    assert_allclose(mixed, np.log(tails.mixed_error(n, beta, cut, share)), atol=1e-3)


@pytest.mark.parametrize("name", ONE_COLUMN_LAWS)
def test_natural_parameters_do_not_depend_on_the_centre(name):
    # The same law seen from two centres: theta moves, the constants stay.
    law, theta, shift = ONE_COLUMN_LAWS[name], np.array(THETA[name]), 1.7
    moved = theta.copy()
    moved[0] -= theta[1] * shift
    if name != "power" and name != "power_plateau":
        moved[2] -= shift
    one, two = law.natural(theta, np.array([3.0])), law.natural(moved, np.array([3.0 + shift]))
    assert_allclose(list(one.values()), list(two.values()))
    assert_allclose(log_law(name, moved, Z - shift), log_law(name, theta, Z))


@pytest.mark.parametrize("name", ONE_COLUMN_LAWS)
@pytest.mark.parametrize("n_starts", [1, 5, 16])
def test_starts_lie_within_the_bounds(name, n_starts):
    law, rng = ONE_COLUMN_LAWS[name], np.random.RandomState(0)
    log_y = -0.3 * Z[:, 0]
    low, high = law.bounds(Z, log_y)
    starts = law.starts(Z, log_y, n_starts, rng)
    assert 1 <= len(starts) <= n_starts
    assert np.all((starts >= low) & (starts <= high))
