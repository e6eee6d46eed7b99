"""The clean error of a linear predictor: a quadratic form of its coefficients."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skparietal.solvers.robustness.eigenbasis import eigenbasis, solve_positive

# Below this share of noise in the squared target S, a square itself, has too few digits.
NOISE_FREE = 1e-8

# Squared residuals below this share of the squared target are rounding: the rows are interpolated.
INTERPOLATED = 1e-26


@dataclass(frozen=True, eq=False)
class QuadraticLoss:  # numpydoc ignore=PR02
    """Squared clean error s(w)^2 = (w - center)' S (w - center) + floor, per sample.

    Parameters
    ----------
    center : ndarray of shape (n_features,)
        Least-squares solution (of least norm when there are several).
    floor : float
        Noise variance that no predictor removes, >= 0.
    gram : ndarray of shape (n_features, n_features), default=None
        S; None where an eigenbasis of it is all that will be used.
    """

    center: np.ndarray
    floor: float
    gram: np.ndarray | None = None

    #: No root of S: S itself is at hand.
    factor = None

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
        loss : QuadraticLoss or RowLoss
            Root mean squared training error when evaluated by `clean`; a RowLoss unless there are
            more rows than columns and noise.
        """
        if len(X) <= X.shape[1]:
            return RowLoss(X, y, known_basis=basis)
        gram = X.T @ X if gram is None else gram
        correlation = X.T @ y
        center = solve_positive(gram, correlation) if basis is None else basis.solve(correlation)
        floor = _square(y - X @ center, y)
        if floor < NOISE_FREE * (y @ y):
            return RowLoss(X, y)
        return cls(center, floor, gram)

    def about(self, center, floor):
        """The same S about another center.

        Parameters
        ----------
        center : ndarray of shape (n_features,)
            Coefficients without an excess error.
        floor : float
            Noise variance.

        Returns
        -------
        loss : QuadraticLoss
            New loss.
        """
        return replace(self, center=center, floor=floor)

    @property
    def least(self):  # numpydoc ignore=RT01
        """Smallest s^2 of any coefficients."""
        return self.floor

    @cached_property
    def correlation(self):  # numpydoc ignore=RT01
        """S center, the pull at zero."""
        return self.gram @ self.center

    @cached_property
    def at_zero(self):  # numpydoc ignore=RT01
        """Clean error s of zero."""
        return np.sqrt(max(self.center @ self.correlation, 0.0) + self.floor)

    @cached_property
    def basis(self):  # numpydoc ignore=RT01
        """Eigenbasis of S."""
        return eigenbasis(self.gram)

    @cached_property
    def root(self):  # numpydoc ignore=RT01
        """Matrix R with R'R = S and as many rows as S has rank (up to rounding)."""
        return np.sqrt(self.basis.values)[:, None] * self.basis.vectors.T

    @cached_property
    def target(self):  # numpydoc ignore=RT01
        """R center: s^2 is |target - R w|^2 + floor."""
        return self.root @ self.center

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
        return self.gram @ v

    def block(self, features):
        """S on some of the features.

        Parameters
        ----------
        features : ndarray of shape (n_chosen,)
            Their indices.

        Returns
        -------
        block : ndarray of shape (n_chosen, n_chosen)
            Rows and columns of S.
        """
        return self.gram[features[:, None], features]

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
        pull = self.gram @ step
        return pull, max(step @ pull, 0.0)

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
class RowLoss:  # numpydoc ignore=PR02
    """Squared clean error s(w)^2 = |target - R w|^2 + floor, with S = R'R never formed.

    For fewer rows than columns, and where few columns will be used; costs nothing to set up. Has
    the attributes of QuadraticLoss, each computed when it is asked for.

    Parameters
    ----------
    root : ndarray of shape (n_rows, n_features)
        R, the rows.
    target : ndarray of shape (n_rows,)
        Targets.
    floor : float, default=0
        Noise variance on top of what R leaves.
    known_basis : Eigenbasis, default=None
        Eigenbasis of S if it is at hand.
    """

    root: np.ndarray
    target: np.ndarray
    floor: float = 0.0
    known_basis: object = None

    #: S is not at hand.
    gram = None

    def about(self, center, floor):
        """The same S about another center.

        Parameters
        ----------
        center : ndarray of shape (n_features,)
            Coefficients without an excess error.
        floor : float
            Noise variance.

        Returns
        -------
        loss : RowLoss
            New loss.
        """
        return replace(self, target=self.root @ center, floor=floor)

    @property
    def factor(self):  # numpydoc ignore=RT01
        """R."""
        return self.root

    @cached_property
    def at_zero(self):  # numpydoc ignore=RT01
        """Clean error s of zero."""
        return np.sqrt(self.target @ self.target + self.floor)

    @cached_property
    def basis(self):  # numpydoc ignore=RT01
        """Eigenbasis of S."""
        if self.known_basis is not None:
            return self.known_basis
        return eigenbasis(factor=self.root)

    @cached_property
    def correlation(self):  # numpydoc ignore=RT01
        """The pull at zero."""
        return self.target @ self.root

    @cached_property
    def center(self):  # numpydoc ignore=RT01
        """Least-squares solution of least norm."""
        return self.basis.solve(self.correlation)

    @cached_property
    def least(self):  # numpydoc ignore=RT01
        """Smallest s^2 of any coefficients."""
        return self.floor + _square(self.target - self.root @ self.center, self.target)

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
        return (self.root @ v) @ self.root

    def block(self, features):
        """S on some of the features.

        Parameters
        ----------
        features : ndarray of shape (n_chosen,)
            Their indices.

        Returns
        -------
        block : ndarray of shape (n_chosen, n_chosen)
            Rows and columns of S.
        """
        chosen = self.root[:, features]
        return chosen.T @ chosen

    def pull(self, w):
        """Minus the gradient of s^2 / 2, and the excess of s^2 over the floor.

        Parameters
        ----------
        w : ndarray of shape (n_features,)
            Coefficients.

        Returns
        -------
        pull : ndarray of shape (n_features,)
            R' (target - R w).
        excess : float
            |target - R w|^2, squared units of y.
        """
        residual = self.target - self.root @ w
        return residual @ self.root, residual @ residual

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


def _square(residual, y):
    square = residual @ residual
    return float(square) if square > INTERPOLATED * (y @ y) else 0.0
