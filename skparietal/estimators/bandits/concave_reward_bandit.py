"""Contextual bandits whose goal is a concave function of several average rewards."""

import math
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skparietal.estimators.bandits._bandit_inputs import (
    action_labels,
    action_positions,
    attributes_kept,
    check_action_features,
    check_contexts,
    check_rewards,
)
from skparietal.estimators.bandits._reward_models import (
    inverse_gap_weighting,
    make_disjoint_model,
    make_shared_model,
)
from skparietal.metrics import off_policy_mean_reward
from skparietal.objectives import check_reward_objective


def _explores_at_random(bandit):
    return bandit.base == "squarecb"


class ConcaveRewardBandit(BaseEstimator):
    """Contextual bandit that maximises a concave function of several average rewards.

    In every round a context comes, one action is taken and a vector of rewards (clicks, revenue,
    one reward per group of customers...) is seen. The goal is f(average reward vector), with f
    known and concave: no fixed weighting of the rewards reaches it in general. This is Frank-Wolfe
    on a stream: every round is played by an ordinary contextual bandit on the scalar reward
    <g, r>, with g the gradient of f at the average so far.

    Parameters
    ----------
    objective : {"alpha_fair", "ggf", "mean"} or object, default="alpha_fair"
        The function f. A name stands for :class:`~skparietal.objectives.AlphaFair`,
        :class:`~skparietal.objectives.GeneralizedGini` or
        :class:`~skparietal.objectives.LinearReward` with their defaults; an object needs
        ``value(mean_reward)`` and ``gradient(mean_reward, n_rounds)``.
    base : {"linucb", "squarecb"}, default="linucb"
        Scalar bandit: optimism on a ridge regression, or inverse gap weighting on any regression.
    regressor : regressor, default=None
        Model of the rewards for ``base="squarecb"``; None means the ridge regression of LinUCB.
        With ``partial_fit`` it learns every row, otherwise it is fitted anew, on all rows, whenever
        their number has doubled. As long as it refuses its rows as too few, up to 100 of them, the
        average reward stands for its predictions.
    model : {"disjoint", "shared"}, default="disjoint"
        "disjoint": one model per action, on contexts X of shape (n_samples, n_features). "shared":
        one model on features of each action, X of shape (n_samples, n_actions, n_features).
    actions : array-like of shape (n_actions,), default=None
        Labels of the actions. Only needed when the first call is ``act``, or when the first rows do
        not hold all actions.
    exploration : float, default=0.3
        Width of LinUCB's confidence bounds, in the unit of the rewards.
    gamma : float, default=50.0
        Greediness of SquareCB, in the inverse unit of the rewards; multiplied by the square root
        of the number of rounds.
    reg : float, default=0.1
        Ridge penalty, on the scale of a sum of squares of the features. Too large a penalty keeps
        LinUCB from ever trying an action: estimates start at zero.
    random_state : int, RandomState instance or None, default=None
        Draws of SquareCB, and of the first actions, before any reward is known.

    Attributes
    ----------
    mean_reward_ : ndarray of shape (n_rewards,)
        Average of every reward over the rounds.
    direction_ : ndarray of shape (n_rewards,)
        Gradient of the objective there: what each reward is worth in the next round.
    objective_value_ : float
        Objective of ``mean_reward_``.
    n_rounds_ : int
        Rounds behind ``mean_reward_``.
    classes_ : ndarray of shape (n_actions,)
        Labels of the actions; those of ``actions``, or those seen first.
    coef_ : ndarray of shape (n_actions, n_features, n_rewards) or (n_features, n_rewards)
        Ridge coefficients, if the model is the ridge regression.
    inv_design_ : ndarray of shape (n_actions, n_features, n_features) or (n_features, n_features)
        Inverse of reg I plus the sum of x x', if the model is the ridge regression.
    objective_ : object
        The objective, with ``value`` and ``gradient``.
    random_state_ : RandomState instance
        Generator of the draws.
    n_features_in_ : int
        Number of features of a context, or of an action if the model is shared.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they were all strings.

    Notes
    -----
    With the average s and g the gradient of f at s, FW-LinUCB takes the action of largest
    <g, Theta_a' x> + exploration norm(g) sqrt(x' V_a^-1 x), where V_a = reg I + sum x x' and
    Theta_a = V_a^-1 sum x r' run over the rounds of action a (of all actions if the model is
    shared). The whole reward vector is seen, so that one d x d inverse serves all rewards.
    FW-SquareCB draws action a with probability
    1 / (n_actions + gamma sqrt(t) (best - score_a) / norm1(g)). The regret f* - f(s) is of order
    T^-1/2 up to logarithms when that of the scalar bandit is of order T^1/2.

    The reduction is the paper's. The disjoint models, and a Euclidean norm(g) with a constant
    exploration in place of a confidence level, are choices made here. ``fit`` on a log evaluates
    the gradient at the average logged reward: ``predict`` is then the first Frank-Wolfe step away
    from the policy that wrote the log.

    References
    ----------
    Do, Dohmatob, Pirotta, Lazaric, Usunier, Contextual bandits with concave rewards, and an
    application to fair ranking, 2023. Li, Chu, Langford, Schapire, A contextual-bandit approach to
    personalized news article recommendation, 2010 (LinUCB). Foster and Rakhlin, Beyond UCB, 2020
    (SquareCB).

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ConcaveRewardBandit
    >>> rng = np.random.default_rng(0)
    >>> bandit = ConcaveRewardBandit(actions=["one", "two"])
    >>> gains = {"one": [1.0, 0.1], "two": [0.0, 0.5]}  # the plain mean would always take "one"
    >>> for _ in range(500):
    ...     context = rng.uniform(0.5, 1, size=(1, 2))
    ...     action = bandit.act(context)
    ...     bandit = bandit.update(context, action, [gains[action[0]]])
    >>> bandit.mean_reward_
    array([0.6..., 0.2...])
    """

    _parameter_constraints = {
        "objective": [str, HasMethods(["value", "gradient"])],
        "base": [StrOptions({"linucb", "squarecb"})],
        "regressor": [HasMethods(["fit", "predict"]), None],
        "model": [StrOptions({"disjoint", "shared"})],
        "actions": ["array-like", None],
        "exploration": [Interval(Real, 0, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "reg": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        objective="alpha_fair",
        *,
        base="linucb",
        regressor=None,
        model="disjoint",
        actions=None,
        exploration=0.3,
        gamma=50.0,
        reg=0.1,
        random_state=None,
    ):
        self.objective = objective
        self.base = base
        self.regressor = regressor
        self.model = model
        self.actions = actions
        self.exploration = exploration
        self.gamma = gamma
        self.reg = reg
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, rewards=None):
        """Learn from a log of actions and rewards, forgetting anything learned before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts, or features of every action if the model is shared.
        y : array-like of shape (n_samples,)
            Labels of the actions that were taken.
        rewards : array-like of shape (n_samples,) or (n_samples, n_rewards), default=None
            What they earned. None means 1 each: ``predict`` then imitates the log.

        Returns
        -------
        self : ConcaveRewardBandit
            Fitted bandit.

        Raises
        ------
        ValueError
            If an input is not finite, the lengths differ, or an action is not in ``actions``.
        """
        with attributes_kept(self):
            self._start(X, y, rewards, self.actions)
        self.random_state_ = check_random_state(self.random_state)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, rewards=None, classes=None):
        """Learn from some more rows; when it raises, nothing learned before is lost.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts, or features of every action if the model is shared.
        y : array-like of shape (n_samples,)
            Labels of the actions that were taken.
        rewards : array-like of shape (n_samples,) or (n_samples, n_rewards), default=None
            What they earned; None means 1 each.
        classes : array-like of shape (n_actions,), default=None
            Labels of all actions at the first call, in place of the parameter ``actions``.

        Returns
        -------
        self : ConcaveRewardBandit
            Updated bandit.

        Raises
        ------
        ValueError
            If an input is not finite, the lengths differ, the number of rewards changed, or an
            action was not known at the first call.
        """
        if hasattr(self, "n_rounds_"):
            return self._learn(X, y, rewards)
        with attributes_kept(self):
            return self._start(X, y, rewards, self.actions if classes is None else classes)

    def update(self, X, actions, rewards):
        """Learn what some actions earned: ``partial_fit`` for the serving loop.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts that were given to ``act``.
        actions : array-like of shape (n_samples,)
            Labels of the actions that were taken.
        rewards : array-like of shape (n_samples,) or (n_samples, n_rewards)
            What they earned.

        Returns
        -------
        self : ConcaveRewardBandit
            Updated bandit.
        """
        if hasattr(self, "n_rounds_"):
            return self._learn(X, actions, rewards)
        return self.partial_fit(X, actions, rewards)

    def act(self, X, *, return_proba=False):
        """Choose actions, with exploration; nothing is learned before ``update``.

        Before the first ``update`` every action is as likely as any other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts; several are served with the same gradient.
        return_proba : bool, default=False
            Whether to return the probabilities of the chosen actions, to be logged: they are the
            propensities of an off-policy evaluation.

        Returns
        -------
        actions : ndarray of shape (n_samples,)
            Labels.
        proba : ndarray of shape (n_samples,)
            Only with ``return_proba=True``; 1 for LinUCB, which does not draw.
        """
        if not hasattr(self, "n_rounds_"):
            labels, chosen, proba = self._act_unprepared(X)
        else:
            X, labels = self._contexts(X), self.classes_
            act = self._act_optimistic if self.base == "linucb" else self._act_by_gaps
            chosen, proba = act(X)
        if not return_proba:
            return labels[chosen]
        return labels[chosen], np.ones(len(chosen)) if proba is None else proba

    def predict(self, X):
        """Best actions under the current gradient, without exploration.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts.

        Returns
        -------
        actions : ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self)
        scores = self._model.mean(self._contexts(X), self.direction_)
        return self.classes_[scores.argmax(axis=1)]

    @available_if(_explores_at_random)
    def predict_proba(self, X):
        """Probabilities with which SquareCB would now draw each action.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Contexts.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_actions)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._probabilities(self._contexts(X))

    def score(self, X, y, sample_weight=None, *, rewards=None, propensities=None):
        """Objective of the average reward that ``predict`` would have earned on a log.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_actions, n_features)
            Logged contexts.
        y : array-like of shape (n_samples,)
            Logged actions.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows of the log.
        rewards : array-like of shape (n_samples,) or (n_samples, n_rewards), default=None
            What they earned; None scores the share of the log that is imitated.
        propensities : array-like of shape (n_samples,), default=None
            Probabilities, in (0, 1], with which the logged actions were chosen. Needed with
            rewards.

        Returns
        -------
        score : float
            The larger the better; see :func:`~skparietal.metrics.off_policy_mean_reward`.

        Raises
        ------
        ValueError
            If rewards come without propensities, or a propensity is outside (0, 1].
        """
        actions = self.predict(X)
        if rewards is None:
            rewards = propensities = np.ones(len(actions))
        if propensities is None:
            raise ValueError(
                "score needs propensities=, the probability with which each logged action was "
                "chosen: without them the logged rewards say nothing about another policy."
            )
        estimate = off_policy_mean_reward(
            actions, y, rewards, propensities, sample_weight=sample_weight
        )
        return float(self.objective_.value(estimate))

    @property
    def objective_value_(self):  # numpydoc ignore=RT01
        """Objective of the average reward."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError("objective_value_ exists after the first reward.")
        return float(self.objective_.value(self.mean_reward_))

    @property
    def coef_(self):  # numpydoc ignore=RT01
        """Ridge coefficients."""
        return self._ridge("coef_").coef

    @property
    def inv_design_(self):  # numpydoc ignore=RT01
        """Inverse designs of the ridge regression."""
        return self._ridge("inv_design_").inverse

    def __sklearn_tags__(self):
        """Tags: y is needed, contexts are dense."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def __sklearn_is_fitted__(self):
        """Whether some reward has been seen."""
        return hasattr(self, "n_rounds_")

    def _ridge(self, name):
        if not hasattr(getattr(self, "_model", None), "inverse"):
            raise AttributeError(f"{name} exists after fitting a bandit on ridge regressions only.")
        return self._model

    def _start(self, X, y, rewards, actions):
        X = self._contexts(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        R = check_rewards(rewards, len(X))
        n_described = X.shape[1] if self.model == "shared" else None
        labels = action_labels(actions, seen=y, n_described=n_described)
        objective = check_reward_objective(self.objective)
        if hasattr(objective, "validate"):
            objective.validate(R.shape[1])
        goal = _goal_after(objective, 0, np.zeros(R.shape[1]), R)
        make = make_shared_model if self.model == "shared" else make_disjoint_model
        regressor = self.regressor if self.base == "squarecb" else None
        model = make(len(labels), X.shape[-1], R.shape[1], reg=self.reg, regressor=regressor)
        index = {label: position for position, label in enumerate(labels.tolist())}
        model.absorb(X, action_positions(y, index, len(X)), R)
        self.objective_, self._model, self.classes_, self._index = objective, model, labels, index
        self.n_rounds_, self.mean_reward_, self.direction_ = goal
        return self

    def _learn(self, X, y, rewards):
        X = self._contexts(X)
        R = check_rewards(rewards, len(X), len(self.mean_reward_))
        positions = action_positions(y, self._index, len(X))
        goal = _goal_after(self.objective_, self.n_rounds_, self.mean_reward_, R)
        self._model.absorb(X, positions, R)
        self.n_rounds_, self.mean_reward_, self.direction_ = goal
        return self

    def _contexts(self, X, reset=False):
        check = check_action_features if self.model == "shared" else check_contexts
        return check(self, X, reset=reset)

    def _act_unprepared(self, X):
        self._validate_params()
        shared = self.model == "shared"
        X = check_array(X, allow_nd=shared, ensure_2d=not shared)
        labels = action_labels(self.actions, n_described=X.shape[1] if shared else None)
        proba = np.full((len(X), len(labels)), 1 / len(labels))
        return labels, *self._draw(proba)

    def _act_optimistic(self, X):
        width = self.exploration * math.sqrt(self.direction_ @ self.direction_)
        # rounding can make a variance of zero negative
        spread = np.sqrt(np.abs(self._model.variance(X)))
        chosen = (self._model.mean(X, self.direction_) + width * spread).argmax(axis=1)
        return chosen, None

    def _act_by_gaps(self, X):
        return self._draw(self._probabilities(X))

    def _probabilities(self, X):
        scores = self._model.mean(X, self.direction_)
        # in the unit of the rewards, whatever the slope of the objective; all is equal at slope 0
        scores = scores / (np.abs(self.direction_).sum() or 1.0)
        return inverse_gap_weighting(scores, self.gamma * math.sqrt(self.n_rounds_))

    def _draw(self, proba):
        """Position drawn in every row, and its probability."""
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        uniform = self.random_state_.uniform(size=(len(proba), 1))
        # the last sum can fall short of 1 by rounding
        chosen = (proba.cumsum(axis=1)[:, :-1] <= uniform).sum(axis=1)
        return chosen, proba[np.arange(len(proba)), chosen]


def _goal_after(objective, n_rounds, mean_reward, R):
    """Rounds, average reward, and gradient of the objective there after some more rewards."""
    n_rounds += len(R)
    mean_reward = mean_reward + (R - mean_reward).sum(axis=0) / n_rounds
    return n_rounds, mean_reward, objective.gradient(mean_reward, n_rounds)
