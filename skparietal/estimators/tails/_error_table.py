"""Sizes and errors as a scaling law reads them: distinct, positive, in centred logs."""

import numpy as np


def column_scales(X):  # numpydoc ignore=PR01,RT01
    """Replacement of zeros, and log of the geometric mean, of each column."""
    positive = np.where(X > 0, X, np.inf).min(axis=0)
    if not np.all(np.isfinite(positive)):
        raise ValueError("Every column of X must hold at least one size > 0.")
    zero = positive / 2
    return zero, np.log(np.where(X > 0, X, zero)).mean(axis=0)


def centred_logs(X, zero, log_x0):  # numpydoc ignore=PR01,RT01
    """Logs of sizes about the mean logs of the fit; zeros are replaced."""
    return np.log(np.where(X > 0, X, zero)) - log_x0


def check_bounds(bounds):  # numpydoc ignore=PR01,RT01
    """Bounds (n_constants, 2) of a callable law."""
    box = np.asarray([] if bounds is None else bounds, dtype=float)
    if box.ndim != 2 or box.shape[1] != 2 or not np.all(np.isfinite(box)):
        raise ValueError(
            "A callable law needs finite bounds, one (low, high) per constant; got "
            f"bounds={bounds!r}."
        )
    if np.any(box[:, 0] >= box[:, 1]):
        raise ValueError(f"bounds must be (low, high) with low < high; got {bounds!r}.")
    return box


def merge_equal_rows(X, y, weights):  # numpydoc ignore=PR01,RT01
    """Distinct rows in sorted order with summed weights of mean one."""
    kept = weights > 0
    table, inverse = np.unique(np.column_stack([X, y])[kept], axis=0, return_inverse=True)
    weights = np.bincount(inverse.ravel(), weights=weights[kept])
    return table[:, :-1], table[:, -1], weights / weights.mean()
