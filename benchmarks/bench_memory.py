"""Associative memory against its peers at equal memory: accuracy, time, streams, calibration.

    python benchmarks/bench_memory.py [--full]

The key-value problem: keys from a Zipf law (exponent 1.2, 100,000 keys), 1,000 labels drawn at
random once per key, 200,000 training rows; every method may keep d^2 floats. Prints tables and
writes results/memory.json. Ratios are medians of ratios paired within this process. `--full` gives
Vowpal Wabbit 100 seconds instead of 10, and runs five problems instead of two.
"""

import resource
import time
import warnings

import numpy as np
from harness import full_is_asked, keep, seconds, show
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

from skparietal import AssociativeMemory
from skparietal.datasets import make_zipf_associations

N_KEYS, N_CLASSES, N_ROWS, N_TEST = 100_000, 1000, 200_000, 20_000
PEERS = ("torch", "vowpalwabbit")


def key_value_problem(seed, n_keys=N_KEYS, n_classes=N_CLASSES, n_rows=N_ROWS, exponent=1.2):
    rng = np.random.default_rng(seed)
    p = np.arange(1, n_keys + 1.0) ** -exponent
    label_of = rng.integers(n_classes, size=n_keys)
    x = rng.choice(n_keys, size=n_rows + N_TEST, p=p / p.sum())
    X, y = x[:, None], label_of[x]
    return X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]


# ----- peers: each returns (predict, rows learned)


def hashed(X, n_buckets):
    hasher = FeatureHasher(n_features=n_buckets, input_type="string", alternate_sign=False)
    return hasher.transform([[f"k{value}"] for value in X[:, 0]])


def hasher_sgd(X, y, d, n_rows=20_000):
    n_buckets = d * d // N_CLASSES
    model = SGDClassifier(loss="log_loss", max_iter=1, tol=None, alpha=1e-7, random_state=0)
    model.fit(hashed(X[:n_rows], n_buckets), y[:n_rows])
    return lambda rows: model.predict(hashed(rows, n_buckets)), n_rows


def hashed_count_table(X, y, d):
    n_buckets = d * d // N_CLASSES
    counts = np.zeros((n_buckets, N_CLASSES))
    np.add.at(counts, (hashed(X, n_buckets).indices, y), 1)
    best = counts.argmax(axis=1)
    return lambda rows: best[hashed(rows, n_buckets).indices], len(y)


def hashed_softmax(X, y, d, batch_size=1024, n_epochs=2):
    import torch

    n_buckets = d * d // N_CLASSES
    torch.manual_seed(0)
    bucket = torch.from_numpy(hashed(X, n_buckets).indices.astype(np.int64))
    labels = torch.from_numpy(y)
    table = torch.nn.Embedding(n_buckets, N_CLASSES)
    torch.nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(labels)).split(batch_size):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(table(bucket[rows]), labels[rows]).backward()
            optimizer.step()
    best = table.weight.detach().argmax(dim=1).numpy()
    return lambda rows: best[hashed(rows, n_buckets).indices], len(y)


def vowpal_wabbit(X, y, d, limit):
    import vowpalwabbit

    bits = int(np.log2(d * d))
    model = vowpalwabbit.Workspace(
        f"--oaa {N_CLASSES} -b {bits} --quiet --loss_function logistic --noconstant -l 10"
    )
    start, learned = time.perf_counter(), 0
    while learned < len(y) and time.perf_counter() - start < limit:
        model.learn(f"{y[learned] + 1} | k{X[learned, 0]}")
        learned += 1
    # Prediction is as slow as learning: the first 2,000 test rows.
    return lambda rows: np.array(
        [model.predict(f"| k{key}") - 1 for key in rows[:2000, 0]]
    ), learned


def dictionary(X, y, d):
    """Exact table of the most frequent keys, 12 bytes each, in the bytes of d^2 float32."""
    keys, first, counts = np.unique(X[:, 0], return_index=True, return_counts=True)
    kept = np.argsort(-counts, kind="stable")[: 4 * d * d // 12]
    table = dict(zip(keys[kept].tolist(), y[first[kept]].tolist()))
    return lambda rows: np.array([table.get(key, 0) for key in rows[:, 0].tolist()]), len(y)


def ours(**options):
    def fit(X, y, d):
        model = AssociativeMemory(d, random_state=0, **options).fit(X, y)
        return model.predict, len(y)

    return fit


METHODS = {
    "ours: flat, automatic max_stored": ours(),
    "ours: passive-aggressive": ours(solver="passive-aggressive"),
    "ours: cross-entropy": ours(storage="cross-entropy"),
    "ours: rho = 1 / (2 alpha)": ours(storage=1 / 2.4),
    "ours: frequency (naive)": ours(storage="frequency"),
    "ours: flat, everything stored": ours(max_stored=None),
    "ours: lstsq, rho = 1/2": ours(solver="lstsq", storage=0.5),
    "hashed count table": hashed_count_table,
    "hashed softmax (torch, Adam)": hashed_softmax,
    "FeatureHasher + SGDClassifier": hasher_sgd,
    "Vowpal Wabbit --oaa": vowpal_wabbit,
    "dict of the most frequent keys": dictionary,
}


def evaluate(name, fit, d, problem, limit):
    X, y, X_test, y_test = problem
    options = {"limit": limit} if name.startswith("Vowpal") else {}
    try:
        fit_time, (predict, n_learned) = seconds(lambda: fit(X, y, d, **options))
    except ImportError as error:
        return [name, d, f"not installed: {error.name}"]
    predict_time, predicted = seconds(lambda: predict(X_test))
    accuracy = float(np.mean(predicted == y_test[: len(predicted)]))
    return [name, d, accuracy, fit_time, predict_time, n_learned]


def key_value_table(n_problems, limit):
    rows = []
    problems = [key_value_problem(seed) for seed in range(n_problems)]
    for d in (256, 1000):
        for name, fit in METHODS.items():
            slow = name.startswith(("Vowpal", "FeatureHasher"))
            if name.startswith("FeatureHasher") and d == 1000:
                continue  # the time grows with the labels, not with d
            runs = [evaluate(name, fit, d, p, limit) for p in problems[: 1 if slow else None]]
            if len(runs[0]) == 3:
                rows.append([*runs[0], "", "", ""])
                continue
            numbers = np.median([run[2:5] for run in runs], axis=0).tolist()
            rows.append([name, d, *numbers, runs[0][5]])
    best = [np.isin(p[2], p[0]).mean() for p in problems]
    print(f"\nBest possible accuracy (share of test keys seen in training): {np.mean(best):.4f}")
    header = ["method", "d", "accuracy", "fit s", "predict s", "rows learned"]
    return show("Key-value problem, d^2 floats each", header, rows)


def fit_ratio(n_repeats=3, n_peer_rows=4000):
    """How much faster a row is learned than by FeatureHasher + SGDClassifier."""
    X, y, *_ = key_value_problem(0)
    ratios = []
    for _ in range(n_repeats):
        own, _ = seconds(lambda: AssociativeMemory(256, random_state=0).fit(X, y))
        peer, _ = seconds(lambda: hasher_sgd(X, y, 256, n_rows=n_peer_rows))
        ratios.append([peer / n_peer_rows * 1e6, own / len(y) * 1e6])
    peer, own = np.array(ratios).T
    rows = [[float(np.median(own)), float(np.median(peer)), float(np.median(peer / own))]]
    header = ["ours us/row", "FeatureHasher + SGDClassifier us/row", "ratio"]
    return show("Time to learn a row (d = 256)", header, rows)


def automatic_against_grid(n_problems):
    rows = []
    for n_classes, d, n_keys in [(1000, 256, 100_000), (50, 64, 20_000), (5, 64, 2000)]:
        for seed in range(n_problems):
            X, y, X_test, y_test = key_value_problem(seed, n_keys, n_classes)
            chosen = AssociativeMemory(d, random_state=seed).fit(X, y)
            scores = {}
            for ratio in (0.4, 0.6, 0.75, 0.9, 1.1, 1.25, 1.5, 1.8, 2.5):
                P = int(chosen.n_stored_ * ratio)
                model = AssociativeMemory(d, max_stored=P, random_state=seed).fit(X, y)
                scores[P] = model.score(X_test, y_test)
            P = max(scores, key=scores.get)
            rows.append(
                [n_classes, d, seed, chosen.n_stored_, chosen.score(X_test, y_test), P, scores[P]]
            )
    header = ["labels", "d", "seed", "automatic P", "accuracy", "best P of grid", "its accuracy"]
    return show("Automatic max_stored against a grid scored on the test rows", header, rows)


def calibration_error(p, right, n_bins=15):
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return float(
        sum(
            abs(p[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b)
            for b in np.unique(bins)
        )
    )


# Keys, labels, exponent, d, rows: the first three are one problem in three sizes.
SETTINGS = [
    (20_000, 50, 1.2, 64, 50_000),
    (20_000, 50, 1.2, 128, 50_000),
    (20_000, 50, 1.2, 256, 50_000),
    (5000, 10, 1.5, 32, 20_000),
    (3000, 200, 1.1, 48, 30_000),
    (1000, 5, 2.0, 40, 3000),
    (2000, 2, 1.3, 64, 10_000),
]


def calibration(n_draws):
    """ECE and accuracy of the two solvers on problems of many shapes."""
    rows = []
    for setting in SETTINGS:
        n_keys, n_classes, exponent, d, n_rows = setting
        problems = [
            key_value_problem(seed, n_keys, n_classes, n_rows, exponent) for seed in range(n_draws)
        ]
        for solver in ("counts", "passive-aggressive"):
            draws = []
            for seed, (X, y, X_test, y_test) in enumerate(problems):
                model = AssociativeMemory(d, solver=solver, random_state=seed).fit(X, y)
                p = model.predict_proba(X_test)
                draws.append((p.max(axis=1), model.classes_[p.argmax(axis=1)] == y_test))
            p, right = (np.concatenate(part) for part in zip(*draws))
            within = [calibration_error(*draw) for draw in draws]
            rows.append(
                [
                    *setting,
                    solver,
                    float(right.mean()),
                    calibration_error(p, right),
                    float(np.mean(within)),
                    max(within),
                ]
            )
    header = ["keys", "labels", "exponent", "d", "rows", "solver", "accuracy",
              "ECE pooled over draws", "mean ECE within a draw", "largest"]  # fmt: skip
    return show(f"Calibration and solvers ({n_draws} draws)", header, rows)


def stream(n_batches=100, batch_size=100_000, max_keys=10_000):
    """Ten million tokens through partial_fit with a bounded key table."""
    model = AssociativeMemory(256, max_keys=max_keys, random_state=0)
    peaks, spent = [], 0.0
    for seed in range(n_batches):
        X, y = make_zipf_associations(batch_size, beta=1.2, n_classes=1000, random_state=seed)
        step, _ = seconds(lambda X=X, y=y: model.partial_fit(X, y, classes=np.arange(1000)))
        spent += step
        # Kilobytes on Linux.
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    X_test, y_test = make_zipf_associations(20_000, beta=1.2, n_classes=1000, random_state=10**6)
    tenth = peaks[n_batches // 10 - 1]
    rows = [[n_batches * batch_size, spent, len(model.keys_), model.score(X_test, y_test),
             float(peaks[-1] - tenth)]]  # fmt: skip
    header = ["tokens", "seconds in partial_fit", "keys kept", "accuracy",
              "MB of peak memory added after the first tenth"]  # fmt: skip
    return show(f"Stream, max_keys = {max_keys}, d = 256", header, rows)


def report(*, full=False):
    n_problems = 5 if full else 2
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The memory is too small")
        return {
            "key_value": key_value_table(n_problems, limit=100 if full else 10),
            "fit_ratio": fit_ratio(),
            "automatic": automatic_against_grid(n_problems),
            "calibration": calibration(20 if full else 6),
            "stream": stream(),
        }


if __name__ == "__main__":
    keep("memory", report, full=full_is_asked(__doc__), peers=PEERS)
