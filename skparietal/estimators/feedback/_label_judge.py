"""Scores of candidate labels from feedback, a given verifier, or one fitted on verified rows."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils import shuffle
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.feedback._label_table import read_feedback
from skparietal.estimators.feedback._verifier_fit import (
    as_verifier,
    fit_verifier,
    held_out_accuracy,
    score_labels,
)

# Verified rows kept for refits of the verifier under `partial_fit`: the most recent ones.
MAX_VERIFIED = 10_000
# Enough of them to see how easy a task is, half of them by a fit on the others: the standard error
# is .022 at most.
MAX_FOR_ACCURACY = 1000


@dataclass(frozen=True)
class Judgement:  # numpydoc ignore=PR02
    """Scores of a table of labels and where they come from.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_candidates) or None
        Higher is better; None when nothing judges.
    verifier : callable or None
        What scored, None for feedback.
    accuracy : float
        Held-out accuracy of a classifier that knows the verified rows only: cross-validated of the
        verifier fitted here, else of the base estimator by halves; NaN if none could be fitted.
    verified : tuple (X, truth, weight) or None
        The rows of that cross-validation.
    is_own : bool
        Whether the verifier was fitted on these rows here.
    n_scored : int
        Number of verified rows when the accuracy of the base estimator was last estimated.
    """

    scores: np.ndarray | None = None
    verifier: object = None
    accuracy: float = np.nan
    verified: tuple | None = None
    is_own: bool = False
    n_scored: int = 0

    @property
    def cautious_accuracy(self):
        """Accuracy, one standard error higher if outside judges are weighed by it; 0 if unknown.

        Returns
        -------
        accuracy : float
            At most 1.
        """
        if np.isnan(self.accuracy):
            return 0.0
        if self.is_own or not self.n_scored:
            return self.accuracy
        n_rows = min(self.n_scored, MAX_FOR_ACCURACY) // 2
        return min(self.accuracy + np.sqrt(self.accuracy * (1 - self.accuracy) / n_rows), 1.0)


def judge_labels(X, table, *, feedback, verifier, estimator, cv, random_state, previous=None):
    """Score the candidates by the first of: feedback, verifier, a verifier fitted here.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows.
    table : LabelTable
        Their labels.
    feedback : array-like or None
        Given scores.
    verifier : callable, classifier or None
        See `FeedbackFilteredClassifier`.
    estimator : classifier
        What to fit on verified rows if there is no verifier.
    cv, random_state : object
        Folds of that fit.
    previous : Judgement, default=None
        That of the batch before.

    Returns
    -------
    judgement : Judgement
        Scores None if nothing can judge.

    Raises
    ------
    ValueError
        If an unfitted verifier meets no verified row.
    """
    previous = Judgement() if previous is None else previous
    if feedback is not None:
        known = _with_accuracy(previous, estimator, X, table)
        scores = read_feedback(feedback, table.labels)
        return replace(known, scores=scores, verifier=None, is_own=False)
    if verifier is not None and (callable(verifier) or _is_fitted(verifier)):
        known, verifier = _with_accuracy(previous, estimator, X, table), as_verifier(verifier)
        return replace(known, scores=score_labels(verifier, X, table.labels), verifier=verifier)
    if table.known.size:
        verified = _append(previous.verified, X, table)
        fit = fit_verifier(
            estimator if verifier is None else verifier,
            *verified,
            cv=cv,
            random_state=random_state,
        )
        n_before = len(verified[1]) - table.known.size
        scores = fit.scores(X, table.labels, table.known, n_before)
        return Judgement(scores, fit.verifier, fit.accuracy, verified, is_own=True)
    if previous.verifier is not None:
        return replace(previous, scores=score_labels(previous.verifier, X, table.labels))
    if verifier is not None:
        raise ValueError(
            "the verifier is not fitted and there are no verified rows to fit it on: give "
            "y_verified, a fitted verifier, or feedback"
        )
    return Judgement()


def _is_fitted(verifier):
    try:
        check_is_fitted(verifier)
    except NotFittedError:
        return False
    return True


def _with_accuracy(previous, estimator, X, table):
    """Judgement that knows how well the base estimator does with the verified rows alone.

    Batches estimate it anew when the number of verified rows has doubled.
    """
    if not table.known.size:
        return previous
    verified = _append(previous.verified, X, table)
    known, n_verified = replace(previous, verified=verified), len(verified[1])
    if n_verified < 2 * previous.n_scored:
        return known
    # The seed is fixed, so that judged labels give one fit whatever random_state.
    sample = shuffle(*verified, n_samples=min(n_verified, MAX_FOR_ACCURACY), random_state=0)
    try:
        accuracy = held_out_accuracy(estimator, *sample, random_state=0)
    except (ValueError, ZeroDivisionError):
        # One class only, rows too few for this estimator, or no weight: they tell nothing then.
        return known
    return replace(known, accuracy=accuracy, n_scored=n_verified)


def _append(past, X, table):
    """Verified rows with those of one more batch, the last MAX_VERIFIED of them."""
    new = take_rows(X, table.known), table.classes[table.truth], table.weight[table.known]
    if past is None:
        return new
    if new[0].shape[1:] != past[0].shape[1:]:
        raise ValueError(
            f"X has {new[0].shape[1]} features, but the batches before had {past[0].shape[1]}"
        )
    stack = sparse.vstack if sparse.issparse(X) else np.concatenate
    rows = stack([past[0], new[0]])
    if sparse.issparse(rows):
        rows = rows.tocsr()
    others = (np.concatenate(pair) for pair in zip(past[1:], new[1:]))
    return tuple(column[-MAX_VERIFIED:] for column in (rows, *others))
