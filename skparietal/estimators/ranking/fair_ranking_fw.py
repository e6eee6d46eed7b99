"""Rank items for many users and share exposure fairly, by Frank-Wolfe online or in batches."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skparietal._compat import CallbackSupportMixin, with_callbacks
from skparietal.estimators.ranking._pass_listener import PassListener
from skparietal.estimators.ranking._ranking_input import (
    check_activity,
    check_relevance,
    encode_users,
    make_problem,
    merit_of,
)
from skparietal.estimators.ranking._ranking_policy import StoredPolicy
from skparietal.estimators.ranking._ranking_stream import open_stream
from skparietal.objectives.ranking import RankingObjective, check_ranking_objective
from skparietal.solvers.ranking.bonus_path import BonusPath
from skparietal.solvers.ranking.frank_wolfe import frank_wolfe
from skparietal.solvers.ranking.online_frank_wolfe import OnlineState, online_frank_wolfe
from skparietal.solvers.ranking.user_responses import LocalUsers, rank_block

PASSES_OF_A_START = 10  # what an earlier solution counts for when "offr" continues from it


class FairRankingFW(CallbackSupportMixin, BaseEstimator):
    """Rankings that trade the users' utility against a fair exposure of the items.

    Given the relevance of every item to every user, finds a stochastic ranking policy that
    maximises a concave function of the users' utilities and of the items' exposures. Both solvers
    only ever sort index scores: relevance plus a bonus for items whose exposure is worth more.
    `partial_fit_predict` serves users as they come; `fit` treats a table of users.

    Parameters
    ----------
    objective : {"welfare", "quality", "balanced", "gini"} or RankingObjective, default="welfare"
        What is fair: :class:`~skparietal.objectives.TwoSidedWelfare`,
        :class:`~skparietal.objectives.QualityWeighted` (exposure in proportion to merit),
        :class:`~skparietal.objectives.BalancedExposure` (equal in every user group) or
        :class:`~skparietal.objectives.GiniWelfare`. A string stands for the defaults.
    beta : float, default=0.1
        Weight of the items beside the users, non-negative; 0 sorts by relevance. Utilities and
        exposures are relative, so that a value keeps its meaning when the catalogue grows.
    top_k : int, default=10
        Places of a ranking; cut to the number of items.
    position_weights : {"dcg", "rr", "uniform"}, array-like or callable, default="dcg"
        Attention of each place, non-increasing: 1 / log2(1 + k), 1 / k, 1, an array of length at
        least `top_k`, or a function from `top_k` to such an array.
    item_groups : array-like of shape (n_items,), default=None
        Labels; exposure is then shared between groups in proportion to their size.
    item_merit : array-like of shape (n_items,), default=None
        Merit of each item for "quality"; None is its mean relevance to the users.
    candidates : {"all", "stored", "implicit"}, default="all"
        "all" ranks every column of a dense X. For a CSR matrix, "stored" ranks only its stored
        entries (short rows are padded with -1), "implicit" ranks all items, at relevance 0 where
        nothing is stored.
    solver : {"offr", "fw"}, default="offr"
        Online, user after user over `max_iter` shuffled passes, or batch Frank-Wolfe.
    step : {"fw", "average"}, default="fw"
        In `fit` by "offr": whether pass p counts p times, or all passes alike. `partial_fit` always
        counts all users alike: its averages are what was shown.
    batch_size : int, default=64
        Users that "offr" ranks with the same bonuses. The smaller, the better one pass does.
    max_iter : int, default=32
        Largest number of passes over the users in `fit`.
    tol : float, default=1e-3
        `fit` stops when the gap is at most tol * max(1, objective); "offr" looks after passes 1, 2,
        4, 8, ... 0 never stops and never warns.
    n_stored : int, default=64
        Number of bonuses that the stored policy keeps; up to twice as many are held, in single
        precision. The more, the less `sample` loses.
    warm_start : bool, default=False
        Whether `fit` starts from the solution of the previous `fit`, on the same X.
    n_jobs : int, default=None
        Threads of the batch solver and of the certificates. Changes no result.
    random_state : int, RandomState instance or None, default=None
        Order of the users in "offr".
    verbose : int, default=0
        Whether `fit` prints passes, objective and gap.

    Attributes
    ----------
    item_exposure_ : ndarray of shape (n_items,)
        Mean exposure of each item, in units of position weights; the sum over items is the sum of
        `position_weights_`. Times n_items over that sum, it is the relative exposure.
    group_exposure_ : ndarray of shape (n_user_groups, n_item_groups)
        Relative exposure; one row unless the objective compares user groups.
    user_utility_ : ndarray of shape (n_users,)
        Expected utility of each row of X in `fit`: relevance times position weight.
    user_state_ : dict
        Number of visits and mean utility by user id; only when `user_alpha` is below 1. Rows of
        `fit` go by their number.
    item_bonus_ : ndarray of shape (n_user_groups, n_items)
        Mean of the bonuses that the policy is made of.
    bonus_path_ : ndarray of shape (at most n_stored, n_user_groups, n_items)
        Bonuses of the stored policy, in order of time.
    bonus_weights_ : ndarray of shape (at most n_stored,)
        Their probabilities.
    user_groups_ : ndarray of shape (n_user_groups,)
        Labels of the user groups, only for "balanced".
    objective_value_ : float
        Objective of the policy found by `fit`.
    gap_ : float
        Upper bound of what any policy could add to it.
    n_iter_ : int
        Passes over the users in `fit`.
    n_seen_ : float
        Sum of the weights of the users seen; a `fit` counts each user once.
    history_ : dict of ndarrays
        "passes", "objective" and "gap" whenever `fit` computed a gap.
    top_k_ : int
        Number of places.
    position_weights_ : ndarray of shape (`top_k_`,)
        Attention of each place.
    n_features_in_ : int
        Number of items.
    feature_names_in_ : ndarray of shape (n_items,)
        Column names of X, if it had any.

    See Also
    --------
    skparietal.objectives : The objectives and how to write one.
    fair_ranking_path : A warm-started grid of beta.

    Notes
    -----
    With relevance :math:`\\mu_{ij}`, relative utility :math:`\\bar u_i` and relative exposure
    :math:`\\bar v_j` (1 for all when all are shown equally), the objective is

    .. math:: \\sum_i w_i \\psi(\\bar u_i) + \\beta f(\\bar v)

    and both solvers rank by the index scores :math:`\\psi'(\\bar u_i) \\mu_{ij} + \\beta f'_j`.
    The setting and the online algorithm are the first paper's; the relative scale, the certificate
    by the least upper bound, and the rule for what is stored are derived here.

    The best policy is random: the same users see different lists on different days. `sample` draws
    from it, `partial_fit_predict` serves and keeps learning; `predict` gives one fixed list per row
    and loses part of the gain where many users score the same items alike.

    References
    ----------
    Usunier, Do, Dohmatob, Fast online ranking with fairness of exposure, 2022.

    Do and Usunier, Optimizing generalized Gini indices for fairness in rankings, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import FairRankingFW
    >>> rng = np.random.default_rng(0)
    >>> X = np.clip(rng.normal(size=(200, 30)) / 4 + np.linspace(0, 1, 30), 0, 1)
    >>> greedy, fair = (FairRankingFW(beta=b, top_k=5, random_state=0).fit(X) for b in (0, 0.3))
    >>> [int((m.item_exposure_ > 0.01).sum()) for m in (greedy, fair)]  # items that are shown
    [19, 29]
    >>> fair.predict(X[:2]).shape
    (2, 5)
    """

    _parameter_constraints = {
        "objective": [StrOptions({"welfare", "quality", "balanced", "gini"}), RankingObjective],
        "beta": [Interval(Real, 0, None, closed="left")],
        "top_k": [Interval(Integral, 1, None, closed="left")],
        "position_weights": [StrOptions({"dcg", "rr", "uniform"}), "array-like", callable],
        "item_groups": ["array-like", None],
        "item_merit": ["array-like", None],
        "candidates": [StrOptions({"all", "stored", "implicit"})],
        "solver": [StrOptions({"offr", "fw"})],
        "step": [StrOptions({"fw", "average"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_stored": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        objective="welfare",
        *,
        beta=0.1,
        top_k=10,
        position_weights="dcg",
        item_groups=None,
        item_merit=None,
        candidates="all",
        solver="offr",
        step="fw",
        batch_size=64,
        max_iter=32,
        tol=1e-3,
        n_stored=64,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.objective = objective
        self.beta = beta
        self.top_k = top_k
        self.position_weights = position_weights
        self.item_groups = item_groups
        self.item_merit = item_merit
        self.candidates = candidates
        self.solver = solver
        self.step = step
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_stored = n_stored
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, sample_weight=None, user_groups=None):
        """Find a policy for a table of users.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance of the items to the users, comparable across users.
        y : Ignored
            Not used, present for scikit-learn's conventions.
        sample_weight : array-like of shape (n_users,), default=None
            Activity of each user: how often they are ranked for. None is 1.
        user_groups : array-like of shape (n_users,), default=None
            Labels of at least two user groups; only for "balanced".

        Returns
        -------
        self : FairRankingFW
            Fitted.

        Raises
        ------
        ValueError
            For groups or weights of the wrong length, and for parameters of the objective that
            leave it without a finite slope.
        """
        objective = check_ranking_objective(self.objective)
        X = check_relevance(self, X, objective, reset=True)
        weight = check_activity(sample_weight, X)
        labels, group = None, None
        if objective.by_user_group:
            labels, group = encode_users(user_groups, X.shape[0])
            if len(labels) < 2:
                raise ValueError("user_groups has a single group: pass at least two to compare.")
        merit = merit_of(self, objective, X, weight)
        problem = make_problem(self, objective, X.shape[1], merit)
        utility = np.zeros(X.shape[0])
        users = LocalUsers(problem, X, weight, group, utility, self.n_jobs)
        return self._fit_users(problem, users, labels, X)

    def _fit_users(self, problem, users, labels, X=None):
        """Solve for users that may live anywhere, see :class:`LocalUsers`."""
        shape = (1 if labels is None else len(labels), problem.n_items)
        start = self._previous_solution(users.n_users, problem) if self.warm_start else None
        if start is not None:
            users.utility[:] = self.user_utility_
        solution = partial(self._solution, problem, users, labels)
        listener = PassListener(self, X, solution)
        solve = self._fit_online if self.solver == "offr" else self._fit_batch
        path, result = solve(problem, users, shape, start, listener)
        for conditional in ("user_groups_", "user_state_"):  # of an earlier fit or stream
            vars(self).pop(conditional, None)
        vars(self).update(solution(path, result))
        listener.close(path, result)
        self._warn_unless_converged(result)
        return self

    def _fit_batch(self, problem, users, shape, start, listener):
        path = BonusPath(2 * self.n_stored) if start is None else start.path
        result = frank_wolfe(
            problem,
            users,
            shape=shape,
            start=None if start is None else start.exposure,
            path=path,
            max_iter=self.max_iter,
            tol=self.tol,
            on_pass=partial(listener, path),
        )
        return path, result

    def _fit_online(self, problem, users, shape, start, listener):
        forget = self.step == "fw"
        first = 1 if start is None else PASSES_OF_A_START + 1
        if start is None:
            state = OnlineState.empty(shape, 2 * self.n_stored)
        else:
            passes = PASSES_OF_A_START * (first / 2 if forget else 1)
            state = start.scaled_to(passes * users.total_weight)
        result = online_frank_wolfe(
            problem,
            users,
            state,
            rng=check_random_state(self.random_state),
            batch_size=self.batch_size,
            first_pass=first,
            max_iter=self.max_iter,
            tol=self.tol,
            forget=forget,
            on_pass=partial(listener, state.path),
        )
        return state.path, result

    def _solution(self, problem, users, labels, path, result):
        """Fitted attributes of a policy, in which each user is counted once."""
        utility = users.utility
        attributes = {
            "_problem": problem,
            "_state": OnlineState(result.state, path).scaled_to(users.total_weight),
            "user_utility_": utility,
            "objective_value_": result.value,
            "gap_": result.gap,
            "n_iter_": result.n_iter,
            "history_": {name: np.array(values) for name, values in result.history.items()},
            "top_k_": len(problem.position_weights),
            "position_weights_": problem.position_weights,
        }
        if labels is not None:
            attributes["user_groups_"] = labels
        if not problem.linear_in_utility:
            attributes["user_state_"] = {
                row: (1, mean) for row, mean in enumerate(utility.tolist())
            }
        return attributes

    def _previous_solution(self, n_users, problem):
        if not hasattr(self, "_state"):
            return None
        same_weights = np.array_equal(self.position_weights_, problem.position_weights)
        shapes = [(len(self.user_utility_), self._problem.n_items), (n_users, problem.n_items)]
        if shapes[0] != shapes[1] or not same_weights:
            raise ValueError(
                "warm_start=True continues on the same X with the same top_k and position_weights; "
                "set warm_start=False for another problem."
            )
        return self._state.scaled_to(self.n_seen_)

    def _warn_unless_converged(self, result):
        if self.tol > 0 and not result.converged(self.tol):
            warnings.warn(
                f"FairRankingFW stopped after {result.n_iter} passes at a gap of {result.gap:.2g}, "
                f"above tol={self.tol:g}. Increase max_iter or tol; tol=0 asks for no certificate.",
                ConvergenceWarning,
                stacklevel=4,
            )

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, *, user_ids=None, sample_weight=None, user_groups=None):
        """Serve users in order of arrival, and learn from what was shown.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance, rows in order of arrival; ranked `batch_size` at a time.
        y : Ignored
            Not used, present for scikit-learn's conventions.
        user_ids : array-like of shape (n_users,), default=None
            Who comes; needed when `user_alpha` is below 1, since the slope then depends on what a
            user has had. New ids start from nothing, where the slope is steepest: to take every
            row for a new user would all but switch the fairness off, so that ids are never made
            up. After `fit`, its rows go by their number.
        sample_weight : array-like of shape (n_users,), default=None
            Activity; None is 1.
        user_groups : array-like of shape (n_users,), default=None
            Labels, only for "balanced"; new ones are added as they come.

        Returns
        -------
        self : FairRankingFW
            Unchanged when the input is refused.
        """
        self._serve(X, user_ids, sample_weight, user_groups)
        return self

    def partial_fit_predict(
        self, X, y=None, *, user_ids=None, sample_weight=None, user_groups=None
    ):
        """Do as :meth:`partial_fit`, and return the rankings that were served.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance, rows in order of arrival.
        y : Ignored
            Not used, present for scikit-learn's conventions.
        user_ids : array-like of shape (n_users,), default=None
            Who comes; needed when `user_alpha` is below 1.
        sample_weight : array-like of shape (n_users,), default=None
            Activity; None is 1.
        user_groups : array-like of shape (n_users,), default=None
            Labels, only for "balanced".

        Returns
        -------
        rankings : ndarray of shape (n_users, `top_k_`), dtype int64
            Columns of X, best first; -1 where a row has too few candidates.
        """
        if not hasattr(self, "_state"):
            self._validate_params()
        return self._serve(X, user_ids, sample_weight, user_groups)

    def _serve(self, X, user_ids, sample_weight, user_groups):
        stream = open_stream(self, X, user_ids, sample_weight, user_groups)
        rankings = stream.serve(self.batch_size)
        self._state, self._problem = stream.state, stream.problem
        self.top_k_ = rankings.shape[1]
        self.position_weights_ = stream.problem.position_weights
        if stream.labels is not None:
            self.user_groups_ = stream.labels
        if not stream.problem.linear_in_utility:
            self.user_state_ = stream.visits.stored()
        return rankings

    def predict(self, X, *, user_groups=None):
        """One fixed ranking per row; rows do not depend on one another.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance.
        user_groups : array-like of shape (n_users,), default=None
            Labels seen in `fit`, only for "balanced".

        Returns
        -------
        rankings : ndarray of shape (n_users, `top_k_`), dtype int64
            Columns of X, best first; -1 where a row has too few candidates.
        """
        X, group = self._check_rows(X, user_groups)
        policy = self._policy()
        return rank_block(self._problem, X, group, self.item_bonus_, policy.final_slope(X, group))[
            0
        ]

    def sample(self, X, n_samples=1, *, user_groups=None, random_state=None):
        """Draw rankings from the stored policy, which is how the gain is kept.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance.
        n_samples : int, default=1
            Rankings per row.
        user_groups : array-like of shape (n_users,), default=None
            Labels seen in `fit`, only for "balanced".
        random_state : int, RandomState instance or None, default=None
            Of the draws; None takes the estimator's.

        Returns
        -------
        rankings : ndarray of shape (n_samples, n_users, `top_k_`), dtype int64
            Columns of X, best first.
        """
        X, group = self._check_rows(X, user_groups)
        rng = check_random_state(self.random_state if random_state is None else random_state)
        policy = self._policy()
        parts = rng.choice(len(policy.weights), size=(n_samples, X.shape[0]), p=policy.weights)
        return np.stack([policy.draw(X, group, row) for row in parts])

    def expected_exposure(self, X, *, user_groups=None):
        """Exposure of every item to every user under the stored policy.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance.
        user_groups : array-like of shape (n_users,), default=None
            Labels seen in `fit`, only for "balanced".

        Returns
        -------
        exposure : csr_array of shape (n_users, n_items)
            In units of position weights.
        """
        X, group = self._check_rows(X, user_groups)
        return self._policy().exposure(X, group)

    def score(self, X, y=None, *, sample_weight=None, user_groups=None):
        """Objective of the stored policy on some users; higher is better.

        Parameters
        ----------
        X : {array-like, CSR matrix} of shape (n_users, n_items)
            Relevance that the rankings follow.
        y : {array-like, CSR matrix} of shape (n_users, n_items), default=None
            Relevance that the utilities count instead, such as held-out feedback; arrays, lists
            and data frames alike. Anything of another number of dimensions is ignored.
        sample_weight : array-like of shape (n_users,), default=None
            Activity; None is 1.
        user_groups : array-like of shape (n_users,), default=None
            Labels seen in `fit`, only for "balanced".

        Returns
        -------
        value : float
            Not comparable between objectives or values of beta.
        """
        X, group = self._check_rows(X, user_groups)
        relevance = None
        if np.ndim(y) == 2:
            relevance = check_array(y, accept_sparse="csr")
            if relevance.shape != X.shape:
                raise ValueError(f"y has shape {relevance.shape}, but X has shape {X.shape}.")
        return self._policy().value(X, check_activity(sample_weight, X), group, relevance)

    def _check_rows(self, X, user_groups):
        check_is_fitted(self)
        X = check_relevance(self, X, self._problem.objective)
        if not self._problem.objective.by_user_group:
            return X, None
        return X, encode_users(user_groups, X.shape[0], self.user_groups_, grow=False)[1]

    def _policy(self):
        return StoredPolicy(self._problem, *self._state.path.condensed(self.n_stored))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_state")

    @property
    def item_bonus_(self):  # numpydoc ignore=RT01
        """Mean bonus of the items, by user group."""
        return self._state.path.mean()

    @property
    def bonus_path_(self):  # numpydoc ignore=RT01
        """Bonuses of the stored policy."""
        return self._policy().bonuses

    @property
    def bonus_weights_(self):  # numpydoc ignore=RT01
        """Probabilities of the bonuses of the stored policy."""
        return self._policy().weights

    @property
    def item_exposure_(self):  # numpydoc ignore=RT01
        """Mean exposure of the items."""
        return self._state.exposure.mass.sum(axis=0) / self.n_seen_

    @property
    def group_exposure_(self):  # numpydoc ignore=RT01
        """Relative exposure of the item groups, by user group."""
        return self._problem.relative_exposure(self._state.exposure)

    @property
    def n_seen_(self):  # numpydoc ignore=RT01
        """Sum of the weights of the users."""
        return float(self._state.exposure.weight.sum())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.candidates != "all"
        tags.input_tags.positive_only = getattr(self.objective, "user_alpha", 1.0) < 1
        tags.target_tags.required = False
        return tags
