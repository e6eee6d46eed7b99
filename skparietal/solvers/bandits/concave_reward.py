"""The best average rewards that a policy can reach when everything is known."""

from dataclasses import dataclass

import numpy as np

MAX_VERTICES = 500


@dataclass(frozen=True)
class ConcaveRewardOptimum:
    """Best average rewards and their certificate.

    Attributes
    ----------
    value : float
        Objective of ``mean_reward``.
    mean_reward : ndarray of shape (n_rewards,)
        Average of every reward under a stochastic policy that attains the value.
    gap : float
        The optimum exceeds ``value`` by at most this.
    """

    value: float
    mean_reward: np.ndarray
    gap: float


def maximize_concave_reward(objective, mean_rewards, *, tol=1e-7):
    """Maximise a concave function of the average rewards over all stochastic policies.

    Fully corrective Frank-Wolfe: the best policy for a direction is found row by row, and a small
    convex program finds the best mixture of the policies met so far and the next direction, the
    dual variable of the average reward.

    Parameters
    ----------
    objective : RewardObjective
        With a ``to_cvxpy`` method.
    mean_rewards : ndarray of shape (n_contexts, n_actions, n_rewards)
        Expected rewards of every action in a sample of contexts.
    tol : float, default=1e-7
        Gap at which to stop, in the unit of the objective.

    Returns
    -------
    optimum : ConcaveRewardOptimum
        Over policies of the sampled contexts; a sample of n contexts places it within a multiple
        of n^-1/2 of the optimum over their distribution.

    Raises
    ------
    RuntimeError
        If the gap is still above tol after 500 directions.
    """
    n_contexts, _, n_rewards = mean_rewards.shape
    rows = np.arange(n_contexts)

    def best_response(direction):  # numpydoc ignore=GL08
        return mean_rewards[rows, (mean_rewards @ direction).argmax(axis=1)].mean(axis=0)

    vertices = [best_response(direction) for direction in np.eye(n_rewards)]
    for _ in range(MAX_VERTICES):
        mean_reward, direction = _best_mixture(objective, np.array(vertices))
        vertex = best_response(direction)
        gap = float(direction @ (vertex - mean_reward))
        if gap <= tol:
            value = float(objective.value(mean_reward))
            return ConcaveRewardOptimum(value, mean_reward, max(gap, 0.0))
        vertices.append(vertex)
    raise RuntimeError(f"The gap is still {gap:.1e} after {MAX_VERTICES} directions; raise tol.")


def _best_mixture(objective, vertices):
    """Best point of a convex hull, and the supergradient of the objective that proves it."""
    import cvxpy as cp

    share = cp.Variable(len(vertices), nonneg=True)
    mean_reward = cp.Variable(vertices.shape[1])
    link = vertices.T @ share == mean_reward
    problem = cp.Problem(cp.Maximize(objective.to_cvxpy(mean_reward)), [link, cp.sum(share) == 1])
    problem.solve(solver=cp.CLARABEL)
    if problem.status != cp.OPTIMAL:
        raise RuntimeError(f"The mixture of policies was not found: {problem.status}.")
    weights = np.clip(share.value, 0, None)
    return weights @ vertices / weights.sum(), -link.dual_value
