"""Attack sizes that the data themselves suggest."""

import numpy as np

from skparietal.adversarial_risk import SQRT_2_PI

N_DRAWS = 500


def noise_radius(X, weights, norm, rng):
    """Attack size at which a model of pure noise labels collapses to zero, on average.

    Does not need the noise level: the ratio of |X'e| to sum|e| is the same for every scale of e.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred rows.
    weights : ndarray of shape (n_samples,)
        Sample weights.
    norm : Norm
        Norm of the attack.
    rng : RandomState
        Source of the labels.

    Returns
    -------
    radius : float
        In the units of X.

    References
    ----------
    Ribeiro, Zachariah, Bach, Schon, Regularization properties of adversarially-trained linear
    regression, 2023.
    """
    draws = rng.standard_normal((len(X), N_DRAWS)) * np.sqrt(weights)[:, None]
    # Weights are repetitions: the labels of the copies of a row sum to variance `weight`.
    total = weights.sum() * SQRT_2_PI
    return float(np.mean(norm.norm(draws.T @ X)) / total)


def label_radius(X, y, weights, norm):
    """Attack size at which adversarial training collapses to zero: |X'y| over sum|y|.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred rows.
    y : ndarray of shape (n_samples,)
        Centred targets.
    weights : ndarray of shape (n_samples,)
        Sample weights.
    norm : Norm
        Norm of the attack.

    Returns
    -------
    radius : float
        In the units of X.
    """
    size = weights @ np.abs(y)
    return float(norm.norm((weights * y) @ X) / size) if size > 0 else 0.0


def interpolation_radius(path, norm, kind):
    """Largest attack size whose minimiser still interpolates the training rows.

    Parameters
    ----------
    path : RidgePath or PiecewisePath
        Frontier without noise.
    norm : Norm
        Norm of the attack.
    kind : type
        GaussianRisk or SurrogateRisk.

    Returns
    -------
    radius : float
        Zero unless the end of the path interpolates.
    """
    if path.least > 0:
        return 0.0
    return float(kind(1.0).at_center(norm.norm(path.limit()[0])))


def training_interpolation_radius(X, shares, path, norm):
    """Largest attack size at which adversarial training still interpolates the training rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred rows.
    shares : ndarray of shape (n_samples,)
        Sample weights over their sum.
    path : RidgePath or PiecewisePath
        Frontier without noise.
    norm : Norm
        Norm of the attack.

    Returns
    -------
    radius : float
        Zero unless the end of the path interpolates.

    References
    ----------
    Ribeiro, Zachariah, Bach, Schon, Regularization properties of adversarially-trained linear
    regression, 2023: 1 / (n max|alpha|), alpha the dual solution of the least-norm interpolator.
    """
    if path.least > 0:
        return 0.0
    direction = path.limit()[0]
    alpha = np.linalg.lstsq(X.T, direction / norm.norm(direction))[0]
    return float(np.min(shares / np.maximum(np.abs(alpha), np.finfo(float).tiny)))
