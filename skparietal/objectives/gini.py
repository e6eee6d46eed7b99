"""The generalised Gini welfare of a vector and its Moreau smoothing."""

import numpy as np
from scipy.optimize import isotonic_regression


def gini_weights(n):
    """Weights for which the generalised Gini welfare is the mean times one minus the Gini index.

    Parameters
    ----------
    n : int
        Length of the vector, at least 1.

    Returns
    -------
    weights : ndarray of shape (n,)
        Decreasing, of sum 1; the first one goes to the smallest entry.
    """
    return (2 * np.arange(n, 0, -1) - 1) / n**2


def check_gini_weights(weights, n):
    """Validated weights of a generalised Gini welfare.

    Parameters
    ----------
    weights : array-like of shape (n,) or None
        Non-increasing and non-negative; None means :func:`gini_weights`.
    n : int
        Length of the vectors that they will weigh.

    Returns
    -------
    weights : ndarray of shape (n,)
        In double precision.

    Raises
    ------
    ValueError
        If the length is not n, or a weight is negative, not finite, or larger than the one before.
    """
    if weights is None:
        return gini_weights(n)
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (n,):
        raise ValueError(
            f"The generalised Gini needs weights of shape ({n},), one per rank from the worst to "
            f"the best; got shape {weights.shape}."
        )
    if not np.isfinite(weights).all() or weights[-1] < 0 or (np.diff(weights) > 0).any():
        raise ValueError(
            "The weights of the generalised Gini must be finite, non-negative and non-increasing: "
            "the worst entry comes first and counts most. Sort them in decreasing order."
        )
    return weights


def generalized_gini(x, weights):
    """Generalised Gini welfare: the sum of weights times the sorted entries, the worst first.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Any vector.
    weights : ndarray of shape (n,)
        Non-increasing weights.

    Returns
    -------
    value : float
        Concave in x; no greater than the weighted sum in any other order.

    References
    ----------
    Weymark, Generalized Gini inequality indices, 1981.
    """
    return float(np.sort(x) @ weights)


def project_permutohedron(z, weights):
    """Euclidean projection on the convex hull of all permutations of some weights.

    Costs one sort and one isotonic regression, O(n log n).

    Parameters
    ----------
    z : ndarray of shape (n,)
        Point to project.
    weights : ndarray of shape (n,)
        Non-increasing weights: the corner of the permutohedron that the others permute.

    Returns
    -------
    projection : ndarray of shape (n,)
        Closest point; its entries come in the same order as those of z.

    References
    ----------
    Negrinho and Martins, Orbit regularization, 2014 (projection by isotonic regression).
    """
    order = np.argsort(-z, kind="stable")
    ordered = z[order]
    projection = np.empty_like(ordered)
    projection[order] = ordered - isotonic_regression(ordered - weights, increasing=False).x
    return projection


def smoothed_generalized_gini(x, weights, smoothing):
    """Moreau smoothing of the generalised Gini welfare, with its gradient.

    The largest of g(y) - norm(x - y)^2 / (2 smoothing) over y. It lies between g and g +
    smoothing norm(weights)^2 / 2, and its gradient is Lipschitz with constant 1 / smoothing.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Any vector.
    weights : ndarray of shape (n,)
        Non-increasing weights.
    smoothing : float
        Positive, in the units of x over weights. The smaller, the closer to g.

    Returns
    -------
    value : float
        Smoothed welfare.
    gradient : ndarray of shape (n,)
        A point of the convex hull of the permutations of the weights, so that
        g(y) <= gradient @ y for every y.

    References
    ----------
    Do and Usunier, Optimizing generalized Gini indices for fairness in rankings, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import gini_weights, smoothed_generalized_gini
    >>> x = np.array([0.5, 2.0, 0.5])
    >>> value, gradient = smoothed_generalized_gini(x, gini_weights(3), smoothing=0.01)
    >>> gradient.round(3)  # the two worst entries share the two largest weights
    array([0.444, 0.111, 0.444])
    """
    gradient = project_permutohedron(-x / smoothing, weights)
    return float(gradient @ x + smoothing / 2 * gradient @ gradient), gradient
