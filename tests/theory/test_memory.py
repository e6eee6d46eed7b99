"""Interference formula and storing schemes: identities, limits, and simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from skparietal.theory.memory import (
    best_max_stored,
    capacity,
    cross_entropy_storage,
    dimension_exponent,
    label_coherence,
    recall_probability,
    storage_weights,
)
from skparietal.theory.tails import clean_error


def zipf(n_keys, alpha):
    p = np.arange(1, n_keys + 1.0) ** -alpha
    return p / p.sum()


def test_schemes_are_powers_of_the_share():
    p = zipf(50, 1.5)
    np.testing.assert_array_equal(storage_weights(p, "flat"), np.ones(50))
    np.testing.assert_allclose(storage_weights(p, "frequency"), p / p[0])
    np.testing.assert_allclose(storage_weights(p, 0.5), np.sqrt(p / p[0]))
    np.testing.assert_allclose(storage_weights(7 * p, np.sqrt), np.sqrt(p / p[0]))
    assert storage_weights(np.array([2.0, 0.0]), "flat").tolist() == [1.0, 0.0]


@pytest.mark.parametrize("bad", [lambda p: p[:1], lambda p: -p, lambda p: p * np.nan])
def test_a_callable_scheme_must_return_one_strength_per_key(bad):
    with pytest.raises(ValueError, match="one finite, non-negative strength for each key"):
        storage_weights(np.ones(3), bad)


def test_a_scheme_that_stores_nothing_is_refused():
    with pytest.raises(ValueError, match="strength 0"):
        storage_weights(np.ones(3), lambda p: 0 * p)


def frozen_recursion(n_visits, learning_rate, m):
    strength = [0.0]
    for _ in range(n_visits):
        strength.append(strength[-1] + learning_rate / (1.0 + np.exp(strength[-1]) / m))
    return np.array(strength)


@pytest.mark.parametrize("learning_rate, error", [(1e-3, 1e-3), (1e-2, 3e-3), (0.1, 0.03)])
@pytest.mark.parametrize("m", [4, 99])
def test_closed_form_of_cross_entropy_is_the_small_step_limit_of_sgd(learning_rate, error, m):
    # Euler's method errs in proportion to its step.
    n = int(10 / learning_rate)
    closed = cross_entropy_storage(
        np.arange(n + 1), 5, learning_rate=learning_rate, n_competitors=m
    )
    np.testing.assert_allclose(closed, frozen_recursion(n, learning_rate, m), atol=error)


def test_closed_form_solves_its_equation():
    n, m = np.array([0.0, 1.0, 10.0, 1e4]), 7
    q = cross_entropy_storage(n, m, learning_rate=0.3)
    np.testing.assert_allclose(q + np.exp(q) / m, 0.3 * n + 1 / m, rtol=1e-10)
    assert q[0] == pytest.approx(0.0, abs=1e-12)


def test_one_stored_key_is_recalled_for_sure_and_a_missing_one_by_chance():
    recall = recall_probability(np.array([1.0, 0.0]), np.array([0, 1]), 16, n_classes=4)
    assert recall[0] == pytest.approx(1.0)
    # Key 0 always pulls towards label 0 or away from it: the other label wins half the ties.
    assert recall[1] < 0.5
    silent = recall_probability(np.array([0.0]), np.array([0]), 16, n_classes=4)
    assert silent[0] == pytest.approx(0.25)


def test_two_classes_are_a_single_normal_probability():
    q, labels, d = np.array([1.0, 0.7, 0.5, 0.9]), np.array([0, 1, 1, 0]), 20
    others = np.sum(q**2) - q**2  # with two orthonormal labels all other keys add their noise
    expected = norm.cdf(q * np.sqrt(d) / np.sqrt(others))
    np.testing.assert_allclose(recall_probability(q, labels, d), expected, atol=1e-4)


def simulated_recall(q, labels, d, n_classes, n_draws, make_labels):
    rng = np.random.default_rng(0)
    hits = np.zeros(len(q))
    for _ in range(n_draws):
        E = rng.standard_normal((len(q), d))
        E /= np.linalg.norm(E, axis=1, keepdims=True)
        U = make_labels(rng, n_classes, d)
        W = (U[labels] * q[:, None]).T @ E
        hits += (E @ W.T @ U.T).argmax(axis=1) == labels
    return hits / n_draws


def orthonormal(rng, n_classes, d):
    return np.linalg.qr(rng.standard_normal((d, n_classes)))[0].T


def random_units(rng, n_classes, d):
    U = rng.standard_normal((n_classes, d))
    return U / np.linalg.norm(U, axis=1, keepdims=True)


@pytest.mark.parametrize("d, n_stored, rho", [(40, 15, 0.0), (64, 80, 0.0), (30, 120, 0.5)])
def test_formula_agrees_with_simulation_for_orthonormal_labels(d, n_stored, rho):
    p, labels = zipf(120, 1.3), np.random.default_rng(1).integers(6, size=120)
    q = storage_weights(p, rho) * (np.arange(120) < n_stored)
    stored = q > 0
    recall = recall_probability(q[stored], labels[stored], d, n_classes=6)
    simulated = simulated_recall(q[stored], labels[stored], d, 6, 1500, orthonormal)
    # 1500 draws leave a standard error of at most .4 of .013 on the weighted mean.
    assert p[stored] @ recall == pytest.approx(p[stored] @ simulated, abs=0.005)


@pytest.mark.parametrize("n_keys", [10, 20, 50])
def test_formula_is_conservative_by_a_tenth_for_random_labels(n_keys):
    d, n_classes = 24, 60
    labels = np.random.default_rng(2).integers(n_classes, size=n_keys)
    recall = recall_probability(np.ones(n_keys), labels, d, n_classes=n_classes, coherence=1 / d)
    simulated = simulated_recall(np.ones(n_keys), labels, d, n_classes, 400, random_units)
    assert -0.01 < simulated.mean() - recall.mean() < 0.12


def test_grid_for_many_strengths_agrees_with_the_exact_evaluation():
    p, labels = zipf(3000, 1.2), np.random.default_rng(3).integers(200, size=3000)
    q = storage_weights(p, 0.3)
    coarse = recall_probability(q, labels, 100, n_classes=200, coherence=0.005)
    exact = recall_probability(q, labels, 100, n_classes=200, coherence=0.005, resolution=200)
    # 64 groups of labels for 200: single keys of moderate recall differ by a few hundredths.
    np.testing.assert_allclose(coarse, exact, atol=0.05)
    assert p @ coarse == pytest.approx(p @ exact, abs=1e-3)


def test_label_coherence_is_the_welch_bound():
    assert label_coherence(5, 5) == label_coherence(3, 8) == 0
    # A simplex: d + 1 unit vectors in d dimensions have cosines -1/d.
    assert label_coherence(9, 8) == pytest.approx(1 / 64)
    assert label_coherence(10**6, 8) == pytest.approx(1 / 8, rel=1e-4)


def error_slope(alpha, rho, n_stored_of_d):
    p, labels = zipf(20_000, alpha), np.arange(20_000) % 5
    dimensions, errors = np.array([100, 300, 1000, 3000]), []
    for d in dimensions:
        n_stored = min(n_stored_of_d(d), 20_000)
        q = storage_weights(p, rho)[:n_stored]
        recall = recall_probability(q, labels[:n_stored], d, n_classes=5)
        errors.append(p[:n_stored] @ (1 - recall) + p[n_stored:].sum() * 0.8)
    return -np.polyfit(np.log(dimensions), np.log(errors), 1)[0]


@pytest.mark.parametrize("alpha, rho", [(2.0, 1.0), (2.0, 0.5), (1.5, 1.0), (2.0, 0.25)])
def test_error_falls_with_the_dimension_as_the_exponent_says(alpha, rho):
    slope = error_slope(alpha, rho, lambda d: 20_000)
    # 20,000 keys instead of infinitely many, and one decade and a half: a tenth of the exponent.
    assert slope == pytest.approx(dimension_exponent(alpha, rho), rel=0.12)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 2.5])
def test_storing_the_top_keys_flat_has_the_best_exponent(alpha):
    slope = error_slope(alpha, 0.0, lambda d: d // 8)
    best = dimension_exponent(alpha, 0.0, thresholded=True)
    assert best == alpha - 1
    assert slope == pytest.approx(best, abs=0.07)


def test_exponents_of_flat_and_critical_schemes():
    assert dimension_exponent(2.0, 0.0) == np.inf
    assert dimension_exponent(2.0, 0.25) == 1.0  # rho = 1 / (2 alpha) needs no threshold
    assert dimension_exponent(2.0, 1.0, thresholded=True) == dimension_exponent(2.0, 1.0) == 0.25


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("n_samples", [1000, 10_000])
def test_error_of_an_unlimited_memory_is_the_law_of_unseen_keys(alpha, n_samples):
    x = np.arange(1, 4_000_001.0)
    p = x**-alpha
    p /= p.sum() + x[-1] ** (1 - alpha) / (alpha - 1)
    rest = x[-1] ** (1 - alpha) / (alpha - 1) * p[0]
    error = np.sum(p * (1 - p) ** n_samples) + rest
    assert error == pytest.approx(clean_error(n_samples, alpha), rel=0.01)


@pytest.mark.parametrize("n_classes", [100, 2000])
def test_best_number_to_store_is_near_the_capacity(n_classes):
    p, d = zipf(5000, 1.2), 64
    labels = np.random.default_rng(0).integers(n_classes, size=5000)
    options = {"n_classes": n_classes, "coherence": label_coherence(n_classes, d)}
    stored, error = best_max_stored(np.ones(5000), labels, p, d, **options)
    assert 0.2 < stored / capacity(d, n_classes) < 2
    everything = recall_probability(np.ones(5000), labels, d, **options)
    assert error < p @ (1 - everything)


def test_a_large_memory_stores_everything():
    labels = np.arange(50) % 5
    assert best_max_stored(np.ones(50), labels, zipf(50, 1.2), 2000, n_classes=5)[0] == 50
