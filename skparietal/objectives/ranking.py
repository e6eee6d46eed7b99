"""Concave objectives of a ranking: utility of users plus a fair share of exposure for items."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from skparietal.objectives.gini import (
    check_gini_weights,
    generalized_gini,
    project_permutohedron,
)

ALPHA = Interval(Real, None, 1, closed="right")
NON_NEGATIVE = Interval(Real, 0, None, closed="left")


def power_welfare(x, alpha, eta):
    """Concave power of a non-negative quantity: sign(alpha) (x + eta)^alpha, the log at alpha 0.

    Parameters
    ----------
    x : ndarray
        Utilities or exposures.
    alpha : float
        At most 1. The smaller, the more the worst-off count; 1 is the identity, without eta.
    eta : float
        Offset that keeps the slope finite at 0.

    Returns
    -------
    welfare : ndarray
        Same shape as x.
    """
    if alpha == 1:
        return x
    return np.log(x + eta) if alpha == 0 else np.sign(alpha) * (x + eta) ** alpha


def power_slope(x, alpha, eta):
    """Derivative of :func:`power_welfare`.

    Parameters
    ----------
    x : ndarray
        Utilities or exposures.
    alpha : float
        At most 1.
    eta : float
        Offset that keeps the slope finite at 0.

    Returns
    -------
    slope : ndarray
        Same shape as x.
    """
    if alpha == 1:
        return np.ones_like(x)
    shifted = x + eta
    if alpha == 0.5:  # the default; a square root is ten times quicker than a power
        return np.divide(0.5, np.sqrt(shifted, out=shifted), out=shifted)
    return np.reciprocal(shifted) if alpha == 0 else abs(alpha) * shifted ** (alpha - 1)


@dataclass(frozen=True)
class ItemContext:  # numpydoc ignore=PR02
    """What the item part of an objective needs to know beside the exposures.

    Parameters
    ----------
    group_share : ndarray of shape (n_groups,)
        Share of the items that each item group holds; of sum 1.
    user_share : ndarray of shape (n_user_groups,)
        Share of activity of each user group; of sum 1.
    target : ndarray of shape (n_groups,) or None
        Relative exposure proportional to merit; only for objectives with `needs_merit`.
    center : ndarray of shape (n_user_groups, n_groups) or None
        Running mean of the slopes so far; only for objectives with `needs_center`.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.objectives import ItemContext, QualityWeighted
    >>> context = ItemContext(np.full(2, 0.5), np.ones(1), target=np.array([1.5, 0.5]))
    >>> QualityWeighted(penalty="l2").item_value(np.ones((1, 2)), context)
    np.float64(-0.125)
    """

    group_share: np.ndarray
    user_share: np.ndarray
    target: np.ndarray | None = None
    center: np.ndarray | None = None


class RankingObjective(BaseEstimator):
    """Base of the objectives of :class:`skparietal.FairRankingFW`.

    The value is the mean over users of psi(utility), weighted by activity, plus beta times a
    concave function of the exposures. Both are relative: utility is divided by the sum of the
    position weights, and exposure is 1 when all items are shown equally. Subclasses define
    `item_value` and `item_slope`.

    Parameters
    ----------
    user_alpha : float, default=1.0
        Power of the users' welfare, at most 1; see :func:`power_welfare`. 1 is the mean utility.
    eta : float, default=0.01
        Offset of the powers and of the square roots, in units of relative exposure.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import FairRankingFW
    >>> from skparietal.objectives import RankingObjective
    >>> class LogExposure(RankingObjective):
    ...     def item_value(self, exposure, context):
    ...         return np.log(exposure[0] + 0.1) @ context.group_share
    ...
    ...     def item_slope(self, exposure, context):
    ...         return 1 / (exposure + 0.1)
    >>> X = np.random.default_rng(0).random((100, 20))
    >>> float(FairRankingFW(LogExposure(), top_k=3, max_iter=64).fit(X).gap_) < 0.01
    True
    """

    _parameter_constraints = {"user_alpha": [ALPHA], "eta": [NON_NEGATIVE]}
    needs_merit = False
    needs_center = False
    by_user_group = False
    separable = False  # whether the slope for an item depends on its own exposure alone

    def __init__(self, user_alpha=1.0, eta=0.01):
        self.user_alpha = user_alpha
        self.eta = eta

    def check(self, n_groups, group_share):
        """Refuse parameters for which the problem is not defined.

        Parameters
        ----------
        n_groups : int
            Number of item groups.
        group_share : ndarray of shape (n_groups,)
            Share of the items in each group.
        """
        self._validate_params()
        if self.eta == 0 and self.user_alpha <= 0:
            self._refuse_zero_eta("user_alpha <= 0")

    def _refuse_zero_eta(self, what):
        raise ValueError(
            f"eta=0 in {type(self).__name__} gives an infinite slope with {what}: take eta > 0."
        )

    def user_value(self, utility):
        """Welfare of each user.

        Parameters
        ----------
        utility : ndarray of shape (n_users,)
            Relative utility.

        Returns
        -------
        welfare : ndarray of shape (n_users,)
            To be averaged over users.
        """
        return power_welfare(utility, self.user_alpha, self.eta)

    def user_slope(self, utility):
        """Derivative of each user's welfare.

        Parameters
        ----------
        utility : ndarray of shape (n_users,)
            Relative utility.

        Returns
        -------
        slope : ndarray of shape (n_users,)
            Positive.
        """
        return power_slope(utility, self.user_alpha, self.eta)

    def item_value(self, exposure, context):
        """Item part of the objective.

        Parameters
        ----------
        exposure : ndarray of shape (n_user_groups, n_groups)
            Relative exposure of item groups among each user group.
        context : ItemContext
            Shares and targets.

        Returns
        -------
        value : float
            Concave in exposure.
        """
        raise NotImplementedError

    def item_slope(self, exposure, context):
        """Derivative of the item part for one unit of exposure to one user, by item group.

        Parameters
        ----------
        exposure : ndarray of shape (n_user_groups, n_groups)
            Relative exposure.
        context : ItemContext
            Shares and targets.

        Returns
        -------
        slope : ndarray of shape (n_user_groups, n_groups)
            The partial derivatives over group_share and user_share.
        """
        raise NotImplementedError

    def item_tangent(self, exposure, context):
        """Affine function that touches the item part from above.

        Parameters
        ----------
        exposure : ndarray of shape (n_user_groups, n_groups)
            Where it touches.
        context : ItemContext
            Shares and targets.

        Returns
        -------
        intercept : float
            Its value at exposure 0.
        slope : ndarray of shape (n_user_groups, n_groups)
            As `item_slope`.
        """
        slope = self.item_slope(exposure, context)
        linear = context.user_share @ (slope * exposure) @ context.group_share
        return self.item_value(exposure, context) - linear, slope


class TwoSidedWelfare(RankingObjective):
    """Welfare of users plus welfare of items, each a concave power.

    Parameters
    ----------
    user_alpha : float, default=1.0
        Power of the users' welfare, at most 1.
    item_alpha : float, default=0.5
        Power of the items' welfare, at most 1; 0 is the logarithm. The smaller, the more the items
        that are shown least count.
    eta : float, default=0.01
        Offset of the powers, in units of relative exposure.

    References
    ----------
    Do, Corbett-Davies, Atif, Usunier, Two-sided fairness in rankings via Lorenz dominance, 2021.

    Examples
    --------
    >>> from skparietal.objectives import TwoSidedWelfare
    >>> TwoSidedWelfare(item_alpha=0.0)
    TwoSidedWelfare(item_alpha=0.0)
    """

    _parameter_constraints = {**RankingObjective._parameter_constraints, "item_alpha": [ALPHA]}
    separable = True

    def __init__(self, user_alpha=1.0, item_alpha=0.5, eta=0.01):
        super().__init__(user_alpha, eta)
        self.item_alpha = item_alpha

    def check(self, n_groups, group_share):  # noqa: D102 # numpydoc ignore=GL08
        super().check(n_groups, group_share)
        # Below 1 the slope of the power is infinite at 0, where every item starts.
        if self.eta == 0 and self.item_alpha < 1:
            self._refuse_zero_eta("item_alpha < 1")

    def item_value(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        return power_welfare(exposure[0], self.item_alpha, self.eta) @ context.group_share

    def item_slope(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        return power_slope(exposure, self.item_alpha, self.eta)


class QualityWeighted(RankingObjective):
    """Utility of users minus the distance from exposure proportional to merit.

    Parameters
    ----------
    user_alpha : float, default=1.0
        Power of the users' welfare, at most 1.
    penalty : {"sqrt", "l2"}, default="sqrt"
        Root mean square distance, smoothed by eta, or half the mean square.
    eta : float, default=0.01
        Added under the square root, in squared units of relative exposure; also the offset of the
        users' power.

    References
    ----------
    Biega, Gummadi, Weikum, Equity of attention, 2018 (exposure in proportion to merit).
    Usunier, Do, Dohmatob, Fast online ranking with fairness of exposure, 2022.

    Examples
    --------
    >>> from skparietal.objectives import QualityWeighted
    >>> QualityWeighted(penalty="l2").needs_merit
    True
    """

    _parameter_constraints = {
        **RankingObjective._parameter_constraints,
        "penalty": [StrOptions({"sqrt", "l2"})],
    }
    needs_merit = True

    def __init__(self, user_alpha=1.0, penalty="sqrt", eta=0.01):
        super().__init__(user_alpha, eta)
        self.penalty = penalty

    def check(self, n_groups, group_share):  # noqa: D102 # numpydoc ignore=GL08
        super().check(n_groups, group_share)
        if self.eta == 0 and self.penalty == "sqrt":
            self._refuse_zero_eta('penalty="sqrt"')

    def _mean_square(self, exposure, context):
        return context.group_share @ (exposure[0] - context.target) ** 2

    def item_value(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        square = self._mean_square(exposure, context)
        return -square / 2 if self.penalty == "l2" else -np.sqrt(self.eta + square)

    def item_slope(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        scale = 1.0
        if self.penalty == "sqrt":
            scale = np.sqrt(self.eta + self._mean_square(exposure, context))
        return (context.target - exposure) / scale


class BalancedExposure(RankingObjective):  # numpydoc ignore=PR02
    """Utility of users minus the differences of an item's exposure between user groups.

    Parameters
    ----------
    user_alpha : float, default=1.0
        Power of the users' welfare, at most 1.
    eta : float, default=0.01
        Added under the square root, in squared units of relative exposure; also the offset of the
        users' power.

    References
    ----------
    Usunier, Do, Dohmatob, Fast online ranking with fairness of exposure, 2022.

    Examples
    --------
    >>> from skparietal.objectives import BalancedExposure
    >>> BalancedExposure().by_user_group
    True
    """

    by_user_group = True

    def check(self, n_groups, group_share):  # noqa: D102 # numpydoc ignore=GL08
        super().check(n_groups, group_share)
        if self.eta == 0:
            self._refuse_zero_eta("a square root")

    def _deviation(self, exposure):
        deviation = exposure - exposure.mean(axis=0)
        return deviation, np.sqrt(self.eta + (deviation**2).sum(axis=0))

    def item_value(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        return -(self._deviation(exposure)[1] @ context.group_share)

    def item_slope(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        deviation, distance = self._deviation(exposure)
        return -deviation / distance / context.user_share[:, None]


class GiniWelfare(RankingObjective):
    """Utility of users plus the generalised Gini welfare of the items' exposures.

    With the default weights the item part is 1 - Gini index of the exposures.

    Parameters
    ----------
    weights : array-like of shape (n_groups,), default=None
        Non-increasing, the first one for the item that is shown least; None is the Gini index.
    smoothing : float, default=1.0
        Strength of the Moreau smoothing around the running mean of the slopes, in units of relative
        exposure over the slope. Changes the speed of convergence and not the limit.
    user_alpha : float, default=1.0
        Power of the users' welfare, at most 1.
    eta : float, default=0.01
        Offset of the users' power.

    Notes
    -----
    The welfare g has kinks, so its slope is taken from a smoothed one: the point p of the
    permutohedron that minimises <p, exposure> + smoothing / 2 norm(p - center)^2. With a center at
    0 this is the paper's, which has to let the smoothing vanish and converges as the inverse square
    root of the passes. Here the center follows the running mean of p, as in the method of
    multipliers: where the two meet, p is a slope of g itself, whatever the smoothing. That is our
    extension.

    References
    ----------
    Do and Usunier, Optimizing generalized Gini indices for fairness in rankings, 2022.

    Hestenes, Multiplier and gradient methods, 1969.

    Examples
    --------
    >>> from skparietal.objectives import GiniWelfare
    >>> GiniWelfare(smoothing=0.1)
    GiniWelfare(smoothing=0.1)
    """

    _parameter_constraints = {
        **RankingObjective._parameter_constraints,
        "weights": ["array-like", None],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }
    needs_center = True

    def __init__(self, weights=None, smoothing=1.0, user_alpha=1.0, eta=0.01):
        super().__init__(user_alpha, eta)
        self.weights = weights
        self.smoothing = smoothing

    def check(self, n_groups, group_share):  # noqa: D102 # numpydoc ignore=GL08
        super().check(n_groups, group_share)
        check_gini_weights(self.weights, n_groups)
        if np.ptp(group_share) > 0:
            raise ValueError(
                "GiniWelfare supports item groups of equal size only; use TwoSidedWelfare for "
                "groups of different sizes."
            )

    def item_value(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        weights = check_gini_weights(self.weights, exposure.shape[1])
        return generalized_gini(exposure[0], weights)

    def item_slope(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        n_groups = exposure.shape[1]
        weights = check_gini_weights(self.weights, n_groups)
        point = -exposure[0] / self.smoothing
        if context.center is not None:
            point += context.center[0]
        # Slopes are n_groups times a point of the permutohedron, and so is the projection.
        return project_permutohedron(point, n_groups * weights)[None]

    def item_tangent(self, exposure, context):  # noqa: D102 # numpydoc ignore=GL08
        # The welfare is the least of the linear functions whose slopes permute the weights, so each
        # of them is an upper bound of the welfare itself, without smoothing.
        return 0.0, self.item_slope(exposure, context)


RANKING_OBJECTIVES = {
    "welfare": TwoSidedWelfare,
    "quality": QualityWeighted,
    "balanced": BalancedExposure,
    "gini": GiniWelfare,
}


def check_ranking_objective(objective):
    """Objective that a string stands for, or the object itself.

    Parameters
    ----------
    objective : {"welfare", "quality", "balanced", "gini"} or RankingObjective
        What the user asked for.

    Returns
    -------
    objective : RankingObjective
        With its defaults, for a string.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a string nor a ranking objective.
    """
    if isinstance(objective, str):
        if objective not in RANKING_OBJECTIVES:
            raise ValueError(
                f"objective must be one of {sorted(RANKING_OBJECTIVES)} or an object such as "
                f"skparietal.objectives.TwoSidedWelfare(); got {objective!r}."
            )
        return RANKING_OBJECTIVES[objective]()
    if not isinstance(objective, RankingObjective):
        raise TypeError(f"objective must be a string or a RankingObjective; got {objective!r}.")
    return objective
