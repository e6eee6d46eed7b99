"""Fair ranking solvers against exact optima, their certificates, and each other."""

import cvxpy as cp
import numpy as np
import pytest

from skparietal.objectives.gini import gini_weights
from skparietal.objectives.ranking import (
    BalancedExposure,
    GiniWelfare,
    QualityWeighted,
    TwoSidedWelfare,
)
from skparietal.solvers.ranking.bonus_path import BonusPath
from skparietal.solvers.ranking.frank_wolfe import frank_wolfe
from skparietal.solvers.ranking.online_frank_wolfe import OnlineState, online_frank_wolfe
from skparietal.solvers.ranking.ranking_problem import RankingProblem
from skparietal.solvers.ranking.user_responses import LocalUsers

N_USERS, N_ITEMS = 6, 7
ATTENTION = np.array([1.0, 0.6, 0.5])
# Objective, beta: 20 programs that differ in the objective, its powers, and the weight of items.
PROGRAMS = [
    (TwoSidedWelfare(user_alpha, item_alpha), beta)
    for user_alpha, item_alpha in [(1.0, 0.5), (0.5, 0.5), (0.0, 0.0), (1.0, -1.0), (-1.0, 0.5)]
    for beta in (0.1, 1.0)
]
PROGRAMS += [(QualityWeighted(alpha, eta=0.1), 0.3) for alpha in (1.0, 0.5)]
PROGRAMS += [(QualityWeighted(alpha, penalty="l2"), 0.3) for alpha in (1.0, 0.0)]
PROGRAMS += [(BalancedExposure(alpha, eta=0.1), 0.3) for alpha in (1.0, 0.5)]
PROGRAMS += [(GiniWelfare(user_alpha=alpha), beta) for alpha, beta in [(1.0, 0.1), (0.5, 0.1)]]
PROGRAMS += [(GiniWelfare(user_alpha=alpha), beta) for alpha, beta in [(1.0, 0.5), (1.0, 1.0)]]


def concave_power(x, alpha, eta):
    if alpha == 1:
        return x
    if alpha == 0:
        return cp.log(x + eta)
    return np.sign(alpha) * cp.power(x + eta, alpha)


def item_part(objective, exposures, weight, group, merit):
    """The item part as a cvxpy expression, from its definition."""

    def relative(rows):
        return weight[rows] @ exposures[rows] * N_ITEMS / ATTENTION.sum() / weight[rows].sum()

    everyone = relative(np.ones(N_USERS, dtype=bool))
    if isinstance(objective, TwoSidedWelfare):
        return cp.sum(concave_power(everyone, objective.item_alpha, objective.eta)) / N_ITEMS
    if isinstance(objective, GiniWelfare):
        drops = -np.diff(gini_weights(N_ITEMS), append=0)
        partial = [cp.sum_smallest(everyone, k) for k in range(1, everyone.size)]
        return sum(d * part for d, part in zip(drops, [*partial, cp.sum(everyone)]))
    root = np.sqrt(objective.eta)
    if isinstance(objective, BalancedExposure):
        groups = [relative(group == label) for label in np.unique(group)]
        middle = sum(groups) / len(groups)
        distance = [
            cp.norm(cp.hstack([root, *(v[j] - middle[j] for v in groups)])) for j in range(N_ITEMS)
        ]
        return -sum(distance) / N_ITEMS
    deviation = (everyone - merit / merit.mean()) / np.sqrt(N_ITEMS)
    if objective.penalty == "l2":
        return -cp.sum_squares(deviation) / 2
    return -cp.norm(cp.hstack([root, deviation]))


def exact_optimum(problem, X, weight, group):
    """Largest value over bistochastic matrices: shares of places, an item in one place at most."""
    shares = [cp.Variable((N_ITEMS, len(ATTENTION)), nonneg=True) for _ in range(N_USERS)]
    exposures = cp.vstack([P @ ATTENTION for P in shares])
    constraints = [cp.sum(P, axis=0) == 1 for P in shares]
    constraints += [cp.sum(P, axis=1) <= 1 for P in shares]
    utility = cp.sum(cp.multiply(X, exposures), axis=1) / ATTENTION.sum()
    objective = problem.objective
    users = weight @ concave_power(utility, objective.user_alpha, objective.eta)
    items = item_part(objective, exposures, weight, group, problem.merit)
    program = cp.Problem(cp.Maximize(users + problem.beta * items), constraints)
    program.solve(solver="CLARABEL")
    assert program.status == "optimal"
    return program.value


def tiny(objective, beta, seed):
    rng = np.random.default_rng(seed)
    X = rng.random((N_USERS, N_ITEMS)) * np.linspace(0.3, 1, N_ITEMS)
    weight = rng.random(N_USERS) + 0.3
    weight /= weight.sum()
    group = np.array([0, 1, 0, 1, 0, 1])
    merit = weight @ X if objective.needs_merit else None
    return RankingProblem(objective, beta, ATTENTION, N_ITEMS, merit=merit), X, weight, group


def solve_batch(problem, X, weight, group, **options):
    group = group if problem.objective.by_user_group else None
    users = LocalUsers(problem, X, weight, group, np.zeros(len(X)))
    shape = (1 if group is None else 2, X.shape[1])
    return frank_wolfe(problem, users, shape=shape, tol=0, **options)


def solve_online(problem, X, weight, group, *, max_iter, forget=True, batch_size=1):
    group = group if problem.objective.by_user_group else None
    users = LocalUsers(problem, X, weight, group, np.zeros(len(X)))
    return online_frank_wolfe(
        problem,
        users,
        OnlineState.empty((1 if group is None else 2, X.shape[1]), 8),
        rng=np.random.RandomState(0),
        batch_size=batch_size,
        max_iter=max_iter,
        tol=0,
        forget=forget,
    )


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_both_solvers_reach_the_exact_optimum(number):
    objective, beta = PROGRAMS[number]
    problem, X, weight, group = tiny(objective, beta, seed=number)
    optimum = exact_optimum(problem, X, weight, group)
    batch = solve_batch(problem, X, weight, group, max_iter=1000)
    online = solve_online(problem, X, weight, group, max_iter=600)
    scale = max(1.0, abs(optimum))
    # The kinks of the Gini welfare leave an error that falls as one over the passes, not squared.
    slower = 5 if isinstance(objective, GiniWelfare) else 1
    # The optimum comes from an interior point method, exact to some 1e-8.
    for result, tolerance in ((batch, 1e-4 * slower), (online, 1e-4 * slower)):
        error = optimum - result.value
        assert -1e-6 * scale <= error <= tolerance * scale
        assert error <= result.gap + 1e-6 * scale


def test_bounds_hold_from_the_first_pass_on():
    problem, X, weight, group = tiny(GiniWelfare(), 0.5, seed=3)
    optimum = exact_optimum(problem, X, weight, group)
    history = solve_batch(problem, X, weight, group, max_iter=50).history
    bounds = np.add(history["objective"], history["gap"])
    assert (bounds >= optimum - 1e-7).all()
    assert (np.diff(bounds) <= 1e-12).all()


def test_without_weight_on_items_the_solution_is_sorting_by_relevance():
    problem, X, weight, group = tiny(TwoSidedWelfare(), 0.0, seed=0)
    result = solve_batch(problem, X, weight, group, max_iter=3)
    best = np.sort(X, axis=1)[:, ::-1][:, :3] @ ATTENTION / ATTENTION.sum()
    assert result.value == pytest.approx(weight @ best, rel=1e-12)
    assert result.gap == pytest.approx(0, abs=1e-12)


def test_one_batch_of_all_users_is_a_batch_pass_apart_from_the_start():
    # With everybody in one mini-batch, OFFR weighs pass p by p, as steps of 2 / (p + 1) do.
    problem, X, weight, group = tiny(QualityWeighted(penalty="l2"), 0.3, seed=1)
    online = solve_online(problem, X, weight, group, max_iter=8, batch_size=N_USERS)
    batch = solve_batch(problem, X, weight, group, max_iter=8)
    assert online.value == pytest.approx(batch.value, rel=1e-12)


def test_threads_change_no_bit():
    rng = np.random.default_rng(0)
    X = rng.random((700, 20))
    problem = RankingProblem(TwoSidedWelfare(0.5), 0.3, ATTENTION, 20)
    values = []
    for n_jobs in (1, 2):
        users = LocalUsers(problem, X, np.ones(700), None, np.zeros(700), n_jobs)
        values.append(frank_wolfe(problem, users, shape=(1, 20), max_iter=5, tol=0).value)
    assert values[0] == values[1]


def test_the_recorded_weights_are_those_of_the_responses():
    problem, X, weight, group = tiny(TwoSidedWelfare(), 0.3, seed=2)
    path = BonusPath(100)
    solve_batch(problem, X, weight, group, max_iter=20, path=path)
    # Steps of 2 / (t + 2) give response t a weight in proportion to t + 1.
    np.testing.assert_allclose(np.array(path.weights) / path.weights[0], np.arange(1, 21))


def test_a_warm_start_at_the_optimum_stays_there():
    problem, X, weight, _ = tiny(TwoSidedWelfare(), 0.3, seed=2)
    users = LocalUsers(problem, X, weight, None, np.zeros(N_USERS))
    cold = frank_wolfe(problem, users, shape=(1, N_ITEMS), max_iter=1000, tol=0)
    path = BonusPath(4)
    path.append(np.zeros((1, N_ITEMS)), 1.0)
    warm = frank_wolfe(
        problem,
        users,
        shape=(1, N_ITEMS),
        start=cold.state,
        path=path,
        max_iter=5,
        tol=10 * cold.gap,
    )
    assert warm.n_iter == 0
    assert warm.value == cold.value
