"""Degrees of freedom and effective ridge: closed forms, limits, fixed points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skparietal.spectrum import (
    degrees_of_freedom,
    effective_ridge,
    power_law_problem,
    ridge_chain,
)


def test_isotropic_degrees_of_freedom_have_a_closed_form():
    df1, df2 = degrees_of_freedom(np.full(10, 2.0), [0.0, 2.0, 6.0])
    np.testing.assert_allclose(df1, [10, 5, 2.5])
    np.testing.assert_allclose(df2, [10, 2.5, 0.625])


def test_isotropic_effective_ridge_solves_the_quadratic():
    # lam = kappa (1 - d/T/(1 + kappa)): kappa^2 + kappa (1 - d/T - lam) - lam = 0.
    d, n, lam = 60, 100, 0.3
    b = 1 - d / n - lam
    expected = (-b + np.sqrt(b**2 + 4 * lam)) / 2
    np.testing.assert_allclose(effective_ridge(np.ones(d), lam, n), expected, rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    d=st.integers(1, 80),
    n=st.integers(1, 80),
    log_lam=st.floats(-30, 20),
    capacity=st.floats(0, 3),
)
def test_effective_ridge_is_a_fixed_point(d, n, log_lam, capacity):
    spectrum, lam = np.arange(1, d + 1.0) ** -capacity, np.exp(log_lam)
    kappa = effective_ridge(spectrum, lam, n)
    df1, _ = degrees_of_freedom(spectrum, kappa)
    # At df1 near n the difference 1 - df1/n cancels: the error is relative to kappa, not to lam.
    assert abs(kappa * (1 - df1 / n) - lam) <= 1e-9 * kappa


def test_without_a_ridge_the_rows_are_the_degrees_of_freedom():
    spectrum, _ = power_law_problem(200, 1.5, 0.5)
    df1, _ = degrees_of_freedom(spectrum, effective_ridge(spectrum, 0.0, 50))
    assert df1 == pytest.approx(50, rel=1e-10)
    assert effective_ridge(spectrum, 0.0, 200) == 0


def test_many_rows_leave_the_ridge_as_it_is():
    lam = np.array([1e-3, 1.0, 10.0])
    np.testing.assert_allclose(effective_ridge(np.ones(5), lam, 1e12), lam, rtol=1e-8)


def test_null_directions_do_not_count():
    with_null = effective_ridge([2.0, 1.0, 0.0], 0.1, 7)
    assert with_null == pytest.approx(effective_ridge([2.0, 1.0], 0.1, 7), rel=1e-12)
    assert degrees_of_freedom([1.0, 0.0], 0.0)[0] == 1


def test_power_law_source_condition():
    spectrum, coef = power_law_problem(50, 1.5, 0.4)
    k = np.arange(1, 51)
    np.testing.assert_allclose(spectrum * coef**2, k ** -(1 + 2 * 1.5 * 0.4))


@pytest.mark.parametrize(
    "spectrum, lam, n, match",
    [
        ([-1.0, 1.0], 1.0, 5, "eigenvalues >= 0"),
        ([0.0, 0.0], 1.0, 5, "at least one of them > 0"),
        ([np.nan], 1.0, 5, "finite"),
        ([[1.0]], 1.0, 5, "vector"),
        ([1.0], -1.0, 5, "lam must be"),
        ([1.0], 1.0, 0, "n_samples must be positive"),
    ],
)
def test_bad_input_names_the_argument(spectrum, lam, n, match):
    with pytest.raises(ValueError, match=match):
        effective_ridge(spectrum, lam, n)


def test_a_chain_of_least_squares_adds_the_same_noise_every_time():
    spectrum, coef = np.array([2.0, 0.5]), np.array([1.0, -1.0])
    mean, second_moment = ridge_chain(coef, coef**2, spectrum, 0.0, 10.0, 0.3, 4)
    np.testing.assert_allclose(mean, coef)
    np.testing.assert_allclose(second_moment - coef**2, 4 * 0.3 / 10 / spectrum)
