"""Robust regression in the population: phases, exponents, bounds, counter-examples."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import lsq_linear

from skparietal.adversarial_risk import SQRT_2_PI, GaussianRisk, SurrogateRisk
from skparietal.norms import GroupNorm, LpNorm, MahalanobisNorm, check_norm

# sup over x of (1 - exp(-x)) (1 + x) / x: how much larger than ridge a flow can be.
FLOW_OVER_RIDGE = 1.298426

RISKS = {"gaussian": GaussianRisk, "surrogate": SurrogateRisk}


def free_radius(coef, covariance, *, norm="l2", objective="gaussian"):
    """Largest attack size for which robustness is free: the true coefficients stay optimal.

    Without label noise. With any noise there is no such regime: the optimum moves for every radius.

    Parameters
    ----------
    coef : array-like of shape (n_features,)
        True coefficients.
    covariance : array-like of shape (n_features, n_features)
        Positive definite covariance of the features.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack.
    objective : {"gaussian", "surrogate"}, default="gaussian"
        Risk that is minimised.

    Returns
    -------
    radius : float
        sqrt(2/pi) / s for the Gaussian risk and 1 / s for the surrogate, s the least norm in
        the inverse covariance of a subgradient of the dual norm at the coefficients.

    References
    ----------
    Dohmatob, Scetbon, Precise Accuracy / Robustness Tradeoffs in Regression: Case of General Norms,
    2024 (such regimes exist); the formula is derived here.
    """
    coef, covariance, norm = check_population(coef, covariance, norm)
    base, coef, covariance = _reduced(norm, coef, covariance)
    root = cholesky(covariance, lower=True)
    z = solve_triangular(root, _least_subgradient(base, coef, root), lower=True)
    return float(_risk(objective).at_center(1 / np.linalg.norm(z)))


def collapse_radius(coef, covariance, *, norm="l2", noise_variance=0.0, objective="gaussian"):
    """Smallest attack size for which the best predictor is a constant.

    Parameters
    ----------
    coef : array-like of shape (n_features,)
        True coefficients.
    covariance : array-like of shape (n_features, n_features)
        Positive definite covariance of the features.
    norm : {"l1", "l2", "linf"}, float or Norm, default="l2"
        Norm of the attack.
    noise_variance : float, default=0.0
        Variance of the label noise.
    objective : {"gaussian", "surrogate"}, default="gaussian"
        Risk that is minimised.

    Returns
    -------
    radius : float
        Attack norm of S w over the root of w'S w + noise_variance, over sqrt(2/pi) for the Gaussian
        risk.

    References
    ----------
    Dohmatob, Scetbon, Precise Accuracy / Robustness Tradeoffs in Regression: Case of General Norms,
    2024 (the setting); the formula is derived here.
    """
    coef, covariance, norm = check_population(coef, covariance, norm)
    check_nonnegative(noise_variance=noise_variance)
    pull = covariance @ coef
    size = np.sqrt(coef @ pull + noise_variance)
    return float(_risk(objective).at_zero(norm.norm(pull) / size))


def power_law_risk_exponent(capacity, decay, norm="l2"):
    """Exponent g of the optimal risk r^g of small attacks in infinite dimension.

    Variances k^-capacity and coefficients k^-decay, independent features, no noise.

    Parameters
    ----------
    capacity : float
        Decay of the variances, > 0.
    decay : float
        Decay of the coefficients; capacity + 2 decay > 1, or the target has no variance.
    norm : {"l2", "linf"}, default="l2"
        Norm of the attack.

    Returns
    -------
    exponent : float
        min(2, 2 (capacity + 2 decay - 1) / capacity) for l2 attacks, with capacity + 1 in the
        denominator for linf attacks. At the kink to 2 a logarithm is missing.

    Raises
    ------
    ValueError
        If capacity + 2 decay <= 1, or the norm is another one.

    References
    ----------
    Derived here, in the setting of Scetbon and Dohmatob, 2023.
    """
    if not (capacity > 0 and capacity + 2 * decay > 1):
        raise ValueError("capacity must be > 0 and capacity + 2 decay > 1.")
    _check_closed_form(norm)
    denominator = capacity if norm == "l2" else capacity + 1
    return min(2.0, 2 * (capacity + 2 * decay - 1) / denominator)


def diagonal_frontier(variances, coef, multiplier, norm="l2"):
    """Optimal clean error and dual norm for independent features, in closed form.

    Parameters
    ----------
    variances : array-like of shape (n_features,)
        Variances of the features.
    coef : array-like of shape (n_features,)
        True coefficients.
    multiplier : float
        Penalty mu >= 0: of the squared norm (l2 attacks: ridge weights) or of the sum of absolute
        coefficients (linf attacks: soft thresholds mu / variance).
    norm : {"l2", "linf"}, default="l2"
        Norm of the attack.

    Returns
    -------
    clean : float
        Root of the excess error.
    dual : float
        Dual norm of the coefficients.
    price : float
        Minus the derivative of clean^2 / 2 in the dual norm.
    """
    _check_closed_form(norm)
    check_nonnegative(variances=variances, multiplier=multiplier)
    variances, coef = np.asarray(variances, dtype=float), np.abs(np.asarray(coef, dtype=float))
    if norm == "l2":
        kept = variances / (variances + multiplier)
        dual = np.linalg.norm(kept * coef)
        return float(np.sqrt(variances @ ((1 - kept) * coef) ** 2)), float(dual), multiplier * dual
    threshold = multiplier / variances
    lost = np.minimum(coef, threshold)
    return float(np.sqrt(variances @ lost**2)), float(np.sum(coef - lost)), float(multiplier)


def early_stopping_bound(distortion=1.0):
    """Largest ratio of the best gradient-flow risk to the optimal one.

    Parameters
    ----------
    distortion : float, default=1.0
        Largest over smallest ratio of the dual norm to the Euclidean norm in the preconditioned
        variables; 1 for Euclidean and for Mahalanobis attacks with their own matrix.

    Returns
    -------
    ratio : float
        1.6859 distortion^2.

    References
    ----------
    Ali, Kolter, Tibshirani, A continuous-time view of early stopping for least squares, 2019
    (1.6862 for the prediction risk); the adversarial version is derived here.
    """
    if not distortion >= 1:
        raise ValueError(f"distortion must be at least 1, got {distortion}.")
    return FLOW_OVER_RIDGE**2 * distortion**2


def mahalanobis_counterexample(epsilon):
    """Problem on which plain gradient descent is 0.25 / epsilon^2 times worse than the optimum.

    Parameters
    ----------
    epsilon : float
        The smaller, the worse; > 0.

    Returns
    -------
    coef : ndarray of shape (2,)
        True coefficients (epsilon, 1).
    covariance : ndarray of shape (2, 2)
        Identity, so that descent moves on a line.
    norm : MahalanobisNorm
        Norm of the attack; its radius is 1.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023
    (that descent can be arbitrarily bad); this instance is derived here.
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon must be > 0, got {epsilon}.")
    norm = MahalanobisNorm(np.diag([epsilon**2, epsilon**-2.0]))
    return np.array([epsilon, 1.0]), np.eye(2), norm


def linf_counterexample(n_levels):
    """Problem on which plain descent loses to the optimum without bound under linf attacks.

    Parameters
    ----------
    n_levels : int
        K: one strong coefficient and K^2 of size K^-1.5.

    Returns
    -------
    coef : ndarray of shape (1 + n_levels ** 2,)
        True coefficients; the covariance is the identity.
    radius : float
        Size K^-0.5 of the attack.

    References
    ----------
    As `mahalanobis_counterexample`.
    """
    if n_levels < 1:
        raise ValueError(f"n_levels must be at least 1, got {n_levels}.")
    small = np.full(n_levels**2, float(n_levels) ** -1.5)
    return np.append(1.0, small), float(n_levels) ** -0.5


def gaussian_adversarial_risk(clean, dual, radius):
    """Adversarial mean squared error at a clean error and a dual norm, for Gaussian residuals.

    Parameters
    ----------
    clean : float or ndarray
        Root mean squared error without an attack.
    dual : float or ndarray
        Dual norm of the coefficients.
    radius : float or ndarray
        Size of the attack.

    Returns
    -------
    risk : float or ndarray
        Value clean^2 + (radius dual)^2 + 2 sqrt(2/pi) radius clean dual.

    Examples
    --------
    >>> from skparietal.theory import gaussian_adversarial_risk
    >>> gaussian_adversarial_risk(clean=0.0, dual=2.0, radius=0.5)
    1.0
    """
    check_nonnegative(radius=radius)
    return GaussianRisk(radius).value(clean, dual)


def surrogate_bound():
    """Largest ratio of the risk of the surrogate's minimiser to the optimal risk, for every norm.

    Returns
    -------
    ratio : float
        Constant 2 / (1 + sqrt(2/pi)) = 1.1124.

    References
    ----------
    Scetbon, Dohmatob, Robust Linear Regression: Gradient-descent, Early-stopping, and Beyond, 2023
    (the constant is in the abstract).
    """
    return 2 / (1 + SQRT_2_PI)


def check_population(coef, covariance, norm):
    """Arrays and norm of a population problem, checked.

    Parameters
    ----------
    coef : array-like of shape (n_features,)
        True coefficients.
    covariance : array-like of shape (n_features, n_features)
        Positive definite covariance of the features.
    norm : {"l1", "l2", "linf"}, float or Norm
        Norm of the attack.

    Returns
    -------
    coef : ndarray of shape (n_features,)
        Not zero.
    covariance : ndarray of shape (n_features, n_features)
        Symmetric positive definite.
    norm : Norm
        The object.

    Raises
    ------
    ValueError
        If one of them is not as it should be.
    """
    coef, covariance = np.asarray(coef, dtype=float), np.asarray(covariance, dtype=float)
    if coef.ndim != 1 or covariance.shape != (len(coef), len(coef)):
        raise ValueError(
            f"covariance must be ({coef.size}, {coef.size}) for coef of shape {coef.shape}, got "
            f"{covariance.shape}."
        )
    if not np.all(np.isfinite(coef)) or not coef.any():
        raise ValueError("coef must be finite and not zero: there would be nothing to attack.")
    if not np.all(np.isfinite(covariance)) or not np.allclose(covariance, covariance.T):
        raise ValueError("covariance must be symmetric and finite.")
    try:
        cholesky(covariance, lower=True)
    except LinAlgError as error:
        raise ValueError(
            "covariance must be positive definite: drop redundant features, or add a small "
            "diagonal."
        ) from error
    return coef, covariance, check_norm(norm, len(coef))


def _check_closed_form(norm):
    if norm not in ("l2", "linf"):
        raise ValueError(f"norm must be 'l2' or 'linf', got {norm!r}.")


def check_nonnegative(**values):
    """Refuse what is not finite or below zero.

    Parameters
    ----------
    **values : float or ndarray
        By the name that the message shall give.

    Raises
    ------
    ValueError
        If one is negative or not finite.
    """
    for name, value in values.items():
        if not np.all(np.isfinite(value)) or np.any(np.asarray(value) < 0):
            raise ValueError(f"{name} must be finite and >= 0, got {value}.")


def _risk(objective):
    if objective not in RISKS:
        raise ValueError(f"objective must be one of {sorted(RISKS)}, got {objective!r}.")
    return RISKS[objective](1.0)


def _reduced(norm, coef, covariance):
    """The same problem in the variables where the norm is its base norm."""
    base, transform = norm.reduce()
    if transform is None:
        return base, coef, covariance
    if transform.ndim == 1:
        return base, coef / transform, transform[:, None] * covariance * transform
    return base, np.linalg.solve(transform, coef), transform.T @ covariance @ transform


def _least_subgradient(norm, coef, root):
    """Subgradient z of the dual norm at coef with the least z'S^-1 z, S = root root'."""
    if isinstance(norm, LpNorm) and np.isinf(norm.p):
        return _least_sign(coef, root)
    if _is_smooth(norm, coef):
        return norm.worst_case(coef)
    import cvxpy

    z = cvxpy.Variable(len(coef))
    whitened = solve_triangular(root, np.eye(len(coef)), lower=True) @ z
    # The face of the ball has no interior: a little room keeps the conic solver accurate.
    reach = z @ (coef / norm.dual.norm(coef)) >= 1 - 1e-7
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm(whitened, 2)), [norm.to_cvxpy(z) <= 1, reach])
    problem.solve(solver=cvxpy.CLARABEL)
    return z.value


def _is_smooth(norm, coef):
    """Whether the dual norm is known to have one gradient at coef."""
    if isinstance(norm, GroupNorm):
        return np.isinf(norm.p) and bool(np.all(norm.group_norms(coef) > 0))
    if not isinstance(norm, LpNorm):
        return False
    return norm.p > 1 or np.count_nonzero(np.abs(coef) == np.max(np.abs(coef))) == 1


def _least_sign(coef, root):
    """Signs on the support, the best values in [-1, 1] off it."""
    z, off = np.sign(coef), coef == 0
    if off.any():
        inverse = solve_triangular(root, np.eye(len(coef)), lower=True)
        z[off] = lsq_linear(inverse[:, off], -inverse @ z, bounds=(-1, 1), tol=1e-14).x
    return z
