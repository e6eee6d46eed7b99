"""Draws from rows of class probabilities."""

import numpy as np


def draw_columns(probabilities, rng, n_draws=1):
    """Draw columns of each row by inversion of its distribution function.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows that sum to 1, up to rounding.
    rng : RandomState
        Source of the draws.
    n_draws : int, default=1
        Independent draws from each row.

    Returns
    -------
    columns : ndarray of int of shape (n_samples, n_draws)
        Positions; one of probability 0 is never drawn.
    """
    bounds = np.cumsum(probabilities, axis=1)
    # Rounding must not push a draw past the last column, nor into one of probability 0.
    bounds /= bounds[:, -1:]
    draws = rng.uniform(size=(len(bounds), n_draws))
    return (draws[:, :, None] >= bounds[:, None, :-1]).sum(axis=2)
