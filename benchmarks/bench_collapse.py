"""Ridge on synthetic labels against its peers: true risk over the oracle's, time, memory, theory.

`python benchmarks/bench_collapse.py [--full]` prints the tables, those of bench_mixing.py after
them, and writes results/collapse.json and mixing.json. By default the second and third risk tables
and the theory have fewer repetitions, and the peers that take minutes (grid search, himalaya) run
at the smaller shape only.
"""

import importlib
import importlib.metadata
import importlib.util
import tracemalloc
import warnings

import bench_mixing
import numpy as np
from harness import full_is_asked, keep, seconds, show
from scipy.optimize import minimize_scalar
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV

from skparietal import AdaptiveRidgeCollapse
from skparietal.datasets import make_collapse_regression
from skparietal.spectrum import power_law_problem
from skparietal.theory import collapse_risk, power_law_exponents

PEERS = ("himalaya",)


# ----- true risk over the oracle's


def problem(kind, d, rng):
    """Variances and random coefficients of unit signal variance."""
    k = np.arange(1, d + 1.0)
    spectrum = {
        "isotropic": np.ones(d),
        "power": k**-1.5,
        "power, source": k**-1.5,
        "small eigenvalues": 1 / k,
        "spiked": np.where(k <= 5, 25.0, 1.0),
    }[kind]
    coef = rng.standard_normal(d)
    if kind == "power, source":
        coef = np.sign(coef) * np.sqrt(k**-2.125 / spectrum)
    if kind == "small eigenvalues":
        coef = coef * k
    return spectrum, coef / np.sqrt(spectrum @ coef**2)


def configurations(suite, n):
    """Settings of make_collapse_regression for one table and number of generations."""
    if suite == "standard":
        return [
            {"kind": kind, "d": d, "T": 200, "T0": 200 if d < 200 else 2 * d, "n": n, "s2": 0.25}
            for kind in ("isotropic", "power")
            for d in (20, 100, 300)
        ]
    if suite == "own":
        return [
            {"kind": kind, "d": int(ratio * 120), "T": 120, "T0": max(150, int(240 * ratio))}
            | {"n": n, "s2": s2, "features": features}
            for kind, s2, features in (
                ("isotropic", 1.0, "t"),
                ("power", 0.25, "binary"),
                ("power, source", 0.25, "gaussian"),
                ("small eigenvalues", 1.0, "gaussian"),
                ("spiked", 0.25, "binary"),
            )
            for ratio in (0.1, 0.5, 0.95, 1.5)
        ]
    return [
        {"kind": kind, "d": d, "T": 120, "T0": rows, "n": n, "s2": 0.25}
        | {"alpha": alpha * (1.0 if kind == "isotropic" else 0.15)}
        for kind in ("isotropic", "power", "small eigenvalues")
        for d, rows, alpha in (
            (60, 120, 2.0),
            (60, 120, 20.0),
            (60, 30, 0.0),
            (180, 120, 2.0),
            (180, 90, 0.0),
            (180, 90, 10.0),
        )
    ]


def risks_of_path(X, y, truth, alphas):
    """True excess risk of ridge at each alpha."""
    centred, target = X - X.mean(axis=0), y - y.mean()
    U, s, Vt = np.linalg.svd(centred, full_matrices=False)
    coefs = (s / (s**2 + alphas[:, None]) * (U.T @ target)) @ Vt
    return (coefs - truth.coef) ** 2 @ truth.spectrum


def one_draw(setting, seed):
    rng = np.random.default_rng(seed)
    spectrum, coef = problem(setting["kind"], setting["d"], rng)
    X, y, truth = make_collapse_regression(
        setting["T"],
        spectrum=spectrum,
        coef=coef,
        noise_variance=setting["s2"],
        n_generations=setting["n"],
        generator_n_samples=setting["T0"],
        generator_alpha=setting.get("alpha", 0.0),
        features=setting.get("features", "gaussian"),
        random_state=int(rng.integers(2**31)),
    )
    model = AdaptiveRidgeCollapse(
        n_generations=setting["n"],
        generator_n_samples=setting["T0"],
        generator_alpha=setting.get("alpha", 0.0),
    )
    chosen = {}
    for criterion in ("auto", "ccgcv", "gcv"):
        model.set_params(criterion=criterion).fit(X, y)
        chosen[criterion] = model.criterion_values_.argmin()
    risks = risks_of_path(X, y, truth, model.alphas_)
    theory = collapse_risk(
        spectrum,
        coef,
        setting["T"],
        model.alphas_ / setting["T"],
        setting["s2"],
        setting["n"],
        setting["T0"],
        setting.get("alpha", 0.0) / setting["T0"],
    ).total
    chosen["theory optimum"] = theory.argmin()
    return {name: risks[index] for name, index in chosen.items()} | {"oracle": risks.min()}


def risk_table(suite, generations, n_repeats, seed=0):
    """Mean risk over mean oracle risk, per number of generations: mean and worst setting."""
    table = {}
    for n in generations:
        ratios = []
        for i, setting in enumerate(configurations(suite, n)):
            draws = [one_draw(setting, [seed, n, i, r]) for r in range(n_repeats)]
            mean = {name: np.mean([draw[name] for draw in draws]) for name in draws[0]}
            ratios.append({name: mean[name] / mean["oracle"] for name in mean})
        table[n] = {
            name: (np.mean([r[name] for r in ratios]), np.max([r[name] for r in ratios]))
            for name in ratios[0]
            if name != "oracle"
        }
    return table


def print_risk_table(title, table):
    print(f"\n{title}: risk over the oracle's, mean (worst) of the settings")
    print(f"{'':18s}" + "".join(f"{f'n={n}':>16s}" for n in table))
    for name in next(iter(table.values())):
        cells = (
            f"{mean:.3f} ({worst:.2f})" for mean, worst in (row[name] for row in table.values())
        )
        print(f"{name:18s}" + "".join(f"{cell:>16s}" for cell in cells))


def misstated_table(n_repeats, factors=(0.5, 1, 2, 4)):
    """Mean true risk when generator_n_samples is a multiple of the true number."""
    rows = []
    for d, n_samples, n_generator, n in (
        (40, 200, 120, 3),
        (60, 150, 150, 5),
        (100, 1000, 300, 10),
    ):
        risks = []
        for seed in range(n_repeats):
            X, y, truth = make_collapse_regression(
                n_samples, d, n_generations=n, generator_n_samples=n_generator, random_state=seed
            )
            sizes = [int(factor * n_generator) for factor in factors]
            models = [AdaptiveRidgeCollapse(n_generations=n, generator_n_samples=s) for s in sizes]
            coefs = [model.fit(X, y).coef_ for model in models]
            coefs.append(RidgeCV(models[0].alphas_).fit(X, y).coef_)
            risks.append([truth.spectrum @ (coef - truth.coef) ** 2 for coef in coefs])
        rows.append(
            [f"d={d} T={n_samples} T0={n_generator} n={n}", *np.mean(risks, axis=0).tolist()]
        )
    header = ["setting", *(f"{factor:g} T0" for factor in factors), "RidgeCV"]
    return show(f"Misstated rows of the generators: mean risk, {n_repeats} draws", header, rows)


# ----- time and memory


def time_table(n_samples, n_features, n_repeats, with_slow):
    """Seconds per fit on the same rows and alphas, and medians of paired ratios to ours."""
    X, y, truth = make_collapse_regression(
        n_samples, n_features, n_generations=3, generator_n_samples=n_samples, random_state=0
    )
    chain = {"n_generations": 3, "generator_n_samples": n_samples}
    alphas = AdaptiveRidgeCollapse(**chain).fit(X, y).alphas_
    models = {
        "AdaptiveRidgeCollapse": AdaptiveRidgeCollapse(alphas, **chain),
        "RidgeCV": RidgeCV(alphas),
    }
    if with_slow:
        models["GridSearchCV(Ridge, cv=5)"] = GridSearchCV(Ridge(), {"alpha": alphas}, cv=5)
        if importlib.util.find_spec("himalaya") is not None:
            himalaya = importlib.import_module("himalaya.ridge").RidgeCV
            models["himalaya.RidgeCV(cv=5)"] = himalaya(
                alphas, cv=5, fit_intercept=True, solver_params={"warn": False}
            )
    runs = [{name: seconds(m.fit, X, y)[0] for name, m in models.items()} for _ in range(n_repeats)]
    ours = np.array([run["AdaptiveRidgeCollapse"] for run in runs])
    rows = {}
    for name, model in models.items():
        coef = np.ravel(getattr(model, "best_estimator_", model).coef_)
        times = np.array([run[name] for run in runs])
        rows[name] = {
            "seconds": float(np.median(times)),
            "ratio": float(np.median(times / ours)),
            "risk": float(truth.spectrum @ (coef - truth.coef) ** 2),
        }
    tracemalloc.start()
    models["AdaptiveRidgeCollapse"].fit(X, y)
    rows["peak memory over X"] = tracemalloc.get_traced_memory()[1] / X.nbytes
    tracemalloc.stop()
    return rows


def kernel_times(n_samples=600):
    """Seconds of the kernel path against a grid search of KernelRidge on the same alphas."""
    X, y, _ = make_collapse_regression(n_samples, 10, n_generations=0, random_state=0)
    model = AdaptiveRidgeCollapse(kernel="rbf", generator_error=0.1)
    ours = seconds(model.fit, X, y)[0]
    grid = GridSearchCV(KernelRidge(kernel="rbf"), {"alpha": model.alphas_[::3]}, cv=5)
    return {
        "AdaptiveRidgeCollapse, 60 alphas": ours,
        "grid, 20 alphas": seconds(grid.fit, X, y)[0],
    }


def print_times(shape, rows):
    print(f"\nFit with 60 alphas, {shape[0]} x {shape[1]}, n=3: seconds, over ours, true risk")
    for name, row in rows.items():
        if isinstance(row, dict):
            print(f"{name:28s}{row['seconds']:9.3f}{row['ratio']:9.1f}{row['risk']:9.3f}")
    print(
        f"peak memory of ours over that of X: {rows['peak memory over X']:.2f} (X itself excluded)"
    )


# ----- theory


def theory_deviations(n_repeats):
    """Largest relative deviation of simulated risks from collapse_risk, and the standard error."""
    worst, errors = 0.0, []
    for kind in ("isotropic", "power"):
        for T, T0, alpha, n in (
            (200, 200, 0.0, 1),
            (200, 200, 0.0, 5),
            (200, 60, 0.0, 2),
            (200, 200, 10.0, 3),
            (80, 200, 0.0, 2),
            (80, 80, 5.0, 3),
        ):
            rng = np.random.default_rng(0)
            spectrum, coef = problem(kind, 100, rng)
            lam = np.array([0.03, 0.3])
            risks = []
            for seed in range(n_repeats):
                X, y, truth = make_collapse_regression(
                    T,
                    spectrum=spectrum,
                    coef=coef,
                    n_generations=n,
                    generator_n_samples=T0,
                    generator_alpha=alpha,
                    random_state=seed,
                )
                values, vectors = np.linalg.eigh(X.T @ X / T)
                fits = (vectors.T @ (X.T @ y / T)) / (values + lam[:, None]) @ vectors.T
                risks.append((fits - truth.coef) ** 2 @ truth.spectrum)
            theory = collapse_risk(spectrum, coef, T, lam, 0.25, n, T0, alpha / T0).total
            mean = np.mean(risks, axis=0)
            worst = max(worst, float(np.max(np.abs(mean / theory - 1))))
            errors.append(np.max(np.std(risks, axis=0) / np.sqrt(n_repeats) / theory))
    return {"worst deviation": worst, "worst standard error": float(np.max(errors))}


def power_law_risk(log_lam, problem, n_samples, b):
    """Risk after five generations whose noise falls as n_samples^-b."""
    rows = 5002 + n_samples**b
    return collapse_risk(*problem, n_samples, np.exp(log_lam), 1.0, 5, rows).total


def exponent_table():
    """Exponents of the best ridge and of its risk, measured on the theory's curve and predicted."""
    problem_5000 = power_law_problem(5000, 1.5, 0.375)
    sizes = np.logspace(5, 7, 3)
    table = {}
    for b in (1.0, 0.75, 0.5):
        best = []
        for T in sizes:
            found = minimize_scalar(
                power_law_risk,
                args=(problem_5000, T, b),
                bounds=(np.log(1e-6), 0),
                method="bounded",
            )
            best.append((np.exp(found.x), found.fun))
        slopes = -np.polyfit(np.log(sizes), np.log(best), 1)[0]
        predicted = power_law_exponents(1.5, 0.375, b)
        table[b] = {
            "l_star": (float(slopes[0]), predicted["l_star"]),
            "rate": (float(slopes[1]), predicted["collapsed_rate"]),
        }
    return table


def report(*, full=False):
    warnings.simplefilter("ignore", UserWarning)
    results = {}
    few = 25 if full else 8
    suites = {
        "standard": ("24 settings, d/T .1 to 1.5, least-squares generators", (0, 1, 3, 10), 25),
        "own": (
            "t and binary rows, spiked and power-law spectra, d/T .1 to 1.5",
            (0, 1, 3, 10),
            few,
        ),
        "hard": ("ridge generators, T0 < d, d > T", (1, 4), few),
    }
    for suite, (title, generations, n_repeats) in suites.items():
        table = risk_table(suite, generations, n_repeats)
        print_risk_table(f"{title}, {n_repeats} repetitions", table)
        results[suite] = table
    results["misstated"] = misstated_table(25)
    for shape, n_repeats, with_slow in (((2000, 200), 3, True), ((20_000, 500), 1, full)):
        rows = time_table(*shape, n_repeats, with_slow)
        print_times(shape, rows)
        results["time " + "x".join(map(str, shape))] = rows
    results["kernel"] = kernel_times()
    print("\nrbf kernel, 600 rows:", {k: round(v, 3) for k, v in results["kernel"].items()})
    results["theory"] = theory_deviations(400 if full else 150)
    print("\nTheory against simulation, d=100:", results["theory"])
    results["exponents"] = exponent_table()
    print("\nExponents, generators of T^b rows: measured (predicted)")
    for b, row in results["exponents"].items():
        print(f"b={b}: " + ", ".join(f"{k} {v[0]:.3f} ({v[1]:.3f})" for k, v in row.items()))
    return results


if __name__ == "__main__":
    full = full_is_asked(__doc__)
    keep("collapse", report, full=full, peers=PEERS)
    keep("mixing", bench_mixing.report, full=full, peers=bench_mixing.PEERS)
