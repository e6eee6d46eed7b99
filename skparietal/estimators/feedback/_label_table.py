"""Reading of labels: the given ones, candidates, verified ones, and feedback on them."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import assert_all_finite, column_or_1d

from skparietal._compat import check_sample_weight
from skparietal.datasets.categorical import draw_columns
from skparietal.metrics.verified import split_verified
from skparietal.tokens import is_missing


@dataclass(frozen=True)
class LabelTable:  # numpydoc ignore=PR02
    """Candidate labels of every row, and the true one where it is known.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    labels : ndarray of shape (n_samples, n_candidates)
        Candidates as given.
    codes : ndarray of int of shape (n_samples, n_candidates)
        Their positions in `classes`.
    known : ndarray of int of shape (n_verified,)
        Row numbers of the verified rows.
    truth : ndarray of int of shape (n_verified,)
        Codes of their true labels.
    weight : ndarray of shape (n_samples,)
        Sample weights as repetitions, ones if none were given.
    weight_unit : float
        Sample weight of one repetition.
    """

    classes: np.ndarray
    labels: np.ndarray
    codes: np.ndarray
    known: np.ndarray
    truth: np.ndarray
    weight: np.ndarray
    weight_unit: float = 1.0

    @property
    def n_classes(self):
        """Number of classes.

        Returns
        -------
        n_classes : int
            The length of `classes`.
        """
        return len(self.classes)


def read_labels(X, y, candidates, y_verified, sample_weight, classes=None):
    """Validate the labels and number their classes.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        For its number of rows.
    y : array-like of shape (n_samples,)
        Labels.
    candidates : array-like of shape (n_samples, n_candidates) or None
        Candidate labels; None means y alone.
    y_verified : array-like of shape (n_samples,) or None
        True labels, NaN or None where unknown.
    sample_weight : array-like of shape (n_samples,) or None
        Weights.
    classes : array-like of shape (n_classes,), default=None
        All labels that may come; None takes those that are there.

    Returns
    -------
    table : LabelTable
        The labels and their codes.
    """
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    labels = y[:, None] if candidates is None else _read_candidates(candidates, len(y))
    all_labels = labels.ravel() if classes is None else np.asarray(classes)
    known, truth = _read_verified(y, y_verified, all_labels)
    present = np.unique(np.concatenate([labels.ravel(), truth]))
    classes = present if classes is None else np.unique(classes)
    if unknown := set(present.tolist()) - set(classes.tolist()):
        raise ValueError(f"labels {sorted(unknown)} are not among the classes {list(classes)}")
    weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    unit = 1.0 if weight.max() >= 1 else weight.mean()
    codes, truth = np.searchsorted(classes, labels), np.searchsorted(classes, truth)
    return LabelTable(classes, labels, codes, known, truth, weight / unit, float(unit))


def read_feedback(feedback, labels):
    """Validate feedback on a table of labels.

    Parameters
    ----------
    feedback : array-like of shape (n_samples,) or (n_samples, n_candidates)
        Verdicts or graded scores, NaN where not looked at.
    labels : ndarray of shape (n_samples, n_candidates)
        The labels judged.

    Returns
    -------
    scores : ndarray of float, of the shape of labels
        Higher is better.

    Raises
    ------
    ValueError
        If it is not numeric, of another shape, or infinite.
    """
    scores = np.asarray(feedback)
    if scores.dtype.kind == "O":
        missing = np.vectorize(is_missing, otypes=[bool])(scores)
        scores = np.where(missing, np.nan, scores)
    try:
        scores = scores.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "feedback must be numbers or booleans (higher is better, NaN where not looked at)"
        ) from error
    scores = scores[:, None] if scores.ndim == 1 else scores
    if scores.shape != labels.shape:
        raise ValueError(
            f"feedback has shape {scores.shape} for labels of shape {labels.shape}: give one "
            "number for each candidate label"
        )
    if np.isinf(scores).any():
        raise ValueError("feedback holds an infinite value: use NaN for a label not looked at")
    return scores


def sample_candidates(generator, X, y, n_candidates, random_state):
    """Candidates drawn from a generator's probabilities, the given label first.

    Parameters
    ----------
    generator : fitted classifier
        With `predict_proba`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Given labels: candidate 0.
    n_candidates : int
        Number of candidates, y included.
    random_state : int, RandomState instance or None
        Source of the draws.

    Returns
    -------
    candidates : ndarray of shape (n_samples, n_candidates)
        Labels.
    """
    rng, probabilities = check_random_state(random_state), generator.predict_proba(X)
    drawn = np.asarray(generator.classes_)[draw_columns(probabilities, rng, n_candidates - 1)]
    return np.column_stack([column_or_1d(y), drawn])


def _read_candidates(candidates, n_samples):
    candidates = np.asarray(candidates)
    if candidates.ndim != 2 or len(candidates) != n_samples:
        raise ValueError(
            f"candidates has shape {candidates.shape}: give one row of labels for each of the "
            f"{n_samples} rows of y"
        )
    if candidates.dtype.kind == "f":
        assert_all_finite(candidates, input_name="candidates")
    return candidates


def _read_verified(y, y_verified, labels):
    if y_verified is None:
        return np.empty(0, dtype=int), y[:0]
    known, truth = split_verified(y, y_verified, labels=labels)
    return np.flatnonzero(known), truth
