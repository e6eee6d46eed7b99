"""Accuracy of a ridge student trained on synthetic labels that feedback has filtered.

Two balanced Gaussian classes, x | y ~ N(y mu, I_d) with y in {-1, 1}, synthetic labels y' of error
rate ``error_rate``, kept with chance ``phi`` when right and ``psi`` when wrong. The student answers
sign(x.w) with

    w = argmin (1/n) sum_i kept_i (x_i.w - y'_i)^2 + alpha |w|^2

where n counts the rows before the filter. The setting is the paper's; the formulas were derived
anew and are tested against simulation.

References
----------
Feng, Dohmatob, Yang, Charton, Kempe, Beyond Model Collapse: Scaling Up with Synthesized Data
Requires Verification, 2025 (ICLR).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from skparietal.theory.feedback import kept_purity, kept_share, label_margin

# Below this effective penalty the ridgeless limit is reached to single precision.
_LEAST_PENALTY = 1e-10


def filtered_ridge_accuracy(mu_norm, error_rate, phi, psi, *, n_samples, n_features, alpha=0.0):
    """Accuracy of a ridge student when errors and feedback do not depend on x.

    Exact as n_samples and n_features grow at a fixed ratio. All arguments broadcast.

    Parameters
    ----------
    mu_norm : float
        Half the distance between the class means, in standard deviations.
    error_rate, phi, psi : float
        As for `kept_purity`.
    n_samples : float
        Rows before the filter; numpy.inf gives the limit of infinite data.
    n_features : int
        Number of features.
    alpha : float, default=0.0
        Penalty per row before the filter (see the module's formula).

    Returns
    -------
    accuracy : float or ndarray
        Agreement with the true labels, at most Phi(mu_norm).

    See Also
    --------
    linear_feedback_accuracy : Generator and verifier are linear models of x.

    Examples
    --------
    >>> from skparietal.theory import filtered_ridge_accuracy
    >>> a = filtered_ridge_accuracy(2, 0.5, 0.9, 0.3, n_samples=2000, n_features=100, alpha=0.1)
    >>> print(f"{a:.4f}")
    0.9031
    """
    margin = label_margin(kept_purity(error_rate, phi, psi))
    g, penalty, m, m2 = _ridge_law(kept_share(error_rate, phi, psi), n_samples, n_features, alpha)
    signal = np.asarray(mu_norm, dtype=float) ** 2
    b = signal + g
    noise = (1 - margin**2) * g * (m - penalty * m2) * (1 + b * m) ** 2
    return _plain(ndtr(margin * signal * m / np.sqrt(margin**2 * b * m2 + noise)))


def required_size(accuracy, mu_norm, error_rate, phi, psi, *, n_features, alpha=0.0):
    """Rows before the filter from which the student's accuracy stays at the target.

    Parameters
    ----------
    accuracy : float
        Wanted accuracy against the true labels.
    mu_norm, error_rate, phi, psi : float
        As for `filtered_ridge_accuracy`.
    n_features : int
        Number of features.
    alpha : float, default=0.0
        Penalty per row.

    Returns
    -------
    n_samples : float
        Infinity when no amount of such data is enough. Without a penalty the accuracy falls before
        it rises (near n_features kept rows); the size returned lies on the last rise.

    Examples
    --------
    >>> from skparietal.theory import required_size
    >>> print(f"{required_size(0.95, 2, 0.5, 0.9, 0.3, n_features=100, alpha=0.1):.0f}")
    5557
    """
    accuracy_at = partial(
        filtered_ridge_accuracy, mu_norm, error_rate, phi, psi, n_features=n_features, alpha=alpha
    )

    # From a hundredth of a row per feature to 1e9 of them: beyond is out of reach.
    sizes = n_features * np.geomspace(1e-2, 1e9, 400)
    below = np.flatnonzero(accuracy_at(n_samples=sizes) < accuracy)
    if below.size == 0:
        return 0.0
    if below[-1] == sizes.size - 1:
        return np.inf
    bracket = np.log(sizes[below[-1] : below[-1] + 2])
    return float(
        np.exp(brentq(lambda log: accuracy_at(n_samples=np.exp(log)) - accuracy, *bracket))
    )


def bayes_agreement(accuracy, mu_norm):
    """Agreement with the Bayes classifier of a linear classifier of given accuracy.

    Parameters
    ----------
    accuracy : float or array-like
        Accuracy against the labels, in [Phi(-mu_norm), Phi(mu_norm)].
    mu_norm : float
        Half the distance between the class means, in standard deviations.

    Returns
    -------
    agreement : float or ndarray
        Chance that the classifier and sign(mu.x) answer alike: the quantity that jumps from 1 to 0
        at the breakdown point when the data are many.

    Examples
    --------
    >>> from skparietal.theory import bayes_agreement
    >>> from scipy.stats import norm
    >>> print(f"{bayes_agreement(norm.cdf(2.0), 2.0):.3f}")
    1.000
    """
    cosine = ndtri(np.asarray(accuracy, dtype=float)) / mu_norm
    angle = np.arccos(np.clip(cosine, -1, 1))
    mean = np.stack([np.full_like(angle, mu_norm), np.zeros_like(angle)], axis=-1)
    return _plain(sum(_wedge(low, high, mean)[0] for low, high in _kept_wedges(angle)))


def linear_feedback_rates(mu, w_gen, w_ver):
    """Generator error and keep chances of a linear generator and a linear verifier.

    The synthetic label is sign(w_gen.x); it is kept when it equals sign(w_ver.x).

    Parameters
    ----------
    mu, w_gen, w_ver : array-like of shape (n_features,)
        Class mean and the two directions; only their inner products matter.

    Returns
    -------
    error_rate, phi, psi : float
        As for `kept_purity`.

    Examples
    --------
    >>> from skparietal.theory import linear_feedback_rates
    >>> error, phi, psi = linear_feedback_rates([1.5, 0], [0.5, 0.87], [0.94, 0.34])
    >>> print(f"{error:.3f} {phi:.3f} {psi:.3f}")
    0.227 0.982 0.289
    """
    kept = _KeptRows.of(mu, w_gen, w_ver)
    return kept.error_rate, kept.right / (1 - kept.error_rate), kept.wrong / kept.error_rate


def linear_feedback_accuracy(mu, w_gen, w_ver, *, n_samples, n_features, alpha=0.0):
    """Accuracy of a ridge student when generator and verifier are linear models of x.

    Errors then depend on x, and so do the verdicts: the breakdown point is a proxy only, and even
    a generator worse than chance can feed a good student through a good verifier. Exact as
    n_samples and n_features grow at a fixed ratio. Derived here.

    Parameters
    ----------
    mu, w_gen, w_ver : array-like of one common length
        Class mean and the two directions; only their inner products matter, so that two or three
        coordinates are enough.
    n_samples : float
        Rows before the filter.
    n_features : int
        Number of features of the data.
    alpha : float, default=0.0
        Penalty per row before the filter.

    Returns
    -------
    accuracy : float
        Agreement with the true labels.

    Raises
    ------
    ValueError
        If the verifier is the generator's opposite, so that nothing is kept.

    Examples
    --------
    >>> from skparietal.theory import linear_feedback_accuracy
    >>> mu, w_gen, w_ver = [1.5, 0], [0.5, 0.87], [0.94, -0.34]
    >>> a = linear_feedback_accuracy(mu, w_gen, w_ver, n_samples=4000, n_features=400)
    >>> print(f"{a:.3f}")
    0.910
    """
    kept = _KeptRows.of(mu, w_gen, w_ver)
    share = kept.right + kept.wrong
    if share < 1e-12:
        raise ValueError("w_ver points away from w_gen: no row is kept; give another w_ver")
    second, first = kept.second / share, kept.first / share
    g, penalty, m, m2 = _ridge_law(share, n_samples, n_features, alpha)
    w = np.linalg.solve(second + penalty * (1 + g * m) * np.eye(len(first)), first)
    residual = 1 - 2 * w @ first + w @ second @ w
    # Squared length of the student outside the span of the three vectors: fitted noise.
    stray = residual * g * (m - penalty * m2)
    return float(ndtr(w @ kept.mu / np.sqrt(w @ w + stray)))


def _ridge_law(share, n_samples, n_features, alpha):
    """Aspect ratio g, penalty l, both per kept row, and the Marchenko-Pastur pair m, -dm/dl.

    m solves 1/m = l + 1 / (1 + g m).
    """
    with np.errstate(divide="ignore"):
        g = n_features / (np.asarray(n_samples, dtype=float) * share)
    penalty = np.maximum(np.asarray(alpha, dtype=float) / share, _LEAST_PENALTY)
    b = penalty + 1 - g
    root = np.sqrt(b**2 + 4 * g * penalty)
    # Two forms of one root: each avoids the cancellation that the other has.
    m = np.where(
        b >= 0, 2 / (np.abs(b) + root), (root + np.abs(b)) / (2 * np.maximum(g * penalty, 1e-300))
    )
    return g, penalty, m, m * (1 + g * m) / (2 * g * penalty * m + b)


@dataclass(frozen=True)
class _KeptRows:
    """Rows y x that a linear verifier keeps, in coordinates of the span of mu, w_gen, w_ver.

    `right` and `wrong` are chances; `second` = E[Z Z' 1(kept)] and `first` = E[Z s 1(kept)] with
    s = +1 where the synthetic label is right.
    """

    mu: np.ndarray
    error_rate: float
    right: float
    wrong: float
    second: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, mu, w_gen, w_ver):
        mu, w_gen, w_ver = (np.asarray(v, dtype=float) for v in (mu, w_gen, w_ver))
        if not mu.shape == w_gen.shape == w_ver.shape:
            raise ValueError("mu, w_gen and w_ver must have one common length")
        e1 = w_gen / np.linalg.norm(w_gen)
        across = w_ver - (w_ver @ e1) * e1
        length = np.linalg.norm(across)
        angle = np.arctan2(length, w_ver @ e1)
        e2 = across / length if length > 0 else np.zeros_like(e1)
        plane = np.array([mu @ e1, mu @ e2])
        beyond = np.linalg.norm(mu - plane[0] * e1 - plane[1] * e2)
        (right, r1, r2), (wrong, w1, w2) = (_wedge(*w, plane) for w in _kept_wedges(angle))
        second, first = np.empty((3, 3)), np.empty(3)
        second[:2, :2] = r2 + w2
        second[:2, 2] = second[2, :2] = (r1 + w1) * beyond
        second[2, 2] = (right + wrong) * (1 + beyond**2)
        first[:2], first[2] = r1 - w1, (right - wrong) * beyond
        return cls(
            np.append(plane, beyond),
            float(ndtr(-plane[0])),
            float(right),
            float(wrong),
            second,
            first,
        )


def _kept_wedges(angle):
    """Polar bounds where two directions `angle` apart are both positive, and both negative."""
    return (angle - np.pi / 2, np.pi / 2), (angle + np.pi / 2, 3 * np.pi / 2)


def _wedge(low, high, mean):
    """Chance, first and second moments of N(mean, I_2) over the wedge low < polar angle < high.

    Along each ray the integral is closed: with t = mean.e(angle), the radial moments
    I_k = integral of r^k times the N(t, 1) density over r > 0 obey I_k = t I_{k-1} + (k-1) I_{k-2}.
    """
    nodes, weights = np.polynomial.legendre.leggauss(96)
    half = (np.asarray(high) - np.asarray(low))[..., None] / 2
    theta = np.asarray(low)[..., None] + half * (nodes + 1)
    e = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    t = np.einsum("...qi,...i->...q", e, mean)
    off = e[..., 0] * mean[..., None, 1] - e[..., 1] * mean[..., None, 0]
    i0, density = ndtr(t), np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    i1 = density + t * i0
    i2 = t * i1 + i0
    i3 = t * i2 + 2 * i1
    weight = half * weights * np.exp(-(off**2) / 2) / np.sqrt(2 * np.pi)
    return (
        np.einsum("...q,...q->...", weight, i1),
        np.einsum("...q,...qi->...i", weight * i2, e),
        np.einsum("...q,...qi,...qj->...ij", weight * i3, e, e),
    )


def _plain(value):
    """A float for a scalar, the array otherwise."""
    return float(value) if np.ndim(value) == 0 else value
