"""Adversarial training on a face: exact once the signs of its solution are known."""

from functools import cached_property

import numpy as np
from numpy.linalg import LinAlgError

from skparietal.norms import LpNorm

# Coefficients this close to the largest one are held at it.
HELD = 1e-9

# Newton steps under a Euclidean attack, where the dual norm is curved.
NEWTON_STEPS = 4


class TrainingFaces:
    """Minimisers of the empirical risk among models with the signs of an approximate one.

    The signs of the residuals, with those that are zero, and the signs of the coefficients (maximum
    norm attack) or which of them are the largest (l1 attack) make the risk a quadratic function
    under linear constraints: one linear system. Under a Euclidean attack it is a smooth function:
    a few.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack.
    radius : float
        Size of the attack.
    fit_intercept : bool
        Whether an intercept is fitted.
    """

    def __init__(self, X, y, weights, norm, radius, fit_intercept):
        self.X, self.y, self.weights, self.radius = X, y, weights, radius
        self.kind = norm.p if isinstance(norm, LpNorm) else None
        self.fit_intercept = fit_intercept

    def solve(self, residual, coef):
        """Exact model with the signs of an approximate one.

        Parameters
        ----------
        residual : ndarray of shape (n_samples,)
            Residuals with exact zeros.
        coef : ndarray of shape (n_features,)
            Coefficients with exact zeros or exact ties.

        Returns
        -------
        model : (ndarray of shape (n_features,), float, ndarray of shape (n_samples,)) or None
            Coefficients, intercept and multipliers of the residuals for the certificate; None where
            the norm has no faces or the system is singular.
        """
        if self.kind not in (1, 2, np.inf) or not coef.any():
            return None
        basis, slope = self._face(coef)
        if len(slope) > len(self.y):
            return None
        images = self.X if basis is None else self.X @ basis
        if self.fit_intercept:
            images = np.column_stack([images, np.ones(len(self.y))])
        try:
            parameters, row = self._newton(residual, images, slope, np.linalg.norm(coef))
        except LinAlgError:
            return None
        k = len(slope)
        found = parameters[:k] if basis is None else basis @ parameters[:k]
        return found, float(np.sum(parameters[k:])), row

    def _face(self, coef):
        """Basis of the coefficients on the face (None for all); dual norm per parameter there."""
        if self.kind == 2:
            slope = coef if self._row_space is None else self._row_space.T @ coef
            return self._row_space, slope / np.linalg.norm(slope)
        size = np.max(np.abs(coef))
        held = np.abs(coef) >= size * (1 - HELD) if self.kind == 1 else coef == 0
        free = np.flatnonzero(~held)
        basis = np.zeros((len(coef), len(free) + (self.kind == 1)))
        basis[free, np.arange(len(free))] = 1.0
        if self.kind == np.inf:
            return basis, np.sign(coef[free])
        basis[held, -1] = np.sign(coef[held])
        return basis, np.append(np.zeros(len(free)), 1.0)

    @cached_property
    def _row_space(self):
        n, d = self.X.shape
        return None if d <= n else np.linalg.qr(self.X.T)[0]

    def _newton(self, residual, images, slope, size):
        """Parameters of the face (coefficients in its basis, intercept) and row multipliers."""
        signs, k = np.sign(residual), len(slope)
        curvature = np.zeros((images.shape[1], images.shape[1]))
        for _ in range(NEWTON_STEPS if self.kind == 2 else 1):
            if self.kind == 2:
                bend = self.radius * (self.weights @ np.abs(residual) / size + self.radius)
                curvature[:k, :k] = 2 * bend * (np.eye(k) - np.outer(slope, slope))
            # Worst-case residuals: signs y + change parameters.
            change = -signs[:, None] * images
            change[:, :k] += self.radius * slope
            parameters, row = self._minimize(signs, images, change, curvature)
            residual, size = self.y - images @ parameters, np.linalg.norm(parameters[:k])
            if self.kind == 2:
                slope = parameters[:k] / size
        return parameters, row

    def _minimize(self, signs, images, change, curvature):
        """Least squares of the worst-case residuals; those without a sign stay zero."""
        zero, k = signs == 0, change.shape[1]
        weighted = 2 * self.weights[:, None] * change
        system = np.zeros((k + zero.sum(), k + zero.sum()))
        system[:k, :k] = weighted.T @ change + curvature
        system[k:, :k], system[:k, k:] = images[zero], images[zero].T
        right = np.append(-weighted.T @ (signs * self.y), self.y[zero])
        solution = np.linalg.solve(system, right)
        row = 2 * self.weights * signs * (signs * self.y + change @ solution[:k])
        row[zero] = -solution[k:]
        return solution[:k], row
