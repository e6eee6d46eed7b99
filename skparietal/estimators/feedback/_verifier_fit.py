"""A verifier fitted on the verified rows, with scores that no row's own label has touched."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils import check_random_state
from sklearn.utils.validation import has_fit_parameter

from skparietal.verifiers import (
    AgreementVerifier,
    ProbabilityVerifier,
    ResidualVerifier,
    by_column,
)


@dataclass(frozen=True)
class CrossFittedVerifier:
    """Mean score of the models of a cross-validation."""

    verifiers: tuple

    def __call__(self, X, labels):
        return np.mean([verifier(X, labels) for verifier in self.verifiers], axis=0)


@dataclass(frozen=True)
class VerifierFit:
    """Cross-fitted verifier, the test rows of each of its models, and its accuracy."""

    verifier: CrossFittedVerifier
    test_rows: tuple
    accuracy: float

    def scores(self, X, labels, known_rows, n_before=0):
        """Scores of all labels; a verified row is scored by the one model that has not seen it.

        A refit on all verified rows would be surer of them, and of the others, than the scores by
        which the threshold is chosen.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.
        labels : ndarray of shape (n_samples, n_candidates)
            Candidate labels.
        known_rows : ndarray of int of shape (n_verified,)
            Rows of X on which the models were fitted, in their order.
        n_before : int, default=0
            Number of rows, before these, on which the models were fitted too.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_candidates)
            Higher is better.
        """
        scores = self.verifier(X, labels)
        for verifier, test in zip(self.verifier.verifiers, self.test_rows):
            rows = known_rows[test[test >= n_before] - n_before]
            if rows.size == 0:
                continue
            scores[rows] = verifier(take_rows(X, rows), labels[rows])
        return scores


def as_verifier(verifier):
    """Callable form of a verifier: a fitted classifier becomes its probability, or its verdict.

    Parameters
    ----------
    verifier : callable or fitted classifier
        A callable is returned as it is.

    Returns
    -------
    verifier : callable
        Called as verifier(X, labels).
    """
    if callable(verifier):
        return verifier
    if hasattr(verifier, "predict_proba"):
        return ProbabilityVerifier(verifier)
    return AgreementVerifier(verifier)


def score_labels(verifier, X, labels):
    """Scores of a table of labels; a user's function gets one column at a time.

    Parameters
    ----------
    verifier : callable
        From `as_verifier`.
    X : array-like of shape (n_samples, ...)
        Rows.
    labels : ndarray of shape (n_samples, n_candidates)
        Candidate labels.

    Returns
    -------
    scores : ndarray of shape (n_samples, n_candidates)
        Higher is better.
    """
    known = (ProbabilityVerifier, AgreementVerifier, ResidualVerifier, CrossFittedVerifier)
    if isinstance(verifier, known):
        return np.asarray(verifier(X, labels), dtype=float)
    return by_column(verifier, X, labels)


def fit_verifier(estimator, X, truth, sample_weight=None, *, cv=5, random_state=None):
    """Fit clones of a classifier on folds of the verified rows.

    Parameters
    ----------
    estimator : classifier
        Cloned for every fold.
    X : array-like of shape (n_verified, ...)
        Verified rows.
    truth : ndarray of shape (n_verified,)
        Their true labels.
    sample_weight : ndarray of shape (n_verified,), default=None
        Passed on if the classifier takes it.
    cv : int, splitter or iterable of splits, default=5
        Must test every row once.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows when cv is an int.

    Returns
    -------
    fit : VerifierFit
        Models, folds and accuracy.

    Raises
    ------
    ValueError
        If only one class is verified or cv is no partition.
    """
    truth = np.asarray(truth)
    if np.unique(truth).size < 2:
        raise ValueError(
            "the verified rows show one class only, so that no verifier can be fitted: verify rows "
            "of another class, or give feedback or a fitted verifier"
        )
    models, tests, right = [], [], np.full(len(truth), np.nan)
    for train, test in _folds(cv, X, truth, random_state):
        model = _fit_clone(estimator, X, truth, train, sample_weight)
        models.append(as_verifier(model))
        tests.append(test)
        right[test] = model.predict(take_rows(X, test)) == truth[test]
    if np.isnan(right).any() or sum(map(len, tests)) != len(truth):
        raise ValueError("cv must test every verified row exactly once, as KFold does")
    accuracy = float(np.average(right, weights=sample_weight))
    return VerifierFit(CrossFittedVerifier(tuple(models)), tuple(tests), accuracy)


def held_out_accuracy(estimator, X, truth, sample_weight, random_state):
    """Accuracy of a clone fitted on one half of the rows, on the other half.

    Parameters
    ----------
    estimator : classifier
        Cloned.
    X : array-like of shape (n_verified, ...)
        Verified rows.
    truth : ndarray of shape (n_verified,)
        Their true labels.
    sample_weight : ndarray of shape (n_verified,)
        Passed on if the classifier takes it, and weights of the accuracy.
    random_state : int, RandomState instance or None
        Shuffles the rows.

    Returns
    -------
    accuracy : float
        Weighted share of right predictions.

    Raises
    ------
    ValueError
        If only one class is verified, or as the estimator does on so few rows.
    """
    truth = np.asarray(truth)
    if np.unique(truth).size < 2:
        raise ValueError("the verified rows show one class only")
    train, test = next(iter(_folds(2, X, truth, random_state)))
    model = _fit_clone(estimator, X, truth, train, sample_weight)
    right = model.predict(take_rows(X, test)) == truth[test]
    return float(np.average(right, weights=sample_weight[test]))


def _folds(cv, X, truth, random_state):
    """Splits of the verified rows; an int is stratified as far as the rare classes allow."""
    if not isinstance(cv, (int, np.integer)):
        return check_cv(cv, truth, classifier=True).split(X, truth)
    rng, n_splits = check_random_state(random_state), min(cv, len(truth))
    if np.unique(truth, return_counts=True)[1].min() < n_splits:
        return KFold(n_splits, shuffle=True, random_state=rng).split(X)
    return StratifiedKFold(n_splits, shuffle=True, random_state=rng).split(X, truth)


def _fit_clone(estimator, X, truth, train, sample_weight):
    # A fold may see a single class, which many classifiers refuse.
    single = np.unique(truth[train]).size < 2
    model = DummyClassifier() if single else clone(estimator)
    weight = {}
    if sample_weight is not None and has_fit_parameter(model, "sample_weight"):
        weight["sample_weight"] = sample_weight[train]
    return model.fit(take_rows(X, train), truth[train], **weight)
