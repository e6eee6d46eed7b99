"""Spectrum of a ridge problem: agreement with hat matrices, of both routes, and with the limit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skparietal.moments import Moments
from skparietal.solvers.collapse.ridge_spectrum import RidgeSpectrum
from skparietal.spectrum import effective_ridge, power_law_problem

LAM = np.array([1e-3, 0.1, 10.0])


def table(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, 2))


def by_moments(X, Y):
    return RidgeSpectrum.of_moments(Moments.of(X, Y).about_origin(), 0)[0]


def by_kernel(X, Y):
    values, vectors = np.linalg.eigh(X @ X.T)
    keep = values > 1e-10
    return RidgeSpectrum.of_kernel(values[keep], vectors[:, keep], Y, len(X), 0)


@pytest.mark.parametrize("route", [by_moments, by_kernel])
@pytest.mark.parametrize("shape", [(30, 5), (5, 30)])
def test_gcv_is_that_of_the_hat_matrix(route, shape):
    X, Y = table(*shape)
    T = len(X)
    expected = []
    for lam in LAM:
        hat = X @ np.linalg.solve(X.T @ X / T + lam * np.eye(X.shape[1]), X.T / T)
        share = 1 - np.trace(hat) / T
        expected.append(np.mean((Y - hat @ Y) ** 2, axis=0) / share**2)
    spectrum = route(X, Y)
    assert_allclose(spectrum.gcv(LAM), expected, rtol=1e-9)
    assert_allclose(spectrum.effective_ridge(LAM)[-1], LAM[-1] / share, rtol=1e-9)


def test_the_intercept_counts_as_one_degree_of_freedom():
    X, Y = table(30, 5)
    spectrum, _ = RidgeSpectrum.of_moments(Moments.of(X, Y), 1)
    assert spectrum.n_rest == 24
    # No shrinkage left: only the mean is fitted.
    assert spectrum.residual_share(1e12) == pytest.approx(29 / 30)


def test_coordinates_are_the_coefficients_in_the_basis():
    X, Y = table(30, 5)
    spectrum, basis = RidgeSpectrum.of_moments(Moments.of(X, Y).about_origin(), 0)
    expected = np.linalg.solve(X.T @ X + 30 * 0.1 * np.eye(5), X.T @ Y)
    assert_allclose(basis @ spectrum.coordinates(0.1), expected, rtol=1e-10)


def test_the_effective_ridge_is_that_of_the_population():
    population, _ = power_law_problem(300, 1.5, 0.5)
    X = np.random.default_rng(0).normal(size=(200, 300)) * np.sqrt(population)
    estimated = by_kernel(X, X[:, :1]).effective_ridge(LAM[:2])
    # Fluctuations are of order 1/T.
    assert_allclose(estimated, effective_ridge(population, LAM[:2], 200), rtol=0.03)
