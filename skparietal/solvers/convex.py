"""Any attack norm, by a conic solver through cvxpy."""

import warnings

import numpy as np

from skparietal.adversarial_risk import SQRT_2_PI, SurrogateRisk
from skparietal.solvers.quadratic_loss import frontier_point


class ConvexProblem:
    """The risk as a cvxpy problem, compiled once for every radius.

    Parameters
    ----------
    loss : QuadraticLoss
        Clean error.
    norm : Norm
        Norm of the attack; its dual must have a cvxpy form.
    kind : type
        GaussianRisk or SurrogateRisk.
    """

    def __init__(self, loss, norm, kind):
        import cvxpy

        self.loss, self.norm, self.kind = loss, norm, kind
        self.coef = cvxpy.Variable(len(loss.center))
        moved = cvxpy.Variable(len(loss.root))
        self.radius = cvxpy.Parameter(nonneg=True)
        self.definition = moved == loss.root @ (loss.center - self.coef)
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
            limit=(self.loss.root.T @ row, row @ row),
            n_iter=self.problem.solver_stats.num_iters or 1,
            solver="cvxpy",
        )


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
