"""Heavy-tailed token -> label facts with known laws."""

import numpy as np
from sklearn.utils import check_random_state

from skparietal.tokens import mix_bits


def make_zipf_associations(
    n_samples=10_000,
    *,
    beta=1.5,
    n_items=None,
    n_classes=10,
    label_noise=0.0,
    cut=None,
    gamma=1.0,
    real_fraction=0.0,
    random_state=None,
):
    """Rows (item, label) with items drawn from i^-beta and one right label per item.

    The right label of an item depends on nothing but the item and n_classes, so that two calls
    agree on it. `cut` and `gamma` make the rows of a generator that lost the tail of the real law.

    Parameters
    ----------
    n_samples : int, default=10000
        Number of rows.
    beta : float, default=1.5
        Exponent of the items' probabilities; > 1 unless n_items is given.
    n_items : int, default=None
        Number of items; None means infinitely many.
    n_classes : int, default=10
        Number of labels, >= 1.
    label_noise : float, default=0.0
        Probability that a row carries another label, drawn uniformly from the wrong ones.
    cut : int, default=None
        Last item that synthetic rows hold (``theory.tails.nucleus_cut`` turns a top_p into a cut).
    gamma : float, default=1.0
        Synthetic items are drawn from i^-(beta gamma): sampling at temperature 1/gamma.
    real_fraction : float, default=0.0
        Probability that a row is real in spite of cut and gamma.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    X : ndarray of shape (n_samples, 1) of int64
        Items 1, 2, ...
    y : ndarray of shape (n_samples,) of int64
        Labels 0, ..., n_classes - 1.

    Raises
    ------
    ValueError
        If the probabilities of infinitely many items do not sum, or a share is outside [0, 1].

    Examples
    --------
    >>> from skparietal.datasets import make_zipf_associations
    >>> X, y = make_zipf_associations(5, cut=3, random_state=0)
    >>> X.ravel()
    array([1, 2, 1, 1, 1])
    """
    for name, share in [("label_noise", label_noise), ("real_fraction", real_fraction)]:
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {share}.")
    if n_classes < 1 or (n_classes == 1 and label_noise > 0):
        raise ValueError(f"n_classes must be >= 1, and >= 2 with label noise, got {n_classes}.")
    rng = check_random_state(random_state)
    last = min((limit for limit in (n_items, cut) if limit is not None), default=None)
    items = _zipf(rng, n_samples, beta * gamma, last)
    if real_fraction > 0:
        real = rng.uniform(size=n_samples) < real_fraction
        items = np.where(real, _zipf(rng, n_samples, beta, n_items), items)
    y = (mix_bits(items.astype(np.uint64)) % np.uint64(n_classes)).astype(np.int64)
    if label_noise > 0:
        wrong = rng.uniform(size=n_samples) < label_noise
        y[wrong] = (y[wrong] + rng.randint(1, n_classes, size=wrong.sum())) % n_classes
    return items[:, None], y


def _zipf(rng, n_samples, exponent, n_items):
    """Draws from i^-exponent over the first n_items whole numbers, or over all of them."""
    if n_items is None:
        if not exponent > 1:
            raise ValueError(
                f"Probabilities i^-{exponent:g} of infinitely many items do not sum: "
                "take beta (and beta * gamma) > 1 or give n_items."
            )
        return rng.zipf(exponent, size=n_samples).astype(np.int64)
    if n_items < 1:
        raise ValueError(f"n_items and cut must be >= 1, got {n_items}.")
    cumulative = np.cumsum(np.arange(1, n_items + 1, dtype=float) ** -exponent)
    draws = rng.uniform(high=cumulative[-1], size=n_samples)
    return np.minimum(np.searchsorted(cumulative, draws, side="right"), n_items - 1) + 1
