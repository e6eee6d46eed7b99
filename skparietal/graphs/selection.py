"""Weights of a layer that an activation graph keeps: the under-optimised ones and others."""

import numpy as np

# Entries with the lowest score are kept; w is the trained and w0 the initial weight.
SELECTIONS = {
    "magnitude_increase": lambda w, w0, rng: np.abs(w) - np.abs(w0),
    "magnitude_decrease": lambda w, w0, rng: np.abs(w0) - np.abs(w),
    "small_final": lambda w, w0, rng: np.abs(w),
    "large_final": lambda w, w0, rng: -np.abs(w),
    "random": lambda w, w0, rng: rng.uniform(size=w.shape),
}
NEEDS_INITIAL = ("magnitude_increase", "magnitude_decrease")


def select_entries(final, initial, *, selection, quantile, rng):
    """Entries of a weight tensor whose score is in the lowest quantile.

    Parameters
    ----------
    final : ndarray
        Trained weights.
    initial : ndarray or None
        Weights before training; needed by the scores that compare the two.
    selection : str
        Key of `SELECTIONS`, or "all".
    quantile : float
        Share of the entries to keep, in (0, 1].
    rng : RandomState
        For selection="random".

    Returns
    -------
    entries : ndarray of int
        Flat positions, ascending.

    Raises
    ------
    ValueError
        If ties leave no entry.

    References
    ----------
    Goibert, Ricatte, Dohmatob, An Adversarial Robustness Perspective on the Topology of Neural
    Networks, 2022 (the magnitude increase, with its strict upper bound).
    """
    if selection == "all":
        return np.arange(final.size)
    scores = SELECTIONS[selection](final, initial, rng).ravel()
    kept = scores < np.quantile(scores, quantile) if quantile < 1 else np.ones(final.size, bool)
    if not kept.any():
        raise ValueError(
            f"quantile={quantile} keeps no edge of a layer with {final.size} weights (too few, or "
            "many equal ones): raise it."
        )
    return np.flatnonzero(kept)
