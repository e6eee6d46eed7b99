"""The mask that tells synthetic rows from real ones."""

import numpy as np


def check_synthetic_mask(synthetic, n_samples):
    """Validate a mask of synthetic rows.

    Parameters
    ----------
    synthetic : array-like of bool of shape (n_samples,) or None
        True for a synthetic row.
    n_samples : int
        Rows of X.

    Returns
    -------
    synthetic : ndarray of bool of shape (n_samples,) or None
        None as it came.

    Raises
    ------
    TypeError
        If it holds anything but booleans.
    ValueError
        If it has not one entry per row.
    """
    if synthetic is None:
        return None
    mask = np.asarray(synthetic)
    if mask.dtype == object and all(isinstance(entry, (bool, np.bool_)) for entry in mask.flat):
        mask = mask.astype(bool)  # nullable booleans of data frames
    if mask.dtype != bool:
        raise TypeError(
            f"synthetic must be a boolean mask, True for a synthetic row; got {mask.dtype}. "
            "Convert it, for instance by synthetic == 1."
        )
    if mask.shape != (n_samples,):
        raise ValueError(
            f"synthetic must have one entry per row of X, shape ({n_samples},); got {mask.shape}."
        )
    return mask
