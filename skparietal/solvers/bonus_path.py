"""A bounded record of the item bonuses that an optimisation went through."""

from copy import copy

import numpy as np


class BonusPath:  # numpydoc ignore=PR02
    """Weighted item bonuses in order of time, thinned so that memory stays bounded.

    When full, every other bonus hands its weight to the one before, and from then on only every
    second, fourth, ... bonus is kept: what is held stays evenly spaced over the whole run. Bonuses
    are kept in single precision.

    Parameters
    ----------
    capacity : int
        Largest number of bonuses that are held, at least 2.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.bonuses = []
        self.weights = []
        self.stride = 1
        self.n_seen = 0

    @property
    def total_weight(self):  # numpydoc ignore=RT01
        """Sum of all the weights appended."""
        return float(sum(self.weights))

    def append(self, bonus, weight):
        """Record a bonus.

        Parameters
        ----------
        bonus : ndarray of shape (n_user_groups, n_items)
            Item part of the index scores.
        weight : float
            Share of the policy that it stands for, relative to the others.
        """
        if self.n_seen % self.stride == 0:
            if len(self.bonuses) == self.capacity:
                self._thin()
            if self.n_seen % self.stride == 0:
                self.bonuses.append(bonus.astype(np.float32))
                self.weights.append(0.0)
        self.weights[-1] += weight
        self.n_seen += 1

    def _thin(self):
        pairs = np.zeros(self.capacity + self.capacity % 2)
        pairs[: self.capacity] = self.weights
        self.weights = list(pairs.reshape(-1, 2).sum(axis=1))
        self.bonuses = self.bonuses[::2]
        self.stride *= 2

    def scaled_to(self, weight):
        """Copy with another total weight.

        Parameters
        ----------
        weight : float
            New sum of weights.

        Returns
        -------
        path : BonusPath
            Sharing the bonuses, which are never changed.
        """
        path = copy(self)
        path.bonuses = list(self.bonuses)
        path.weights = [w * weight / self.total_weight for w in self.weights]
        return path

    def add_user_groups(self, n):
        """Copy with more user groups, which are given the mean bonus of the others.

        Parameters
        ----------
        n : int
            Number of new groups.

        Returns
        -------
        path : BonusPath
            With n more rows in each bonus.
        """
        path = copy(self)
        path.weights = list(self.weights)
        path.bonuses = [
            np.vstack([b, np.repeat(b.mean(axis=0)[None], n, axis=0)]) for b in self.bonuses
        ]
        return path

    def mean(self):
        """Weighted mean of the bonuses.

        Returns
        -------
        bonus : ndarray of shape (n_user_groups, n_items)
            In double precision.
        """
        return np.average(np.stack(self.bonuses), axis=0, weights=self.weights)

    def sample_systematically(self, n):
        """At most n bonuses that stand for all: systematic resampling, in order of time.

        Parameters
        ----------
        n : int
            Number wanted; when no more are held, they are returned as they are.

        Returns
        -------
        bonuses : ndarray of shape (<= n, n_user_groups, n_items)
            Chosen bonuses.
        weights : ndarray of shape (<= n,)
            Their probabilities, of sum 1.
        """
        weights = np.asarray(self.weights) / self.total_weight
        if len(weights) <= n:
            return np.stack(self.bonuses), weights
        positions = (np.arange(n) + 0.5) / n
        chosen = np.minimum(np.searchsorted(np.cumsum(weights), positions), len(weights) - 1)
        return np.stack([self.bonuses[i] for i in chosen]), np.full(n, 1 / n)
