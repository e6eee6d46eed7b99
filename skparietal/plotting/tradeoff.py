"""Display of the risk under attack against the clean error that it costs."""

import numpy as np

from skparietal.metrics.adversarial import affine_coefficients
from skparietal.tradeoff import robustness_accuracy_tradeoff


class TradeoffDisplay:
    """Risk under attack of the most robust predictor of each clean error, one line per attack.

    Build it with :meth:`from_arrays` or :meth:`from_estimator`; both draw at once and return the
    display.

    Parameters
    ----------
    clean_excess : ndarray of shape (n_points,)
        Excess clean error, squared units of y.
    adversarial_risk : ndarray of shape (n_radii, n_points)
        Mean squared error under attack.
    radius : ndarray of shape (n_radii,)
        Attack sizes.
    optimal_clean_excess : ndarray of shape (n_radii,)
        Excess clean error at the optimum of each attack.
    optimal_risk : ndarray of shape (n_radii,)
        Risk there.
    free_radius : float, default=0.0
        Attack sizes up to it cost no accuracy; their lines are dashed.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last drawing.
    figure_ : matplotlib Figure
        Figure of the last drawing.
    lines_ : list of matplotlib Line2D
        One per attack size.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal.plotting import TradeoffDisplay
    >>> display = TradeoffDisplay.from_arrays(np.ones(3), np.eye(3), [0.1, 0.6], norm="linf")
    >>> len(display.lines_)
    2
    """

    def __init__(
        self,
        *,
        clean_excess,
        adversarial_risk,
        radius,
        optimal_clean_excess,
        optimal_risk,
        free_radius=0.0,
    ):
        self.clean_excess = clean_excess
        self.adversarial_risk = adversarial_risk
        self.radius = radius
        self.optimal_clean_excess = optimal_clean_excess
        self.optimal_risk = optimal_risk
        self.free_radius = free_radius

    @classmethod
    def from_arrays(
        cls, coef, covariance, radius, *, norm="l2", noise_variance=0.0, n_points=50, ax=None
    ):
        """Draw the trade-off of a known problem.

        Parameters
        ----------
        coef : array-like of shape (n_features,)
            True coefficients.
        covariance : array-like of shape (n_features, n_features)
            Covariance of the features.
        radius : array-like of shape (n_radii,)
            Attack sizes.
        norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
            Norm of the attack.
        noise_variance : float, default=0.0
            Variance of the label noise.
        n_points : int, default=50
            Points per line.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : TradeoffDisplay
            Drawn.
        """
        result = robustness_accuracy_tradeoff(
            coef,
            covariance,
            radius,
            norm=norm,
            noise_variance=noise_variance,
            n_points=n_points,
        )
        names = (
            "clean_excess",
            "adversarial_risk",
            "radius",
            "optimal_clean_excess",
            "optimal_risk",
            "free_radius",
        )
        return cls(**{name: result[name] for name in names}).plot(ax=ax)

    @classmethod
    def from_estimator(cls, estimator, X, y, radius, *, norm="l2", n_points=50, ax=None):
        """Draw the plug-in trade-off: a fitted affine model taken for the truth.

        Parameters
        ----------
        estimator : object
            Fitted affine model, such as least squares or a pipeline that ends in it.
        X : array-like of shape (n_samples, n_features)
            Rows; their covariance must be positive definite.
        y : array-like of shape (n_samples,)
            Targets; the mean squared residual is taken for the label noise.
        radius : array-like of shape (n_radii,)
            Attack sizes.
        norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
            Norm of the attack.
        n_points : int, default=50
            Points per line.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : TradeoffDisplay
            Drawn.
        """
        coef, intercept = affine_coefficients(estimator, X)
        rows = np.asarray(X, dtype=float)
        noise = np.mean((np.asarray(y) - rows @ coef - intercept) ** 2)
        return cls.from_arrays(
            coef,
            np.cov(rows.T, bias=True).reshape(len(coef), len(coef)),
            radius,
            norm=norm,
            noise_variance=noise,
            n_points=n_points,
            ax=ax,
        )

    def plot(self, ax=None):
        """Draw one line per attack size, with a marker at its minimum.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : TradeoffDisplay
            Itself.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.lines_ = []
        optima = zip(self.radius, self.adversarial_risk, self.optimal_clean_excess)
        for (radius, risk, where), least in zip(optima, self.optimal_risk):
            style = "--" if radius <= self.free_radius else "-"
            (line,) = ax.plot(self.clean_excess, risk, style, label=f"radius {radius:.3g}")
            ax.plot([where], [least], "o", color=line.get_color())
            self.lines_.append(line)
        ax.set(xlabel="excess clean error", ylabel="mean squared error under attack")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
