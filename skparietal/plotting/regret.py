"""Display of the regret of bandits against the number of rounds."""

import numpy as np

from skparietal.metrics import regret_slope
from skparietal.plotting._curves import check_curves


class RegretCurveDisplay:
    """Mean regret of one or several bandits in logarithmic axes, with error bars and slopes.

    Build it with :meth:`from_runs`, which draws at once and returns the display.

    Parameters
    ----------
    rounds : dict of str to ndarray of shape (n_recorded,)
        Rounds of each curve.
    regret : dict of str to ndarray of shape (n_seeds, n_recorded)
        Regrets of each curve.
    since : int, default=200
        First round that the slopes are fitted on.

    Attributes
    ----------
    mean_ : dict of str to ndarray of shape (n_recorded,)
        Mean over the seeds.
    standard_error_ : dict of str to ndarray of shape (n_recorded,)
        Of that mean; zero for a single seed.
    slopes_ : dict of str to float
        Slopes from ``since`` on; NaN when fewer than two rounds are left.
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    lines_ : dict of str to matplotlib Line2D
        Line of each curve.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.plotting import RegretCurveDisplay
    >>> rounds = np.array([100, 1000, 10_000])
    >>> run = {"rounds": rounds, "regret": np.array([1 / np.sqrt(rounds)])}
    >>> display = RegretCurveDisplay.from_runs({"bandit": run})
    >>> print(f"{display.slopes_['bandit']:.2f}")
    -0.50
    """

    def __init__(self, *, rounds, regret, since=200):
        self.rounds = rounds
        self.regret = regret
        self.since = since

    @classmethod
    def from_runs(cls, runs, *, since=200, ax=None):
        """Draw runs of :func:`~skparietal.simulation.simulate`.

        Parameters
        ----------
        runs : dict of str to mapping
            Name of each bandit and its run, with "rounds" and "regret".
        since : int, default=200
            First round that the slopes are fitted on.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : RegretCurveDisplay
            One curve per run.
        """
        check_curves(runs, "runs")
        display = cls(
            rounds={name: np.asarray(run["rounds"]) for name, run in runs.items()},
            regret={name: np.atleast_2d(run["regret"]) for name, run in runs.items()},
            since=since,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : RegretCurveDisplay
            Itself, with the attributes.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.mean_, self.standard_error_, self.slopes_, self.lines_ = {}, {}, {}, {}
        for name in self.rounds:
            self._measure(name)
            self.lines_[name] = self._draw(ax, name)
        ax.set(xscale="log", yscale="log", xlabel="rounds", ylabel="regret")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _measure(self, name):
        rounds, regret = self.rounds[name], self.regret[name]
        self.mean_[name] = regret.mean(axis=0)
        self.standard_error_[name] = regret.std(axis=0, ddof=min(1, len(regret) - 1)) / np.sqrt(
            len(regret)
        )
        used = (rounds >= self.since) & (self.mean_[name] > 0)
        enough = used.sum() > 1
        self.slopes_[name] = regret_slope(rounds, regret, since=self.since) if enough else np.nan

    def _draw(self, ax, name):
        mean, error = self.mean_[name], self.standard_error_[name]
        # the mean of a run can fall below zero by luck; logarithmic axes leave a gap there
        shown = np.where(mean > 0, mean, np.nan)
        label = f"{name} (slope {self.slopes_[name]:.2f})"
        (line,) = ax.plot(self.rounds[name], shown, label=label)
        low = np.where(mean > error, mean - error, np.nan)
        ax.fill_between(
            self.rounds[name], low, mean + error, color=line.get_color(), alpha=0.25, lw=0
        )
        return line
