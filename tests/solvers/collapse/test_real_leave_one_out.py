"""Leave-one-out of mixed rows against refits, and the guarded choice."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from skparietal.moments import Moments
from skparietal.solvers.collapse.real_leave_one_out import (
    MixedRows,
    best_pair,
    guarded_choice,
    pooled_gcv,
    ridge_path,
    weighted_path,
)

ALPHAS = np.array([0.03, 1.0, 20.0])


def two_groups(seed=0, n_real=14, n_synthetic=25, n_features=4, n_targets=2):
    """Rows and labels whose means differ between the groups, and integer weights."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_real + n_synthetic, n_features)) @ rng.standard_normal(
        (n_features, n_features)
    )
    synthetic = np.arange(len(X)) >= n_real
    X[synthetic] += 1.0
    Y = X @ rng.standard_normal((n_features, n_targets)) + rng.standard_normal((len(X), n_targets))
    Y[synthetic] += 2.0
    return X, Y, synthetic, rng.integers(1, 4, len(X)).astype(float)


def mixed_rows(X, Y, synthetic, sample_weight=None, centred=True):
    sample_weight = np.ones(len(X)) if sample_weight is None else sample_weight
    real, made = (
        Moments.of(X[rows], Y[rows], sample_weight[rows]) for rows in (~synthetic, synthetic)
    )
    if not centred:
        real, made = real.about_origin(), made.about_origin()
    mixed = MixedRows.of(
        real, made, X[~synthetic], Y[~synthetic], sample_weight[~synthetic], centred
    )
    return mixed, real


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("centred", [True, False])
def test_scalar_weight_is_a_sample_weight(weight, centred):
    X, Y, synthetic, frequency = two_groups()
    mixed, real = mixed_rows(X, Y, synthetic, frequency, centred)
    path = weighted_path(mixed, weight, ALPHAS)
    for i, alpha in enumerate(ALPHAS):
        ridge = Ridge(alpha, fit_intercept=centred, solver="cholesky")
        ridge.fit(X, Y, sample_weight=np.where(synthetic, weight, 1.0) * frequency)
        np.testing.assert_allclose(path.coef[i], ridge.coef_.T, rtol=1e-8)
        if centred:
            intercept = real.y_mean - real.x_mean @ path.coef[i] + path.offset[i]
            np.testing.assert_allclose(intercept, ridge.intercept_, rtol=1e-8)


@pytest.mark.parametrize("weight", [0.0, 0.3])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_leave_one_out_equals_refits_without_one_copy_of_a_row(weight, centred, weighted):
    X, Y, synthetic, frequency = two_groups()
    frequency = frequency if weighted else np.ones_like(frequency)
    mixed, _ = mixed_rows(X, Y, synthetic, frequency, centred)
    path = weighted_path(mixed, weight, ALPHAS)
    full = np.where(synthetic, weight, 1.0) * frequency
    for row in range(int(np.sum(~synthetic))):
        left = full.copy()
        left[row] -= 1
        for i, alpha in enumerate(ALPHAS):
            ridge = Ridge(alpha, fit_intercept=centred, solver="cholesky")
            prediction = ridge.fit(X, Y, sample_weight=left).predict(X[row : row + 1])[0]
            np.testing.assert_allclose(path.errors[i, row], Y[row] - prediction, rtol=1e-7)


@pytest.mark.parametrize("weight", [0.0, 0.3])
@pytest.mark.parametrize("centred", [True, False])
def test_leave_one_out_of_few_rows_among_many_features(weight, centred):
    X, Y, synthetic, frequency = two_groups(n_real=6, n_synthetic=40, n_features=30)
    mixed, real = mixed_rows(X, Y, synthetic, frequency, centred)
    assert mixed.few_rows
    path = weighted_path(mixed, weight, ALPHAS)
    full = np.where(synthetic, weight, 1.0) * frequency
    for i, alpha in enumerate(ALPHAS):
        ridge = Ridge(alpha, fit_intercept=centred, solver="cholesky")
        ridge.fit(X, Y, sample_weight=full)
        np.testing.assert_allclose(path.coef[i], ridge.coef_.T, rtol=1e-6, atol=1e-9)
        if centred:
            intercept = real.y_mean - real.x_mean @ path.coef[i] + path.offset[i]
            np.testing.assert_allclose(intercept, ridge.intercept_, rtol=1e-6)
        for row in range(6):
            left = full.copy()
            left[row] -= 1
            prediction = ridge.fit(X, Y, sample_weight=left).predict(X[row : row + 1])[0]
            np.testing.assert_allclose(path.errors[i, row], Y[row] - prediction, rtol=1e-5)


def test_leave_one_out_holds_for_a_weight_per_direction():
    X, Y, synthetic, _ = two_groups()
    mixed, real = mixed_rows(X, Y, synthetic)
    precision = np.array([0.1, 2.0, 0.5, 0.03])
    path = ridge_path(mixed, precision, 3.0, ALPHAS)
    # The same fit on pseudo-rows: each eigenvector of the synthetic scatter is one row, and the
    # synthetic mean is one row of weight 3.
    U, root = mixed.basis, np.sqrt(mixed.scatter * precision)
    rows = root[:, None] * U.T
    labels = precision[:, None] * mixed.xy_synthetic / root[:, None]
    mean_x = real.x_mean - mixed.basis @ mixed.gap_x
    mean_y = real.y_mean - mixed.gap_y

    def refit(X_real, Y_real, alpha):
        design = np.vstack(
            [
                np.c_[X_real, np.ones(len(X_real))],
                np.sqrt(3.0) * np.r_[mean_x, 1.0][None],
                np.c_[rows, np.zeros(len(rows))],
            ]
        )
        target = np.vstack([Y_real, np.sqrt(3.0) * mean_y[None], labels])
        penalty = alpha * np.diag([1.0] * X.shape[1] + [0.0])
        return np.linalg.solve(design.T @ design + penalty, design.T @ target)

    X_real, Y_real = X[~synthetic], Y[~synthetic]
    for i, alpha in enumerate(ALPHAS):
        coef = refit(X_real, Y_real, alpha)
        np.testing.assert_allclose(path.coef[i], coef[:-1], rtol=1e-8)
        intercept = real.y_mean - real.x_mean @ path.coef[i] + path.offset[i]
        np.testing.assert_allclose(intercept, coef[-1], rtol=1e-8)
        for row in range(len(X_real)):
            others = np.arange(len(X_real)) != row
            left = refit(X_real[others], Y_real[others], alpha)
            error = Y_real[row] - np.r_[X_real[row], 1.0] @ left
            np.testing.assert_allclose(path.errors[i, row], error, rtol=1e-7)


def test_frequencies_are_repetitions():
    X, Y, synthetic, frequency = two_groups()
    repeat = np.repeat(np.arange(len(X)), frequency.astype(int))
    one, _ = mixed_rows(X, Y, synthetic, frequency)
    two, _ = mixed_rows(X[repeat], Y[repeat], synthetic[repeat])
    for weight in (0.0, 0.2, 1.0):
        path, repeated = (weighted_path(mixed, weight, ALPHAS) for mixed in (one, two))
        np.testing.assert_allclose(path.loo, repeated.loo, rtol=1e-10)
        np.testing.assert_allclose(path.room, repeated.room, rtol=1e-10)
        np.testing.assert_allclose(
            pooled_gcv(one, path, ALPHAS), pooled_gcv(two, repeated, ALPHAS), rtol=1e-10
        )
    weights = np.array([0.0, 0.2, 1.0])
    choices = [
        guarded_choice(
            mixed, [weighted_path(mixed, w, ALPHAS) for w in weights], weights, ALPHAS, 0.5
        )
        for mixed in (one, two)
    ]
    assert choices[0].gain == pytest.approx(choices[1].gain)
    np.testing.assert_allclose(choices[0].coef, choices[1].coef, rtol=1e-8)


def test_pooled_gcv_is_that_of_all_rows():
    X, Y, synthetic, _ = two_groups()
    mixed, _ = mixed_rows(X, Y, synthetic)
    gcv = pooled_gcv(mixed, weighted_path(mixed, 1.0, ALPHAS), ALPHAS)
    centred = X - X.mean(axis=0)
    for i, alpha in enumerate(ALPHAS):
        residual = Y - Ridge(alpha, solver="cholesky").fit(X, Y).predict(X)
        gram = centred.T @ centred
        df = 1 + np.trace(np.linalg.solve(gram + alpha * np.eye(X.shape[1]), gram))
        expected = np.sum(residual**2) / len(X) / (1 - df / len(X)) ** 2
        assert gcv[i] == pytest.approx(expected, rel=1e-9)


def choose(guard, seed=0):
    X, Y, synthetic, _ = two_groups(seed, n_real=40, n_targets=1)
    mixed, _ = mixed_rows(X, Y, synthetic)
    weights = np.array([0.0, 0.1, 1.0])
    paths = [weighted_path(mixed, weight, ALPHAS) for weight in weights]
    return mixed, paths, guarded_choice(mixed, paths, weights, ALPHAS, guard)


def test_infinite_guard_keeps_all_rows_alike():
    mixed, paths, choice = choose(np.inf)
    k = np.argmin(pooled_gcv(mixed, paths[2], ALPHAS))
    assert choice.guarded
    assert (choice.weight, choice.alpha) == (1.0, ALPHAS[k])
    np.testing.assert_array_equal(choice.coef, paths[2].coef[k])


def test_no_guard_takes_the_least_leave_one_out_error():
    _, paths, choice = choose(0.0)
    loo = np.array([path.loo[:, 0] for path in paths])
    i, j = np.unravel_index(np.argmin(loo), loo.shape)
    assert not choice.guarded
    np.testing.assert_array_equal(choice.coef, paths[i].coef[j])


def test_without_synthetic_rows_it_is_leave_one_out_ridge():
    X, Y, synthetic, _ = two_groups(n_real=40, n_targets=1)
    X, Y = X[~synthetic], Y[~synthetic]
    mixed = MixedRows.of(Moments.of(X, Y), None, X, Y, np.ones(len(X)), True)
    path = weighted_path(mixed, 0.0, ALPHAS)
    choice = guarded_choice(mixed, [path], np.array([0.0]), ALPHAS, 1.0)
    assert choice.alpha == RidgeCV(ALPHAS).fit(X, Y[:, 0]).alpha_
    assert choice.gain == 0


def test_inadmissible_pairs_are_chosen_only_if_there_is_no_other():
    criterion = np.array([[1.0, 2.0], [3.0, 0.5]])
    assert best_pair(criterion, np.array([[True, True], [True, False]])) == (0, 0)
    assert best_pair(criterion, np.zeros((2, 2), dtype=bool)) == (1, 1)
