"""Accuracy of the filtered student: two routes, limits and simulation."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from skparietal.theory import (
    bayes_agreement,
    breakdown_point,
    filtered_ridge_accuracy,
    linear_feedback_accuracy,
    linear_feedback_rates,
    required_size,
)


def direction(degrees, norm=1.0):
    return norm * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0])


def ridge_student(Z, s, alpha):
    """Ridge on rows y x with labels s = y y': the sign of the true label drops out."""
    return np.linalg.solve(Z.T @ Z + alpha * np.eye(Z.shape[1]), Z.T @ s)


def simulated_accuracy(mu, n, d, alpha, keep_and_sign, n_runs, seed):
    """Mean accuracy of the student, exact in the test rows; its standard error."""
    rng = np.random.default_rng(seed)
    accuracies = []
    for _ in range(n_runs):
        Z = rng.normal(size=(n, d))
        Z[:, : len(mu)] += mu
        keep, s = keep_and_sign(Z, rng)
        w = ridge_student(Z[keep], s[keep], n * alpha)
        accuracies.append(ndtr(w[: len(mu)] @ mu / np.linalg.norm(w)))
    return np.mean(accuracies), np.std(accuracies, ddof=1) / np.sqrt(n_runs)


def random_feedback(p, phi, psi):
    def draw(Z, rng):
        right = rng.random(len(Z)) >= p
        return rng.random(len(Z)) < np.where(right, phi, psi), np.where(right, 1.0, -1.0)

    return draw


def linear_feedback(w_gen, w_ver):
    def draw(Z, rng):
        s = np.sign(Z[:, :3] @ w_gen)
        return np.sign(Z[:, :3] @ w_ver) == s, s

    return draw


def test_infinite_data_jumps_from_the_bayes_rule_to_its_opposite():
    kwargs = {"n_samples": np.inf, "n_features": 50, "alpha": 0.3}
    below, above = filtered_ridge_accuracy(1.3, np.array([0.74, 0.76]), 0.9, 0.3, **kwargs)
    assert below == pytest.approx(ndtr(1.3))
    assert above == pytest.approx(ndtr(-1.3))


@pytest.mark.parametrize("n_kept_per_feature", [1.5, 4.0])
def test_ridgeless_limit_below_the_interpolation_threshold(n_kept_per_feature):
    # m = 1/(1-g), m2 = 1/(1-g)^3 there; margin 1 leaves no label noise.
    g, signal = 1 / n_kept_per_feature, 1.7**2
    m, m2 = 1 / (1 - g), 1 / (1 - g) ** 3
    expected = ndtr(signal * m / np.sqrt((signal + g) * m2))
    got = filtered_ridge_accuracy(
        1.7, 0.0, 1, 1, n_samples=100 * n_kept_per_feature, n_features=100
    )
    assert got == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    "mu_norm, p, phi, psi, n, d, alpha",
    [
        (2.0, 0.3, 0.9, 0.3, 1200, 200, 1e-3),
        (1.5, 0.5, 0.8, 0.1, 1600, 200, 0.05),
        (1.0, 0.1, 1.0, 1.0, 400, 200, 0.3),
        (1.5, 0.7, 0.9, 0.3, 1500, 300, 0.01),
        (1.5, 0.2, 0.9, 0.2, 400, 300, 0.01),  # more features than kept rows
        (1.5, 0.85, 0.9, 0.3, 1500, 200, 0.01),  # past the breakdown point
    ],
)
def test_random_feedback_accuracy_matches_simulation(mu_norm, p, phi, psi, n, d, alpha):
    theory = filtered_ridge_accuracy(mu_norm, p, phi, psi, n_samples=n, n_features=d, alpha=alpha)
    simulated, error = simulated_accuracy(
        np.array([mu_norm, 0, 0]), n, d, alpha, random_feedback(p, phi, psi), n_runs=10, seed=1
    )
    # Finite size moves the mean by O(1/d) beside the sampling error.
    assert abs(theory - simulated) < min(0.012, 3.5 * error + 1 / d)


@pytest.mark.parametrize(
    "mu, w_gen, w_ver, n, d",
    [
        (direction(0, 1.5), direction(60), direction(20), 2000, 300),
        (direction(0, 1.5), direction(60), direction(-20), 2000, 300),
        (direction(0, 1.5), np.array([0.5, 0, 0.87]), direction(45), 2000, 300),
        (direction(0, 1.5), direction(100), direction(20), 2000, 300),  # worse than chance
        (direction(0, 1.0), direction(45), direction(0), 1500, 300),
    ],
)
@pytest.mark.parametrize("alpha", [1e-3, 0.2])
def test_linear_feedback_accuracy_matches_simulation(mu, w_gen, w_ver, n, d, alpha):
    theory = linear_feedback_accuracy(mu, w_gen, w_ver, n_samples=n, n_features=d, alpha=alpha)
    simulated, error = simulated_accuracy(
        mu, n, d, alpha, linear_feedback(w_gen, w_ver), n_runs=6, seed=2
    )
    assert abs(theory - simulated) < min(0.012, 4 * error + 1 / d)


def test_linear_rates_match_their_frequencies():
    mu, w_gen, w_ver = direction(0, 1.2), np.array([0.4, 0.6, 0.5]), direction(25)
    Z = mu + np.random.default_rng(0).normal(size=(400_000, 3))
    right, kept = w_gen @ Z.T > 0, (w_gen @ Z.T > 0) == (w_ver @ Z.T > 0)
    frequencies = 1 - right.mean(), kept[right].mean(), kept[~right].mean()
    # Standard errors are at most .0015.
    np.testing.assert_allclose(linear_feedback_rates(mu, w_gen, w_ver), frequencies, atol=0.005)


def test_only_inner_products_matter():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3, 3))
    turned = vectors @ stats.ortho_group.rvs(8, random_state=0)[:3]
    kwargs = {"n_samples": 500, "n_features": 100, "alpha": 0.1}
    assert linear_feedback_accuracy(*vectors, **kwargs) == pytest.approx(
        linear_feedback_accuracy(*turned, **kwargs), abs=1e-12
    )


def test_a_verifier_that_is_the_generator_keeps_everything():
    mu, w_gen = direction(0, 1.5), direction(50)
    error, phi, psi = linear_feedback_rates(mu, w_gen, 3 * w_gen)
    assert (phi, psi) == (pytest.approx(1), pytest.approx(1))
    assert error == pytest.approx(ndtr(-1.5 * np.cos(np.radians(50))))


def test_unfiltered_linear_generator_has_a_closed_form_by_steins_identity():
    # E[Z sign(w.Z)] = mu (1 - 2 error) + 2 w density(w.mu), and E[ZZ'] = I + mu mu'.
    mu, w = direction(0, 1.5), direction(30)
    first = mu * (1 - 2 * ndtr(-w @ mu)) + 2 * w * stats.norm.pdf(w @ mu)
    student = np.linalg.solve(np.eye(3) + np.outer(mu, mu), first)
    expected = ndtr(student @ mu / np.linalg.norm(student))
    reached = linear_feedback_accuracy(mu, w, w, n_samples=np.inf, n_features=10)
    assert reached == pytest.approx(expected, abs=1e-8)


def test_bayes_agreement_matches_an_orthant_probability():
    mu_norm, angle = 1.4, np.radians(35)
    cov = [[1, np.cos(angle)], [np.cos(angle), 1]]
    mean = np.array([mu_norm, mu_norm * np.cos(angle)])
    orthant = stats.multivariate_normal(cov=cov).cdf
    expected = orthant(mean) + orthant(-mean)
    assert bayes_agreement(ndtr(mean[1]), mu_norm) == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(bayes_agreement(ndtr([-1.4, 1.4]), 1.4), [0, 1], atol=1e-6)


@pytest.mark.parametrize(
    "phi, psi, tolerance", [(0.9, 0.3, 0.03), (1.0, 1.0, 0.04), (0.5, 0.8, 0.07)]
)
def test_forty_thousand_rows_are_enough_for_a_sharp_transition(phi, psi, tolerance):
    point = breakdown_point(phi, psi)
    accuracy = filtered_ridge_accuracy(
        2, point * np.array([0.9, 1.1]), phi, psi, n_samples=40_000, n_features=20
    )
    below, above = bayes_agreement(accuracy, 2)
    # The margin at p* (1 -+ .1) shrinks with p*, so that the last verifier needs more rows.
    assert below > 1 - tolerance
    assert above < tolerance


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_required_size_reaches_the_target_and_keeps_it(alpha):
    args = (2, 0.5, 0.9, 0.3)
    size = required_size(0.93, *args, n_features=100, alpha=alpha)
    at = filtered_ridge_accuracy(*args, n_samples=size, n_features=100, alpha=alpha)
    more = filtered_ridge_accuracy(
        *args, n_samples=size * np.geomspace(1.001, 1e4, 50), n_features=100, alpha=alpha
    )
    assert at == pytest.approx(0.93, abs=1e-9)
    assert (more > 0.93).all()


def test_required_size_is_infinite_out_of_reach():
    assert required_size(0.99, 2, 0.5, 0.9, 0.3, n_features=100) == np.inf  # Bayes: .977
    assert required_size(0.6, 2, 0.8, 0.9, 0.3, n_features=100) == np.inf  # past the breakdown


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="no row is kept"):
        linear_feedback_accuracy(
            direction(0), direction(30), -direction(30), n_samples=10, n_features=2
        )
    with pytest.raises(ValueError, match="common length"):
        linear_feedback_rates([1.0, 0], [1.0, 0, 0], [1.0, 0])
