"""The clean error of a linear predictor, points of its Pareto frontier and their certificate."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

# Eigenvalues below this share of the largest one are rounding: their directions are dropped.
EIGENVALUE_CUT = 1e-11


@dataclass(frozen=True, eq=False)
class QuadraticLoss:  # numpydoc ignore=PR02
    """Squared clean error s(w)^2 = (w - center)' S (w - center) + floor.

    S is `gram`, or factor' factor when there are fewer rows than columns. All per sample.

    Parameters
    ----------
    center : ndarray of shape (n_features,)
        Least-squares solution (of least norm when there are several).
    floor : float
        Noise variance that no predictor removes, >= 0.
    gram : ndarray of shape (n_features, n_features), default=None
        S itself.
    factor : ndarray of shape (n_rows, n_features), default=None
        Root of S; exactly one of the two is given.
    """

    center: np.ndarray
    floor: float
    gram: np.ndarray | None = None
    factor: np.ndarray | None = None

    @classmethod
    def of_rows(cls, X, y, *, gram=None, basis=None):
        """Training error of centred rows that are already divided by the root of their number.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows times the root of their share of the weight.
        y : ndarray of shape (n_samples,)
            Targets, scaled alike.
        gram : ndarray of shape (n_features, n_features), default=None
            X'X if it is at hand.
        basis : Eigenbasis, default=None
            Eigenbasis of X'X if it is at hand.

        Returns
        -------
        loss : QuadraticLoss
            Root mean squared training error when evaluated by `clean`.
        """
        if len(X) < X.shape[1]:
            basis = eigenbasis(factor=X) if basis is None else basis
            center = basis.solve(X.T @ y)
            return cls(center, _floor(y - X @ center, y), factor=X)
        gram = X.T @ X if gram is None else gram
        correlation = X.T @ y
        center = solve_positive(gram, correlation) if basis is None else basis.solve(correlation)
        return cls(center, _floor(y - X @ center, y), gram=gram)

    def multiply(self, v):
        """S v.

        Parameters
        ----------
        v : ndarray of shape (n_features,)
            Vector.

        Returns
        -------
        product : ndarray of shape (n_features,)
            In the units of the gradient.
        """
        return self.gram @ v if self.factor is None else self.factor.T @ (self.factor @ v)

    def pull(self, w):
        """Minus the gradient of s^2 / 2, and the excess of s^2 over the floor.

        Parameters
        ----------
        w : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        pull : ndarray of shape (n_features,)
            S (center - w); zero at the center.
        excess : float
            (w - center)' S (w - center), squared units of y.
        """
        step = self.center - w
        if self.factor is not None:
            moved = self.factor @ step
            return self.factor.T @ moved, moved @ moved
        pull = self.gram @ step
        return pull, max(step @ pull, 0.0)

    @cached_property
    def correlation(self):  # numpydoc ignore=RT01
        """S center, the pull at zero."""
        return self.multiply(self.center)

    @cached_property
    def root(self):  # numpydoc ignore=RT01
        """Matrix R with R'R = S and as few rows as S has rank (up to rounding)."""
        if self.factor is not None:
            return self.factor
        basis = eigenbasis(gram=self.gram)
        return np.sqrt(basis.values)[:, None] * basis.vectors.T

    def clean(self, w):
        """Root mean squared error s without an attack.

        Parameters
        ----------
        w : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        clean : float
            In the units of y.
        """
        return np.sqrt(self.pull(w)[1] + self.floor)


@dataclass(frozen=True, eq=False)
class FrontierPoint:  # numpydoc ignore=PR02
    """A point of the frontier between clean error and dual norm, with its certificate.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients.
    clean : float
        Root mean squared error s.
    dual : float
        Dual norm b of the coefficients.
    gap : float
        Duality gap relative to the objective, for the problem that the point solves.
    multiplier : float
        Price of the norm: minus the derivative of s^2 / 2 in b along the frontier.
    n_iter : int
        Iterations, knots or root-finding steps.
    solver : str
        Name of the method that found it.
    """

    coef: np.ndarray
    clean: float
    dual: float
    gap: float
    multiplier: float
    n_iter: int = 1
    solver: str = ""


@dataclass(frozen=True, eq=False)
class Eigenbasis:  # numpydoc ignore=PR02
    """Eigenvalues above rounding and their orthonormal vectors.

    Parameters
    ----------
    values : ndarray of shape (rank,)
        Positive, increasing.
    vectors : ndarray of shape (n_features, rank)
        One per column.
    """

    values: np.ndarray
    vectors: np.ndarray

    def solve(self, v):
        """Least-norm solution x of S x = v.

        Parameters
        ----------
        v : ndarray of shape (n_features,)
            Right-hand side.

        Returns
        -------
        x : ndarray of shape (n_features,)
            In the span of the vectors.
        """
        return self.vectors @ ((self.vectors.T @ v) / self.values)


def eigenbasis(gram=None, factor=None):
    """Eigenbasis of S from itself or from a wide root of it.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features), default=None
        S.
    factor : ndarray of shape (n_rows, n_features), default=None
        Root of S with fewer rows than columns.

    Returns
    -------
    basis : Eigenbasis
        Without the directions of zero variance.
    """
    if gram is not None:
        values, vectors = eigh(gram, driver="evd", check_finite=False)
        keep = values > EIGENVALUE_CUT * max(values[-1], np.finfo(float).tiny)
        return Eigenbasis(values[keep], vectors[:, keep])
    values, vectors = eigh(factor @ factor.T, driver="evd", check_finite=False)
    keep = values > EIGENVALUE_CUT * max(values[-1], np.finfo(float).tiny)
    values, vectors = values[keep], vectors[:, keep]
    return Eigenbasis(values, factor.T @ (vectors / np.sqrt(values)))


def solve_positive(gram, v):
    """Least-norm solution of S x = v; by Cholesky where S allows it.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Symmetric positive semi-definite.
    v : ndarray of shape (n_features,)
        Right-hand side in the range of S.

    Returns
    -------
    x : ndarray of shape (n_features,)
        Solution.
    """
    try:
        factor = cho_factor(gram, check_finite=False)
    except LinAlgError:
        return eigenbasis(gram=gram).solve(v)
    diagonal = np.diagonal(factor[0])
    if diagonal.min() ** 2 < EIGENVALUE_CUT * diagonal.max() ** 2:
        return eigenbasis(gram=gram).solve(v)
    return cho_solve(factor, v, check_finite=False)


def frontier_point(loss, norm, risk, coef, *, limit=None, **facts):
    """Coefficients as a frontier point, with the duality gap of a risk there.

    The lower bound: the risk is convex and increasing in (s, b), so it is above its tangent plane
    at the point, where s(v) >= z'(center - v) + sqrt(floor (1 - z'S^-1 z)) for every z with
    z'S^-1 z <= 1, and b(v) >= z'v / t for every z of attack norm t. The z used is the pull over s,
    shrunk until both hold.

    Parameters
    ----------
    loss : QuadraticLoss
        Clean error.
    norm : Norm
        Norm of the attack.
    risk : GaussianRisk or SurrogateRisk
        Objective, with one radius.
    coef : ndarray of shape (n_features,)
        Coefficients.
    limit : (ndarray of shape (n_features,), float), default=None
        Another z and its z'S^-1 z, from the solver's dual variables or the end of a path; needed
        where s is 0 at the coefficients, so that the pull over s is undefined.
    **facts
        Further fields of the point.

    Returns
    -------
    point : FrontierPoint
        With gap relative to the risk.
    """
    pull, excess = loss.pull(coef)
    clean, dual = np.sqrt(excess + loss.floor), norm.dual.norm(coef)
    value = risk.value(clean, dual)
    certificates = [limit] if limit is not None else []
    if clean > 0:
        certificates.append((pull / clean, excess / clean**2))
    slopes = risk.slopes(clean, dual)
    plane = value - slopes[0] * clean - slopes[1] * dual
    bounds = [plane + slopes[0] * _clean_bound(loss, norm, slopes, *z) for z in certificates]
    gap = (value - max([plane, *bounds])) / value if value > 0 else 0.0
    price = float(norm.norm(pull))
    return FrontierPoint(coef, float(clean), float(dual), float(max(gap, 0.0)), price, **facts)


def _clean_bound(loss, norm, slopes, z, square):
    """Least value of s + (J_b / J_s) b that the vector z proves."""
    attack = slopes[0] * norm.norm(z)
    if attack > 0 and slopes[1] == 0:
        return 0.0
    shrink = 1 / max(1.0, np.sqrt(square), attack / slopes[1] if attack > 0 else 0.0)
    noise = loss.floor * max(1 - shrink**2 * square, 0.0)
    return shrink * (z @ loss.center) + np.sqrt(noise)


def _floor(residual, y):
    floor = residual @ residual
    # Below rounding of the residual itself: the rows are interpolated.
    return float(floor) if floor > 1e-26 * (y @ y) else 0.0
