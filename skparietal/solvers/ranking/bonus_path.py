"""A bounded record of the item bonuses that an optimisation went through."""

from copy import copy, deepcopy
from random import Random

import numpy as np


class BonusPath:  # numpydoc ignore=PR02
    """Weighted sample of item bonuses in order of time, in bounded memory.

    Time is cut into stretches of the same number of bonuses, and one bonus of each is held, drawn
    in proportion to its weight, with the weight of the stretch. When full, stretches are joined in
    pairs. Drawing matters: online, what one mini-batch shows the next one avoids, so that every
    second bonus would be a biased choice. The draws are the same in every run. Bonuses are held in
    single precision.

    Parameters
    ----------
    capacity : int
        Largest number of bonuses that are held, at least 2.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.bonuses = []
        self.weights = []
        self.stretch = 1
        self.n_in_stretch = 1  # bonuses that the last stretch has seen
        self.random = Random(0)

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
        if self.n_in_stretch < self.stretch:
            self.n_in_stretch += 1
            self.weights[-1] += weight
            if self.random.random() * self.weights[-1] < weight:
                self.bonuses[-1] = bonus.astype(np.float32)
            return
        if len(self.bonuses) == self.capacity:
            self._join_pairs()
            if self.n_in_stretch < self.stretch:  # an odd stretch was left, half full
                self.append(bonus, weight)
                return
        self.bonuses.append(bonus.astype(np.float32))
        self.weights.append(weight)
        self.n_in_stretch = 1

    def _join_pairs(self):
        last_is_whole = len(self.weights) % 2 == 0
        pairs = [slice(start, start + 2) for start in range(0, len(self.weights), 2)]
        self.bonuses = [self._draw(self.bonuses[pair], self.weights[pair]) for pair in pairs]
        self.weights = [sum(self.weights[pair]) for pair in pairs]
        self.n_in_stretch = 2 * self.stretch if last_is_whole else self.stretch
        self.stretch *= 2

    def _draw(self, bonuses, weights):
        return bonuses[int(self.random.random() * sum(weights) >= weights[0]) % len(bonuses)]

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
        path = self._copy()
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
        path = self._copy()
        path.bonuses = [
            np.vstack([b, np.repeat(b.mean(axis=0)[None], n, axis=0)]) for b in self.bonuses
        ]
        return path

    def _copy(self):
        path = copy(self)
        path.bonuses, path.weights = list(self.bonuses), list(self.weights)
        path.random = deepcopy(self.random)
        return path

    def mean(self):
        """Weighted mean of the bonuses.

        Returns
        -------
        bonus : ndarray of shape (n_user_groups, n_items)
            In double precision.
        """
        return np.average(np.stack(self.bonuses), axis=0, weights=self.weights)

    def condensed(self, n):
        """At most n bonuses that stand for all: neighbours in time are averaged.

        Averaging keeps more of the value than leaving out: what one bonus shows too much of, the
        next one shows too little of.

        Parameters
        ----------
        n : int
            Number wanted; when no more are held, they are returned as they are.

        Returns
        -------
        bonuses : ndarray of shape (<= n, n_user_groups, n_items)
            Means, in order of time.
        weights : ndarray of shape (<= n,)
            Their probabilities, of sum 1.
        """
        weights = np.asarray(self.weights) / self.total_weight
        starts = np.arange(0, len(weights), -(-len(weights) // n))
        sums = np.add.reduceat(weights, starts)
        means = [
            np.average(np.stack(self.bonuses[start:stop]), axis=0, weights=self.weights[start:stop])
            for start, stop in zip(starts, [*starts[1:], len(weights)])
        ]
        return np.stack(means), sums
