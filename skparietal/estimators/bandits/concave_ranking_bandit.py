"""Bandit that learns from clicks to rank, sharing exposure among the items as it goes."""

import math
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.bandits._bandit_inputs import attributes_kept, check_contexts
from skparietal.estimators.bandits._reward_models import DisjointRidge
from skparietal.exposure import add_exposure, check_position_weights, topk_rows
from skparietal.objectives.ranking import RankingObjective, check_ranking_objective
from skparietal.solvers.ranking.ranking_problem import ExposureState, RankingProblem

CLICK = np.ones(1)  # direction of the only reward of an item's model


class ConcaveRankingBandit(BaseEstimator):
    """Ranks items for one context after another, learning their relevance from the clicks.

    The goal is the mean utility of the rankings plus beta times a concave function of the items'
    exposures, as in :class:`~skparietal.FairRankingFW`, but the relevance is unknown: a linear
    model per item is learned from the places that were looked at, and items that might be relevant
    are shown more.

    Parameters
    ----------
    objective : {"welfare", "gini"} or RankingObjective, default="welfare"
        Function of the exposures: a name or an object such as
        :class:`~skparietal.objectives.TwoSidedWelfare`. Its users' part must be linear
        (``user_alpha=1``): a context is met only once.
    n_items : int, default=None
        Number of items; only needed when the first call is ``rank`` or ``update``.
    beta : float, default=0.5
        Weight of the exposures beside the utility.
    top_k : int, default=10
        Length of the rankings; clipped to the number of items.
    position_weights : {"dcg", "rr", "uniform"}, array-like or callable, default="dcg"
        Exposure of each place, see :class:`~skparietal.FairRankingFW`.
    exploration : float, default=0.3
        Width of the confidence bounds, in units of click probability.
    reg : float, default=0.1
        Ridge penalty, on the scale of a sum of squares of the features.

    Attributes
    ----------
    item_exposure_ : ndarray of shape (n_items,)
        Exposure of every item, the mean over the rounds, in units of position weight.
    mean_utility_ : float
        Mean utility per round over the sum of the position weights, estimated by the clicks.
    item_bonus_ : ndarray of shape (n_items,)
        What the objective now adds to the click probability of every item.
    objective_value_ : float
        Objective of the averages so far.
    n_rounds_ : int
        Rankings behind the averages; 0 after ``fit``, whose logs tell no exposure.
    coef_ : ndarray of shape (n_items, n_features)
        Ridge coefficients of the click probabilities.
    inv_design_ : ndarray of shape (n_items, n_features, n_features)
        Inverse of reg I plus the sum of x x' over the contexts in which the item was looked at.
    n_items_, top_k_ : int
        Number of items and of places.
    position_weights_ : ndarray of shape (`top_k_`,)
        Exposure of each place.
    n_features_in_ : int
        Number of features of a context.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they were all strings.

    Notes
    -----
    FW-LinUCBRank. With c the gradient of the objective in the relative exposures (1 when all items
    are shown equally), a context x gets the top_k items of largest
    min(1, max(0, theta_j' x + exploration sqrt(x' V_j^-1 x))) + beta c_j, in decreasing order: the
    Frank-Wolfe step on optimistic click probabilities. The place k is looked at with a probability
    proportional to its weight, a click needs a look, and only looks teach.

    The algorithm is the paper's; one ridge regression per item, and the relative scale of the
    exposures, are choices made here.

    References
    ----------
    Do, Dohmatob, Pirotta, Lazaric, Usunier, Contextual bandits with concave rewards, and an
    application to fair ranking, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ConcaveRankingBandit
    >>> rng = np.random.default_rng(0)
    >>> bandit = ConcaveRankingBandit(n_items=5, top_k=2, beta=0.1)
    >>> for _ in range(300):
    ...     context = rng.dirichlet(np.ones(3), size=1)
    ...     ranking = bandit.rank(context)
    ...     relevance = context @ np.eye(3, 5)  # the items 3 and 4 are never clicked
    ...     clicks = rng.random((1, 2)) < np.take_along_axis(relevance, ranking, axis=1)
    ...     bandit = bandit.update(context, ranking, np.ones((1, 2)), clicks)
    >>> shown = bandit.item_exposure_
    >>> bool(shown[:3].min() > shown[3:].max() > 0)
    True
    """

    _parameter_constraints = {
        "objective": [str, RankingObjective],
        "n_items": [Interval(Integral, 1, None, closed="left"), None],
        "beta": [Interval(Real, 0, None, closed="left")],
        "top_k": [Interval(Integral, 1, None, closed="left")],
        "position_weights": [str, "array-like", callable],
        "exploration": [Interval(Real, 0, None, closed="left")],
        "reg": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        objective="welfare",
        *,
        n_items=None,
        beta=0.5,
        top_k=10,
        position_weights="dcg",
        exploration=0.3,
        reg=0.1,
    ):
        self.objective = objective
        self.n_items = n_items
        self.beta = beta
        self.top_k = top_k
        self.position_weights = position_weights
        self.exploration = exploration
        self.reg = reg

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Learn click probabilities from a log, forgetting anything learned before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Contexts.
        y : array-like of shape (n_samples, n_items) or (n_samples,)
            Feedback, 1 for a click and 0 for none, and NaN where the item was not looked at. One
            dimension means one item.

        Returns
        -------
        self : ConcaveRankingBandit
            Fitted bandit, without any exposure so far.

        Raises
        ------
        ValueError
            If nothing was looked at, the lengths differ, or a number is infinite.
        """
        with attributes_kept(self):
            X = check_contexts(self, X, reset=True)
            y = self._check_feedback(y, len(X))
            state = self._initial_state(y.shape[1])
            looked = ~np.isnan(y)
            for item in np.flatnonzero(looked.any(axis=0)):
                rows = looked[:, item]
                state["_model"].absorb(X[rows], np.full(rows.sum(), item), y[rows, item, None])
        vars(self).update(state)
        return self

    def rank(self, X):
        """Rankings to show, with exploration; nothing is learned before ``update``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Contexts; several are served with the same bonus.

        Returns
        -------
        rankings : ndarray of shape (n_samples, `top_k_`), dtype int64
            Items, best first.
        """
        X = self._prepare(X)
        # rounding can make a variance of zero negative
        spread = np.sqrt(np.abs(self._model.variance(X)))
        return self._ranked(self._model.mean(X, CLICK) + self.exploration * spread)

    def predict(self, X):
        """Rankings by estimated click probability and bonus, without exploration.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Contexts.

        Returns
        -------
        rankings : ndarray of shape (n_samples, `top_k_`), dtype int64
            Items, best first.
        """
        check_is_fitted(self)
        return self._ranked(self._model.mean(check_contexts(self, X), CLICK))

    def update(self, X, rankings, looked, clicks):
        """Learn from rankings that were shown; when it raises, nothing learned before is lost.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Contexts that were given to ``rank``.
        rankings : array-like of shape (n_samples, `top_k_`)
            What was shown.
        looked : array-like of shape (n_samples, `top_k_`)
            Whether each place was looked at.
        clicks : array-like of shape (n_samples, `top_k_`)
            Whether it was clicked; ignored where nobody looked.

        Returns
        -------
        self : ConcaveRankingBandit
            Updated bandit.

        Raises
        ------
        ValueError
            If a shape is wrong, an item is unknown or shown twice, or a click is not finite.
        """
        X = self._prepare(X)
        shape = (len(X), self.top_k_)
        rankings = self._check_rankings(rankings, shape)
        looked = _check_places(looked, shape, "looked").astype(bool)
        clicks = _check_places(clicks, shape, "clicks")
        goal = self._goal_after(rankings, clicks * looked)
        self._model.absorb_lists(
            X, [(items[seen], row[seen]) for items, seen, row in zip(rankings, looked, clicks)]
        )
        vars(self).update(goal)
        return self

    @property
    def item_exposure_(self):  # numpydoc ignore=RT01
        """Mean exposure of every item."""
        exposure = self._fitted("item_exposure_")._exposure
        return exposure.mass[0] / max(exposure.weight.sum(), 1.0)

    @property
    def coef_(self):  # numpydoc ignore=RT01
        """Ridge coefficients of the click probabilities."""
        return self._fitted("coef_")._model.coef[:, :, 0]

    @property
    def inv_design_(self):  # numpydoc ignore=RT01
        """Inverse designs of the ridge regressions."""
        return self._fitted("inv_design_")._model.inverse

    @property
    def objective_value_(self):  # numpydoc ignore=RT01
        """Objective of the averages so far."""
        if not self._fitted("objective_value_").n_rounds_:
            raise AttributeError("objective_value_ exists after the first update.")
        return float(self.mean_utility_ + self._problem.item_value(self._exposure))

    def __sklearn_is_fitted__(self):
        """Whether there is a model to rank with."""
        return hasattr(self, "_model")

    def __sklearn_tags__(self):
        """Tags: y is needed and may have several columns."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags

    def _fitted(self, name):
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{name} exists after fit, rank or update.")
        return self

    def _prepare(self, X):
        """Contexts; the first ones make the bandit."""
        if self.__sklearn_is_fitted__():
            return check_contexts(self, X)
        self._validate_params()
        if self.n_items is None:
            raise ValueError("Construct the bandit with n_items=, or fit it on a log first.")
        with attributes_kept(self):
            X = check_contexts(self, X, reset=True)
            vars(self).update(self._initial_state(self.n_items))
        return X

    def _check_feedback(self, y, n_samples):
        if y is None:
            raise ValueError(
                "ConcaveRankingBandit requires y to be passed, but the target y is None."
            )
        y = check_array(
            y, ensure_2d=False, ensure_all_finite="allow-nan", dtype=np.float64, input_name="y"
        )
        y = y.reshape(len(y), -1)
        if len(y) != n_samples:
            raise ValueError(f"X has {n_samples} rows, but y has {len(y)}.")
        if self.n_items not in (None, y.shape[1]):
            raise ValueError(f"y has {y.shape[1]} columns, but n_items={self.n_items}.")
        if np.isnan(y).all():
            raise ValueError("Input y contains NaN only: no item was looked at.")
        return y

    def _initial_state(self, n_items):
        objective = check_ranking_objective(self.objective)
        if objective.needs_merit or objective.by_user_group or objective.user_alpha != 1:
            raise ValueError(
                "ConcaveRankingBandit needs an objective of the exposures alone with user_alpha=1, "
                f"such as TwoSidedWelfare() or GiniWelfare(); got {objective!r}."
            )
        objective.check(n_items, np.full(n_items, 1 / n_items))
        top_k = min(self.top_k, n_items)
        weights = check_position_weights(self.position_weights, top_k)
        return {
            "_problem": RankingProblem(objective, self.beta, weights, n_items),
            "n_items_": n_items,
            "top_k_": top_k,
            "position_weights_": weights,
            "_model": DisjointRidge(n_items, self.n_features_in_, 1, self.reg),
            "_exposure": ExposureState(np.zeros((1, n_items)), np.zeros(1)),
            "n_rounds_": 0,
            "mean_utility_": 0.0,
            "item_bonus_": np.zeros(n_items),  # bonuses that are equal do not matter
        }

    def _check_rankings(self, rankings, shape):
        rankings = _check_places(rankings, shape, "rankings")
        items = rankings.astype(np.int64)
        ordered = np.sort(items, axis=1)
        known = (items == rankings).all() and ordered[:, 0].min() >= 0
        if not known or ordered[:, -1].max() >= self.n_items_:
            raise ValueError(f"rankings must hold items from 0 to {self.n_items_ - 1}.")
        if (ordered[:, 1:] == ordered[:, :-1]).any():
            raise ValueError("rankings must not show the same item twice in a row.")
        return items

    def _goal_after(self, rankings, clicks):
        """Averages, and the bonus that they ask for, after some more rankings."""
        n = len(rankings)
        mass, weights = self._exposure.mass.copy(), self.position_weights_
        add_exposure(mass, rankings, weights)
        exposure = ExposureState(mass, self._exposure.weight + n, self._exposure.center)
        slope = self._problem.item_slope(exposure)
        if self._problem.objective.needs_center:
            exposure = exposure.scaled_to(exposure.weight.sum())  # a copy of the center to move
            exposure.move_center(n / exposure.weight.sum(), slope)
        # a place is looked at with probability weight / largest weight
        utility = clicks.sum(axis=1) * weights[0] / weights.sum()
        n_rounds = self.n_rounds_ + n
        return {
            "_exposure": exposure,
            "n_rounds_": n_rounds,
            "mean_utility_": self.mean_utility_ + (utility - self.mean_utility_).sum() / n_rounds,
            "item_bonus_": self._problem.bonus(slope)[0],
        }

    def _ranked(self, click_probability):
        return topk_rows(np.clip(click_probability, 0.0, 1.0) + self.item_bonus_, self.top_k_)


def _check_places(values, shape, name):
    values = np.asarray(values, dtype=np.float64)
    if values.shape != shape:
        raise ValueError(
            f"{name} must have one entry per place shown, {shape}; got {values.shape}."
        )
    if not math.isfinite(values.sum()):
        raise ValueError(f"{name} must not contain NaN or infinity.")
    return values
