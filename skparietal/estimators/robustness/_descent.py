"""One target's gradient descent under attack in scaled units: from moments to a path of risks."""

from dataclasses import dataclass

import numpy as np

from skparietal.adversarial_risk import GaussianRisk, worst_case_residual
from skparietal.moments import Moments
from skparietal.norms import Norm
from skparietal.solvers.robustness.generalized_cv import CAP
from skparietal.solvers.robustness.gradient_flow import GradientFlow
from skparietal.solvers.robustness.preconditioning import (
    attack_root,
    is_tangent,
    preconditioner_root,
    unexplained,
)


@dataclass(frozen=True, eq=False)
class DataUnits:
    """Powers of two that X and y are divided by, so that no sum of squares over- or underflows.

    The division is exact, and a stream keeps the units of its first batch.
    """

    x: float
    y: np.ndarray

    @classmethod
    def of(cls, X, y):  # numpydoc ignore=PR01,RT01
        """Units of a table."""
        return cls(_power_of_two(X), _power_of_two(y.reshape(len(y), -1), axis=0))

    def moments(self, X, y, sample_weight):  # numpydoc ignore=PR01,RT01
        """Moments of a table in these units."""
        Y = y.astype(np.float64).reshape(len(y), -1)
        return Moments.of(X.astype(np.float64) / self.x, Y / self.y, sample_weight)

    def times(self, times):  # numpydoc ignore=PR01,RT01
        """Times, which have the unit of 1 / X^2, in the units of the data."""
        # Too long or short for a float is told as inf or 0.
        with np.errstate(over="ignore", under="ignore"):
            return times / self.x / self.x

    def convert(self, moments, units):  # numpydoc ignore=PR01,RT01
        """Moments in these units from moments in other units."""
        x, y = units.x / self.x, units.y / self.y
        return Moments(
            moments.weight,
            moments.x_mean * x,
            moments.y_mean * y,
            moments.xx * x * x,
            moments.xy * x * y,
            moments.yy * y * y,
        )


def _power_of_two(values, axis=None):
    exponent = np.frexp(np.max(np.abs(values), axis=axis))[1]
    # The largest powers themselves would overflow, and twice the smallest ones underflow.
    return np.ldexp(1.0, np.clip(exponent, -1020, 1020))


@dataclass(frozen=True, eq=False)
class DescentProblem:
    """Descent of one target: its flow, the error that it cannot remove, and the attack."""

    flow: GradientFlow
    gram: np.ndarray
    target: np.ndarray
    correlation: np.ndarray
    floor: float
    norm: Norm
    radius: float
    n_samples: float
    intercept: bool

    def path(self, times, corrected):  # numpydoc ignore=PR01,RT01
        """Coefficients and errors at increasing times, the first of which is 0."""
        coef = self.flow.coef(times)
        clean, dual = np.sqrt(self.flow.excess(times) + self.floor), self.norm.dual.norm(coef)
        left = self._remaining_share(times, coef) if corrected else np.ones(len(times))
        risk = np.full(len(times), np.inf)
        kept = left > 0
        risk[kept] = GaussianRisk(self.radius).value(clean[kept] / left[kept], dual[kept])
        return DescentPath(times, coef, clean, dual, risk)

    @property
    def preconditioner(self):  # numpydoc ignore=RT01
        """Learning rates, (n_features,) or a matrix."""
        root = self.flow.transform
        if root is None:
            return np.ones(len(self.correlation))
        return root**2 if root.ndim == 1 else root @ root.T

    @property
    def collapse_radius(self):  # numpydoc ignore=RT01
        """Attack size from which zero has the least Gaussian risk; 0 without a signal."""
        variance = self.floor + self.flow.explained
        if variance == 0:
            return 0.0
        steepness = self.norm.norm(self.correlation) / np.sqrt(variance)
        return float(GaussianRisk(1.0).at_zero(steepness))

    def _remaining_share(self, times, coef):
        """Share 1 - df / n of the rows that is left, 0 where the time is left out."""
        n = self.n_samples
        df = self.flow.degrees_of_freedom(times) + (self.intercept and n > 1)
        left = np.where((df <= CAP * n) | (times == 0), 1 - df / n, 0.0)
        if self.target is not None:
            # Rates that follow a solution make what it has learned from the rows look cheap: later
            # than where its predictions are met, df tells too little.
            gaps = coef - self.target
            left[np.argmin(np.sum((gaps @ self.gram) * gaps, axis=1)) + 1 :] = 0.0
        return left


def descent_problems(  # numpydoc ignore=PR01,RT01
    moments, norm, radius, *, preconditioner, learning_rate, corrected, intercept
):
    """Problems of all targets; `corrected` is about the rates that follow a robust solution."""
    gram, n = moments.xx / moments.weight, moments.weight
    automatic = isinstance(preconditioner, str) and preconditioner == "auto"
    root = (
        None if isinstance(preconditioner, str) else preconditioner_root(preconditioner, len(gram))
    )
    problems, basis, target = [], None, None
    for xy, yy in zip(moments.xy.T, moments.yy):
        correlation, variance = xy / n, yy / n
        if automatic:
            settings = {"n_samples": n if corrected else None, "intercept": intercept}
            root, target = attack_root(norm, gram, correlation, variance, radius, **settings)
        flow = GradientFlow(gram, correlation, root, learning_rate=learning_rate, basis=basis)
        _check_rate(flow)
        basis = None if automatic and is_tangent(norm) else flow.basis
        floor = unexplained(variance, flow.explained)
        problems.append(
            DescentProblem(flow, gram, target, correlation, floor, norm, radius, n, intercept)
        )
    return problems


def _check_rate(flow):
    if flow.learning_rate is None or len(flow.basis.values) == 0:
        return
    excess = flow.learning_rate * flow.basis.values[-1] / 2
    if excess >= 1:
        raise ValueError(
            f"learning_rate diverges: it must be below 2 over the largest eigenvalue of the "
            f"(preconditioned) covariance, which is {excess:.3g} times smaller."
        )


@dataclass(frozen=True, eq=False)
class DescentPath:
    """What a descent passes: coefficients, training error, dual norm and risk at every time."""

    times: np.ndarray
    coef: np.ndarray
    rmse: np.ndarray
    dual_norm: np.ndarray
    risk: np.ndarray

    def held_out_error(self, fold, k, X, y, weights, radius):  # numpydoc ignore=PR01,RT01
        """Sum of the weighted squared worst-case errors of rows, at every time."""
        intercept = fold.y_mean[k] - self.coef @ fold.x_mean
        residual = y[:, None] - X @ self.coef.T - intercept
        return weights @ worst_case_residual(residual, self.dual_norm, radius) ** 2
