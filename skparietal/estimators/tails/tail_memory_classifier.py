"""Memory of exact rows: what a learner of heavy-tailed facts knows, and what it has missed."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone, is_classifier
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from skparietal._compat import check_sample_weight
from skparietal.estimators.tails._label_counts import LabelCounts
from skparietal.key_table import KeyTable, add_table
from skparietal.tokens import token_keys


def _fallback_has(method):
    """Whether unknown rows can be answered by a method: always, unless a classifier lacks it."""

    def check(self):
        fallback = getattr(self, "fallback_", None) or self.fallback
        return isinstance(fallback, str) or hasattr(fallback, method)

    return check


class TailMemoryClassifier(ClassifierMixin, BaseEstimator):
    """Classifier that remembers the labels of every distinct row, and knows how much it has missed.

    A row seen in training is answered with its most frequent label; any other row goes to the
    fallback. That is the learner of the scaling laws of heavy tails (`skparietal.theory.tails`),
    a baseline that tells how much of a score is mere recall, and, in front of a fallback
    classifier, a lookup table with back-off. The number of rows seen once says how much is still
    unseen, without a test set.

    Parameters
    ----------
    capacity : int, default=None
        Only so many rows answer, those with the largest weight (ties by hash, the same in every
        order of the data); None means all.
    min_count : float, default=1
        Only rows with at least this weight answer.
    fallback : {"prior", "uniform"} or classifier, default="prior"
        Answer to all other rows: the frequencies of the classes, equal chances, or a classifier
        that is cloned and fitted on all rows (``KNeighborsClassifier(1)`` answers with the nearest
        row).
    smoothing : float, default=0.0
        Added to the weight of every class on a known row in `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    class_prior_ : ndarray of shape (n_classes,)
        Share of each class in the weight seen.
    keys_ : ndarray of shape (`n_distinct_`,) of uint64
        Sorted hash of every distinct row (see `skparietal.tokens.token_keys`).
    counts_ : scipy.sparse.csr_array of shape (`n_distinct_`, n_classes)
        Weight of each label on each row.
    n_seen_ : float
        Total weight.
    n_distinct_ : int
        Number V of distinct rows.
    n_singletons_ : int
        Number V1 of rows of weight one.
    tail_exponent_ : float
        V / V1, which tends to beta if the frequencies fall like rank^-beta; infinite if V1 = 0.
    scaling_exponent_ : float
        1 - V1 / V, which tends to 1 - 1/beta: the exponent of the learning curve of a memory.
    missing_mass_ : float
        V1 / `n_seen_`: estimated probability that the next row is new (Good and Turing).
    fallback_ : str or classifier
        The fallback, fitted.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X has names that are all strings.

    See Also
    --------
    AssociativeMemory : The same facts in a fixed number of floats.

    Notes
    -----
    Rows are compared exactly: bin continuous columns first (``KBinsDiscretizer``). Numbers, strings
    and mixtures serve. Weights count as repetitions. Counts are kept in sorted tables of
    geometrically growing sizes, so that a row is moved a logarithmic number of times at most,
    however many batches there are; a few rows are looked up in each table. Attributes, a
    ``capacity``, and predictions for about as many rows as the memory holds merge the tables, once
    after each batch.

    References
    ----------
    Dohmatob, Feng, Yang, Charton, Kempe, A Tale of Tails: Model Collapse as a Change of Scaling
    Laws, 2024 (the learner).

    Karlin, Central limit theorems for certain infinite urn schemes, 1967 (V and V1).

    Good, The population frequencies of species and the estimation of population parameters, 1953.

    Examples
    --------
    >>> from skparietal import TailMemoryClassifier
    >>> from skparietal.datasets import make_zipf_associations
    >>> X, y = make_zipf_associations(20_000, beta=1.5, random_state=0)
    >>> memory = TailMemoryClassifier().fit(X, y)
    >>> round(memory.tail_exponent_, 1), round(memory.scaling_exponent_, 2)
    (1.5, 0.32)
    >>> X_new, y_new = make_zipf_associations(20_000, beta=1.5, random_state=1)
    >>> round(1 - memory.coverage(X_new), 3), round(memory.missing_mass_, 3)
    (0.035, 0.035)
    """

    _parameter_constraints = {
        "capacity": [Interval(Integral, 1, None, closed="left"), None],
        "min_count": [Interval(Real, 0, None, closed="neither")],
        "fallback": [StrOptions({"prior", "uniform"}), HasMethods(["fit", "predict"])],
        "smoothing": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, capacity=None, min_count=1, fallback="prior", smoothing=0.0):
        self.capacity = capacity
        self.min_count = min_count
        self.fallback = fallback
        self.smoothing = smoothing

    def __sklearn_tags__(self):
        """Tags: words and categories are welcome unless the fallback needs numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = (
            isinstance(self.fallback, str) or get_tags(self.fallback).input_tags.string
        )
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Count the labels of every distinct row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of numbers or strings.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Numbers of repetitions >= 0.

        Returns
        -------
        self : object
            Fitted.

        Raises
        ------
        ValueError
            If X holds NaN among numbers, or the weights are zero everywhere.
        """
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=True)
        classes, labels = np.unique(y, return_inverse=True)
        batch = _table(X, labels, sample_weight, len(classes))
        fallback = self.fallback
        if not isinstance(fallback, str):
            fallback = self._fit_fallback(clone(fallback), "fit", X, y, sample_weight)
        self.classes_, self.fallback_ = classes, fallback
        self._counts = LabelCounts([batch], self.capacity, self.min_count)
        return self

    @available_if(_fallback_has("partial_fit"))
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add a batch: any split into batches gives the counts of `fit` on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of numbers or strings.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed at the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Numbers of repetitions >= 0.

        Returns
        -------
        self : object
            With the batch added; unchanged if an error is raised.

        Raises
        ------
        ValueError
            If classes is missing at the first call or differs later, or y holds other labels.
        """
        first = not hasattr(self, "_counts")
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=first)
        known = self._check_classes(classes, first)
        labels = np.minimum(np.searchsorted(known, y), len(known) - 1)
        if np.any(known[labels] != y):
            raise ValueError(f"y holds labels that are not in classes: {np.setdiff1d(y, known)}.")
        tables = [] if first else self._counts.tables
        tables = add_table(tables, _table(X, labels, sample_weight, len(known)))
        fallback = self.fallback
        if not isinstance(fallback, str):
            fallback = clone(fallback) if first else self.fallback_
            options = {"classes": known} if first else {}
            fallback = self._fit_fallback(fallback, "partial_fit", X, y, sample_weight, **options)
        self.classes_, self.fallback_ = known, fallback
        self._counts = LabelCounts(tables, self.capacity, self.min_count)
        return self

    def merge(self, other):
        """Memory of all rows that either of two memories was fitted on.

        Parameters
        ----------
        other : TailMemoryClassifier
            Fitted with the same parameters, columns and classes.

        Returns
        -------
        merged : TailMemoryClassifier
            A new estimator; neither operand changes.

        Raises
        ------
        ValueError
            If parameters, columns or classes differ, or the fallback is a fitted classifier.
        """
        check_is_fitted(self)
        check_is_fitted(other)
        if not isinstance(self.fallback_, str):
            raise ValueError(
                "A fitted fallback classifier cannot be merged: merge memories with "
                "fallback='prior' or 'uniform'."
            )
        if self.get_params() != other.get_params() or self.n_features_in_ != other.n_features_in_:
            raise ValueError("Memories with different parameters or columns cannot be merged.")
        names = [getattr(memory, "feature_names_in_", None) for memory in (self, other)]
        if not np.array_equal(*names):
            raise ValueError(
                "Memories of differently named columns cannot be merged, for rows are compared "
                f"column by column: {names[0]} and {names[1]}."
            )
        if not np.array_equal(self.classes_, other.classes_):
            raise ValueError(
                "Memories with different classes cannot be merged: use partial_fit with the same "
                f"classes ({self.classes_} and {other.classes_})."
            )
        merged = clone(self)
        vars(merged).update(vars(self))
        tables = self._counts.tables
        for table in other._counts.tables:
            tables = add_table(tables, table)
        merged._counts = LabelCounts(tables, self.capacity, self.min_count)
        return merged

    def predict(self, X):
        """Most frequent label of known rows, the fallback's for the rest.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels; the first in ``classes_`` among equals.
        """
        X, counts, places = self._look_up(X)
        unknown = places < 0
        y = np.empty(len(X), dtype=self.classes_.dtype)
        y[~unknown] = self.classes_[counts.best_labels[places[~unknown]]]
        if isinstance(self.fallback_, str):
            y[unknown] = self.classes_[np.argmax(self._constant_fallback())]
        elif unknown.any():
            y[unknown] = self.fallback_.predict(X[unknown])
        return y

    @available_if(_fallback_has("predict_proba"))
    def predict_proba(self, X):
        """Frequencies of the labels of known rows, the fallback's probabilities for the rest.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        X, counts, places = self._look_up(X)
        unknown = places < 0
        proba = np.zeros((len(X), len(self.classes_)))
        seen = counts.counts[places[~unknown]].toarray() + self.smoothing
        proba[~unknown] = seen / seen.sum(axis=1, keepdims=True)
        if isinstance(self.fallback_, str):
            proba[unknown] = self._constant_fallback()
        elif unknown.any():
            columns = np.searchsorted(self.classes_, self.fallback_.classes_)
            proba[np.ix_(unknown, columns)] = self.fallback_.predict_proba(X[unknown])
        return proba

    def known_mask(self, X):
        """Which rows are answered from memory.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        known : ndarray of shape (n_samples,) of bool
            False where the fallback answers.
        """
        return self._look_up(X)[2] >= 0

    def coverage(self, X):
        """Share of rows that are answered from memory.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        coverage : float
            Between 0 and 1.
        """
        return float(np.mean(self.known_mask(X)))

    def expected_missing_mass(self, n):
        """Estimated probability that a further row is new after n rows of the same kind in all.

        Parameters
        ----------
        n : float or array-like
            Number of rows, > 0; ``n_seen_`` gives ``missing_mass_``.

        Returns
        -------
        mass : float or ndarray of the shape of n
            ``missing_mass_`` (n / `n_seen_`)^-c with c = ``scaling_exponent_``, at most 1.
        """
        check_is_fitted(self)
        n = np.asarray(n, dtype=float)
        if np.any(n <= 0):
            raise ValueError(f"n must be positive, got {n}.")
        mass = self.missing_mass_ * (n / self.n_seen_) ** -self.scaling_exponent_
        return np.minimum(mass, 1.0)[()]

    @property
    def class_prior_(self):  # numpydoc ignore=RT01
        """Share of each class in the weight seen."""
        return self._counts.label_weights / self._counts.label_weights.sum()

    @property
    def keys_(self):  # numpydoc ignore=RT01
        """Sorted hash of every distinct row."""
        return self._counts.keys

    @property
    def counts_(self):  # numpydoc ignore=RT01
        """Weight of each label on each row."""
        return self._counts.counts

    @property
    def n_seen_(self):  # numpydoc ignore=RT01
        """Total weight."""
        return float(self._counts.label_weights.sum())

    @property
    def n_distinct_(self):  # numpydoc ignore=RT01
        """Number of distinct rows."""
        return len(self._counts.keys)

    @property
    def n_singletons_(self):  # numpydoc ignore=RT01
        """Number of rows of weight one."""
        return int(np.sum(self._counts.totals == 1))

    @property
    def tail_exponent_(self):  # numpydoc ignore=RT01
        """Estimate of the exponent of the frequencies of the rows."""
        return self.n_distinct_ / self.n_singletons_ if self.n_singletons_ else np.inf

    @property
    def scaling_exponent_(self):  # numpydoc ignore=RT01
        """Estimate of the exponent of the learning curve."""
        return 1 - self.n_singletons_ / self.n_distinct_

    @property
    def missing_mass_(self):  # numpydoc ignore=RT01
        """Estimated probability that the next row is new."""
        return self.n_singletons_ / self.n_seen_

    def __sklearn_is_fitted__(self):
        """Whether anything was counted."""
        return hasattr(self, "_counts")

    def _validate(self, X, y, sample_weight, *, reset):
        X, y = validate_data(self, X, y, dtype=None, ensure_all_finite="allow-nan", reset=reset)
        self._check_rows(X)
        check_classification_targets(y)
        if not isinstance(self.fallback, str) and not is_classifier(self.fallback):
            raise TypeError(f"fallback must be a classifier, got {self.fallback!r}.")
        if sample_weight is None:
            return X, y, None
        weights = check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
        kept = weights > 0
        if not kept.any():
            raise ValueError("sample_weight is zero everywhere: there is nothing to learn.")
        return X[kept], y[kept], weights[kept]

    def _check_rows(self, X):
        if X.dtype.kind == "f":
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")

    def _check_classes(self, classes, first):
        if not first:
            if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(f"classes differ from those of the first call: {self.classes_}.")
            return self.classes_
        if classes is None:
            raise ValueError("classes must be given at the first call to partial_fit.")
        return np.unique(classes)

    def _fit_fallback(self, fallback, method, X, y, sample_weight, **options):
        if sample_weight is not None:
            if not has_fit_parameter(fallback, "sample_weight"):
                raise TypeError(f"fallback={fallback!r} takes no sample_weight.")
            options["sample_weight"] = sample_weight
        return getattr(fallback, method)(X, y, **options)

    def _look_up(self, X):
        """Validated rows, counts that know of them, and places there (-1: unknown)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=None, ensure_all_finite="allow-nan", reset=False)
        self._check_rows(X)
        keys = token_keys(X)
        counts = self._counts.about(keys)
        return X, counts, counts.find(keys)

    def _constant_fallback(self):
        if self.fallback_ == "prior":
            return self.class_prior_
        return np.full(len(self.classes_), 1 / len(self.classes_))


def _table(X, labels, sample_weight, n_classes):
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    return KeyTable.of(token_keys(X), labels, weights, n_classes)
