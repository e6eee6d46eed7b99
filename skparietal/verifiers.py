"""Verifiers of candidate labels: small frozen objects, called as verifier(X, labels) -> scores.

Higher scores are better. `labels` may be one label a row or a table of candidates, one column
each; the scores have its shape. A frozen object has no parameters to clone, so that a fitted model
inside stays fitted when a grid search clones the estimator that holds it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class ProbabilityVerifier:  # numpydoc ignore=PR02
    """Probability that a fitted classifier gives to the candidate label.

    Parameters
    ----------
    estimator : fitted classifier
        With `predict_proba`; used as it is.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skparietal.verifiers import ProbabilityVerifier
    >>> model = LogisticRegression().fit([[0.0], [1.0], [2.0]], ["a", "a", "b"])
    >>> ProbabilityVerifier(model)([[-9.0]], ["a"]).round()
    array([1.])
    """

    estimator: BaseEstimator

    def __call__(self, X, labels):
        """Score the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        labels : array-like of shape (n_samples,) or (n_samples, n_candidates)
            Candidate labels; the probability of a class that the model does not know is 0.

        Returns
        -------
        scores : ndarray of the shape of labels
            Probabilities.
        """
        return probability_of_labels(
            self.estimator.predict_proba(X), self.estimator.classes_, np.asarray(labels)
        )


@dataclass(frozen=True)
class AgreementVerifier:  # numpydoc ignore=PR02
    """Verdict 1 where a fitted model predicts the candidate label, 0 elsewhere.

    Parameters
    ----------
    estimator : fitted classifier
        With `predict`; used as it is.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skparietal.verifiers import AgreementVerifier
    >>> model = DummyClassifier().fit([[0.0]] * 3, ["a", "a", "b"])
    >>> AgreementVerifier(model)([[0.0], [0.0]], ["a", "b"])
    array([1., 0.])
    """

    estimator: BaseEstimator

    def __call__(self, X, labels):
        """Score the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        labels : array-like of shape (n_samples,) or (n_samples, n_candidates)
            Candidate labels.

        Returns
        -------
        scores : ndarray of the shape of labels
            Zeros and ones.
        """
        labels, predicted = np.asarray(labels), self.estimator.predict(X)
        return (labels == (predicted if labels.ndim == 1 else predicted[:, None])).astype(float)


@dataclass(frozen=True)
class ResidualVerifier:  # numpydoc ignore=PR02
    """Minus the residual of an exact check, or its verdict within a tolerance.

    Many tasks are hard to solve and easy to check: put the answer back into the equation.

    Parameters
    ----------
    residual : callable
        Called as residual(X, labels) with one label a row; returns numbers, shape (n_samples,),
        smaller is better. A function of a module can be pickled, a lambda cannot.
    tolerance : float, default=None
        None scores by minus the residual; a number gives the verdict 1 at or below it, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.verifiers import ResidualVerifier
    >>> def residual(X, root):
    ...     return np.abs(root**2 - X[:, 0])
    >>> ResidualVerifier(residual, tolerance=0.5)(np.array([[9.0], [9.0]]), np.array([3, 4]))
    array([1., 0.])
    """

    residual: Callable
    tolerance: float | None = None

    def __call__(self, X, labels):
        """Score the labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        labels : array-like of shape (n_samples,) or (n_samples, n_candidates)
            Candidate labels.

        Returns
        -------
        scores : ndarray of the shape of labels
            Minus the residuals, or zeros and ones.
        """
        residuals = by_column(self.residual, X, np.asarray(labels))
        return -residuals if self.tolerance is None else (residuals <= self.tolerance).astype(float)


def by_column(check, X, labels):
    """Call a check of one label a row on every column of a table of labels.

    Parameters
    ----------
    check : callable
        Called as check(X, column), returns shape (n_samples,).
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.
    labels : ndarray of shape (n_samples,) or (n_samples, n_candidates)
        Labels.

    Returns
    -------
    values : ndarray of float, of the shape of labels
        What the check returned.

    Raises
    ------
    ValueError
        If the check returns another shape.
    """
    columns = labels[:, None] if labels.ndim == 1 else labels
    values = [np.asarray(check(X, column), dtype=float) for column in columns.T]
    for value in values:
        if value.shape != (len(labels),):
            raise ValueError(
                f"the verifier returned shape {value.shape} for {len(labels)} labels: it must "
                "return one score a row"
            )
    return np.stack(values, axis=1).reshape(labels.shape)


def probability_of_labels(probabilities, classes, labels):
    """Pick the probability of each given label.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        One row of class probabilities a row.
    classes : ndarray of shape (n_classes,)
        Sorted class labels of the columns.
    labels : ndarray of shape (n_samples,) or (n_samples, n_candidates)
        Labels; the probability of one that is not in `classes` is 0.

    Returns
    -------
    picked : ndarray of the shape of labels
        Probabilities.
    """
    columns = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    flat = columns if columns.ndim == 2 else columns[:, None]
    picked = np.take_along_axis(probabilities, flat, axis=1).reshape(labels.shape)
    return np.where(np.asarray(classes)[columns] == labels, picked, 0.0)
