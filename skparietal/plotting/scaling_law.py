"""Display of a fitted scaling law over the measurements."""

import numpy as np


class ScalingLawDisplay:
    """Learning curve with its law, its interval and its plateau, on logarithmic axes.

    Build it with :meth:`from_estimator`.

    Parameters
    ----------
    sizes : ndarray of shape (n_points,)
        Sizes at which the law is drawn.
    errors : ndarray of shape (n_points,)
        Errors of the law.
    interval : tuple of two ndarrays of shape (n_points,), default=None
        Lower and upper ends.
    plateau : float, default=0.0
        Drawn as a level when positive and finite.
    measured : tuple of two ndarrays of shape (n_samples,), default=None
        Sizes and errors measured.
    law_name : str, default="law"
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    line_ : matplotlib Line2D
        Line of the law.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import ScalingLawRegressor
    >>> from skparietal.plotting import ScalingLawDisplay
    >>> sizes = np.array([100, 200, 400, 800, 1600, 3200.0])[:, None]
    >>> law = ScalingLawRegressor("power_plateau").fit(sizes, sizes[:, 0] ** -0.5 + 0.02)
    >>> display = ScalingLawDisplay.from_estimator(law, sizes, sizes[:, 0] ** -0.5 + 0.02)
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(self, *, sizes, errors, interval=None, plateau=0.0, measured=None, law_name="law"):
        self.sizes = sizes
        self.errors = errors
        self.interval = interval
        self.plateau = plateau
        self.measured = measured
        self.law_name = law_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, extrapolate=10.0, alpha=0.1, ax=None):
        """Draw a fitted law of one column.

        Parameters
        ----------
        estimator : ScalingLawRegressor
            Fitted; with bootstrap samples the interval is drawn too.
        X : array-like of shape (n_samples, 1)
            Sizes measured.
        y : array-like of shape (n_samples,)
            Errors measured.
        extrapolate : float, default=10.0
            Factor by which the line goes beyond the largest size.
        alpha : float, default=0.1
            One minus the confidence level of the interval.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ScalingLawDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the law has several columns.
        """
        if estimator.n_features_in_ != 1:
            raise ValueError(
                f"A law of {estimator.n_features_in_} columns cannot be drawn against one size."
            )
        measured = np.asarray(X, dtype=float).ravel(), np.asarray(y, dtype=float)
        low = measured[0][measured[0] > 0].min()
        grid = np.geomspace(low, measured[0].max() * extrapolate, 100)[:, None]
        if getattr(estimator, "feature_names_in_", None) is not None:
            import pandas as pd

            grid = pd.DataFrame(grid, columns=estimator.feature_names_in_)
        interval = None
        if hasattr(estimator, "bootstrap_params_"):
            interval = estimator.predict_interval(grid, alpha=alpha)
        name = estimator.law_ if isinstance(estimator.law_, str) else "law"
        return cls(
            sizes=np.asarray(grid)[:, 0],
            errors=estimator.predict(grid),
            interval=interval,
            plateau=estimator.plateau_,
            measured=measured,
            law_name=name,
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the law.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ScalingLawDisplay
            Itself, with `ax_`, `figure_` and `line_`.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        (self.line_,) = ax.plot(self.sizes, self.errors, label=self.law_name)
        color = self.line_.get_color()
        if self.interval is not None:
            ax.fill_between(self.sizes, *self.interval, color=color, alpha=0.25, lw=0)
        if np.isfinite(self.plateau) and self.plateau > 0:
            ax.axhline(self.plateau, color=color, linewidth=0.8, linestyle=":")
        if self.measured is not None:
            ax.plot(*self.measured, "o", color=color, markersize=4)
        ax.set(xscale="log", yscale="log", xlabel="size", ylabel="error")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
