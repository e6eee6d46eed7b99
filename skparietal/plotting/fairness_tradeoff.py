"""Display of what fairness costs in utility."""

import numpy as np

from skparietal.metrics import gini_index
from skparietal.plotting._curves import check_curves


class FairnessTradeoffDisplay:
    """Curves of users' utility against unfairness to items, one point per setting.

    Build it with :meth:`from_paths`, or with :meth:`from_points` for rankings of any origin.

    Parameters
    ----------
    points : dict of str to tuple of (unfairness, utility)
        Two arrays of the same length for each curve; a single point is drawn as a marker.
    labels : tuple of str, default=("Gini index of item exposure", "utility of users")
        Of the two axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    lines_ : dict of str to matplotlib Line2D
        Line of each curve.

    Examples
    --------
    >>> from skparietal.plotting import FairnessTradeoffDisplay
    >>> display = FairnessTradeoffDisplay.from_points({"fair": ([0.9, 0.5], [1.0, 0.95])})
    >>> display.lines_["fair"].get_xdata()
    array([0.9, 0.5])
    """

    def __init__(self, *, points, labels=("Gini index of item exposure", "utility of users")):
        self.points = points
        self.labels = labels

    @classmethod
    def from_paths(cls, paths, *, unfairness=None, ax=None):
        """Draw fitted fair rankings, such as those of :func:`skparietal.fair_ranking_path`.

        Parameters
        ----------
        paths : dict of str to list of FairRankingFW
            Fitted estimators of each curve.
        unfairness : callable, default=None
            Maps an item exposure to a number; None is the Gini index.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : FairnessTradeoffDisplay
            Utility is the mean of the users', in units of relevance times position weight.
        """
        check_curves(paths, "paths")
        measure = gini_index if unfairness is None else unfairness
        points = {
            name: (
                [measure(model.item_exposure_) for model in path],
                [model.user_utility_.mean() for model in path],
            )
            for name, path in paths.items()
        }
        return cls.from_points(points, ax=ax)

    @classmethod
    def from_points(cls, points, *, labels=None, ax=None):
        """Draw given points.

        Parameters
        ----------
        points : dict of str to tuple of (unfairness, utility)
            Two array-likes of the same length for each curve.
        labels : tuple of str, default=None
            Of the two axes.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : FairnessTradeoffDisplay
            One curve per entry.
        """
        check_curves(points, "points")
        arrays = {name: tuple(np.atleast_1d(values) for values in p) for name, p in points.items()}
        display = cls(points=arrays) if labels is None else cls(points=arrays, labels=labels)
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : FairnessTradeoffDisplay
            Itself, with the attributes.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.lines_ = {}
        for name, (unfairness, utility) in self.points.items():
            style = "o-" if len(unfairness) > 1 else "s"
            (self.lines_[name],) = ax.plot(unfairness, utility, style, label=name)
        ax.set(xlabel=self.labels[0], ylabel=self.labels[1])
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
