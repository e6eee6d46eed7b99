"""Linear changes of variables x -> T'x of the features: what they do to moments and coefficients.

T is None for the identity, a vector for a diagonal matrix, or a matrix, as `Norm.reduce` gives it.
A matrix need not be square where T is only multiplied.
"""

import numpy as np


def transformed_gram(transform, gram):
    """T' S T.

    Parameters
    ----------
    transform : None or ndarray of shape (n_features,) or (n_features, n_features)
        T.
    gram : ndarray of shape (n_features, n_features)
        Second moments S of the features.

    Returns
    -------
    gram : ndarray of shape (n_features, n_features)
        Second moments of the transformed features.
    """
    if transform is None:
        return gram
    if transform.ndim == 1:
        return transform[:, None] * gram * transform
    return transform.T @ gram @ transform


def transformed_correlation(transform, correlation):
    """T' q.

    Parameters
    ----------
    transform : None or ndarray of shape (n_features,) or (n_features, n_features)
        T.
    correlation : ndarray of shape (n_features,)
        Second moments q of the features and the target.

    Returns
    -------
    correlation : ndarray of shape (n_features,)
        Of the transformed features.
    """
    if transform is None:
        return correlation
    return transform * correlation if transform.ndim == 1 else transform.T @ correlation


def original_coef(transform, coef):
    """T u: coefficients of the features from those of the transformed features.

    Parameters
    ----------
    transform : None or ndarray of shape (n_features,) or (n_features, n_features)
        T.
    coef : ndarray of shape (..., n_features)
        Coefficients u.

    Returns
    -------
    coef : ndarray of shape (..., n_features)
        With the same predictions.
    """
    if transform is None:
        return coef
    return coef * transform if transform.ndim == 1 else coef @ transform.T


def transformed_coef(transform, coef):
    """Inverse of `original_coef`.

    Parameters
    ----------
    transform : None or ndarray of shape (n_features,) or (n_features, n_features)
        T.
    coef : ndarray of shape (n_features,)
        Coefficients of the features.

    Returns
    -------
    coef : ndarray of shape (n_features,)
        Coefficients of the transformed features.
    """
    if transform is None:
        return coef
    return coef / transform if transform.ndim == 1 else np.linalg.solve(transform, coef)


def composed(outer, inner):
    """Change of variables that has the coefficients `outer` (`inner` u).

    Parameters
    ----------
    outer : None or ndarray of shape (n_features,) or (n_features, n_features)
        Second map of the coefficients.
    inner : ndarray of shape (n_features,) or (n_features, n_variables)
        First map.

    Returns
    -------
    transform : ndarray of shape (n_features,) or (n_features, n_variables)
        Their product.
    """
    if outer is None:
        return inner
    if outer.ndim == 2:
        return outer * inner if inner.ndim == 1 else outer @ inner
    return outer * inner if inner.ndim == 1 else outer[:, None] * inner
