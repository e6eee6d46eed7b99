"""The concave problem of fair ranking: exposures in, item bonuses and upper bounds out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skparietal.objectives.ranking import ItemContext, RankingObjective

PIECE = 2**16  # items whose slopes are computed at a time
ALL_USERS = np.ones(1)  # share of the only user group
CENTER_SPEED = 3.0  # of the center of a smoothed slope, beside that of the exposures


@dataclass
class ExposureState:  # numpydoc ignore=PR02
    """Exposure given so far, as sums over users: all that a ranking decision depends on.

    Parameters
    ----------
    mass : ndarray of shape (n_user_groups, n_items)
        Sum of user weight times exposure.
    weight : ndarray of shape (n_user_groups,)
        Sum of user weights.
    center : ndarray of shape (n_user_groups, n_groups), default=None
        Running mean of the item slopes, for objectives that need it.
    """

    mass: np.ndarray
    weight: np.ndarray
    center: np.ndarray | None = None

    def move_center(self, step, slope):
        """Let the center follow the slopes, in place, faster than the exposures do.

        Parameters
        ----------
        step : float
            Weight of the last response among all so far, in [0, 1].
        slope : ndarray of shape (n_user_groups, n_groups)
            What it responded to.
        """
        if self.center is None:
            self.center = slope.copy()
        self.center += min(1.0, CENTER_SPEED * step) * (slope - self.center)

    def move(self, step, response):
        """Convex combination with the exposure of a response to the same users.

        Parameters
        ----------
        step : float
            Weight of the response, in [0, 1].
        response : ExposureState
            Of the same weights.

        Returns
        -------
        state : ExposureState
            The combination.
        """
        mass = self.mass + step * (response.mass - self.mass)
        return ExposureState(mass, self.weight, self.center)

    def scaled_to(self, weight):
        """Rescale to another sum of weights; the mean exposures stay.

        Parameters
        ----------
        weight : float
            New sum over users.

        Returns
        -------
        state : ExposureState
            With arrays of its own.
        """
        scale = weight / self.weight.sum()
        center = None if self.center is None else self.center.copy()
        return ExposureState(self.mass * scale, self.weight * scale, center)

    def add_user_groups(self, n):
        """Make room for user groups that come later.

        Parameters
        ----------
        n : int
            Number of new groups.

        Returns
        -------
        state : ExposureState
            With rows of zeros at the end.
        """
        return ExposureState(np.pad(self.mass, ((0, n), (0, 0))), np.pad(self.weight, (0, n)))


@dataclass(frozen=True)
class RankingProblem:  # numpydoc ignore=PR02
    """Maximise mean user welfare plus beta times a concave function of item exposures.

    Parameters
    ----------
    objective : RankingObjective
        Users' welfare and item part.
    beta : float
        Weight of the item part.
    position_weights : ndarray of shape (top_k,)
        Attention of each place.
    n_items : int
        Number of columns.
    item_group : ndarray of shape (n_items,), dtype int, or None
        Group of each item, from 0; None makes each item a group.
    candidates : {"all", "stored", "implicit"}
        Which items may be ranked, see :func:`skparietal.exposure.rank_rows`.
    merit : ndarray of shape (n_items,) or None
        Merit of each item; only for objectives with `needs_merit`.
    """

    objective: RankingObjective
    beta: float
    position_weights: np.ndarray
    n_items: int
    item_group: np.ndarray | None = None
    candidates: str = "all"
    merit: np.ndarray | None = None

    @cached_property
    def total_attention(self):  # numpydoc ignore=RT01
        """Sum of the position weights: the exposure that a user hands out."""
        return self.position_weights.sum()

    @cached_property
    def group_share(self):  # numpydoc ignore=RT01
        """Share of the items that each item group holds."""
        if self.item_group is None:
            return np.full(self.n_items, 1 / self.n_items)
        return np.bincount(self.item_group) / self.n_items

    @property
    def linear_in_utility(self):  # numpydoc ignore=RT01
        """Whether the users' welfare is their mean utility, so that no user state is needed."""
        return self.objective.user_alpha == 1

    def relative_exposure(self, state):
        """Exposure of item groups, 1 where all items are shown equally.

        Parameters
        ----------
        state : ExposureState
            Sums over users.

        Returns
        -------
        exposure : ndarray of shape (n_user_groups, n_groups)
            Relative exposure; a user group that has not come yet is given the mean of the others.
        """
        if self.item_group is None and len(state.weight) == 1:
            return state.mass * (self.n_items / self.total_attention / state.weight[0])
        present = state.weight > 0
        weight = np.where(present, state.weight, 1.0)[:, None]
        if self.item_group is None:
            exposure = state.mass * (self.n_items / self.total_attention / weight)
        else:
            grouped = self._sum_by_group(state.mass) / self.group_share
            exposure = grouped / (self.total_attention * weight)
        if not present.all():
            exposure[~present] = exposure[present].mean(axis=0)
        return exposure

    def _sum_by_group(self, mass):
        if self.item_group is None:
            return mass
        return np.stack([np.bincount(self.item_group, weights=row) for row in mass])

    def _context(self, state):
        if not self.objective.by_user_group:
            return ItemContext(self.group_share, ALL_USERS, self.target, state.center)
        share = state.weight / state.weight.sum()
        # A user group that has not come yet deviates by 0; any positive share gives its slope 0.
        share = np.where(share > 0, share, 1.0)
        return ItemContext(self.group_share, share, self.target, state.center)

    @cached_property
    def target(self):  # numpydoc ignore=RT01
        """Relative exposure in proportion to merit; equal exposure where nothing has merit."""
        if self.merit is None:
            return None
        merit = self._sum_by_group(np.maximum(self.merit, 0.0)[None])[0]
        total = merit.sum()
        return merit / (total * self.group_share) if total > 0 else np.ones_like(merit)

    def item_value(self, state):
        """Item part of the objective, beta included and without any smoothing.

        Parameters
        ----------
        state : ExposureState
            Sums over users.

        Returns
        -------
        value : float
            Concave in the exposures.
        """
        exposure = self.relative_exposure(state)
        return self.beta * self.objective.item_value(exposure, self._context(state))

    def item_slope(self, state):
        """Derivative of the item part for exposure to one user, by item group.

        Parameters
        ----------
        state : ExposureState
            Sums over users.

        Returns
        -------
        slope : ndarray of shape (n_user_groups, n_groups)
            Without beta.
        """
        return self.objective.item_slope(self.relative_exposure(state), self._context(state))

    def item_tangent(self, state):
        """Affine upper bound of the item part.

        Parameters
        ----------
        state : ExposureState
            Sums over users.

        Returns
        -------
        intercept : float
            Value at exposure 0, beta included.
        slope : ndarray of shape (n_user_groups, n_groups)
            As :meth:`item_slope`.
        """
        exposure = self.relative_exposure(state)
        intercept, slope = self.objective.item_tangent(exposure, self._context(state))
        return self.beta * intercept, slope

    def bonus_at(self, state):
        """Item part of the index scores at a state, in pieces that fit the cache where possible.

        Parameters
        ----------
        state : ExposureState
            Sums over users.

        Returns
        -------
        bonus : ndarray of shape (n_user_groups, n_items)
            :meth:`bonus` of :meth:`item_slope`.
        """
        if not self.objective.separable or self.item_group is not None or self.n_items <= PIECE:
            return self.bonus(self.item_slope(state))
        context = self._context(state)
        bonus = np.empty_like(state.mass)
        for start in range(0, self.n_items, PIECE):
            piece = slice(start, start + PIECE)
            part = ExposureState(state.mass[:, piece], state.weight)
            slope = self.objective.item_slope(self.relative_exposure(part), context)
            np.multiply(slope, self.beta, out=bonus[:, piece])
        return bonus

    def bonus(self, slope):
        """Item part of the index scores.

        Parameters
        ----------
        slope : ndarray of shape (n_user_groups, n_groups)
            Of the item part.

        Returns
        -------
        bonus : ndarray of shape (n_user_groups, n_items)
            Beta included, in units of relevance times slope of the users' welfare.
        """
        bonus = slope * self.beta
        return bonus if self.item_group is None else bonus[:, self.item_group]

    def linear_item_value(self, bonus, state):
        """Value of the linear function with a given bonus, without its intercept.

        Parameters
        ----------
        bonus : ndarray of shape (n_user_groups, n_items)
            From :meth:`tangent`.
        state : ExposureState
            Sums over users.

        Returns
        -------
        value : float
            In units of the objective.
        """
        return np.vdot(bonus, state.mass) / (self.total_attention * state.weight.sum())
