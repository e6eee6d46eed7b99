"""Scaling laws and memories of heavy tails: recovery, time, coverage of intervals, streams.

    python benchmarks/bench_tails.py [--full]

Prints tables and writes results/tails.json. Ratios are medians of ratios paired within this
process. `--full` streams ten million rows instead of one.
"""

import importlib.util
import tempfile
import warnings
from pathlib import Path

import numpy as np
from harness import full_is_asked, keep, seconds, show
from scipy.optimize import curve_fit
from sklearn.exceptions import ConvergenceWarning

from skparietal import ScalingLawRegressor, TailMemoryClassifier
from skparietal.datasets import make_zipf_associations

PEERS = ("chinchilla",)
SIZES = np.logspace(2, 6, 12)


# ----- one column


def log_power_plateau(log_x, log_e, log_a, c):
    return np.logaddexp(log_e, log_a - c * log_x)


def curve_fit_exponent(x, y):
    """Least squares of logs by scipy, from the start that one would write down."""
    start = [np.log(y.min() / 2), np.log(y[0]) + 0.5 * np.log(x[0]), 0.5]
    theta, _ = curve_fit(log_power_plateau, np.log(x), np.log(y), p0=start, maxfev=10_000)
    return theta[2]


def draw_curve(rng, noise, outlier):
    """Sizes, errors a x^-c + e with log-normal noise, and c; one error tripled if asked."""
    c, bend = rng.uniform(0.2, 0.8), 10 ** rng.uniform(3, 5)
    log_y = np.log(SIZES**-c + bend**-c) + noise * rng.normal(size=SIZES.size)
    if outlier:
        log_y[rng.integers(SIZES.size)] += np.log(3)
    return np.exp(log_y), c


def recovery(n_curves=100, noise=0.01):
    rows = []
    for outlier in (False, True):
        rng = np.random.default_rng(0)
        runs, failed = [], 0
        for _ in range(n_curves):
            y, c = draw_curve(rng, noise, outlier)
            own_time, own = seconds(
                lambda y=y: ScalingLawRegressor("power_plateau").fit(SIZES[:, None], y)
            )
            try:
                peer_time, peer = seconds(lambda y=y: curve_fit_exponent(SIZES, y))
            except RuntimeError:
                failed += 1
                continue
            runs.append([abs(own.exponent_ - c), abs(peer - c), own_time, peer_time])
        own, peer, own_time, peer_time = np.array(runs).T
        cells = [np.median(own), np.median(peer), np.quantile(own, 0.9), np.quantile(peer, 0.9)]
        cells += [np.median(own_time) * 1e3, np.median(peer_time) * 1e3]
        cells.append(np.median(own_time / peer_time))
        rows.append(["one outlier" if outlier else "clean", *map(float, cells), failed])
    header = ["curves", "median |c error| ours", "curve_fit", "90 % quantile ours",
              "90 % quantile curve_fit", "ms ours", "ms curve_fit", "time ratio",
              "curve_fit failed"]  # fmt: skip
    title = f"Power law with plateau, {n_curves} curves of {SIZES.size} sizes, noise {noise:.0%}"
    return show(title, header, rows)


def fit_time(n_curves=20):
    rng = np.random.default_rng(1)
    curves = [draw_curve(rng, 0.01, False)[0] for _ in range(n_curves)]
    rows = []
    for law in ("power", "power_plateau", "tail_cut", "finite_generator", "mixed", "auto"):
        spent = [
            seconds(lambda y=y, law=law: ScalingLawRegressor(law).fit(SIZES[:, None], y))[0]
            for y in curves
        ]
        rows.append([law, float(np.median(spent) * 1e3), float(np.max(spent) * 1e3)])
    return show("Time of a fit", ["law", "median ms", "largest ms"], rows)


def interval_coverage(n_runs=40, alpha=0.1):
    """Share of runs whose intervals hold the truth, at the exponent, plateau and ten times on."""
    rows = []
    for c, bend, noise, n_sizes in [(0.35, 3e4, 0.03, 10), (0.6, 5e3, 0.05, 14)]:
        sizes = np.logspace(2.3, 5.7, n_sizes)
        beyond = np.array([[10 * sizes[-1]]])
        truth = {"c": c, "plateau": bend**-c, "beyond": beyond[0, 0] ** -c + bend**-c}
        inside = []
        for seed in range(n_runs):
            rng = np.random.default_rng([7, n_sizes, seed])
            y = (sizes**-c + bend**-c) * np.exp(noise * rng.normal(size=n_sizes))
            law = ScalingLawRegressor("power_plateau", n_bootstrap=200, random_state=seed)
            law.fit(sizes[:, None], y)
            ends = law.params_interval(alpha)
            ends["beyond"] = [float(end[0]) for end in law.predict_interval(beyond, alpha)]
            inside.append(
                [ends[name][0] <= value <= ends[name][1] for name, value in truth.items()]
            )
        shares = np.mean(inside, axis=0).tolist()
        rows.append([f"c {c}, bend {bend:g}, noise {noise}, {n_sizes} sizes", *shares, n_runs])
    header = ["setting", "exponent", "plateau", "error at ten times the size", "runs"]
    return show(f"Coverage of {1 - alpha:.0%} intervals", header, rows)


# ----- two columns


def two_columns(n_runs=10):
    """The law of parameters and tokens with the constants that Hoffmann et al. (2022) report."""
    truth = np.array([0.34, 0.28])
    runs = []
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        X = np.column_stack([10 ** rng.uniform(7.5, 10.2, 100), 10 ** rng.uniform(9, 11.7, 100)])
        y = 1.69 + 406.4 * X[:, 0] ** -truth[0] + 410.7 * X[:, 1] ** -truth[1]
        y *= np.exp(0.01 * rng.normal(size=len(y)))
        spent, law = seconds(lambda X=X, y=y: ScalingLawRegressor().fit(X, y))
        errors = np.abs(law.exponent_ - truth)
        runs.append([spent, *errors, abs(law.plateau_ - 1.69)])
    header = ["median s", "|error| of 0.34", "|error| of 0.28", "|error| of the constant 1.69"]
    rows = [np.median(runs, axis=0).tolist()]
    return show(f"Two columns, 100 rows, noise 1 %, {n_runs} runs (medians)", header, rows)


def against_chinchilla(n_runs):
    """The same law on 36 points of .3 % noise; its default loss fits the lower envelope."""
    if importlib.util.find_spec("chinchilla") is None:
        return show("chinchilla is not installed", ["run"], [])
    import pandas as pd
    from chinchilla import Chinchilla

    grid = {"e": np.log([1.2, 1.7, 2.5]), "a": [3, 6, 9], "b": [3, 6, 9]}
    grid |= {"alpha": [0.2, 0.35, 0.5], "beta": [0.2, 0.35, 0.5]}
    size, tokens = map(np.ravel, np.meshgrid(np.logspace(7, 9.5, 6), np.logspace(8.5, 11, 6)))
    rows = []
    for seed in range(n_runs):
        noise = np.random.default_rng(seed).normal(size=len(size))
        loss = (1.69 + 406.4 * size**-0.34 + 410.7 * tokens**-0.28) * np.exp(0.003 * noise)
        X = np.column_stack([size, tokens])
        spent, law = seconds(lambda X=X, y=loss: ScalingLawRegressor().fit(X, y))
        with tempfile.TemporaryDirectory() as folder:
            table = pd.DataFrame({"C": 6 * size * tokens, "N": size, "D": tokens, "loss": loss})
            table.to_csv(Path(folder) / "df.csv", index=False)
            peer = Chinchilla(folder, param_grid=grid, log_level=40)
            peer_spent, _ = seconds(lambda peer=peer: peer.fit(parallel=False))
        ours = np.abs(law.exponent_ - [0.34, 0.28]).max()
        theirs = max(abs(peer.alpha - 0.34), abs(peer.beta - 0.28))
        rows.append([spent, peer_spent, peer_spent / spent, ours, theirs])
    header = ["s ours", "s chinchilla", "ratio", "|exponent error| ours", "chinchilla"]
    title = f"Two columns against chinchilla (243 starts, one process), {n_runs} runs (medians)"
    return show(title, header, [[float(cell) for cell in np.median(rows, axis=0)]])


# ----- memory


def stream(n_rows, n_batches=40):
    memory, spent = TailMemoryClassifier(), []
    for seed in range(n_batches):
        X, y = make_zipf_associations(n_rows // n_batches, n_classes=20, random_state=seed)
        step, _ = seconds(lambda X=X, y=y: memory.partial_fit(X, y, classes=np.arange(20)))
        spent.append(step / len(y) * 1e9)
    X, _ = make_zipf_associations(100_000, n_classes=20, random_state=10**6)
    quarter = n_batches // 4
    cells = [np.mean(spent[:quarter]), np.mean(spent[-quarter:])]
    cells += [memory.n_distinct_, 1 - memory.coverage(X), memory.missing_mass_]
    rows = [[n_rows, *(float(cell) for cell in cells)]]
    header = ["rows", "ns per row, first quarter", "last quarter", "distinct rows",
              "unseen share of fresh rows", "missing_mass_"]  # fmt: skip
    return show(f"Stream through partial_fit, {n_batches} batches", header, rows)


def report(*, full=False):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        tables = {
            "recovery": recovery(),
            "fit_time": fit_time(),
            "coverage": interval_coverage(),
            "two_columns": two_columns(),
            "chinchilla": against_chinchilla(5 if full else 2),
            "stream": stream(10**7 if full else 10**6),
        }
    doubtful = sum(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    print(f"\nfits that warned of no convergence: {doubtful}")
    return {**tables, "convergence_warnings": doubtful}


if __name__ == "__main__":
    keep("tails", report, full=full_is_asked(__doc__), peers=PEERS)
