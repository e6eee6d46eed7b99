"""Synthetic labels with known errors, and feedback with known rates."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import column_or_1d

from skparietal.datasets.categorical import draw_columns


def make_synthetic_labels(y, error_rate=0.3, *, n_candidates=1, confusion=None, random_state=None):
    """Draw labels of a generator that errs at a known rate.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        True labels, of at least two classes.
    error_rate : float, default=0.3
        Chance that a label is wrong; the wrong ones are spread evenly over the other classes.
    n_candidates : int, default=1
        Independent labels per row.
    confusion : array-like of shape (n_classes, n_classes), default=None
        Chance of each label (column) given the true class (row), classes in sorted order. It
        replaces `error_rate`.
    random_state : int, RandomState instance or None, default=None
        Source of the draws.

    Returns
    -------
    y_synthetic : ndarray of shape (n_samples,) or (n_samples, n_candidates)
        One column is returned flat.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1], the rows of `confusion` do not sum to 1, or y has one
        class.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.datasets import make_synthetic_labels
    >>> y = np.repeat(["cat", "dog"], 5000)
    >>> print(f"{np.mean(make_synthetic_labels(y, 0.2, random_state=0) != y):.2f}")
    0.20
    """
    classes, codes = np.unique(column_or_1d(y), return_inverse=True)
    if classes.size < 2:
        raise ValueError("y has one class: a wrong label needs at least two")
    if confusion is None:
        confusion = _uniform_confusion(error_rate, classes.size)
    confusion = _check_confusion(confusion, classes.size)
    labels = classes[draw_columns(confusion[codes], check_random_state(random_state), n_candidates)]
    return labels[:, 0] if n_candidates == 1 else labels


def make_feedback(y, y_synthetic, phi=0.9, psi=0.3, *, random_state=None):
    """Draw verdicts that keep right labels with chance phi and wrong ones with chance psi.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        True labels.
    y_synthetic : array-like of shape (n_samples,) or (n_samples, n_candidates)
        Synthetic labels.
    phi, psi : float
        Chances to keep a right and a wrong label, in [0, 1].
    random_state : int, RandomState instance or None, default=None
        Source of the draws.

    Returns
    -------
    feedback : ndarray of bool, of the shape of y_synthetic
        True where the label is kept.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or the lengths differ.

    Examples
    --------
    >>> from skparietal.datasets import make_feedback
    >>> make_feedback([0, 1, 1], [0, 1, 0], phi=1, psi=0)
    array([ True,  True, False])
    """
    y, y_synthetic = column_or_1d(y), np.asarray(y_synthetic)
    if len(y) != len(y_synthetic):
        raise ValueError(f"y has {len(y)} rows and y_synthetic {len(y_synthetic)}")
    for name, value in (("phi", phi), ("psi", psi)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {value}")
    right = y_synthetic == (y if y_synthetic.ndim == 1 else y[:, None])
    # A stream of its own: given the seed of the labels, the verdicts must not follow their errors.
    stream = np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))
    draws = stream.uniform(size=y_synthetic.shape)
    return draws < np.where(right, phi, psi)


def _uniform_confusion(error_rate, n_classes):
    if not 0 <= error_rate <= 1:
        raise ValueError(f"error_rate must lie in [0, 1], got {error_rate}")
    confusion = np.full((n_classes, n_classes), error_rate / (n_classes - 1))
    np.fill_diagonal(confusion, 1 - error_rate)
    return confusion


def _check_confusion(confusion, n_classes):
    confusion = np.asarray(confusion, dtype=float)
    if confusion.shape != (n_classes, n_classes):
        raise ValueError(f"confusion must be {n_classes} x {n_classes}, got {confusion.shape}")
    if (confusion < 0).any() or not np.allclose(confusion.sum(axis=1), 1):
        raise ValueError("every row of confusion must be chances that sum to 1")
    return confusion
