"""Evidence of a shift against the Gaussian density of all labels, and the average over shifts."""

import numpy as np
import pytest

from skparietal.datasets import make_mixed_regression
from skparietal.moments import Moments
from skparietal.solvers.collapse.label_shift import label_shift
from skparietal.solvers.collapse.real_leave_one_out import MixedRows, ridge_path, weighted_path
from skparietal.solvers.collapse.shift_evidence import (
    NOISE_RATIOS,
    _Evidence,
    average_over_shifts,
    coefficient_shift,
    most_likely_shift,
    prediction_shift,
)

WEIGHTS = np.array([0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3])


def mixed_rows(X, y, synthetic, centred=True):
    Y = y.reshape(len(y), -1)
    real, made = (Moments.of(X[rows], Y[rows]) for rows in (~synthetic, synthetic))
    if not centred:
        real, made = real.about_origin(), made.about_origin()
    weight = np.ones(np.sum(~synthetic))
    return MixedRows.of(real, made, X[~synthetic], Y[~synthetic], weight, centred)


def default_alphas(mixed):
    n_features = len(mixed.scatter)
    real, made = np.trace(mixed.xx_real) / n_features, mixed.scatter.mean()
    return np.geomspace(10**-4.5 * real, 100 * (real + made), 30)


def fit(X, y, synthetic):
    mixed = mixed_rows(X, y, synthetic)
    alphas = default_alphas(mixed)
    paths = [weighted_path(mixed, weight, alphas) for weight in WEIGHTS]
    return average_over_shifts(mixed, paths, WEIGHTS, alphas)


def log_density(X, y, synthetic, mixed, shift, alpha, centred):
    """Restricted log likelihood of all labels up to a constant, the noise variance profiled out."""
    made = X[synthetic] - (X[synthetic].mean(axis=0) if centred else 0)
    along = made @ mixed.basis
    # Variances of the shifts of the coefficients, and of the mean of the synthetic labels.
    with np.errstate(divide="ignore", invalid="ignore"):
        shifts = np.where(
            mixed.scatter > 0, (shift.variance - shift.noise_ratio) / mixed.scatter, 0.0
        )
    mean_shift = shift.mean_variance - shift.noise_ratio / synthetic.sum()
    V = X @ X.T / alpha + np.diag(np.where(synthetic, shift.noise_ratio, 1.0))
    block = along * shifts @ along.T + (mean_shift if centred else 0)
    V[np.ix_(synthetic, synthetic)] += block
    inverse = np.linalg.inv(V)
    log_det = np.linalg.slogdet(V)[1]
    n = len(y)
    if centred:
        ones = np.ones((n, 1))
        mass = (ones.T @ inverse @ ones).item()
        log_det += np.log(mass)
        inverse = inverse - inverse @ ones @ ones.T @ inverse / mass
        n -= 1
    return -0.5 * (n * np.log(y @ inverse @ y) + log_det)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("n_real, n_synthetic, n_features", [(12, 30, 8), (12, 6, 8), (5, 30, 20)])
def test_evidence_is_the_marginal_likelihood_of_all_labels(
    centred, n_real, n_synthetic, n_features
):
    X, y, synthetic = make_mixed_regression(
        n_real, n_synthetic, n_features, shift_error=0.5, random_state=0
    )
    X = X + np.where(synthetic, 0.5, 0.0)[:, None]
    mixed = mixed_rows(X, y, synthetic, centred)
    evidence = _Evidence(mixed)
    models = [
        (coefficient_shift(mixed, 0.5, 0.0), 1.0),
        (coefficient_shift(mixed, 0.5, 3.0), 1.0),
        (coefficient_shift(mixed, 2.0, 0.3), 0.1),
        (prediction_shift(mixed, 0.5, 0.2), 10.0),
    ]
    ours = np.array([evidence.at(shift, alpha) for shift, alpha in models])
    exact = [log_density(X, y, synthetic, mixed, shift, alpha, centred) for shift, alpha in models]
    np.testing.assert_allclose(ours - ours[0], np.array(exact) - exact[0], atol=1e-8)


@pytest.mark.parametrize("n_real", [12, 2])
def test_evidence_at_one_penalty_equals_that_along_the_path(n_real):
    X, y, synthetic = make_mixed_regression(n_real, 30, 8, shift_error=0.5, random_state=0)
    mixed = mixed_rows(X, np.c_[y, y**2], synthetic)
    evidence, alphas = _Evidence(mixed), np.array([0.1, 1.0, 30.0])
    shift = coefficient_shift(mixed, 0.4, 2.0)
    path = ridge_path(mixed, shift.precision, shift.centre_weight, alphas)
    expected = [evidence.at(shift, alpha) for alpha in alphas]
    np.testing.assert_allclose(evidence.along_path(shift, path, alphas), expected, rtol=1e-10)


@pytest.mark.parametrize("ratio", [0.01, 1.0, 10.0])
def test_noise_ratio_is_found(ratio):
    estimates = []
    for seed in range(5):
        X, y, synthetic = make_mixed_regression(
            200,
            300,
            20,
            shift_error=0.2,
            noise_variance_synthetic=0.25 * ratio,
            random_state=seed,
        )
        mixed = mixed_rows(X, y, synthetic)
        estimates.append(most_likely_shift(_Evidence(mixed), default_alphas(mixed))[0])
    # The ratio of two variances on 180 and 280 degrees of freedom: sd 13 %; mean of five logs.
    assert np.exp(np.mean(np.log(estimates))) == pytest.approx(ratio, rel=0.25)


def test_labels_that_are_linear_to_rounding_count_as_noise_free():
    X, y, synthetic = make_mixed_regression(
        40, 200, 10, noise_variance_synthetic=0.0, random_state=0
    )
    mixed = mixed_rows(X, y, synthetic)
    evidence = _Evidence(mixed)
    assert evidence.noise_free
    noise_ratio = most_likely_shift(evidence, default_alphas(mixed))[0]
    assert noise_ratio == pytest.approx(NOISE_RATIOS[0])


def test_without_a_shift_synthetic_rows_count_in_full_and_with_a_large_one_hardly():
    weights = {}
    for shift_error in (0.0, 5.0):
        X, y, synthetic = make_mixed_regression(
            150, 1000, 20, shift_error=shift_error, random_state=1
        )
        weights[shift_error] = fit(X, y, synthetic).weight
    assert weights[0.0] == pytest.approx(1, abs=0.4)
    # The optimum of a scalar weight is about noise / (noise + n c^2 / d) = 1e-3.
    assert weights[5.0] < 0.01


def test_average_is_equivariant():
    X, y, synthetic = make_mixed_regression(60, 200, 10, shift_error=0.3, random_state=2)
    base = fit(X, y, synthetic)
    scaled = fit(X, 1000 * y, synthetic)
    moved = fit(X + 3, y - 7, synthetic)
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 10)))[0]
    rotated = fit(X @ rotation, y, synthetic)
    np.testing.assert_allclose(scaled.coef, 1000 * base.coef, rtol=1e-5)
    np.testing.assert_allclose(moved.coef, base.coef, rtol=1e-5)
    np.testing.assert_allclose(rotation @ rotated.coef, base.coef, rtol=1e-5)


def test_equal_targets_get_equal_coefficients():
    X, y, synthetic = make_mixed_regression(60, 200, 10, shift_error=0.3, random_state=2)
    coef = fit(X, np.c_[y, 5 * y], synthetic).coef
    np.testing.assert_allclose(coef[:, 1], 5 * coef[:, 0], rtol=1e-8)


def test_label_shift_of_least_squares_is_unbiased():
    estimates, errors = [], []
    for seed in range(60):
        X, y, synthetic = make_mixed_regression(100, 300, 20, shift_error=0.2, random_state=seed)
        c2, error = label_shift(mixed_rows(X, y, synthetic), np.zeros(1))
        estimates.append(c2[0])
        errors.append(error[0])
    standard_error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(0.2, abs=4 * standard_error)
    # The reported error is that of one estimate; its own relative error over 60 draws is 10 %.
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.35)


def test_label_shift_with_few_rows_sees_a_large_shift():
    X, y, synthetic = make_mixed_regression(30, 300, 40, shift_error=4.0, random_state=0)
    mixed = mixed_rows(X, y, synthetic)
    c2, error = label_shift(mixed, np.array([0.5]))
    assert abs(c2[0] - 4) < 4 * error[0]
    assert c2[0] > 2 * error[0]
