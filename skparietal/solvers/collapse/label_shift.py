"""Estimate of the excess risk of synthetic labels, c^2."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def label_shift(mixed, least_loo):
    """Excess risk of the synthetic labels against the real model, and its standard error.

    With more than n_features + 5 rows in either group: the squared distance of the two groups'
    least-squares fits in the metric of the pooled covariance, minus what their own errors add;
    unbiased, so that it can be negative. Otherwise: the squared error on the real rows of a ridge
    fitted to the synthetic rows alone, minus the least leave-one-out error of the mixtures.

    Parameters
    ----------
    mixed : MixedRows
        Both groups.
    least_loo : ndarray of shape (n_targets,)
        Least leave-one-out error on the real rows.

    Returns
    -------
    c2, standard_error : ndarrays of shape (n_targets,)
        Per row, in squared units of the targets.
    """
    n_features = len(mixed.scatter)
    if min(mixed.n_real, mixed.n_synthetic) > n_features + 5 and np.all(mixed.scatter > 0):
        try:
            return _between_least_squares(mixed)
        except np.linalg.LinAlgError:  # real rows of deficient rank
            pass
    return _residual_excess(mixed, least_loo)


def _between_least_squares(mixed):
    factor = cho_factor(mixed.xx_real)
    real = cho_solve(factor, mixed.xy_real)
    synthetic = mixed.xy_synthetic / mixed.scatter[:, None]
    df = len(mixed.scatter) + mixed.centred
    noise_real = (mixed.yy_real - np.sum(real * mixed.xy_real, axis=0)) / (mixed.n_real - df)
    noise_synthetic = mixed.yy_synthetic - np.sum(synthetic * mixed.xy_synthetic, axis=0)
    noise_synthetic = np.maximum(noise_synthetic, 0) / (mixed.n_synthetic - df)

    metric = (mixed.xx_real + np.diag(mixed.scatter)) / (mixed.n_real + mixed.n_synthetic)
    metric_real = cho_solve(factor, metric).T  # metric @ inverse
    metric_synthetic = metric / mixed.scatter
    c2, standard_error = [], []
    for gap, real_noise, synthetic_noise in zip((synthetic - real).T, noise_real, noise_synthetic):
        error = real_noise * metric_real + synthetic_noise * metric_synthetic
        # Variance of a Gaussian quadratic form, 2 tr(E^2) + 4 d'S V S d, its last term debiased.
        squared = np.sum(error * error.T)
        linear = max(gap @ error @ metric @ gap - squared, 0.0)
        c2.append(gap @ metric @ gap - np.trace(error))
        standard_error.append(np.sqrt(2 * squared + 4 * linear))
    return np.array(c2), np.array(standard_error)


def _residual_excess(mixed, least_loo):
    alphas = np.geomspace(1e-6, 1e2, 30) * (mixed.scatter.mean() or 1.0)
    ridge = mixed.scatter + alphas[:, None]
    explained = ((ridge + alphas[:, None]) / ridge**2) @ mixed.xy_synthetic**2
    df = np.sum(mixed.scatter / ridge, axis=1) + mixed.centred
    room = np.maximum(1 - df / mixed.n_synthetic, 1e-10)
    gcv = np.sum(np.maximum(mixed.yy_synthetic - explained, 0), axis=1) / room**2
    coef = mixed.xy_synthetic / ridge[np.argmin(gcv)][:, None]
    residuals = (mixed.targets + mixed.gap_y - (mixed.rows + mixed.gap_x) @ coef) ** 2
    mean = np.average(residuals, axis=0, weights=mixed.row_weight)
    spread = np.average((residuals - mean) ** 2, axis=0, weights=mixed.row_weight)
    return mean - least_loo, np.sqrt(spread / mixed.n_real)
