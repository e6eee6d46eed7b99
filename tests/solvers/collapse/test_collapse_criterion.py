"""Corrected criterion: exact identities, random-matrix limits, agreement with the true risk."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skparietal.datasets import make_collapse_regression
from skparietal.moments import Moments
from skparietal.solvers.collapse.collapse_criterion import (
    Chain,
    corrected_risk,
    match_generator,
    whitened_noise_profile,
)
from skparietal.solvers.collapse.ridge_spectrum import RidgeSpectrum
from skparietal.spectrum import degrees_of_freedom, effective_ridge, power_law_problem

LAM = np.logspace(-3, 2, 20)


def spectrum_of(X, y):
    return RidgeSpectrum.of_moments(Moments.of(X, y).about_origin(), 0)


def corrected(spectrum, chain, smooth=False):
    return corrected_risk(spectrum, LAM, chain, match_generator(spectrum, chain), smooth=smooth)


def test_least_squares_generators_add_twice_tau_times_the_degrees_of_freedom():
    X, y, _ = make_collapse_regression(200, 30, random_state=0)
    spectrum, _ = spectrum_of(X, y)
    result = corrected(spectrum, Chain(4, 100, 0.0, 30, noise_variance=0.3))
    tau = 4 * 0.3 / (100 - 31)
    df1 = spectrum.shrinkage(LAM).sum(axis=1)
    assert_allclose(result.criterion[:, 0], spectrum.gcv(LAM)[:, 0] + 2 * tau * df1, rtol=1e-10)
    assert result.generator_error == pytest.approx(30 * tau)
    assert_allclose(result.risk, result.criterion - result.noise_variance - 30 * tau, rtol=1e-10)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_longer_chain_asks_for_a_larger_ridge(smooth):
    X, y, _ = make_collapse_regression(200, 100, n_generations=3, random_state=0)
    spectrum, _ = spectrum_of(X, y)
    best = [
        LAM[corrected(spectrum, Chain(n, 200, 0.0, 100), smooth).criterion.argmin()]
        for n in (0, 1, 3, 10)
    ]
    assert best == sorted(best)
    assert best[-1] > 3 * best[0]


@pytest.mark.parametrize("rows, generator_lam", [(300, 0.0), (40, 0.0), (100, 0.05)])
@pytest.mark.parametrize("n_samples", [60, 150])
def test_the_estimated_risk_is_the_true_one_on_average(n_samples, rows, generator_lam):
    estimates, truths, choice = [], [], []
    spectrum_true, coef = power_law_problem(80, 1.2, 0.4)
    for seed in range(60):
        X, y, truth = make_collapse_regression(
            n_samples,
            spectrum=spectrum_true,
            coef=coef,
            n_generations=2,
            generator_n_samples=rows,
            generator_alpha=rows * generator_lam,
            random_state=seed,
        )
        spectrum, basis = spectrum_of(X, y)
        result = corrected(spectrum, Chain(2, rows, generator_lam, 80), smooth=True)
        fits = np.stack([basis @ spectrum.coordinates(lam)[:, 0] for lam in LAM])
        risk = (fits - truth.coef) ** 2 @ truth.spectrum
        estimates.append(result.risk[:, 0])
        truths.append(risk)
        choice.append(risk[result.criterion.argmin()])
    truth, estimate = np.mean(truths, axis=0), np.mean(estimates, axis=0)
    # Up to a constant, which does not choose; the worst of the six has 60 rows for 80 features and
    # generators of 40 rows, where the model of the coefficients matters most.
    gap = (estimate - truth)[truth < 2 * truth.min()]
    assert np.ptp(gap) < 0.4 * truth.min()
    assert np.mean(choice) < 1.15 * truth.min()


def test_the_generators_effective_ridge_is_read_off_other_rows():
    population, _ = power_law_problem(300, 1.5, 0.5)
    X = np.random.default_rng(0).normal(size=(400, 300)) * np.sqrt(population)
    spectrum, _ = spectrum_of(X, X[:, 0])
    for rows, lam in [(200, 0.01), (100, 0.0), (800, 0.1)]:
        generator = match_generator(spectrum, Chain(1, rows, lam, 300))
        kappa = effective_ridge(population, lam, rows)
        df1, df2 = degrees_of_freedom(population, kappa)
        # Sample spectra of 400 rows: some per cent.
        assert_allclose([generator.kappa, generator.df1], [kappa, df1], rtol=0.05)
        assert generator.dof == pytest.approx(rows - df2, rel=0.05)


def test_the_whitened_noise_profile_of_isotropic_rows_is_their_spectrum():
    # Sigma = I: ev_i v_i' v_i = ev_i.
    X = np.random.default_rng(0).normal(size=(400, 200))
    ev = np.linalg.eigvalsh(X.T @ X / 400)
    profile = whitened_noise_profile(ev, 400, 200)
    inner = slice(20, 180)  # at the edges the smoothed transform is biased
    assert_allclose(profile[inner], ev[inner], rtol=0.25)


@pytest.mark.parametrize("d", [100, 300])
def test_the_whitened_noise_profile_of_any_covariance(d):
    population, _ = power_law_problem(d, 1.2, 0.5)
    X = np.random.default_rng(0).normal(size=(200, d)) * np.sqrt(population)
    ev, vectors = np.linalg.eigh(X.T @ X / 200)
    keep = ev > 1e-10
    ev, vectors = ev[keep], vectors[:, keep]
    truth = ev * np.sum(vectors**2 / population[:, None], axis=0)
    profile = whitened_noise_profile(ev, 200, d)
    # Averages of about 30 neighbours: single directions fluctuate by a third.
    for part in np.array_split(np.arange(ev.size), 5)[1:]:
        assert profile[part].mean() == pytest.approx(truth[part].mean(), rel=0.15)


def test_the_profile_of_few_features_is_flat():
    X = np.random.default_rng(0).normal(size=(20_000, 5)) * np.array([5, 3, 2, 1, 0.5])
    ev = np.linalg.eigvalsh(X.T @ X / len(X))
    assert_allclose(whitened_noise_profile(ev, len(X), 5), 1.0, atol=0.1)


def test_targets_are_judged_one_by_one():
    X, y, _ = make_collapse_regression(150, 20, random_state=0)
    pair = np.column_stack([y, 3 * y])
    chain = Chain(2, 50, 0.01, 20)
    single, double = (corrected(spectrum_of(X, z)[0], chain, True) for z in (y, pair))
    assert_allclose(double.risk, single.risk * [1, 9], rtol=1e-8)
    assert_allclose(double.noise_variance, single.noise_variance * [1, 9], rtol=1e-8)


def test_known_noise_of_the_generators_equals_the_estimated_one_where_they_agree():
    X, y, _ = make_collapse_regression(300, 50, n_generations=2, random_state=0)
    spectrum, _ = spectrum_of(X, y)
    free = corrected(spectrum, Chain(2, 100, 0.02, 50), smooth=True)
    known = Chain(2, 100, 0.02, 50, noise_variance=float(free.generator_noise_variance[0]))
    assert_allclose(corrected(spectrum, known, smooth=True).criterion, free.criterion, rtol=1e-10)
