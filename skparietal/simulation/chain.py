"""Chains of models, each trained on labels that the one before it made."""

from functools import reduce

import numpy as np
from scipy import sparse
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils import _safe_indexing as take_rows

from skparietal.datasets.categorical import draw_columns
from skparietal.estimators.feedback._delegated_prediction import DelegatedPrediction


def collapse_chain(
    estimator,
    X,
    y,
    *,
    n_generations=5,
    n_samples=None,
    inputs="resample",
    labels="sample",
    temperature=1.0,
    top_p=1.0,
    mode="replace",
    real_fraction=0.0,
    select=None,
    X_test=None,
    y_test=None,
    scoring=None,
    random_state=None,
    return_estimators=False,
):
    """Train each generation of a model on labels made by the generation before it.

    Generation 0 is trained on the real rows. Generation g draws inputs, lets generation g - 1 label
    them, and trains a fresh clone.

    Parameters
    ----------
    estimator : classifier or regressor
        Any estimator of scikit-learn; it is cloned, never fitted.
    X : array-like, sparse matrix or DataFrame of shape (n_real, n_features)
        Real rows.
    y : array-like of shape (n_real,) or (n_real, n_targets)
        Real labels.
    n_generations : int, default=5
        Number of generations after the real one.
    n_samples : int, default=None
        Training rows of each later generation; None means as many as the real rows. With
        ``mode="accumulate"`` these are the new rows of the generation.
    inputs : {"resample", "reuse"} or callable, default="resample"
        Where the inputs of a generation come from: real rows drawn with replacement, the real rows
        as they are, or ``inputs(rng, n)`` that returns n new rows, rng being a RandomState.
    labels : {"sample", "predict"}, default="sample"
        Draw labels from the model, or take its prediction. A classifier is drawn from
        `predict_proba` (or from the softmax of `decision_function`; one that has neither predicts).
        A regressor's draw is its prediction plus one of its training residuals, which are inflated
        by sqrt(n / (n - df)) where the degrees of freedom df are known (`effective_dof_` or
        `rank_`).
    temperature : float, default=1.0
        Drawn probabilities are raised to the power 1 / temperature. Classifiers only.
    top_p : float, default=1.0
        Draw only from the smallest set of labels whose probability reaches top_p. Classifiers only.
    mode : {"replace", "accumulate", "mix"}, default="replace"
        Train on the new rows only, on all rows so far including the real ones, or on new rows of
        which exactly ``round(real_fraction * n_samples)`` are real.
    real_fraction : float, default=0.0
        Share of real rows for ``mode="mix"``, between 0 and 1.
    select : callable, default=None
        ``select(X_new, y_new)`` returns a boolean mask of the synthetic rows to keep: a verifier.
    X_test, y_test : array-like, default=None
        Rows for the scores; None means the real rows.
    scoring : str or callable, default=None
        As in :func:`sklearn.metrics.check_scoring`; None means the estimator's own score. A class
        that the labels have lost scores with probability 0.
    random_state : int, RandomState or None, default=None
        Source of all draws.
    return_estimators : bool, default=False
        Whether to keep the fitted models.

    Returns
    -------
    chain : Bunch
        scores of shape (n_generations + 1,), generation 0 first; sizes, the training rows of each
        generation; for classifiers label_entropy (natural log) and n_labels_alive of the training
        labels; for regressors label_variance (summed over targets); estimators, when asked for.

    Raises
    ------
    ValueError
        If an argument is out of range, or a verifier keeps no row.
    TypeError
        If the estimator is neither a classifier nor a regressor.

    Notes
    -----
    When one class alone is left, the chain has collapsed: later generations are the constant
    predictor of that class.

    References
    ----------
    Dohmatob, Feng, Kempe, Model Collapse Demystified: The Case of Regression, 2024.
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails: Model Collapse as a Change of Scaling
    Laws, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skparietal.simulation import collapse_chain
    >>> X, y = load_diabetes(return_X_y=True)
    >>> chain = collapse_chain(LinearRegression(), X, y, n_generations=20, random_state=0)
    >>> bool(chain.scores[20] < chain.scores[0])
    True
    """
    rng = check_random_state(random_state)
    if n_generations < 0:
        raise ValueError(f"n_generations must be at least 0, got {n_generations}.")
    _check_chain(
        estimator, X, y, n_samples, inputs, labels, temperature, top_p, mode, real_fraction
    )
    X, y = _with_rows(X), np.asarray(y)
    n = len(y) if n_samples is None else n_samples
    n_real = round(real_fraction * n) if mode == "mix" else 0
    score = check_scoring(estimator, scoring)
    X_test, y_test = (X, y) if X_test is None else (X_test, y_test)

    training = (X, y)
    models, history = [], []
    for generation in range(n_generations + 1):
        if generation > 0:
            fresh = _draw_inputs(X, n - n_real, inputs, rng)
            made = _draw_labels(models[-1], training, fresh, labels, temperature, top_p, rng)
            synthetic = _keep(fresh, made, select, generation)
            real = _draw_real(X, y, n_real, rng)
            training = _stack([training] * (mode == "accumulate") + real + [synthetic])
        models.append(_fit(clone(estimator), *training))
        scored = models[-1] if scoring is None else _with_all_classes(models[-1], y)
        record = {"scores": score(scored, X_test, y_test), "sizes": len(training[1])}
        history.append(record | _describe(training[1], is_classifier(estimator)))
    chain = Bunch(**{key: np.array([record[key] for record in history]) for key in history[0]})
    if return_estimators:
        chain["estimators"] = models
    return chain


def _check_chain(
    estimator, X, y, n_samples, inputs, labels, temperature, top_p, mode, real_fraction
):
    """Raise a clear error for settings that no chain can have."""
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(f"estimator must be a classifier or a regressor, got {estimator!r}.")
    check_consistent_length(X, y)
    choices = {"labels": (labels, ("sample", "predict"))}
    choices["mode"] = (mode, ("replace", "accumulate", "mix"))
    if not callable(inputs):
        choices["inputs"] = (inputs, ("resample", "reuse"))
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise ValueError(f"{name} must be one of {allowed}, got {value!r}.")
    if n_samples is not None and n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}.")
    if inputs == "reuse" and (mode == "mix" or n_samples not in (None, len(y))):
        raise ValueError(
            'inputs="reuse" labels every real row: leave n_samples=None, no mode="mix".'
        )
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p must be in (0, 1], got {top_p}.")
    if not 0 <= real_fraction <= 1:
        raise ValueError(f"real_fraction must be in [0, 1], got {real_fraction}.")
    if real_fraction and mode != "mix":
        raise ValueError('real_fraction needs mode="mix".')


def _with_rows(X):
    """X in a format that can be indexed by row."""
    return X.tocsr() if sparse.issparse(X) else X


class _AllClassesPredictor(DelegatedPrediction, FrozenEstimator):
    """Fitted classifier with a column for the classes that its labels have lost."""

    def __init__(self, estimator, classes):
        super().__init__(estimator)
        self.estimator_, self.classes_ = estimator, classes

    def _base(self):
        return self.estimator


def _with_all_classes(model, y):
    """The model itself, or one that a scorer of probabilities can read after a loss of classes."""
    if not is_classifier(model) or y.ndim > 1:
        return model
    classes = np.unique(y)
    return model if len(model.classes_) == len(classes) else _AllClassesPredictor(model, classes)


def _draw_inputs(X, n, inputs, rng):
    if callable(inputs):
        return _with_rows(inputs(rng, n))
    if inputs == "reuse":
        return X
    return take_rows(X, rng.randint(X.shape[0] if hasattr(X, "shape") else len(X), size=n))


def _draw_real(X, y, n_real, rng):
    """Return no part, or one part of n_real real rows, without replacement while they last."""
    if n_real == 0:
        return []
    rows = rng.choice(len(y), size=n_real, replace=n_real > len(y))
    return [(take_rows(X, rows), y[rows])]


def _draw_labels(model, training, X, labels, temperature, top_p, rng):
    if labels == "predict":
        return model.predict(X)
    if is_regressor(model):
        return model.predict(X) + _draw_residuals(model, *training, X, rng)
    probabilities = _label_probabilities(model, X)
    if probabilities is None:
        return model.predict(X)
    probabilities = truncate_probabilities(probabilities, temperature=temperature, top_p=top_p)
    return model.classes_[draw_columns(probabilities, rng)[:, 0]]


def _label_probabilities(model, X):
    if hasattr(model, "predict_proba"):
        return model.predict_proba(X)
    if not hasattr(model, "decision_function"):
        return None
    scores = model.decision_function(X)
    # Of two classes scikit-learn returns one score, that of the second.
    return softmax(
        np.column_stack([np.zeros_like(scores), scores]) if scores.ndim == 1 else scores, 1
    )


def truncate_probabilities(probabilities, *, temperature=1.0, top_p=1.0):
    """Apply a temperature and a nucleus to rows of probabilities.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows that sum to 1.
    temperature : float, default=1.0
        Probabilities are raised to the power 1 / temperature.
    top_p : float, default=1.0
        Of each row the smallest set of classes whose probability reaches top_p survives.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        Renormalised rows.
    """
    # Relative to the largest of the row: a low temperature then underflows in the others only.
    powered = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1 / temperature)
    powered /= powered.sum(axis=1, keepdims=True)
    if top_p < 1:
        order = np.argsort(-powered, axis=1, kind="stable")
        ranked = np.take_along_axis(powered, order, axis=1)
        reached = np.cumsum(ranked, axis=1) - ranked >= top_p
        np.put_along_axis(powered, order, np.where(reached, 0, ranked), axis=1)
        powered /= powered.sum(axis=1, keepdims=True)
    return powered


def _draw_residuals(model, X, y, X_new, rng):
    """Draw training residuals with replacement, inflated to the variance of fresh errors."""
    residuals = y - model.predict(X)
    n, n_new = len(residuals), X_new.shape[0] if hasattr(X_new, "shape") else len(X_new)
    df = _degrees_of_freedom(model)
    inflation = np.sqrt(n / (n - df)) if df < n else 1.0
    return inflation * residuals[rng.randint(n, size=n_new)]


def _degrees_of_freedom(model):
    """Degrees of freedom that a fitted regressor reports, 0 when it reports none."""
    while hasattr(model, "best_estimator_") or hasattr(model, "steps"):
        model = model.best_estimator_ if hasattr(model, "best_estimator_") else model[-1]
    if hasattr(model, "effective_dof_"):
        return model.effective_dof_
    return getattr(model, "rank_", 0) + bool(hasattr(model, "rank_") and model.fit_intercept)


def _keep(X, y, select, generation):
    if select is None:
        return X, y
    mask = np.asarray(select(X, y))
    if mask.dtype != bool or mask.shape != (len(y),):
        raise ValueError(
            f"select must return a boolean mask of shape ({len(y)},), "
            f"got {mask.dtype} of shape {mask.shape}."
        )
    if not mask.any():
        raise ValueError(f"select kept no synthetic row of generation {generation}: relax it.")
    rows = np.flatnonzero(mask)
    return take_rows(X, rows), y[rows]


def _stack(parts):
    inputs, labels = zip(*parts)
    if len(parts) == 1:
        return parts[0]
    if sparse.issparse(inputs[0]):
        return sparse.vstack(inputs, format="csr"), np.concatenate(labels)
    if hasattr(inputs[0], "iloc"):
        import pandas as pd

        return pd.concat(inputs, ignore_index=True), np.concatenate(labels)
    if hasattr(inputs[0], "vstack"):  # polars
        return reduce(lambda top, more: top.vstack(more), inputs), np.concatenate(labels)
    return np.concatenate(inputs), np.concatenate(labels)


def _fit(model, X, y):
    if is_classifier(model) and y.ndim == 1 and len(np.unique(y)) == 1:
        model = DummyClassifier(strategy="most_frequent")
    return model.fit(X, y)


def _describe(y, classification):
    if not classification:
        return {"label_variance": np.var(y, axis=0).sum()}
    _, counts = np.unique(y, return_counts=True)
    return {"label_entropy": entropy(counts), "n_labels_alive": len(counts)}
