"""Any attack norm, by a conic solver through cvxpy."""

import warnings

import numpy as np

from skparietal.adversarial_risk import SQRT_2_PI, SurrogateRisk
from skparietal.solvers.robustness.adversarial_training import TrainedPoint, training_gap
from skparietal.solvers.robustness.frontier import frontier_point


class ConvexProblem:
    """The risk as a cvxpy problem, compiled once for every radius.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack; its dual must have a cvxpy form.
    kind : type
        GaussianRisk or SurrogateRisk.
    """

    def __init__(self, loss, norm, kind):
        import cvxpy

        self.loss, self.norm, self.kind = loss, norm, kind
        self.coef = cvxpy.Variable(len(loss.correlation))
        moved = cvxpy.Variable(len(loss.target))
        self.radius = cvxpy.Parameter(nonneg=True)
        self.definition = moved == loss.target - loss.root @ self.coef
        clean = cvxpy.norm(cvxpy.hstack([moved, np.sqrt(loss.floor)]), 2)
        attack = self.radius * norm.dual.to_cvxpy(self.coef)
        objective = clean + attack
        if kind is not SurrogateRisk:
            objective = cvxpy.square(clean + SQRT_2_PI * attack)
            objective += (1 - SQRT_2_PI**2) * cvxpy.square(attack)
        self.problem = cvxpy.Problem(cvxpy.Minimize(objective), [self.definition])

    def solve(self, radius):
        """Minimiser at one radius.

        Parameters
        ----------
        radius : float
            Size of the attack.

        Returns
        -------
        point : FrontierPoint
            With the duality gap measured on it, not the solver's.

        Raises
        ------
        RuntimeError
            If neither solver reaches an optimum.
        """
        self.radius.value = radius
        solve_conic(self.problem)
        risk = self.kind(radius)
        found = frontier_point(self.loss, self.norm, risk, self.coef.value)
        # The multiplier of the definition of the residual is the slope in s times z.
        row = -self.definition.dual_value / risk.slopes(found.clean, found.dual)[0]
        return frontier_point(
            self.loss,
            self.norm,
            risk,
            self.coef.value,
            limit=(self.loss.root.T @ row, row @ row, row @ self.loss.target),
            n_iter=self.problem.solver_stats.num_iters or 1,
            solver="cvxpy",
        )


def solve_empirical_risk(X, y, weights, norm, radius, *, fit_intercept=True):
    """Adversarial training of a linear predictor as a conic problem.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Targets.
    weights : ndarray of shape (n_samples,)
        Positive, of sum 1.
    norm : Norm
        Norm of the attack; its dual must have a cvxpy form.
    radius : float
        Size of the attack.
    fit_intercept : bool, default=True
        Whether an intercept is fitted.

    Returns
    -------
    point : TrainedPoint
        With the duality gap measured on it.
    """
    import cvxpy

    coef, intercept = cvxpy.Variable(X.shape[1]), cvxpy.Variable()
    residual, size = cvxpy.Variable(len(y)), cvxpy.Variable(nonneg=True)
    definition = residual == y - X @ coef - intercept
    constraints = [definition, norm.dual.to_cvxpy(coef) <= size]
    if not fit_intercept:
        constraints.append(intercept == 0)
    worst = cvxpy.multiply(np.sqrt(weights), cvxpy.abs(residual) + radius * size)
    # The root of the risk: near interpolation its square is below the solver's absolute tolerance.
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm(worst, 2)), constraints)
    solve_conic(problem)
    found = coef.value, float(intercept.value)
    row = definition.dual_value
    gap = min(
        training_gap(X, y, weights, norm, radius, *found, sign * row, fit_intercept)
        for sign in (-1, 1)
    )
    return TrainedPoint(*found, gap, problem.solver_stats.num_iters or 1, "cvxpy")


def least_norm_points(loss, norm, excess):
    """Coefficients of least dual norm among those of bounded excess error, one row per bound.

    Parameters
    ----------
    loss : QuadraticLoss or RowLoss
        Clean error.
    norm : Norm
        Norm of the attack; its dual must have a cvxpy form.
    excess : ndarray of shape (n,)
        Largest s^2 minus the floor.

    Returns
    -------
    coef : ndarray of shape (n, n_features)
        Points of the frontier.
    """
    import cvxpy

    coef, bound = cvxpy.Variable(len(loss.center)), cvxpy.Parameter(nonneg=True)
    within = cvxpy.norm(loss.root @ (coef - loss.center), 2) <= bound
    problem = cvxpy.Problem(cvxpy.Minimize(norm.dual.to_cvxpy(coef)), [within])
    rows = []
    for value in excess:
        bound.value = np.sqrt(value)
        if value > 0:
            solve_conic(problem)
        rows.append(coef.value.copy() if value > 0 else loss.center)
    return np.array(rows)


def solve_conic(problem):
    """Solve a cvxpy problem with Clarabel, and with SCS where that fails.

    Parameters
    ----------
    problem : cvxpy.Problem
        Problem; its variables receive the solution.

    Raises
    ------
    RuntimeError
        If neither solver reaches an optimum.
    """
    import cvxpy

    for solver in (cvxpy.CLARABEL, cvxpy.SCS):
        try:
            with warnings.catch_warnings():
                # "Solution may be inaccurate": the caller measures the gap of what came out.
                warnings.simplefilter("ignore")
                problem.solve(solver=solver)
        except cvxpy.SolverError:
            continue
        if problem.status in (cvxpy.OPTIMAL, cvxpy.OPTIMAL_INACCURATE):
            return
    raise RuntimeError(
        f"cvxpy ended with status {problem.status!r}; rescale X and y, or try another norm."
    )
