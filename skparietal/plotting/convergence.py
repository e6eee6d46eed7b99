"""Display of the distance to the optimum against passes over the users."""

import numpy as np

from skparietal.plotting._curves import check_curves


class ConvergenceDisplay:
    """Distance to the optimum against passes, in logarithmic axes.

    Build it with :meth:`from_estimators`.

    Parameters
    ----------
    passes : dict of str to ndarray
        Passes over the users at which each curve was measured.
    distance : dict of str to ndarray
        Distance to the optimum, or an upper bound of it; non-positive ones are left out.

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
    >>> import numpy as np
    >>> from skparietal import FairRankingFW
    >>> from skparietal.plotting import ConvergenceDisplay
    >>> X = np.random.default_rng(0).random((100, 20))
    >>> models = {s: FairRankingFW(solver=s, tol=0, max_iter=8).fit(X) for s in ("offr", "fw")}
    >>> sorted(ConvergenceDisplay.from_estimators(models).lines_)
    ['fw', 'offr']
    """

    def __init__(self, *, passes, distance):
        self.passes = passes
        self.distance = distance

    @classmethod
    def from_estimators(cls, estimators, *, optimum=None, ax=None):
        """Draw the histories of fitted fair rankings.

        Parameters
        ----------
        estimators : dict of str to FairRankingFW
            Fitted, each with `history_`.
        optimum : float, default=None
            Value that the objectives are compared with; None draws the certified gaps.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ConvergenceDisplay
            One curve per estimator.
        """
        check_curves(estimators, "estimators")
        histories = {name: model.history_ for name, model in estimators.items()}
        distance = {
            name: history["gap"] if optimum is None else optimum - history["objective"]
            for name, history in histories.items()
        }
        passes = {name: history["passes"] for name, history in histories.items()}
        return cls(passes=passes, distance=distance).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ConvergenceDisplay
            Itself, with the attributes.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.lines_ = {}
        for name, passes in self.passes.items():
            shown = np.where(self.distance[name] > 0, self.distance[name], np.nan)
            (self.lines_[name],) = ax.plot(passes, shown, "o-", markersize=3, label=name)
        ax.set(xscale="log", yscale="log", xlabel="passes over the users", ylabel="gap")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
