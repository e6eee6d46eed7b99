"""What should stop the descent, and what should choose the penalty, on real tables under attack.

`python benchmarks/bench_robust_stopping.py [--full]` prints its tables and writes
results/robust_stopping.json. (1) Adversarial mean squared error of every rule of
EarlyStoppedRobustGD, beside AdversarialRidge and AdversarialRidgeCV, and milliseconds per fit.
(2) Rules that pick a point of the ridge path: training error, generalised cross-validation, exact
leave-one-out errors, 5-fold cross-validation, and the best point with hindsight; beside the
largest leverage of a row, which is what generalised cross-validation averages away. (3) The first
table on simulated rows, where features are few, as many as rows, and more. (4) Simulated rows with
heavy-tailed noise, and with 2 % of the rows 8 times as far out. Features and targets of real tables
are standardised; every error is exact.
"""

import warnings

import numpy as np
from harness import full_is_asked, keep, seconds, show
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, RepeatedKFold
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, scale

from skparietal import AdversarialRidge, AdversarialRidgeCV, EarlyStoppedRobustGD
from skparietal.datasets import load_ames
from skparietal.metrics import make_adversarial_scorer
from skparietal.norms import check_norm
from skparietal.theory import gaussian_adversarial_risk

STOPPINGS = ("plugin", "gcv", "validation", "cv", "clean", "theory")
INNER = KFold(5, shuffle=True, random_state=1)
ATTACKS = (("l2", 0.1), ("l2", 0.5), ("linf", 0.1), ("linf", 0.2))


def tables():
    patients, progression = load_diabetes(return_X_y=True)
    products = PolynomialFeatures(2, include_bias=False).fit_transform(scale(patients))
    wines = load_wine().data
    tumours, benign = load_breast_cancer(return_X_y=True)
    found = {
        "diabetes": (patients, progression),
        "diabetes, degree 2": (products, progression),
        "wine": (np.delete(wines, 12, axis=1), wines[:, 12]),
        "breast cancer": (tumours, benign),
    }
    try:
        ames, price = load_ames(return_X_y=True)
    except ImportError as error:
        print(error)
    else:
        columns = np.asarray(ames.select_dtypes("number"), dtype=float)
        columns = columns[:, columns.std(axis=0) > 0]
        found["ames, every second"] = columns[::2], np.log(price)[::2]
        found["ames"] = columns, np.log(price)
    return {name: (X, scale(np.asarray(y, dtype=float))) for name, (X, y) in found.items()}


def folds(X, y, n_repeats, n_splits=5):
    splitter = RepeatedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=0)
    for train, test in splitter.split(X):
        scaler = StandardScaler().fit(X[train])
        yield scaler.transform(X[train]), y[train], scaler.transform(X[test]), y[test]


def candidates(norm, radius):
    found = {
        stopping: EarlyStoppedRobustGD(
            radius, norm=norm, stopping=stopping, cv=INNER, random_state=0
        )
        for stopping in STOPPINGS
    }
    found["ridge gcv"] = AdversarialRidge(radius, norm=norm)
    found["ridge CV"] = AdversarialRidgeCV(radius, norm=norm, cv=INNER, train_radii=25)
    return found


def stopping_rules(full):
    rows, times = [], []
    for name, (X, y) in tables().items():
        for norm, radius in ATTACKS:
            score = make_adversarial_scorer(norm, radius)
            models = candidates(norm, radius)
            errors, elapsed = {m: [] for m in models}, {m: [] for m in models}
            for A, target, B, held_out in folds(X, y, 3 if full else 1):
                for m, model in models.items():
                    elapsed[m].append(1e3 * seconds(model.fit, A, target)[0])
                    errors[m].append(-score(model, B, held_out))
            key = f"{name}, {norm} r={radius}"
            rows.append([key, *(float(np.mean(e)) for e in errors.values())])
            times.append([key, *(float(np.median(t)) for t in elapsed.values())])
    header = ["table", *models]
    best = np.array([row[1:7] for row in rows])
    excess = best / best[:, [0, 1, 3]].min(axis=1, keepdims=True)
    rows.append(["mean over the best of plugin, gcv, cv", *excess.mean(axis=0).tolist(), "", ""])
    rows.append(["worst over the best of those", *excess.max(axis=0).tolist(), "", ""])
    return {
        "stopping": show("adversarial mean squared error by stopping rule", header, rows),
        "stopping_ms": show("milliseconds per fit (median)", header, times),
    }


def ridge_choice(A, target, radius):
    """Coefficients and intercepts of a ridge path, and the point that each rule picks."""
    n, mean = len(A), A.mean(axis=0)
    U, singular, V = np.linalg.svd(A - mean, full_matrices=False)
    U, singular, V = (part[..., singular > 1e-5 * singular[0]] for part in (U, singular, V.T))
    share = singular**2 / (singular**2 + singular[0] ** 2 * np.geomspace(1e-6, 1e2, 300)[:, None])
    signal = U.T @ (target - target.mean())
    coef = (share * signal / singular) @ V.T
    residual = (target - target.mean())[:, None] - U @ (share * signal).T
    leverage = U**2 @ share.T + 1 / n
    rmse, dual = np.sqrt(np.mean(residual**2, axis=0)), np.linalg.norm(coef, axis=1)
    clean = {
        "train": rmse,
        "gcv": rmse / (1 - leverage.mean(axis=0)),
        "leave one out": np.sqrt(np.mean((residual / (1 - leverage)) ** 2, axis=0)),
    }
    allowed = leverage.mean(axis=0) < 0.7
    picks = {}
    for name, error in clean.items():
        risk = gaussian_adversarial_risk(error, dual, radius)
        picks[name] = int(np.argmin(np.where(allowed, risk, np.inf)))
    return coef, target.mean() - coef @ mean, picks


def penalty_rules(full):
    rows, rules = [], ("train", "gcv", "leave one out", "CV", "hindsight")
    for name, (X, y) in tables().items():
        Z = np.column_stack([np.ones(len(X)), scale(X)])
        leverage = np.linalg.norm(np.linalg.qr(Z)[0], axis=1) ** 2
        residual = y - LinearRegression().fit(X, y).predict(X)
        kurtosis = np.mean(residual**4) / np.mean(residual**2) ** 2
        for radius in (0.1, 0.3):
            errors = {rule: [] for rule in rules}
            score = make_adversarial_scorer("l2", radius)
            for n_splits in (3, 5):
                for A, target, B, held_out in folds(X, y, 5 if full else 2, n_splits):
                    coef, intercept, picks = ridge_choice(A, target, radius)
                    residuals = np.abs(held_out[:, None] - B @ coef.T - intercept)
                    attacked = residuals + radius * np.linalg.norm(coef, axis=1)
                    found = np.mean(attacked**2, axis=0)
                    for rule, pick in picks.items():
                        errors[rule].append(found[pick])
                    errors["hindsight"].append(found.min())
                    model = AdversarialRidgeCV(radius, cv=INNER).fit(A, target)
                    errors["CV"].append(-score(model, B, held_out))
            means = [float(np.mean(errors[rule])) for rule in rules]
            rows.append([f"{name}, r={radius}", *means, float(leverage.max()), float(kurtosis)])
    header = ["table", *rules, "largest leverage", "kurtosis of residuals"]
    return {"penalty": show("l2 attack: rules that pick a point of the ridge path", header, rows)}


def simulated(full):
    rows = []
    for n, d, deviation in ((400, 20, 1.0), (100, 80, 1.0), (100, 80, 0.1), (100, 300, 1.0)):
        for norm, radius in (("l2", 0.2), ("linf", 0.05), ("l1", 0.5)):
            errors = {}
            for seed in range(20 if full else 6):
                rng = np.random.default_rng(1000 + seed)
                coef = rng.normal(size=d) / np.sqrt(d)
                if norm == "linf":
                    coef = np.where(np.arange(d) < 5, 0.5, 0.0)
                X = rng.normal(size=(n, d))
                y = X @ coef + deviation * rng.normal(size=n)
                for m, model in candidates(norm, radius).items():
                    w = model.fit(X, y).coef_
                    clean = np.sqrt(np.sum((w - coef) ** 2) + deviation**2)
                    risk = gaussian_adversarial_risk(clean, check_norm(norm).dual.norm(w), radius)
                    errors.setdefault(m, []).append(risk)
            name = f"{n} x {d}, noise {deviation:g}, {norm} r={radius}"
            rows.append([name, *(float(np.mean(e)) for e in errors.values())])
    title = "simulated: true adversarial risk by stopping rule"
    return {"simulated": show(title, ["problem", *errors], rows)}


def noise(rng, kind, n):
    """Noise of variance one."""
    if kind == "lognormal":
        return (rng.lognormal(0, 1.2, n) - np.exp(0.72)) / np.exp(0.72) / np.sqrt(np.expm1(1.44))
    if kind == "5 % are 10 times larger":
        return rng.normal(size=n) * np.where(rng.random(n) < 0.05, 10, 1) / np.sqrt(5.95)
    return rng.normal(size=n)


def odd_rows(full):
    rows, d = [], 20
    for norm, radius in (("l2", 0.4), ("linf", 0.1)):
        models = {
            "ridge gcv": AdversarialRidge(radius, norm=norm),
            "ridge empirical": AdversarialRidge(radius, norm=norm, objective="empirical"),
            "ridge CV": AdversarialRidgeCV(radius, norm=norm, cv=INNER, train_radii=25),
            "descent gcv": EarlyStoppedRobustGD(radius, norm=norm),
            "descent cv": EarlyStoppedRobustGD(radius, norm=norm, stopping="cv", cv=INNER),
        }
        score = make_adversarial_scorer(norm, radius)
        for kind in ("normal", "lognormal", "5 % are 10 times larger"):
            for far in (1, 8):
                errors = {m: [] for m in models}
                for seed in range(20 if full else 6):
                    rng = np.random.default_rng(2000 + seed)
                    coef = rng.normal(size=d) / np.sqrt(d)
                    X = rng.normal(size=(10_200, d))
                    X *= np.where(rng.random((len(X), 1)) < 0.02, far, 1)
                    y = X @ coef + noise(rng, kind, len(X))
                    for m, model in models.items():
                        errors[m].append(-score(model.fit(X[:200], y[:200]), X[200:], y[200:]))
                name = f"{kind}, {norm} r={radius}" + (", far rows" if far > 1 else "")
                rows.append([name, *(float(np.mean(e)) for e in errors.values())])
    title = "simulated, 200 x 20: adversarial error on 10,000 new rows"
    return {"odd rows": show(title, ["noise", *models], rows)}


def report(full):
    warnings.filterwarnings("ignore", "All coefficients are zero")
    return {**stopping_rules(full), **penalty_rules(full), **simulated(full), **odd_rows(full)}


if __name__ == "__main__":
    keep("robust_stopping", report, full=full_is_asked(__doc__))
