"""What the verified rows say about a filter: counts, rates and their uncertainty."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv


@dataclass(frozen=True)
class FeedbackCounts:
    """Weight of the verified labels, right or wrong by kept or dropped.

    Rates are the posterior means under Jeffreys' prior, Beta(1/2, 1/2); NaN when nothing was
    verified.
    """

    right_kept: float = 0.0
    right_dropped: float = 0.0
    wrong_kept: float = 0.0
    wrong_dropped: float = 0.0

    @classmethod
    def of(cls, right, kept, weight):
        """Count labels.

        Parameters
        ----------
        right, kept : ndarray of bool of one shape
            Whether each label is right, and whether it is kept.
        weight : ndarray of that shape
            Weights.

        Returns
        -------
        counts : FeedbackCounts
            Sums of the weights.
        """
        cells = (right & kept, right & ~kept, ~right & kept, ~right & ~kept)
        return cls(*(float(weight[cell].sum()) for cell in cells))

    def __add__(self, other):
        return FeedbackCounts(
            self.right_kept + other.right_kept,
            self.right_dropped + other.right_dropped,
            self.wrong_kept + other.wrong_kept,
            self.wrong_dropped + other.wrong_dropped,
        )

    @property
    def total(self):
        """Weight of all verified labels.

        Returns
        -------
        total : float
            Sum of the four counts.
        """
        return self.right_kept + self.right_dropped + self.wrong_kept + self.wrong_dropped

    def pair(self, rate):
        """Weights for and against one of the rates.

        Parameters
        ----------
        rate : {"error_rate", "phi", "psi", "purity"}
            Which.

        Returns
        -------
        success, failure : float
            A rate is success / (success + failure).
        """
        wrong = self.wrong_kept + self.wrong_dropped
        return {
            "error_rate": (wrong, self.total - wrong),
            "phi": (self.right_kept, self.right_dropped),
            "psi": (self.wrong_kept, self.wrong_dropped),
            "purity": (self.right_kept, self.wrong_kept),
        }[rate]

    def estimate(self, rate):
        """Posterior mean of a rate.

        Parameters
        ----------
        rate : {"error_rate", "phi", "psi", "purity"}
            Which.

        Returns
        -------
        estimate : float
            NaN when nothing was verified.
        """
        success, failure = self.pair(rate)
        return (success + 0.5) / (success + failure + 1) if self.total else np.nan

    def interval(self, rate, level=0.95):
        """Equal-tailed posterior interval of a rate.

        Parameters
        ----------
        rate : {"error_rate", "phi", "psi", "purity"}
            Which.
        level : float, default=0.95
            Posterior chance of the interval.

        Returns
        -------
        low, high : float
            NaN when nothing was verified.
        """
        if not self.total:
            return np.nan, np.nan
        success, failure = self.pair(rate)
        tails = (1 - level) / 2, (1 + level) / 2
        low, high = (float(betaincinv(success + 0.5, failure + 0.5, tail)) for tail in tails)
        return low, high

    def breakdown_probability(self, n_classes):
        """Posterior chance of a purity at most 1 / n_classes.

        Parameters
        ----------
        n_classes : int
            Number of classes.

        Returns
        -------
        probability : float
            NaN when nothing was verified.
        """
        if not self.total:
            return np.nan
        return float(betainc(self.right_kept + 0.5, self.wrong_kept + 0.5, 1 / n_classes))
