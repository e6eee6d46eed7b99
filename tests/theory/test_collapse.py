"""Risk after a chain of fits: limits, closed forms, simulation, and the power laws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from skparietal.datasets import make_collapse_regression
from skparietal.spectrum import power_law_problem
from skparietal.theory import (
    chain_moments,
    collapse_risk,
    fit_power_law,
    power_law_alpha,
    power_law_exponents,
    ridgeless_collapse_risk,
)

ISO = np.ones(60), np.full(60, 60**-0.5)
POWER = power_law_problem(60, 1.5, 0.375)


def simulated_risk(problem, n_samples, lam, n_generations, rows, generator_lam, n_repeats):
    """Mean risk of ridge on the chain's labels and its standard error."""
    spectrum, coef = problem
    risks = []
    for seed in range(n_repeats):
        X, y, truth = make_collapse_regression(
            n_samples,
            spectrum=spectrum,
            coef=coef,
            n_generations=n_generations,
            generator_n_samples=rows,
            generator_alpha=generator_lam * rows,
            random_state=seed,
        )
        gram = X.T @ X / n_samples + lam * np.eye(coef.size)
        fitted = np.linalg.solve(gram, X.T @ y / n_samples)
        risks.append(truth.spectrum @ (fitted - truth.coef) ** 2)
    return np.mean(risks), np.std(risks) / np.sqrt(n_repeats)


def test_zero_generations_are_clean_ridge():
    parts = collapse_risk(*POWER, 100, [0.01, 0.1], 0.3)
    assert_allclose(parts.collapse, 0, atol=1e-15)
    assert_allclose(parts.total, parts.clean)
    assert_allclose(parts.clean, parts.bias + parts.variance)


def test_the_best_ridge_of_an_isotropic_problem_is_noise_over_signal():
    # Bayes: sigma^2 d / (T |w|^2); a chain needs more.
    lam = np.logspace(-2, 1, 301)
    best = [lam[collapse_risk(*ISO, 120, lam, 0.25, n).total.argmin()] for n in (0, 1, 3, 10)]
    assert best[0] == pytest.approx(0.25 * 60 / 120, rel=0.03)  # the step of the grid is 2 %
    assert best == sorted(set(best))


def test_the_cost_of_least_squares_generators_is_linear_in_their_number():
    costs = [collapse_risk(*POWER, 90, 0.05, 0.3, n, 150).collapse for n in (1, 2, 7)]
    assert_allclose(np.array(costs) / costs[0], [1, 2, 7], rtol=1e-12)


def test_least_squares_on_many_rows_inherits_the_generators_error_exactly():
    # With n_samples -> inf and lam = 0 the student copies its labels' coefficients.
    total = collapse_risk(*POWER, 1e12, 0.0, 0.3, 4, 150, generator_noise_variance=0.2).total
    assert total == pytest.approx(4 * 0.2 * 60 / (150 - 61), rel=1e-8)


def test_ridgeless_risk_is_the_general_one_without_a_ridge():
    general = collapse_risk(*ISO, 150, 0.0, 0.3, 3, 100)
    # The final fit of collapse_risk is the proportional limit, its generators are exact.
    own = ridgeless_collapse_risk(60, 150, 0.3, 0, 100, exact=False)
    inherited = ridgeless_collapse_risk(60, 150, 0.0, 3, 100, 0.3)
    assert general.clean == pytest.approx(own, rel=1e-9)
    assert general.collapse == pytest.approx(inherited, rel=1e-9)


def test_exact_and_proportional_ridgeless_risks_agree_at_size():
    exact, limit = (
        ridgeless_collapse_risk(4000, 10_000, 0.5, 5, 8000, exact=exact) for exact in (True, False)
    )
    assert exact == pytest.approx(limit, rel=1e-3)


def test_ridgeless_risk_against_simulation():
    mean, error = simulated_risk(ISO, 100, 1e-12, 5, 90, 0.0, 150)
    expected = ridgeless_collapse_risk(60, 100, 0.25, 5, 90)
    assert abs(mean - expected) < 3 * error
    assert error < 0.03 * expected


@pytest.mark.parametrize("problem", [ISO, POWER], ids=["isotropic", "power law"])
@pytest.mark.parametrize(
    "n, rows, generator_lam",
    [(2, 120, 0.0), (3, 30, 0.0), (3, 80, 0.05)],
    ids=["ols", "few", "ridge"],
)
@pytest.mark.parametrize("n_samples", [40, 120])
def test_risk_of_any_chain_against_simulation(problem, n, rows, generator_lam, n_samples):
    lam = 0.1
    mean, error = simulated_risk(problem, n_samples, lam, n, rows, generator_lam, 160)
    expected = collapse_risk(*problem, n_samples, lam, 0.25, n, rows, generator_lam).total
    # Monte Carlo error, and 4 %: deterministic equivalents of 60 features have errors of 1/60.
    assert abs(mean - expected) < 3 * error + 0.04 * expected
    assert error < 0.05 * expected


def test_fewer_rows_than_features_forget_the_signal_exponentially():
    mean, second_moment = chain_moments(*ISO, 4, 30)
    assert_allclose(mean, ISO[1] / 2**4, rtol=1e-9)
    # Without noise |w_n - w|^2 = 1 - eta^n, eta = rows / features.
    distance = np.sum(second_moment - 2 * mean * ISO[1] + ISO[1] ** 2)
    assert distance == pytest.approx(1 - 0.5**4, rel=1e-9)


def test_null_directions_play_no_part():
    spectrum, coef = np.append(POWER[0], 0.0), np.append(POWER[1], 5.0)
    assert collapse_risk(spectrum, coef, 100, 0.1, 0.3, 2, 90).total == pytest.approx(
        collapse_risk(*POWER, 100, 0.1, 0.3, 2, 90).total
    )
    assert chain_moments(spectrum, coef, 2, 90)[1][-1] == 0


def best_lam_and_risk(spectrum, coef, n_samples, n, rows):
    def risk(log_lam):
        lam = np.exp(log_lam)
        return collapse_risk(spectrum, coef, n_samples, lam, 1.0, n, rows).total

    best = minimize_scalar(risk, bounds=(np.log(1e-6), 0.0), method="bounded")
    return np.exp(best.x), best.fun


@pytest.mark.parametrize("b", [1.0, 0.75, 0.5])
def test_the_exponents_of_the_power_laws_are_those_of_the_risk(b):
    problem = power_law_problem(5000, 1.5, 0.375)
    expected = power_law_exponents(1.5, 0.375, b)
    # More rows than features, as the theorem asks; beyond 10^7 the best ridge is below all of them.
    sizes = np.logspace(5, 7, 3)
    # Least-squares generators whose noise, 1 over their spare rows, falls as T^-b.
    best = [best_lam_and_risk(*problem, T, 5, 5002 + T**b) for T in sizes]
    l_star, rate = -np.polyfit(np.log(sizes), np.log(best), 1)[0]
    assert l_star == pytest.approx(expected["l_star"], abs=0.03)
    assert rate == pytest.approx(expected["collapsed_rate"], abs=0.03)


def test_without_collapse_all_exponents_agree():
    exponents = power_law_exponents(2.0, 3.0, b=1.5)
    assert exponents["l_star"] == exponents["l_crit"] == 2 / 5  # the source saturates at 1
    assert exponents["collapsed_rate"] == exponents["clean_rate"] == 4 / 5


def test_power_laws_are_read_off_leading_directions():
    spectrum, coef = power_law_problem(200, 1.3, 0.6)
    spectrum[50:], coef[50:] = 1e-9, 0
    shuffle = np.random.default_rng(0).permutation(200)
    assert_allclose(fit_power_law(spectrum[shuffle], coef[shuffle], n_leading=50), [1.3, 0.6])


def test_the_adaptive_rule_regularises_more_the_smaller_the_generators():
    clean = power_law_alpha(1000, 1.5, 0.5)
    assert clean == pytest.approx(1000 ** (1 - 1.5 / 2.5))
    assert clean == power_law_alpha(1000, 1.5, 0.5, 1, 1000)
    one, two = (power_law_alpha(1000, 1.5, 0.5, 1, rows) for rows in (500, 50))
    assert clean < one < two
    assert power_law_alpha(1000, 1.5, 0.5, scale=3.0) == pytest.approx(3 * clean)


@pytest.mark.parametrize(
    "call, match",
    [
        (lambda: collapse_risk([-1.0], [1.0], 5, 1.0, 1.0), "eigenvalues >= 0"),
        (lambda: collapse_risk([1.0, 1.0], [1.0], 5, 1.0, 1.0), "coef must have the shape"),
        (lambda: collapse_risk(*ISO, 60, 0.0, 1.0), "lam=0 with n_samples=60"),
        (lambda: collapse_risk(*ISO, 99, 0.1, 1.0, 1, 60), "at least two rows more"),
        (lambda: collapse_risk(*ISO, 99, 0.1, 1.0, 1, 61), "generator_n_samples=61"),
        (lambda: ridgeless_collapse_risk(60, 61, 1.0, 1, 99), r"n_samples=61 must be at least"),
        (lambda: power_law_exponents(0.5, 1.0), "capacity must be > 1"),
        (lambda: power_law_exponents(1.5, 1.0, b=0.5, a=0.5), "a must be below b"),
        (lambda: power_law_alpha(1, 1.5, 1.0), "n_samples must be at least 2"),
        (lambda: fit_power_law([1.0, 1.0], [1.0, 1.0]), "at least three directions"),
    ],
)
def test_bad_input_names_the_argument(call, match):
    with pytest.raises(ValueError, match=match):
        call()
