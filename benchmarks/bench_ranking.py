"""Fair rankings: cost of a decision, convergence at equal gap, exact optima, serving, streams.

    python benchmarks/bench_ranking.py [--full]

Prints tables and writes results/ranking.json; the tables of bench_bandits.py follow. Every ratio is
the median of ratios paired in turn within this process. `--full` streams a million users.
"""

import resource
import time
import warnings

import bench_bandits
import cvxpy as cp
import numpy as np
from harness import full_is_asked, keep, seconds, show
from scipy import sparse

from skparietal import FairRankingFW
from skparietal.datasets import (
    load_insteval,
    load_movielens,
    load_movielens_100k,
    reconstruct_ratings,
)
from skparietal.exposure import add_exposure, check_position_weights, rank_rows, relevance_at
from skparietal.metrics import gini_index
from skparietal.objectives import TwoSidedWelfare
from skparietal.solvers.ranking.online_frank_wolfe import OnlineState
from skparietal.solvers.ranking.ranking_problem import ExposureState, RankingProblem

TOP_K = 40


def paired(one, two, n):
    """Median times of two functions run in turn, and the median of their ratios, two over one."""
    times = np.array([[seconds(one)[0], seconds(two)[0]] for _ in range(n)])
    return (*np.median(times, axis=0).tolist(), float(np.median(times[:, 1] / times[:, 0])))


# ----- cost of a decision


def bare_top_k(row):
    top = np.argpartition(row, len(row) - TOP_K)[len(row) - TOP_K :]
    return top[np.argsort(-row[top])]


def decision_cost(n_items, batch_size, n_repeats):
    """Microseconds per user of a bare top-k, of a fair decision with its update, of the call."""
    X = np.random.default_rng(0).random((batch_size, n_items))
    weights = check_position_weights("dcg", TOP_K)
    problem = RankingProblem(TwoSidedWelfare(), 0.1, weights, n_items)
    state = OnlineState.empty((1, n_items), 128)
    users = X, np.ones(batch_size), None, np.zeros(batch_size)
    for _ in range(3):
        state.serve(problem, *users)
    state.path.stretch = 10**9  # a long stream records next to never

    def bare():
        return [bare_top_k(row) for row in X]

    model = FairRankingFW(top_k=TOP_K, batch_size=batch_size).partial_fit(X).partial_fit(X)
    model._state.path.stretch = 10**9
    times = paired(bare, lambda: state.serve(problem, *users), n_repeats)
    call = paired(bare, lambda: model.partial_fit_predict(X), n_repeats)
    per_user = [1e6 * t / batch_size for t in (*times[:2], call[1])]
    return *per_user, times[2], call[2]


def decision_table():
    rows = []
    for n_items, batch_size, n_repeats in [
        (1000, 1, 1000), (1000, 64, 100), (10_000, 1, 500), (10_000, 64, 30),
        (100_000, 1, 60), (100_000, 64, 5), (1_000_000, 1, 15), (1_000_000, 16, 5),
    ]:  # fmt: skip
        rows.append((n_items, batch_size, *decision_cost(n_items, batch_size, n_repeats)))
    header = ["items", "users per mini-batch", "bare top-k, us", "fair decision, us",
              "partial_fit_predict, us", "ratio of the decision", "of the call"]  # fmt: skip
    return show(f"Decision: top {TOP_K}, one thread, per user", header, rows)


def sparse_table(n_items=20_000, n_candidates=60, n_users=256):
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(n_items, size=(n_users, n_candidates)), axis=1)
    rows = np.repeat(np.arange(n_users), n_candidates)
    X = sparse.csr_array((rng.random(columns.size), (rows, columns.ravel())), (n_users, n_items))
    X.sum_duplicates()
    bonus, dense = rng.random(n_items), X.toarray()
    rank = {
        name: lambda name=name, table=table: rank_rows(table, 10, bonus=bonus, candidates=name)
        for name, table in (("all", dense), ("implicit", X), ("stored", X))
    }
    same = np.array_equal(rank["all"]()[0], rank["implicit"]()[0])
    out = []
    for name in ("implicit", "stored"):
        full, ours, ratio = paired(rank["all"], rank[name], 9)
        out.append((name, 1e6 * full / n_users, 1e6 * ours / n_users, ratio, same))
    header = ["candidates", "dense, us", "sparse, us", "ratio", "implicit = dense"]
    title = f"Sparse rows: {n_items} items, {n_candidates} stored"
    return show(title, header, out)


def stream_table(n_users, n_items=10_000, n_candidates=100, chunk=10_000):
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(n_items, size=(chunk, n_candidates)), axis=1)
    rows = np.repeat(np.arange(chunk), n_candidates)
    X = sparse.csr_array((rng.random(columns.size), (rows, columns.ravel())), (chunk, n_items))
    X.sum_duplicates()
    model = FairRankingFW(candidates="stored", beta=0.1)
    model.partial_fit(X)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    for _ in range(n_users // chunk):
        model.partial_fit_predict(X)
    elapsed = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    row = (n_users, n_items, n_candidates, n_users / elapsed, grown / 1024)
    header = ["users", "items", "candidates each", "users per second", "peak memory grew by, MB"]
    return show("Stream through partial_fit_predict, one thread", header, [row])


# ----- convergence


def data_sets():
    found = {}
    for name, load in (
        ("MovieLens 100k", load_movielens_100k), ("MovieLens (dslabs)", load_movielens),
        ("InstEval", load_insteval),
    ):  # fmt: skip
        try:
            ratings = load()
        except ImportError as error:
            print(f"{name}: not installed ({error})")
            continue
        found[name] = reconstruct_ratings(ratings, n_items=1700)[0]
    return found


def fit(X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # passes are fixed, tolerance is not asked for
        return FairRankingFW(**{"tol": 0, "random_state": 0, **parameters}).fit(X)


def distances(model, optimum):
    history = model.history_
    return dict(zip(history["passes"].tolist(), (optimum - history["objective"]).tolist()))


def convergence_table(sets):
    rows = []
    for name, X in sets.items():
        batch = fit(X, solver="fw", max_iter=256)
        optimum = batch.objective_value_ + batch.gap_  # an upper bound, certified
        of_batch = distances(batch, optimum)
        one = fit(X, batch_size=1, step="average", max_iter=8)
        online = distances(one, optimum)
        forget = distances(fit(X, max_iter=32), optimum)
        passes = np.log(list(online))
        slope = np.polyfit(passes, np.log(list(online.values())), 1)[0]
        rows.append(
            (name, f"{X.shape[0]} x {X.shape[1]}", online[1], of_batch[8],
             online[1] / of_batch[8], float(slope), forget[32], of_batch[64])
        )  # fmt: skip
    header = ["data", "size", "online, 1 pass", "batch, 8 passes", "ratio (<= .5)",
              "online slope", "online fw, 32", "batch, 64"]  # fmt: skip
    return show("Distance to the optimum: welfare, beta .1, top 10", header, rows)


def equal_gap_table(X, gaps=(0.05, 0.02, 0.01)):
    rows = []
    for gap in gaps:
        runs = {}
        for solver in ("offr", "fw"):
            parameters = {"solver": solver, "tol": gap, "max_iter": 400}
            runs[solver] = fit(X, **parameters), seconds(lambda p=parameters: fit(X, **p))[0]
        (online, online_time), (batch, batch_time) = runs["offr"], runs["fw"]
        ratio = batch_time / online_time
        rows.append((gap, online.n_iter_, batch.n_iter_, online_time, batch_time, ratio))
    header = ["certified gap", "online passes", "batch passes", "online, s", "batch, s", "ratio"]
    return show("Time to a certified gap (certificates included)", header, rows)


def gini_table(X, beta=1.0):
    rows = []
    for n_iter in (8, 32, 128):
        gaps = [
            fit(X, objective="gini", beta=beta, solver=solver, max_iter=n_iter).gap_
            for solver in ("fw", "offr")
        ]
        rows.append((n_iter, *gaps))
    header = ["passes", "batch", "online"]
    return show(f"Certified gap of the Gini welfare, beta {beta:g}", header, rows)


# ----- exact optima


def exact_optimum(X, weights, beta):
    """Welfare with item_alpha .5 over bistochastic matrices, by an interior point method."""
    n_users, n_items = X.shape
    shares = [cp.Variable((n_items, len(weights)), nonneg=True) for _ in range(n_users)]
    exposures = cp.vstack([P @ weights for P in shares])
    limits = [cp.sum(P, axis=0) == 1 for P in shares] + [cp.sum(P, axis=1) <= 1 for P in shares]
    relative = cp.sum(exposures, axis=0) * (n_items / n_users / weights.sum())
    utility = cp.sum(cp.multiply(X, exposures)) / n_users / weights.sum()
    value = utility + beta * cp.sum(cp.sqrt(relative + 0.01)) / n_items
    program = cp.Problem(cp.Maximize(value), limits)
    program.solve(solver="CLARABEL")
    return program.value


def exact_table():
    rows = []
    for n_users, n_items, top_k in ((6, 7, 3), (20, 30, 5), (40, 60, 5)):
        X = np.random.default_rng(0).random((n_users, n_items))
        weights = check_position_weights("dcg", top_k)
        start = time.perf_counter()
        optimum = exact_optimum(X, weights, 0.1)
        exact_time = time.perf_counter() - start
        start = time.perf_counter()
        model = fit(X, top_k=top_k, solver="fw", max_iter=500)
        ours = time.perf_counter() - start
        error = (optimum - model.objective_value_) / optimum
        rows.append((f"{n_users} x {n_items}", exact_time, ours, float(error), float(model.gap_)))
    header = ["size", "cvxpy, s", "ours (500 passes), s", "relative error", "certified gap"]
    return show("Against cvxpy over bistochastic matrices", header, rows)


# ----- serving


def gains_on(X, model, everything):
    """Gains over ranking by relevance: of predict, of the stored policy, of all its bonuses."""
    base = value_of(model, X, rank_rows(X, model.top_k_)[0])
    predict = value_of(model, X, model.predict(X))
    return predict - base, model.score(X) - base, everything.score(X) - base


def value_of(model, X, rankings):
    """Objective of one ranking per user."""
    problem = model._problem
    mass = np.zeros((1, X.shape[1]))
    add_exposure(mass, rankings, problem.position_weights)
    utility = relevance_at(X, rankings) @ problem.position_weights / problem.total_attention
    state = ExposureState(mass, np.array([float(len(X))]))
    return problem.objective.user_value(utility).mean() + problem.item_value(state)


def serving_table(sets, n_splits):
    rows = []
    for name, X in sets.items():
        for user_alpha in (1.0, 0.5):
            gains = []
            for seed in range(n_splits):
                order = np.random.default_rng(seed).permutation(len(X))
                half = min(len(X) // 2, 700)
                seen, unseen = X[order[:half]], X[order[half : 2 * half]]
                parameters = {"objective": TwoSidedWelfare(user_alpha), "max_iter": 16}
                model = fit(seen, **parameters)
                gains.append(gains_on(unseen, model, fit(seen, **parameters, n_stored=1000)))
            predict, sample, whole = np.mean(gains, axis=0).tolist()
            rows.append((name, user_alpha, whole, predict / whole, sample / whole))
    header = ["data", "user_alpha", "gain of the whole policy", "predict keeps", "sample keeps"]
    title = f"Gain over ranking by relevance on unseen users, mean of {n_splits} halves"
    return show(title, header, rows)


def quality_table(X):
    rows = []
    for beta in (0.0, 0.03, 0.1, 0.3, 1.0):
        model = fit(X, objective=TwoSidedWelfare(), beta=beta, max_iter=4)
        rows.append((beta, model.user_utility_.mean(), gini_index(model.item_exposure_)))
    best = rows[0][1]
    rows = [(beta, float(utility / best), gini) for beta, utility, gini in rows]
    return show("Trade-off, 4 passes", ["beta", "utility ratio", "Gini of exposure"], rows)


def report(*, full=False):
    """Print the tables and return them."""
    sets = data_sets()
    first = next(iter(sets.values()))
    return {
        "decision": decision_table(),
        "sparse": sparse_table(),
        "stream": stream_table(1_000_000 if full else 100_000),
        "exact": exact_table(),
        "convergence": convergence_table(sets),
        "equal gap": equal_gap_table(first),
        "gini": gini_table(first),
        "serving": serving_table(sets, 5 if full else 2),
        "quality": quality_table(first),
    }


if __name__ == "__main__":
    full = full_is_asked(__doc__)
    keep("ranking", report, full=full, peers=("cvxpy",))
    keep("bandits", bench_bandits.report, full=full, peers=bench_bandits.PEERS)
