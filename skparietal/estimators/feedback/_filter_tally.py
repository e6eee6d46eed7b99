"""Running sums of what a filter did, and the quantities that follow from them."""

import warnings
from dataclasses import dataclass

import numpy as np

from skparietal.estimators.feedback._feedback_counts import FeedbackCounts
from skparietal.exceptions import CollapseWarning
from skparietal.theory.feedback import breakdown_point, effective_size, label_margin


@dataclass(frozen=True)
class FilterTally:  # numpydoc ignore=PR02
    """Sums over the rows filtered so far.

    Parameters
    ----------
    pairs : FeedbackCounts
        Verified counts of all candidate labels.
    chosen : FeedbackCounts
        Verified counts of the selected labels.
    confusion : ndarray of shape (n_classes, n_classes)
        Verified, accepted rows by true class (row) and label (column).
    n_labels, n_accepted, n_kept : ndarray of int of shape (n_classes,)
        Rows by class of their label: all, accepted by the filter, trained on.
    n_verified : int
        Verified rows.
    """

    pairs: FeedbackCounts
    chosen: FeedbackCounts
    confusion: np.ndarray
    n_labels: np.ndarray
    n_accepted: np.ndarray
    n_kept: np.ndarray
    n_verified: int

    @classmethod
    def of(cls, table, filtered, trained):
        """Sums of one batch.

        Parameters
        ----------
        table : LabelTable
            Labels.
        filtered : FilteredLabels
            Verdicts.
        trained : ndarray of int of shape (n_train,)
            Classes of the rows trained on.

        Returns
        -------
        tally : FilterTally
            The sums.
        """
        size = table.n_classes
        return cls(
            filtered.pairs,
            filtered.chosen,
            filtered.confusion,
            np.bincount(filtered.codes, minlength=size),
            np.bincount(filtered.codes[filtered.accepted], minlength=size),
            np.bincount(trained, minlength=size),
            table.known.size,
        )

    def __add__(self, other):
        return FilterTally(*(getattr(self, f) + getattr(other, f) for f in self.__annotations__))

    def quantities(self, mu_norm):
        """What a user reads after a fit.

        Parameters
        ----------
        mu_norm : float
            Separation of the classes, for the effective size.

        Returns
        -------
        quantities : dict
            Names of the fitted attributes, without the underscore, to values.
        """
        n_classes, pairs = len(self.n_labels), self.pairs
        phi, psi = pairs.estimate("phi"), pairs.estimate("psi")
        rates = np.full(n_classes, np.nan)
        np.divide(self.n_accepted, self.n_labels, out=rates, where=self.n_labels > 0)
        return {
            "n_kept": int(self.n_kept.sum()),
            "n_kept_per_class": self.n_kept,
            "keep_rate": float(self.n_accepted.sum() / self.n_labels.sum()),
            "class_keep_rate": rates,
            "n_verified": self.n_verified,
            "error_rate": pairs.estimate("error_rate"),
            "phi": phi,
            "psi": psi,
            "breakdown_point": breakdown_point(phi, psi, n_classes) if pairs.total else np.nan,
            "class_margins": self._class_margins(),
            **self._worth(n_classes, mu_norm),
        }

    def _worth(self, n_classes, mu_norm):
        """What the accepted labels are worth; NaN if none of them was verified."""
        if not sum(self.chosen.pair("purity")):
            names = ("purity", "margin", "breakdown_probability", "effective_size")
            return dict.fromkeys(names, np.nan)
        purity, task = self.chosen.estimate("purity"), {"n_classes": n_classes}
        size = effective_size(self.n_accepted.sum(), purity, mu_norm=mu_norm, **task)
        return {
            "purity": purity,
            "margin": label_margin(purity, **task),
            "breakdown_probability": self.chosen.breakdown_probability(**task),
            "effective_size": size,
        }

    def intervals(self, level):
        """Posterior intervals of the four rates.

        Parameters
        ----------
        level : float
            Posterior chance of each.

        Returns
        -------
        intervals : dict
            (low, high) of "error_rate", "phi", "psi" and "purity".
        """
        rates = {name: self.pairs.interval(name, level) for name in ("error_rate", "phi", "psi")}
        return {**rates, "purity": self.chosen.interval("purity", level)}

    def _class_margins(self):
        """Log ratio of right labels to the most frequent wrong ones, by true class."""
        if not self.pairs.total:
            return np.full(len(self.n_labels), np.nan)
        right = np.diag(self.confusion)
        wrong = (self.confusion - np.diag(right)).max(axis=1)
        return np.log((right + 0.5) / (wrong + 0.5))


def warn_of_collapse(found, level, *, use_verified):
    """Warn when the filter may well be past its breakdown point, or accepts nothing.

    Parameters
    ----------
    found : dict
        From `FilterTally.quantities`.
    level : float
        Breakdown probability above which to warn.
    use_verified : bool
        Whether the verified rows are trained on.
    """
    # A filter that accepts nothing leaves the verified rows alone, which does no harm.
    if found["keep_rate"] == 0 and not (use_verified and found["n_verified"]):
        warnings.warn(
            "the filter accepts no label: what is trained on are the best-scored rejected ones of "
            "each class (min_per_class). Lower the threshold, or verify rows",
            CollapseWarning,
            stacklevel=5,
        )
    if found["keep_rate"] == 0 or not found["breakdown_probability"] > level:
        return
    warnings.warn(
        f"the kept labels are worse than chance with probability "
        f"{found['breakdown_probability']:.2g}: error rate {found['error_rate']:.2f} against a "
        f"breakdown point of {found['breakdown_point']:.2f} (phi {found['phi']:.2f}, psi "
        f"{found['psi']:.2f}). Use a verifier that drops more wrong labels, a higher threshold, "
        "a better generator, or verify more rows.",
        CollapseWarning,
        stacklevel=5,
    )


def warn_of_lost_classes(tally, classes):
    """Warn about the classes that no row trained on has.

    Parameters
    ----------
    tally : FilterTally
        What was counted.
    classes : ndarray of shape (n_classes,)
        Labels.
    """
    lost = classes[tally.n_kept == 0]
    if lost.size:
        warnings.warn(
            f"no row with label {', '.join(map(str, lost))} is trained on, so that it cannot be "
            "predicted: lower the threshold or verify rows of it",
            CollapseWarning,
            stacklevel=4,
        )
