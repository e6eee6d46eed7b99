"""Quantile bins that turn measured columns into tokens and leave tokens as they are."""

import numpy as np

from skparietal.tokens import is_missing


def find_bins(X, n_bins, sample_weight):
    """Bin edges of the columns of measurements.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers or objects.
    n_bins : int or None
        Number of bins of equal weight; None means no column is binned.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights; weight 2 is the row twice.

    Returns
    -------
    edges : dict of int to ndarray
        Inner edges (observed values, increasing) for each column that holds a number that is not
        whole and more than n_bins distinct values. A value belongs to the bin that it closes.
    """
    edges = {}
    if n_bins is None or X.dtype.kind not in "fO":
        return edges
    quantiles = np.arange(1, n_bins) / n_bins
    for j, column in enumerate(X.T):
        numbers = _as_numbers(column)
        if numbers is None:
            continue
        known = ~np.isnan(numbers)
        values, weights = numbers[known], sample_weight[known]
        if np.all(values == np.floor(values)) or len(np.unique(values)) <= n_bins:
            continue
        edges[j] = np.unique(np.quantile(values, quantiles, weights=weights, method="inverted_cdf"))
    return edges


def apply_bins(X, edges):
    """Table with the binned columns replaced by the numbers of their bins.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers or objects.
    edges : dict of int to ndarray
        From `find_bins`.

    Returns
    -------
    tokens : ndarray of shape (n_samples, n_features)
        X itself when no column is binned. What is no number, and NaN, stays what it is.
    """
    if not edges:
        return X
    # Object, because float32 bins next to float32 tokens are fine but text next to bins is not.
    tokens = X.astype(object) if X.dtype.kind not in "fiub" else X.copy()
    for j, inner in edges.items():
        numbers = _as_numbers(X[:, j])
        if numbers is not None:
            known = ~np.isnan(numbers)
            tokens[known, j] = np.searchsorted(inner, numbers[known], side="left")
    return tokens


def _as_numbers(column):
    """The column as float64, or None if it holds anything but numbers and missing values."""
    values = np.asarray(column.tolist()) if column.dtype.kind == "O" else column
    if values.dtype.kind == "O":  # None and pandas.NA are no numbers to numpy
        values = np.asarray([np.nan if is_missing(value) else value for value in column.tolist()])
    return values.astype(np.float64) if values.dtype.kind in "fiub" and values.ndim == 1 else None
