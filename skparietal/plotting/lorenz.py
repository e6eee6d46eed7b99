"""Display of how unequally exposure is shared among items."""

import numpy as np

from skparietal.metrics import gini_index, lorenz_curve
from skparietal.plotting._curves import check_curves


class LorenzCurveDisplay:
    """Lorenz curves of exposures, with the diagonal of equal exposure and the Gini indices.

    Build it with :meth:`from_estimators` or :meth:`from_exposures`.

    Parameters
    ----------
    exposures : dict of str to ndarray of shape (n_items,)
        Exposure of the items by each ranking, of any unit.

    Attributes
    ----------
    gini_ : dict of str to float
        Gini index of each curve.
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    lines_ : dict of str to matplotlib Line2D
        Line of each curve.

    Examples
    --------
    >>> from skparietal.plotting import LorenzCurveDisplay
    >>> display = LorenzCurveDisplay.from_exposures({"equal": [1.0, 1.0], "one": [0.0, 1.0]})
    >>> display.gini_
    {'equal': 0.0, 'one': 0.5}
    """

    def __init__(self, *, exposures):
        self.exposures = exposures

    @classmethod
    def from_estimators(cls, estimators, *, ax=None):
        """Draw the exposures of fitted fair rankings.

        Parameters
        ----------
        estimators : dict of str to FairRankingFW
            Fitted.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : LorenzCurveDisplay
            One curve per estimator.
        """
        check_curves(estimators, "estimators")
        exposures = {name: model.item_exposure_ for name, model in estimators.items()}
        return cls.from_exposures(exposures, ax=ax)

    @classmethod
    def from_exposures(cls, exposures, *, ax=None):
        """Draw given exposures.

        Parameters
        ----------
        exposures : dict of str to array-like of shape (n_items,)
            Exposure of the items by each ranking.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : LorenzCurveDisplay
            One curve per entry.
        """
        check_curves(exposures, "exposures")
        arrays = {name: np.asarray(exposure) for name, exposure in exposures.items()}
        return cls(exposures=arrays).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : LorenzCurveDisplay
            Itself, with the attributes.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        ax.plot([0, 1], [0, 1], color="black", linestyle=":", label="equal exposure")
        self.gini_ = {name: gini_index(exposure) for name, exposure in self.exposures.items()}
        self.lines_ = {
            name: ax.plot(*lorenz_curve(exposure), label=f"{name} (Gini {self.gini_[name]:.2f})")[0]
            for name, exposure in self.exposures.items()
        }
        ax.set(xlabel="share of items, least shown first", ylabel="share of exposure")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
