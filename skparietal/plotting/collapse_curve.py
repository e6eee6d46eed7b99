"""Display of the risk of a model trained on synthetic labels, against alpha or generations."""

import numpy as np


class CollapseCurveDisplay:
    """Risk curves of a model that was trained on synthetic labels.

    Build it with :meth:`from_estimator` (risk against alpha) or :meth:`from_generations` (risk
    against the generation); both draw at once and return the display.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Alphas or generations.
    curves : dict of str to ndarray of shape (n_points,)
        Name and values of each line.
    bands : dict of str to ndarray of shape (n_points,), default=None
        Half-widths of the bands around lines of the same name.
    marks : dict of str to float, default=None
        Points of x to mark on lines of the same name.
    x_name : str, default="alpha"
        Label of the horizontal axis.
    y_name : str, default="excess risk"
        Label of the vertical axis.
    log : bool, default=True
        Whether both axes are logarithmic.

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
    >>> from skparietal.plotting import CollapseCurveDisplay
    >>> display = CollapseCurveDisplay.from_generations(
    ...     [[1.0, 2.1, 2.9], [1.1, 1.9, 3.1]], theory=[1, 2, 3]
    ... )
    >>> sorted(display.lines_)
    ['measured', 'theory']
    """

    def __init__(
        self,
        *,
        x,
        curves,
        bands=None,
        marks=None,
        x_name="alpha",
        y_name="excess risk",
        log=True,
    ):
        self.x = x
        self.curves = curves
        self.bands = bands
        self.marks = marks
        self.x_name = x_name
        self.y_name = y_name
        self.log = log

    @classmethod
    def from_estimator(cls, estimator, *, true_risk=None, ax=None):
        """Draw what ordinary and corrected cross-validation say about each alpha.

        Parameters
        ----------
        estimator : AdaptiveRidgeCollapse
            A fitted estimator.
        true_risk : array-like of shape (n_alphas,), default=None
            True excess risk at each alpha, where it is known.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CollapseCurveDisplay
            With the curves "GCV" (less the label noise), "corrected" and, if given, "true"; the
            alpha that each would choose is marked.
        """
        curve = estimator.risk_curve()
        alphas = curve["alphas"]
        curves = {
            "GCV": curve["gcv"] - np.sum(estimator.noise_variance_),
            "corrected": curve["estimated_risk"],
        }
        marks = {"GCV": estimator.alpha_gcv_, "corrected": estimator.alpha_}
        if true_risk is not None:
            curves["true"] = np.asarray(true_risk)
            marks["true"] = alphas[np.argmin(curves["true"])]
        return cls(x=alphas, curves=curves, marks=marks).plot(ax=ax)

    @classmethod
    def from_generations(cls, risks, *, theory=None, ax=None):
        """Draw the risk of each generation of a chain.

        Parameters
        ----------
        risks : array-like of shape (n_generations + 1,) or (n_chains, n_generations + 1)
            Risks, generation 0 first; several chains are drawn as mean and standard error.
        theory : array-like of shape (n_generations + 1,), default=None
            Risk that theory predicts.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CollapseCurveDisplay
            With the curves "measured" and, if given, "theory".
        """
        risks = np.atleast_2d(np.asarray(risks, dtype=float))
        curves, bands = {"measured": risks.mean(axis=0)}, None
        if len(risks) > 1:
            bands = {"measured": risks.std(axis=0, ddof=1) / np.sqrt(len(risks))}
        if theory is not None:
            curves["theory"] = np.asarray(theory, dtype=float)
        generations = np.arange(risks.shape[1])
        display = cls(x=generations, curves=curves, bands=bands, x_name="generation", log=False)
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CollapseCurveDisplay
            Itself, with `ax_`, `figure_` and `lines_`.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.lines_ = {}
        for name, values in self.curves.items():
            # A risk estimate may fall below zero by noise; a logarithmic axis leaves a gap there.
            shown = np.where(values > 0, values, np.nan) if self.log else values
            style = {"linestyle": "--", "color": "black"} if name in ("true", "theory") else {}
            (self.lines_[name],) = ax.plot(self.x, shown, label=name, **style)
            self._decorate(ax, name, values)
        if self.log:
            ax.set(xscale="log", yscale="log")
        ax.set(xlabel=self.x_name, ylabel=self.y_name)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _decorate(self, ax, name, values):
        """Draw the band around a line and the mark on it."""
        color = self.lines_[name].get_color()
        if name in (self.bands or {}):
            half = self.bands[name]
            ax.fill_between(self.x, values - half, values + half, color=color, alpha=0.25, lw=0)
        if name in (self.marks or {}):
            ax.axvline(self.marks[name], color=color, linewidth=0.8, linestyle=":")
