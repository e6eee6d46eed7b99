"""Learning rates under which gradient descent suits the norm of an attack."""

import numpy as np

from skparietal.adversarial_risk import GaussianRisk
from skparietal.norms import GroupNorm, LpNorm
from skparietal.solvers.robustness.adversarial_least_squares import (
    frontier_path,
    minimize_adversarial_risk,
)
from skparietal.solvers.robustness.change_of_variables import (
    composed,
    original_coef,
    transformed_correlation,
    transformed_gram,
)
from skparietal.solvers.robustness.generalized_cv import locate_gcv
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss, eigenbasis

# Unexplained share of the variance that is the rounding of a difference.
ROUNDING = 1e-12


def preconditioner_root(rates, n_features):
    """Root T of a preconditioner T T'.

    Parameters
    ----------
    rates : array-like of shape (n_features,) or (n_features, n_features)
        One learning rate per feature, or a positive definite matrix.
    n_features : int
        Number of features.

    Returns
    -------
    root : ndarray of the shape of rates
        Square roots, or the Cholesky factor.

    Raises
    ------
    ValueError
        If the shape is another one, or the rates are not positive and finite.
    """
    rates = np.asarray(rates, dtype=float)
    finite = bool(np.all(np.isfinite(rates)))
    if rates.shape == (n_features,) and finite and np.all(rates > 0):
        return np.sqrt(rates)
    if rates.shape == (n_features, n_features) and finite and np.allclose(rates, rates.T):
        try:
            return np.linalg.cholesky(rates)
        except np.linalg.LinAlgError:
            pass
    raise ValueError(
        f"preconditioner must be {n_features} positive rates or a symmetric positive definite "
        f"matrix of that size, got shape {rates.shape}."
    )


def is_tangent(norm):
    """Whether the preconditioner that suits a norm depends on the target, by `tangent_root`.

    Parameters
    ----------
    norm : Norm
        Norm of the attack.

    Returns
    -------
    tangent : bool
        True for p = 1 and for p > 2, of features or of Euclidean group norms, also scaled.
    """
    return tangent_root(norm.reduce()[0], np.ones(norm.n_features or 1)) is not None


def attack_root(norm, gram, correlation, variance, radius, *, n_samples=None, intercept=True):
    """Root of the preconditioner that suits an attack: its matrix, or tangent to its dual ball.

    The tangent point is the robust solution at the training error, or, with `n_samples`, the one
    whose training error is corrected by generalised cross-validation: with few rows the former fits
    the noise, and so do rates that follow it.

    Parameters
    ----------
    norm : Norm
        Norm of the attack.
    gram : ndarray of shape (n_features, n_features)
        Covariance of the features, per sample.
    correlation : ndarray of shape (n_features,)
        Covariance of the features and the target.
    variance : float
        Variance of the target.
    radius : float
        Size of the attack.
    n_samples : float, default=None
        Sum of the sample weights, for the correction; None for none. It needs a norm with a path,
        such as linf.
    intercept : bool, default=True
        Whether one more degree of freedom went into an intercept.

    Returns
    -------
    root : None or ndarray of shape (n_features,) or (n_features, n_variables)
        Root T of the preconditioner T T'; None for the identity, a vector for a diagonal matrix.
    target : None or ndarray of shape (n_features,)
        Robust solution that the rates follow, if they follow one.
    """
    base, transform = norm.reduce()
    if not is_tangent(norm):
        return transform, None
    inner = transformed_gram(transform, gram)
    pulled = transformed_correlation(transform, correlation)
    basis = eigenbasis(inner)
    center = basis.solve(pulled)
    if not center.any():
        return transform, None
    floor = unexplained(variance, center @ pulled)
    loss = QuadraticLoss(center, floor, gram=inner)
    target = _robust_coef(loss, base, radius, n_samples, intercept)
    root = composed(transform, tangent_root(base, target if target.any() else center))
    return root, original_coef(transform, target)


def unexplained(variance, explained):
    """Variance of the target that least squares leaves; 0 where that is rounding.

    Parameters
    ----------
    variance : float
        Variance of the target.
    explained : float
        Part of it that is explained.

    Returns
    -------
    floor : float
        Mean squared error of least squares.
    """
    floor = variance - explained
    return floor if floor > ROUNDING * variance else 0.0


def _robust_coef(loss, norm, radius, n_samples, intercept):
    """Minimiser of the Gaussian risk, solved in units where nothing overflows."""
    unit = np.sqrt(np.max(np.diagonal(loss.gram)))
    size = np.max(np.abs(loss.center)) * unit
    scaled = QuadraticLoss(
        loss.center * (unit / size), loss.floor / size**2, gram=loss.gram / unit**2
    )
    risk = GaussianRisk(radius / unit)
    # The correction grows along the path: its best point is before that of the training error.
    path = None if n_samples is None else frontier_path(scaled, norm, until=risk)
    if path is None:
        return minimize_adversarial_risk(scaled, norm, risk).coef * (size / unit)
    risk = GaussianRisk(np.array([risk.radius]))
    position = locate_gcv(path, risk, n_samples, intercept=intercept)
    return path.coef(position)[0] * (size / unit)


def tangent_root(norm, coef):
    """Root of the preconditioner whose ellipsoid touches the dual ball at given coefficients.

    The ellipsoid w' P^-1 w <= 1 is inside the dual ball of radius b(coef), and the coefficients are
    on both: descent under P passes near them, and the bound of Euclidean attacks carries over. For
    lp attacks with p > 2, by Hoelder |w|_q^2 <= sum(w^2 / eta) times a norm of eta, with equality
    at the rates eta = |w|^(2 - q); for linf attacks eta = |w|, and a feature that is zero there is
    never learned. For l1 attacks the dual ball is a cube: P = u u' + diag(1 - u^2), u the
    coefficients over the largest, has the diagonal 1 and so fits into it.

    Parameters
    ----------
    norm : Norm
        Norm of the attack: p = 1 or p > 2, of features or of Euclidean group norms.
    coef : ndarray of shape (n_features,)
        Coefficients that the path shall reach; not zero.

    Returns
    -------
    root : ndarray of shape (n_features,) or (n_features, 1 + n_features), or None
        Root T of P = T T', of size one; a vector for a diagonal matrix. None for a norm without
        such an ellipsoid here.

    References
    ----------
    The preconditioning of Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent,
    Early-stopping, and Beyond, 2023, is for Mahalanobis attacks; this extension is derived here.
    """
    if isinstance(norm, GroupNorm):
        sizes = norm.spread(norm.group_norms(coef))
    elif isinstance(norm, LpNorm):
        sizes = np.abs(coef)
    else:
        return None
    if norm.p == 1:
        largest = norm.dual.norm(coef)
        left = np.sqrt(np.maximum(1 - (sizes / largest) ** 2, 0))
        return np.column_stack([coef / largest, np.diag(left)])
    if norm.p <= 2:
        return None
    rates = sizes ** (2 - norm.dual.p)
    # Relative to the fastest, so that times have the unit that they have without rates.
    return np.sqrt(rates / rates.max())
