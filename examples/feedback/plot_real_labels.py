"""
Real data: what a few verified rows are good for
================================================

Asks of real label sets what "Beyond Model Collapse" (Feng et al., ICLR 2025) shows on large models:
can a student trained on filtered labels beat the generator of the labels, and what does it gain
over other ways to use the same verified rows? The generator is a logistic regression on few rows.
The comparison with cleanlab and self-training is ours; all is told as it comes out. Smaller here
than any language model: 1,800 images of digits and 1,100 paragraphs.
"""

# %%
# Two label sets
# --------------
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict, train_test_split
from sklearn.semi_supervised import SelfTrainingClassifier

from skparietal import FeedbackFilteredClassifier
from skparietal.datasets import load_python_topics
from skparietal.exceptions import CollapseWarning

texts, topics = load_python_topics()
SETS = {
    "digits": (load_digits().data / 16, load_digits().target, 40),
    "paragraphs": (
        TfidfVectorizer(min_df=2, sublinear_tf=True).fit_transform(texts),
        np.unique(topics, return_inverse=True)[1],
        60,
    ),
}


def base():
    return LogisticRegression(max_iter=300, tol=1e-3)


# %%
# The same rows for every method
# ------------------------------
# 150 rows have their true label; all others have five labels drawn from the generator.
def cleanlab(X, labels, known, truth):
    from cleanlab.filter import find_label_issues

    probability = base().fit(X[known], truth).predict_proba(X)
    folds = KFold(5, shuffle=True, random_state=0)
    held_out = cross_val_predict(base(), X[known], truth, cv=folds, method="predict_proba")
    probability[known] = held_out
    keep = ~find_label_issues(labels, probability, n_jobs=1)
    labels = labels.copy()
    labels[known], keep[known] = truth, True
    return base().fit(X[keep], labels[keep])


def one_seed(X, y, n_generator, seed):
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    rng = np.random.default_rng(seed)
    few, pool = np.split(rng.permutation(len(y)), [n_generator])
    generator = base().fit(X[few], y[few])
    X, y, known = X[pool], y[pool], rng.permutation(len(pool))[:150]
    bounds = generator.predict_proba(X).cumsum(axis=1)[:, None, :-1]
    candidates = generator.classes_[(rng.random((len(y), 5, 1)) >= bounds).sum(axis=2)]
    first, pseudo, y_verified = candidates[:, 0], np.full(len(y), -1), np.full(len(y), np.nan)
    pseudo[known], y_verified[known] = y[known], y[known]
    prune = FeedbackFilteredClassifier(base(), random_state=seed)
    best = FeedbackFilteredClassifier(base(), strategy="best_of", random_state=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        prune.fit(X, first, y_verified=y_verified)
        best.fit(X, first, candidates=candidates, y_verified=y_verified)
    models = {
        "generator": generator,
        "no filter": base().fit(X, first),
        "verified rows only": base().fit(X[known], y[known]),
        "self-training": SelfTrainingClassifier(base()).fit(X, pseudo),
        "filter, prune": prune,
        "filter, best of 5": best,
        "filter, oracle feedback": FeedbackFilteredClassifier(base()).fit(
            X, first, feedback=first == y, y_verified=y_verified
        ),
    }
    try:
        models["cleanlab"] = cleanlab(X, first, known, y[known])
    except ImportError:
        if seed == 0:
            print("cleanlab is not installed: pip install cleanlab")
    scores = {name: np.mean(model.predict(X_test) == y_test) for name, model in models.items()}
    unverified = prune.kept_mask_ & np.isnan(y_verified)
    right = (prune.selected_labels_ == y)[unverified]
    purity = right.mean() if right.size else np.nan
    return scores, (prune.purity_, purity), len(caught)


# %%
# Eight seeds
# -----------
fig, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for ax, (name, (X, y, n_generator)) in zip(axes, SETS.items()):
    runs = [one_seed(X, y, n_generator, seed) for seed in range(8)]
    methods = list(runs[0][0])
    table = np.array([[scores[method] for method in methods] for scores, *_ in runs])
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(runs))
    ax.barh(methods, mean, xerr=error)
    ax.invert_yaxis()
    ax.set(title=name, xlabel="test accuracy", xlim=(0.8 * mean.min(), None))
    print(f"{name}: mean of {len(runs)} seeds")
    for method, m, e in zip(methods, mean, error):
        print(f"  {method:24s} {m:.4f} +- {e:.4f}")
    others = [m for m in methods if not m.startswith("filter")]
    best = max(others, key=lambda method: mean[methods.index(method)])
    gap = table[:, methods.index("filter, best of 5")] - table[:, methods.index(best)]
    print(f"  hoped for: no worse than the best other use of these rows, {best}")
    print(f"  measured: {gap.mean():+.4f} +- {gap.std(ddof=1) / np.sqrt(len(gap)):.4f}")
    purities = np.array([purity for _, purity, _ in runs if np.isfinite(purity).all()])
    print(
        f"  pruning accepts labels beside the verified rows in {len(purities)} of {len(runs)} seeds"
    )
    if len(purities):
        estimated, true = purities.mean(axis=0)
        print(f"  their purity: estimated {estimated:.3f}, true {true:.3f}")
    n_warned = sum(n for *_, n in runs)
    print(f"  warnings that too few labels are accepted to be sure of them: {n_warned}")
plt.show()
