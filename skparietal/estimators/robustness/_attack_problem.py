"""One target's problem under attack in scaled units: from radii to certified points."""

from dataclasses import dataclass

import numpy as np

from skparietal.solvers.robustness.adversarial_least_squares import (
    minimize_adversarial_risk,
    minimize_for_radii,
    minimize_within_excess,
    path_points,
)
from skparietal.solvers.robustness.adversarial_training import (
    interpolating_point,
    minimize_empirical_risk,
)
from skparietal.solvers.robustness.convex import solve_empirical_risk
from skparietal.solvers.robustness.frontier import (
    FrontierPoint,
    frontier_point,
    locate_excess,
    locate_radius,
)
from skparietal.solvers.robustness.generalized_cv import locate_gcv, remaining_share
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss

# Certificate that a point of a path misses only when the path went wrong.
PATH_GAP = 1e-7

# Certificate of adversarial training that the conic solver is asked to better: ADMM is slow where a
# model with more features than rows nearly interpolates.
TRAINING_GAP = 1e-6

# Clean error over that of zero which is rounding.
INTERPOLATES = 1e-9


@dataclass(frozen=True, eq=False)
class AttackProblem:
    """Problem of one target in scaled units, with its path where the norm has one."""

    loss: QuadraticLoss
    path: object
    norm: object
    kind: type
    n_samples: float
    intercept: bool
    corrected: bool
    excess: float
    options: dict

    def minimize(self, radii):  # numpydoc ignore=PR01,RT01
        """Points and clean errors for several radii."""
        if not self.loss.correlation.any():
            zero = np.zeros_like(self.loss.correlation)
            points = [
                frontier_point(self.loss, self.norm, self.kind(r), zero, solver="zero")
                for r in radii
            ]
            return points, np.array([point.clean for point in points])
        if self.corrected:
            return self._minimize_corrected(radii)
        if self.excess is not None and self.path is None:
            risks = [self.kind(r) for r in radii]
            points = [
                minimize_within_excess(self.loss, self.norm, risk, self.excess, **self.options)
                for risk in risks
            ]
        elif self.path is None or self.options["solver"] not in ("auto", "path"):
            points = [
                minimize_adversarial_risk(self.loss, self.norm, self.kind(r), **self.options)
                for r in radii
            ]
        elif self.excess is not None:
            position, _ = locate_radius(self.path, self.kind(radii))
            points = self._points(self._within(position))
        else:
            points = minimize_for_radii(
                self.loss, self.norm, self.kind, radii, path=self.path, **self.options
            )
        return points, np.array([point.clean for point in points])

    def _minimize_corrected(self, radii):  # numpydoc ignore=PR01,RT01
        position = locate_gcv(self.path, self.kind(radii), self.n_samples, intercept=self.intercept)
        position = self._within(np.where(radii == 0, self.path.ends[1], position))
        points = self._points(position)
        share = remaining_share(self.path, position, self.n_samples, self.intercept)
        return points, np.array([point.clean for point in points]) / share

    def _within(self, position):  # numpydoc ignore=PR01,RT01
        if self.excess is None:
            return position
        return np.maximum(position, locate_excess(self.path, np.array([self.excess]))[0])

    def _points(self, position):  # numpydoc ignore=PR01,RT01
        """Path points, certified for the radius that each is the minimiser of."""
        errors = self.path.errors(position)
        radii = np.where(errors[0] > 0, self.kind(1.0).optimal_radius(*errors), 0.0)
        points = path_points(self.path, self.norm, self.kind, radii, position)
        return [
            point
            if point.gap <= PATH_GAP
            else minimize_adversarial_risk(self.loss, self.norm, self.kind(r), **self.options)
            for point, r in zip(points, radii)
        ]

    def train(self, X, y, shares, radius, fit_intercept):  # numpydoc ignore=PR01,RT01
        """Minimiser of the empirical risk, started from the Gaussian one, and its intercept."""
        start = self.minimize(np.array([radius]))[0][0]
        found = self._trained((X, y, shares, self.norm, radius), start, fit_intercept)
        residual = y - X @ found.coef - found.intercept
        point = FrontierPoint(
            coef=found.coef,
            clean=float(np.sqrt(shares @ residual**2)),
            dual=float(self.norm.dual.norm(found.coef)),
            gap=found.gap,
            multiplier=float(self.norm.norm(self.loss.pull(found.coef)[0])),
            n_iter=found.n_iter,
            solver=found.solver,
        )
        return point, found.intercept

    def _trained(self, problem, start, fit_intercept):
        solver, found = self.options["solver"], []
        if solver == "auto" and self._interpolates(start):
            row = self._multipliers(start, shares=problem[2])
            found.append(
                interpolating_point(*problem, start.coef, row, fit_intercept=fit_intercept)
            )
            if found[0].gap <= self.options["tol"]:
                return found[0]
        if self.norm.dual.project_epigraph and solver != "cvxpy":
            options = {name: self.options[name] for name in ("tol", "max_iter")}
            found.append(
                minimize_empirical_risk(
                    *problem, start=start.coef, fit_intercept=fit_intercept, **options
                )
            )
        reached = min((point.gap for point in found), default=np.inf)
        if not found or (reached > TRAINING_GAP and solver == "auto"):
            found.append(solve_empirical_risk(*problem, fit_intercept=fit_intercept))
        return min(found, key=lambda point: point.gap)

    def _interpolates(self, start):
        return start.limit is not None and start.clean <= INTERPOLATES * self.loss.at_zero

    def _multipliers(self, start, shares):
        """Row multipliers of the interpolation: X' of them has the attack norm of the limit."""
        direction = self.loss.basis.solve(start.limit[0])
        return np.sqrt(shares) * (self.loss.root @ direction)
