"""A test of microseconds that spares serving loops scikit-learn's full validation."""

import math

import numpy as np

SMALL = 8192  # numbers up to which a product is quicker than a sum: beyond, BLAS wakes its threads


def is_clean(X, shape, dtypes=(np.float64,)):
    """Whether X is a finite array of floats whose rows have some shape.

    A serving loop then pays for scikit-learn's validation, and its messages, only when something is
    wrong.

    Parameters
    ----------
    X : object
        What was given.
    shape : tuple of int
        Shape of a row.
    dtypes : tuple of type, default=(numpy.float64,)
        Types that need no conversion.

    Returns
    -------
    clean : bool
        False also for numbers so large that their squares, or their sum, overflow.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in dtypes
        and X.shape[1:] == shape
        and len(X) > 0
        and math.isfinite(np.vdot(X, X) if X.size <= SMALL else X.sum())
    )
