"""SyntheticMixRidge against its peers: true risk over the oracle's, fit time, theory, projections.

`python benchmarks/bench_mixing.py [--full]` prints the tables and writes results/mixing.json;
`--full` repeats every draw 25 times.
"""

import time
import warnings
from functools import partial
from itertools import product

import numpy as np
from harness import full_is_asked, keep
from scipy.linalg import eigh
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV

from skparietal import SyntheticMixRidge
from skparietal.spectrum import power_law_problem
from skparietal.theory import mix_risk, shift_cost

WEIGHTS = (0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
PEERS = ("ppi-python",)


# ----- draws


def problem(kind, d, rng):
    """Variances and coefficients of unit signal variance."""
    k = np.arange(1, d + 1.0)
    coef = rng.standard_normal(d)
    if kind == "isotropic":
        spectrum = np.ones(d)
    elif kind == "power":
        spectrum, size = power_law_problem(d, 1.5, 0.4)
        coef = np.sign(coef) * size
    elif kind == "spiked":
        spectrum = np.where(k <= 3, 20.0, 1.0)
        coef = coef / np.sqrt(spectrum)
    else:  # every direction carries the same signal: against the ridge's prior
        spectrum = 1 / k
        coef = coef / np.sqrt(spectrum)
    return spectrum, coef / np.sqrt(np.sum(spectrum * coef**2))


def shift_of(kind, spectrum, coef, c2, rng):
    d = spectrum.size
    if kind == "coefficients":  # equal variance in all
        return rng.standard_normal(d) * np.sqrt(c2 / spectrum.sum())
    if kind == "predictions":  # Sigma^-1: sampling error of a least-squares source
        return rng.standard_normal(d) * np.sqrt(c2 / d / spectrum)
    if kind == "shrunken":  # an over-regularised source
        return -np.sqrt(c2) * coef
    delta = np.zeros(d)  # one coefficient is wrong
    j = rng.integers(d // 2)
    delta[j] = np.sqrt(c2 / spectrum[j])
    return delta


def draw(setting, seed):
    """Rows and labels, real ones first, and the truth."""
    rng = np.random.default_rng(seed)
    spectrum, coef = problem(setting["kind"], setting["d"], rng)
    delta = shift_of(setting.get("shift", "coefficients"), spectrum, coef, setting["c2"], rng)
    n1, n2 = setting["n1"], setting["n2"]
    size = (n1 + n2, setting["d"])
    if setting.get("rows") == "t":
        Z = rng.standard_t(5, size) / np.sqrt(5 / 3)
    elif setting.get("rows") == "binary":
        Z = rng.choice([-1.0, 1.0], size)
    else:
        Z = rng.standard_normal(size)
    X = Z * np.sqrt(spectrum)
    synthetic = np.arange(n1 + n2) >= n1
    noise = np.where(synthetic, setting.get("noise2", 0.25), 0.25)
    y = X @ coef + np.where(synthetic, X @ delta, 0) + np.sqrt(noise) * rng.standard_normal(n1 + n2)
    return X, y, synthetic, spectrum, coef, delta


def paper_regimes():
    grid = product(("isotropic", "power"), (30, 80, 150, 400), (100, 1000), (0.0, 0.02, 0.2, 1.0))
    return [{"kind": k, "d": 50, "n1": n1, "n2": n2, "c2": c2} for k, n1, n2, c2 in grid]


def other_regimes():
    bases = (
        {"kind": "spiked"},
        {"kind": "equal"},
        {"kind": "power", "rows": "t"},
        {"kind": "isotropic", "rows": "binary", "shift": "one coefficient"},
        {"kind": "power", "shift": "predictions"},
        {"kind": "power", "shift": "shrunken"},
        {"kind": "power", "noise2": 0.0025},
        {"kind": "isotropic", "noise2": 1.0},
    )
    sizes = ((20, 40, 400), (80, 100, 600), (120, 60, 200))
    grid = product(bases, sizes, (0.0, 0.05, 0.5))
    return [base | {"d": d, "n1": n1, "n2": n2, "c2": c2} for base, (d, n1, n2), c2 in grid]


# ----- true risk over the oracle's


def oracle_risk(X, y, synthetic, spectrum, coef):
    """Least true risk of this draw over scalar weights and alphas, known only to an oracle."""
    X1, y1, X2, y2 = X[~synthetic], y[~synthetic], X[synthetic], y[synthetic]
    best = np.inf
    for weight in WEIGHTS:
        values, vectors = eigh(X1.T @ X1 + weight * X2.T @ X2)
        values = np.maximum(values, 0)
        right = vectors.T @ (X1.T @ y1 + weight * X2.T @ y2)
        alphas = values.mean() * np.logspace(-4.5, 2, 30)
        fits = (right / (values + alphas[:, None])) @ vectors.T
        best = min(best, np.min((fits - coef) ** 2 @ spectrum))
    return best


def peers(n1, n2):
    alphas = np.logspace(-4, 2, 30) * (n1 + n2) / 10
    return {
        "average (default)": lambda X, y, s: SyntheticMixRidge().fit(X, y, synthetic=s).coef_,
        "loo, guard 1": lambda X, y, s: (
            SyntheticMixRidge(selection="loo").fit(X, y, synthetic=s).coef_
        ),
        "loo, guard 0": lambda X, y, s: (
            SyntheticMixRidge(selection="loo", guard=0).fit(X, y, synthetic=s).coef_
        ),
        "RidgeCV, real rows": lambda X, y, s: RidgeCV(alphas * n1 / n2).fit(X[~s], y[~s]).coef_,
        "RidgeCV, all rows": lambda X, y, s: RidgeCV(alphas).fit(X, y).coef_,
    }


def risk_table(settings, n_repeats, seed):
    """Mean risk over mean oracle risk of every setting, per method."""
    table = {}
    for i, setting in enumerate(settings):
        risks = {}
        for repeat in range(n_repeats):
            X, y, s, spectrum, coef, _ = draw(setting, [seed, i, repeat])
            risks.setdefault("oracle", []).append(oracle_risk(X, y, s, spectrum, coef))
            for name, fit in peers(setting["n1"], setting["n2"]).items():
                risks.setdefault(name, []).append(np.sum(spectrum * (fit(X, y, s) - coef) ** 2))
        oracle = np.mean(risks.pop("oracle"))
        for name, values in risks.items():
            table.setdefault(name, []).append(np.mean(values) / oracle)
    return {name: np.array(values) for name, values in table.items()}


def print_risk_table(title, settings, table):
    shifts = sorted({setting["c2"] for setting in settings})
    print(f"\n{title}: risk over the oracle's, geometric mean (worst) of the settings")
    print(f"{'':20s}{'all':>15s}" + "".join(f"{f'c2={c2:g}':>15s}" for c2 in shifts))
    summary = {}
    for name, ratios in table.items():
        groups = {"all": ratios}
        for c2 in shifts:
            groups[f"c2={c2:g}"] = ratios[[setting["c2"] == c2 for setting in settings]]
        cells = {key: (np.exp(np.mean(np.log(v))), v.max()) for key, v in groups.items()}
        print(f"{name:20s}" + "".join(f"{f'{g:.3f} ({w:.2f})':>15s}" for g, w in cells.values()))
        summary[name] = cells
    return summary


# ----- theory against simulation


def theory_table(n_repeats=100, seed=0):
    """Largest deviation of simulated from theoretical risk, weighted rows and projections."""
    d, worst = 120, {}
    for kind, (n1, n2), (label, weight, m) in product(
        ("isotropic", "power"),
        ((20, 100), (60, 240), (100, 60)),
        (("all rows alike", 1.0, None), ("weight 0.1", 0.1, None), ("80 projections", 1.0, 80)),
    ):
        rng = np.random.default_rng([seed, n1, n2])
        spectrum, coef = problem(kind, d, rng)
        size = np.sqrt(0.5 / spectrum.sum())
        risks, lams = [], np.array([0.003, 0.1])
        for _ in range(n_repeats):
            # Only the diagonal of the shift's second moment counts: random signs.
            X = rng.standard_normal((n1 + n2, d)) * np.sqrt(spectrum)
            y = X @ coef + 0.5 * rng.standard_normal(n1 + n2)
            y[n1:] += X[n1:] @ (size * rng.choice([-1, 1], d))
            S = np.eye(d) if m is None else rng.standard_normal((m, d)) / np.sqrt(m)
            w = np.where(np.arange(n1 + n2) < n1, 1.0, weight)[:, None]
            Z = X @ S.T
            values, vectors = eigh(Z.T @ (w * Z))
            right = vectors.T @ (Z.T @ (w[:, 0] * y))
            fits = (right / (values + lams[:, None] * (n1 + n2))) @ vectors.T @ S
            risks.append((fits - coef) ** 2 @ spectrum)
        theory = mix_risk(
            spectrum,
            coef,
            np.full(d, size**2),
            n1,
            n2,
            lams,
            weight=weight,
            noise_variance_real=0.25,
            n_components=m,
        ).total
        deviation = np.max(np.abs(np.mean(risks, axis=0) / theory - 1))
        worst[label] = max(worst.get(label, 0), deviation)
    spectrum, coef = problem("power", d, np.random.default_rng(seed))
    zeta = mix_risk(spectrum, coef, spectrum, 40, 160, np.logspace(-4, 1, 20)).zeta
    independent = shift_cost(spectrum, spectrum, 40, 160, np.logspace(-4, 1, 20))
    worst["zeta, two derivations (absolute)"] = float(np.max(np.abs(zeta - independent)))
    return worst


# ----- time and risk on the same rows


def ppi_fit(X, y, s, source):
    from ppi_py import ppi_ols_pointestimate

    return ppi_ols_pointestimate(
        X[~s], y[~s], X[~s] @ source, X[s], X[s] @ source, lam=None, coord=0
    )


def grid_search(X, y, s, alphas):
    """Weight and alpha by five folds of the real rows, synthetic rows in every training set."""
    best, real = (np.inf,), np.flatnonzero(~s)
    for weight in WEIGHTS:
        folds = [
            (np.concatenate([real[real % 5 != k], np.flatnonzero(s)]), real[real % 5 == k])
            for k in range(5)
        ]
        search = GridSearchCV(
            Ridge(), {"alpha": alphas}, cv=folds, scoring="neg_mean_squared_error"
        )
        search.fit(X, y, sample_weight=np.where(s, max(weight, 1e-12), 1.0))
        best = min(best, (-search.best_score_, weight, search), key=lambda t: t[0])
    return best[2].best_estimator_.coef_


def time_table(sizes, n_repeats, slow):
    rows = []
    for (d, n1, n2), c2 in product(sizes, (0.02, 0.2, 1.0)):
        setting = {"kind": "isotropic", "d": d, "n1": n1, "n2": n2, "c2": c2}
        times, risks = {}, {}
        for repeat in range(n_repeats):
            X, y, s, spectrum, coef, delta = draw(setting, [7, d, repeat])
            alphas = np.logspace(-4, 2, 30) * (n1 + n2) / 10
            fits = peers(n1, n2) | {
                "ppi-python": partial(ppi_fit, source=coef + delta),
            }
            if c2 == 0.2 and repeat == 0 and (slow or d <= 50):
                fits["grid search"] = partial(grid_search, alphas=alphas)
            for name, fit in fits.items():
                start = time.perf_counter()
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        estimate = fit(X, y, s)
                except ImportError:
                    times[name] = risks[name] = "not installed"
                    continue
                times.setdefault(name, []).append(time.perf_counter() - start)
                risks.setdefault(name, []).append(np.sum(spectrum * (estimate - coef) ** 2))
        for name, values in times.items():
            if isinstance(values, str):
                rows.append((d, n1, n2, c2, name, values, values))
            else:
                rows.append((d, n1, n2, c2, name, np.median(values), np.mean(risks[name])))
    return rows


def print_time_table(rows):
    print("\nFit time (s, median) and true risk, isotropic inputs; ppi-python is given the source")
    for d, n1, n2, c2, name, seconds, risk in rows:
        cells = (
            f"{seconds:10.4f}{risk:10.4f}" if not isinstance(seconds, str) else f"{seconds:>20s}"
        )
        print(f"d={d:<4d} real={n1:<5d} synthetic={n2:<6d} c2={c2:<5g} {name:20s}{cells}")


def report(*, full=False):
    """Print all tables and return them."""
    n_repeats = 25 if full else 6
    results = {}
    for title, settings, seed in (
        ("Isotropic and power-law inputs, d=50, shift of all coefficients", paper_regimes(), 1),
        ("Spiked, t, binary inputs; other shifts, noises and sizes", other_regimes(), 2),
    ):
        repeats = n_repeats if seed == 1 else max(n_repeats // 2, 2)
        table = risk_table(settings, repeats, seed)
        results[title] = print_risk_table(title, settings, table)
        worst = np.argmax(table["average (default)"])
        print("worst setting of the default:", settings[worst])
    results["theory"] = theory_table(400 if full else 100)
    print("\nSimulated over theoretical risk, largest deviation (d=120, 20 to 300 rows)")
    for name, value in results["theory"].items():
        print(f"{name:36s}{value:.2e}")
    sizes = [(50, 100, 2000), (200, 300, 5000)]
    results["time"] = time_table(sizes, 5 if full else 3, slow=full)
    print_time_table(results["time"])
    return results


if __name__ == "__main__":
    keep("mixing", report, full=full_is_asked(__doc__), peers=PEERS)
