"""The score from which a label is kept: given, or chosen on the verified rows."""

from functools import partial

import numpy as np
from scipy.special import ndtri
from sklearn.isotonic import IsotonicRegression

from skparietal.theory.feedback import effective_size, label_margin

# With fewer right labels among the verified rows a threshold chosen on them is mostly noise.
MIN_RIGHT = 30
# Parts of the verified rows: a threshold chosen on the others is judged on each.
N_PARTS = 5


def are_verdicts(scores):
    """Whether scores are zeros and ones, apart from labels not looked at.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, -inf where not looked at.

    Returns
    -------
    answer : bool
        False for graded scores.
    """
    return bool(np.isin(scores, (0.0, 1.0, -np.inf)).all())


def can_choose(scores, right, weight):
    """Whether scores are graded and the verified rows enough to choose a threshold among them.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, -inf where not looked at.
    right, weight : ndarray of shape (n_verified,)
        Whether the labels of verified rows are right, their weights.

    Returns
    -------
    answer : bool
        False for verdicts.
    """
    return weight[right].sum() >= MIN_RIGHT and not are_verdicts(scores)


def weight_above(scores, weight):
    """Weight of the rows whose score is at least a given one, as a function of it.

    Parameters
    ----------
    scores, weight : ndarray of shape (n_samples,)
        Scores and weights of the rows.

    Returns
    -------
    above : callable
        Of an array of scores.
    """
    order = np.argsort(scores)
    below, scores = np.append(0, weight[order].cumsum()), scores[order]
    return lambda cuts: below[-1] - below[np.searchsorted(scores, cuts)]


def class_separation(accuracy, n_classes):
    """Half the distance of two class means in the Gaussian model that has this accuracy.

    The accuracy between two of the classes is the chance of the right one given that the answer is
    one of the two.

    Parameters
    ----------
    accuracy : float
        Accuracy over all classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    mu_norm : float
        In standard deviations, not negative.
    """
    if n_classes < 2:
        return 0.0
    pairwise = accuracy / (accuracy + (1 - accuracy) / (n_classes - 1))
    # An accuracy of 1 on few rows is not an infinite distance.
    return max(float(ndtri(min(pairwise, 0.999))), 0.0)


def fixed_threshold(scores, threshold, keep_fraction, least):
    """Threshold that needs no verified rows.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores of the selected labels, -inf where not looked at.
    threshold : float or "auto"
        A number is taken as it is.
    keep_fraction : float or None
        Share of the rows to keep, ties included.
    least : float
        Answer to "auto" for verdicts and probabilities.

    Returns
    -------
    threshold : float
        Least kept score.

    Raises
    ------
    ValueError
        If "auto" meets scores on an unknown scale.
    """
    if keep_fraction is not None:
        finite = np.sort(scores[np.isfinite(scores)])[::-1]
        n_kept = min(round(keep_fraction * scores.size), finite.size)
        return float(finite[n_kept - 1]) if n_kept else np.inf
    if threshold != "auto":
        return float(threshold)
    finite = scores[np.isfinite(scores)]
    if finite.size and not (finite.min() >= 0 and finite.max() <= 1):
        raise ValueError(
            f"scores outside [0, 1] have no natural threshold, and fewer than {MIN_RIGHT} right "
            "labels were verified to choose one: give threshold, keep_fraction or more y_verified"
        )
    return least


def search_threshold(scores, right, weight, *, pool, n_trusted, mu_norm, n_classes, discount):
    """Lowest threshold whose effective size is within one standard error of the best.

    The effective size is that of the kept and the trusted rows together: see
    `skparietal.theory.effective_size`.

    Parameters
    ----------
    scores, right, weight : ndarray of shape (n_verified,)
        Scores of the labels of verified rows, whether they are right, their weights.
    pool : callable
        From `weight_above`: weight of the rows that the filter decides on, above each score.
    n_trusted : float
        Weight of the verified rows that are trained on besides.
    mu_norm : float
        Separation of the classes.
    n_classes : int
        Number of classes.
    discount : bool
        Whether kept rows are weighted by what they are worth beside trusted ones, so that the
        values of both add up, or are trained on like them.

    Returns
    -------
    threshold : float
        A score of a verified row, or infinity where the trusted rows do best alone.
    """
    looked_at = np.isfinite(scores)
    scores, right, weight = scores[looked_at], right[looked_at], weight[looked_at]
    cuts, index = np.unique(scores, return_inverse=True)
    n_right, n_all = (
        np.bincount(index, weights=w, minlength=cuts.size)[::-1].cumsum()[::-1]
        for w in (weight * right, weight)
    )
    purity = (n_right + 0.5) / (n_all + 1)
    error = np.sqrt(purity * (1 - purity) / (n_all + 1))
    n_pool = pool(cuts)
    size = _added_size if discount else _pooled_size
    value = partial(size, n_pool, n_trusted, mu_norm=mu_norm, n_classes=n_classes)
    values = value(purity)
    if values.max(initial=0) <= n_trusted:
        return np.inf
    best = values.argmax()
    tolerance = values[best] - value(np.maximum(purity - error, 0))[best]
    return float(cuts[values >= values[best] - tolerance][0])


def _added_size(n_pool, n_trusted, purity, *, mu_norm, n_classes):
    """Effective size of trusted rows, and of pool rows weighted by `relative_trust`."""
    return n_trusted + effective_size(n_pool, purity, mu_norm=mu_norm, n_classes=n_classes)


def _pooled_size(n_pool, n_trusted, purity, *, mu_norm, n_classes):
    """Effective size of pool rows of some purity and of trusted rows, trained on together."""
    total = n_trusted + n_pool
    mixed = (n_trusted + n_pool * purity) / np.maximum(total, 1)
    return effective_size(total, mixed, mu_norm=mu_norm, n_classes=n_classes)


def probability_right(scores, known_scores, right, weight):
    """P(label is right | score): isotonic on the verified rows, the score itself without enough.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, -inf where not looked at.
    known_scores, right, weight : ndarray of shape (n_verified,)
        Scores of the labels of verified rows, whether they are right, their weights.

    Returns
    -------
    probability : ndarray of shape (n_samples,)
        0 for a label not looked at.
    """
    probability = np.zeros(len(scores))
    rows, known_rows = np.isfinite(scores), np.isfinite(known_scores)
    if weight[right].sum() >= MIN_RIGHT:
        calibration = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        calibration.fit(known_scores[known_rows], right[known_rows], weight[known_rows])
        probability[rows] = calibration.predict(scores[rows])
    else:
        probability[rows] = np.clip(scores[rows], 0, 1)
    return probability


def zero_margin_threshold(scores, right, weight, *, pool, n_classes):
    """Least score at which a label is more often right than each wrong one.

    Parameters
    ----------
    scores, right, weight : ndarray of shape (n_verified,)
        Scores of the labels of verified rows, whether they are right, their weights.
    pool : ndarray of shape (n_samples,)
        All scores.
    n_classes : int
        Number of classes.

    Returns
    -------
    threshold : float
        Infinity if there is none.
    """
    margins = label_margin(probability_right(pool, scores, right, weight), n_classes)
    return float(pool[margins > 0].min(initial=np.inf))


def cross_fitted(search, scores, right, weight):
    """Threshold for each verified row, chosen without it.

    Parameters
    ----------
    search : callable
        Called as search(scores, right, weight); returns a threshold.
    scores, right, weight : ndarray of shape (n_verified,)
        Scores of the labels of verified rows, whether they are right, their weights.

    Returns
    -------
    thresholds : ndarray of shape (n_verified,)
        One of N_PARTS values each.
    """
    # Dealt out by score, every part covers the whole range of them.
    part = np.empty(scores.size, dtype=int)
    part[np.argsort(scores, kind="stable")] = np.arange(scores.size) % N_PARTS
    others = (part != number for number in range(N_PARTS))
    return np.array([search(scores[rows], right[rows], weight[rows]) for rows in others])[part]
