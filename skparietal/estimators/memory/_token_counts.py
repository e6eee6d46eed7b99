"""Counting the tokens of a table: the bookkeeping half of a memory."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skparietal._compat import check_sample_weight
from skparietal.estimators.memory._quantile_bins import apply_bins, find_bins
from skparietal.estimators.memory._stored_memory import MemoryState
from skparietal.key_table import KeyTable, add_table
from skparietal.tokens import column_keys, is_missing, token_keys


class TokenCounts:
    """Validation, keys and counts of `AssociativeMemory`, and memories made from counts."""

    def _validate(self, X, y, sample_weight, *, reset):
        X = _without_string_type(X)
        X, y = validate_data(self, X, y, dtype=None, ensure_all_finite="allow-nan", reset=reset)
        self._check_numbers(X)
        if y.dtype.kind == "O" and any(is_missing(label) for label in y):
            raise ValueError("Input y contains missing values: leave those rows out.")
        check_classification_targets(y)
        sample_weight = check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not sample_weight.any():
            raise ValueError("sample_weight is zero everywhere: there is nothing to store.")
        return X, y, sample_weight

    def _validate_tokens(self, X):
        X = _without_string_type(X)
        X = validate_data(self, X, dtype=None, ensure_all_finite="allow-nan", reset=False)
        self._check_numbers(X)
        return X

    def _check_numbers(self, X):
        if X.dtype.kind == "f" and np.isnan(X).any():
            raise ValueError(
                "Input X contains NaN. If a missing value is to be a token of its own, pass "
                "objects: X.astype(object)."
            )

    def _learn(self, X, y, sample_weight, classes, *, tables, edges, seed):
        if len(classes) < 2:
            raise ValueError(
                f"AssociativeMemory needs at least 2 classes; the data has {len(classes)} class."
            )
        if edges is None:
            positive = sample_weight > 0
            edges = find_bins(X[positive], self.n_bins, sample_weight[positive])
        batch = self._count(X, y, sample_weight, classes, edges)
        tables = add_table(tables, batch, max_keys=self.max_keys)
        self.classes_, self.seed_ = classes, seed
        self._state = MemoryState(tables, edges, self._settings(seed))
        return self

    def _count(self, X, y, sample_weight, classes, edges):
        """Table of a batch; the weight-zero rows are left out first."""
        positive = sample_weight > 0
        X, y, sample_weight = X[positive], y[positive], sample_weight[positive]
        labels = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        if np.any(classes[labels] != y):
            unknown = np.setdiff1d(y, classes)
            raise ValueError(f"y holds labels that are not in classes: {unknown[:5]}.")
        tokens = apply_bins(X, edges)
        if self.columns == "joint":
            return KeyTable.of(token_keys(tokens), labels, sample_weight, len(classes))
        keys = column_keys(tokens)
        repeats = keys.shape[1]
        return KeyTable.of(
            keys.ravel(),
            np.repeat(labels, repeats),
            np.repeat(sample_weight, repeats),
            len(classes),
        )

    def forget(self, X, y, sample_weight=None):
        """Take rows out of the memory that were put in before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Tokens.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self : object
            The memory of the rows that are left.

        Raises
        ------
        ValueError
            If a (row, label) pair has less weight in the memory than is to be forgotten, or
            nothing would be left; the memory is then what it was.
        """
        check_is_fitted(self)
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=False)
        batch = self._count(X, y, sample_weight, self.classes_, self._state.edges)
        left = self._state.table.subtract(batch)
        if len(left.keys) == 0:
            raise ValueError("Nothing would be left in the memory.")
        self._state = MemoryState([left], self._state.edges, self._state.settings)
        return self

    def merge(self, other):
        """Memory of all rows that either of two memories was fitted on.

        Parameters
        ----------
        other : AssociativeMemory
            Fitted with the same parameters and classes.

        Returns
        -------
        merged : AssociativeMemory
            A new estimator; neither operand changes.

        Raises
        ------
        ValueError
            If parameters, seeds, classes, columns or quantile bins differ.
        """
        check_is_fitted(self)
        check_is_fitted(other)
        self._check_mergeable(other)
        tables = self._state.tables
        for table in other._state.tables:
            tables = add_table(tables, table, max_keys=self._state.settings["max_keys"])
        return self._copy(tables, self._state.settings)

    def resize(self, n_components):
        """Memory of the same rows in another number of components.

        It is built from the counts: the rows are not needed again.

        Parameters
        ----------
        n_components : int or "auto"
            As in the constructor.

        Returns
        -------
        resized : AssociativeMemory
            A new estimator, as if fitted with this `n_components`; this one does not change.

        Raises
        ------
        ValueError
            If n_components is not a positive integer nor "auto".
        """
        check_is_fitted(self)
        settings = {**self._state.settings, "n_components": n_components}
        return self._copy(self._state.tables, settings, n_components=n_components)

    def _copy(self, tables, settings, **params):
        """A fitted estimator of other counts or with other parameters."""
        copy = type(self)(**self.get_params(deep=False)).set_params(**params)
        copy._validate_params()
        fitted = {name: value for name, value in vars(self).items() if name not in vars(copy)}
        vars(copy).update(fitted, _state=MemoryState(tables, self._state.edges, settings))
        return copy

    def _keys(self, X):
        tokens = apply_bins(X, self._state.edges)
        return token_keys(tokens) if self.columns == "joint" else column_keys(tokens)

    def _settings(self, seed):
        joint = self.columns == "joint"
        names = ("embedding", "learning_rate", "batch_size", "max_iter", "layer_norm", "device")
        return {
            "seed": seed,
            "n_components": self.n_components,
            "storage": self.storage,
            "max_stored": self.max_stored,
            "joint": joint,
            "majority": self.labels == "majority" or (self.labels == "auto" and joint),
            "solver": self.solver,
            "reg": self.reg,
            "target_error": self.target_error,
            "max_keys": self.max_keys,
            "training": {name: getattr(self, name) for name in names},
        }

    def _check_mergeable(self, other):
        if type(other) is not type(self):
            raise TypeError(
                f"Can only merge with {type(self).__name__}, got {type(other).__name__}."
            )
        mine, theirs = self._state.settings, other._state.settings
        different = [name for name in mine if mine[name] != theirs[name]]
        if "seed" in different:
            raise ValueError(
                "Memories with different seeds cannot be merged: give both the same int as "
                "random_state."
            )
        if different:
            raise ValueError(f"Memories with different parameters cannot be merged: {different}.")
        if not np.array_equal(self.classes_, other.classes_):
            raise ValueError("Memories with different classes cannot be merged.")
        edges, others = self._state.edges, other._state.edges
        if (
            self.n_features_in_ != other.n_features_in_
            or edges.keys() != others.keys()
            or any(not np.array_equal(edges[j], others[j]) for j in edges)
        ):
            raise ValueError("Memories with different columns or bins cannot be merged.")


def _without_string_type(X):
    """X with text as objects: scikit-learn before 1.7 reads pandas' type of text as numbers."""
    is_frame = hasattr(X, "columns") and hasattr(X, "astype")
    return X.astype(object) if is_frame and "string" in map(str, X.dtypes) else X
