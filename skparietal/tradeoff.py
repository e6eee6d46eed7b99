"""What robustness costs in accuracy: the frontier between clean error and risk under attack."""

import numpy as np
from sklearn.utils import Bunch

from skparietal.adversarial_risk import GaussianRisk
from skparietal.solvers.robustness.adversarial_least_squares import (
    collapse_radius,
    frontier_path,
    minimize_for_radii,
)
from skparietal.solvers.robustness.change_of_variables import (
    original_coef,
    transformed_coef,
    transformed_gram,
)
from skparietal.solvers.robustness.convex import least_norm_points
from skparietal.solvers.robustness.frontier import locate_excess
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss
from skparietal.theory.robustness import check_nonnegative, check_population, free_radius


def robustness_accuracy_tradeoff(
    coef, covariance, radius, *, norm="l2", noise_variance=0.0, clean_loss_grid=None, n_points=50
):
    """Least risk under attack among the predictors of each clean error.

    In the population: features with this covariance, targets linear in them plus noise. Three
    phases without noise: small attacks are withstood for free, large ones collapse the predictor to
    zero, and in between accuracy is traded for robustness. With noise there is no free phase.

    Parameters
    ----------
    coef : array-like of shape (n_features,)
        True coefficients.
    covariance : array-like of shape (n_features, n_features)
        Positive definite covariance of the features.
    radius : float or array-like of shape (n_radii,)
        Sizes of the attack, >= 0.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack.
    noise_variance : float, default=0.0
        Variance of the label noise.
    clean_loss_grid : array-like of shape (n_points,), default=None
        Excess clean errors, in squared units of y, at which the frontier is evaluated; from 0 to
        the variance of the target without noise by default, evenly in the root.
    n_points : int, default=50
        Size of the default grid.

    Returns
    -------
    tradeoff : Bunch
        radius (n_radii,); clean_excess (n_points,): excess of the clean mean squared error over the
        noise; dual_norm (n_points,): the least one there; coefs (n_points, n_features);
        adversarial_risk (n_radii, n_points): mean squared error under attack, noise included;
        optimal_clean_excess and optimal_risk (n_radii,): at the minimum of each; free_radius (0
        with noise) and collapse_radius: limits of the phases.

    Raises
    ------
    ValueError
        If the covariance is not positive definite and of the size of coef, coef is zero, or a
        radius, the noise variance or the grid is negative or not finite.

    References
    ----------
    Dohmatob, Scetbon, Precise Accuracy / Robustness Tradeoffs in Regression: Case of General Norms,
    2024 (the question, and that all three phases occur); the formulas are derived here.

    Examples
    --------
    >>> import numpy as np
    >>> from skparietal import robustness_accuracy_tradeoff
    >>> result = robustness_accuracy_tradeoff(np.ones(4), np.eye(4), [0.3, 0.5], norm="linf")
    >>> result.free_radius
    0.398...
    >>> result.optimal_clean_excess.round(3)
    array([0., 1.])
    """
    coef, covariance, norm = check_population(coef, covariance, norm)
    radii = np.atleast_1d(np.asarray(radius, dtype=float))
    check_nonnegative(radius=radii, noise_variance=noise_variance)
    if n_points < 2:
        raise ValueError(f"n_points must be at least 2, got {n_points}.")
    # In units of size one nothing over- or underflows.
    x = np.sqrt(np.max(np.diagonal(covariance)))
    coef, covariance = coef * x, covariance / x / x
    y = np.sqrt(coef @ covariance @ coef)
    if clean_loss_grid is not None:
        clean_loss_grid = np.asarray(clean_loss_grid, dtype=float)
        check_nonnegative(clean_loss_grid=clean_loss_grid)
        clean_loss_grid = clean_loss_grid / y / y
    result = _tradeoff(
        coef / y, covariance, radii / x, norm, noise_variance / y / y, clean_loss_grid, n_points
    )
    squares = "clean_excess", "adversarial_risk", "optimal_clean_excess", "optimal_risk"
    result.update({name: result[name] * y * y for name in squares})
    result.update({name: result[name] * (y / x) for name in ("coefs", "dual_norm")})
    result.update({name: float(result[name] * x) for name in ("free_radius", "collapse_radius")})
    result.radius = radii
    return result


def _tradeoff(coef, covariance, radii, norm, noise_variance, excess, n_points):
    """The trade-off of a target of variance one."""
    free = free_radius(coef, covariance, norm=norm) if noise_variance == 0 else 0.0
    base, transform = norm.reduce()
    loss = _loss(coef, covariance, transform, noise_variance)
    excess = np.linspace(0, 1, n_points) ** 2 if excess is None else excess
    path = frontier_path(loss, base)
    scaled = (
        path.coef(locate_excess(path, excess)) if path else least_norm_points(loss, base, excess)
    )
    coefs = original_coef(transform, scaled)
    dual = norm.dual.norm(coefs)
    clean = np.sqrt(np.minimum(excess, 1) + noise_variance)
    best = minimize_for_radii(loss, base, GaussianRisk, radii, path=path)
    return Bunch(
        radius=radii,
        clean_excess=excess,
        dual_norm=dual,
        coefs=coefs,
        adversarial_risk=GaussianRisk(radii[:, None]).value(clean, dual),
        optimal_clean_excess=np.array([max(p.clean**2 - noise_variance, 0.0) for p in best]),
        optimal_risk=np.array(
            [GaussianRisk(r).value(p.clean, p.dual) for r, p in zip(radii, best)]
        ),
        free_radius=free,
        collapse_radius=collapse_radius(loss, base, GaussianRisk),
    )


def _loss(coef, covariance, transform, noise_variance):
    return QuadraticLoss(
        transformed_coef(transform, coef),
        noise_variance,
        gram=transformed_gram(transform, covariance),
    )
