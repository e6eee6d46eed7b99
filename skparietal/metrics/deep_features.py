"""How usual the features of a network are: two scores that detectors are compared with."""

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors


def mahalanobis_confidence(Z, Z_clean, classes):
    """Minus the least squared Mahalanobis distance to the mean of a class.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Features to score, often what enters a network's last layer.
    Z_clean : array-like of shape (n_clean, n_features)
        Features of clean samples.
    classes : array-like of shape (n_clean,)
        Classes of the clean samples.

    Returns
    -------
    confidence : ndarray of shape (n_samples,)
        At most 0; higher is cleaner. The covariance within the classes is shared by them and shrunk
        (Ledoit and Wolf), so that it can be inverted where features never change.

    References
    ----------
    Lee, Lee, Lee, Shin, A Simple Unified Framework for Detecting Out-of-Distribution Samples and
    Adversarial Attacks, 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skparietal.metrics import mahalanobis_confidence
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(mahalanobis_confidence(X + 5, X, y).max() < mahalanobis_confidence(X, X, y).min())
    True
    """
    Z, Z_clean = np.asarray(Z, dtype=float), np.asarray(Z_clean, dtype=float)
    labels, position = np.unique(classes, return_inverse=True)
    means = np.stack([Z_clean[position == c].mean(axis=0) for c in range(len(labels))])
    within = LedoitWolf(assume_centered=True).fit(Z_clean - means[position])
    return -np.min([within.mahalanobis(Z - mean) for mean in means], axis=0)


def local_intrinsic_dimensionality(Z, Z_clean, n_neighbors=20):
    """Maximum-likelihood local intrinsic dimensionality (LID) among clean samples.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Features to score, not themselves among the clean ones.
    Z_clean : array-like of shape (n_clean, n_features)
        Features of clean samples.
    n_neighbors : int, default=20
        Number of nearest clean samples, at least 2.

    Returns
    -------
    dimensionality : ndarray of shape (n_samples,)
        Positive, infinite where all the neighbours are equally far; adversarial samples tend to
        have a higher one.

    References
    ----------
    Ma et al., Characterizing Adversarial Subspaces Using Local Intrinsic Dimensionality, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.metrics import local_intrinsic_dimensionality
    >>> plane = np.random.default_rng(0).uniform(-1, 1, size=(5000, 2))
    >>> origin = np.zeros((1, 2))
    >>> local_intrinsic_dimensionality(origin, plane, n_neighbors=1000).round(1)
    array([2.])
    """
    distances, _ = NearestNeighbors(n_neighbors=n_neighbors).fit(Z_clean).kneighbors(Z)
    # A sample that equals a clean one is at the smallest positive distance instead.
    logs = np.log(np.maximum(distances, np.finfo(float).tiny))
    with np.errstate(divide="ignore"):
        return 1 / np.mean(logs[:, -1:] - logs, axis=1)
