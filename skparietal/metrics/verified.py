"""Scores and cross-validation when only some of the labels were checked."""

import numpy as np
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state, indexable
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skparietal.tokens import is_missing

# What other tools write for "unknown", and what NaN becomes in an array of strings.
UNKNOWN_MARKERS = (-1, "", "nan")


def split_verified(y, y_verified, *, labels=None):
    """Separate the rows whose true label is known.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels in use, known or not to be right.
    y_verified : array-like of shape (n_samples,)
        True label where it is known; NaN (numbers) or None (objects) elsewhere. An integer or
        string array is known everywhere.
    labels : array-like, default=None
        All labels that may come, if they are more than those of y.

    Returns
    -------
    known : ndarray of bool of shape (n_samples,)
        Where a true label is known.
    truth : ndarray of shape (n_known,)
        The true labels of those rows, in the type of y where it can hold them.

    Raises
    ------
    ValueError
        If the lengths differ, a known number is infinite, or labels that are known everywhere hold
        -1, "" or "nan", which y does not: these mark unknown labels elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.metrics import split_verified
    >>> split_verified([0, 1, 1], [np.nan, 0, np.nan])
    (array([False,  True, False]), array([0]))
    """
    y, y_verified = np.asarray(y), column_or_1d(y_verified)
    if len(y) != len(y_verified):
        raise ValueError(
            f"y_verified has {len(y_verified)} rows and y {len(y)}: give one entry a row, NaN or "
            "None where the true label is not known"
        )
    if y_verified.dtype.kind == "f":
        known = ~np.isnan(y_verified)
    elif y_verified.dtype.kind == "O":
        known = np.array([not is_missing(value) for value in y_verified], dtype=bool)
    else:
        known = np.ones(len(y), dtype=bool)
    truth = y_verified[known]
    if truth.dtype.kind == "f" and np.isinf(truth).any():
        raise ValueError("y_verified holds an infinite value: use NaN where the label is unknown")
    if known.all():
        _refuse_markers(truth, y if labels is None else np.asarray(labels))
    return known, _as_labels(truth, y)


def verified_score(y_true, y_pred, *, y_verified, metric=accuracy_score, sample_weight=None):
    """Score of predictions on the rows whose true label is known.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in use (synthetic ones, say). Only their type matters here.
    y_pred : array-like of shape (n_samples,)
        Predicted labels.
    y_verified : array-like of shape (n_samples,)
        True labels, NaN or None where unknown.
    metric : callable, default=accuracy_score
        Called as metric(truth, predicted, sample_weight=...).
    sample_weight : array-like of shape (n_samples,), default=None
        Weights; those of the other rows are not used.

    Returns
    -------
    score : float
        What `metric` returns on the known rows.

    Raises
    ------
    ValueError
        If no row is known. `VerifiedKFold` spreads the known rows over the folds.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.metrics import verified_score
    >>> verified_score([0, 0, 1], [0, 1, 1], y_verified=[np.nan, 1, 0])
    0.5
    """
    known, truth = split_verified(y_true, y_verified)
    if not known.any():
        raise ValueError(
            "no row of y_verified is known: nothing to score on (VerifiedKFold gives every fold "
            "its share of the known rows)"
        )
    weight = None if sample_weight is None else np.asarray(sample_weight)[known]
    return metric(truth, np.asarray(y_pred)[known], sample_weight=weight)


def verified_scorer(metric=accuracy_score):
    """Scorer on the verified rows, for model selection.

    Without it a grid search ranks settings by their agreement with the labels' generator.

    Parameters
    ----------
    metric : callable, default=accuracy_score
        Called as metric(truth, predicted, sample_weight=...); larger is better.

    Returns
    -------
    scorer : callable
        Scorer that asks for `y_verified`.

    Raises
    ------
    RuntimeError
        If metadata routing is not enabled: without it no grid search could pass `y_verified` on.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn import config_context
    >>> from sklearn.dummy import DummyClassifier
    >>> from skparietal.metrics import verified_scorer
    >>> X, y = np.zeros((4, 1)), [0, 0, 0, 1]
    >>> model = DummyClassifier().fit(X, y)
    >>> with config_context(enable_metadata_routing=True):
    ...     verified_scorer()(model, X, y, y_verified=[1, 0, np.nan, np.nan])
    0.5
    """
    return make_scorer(verified_score, metric=metric).set_score_request(y_verified=True)


class VerifiedKFold(BaseCrossValidator):
    """Folds that each get their share of the verified rows, class by class.

    Verified rows are spread evenly by their true label, the others by the label in use.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows within each stratum.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.metrics import VerifiedKFold
    >>> y, y_verified = np.arange(40) % 2, np.full(40, np.nan)
    >>> y_verified[:8] = y[:8]
    >>> folds = VerifiedKFold(4, random_state=0).split(y[:, None], y, y_verified=y_verified)
    >>> [int(np.isfinite(y_verified[test]).sum()) for _, test in folds]
    [2, 2, 2, 2]
    """

    def __init__(self, n_splits=5, *, random_state=None):
        self.n_splits = n_splits
        self.random_state = random_state

    def split(self, X, y, groups=None, *, y_verified=None):
        """Generate the indices of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels in use.
        groups : object, default=None
            Not used.
        y_verified : array-like of shape (n_samples,), default=None
            True labels, NaN or None where unknown; None spreads the labels in use only.

        Yields
        ------
        train : ndarray
            Row numbers of the training part.
        test : ndarray
            Row numbers of the test part.
        """
        X, y, y_verified = indexable(X, y, y_verified)
        check_consistent_length(X, y)
        folds = self._folds(np.asarray(y), y_verified)
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def get_n_splits(self, X=None, y=None, groups=None, *, y_verified=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups, y_verified : object, default=None
            Not used.

        Returns
        -------
        n_splits : int
            The parameter of that name.
        """
        return self.n_splits

    def _folds(self, y, y_verified):
        """Number of the fold of each row."""
        if not 2 <= self.n_splits <= len(y):
            raise ValueError(f"n_splits={self.n_splits} must lie between 2 and {len(y)} rows")
        strata = np.unique(y, return_inverse=True)[1]
        if y_verified is not None:
            known, truth = split_verified(y, y_verified)
            # Known rows first: their strata are -1, -2, ... and lexsort puts them together.
            strata[known] = -1 - np.unique(truth, return_inverse=True)[1]
        # Dealing out the sorted rows like cards spreads every stratum evenly, rare ones too.
        order = np.lexsort((check_random_state(self.random_state).uniform(size=len(y)), strata))
        folds = np.empty(len(y), dtype=int)
        folds[order] = np.arange(len(y)) % self.n_splits
        return folds


def _refuse_markers(truth, labels):
    """Raise an error if a label that is no class looks like a mark of an unknown one."""
    given, present = set(labels.tolist()), set(truth.tolist())
    # All of one class 1, the other may well be -1.
    if given == {1}:
        return
    for marker in UNKNOWN_MARKERS:
        if marker in present - given:
            raise ValueError(
                f"y_verified holds {marker!r}, which is no label in use: write NaN or None where "
                "the true label is not known"
            )


def _as_labels(truth, y):
    """Known labels in the type of y if it loses nothing: 1.0 is 1 beside integer labels."""
    if truth.dtype.kind == "O" and truth.size and y.dtype.kind != "O":
        truth = np.array(truth.tolist())
    if y.dtype.kind in "iub" and truth.dtype.kind == "f" and (truth == np.round(truth)).all():
        return truth.astype(y.dtype if y.dtype.kind != "b" else int)
    return truth
