"""Batch Frank-Wolfe for fair ranking, with the gap as certificate and stopping rule."""

from dataclasses import dataclass, field

import numpy as np

from skparietal.solvers.ranking.bonus_path import BonusPath
from skparietal.solvers.ranking.ranking_problem import ExposureState


@dataclass
class FrankWolfeResult:  # numpydoc ignore=PR02
    """Solution of a fair ranking problem with its certificate.

    Parameters
    ----------
    state : ExposureState
        Exposure under the policy found.
    value : float
        Objective there, without smoothing.
    gap : float
        Upper bound of the distance to the largest value; the least upper bound met minus `value`.
    n_iter : int
        Passes over the users that the policy is made of.
    history : dict of lists
        "passes", "objective" and "gap" of each certified policy.
    """

    state: ExposureState
    value: float = np.nan
    gap: float = np.inf
    n_iter: int = 0
    history: dict = field(default_factory=lambda: {"passes": [], "objective": [], "gap": []})
    bound: float = np.inf

    def certify(self, problem, intercept, bonus, response):
        """Update value and gap from the response to the tangent at the state.

        Parameters
        ----------
        problem : RankingProblem
            What is solved.
        intercept : float
            Of the tangent.
        bonus : ndarray of shape (n_user_groups, n_items)
            Slope of the tangent.
        response : Response
            Best response to it.
        """
        total = response.exposure.weight.sum()
        user_value = response.user_value / total
        self.value = user_value + problem.item_value(self.state)
        best_linear = problem.linear_item_value(bonus, response.exposure)
        bound = user_value + response.user_gain / total + intercept + best_linear
        self.bound = min(self.bound, bound)
        self.gap = self.bound - self.value
        for name, number in zip(self.history, (self.n_iter, self.value, self.gap)):
            self.history[name].append(number)

    def converged(self, tol):
        """Whether the gap is at most tol times the size of the objective, or tol if that is small.

        Parameters
        ----------
        tol : float
            Tolerance; 0 never converges.

        Returns
        -------
        converged : bool
            The stopping rule.
        """
        return self.gap <= tol * max(1.0, abs(self.value))


def frank_wolfe(
    problem, respond_all, *, shape, start=None, path=None, max_iter=100, tol=1e-3, on_pass=None
):
    """Batch Frank-Wolfe: rank for all users by the current slopes, move by 2 / (t + 2), repeat.

    Parameters
    ----------
    problem : RankingProblem
        What to maximise.
    respond_all : callable
        `respond_all(bonus, step)` moves all users by the last step, ranks for them and returns the
        :class:`Response` summed over users; see :func:`respond`.
    shape : tuple of int
        Number of user groups and of items.
    start : ExposureState, default=None
        Exposure of the policy that the users' utilities come from; None starts from the rankings by
        relevance, which count as the first pass.
    path : BonusPath, default=None
        Record that the bonuses are appended to.
    max_iter : int, default=100
        Largest number of passes; one more certifies the result.
    tol : float, default=1e-3
        Stop when the gap is at most tol * max(1, objective).
    on_pass : callable, default=None
        `on_pass(result)` after each certified pass; stops when it returns True.

    Returns
    -------
    result : FrankWolfeResult
        The users' utilities stay with `respond_all`.

    References
    ----------
    Frank and Wolfe, 1956; Jaggi, Revisiting Frank-Wolfe, 2013 (the gap). Do and Usunier,
    Optimizing generalized Gini indices for fairness in rankings, 2022 (batch, smoothed).
    """
    path = BonusPath(2) if path is None else path
    step, offset = 0.0, 2
    if start is None:
        bonus = np.zeros(shape)
        start, step = respond_all(bonus, 0.0).exposure, 1.0
        path.append(bonus, 1.0)
    else:
        offset = 22  # a good start is forgotten slowly
    result = FrankWolfeResult(start, n_iter=int(offset == 2))
    for t in range(int(offset == 2), max_iter + 1):
        intercept, slope = problem.item_tangent(result.state)
        bonus = problem.bonus(slope)
        response = respond_all(bonus, step)
        result.certify(problem, intercept, bonus, response)
        stop = on_pass is not None and on_pass(result)
        if stop or t == max_iter or result.converged(tol):
            break
        step = 2 / (t + offset)
        result.state = result.state.move(step, response.exposure)
        if problem.objective.needs_center:
            result.state.move_center(step, slope)
        result.n_iter += 1
        path.append(bonus, step / (1 - step) * path.total_weight)
    return result
