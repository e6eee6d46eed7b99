"""Models of the rewards of every action, updated row by row: what the bandits learn from."""

import math
from copy import deepcopy

import numpy as np
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

# Rows per block of the Woodbury update: large enough for BLAS, small beside one d x d inverse.
BLOCK = 64
PATIENCE = 100  # rows up to which a regressor may find them too few
OVERFLOW = "The contexts or the rewards are too large for double precision: rescale them."


def update_ridge(inverse, coef, X, R):
    """Ridge regression after some more rows: the new inverse design and coefficients.

    Sherman-Morrison for one row, O(d^2 + d D), and Woodbury in blocks for more.

    Parameters
    ----------
    inverse : ndarray of shape (..., d, d)
        Inverse of (reg I + the sum of x x').
    coef : ndarray of shape (..., d, n_rewards)
        Its product with the sum of x r'.
    X : ndarray of shape (n, d)
        New rows.
    R : ndarray of shape (n, n_rewards)
        Their rewards.

    Returns
    -------
    inverse, coef : ndarray
        New arrays; the operands are left alone.

    Raises
    ------
    ValueError
        If the numbers overflow.
    """
    if len(X) == 1:
        return _update_ridge_by_row(inverse, coef, X[0], R[0])
    for start in range(0, len(X), BLOCK):
        x, r = X[start : start + BLOCK], R[start : start + BLOCK]
        gain = inverse @ x.T
        scaled = np.linalg.solve(np.eye(len(x)) + x @ gain, gain.T).T
        inverse, coef = inverse - scaled @ gain.T, coef + scaled @ (r - x @ coef)
    if not (np.isfinite(coef).all() and np.isfinite(inverse).all()):
        raise ValueError(OVERFLOW)
    return inverse, coef


def _update_ridge_by_row(inverse, coef, x, r):
    gain = inverse @ x
    denominator = 1.0 + float(x @ gain)
    scaled = (gain / denominator)[:, None]
    coef = coef + scaled * (r - x @ coef)
    if not (math.isfinite(denominator) and math.isfinite(coef.sum())):
        raise ValueError(OVERFLOW)
    return inverse - scaled * gain, coef


class DisjointRidge:  # numpydoc ignore=PR01
    """One ridge regression per action, on a context that the actions share."""

    def __init__(self, n_actions, n_features, n_rewards, reg):
        self.inverse = np.tile(np.eye(n_features) / reg, (n_actions, 1, 1))
        self.coef = np.zeros((n_actions, n_features, n_rewards))

    def mean(self, X, direction):  # numpydoc ignore=PR01,RT01
        """Estimates of the scalar rewards, (n, n_actions), for contexts (n, d)."""
        # one product with the flattened x g' is quicker than coef @ g and then x
        outer = X[:, :, None] * direction
        return outer.reshape(len(X), -1) @ self.coef.reshape(len(self.coef), -1).T

    def variance(self, X):  # numpydoc ignore=PR01,RT01
        """Variances of the estimates per unit of noise, (n, n_actions)."""
        outer = X[:, :, None] * X[:, None, :]
        return outer.reshape(len(X), -1) @ self.inverse.reshape(len(self.inverse), -1).T

    def absorb(self, X, actions, R):  # numpydoc ignore=PR01
        """Learn from rows; on an error nothing has changed."""
        if len(X) == 1:
            parts = [(actions[0], slice(None))]
        else:
            parts = [(action, actions == action) for action in np.unique(actions)]
        updates = [
            (action, update_ridge(self.inverse[action], self.coef[action], X[rows], R[rows]))
            for action, rows in parts
        ]
        for action, (inverse, coef) in updates:
            self.inverse[action], self.coef[action] = inverse, coef

    def absorb_lists(self, X, lists):  # numpydoc ignore=PR01
        """Learn the only reward of distinct actions of each context; all or nothing."""
        touched = np.unique(np.concatenate([actions for actions, _ in lists]))
        coef, inverse = self.coef[touched, :, 0], self.inverse[touched]
        for x, (actions, rewards) in zip(X, lists):
            rows = np.searchsorted(touched, actions)
            gain = inverse[rows] @ x
            scaled = gain / (1.0 + gain @ x)[:, None]
            inverse[rows] -= scaled[:, :, None] * gain[:, None, :]
            coef[rows] += scaled * (rewards - coef[rows] @ x)[:, None]
        if not (np.isfinite(coef).all() and np.isfinite(inverse).all()):
            raise ValueError(OVERFLOW)
        self.coef[touched, :, 0], self.inverse[touched] = coef, inverse


class SharedRidge:  # numpydoc ignore=PR01
    """One ridge regression for all actions, on a vector of features of each action."""

    def __init__(self, n_features, n_rewards, reg):
        self.inverse = np.eye(n_features) / reg
        self.coef = np.zeros((n_features, n_rewards))

    def mean(self, X, direction):  # numpydoc ignore=PR01,RT01
        """Estimates of the scalar rewards, (n, n_actions), for features (n, n_actions, d)."""
        return X @ (self.coef @ direction)

    def variance(self, X):  # numpydoc ignore=PR01,RT01
        """Variances of the estimates per unit of noise, (n, n_actions)."""
        return ((X @ self.inverse) * X).sum(axis=-1)

    def absorb(self, X, actions, R):  # numpydoc ignore=PR01
        """Learn from rows; on an error nothing has changed."""
        rows = X[np.arange(len(X)), actions]
        self.inverse, self.coef = update_ridge(self.inverse, self.coef, rows, R)


class OnlineRegressor:  # numpydoc ignore=PR01
    """A scikit-learn regressor of several rewards that is given rows as they come.

    By its ``partial_fit`` if it has one, else fitted anew whenever the rows have doubled. A
    regressor that refuses a few rows (cross-validation, neighbours) is asked again with each new
    batch.
    """

    def __init__(self, template):
        self.template = template
        self.fitted = None
        self.batches = []
        self.n_rows = self.n_fitted = 0

    def after(self, X, R):  # numpydoc ignore=PR01,RT01
        """Successor that has seen more rows; this object does not change."""
        new = OnlineRegressor(self.template)
        new.n_rows = self.n_rows + len(X)
        if hasattr(self.template, "partial_fit"):
            new.fitted = deepcopy(self.fitted) or self._unfitted(R.shape[1])
            new.fitted.partial_fit(X, _targets(R))
            return new
        new.batches, new.fitted, new.n_fitted = [*self.batches, (X, R)], self.fitted, self.n_fitted
        if new.n_rows >= 2 * self.n_fitted:
            X, R = map(np.concatenate, zip(*new.batches))
            fitted = self._fit(X, R)
            if fitted is not None:
                new.fitted, new.n_fitted = fitted, new.n_rows
        return new

    def _fit(self, X, R):
        """Fitted regressor that can predict, or None where it has too few rows to do either."""
        if len(X) > PATIENCE:
            return self._unfitted(R.shape[1]).fit(X, _targets(R))
        try:
            with np.errstate(invalid="ignore", divide="ignore"):  # scores of a single row
                fitted = self._unfitted(R.shape[1]).fit(X, _targets(R))
            fitted.predict(X[:1])
        except ValueError:
            return None
        return fitted

    def predict(self, X, default):  # numpydoc ignore=PR01,RT01
        """Rewards (n, n_rewards); those of ``default`` before any row."""
        if self.fitted is None:
            return np.broadcast_to(default, (len(X), len(default)))
        return self.fitted.predict(X).reshape(len(X), -1)

    def _unfitted(self, n_rewards):
        regressor = clone(self.template)
        if n_rewards > 1 and not get_tags(regressor).target_tags.multi_output:
            return MultiOutputRegressor(regressor)
        return regressor


def _targets(R):
    return R[:, 0] if R.shape[1] == 1 else R


class DisjointRegressors:  # numpydoc ignore=PR01
    """One regressor per action; an action without data is expected to give the average reward."""

    def __init__(self, n_actions, n_rewards, template):
        self.regressors = [OnlineRegressor(template) for _ in range(n_actions)]
        self.n_rows, self.average = 0, np.zeros(n_rewards)

    def mean(self, X, direction):  # numpydoc ignore=PR01,RT01
        """Estimates of the scalar rewards, (n, n_actions), for contexts (n, d)."""
        predictions = [each.predict(X, self.average) @ direction for each in self.regressors]
        return np.stack(predictions, axis=1)

    def absorb(self, X, actions, R):  # numpydoc ignore=PR01
        """Learn from rows; on an error nothing has changed."""
        updates = {}
        for action in np.unique(actions):
            rows = actions == action
            updates[action] = self.regressors[action].after(X[rows], R[rows])
        for action, regressor in updates.items():
            self.regressors[action] = regressor
        self.n_rows += len(R)
        self.average = self.average + (R - self.average).sum(axis=0) / self.n_rows


class SharedRegressor:  # numpydoc ignore=PR01
    """One regressor for all actions, on a vector of features of each action."""

    def __init__(self, n_rewards, template):
        self.regressors = [OnlineRegressor(template)]
        self.default = np.zeros(n_rewards)

    def mean(self, X, direction):  # numpydoc ignore=PR01,RT01
        """Estimates of the scalar rewards, (n, n_actions), for features (n, n_actions, d)."""
        rewards = self.regressors[0].predict(X.reshape(-1, X.shape[-1]), self.default)
        return (rewards @ direction).reshape(X.shape[:2])

    def absorb(self, X, actions, R):  # numpydoc ignore=PR01
        """Learn from rows; on an error nothing has changed."""
        self.regressors = [self.regressors[0].after(X[np.arange(len(X)), actions], R)]


def make_disjoint_model(
    n_actions, n_features, n_rewards, *, reg, regressor
):  # numpydoc ignore=PR01,RT01
    """Model per action: ridge regressions, or clones of a regressor if there is one."""
    if regressor is None:
        return DisjointRidge(n_actions, n_features, n_rewards, reg)
    return DisjointRegressors(n_actions, n_rewards, regressor)


def make_shared_model(
    n_actions, n_features, n_rewards, *, reg, regressor
):  # numpydoc ignore=PR01,RT01
    """One model of all actions: a ridge regression, or a clone of a regressor if there is one."""
    if regressor is None:
        return SharedRidge(n_features, n_rewards, reg)
    return SharedRegressor(n_rewards, regressor)


def inverse_gap_weighting(scores, gamma):
    """Probability of each action: the smaller, the further its score is below the best.

    1 / (K + gamma (best - score)) for all but the best action, which gets the rest.

    Parameters
    ----------
    scores : ndarray of shape (n, n_actions)
        Estimated scalar rewards.
    gamma : float
        The larger, the greedier; in the inverse unit of the scores.

    Returns
    -------
    probabilities : ndarray of shape (n, n_actions)
        Rows sum to 1.

    References
    ----------
    Abe and Long, Associative reinforcement learning using linear probabilistic concepts, 1999.
    Foster and Rakhlin, Beyond UCB: optimal and efficient contextual bandits with regression
    oracles, 2020.
    """
    rows, best = np.arange(len(scores)), scores.argmax(axis=1)
    gaps = scores[rows, best][:, None] - scores
    probabilities = 1.0 / (scores.shape[1] + gamma * gaps)
    probabilities[rows, best] = 0.0
    probabilities[rows, best] = 1.0 - probabilities.sum(axis=1)
    return probabilities
