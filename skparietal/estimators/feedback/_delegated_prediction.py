"""Prediction by a fitted base classifier that may not have seen every class."""

from functools import partial

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def base_has(method):
    """Condition that the fitted, else the given, base classifier has a method.

    Parameters
    ----------
    method : str
        Its name.

    Returns
    -------
    check : callable
        For `available_if`.
    """

    return partial(_base_has, method)


def _base_has(method, estimator):
    return hasattr(getattr(estimator, "estimator_", estimator._base()), method)


class DelegatedPrediction:
    """Mixin: predicts with `estimator_`, in columns of `classes_`."""

    @available_if(base_has("predict"))
    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(base_has("predict_proba"))
    def predict_proba(self, X):
        """Predict class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`; 0 for a class that was not trained on.
        """
        check_is_fitted(self)
        return self._all_classes(self.estimator_.predict_proba(X), 0.0)

    @available_if(base_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Predict the logarithm of class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`; -inf for a class that was not trained on.
        """
        check_is_fitted(self)
        return self._all_classes(self.estimator_.predict_log_proba(X), -np.inf)

    @available_if(base_has("decision_function"))
    def decision_function(self, X):
        """Confidence of each class, as `estimator` gives it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            -inf for a class that was not trained on.
        """
        check_is_fitted(self)
        scores = self.estimator_.decision_function(X)
        if scores.ndim == 1 and len(self.classes_) > 2:
            scores = np.column_stack([-scores, scores])
        return self._all_classes(scores, -np.inf)

    def _all_classes(self, values, missing):
        """Values in a column for every class, `missing` where the base has none."""
        trained = self.estimator_.classes_
        if len(trained) == len(self.classes_):
            return values
        full = np.full((len(values), len(self.classes_)), missing)
        full[:, np.searchsorted(self.classes_, trained)] = values
        return full
